"""Values inside blocks of JSON as columns of their own: `{"user": {"id": 7}}` has the column `user.id`.

Blocks stand in JSON and Parquet files, and as text in the cells of a CSV. Only what is asked for is taken out of
them; the rest of a block stays where it is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from feedback_lab.ingest.reading.batches import Batch, storable
from feedback_lab.ingest.reading.json_rows import is_deep
from feedback_lab.ingest.reading.json_text import DECODER, BadJson
from feedback_lab.ingest.reading.readers import RowSource

MAX_DEPTH = 4  # names in one path
MOST_PATHS = 300  # columns that blocks may add to a file

Path = tuple[str, ...]


def looked_into(rows: RowSource) -> tuple[list[str], list[dict[str, Any]]]:
    """The columns of the file with those inside its blocks, and its first rows so; a block of which nothing is left is
    no column."""
    sample = rows.sample()
    paths = _paths(rows.header, sample)
    batch = Batch([], {name: [row.get(name) for row in sample] for name in rows.header}, [])
    columns = _taken_out(batch, paths).columns
    emptied = {path[0] for path in paths.values() if all(cell in (None, "") for cell in columns[path[0]])}
    names = [name for name in (*rows.header, *paths) if name not in emptied]
    cells = zip(*(columns[name] for name in names), strict=True) if names else ()
    return names, [{name: value for name, value in zip(names, row, strict=True) if value is not None} for row in cells]


def with_columns(rows: RowSource, wanted: Collection[str]) -> RowSource:
    """The rows with such columns beside their own: inside blocks of the first rows, or of later ones by their names."""
    if set(wanted) <= set(rows.header):
        return rows
    found = _paths(rows.header, rows.sample())
    named = {name: found.get(name) or _by_name(name, rows.header) for name in wanted if name not in rows.header}
    paths = {name: path for name, path in named.items() if path}
    read = rows.read

    def batches() -> Iterator[Batch]:
        return (_taken_out(batch, paths) for batch in read())

    return replace(rows, header=[*rows.header, *paths], read=batches) if paths else rows


def columns_for(rows: RowSource, columns: Sequence[str], mapped: Collection[str]) -> list[str]:
    """The `columns` of a file and those of a mapping that it may hold too: whole blocks, and what is rare in them."""
    more = [name for name in mapped if name in rows.header or _by_name(name, rows.header)]
    return list(dict.fromkeys([*columns, *more]))


def _by_name(name: str, header: Collection[str]) -> Path | None:
    """Where a value would stand that no first row has; None where the file has no column to hold it."""
    parts = name.split(".")
    for size in range(len(parts) - 1, 0, -1):
        if (column := ".".join(parts[:size])) in header:
            return column, *parts[size:]
    return None


def _paths(header: Sequence[str], sample: Sequence[Mapping[str, Any]]) -> dict[str, Path]:
    """Where values stand inside blocks, by the column's name, in the order of the file; at most `MOST_PATHS`."""
    found: dict[str, Path] = {}
    own = set(header)
    for name in header:
        for row in sample:
            for path in _leaves(_block(row.get(name)), (name,)):
                column = ".".join(path)
                if column not in own and (column in found or len(found) < MOST_PATHS):
                    found.setdefault(column, path)
    return found


def _leaves(block: Mapping[str, Any] | None, path: Path) -> Iterator[Path]:
    for name, value in (block or {}).items():
        if isinstance(value, dict) and len(path) + 1 < MAX_DEPTH:
            yield from _leaves(value, (*path, name))
        elif value is not None:
            yield (*path, name)


def _block(cell: Any) -> dict[str, Any] | None:
    """The block that a cell holds, also as text; None for anything else."""
    if not isinstance(cell, str):
        return cell if isinstance(cell, dict) else None
    if not (cell.startswith("{") and cell.endswith("}")):
        return None
    try:
        found = DECODER.decode(cell)
    except (ValueError, RecursionError, BadJson):
        return None
    return storable(found) if isinstance(found, dict) and not is_deep(found, cell) else None


def _taken_out(batch: Batch, paths: Mapping[str, Path]) -> Batch:
    """The batch with a column for each path, whose value the block around it no longer holds."""
    columns: dict[str, Sequence[Any]] = dict(batch.columns)
    for name in dict.fromkeys(path[0] for path in paths.values()):
        own = {column: path[1:] for column, path in paths.items() if path[0] == name}
        parts: dict[str, list[Any]] = {column: [] for column in own}
        rest = []
        for cell in columns.get(name, ()):
            block = _copied(_block(cell))
            for column, path in own.items():
                parts[column].append(_pop(block, path))
            rest.append(cell if block is None else block or None)
        if rest:
            columns |= {name: rest} | parts
    return batch._replace(columns=columns)


def _copied(value: Any) -> Any:
    """A block of its own, whose lists are shared."""
    return {name: _copied(part) for name, part in value.items()} if isinstance(value, dict) else value


def _pop(block: Any, path: Path) -> Any:
    """Take the value at the path out of the block, with what that leaves empty; None where there is none."""
    if not isinstance(block, dict) or path[0] not in block:
        return None
    if len(path) == 1:
        return block.pop(path[0])
    found = _pop(block[path[0]], path[1:])
    if block[path[0]] == {}:
        del block[path[0]]
    return found
