"""Rows out of a Parquet file, row group by row group; the line of a row is its number in the file.

The file is a stranger's. It is read by its own library and never by the database engine; texts are decoded once
per distinct value, so that a small file cannot grow without measure; what the library refuses ends in one sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from feedback_lab.errors import InputError
from feedback_lab.ingest.reading.batches import MAX_CELL, Batch, Problem, Row, too_large
from feedback_lab.ingest.reading.heading import MAX_COLUMNS
from feedback_lab.ingest.reading.packed import Content
from feedback_lab.ingest.reading.plain_values import plain

SIGNATURE = b"PAR1"
BATCH_ROWS = 5_000
MAX_ROWS = 200_000_000
MAX_ROWS_A_BYTE = 100  # rows of nothing need no bytes, but take time; judged from `ROWS_FROM` rows on
ROWS_FROM = 1_000_000
MAX_GROUP = 2 << 30  # unpacked bytes of one row group
MAX_VALUES = 1_000  # values in lists per row, on average in a row group

T = TypeVar("T")


def columns_of(content: Content) -> list[str]:
    """The columns' names. Raises InputError where the file is damaged, too large, or without rows."""
    with closing(_opened(content)) as file:
        names = [str(plain(name)) for name in file.schema_arrow.names]
        _check(content, file.metadata, names)
    return names


def batches_of(content: Content, columns: list[str]) -> Iterator[Batch]:
    """The rows, at most `BATCH_ROWS` at a time. Raises InputError where the file turns out to be damaged."""
    with closing(_opened(content)) as file:
        found = file.iter_batches(batch_size=BATCH_ROWS, use_threads=False)
        line = 1
        while (batch := _or_damaged(content, lambda: next(found, None))) is not None:
            cells = _or_damaged(content, partial(_columns, batch))
            yield _batch(line, batch.num_rows, dict(zip(columns, cells, strict=True)))
            line += batch.num_rows


def _batch(line: int, count: int, columns: dict[str, list[Any]]) -> Batch:
    problems: dict[int, Problem] = {}
    for name, cells in columns.items():
        for place, cell in enumerate(cells):
            if isinstance(cell, dict | list) or (isinstance(cell, str) and len(cell) > MAX_CELL):
                problem = too_large({name: cell})
                if problem is not None:
                    problems.setdefault(place, problem)
    if not problems:
        return Batch(list(range(line, line + count)), columns, [])
    kept = [place for place in range(count) if place not in problems]
    return Batch(
        [line + place for place in kept],
        {name: [cells[place] for place in kept] for name, cells in columns.items()},
        [Row(line + place, {}, problem) for place, problem in sorted(problems.items())],
    )


def _columns(batch: Any) -> list[list[Any]]:
    return [_cells(column) for column in batch.columns]


def _cells(column: Any) -> list[Any]:
    if isinstance(column, pa.DictionaryArray):
        # The dictionary is that of the whole row group, of which this run of rows uses a part.
        used = column.indices.unique().drop_null()
        texts = map(plain, column.dictionary.take(used).to_pylist())
        distinct = {None: None, **dict(zip(used.to_pylist(), texts, strict=True))}
        return [distinct[place] for place in column.indices.to_pylist()]
    if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
        column = column.cast(pa.string())  # also years that Python's own times do not know
    return [plain(value) for value in column.to_pylist()]


def _opened(content: Content) -> Any:
    schema = _or_damaged(content, lambda: _file(content, None).schema_arrow)
    texts = [field.name for field in schema if pa.types.is_string(field.type) or pa.types.is_binary(field.type)]
    return _or_damaged(content, lambda: _file(content, texts))


def _file(content: Content, texts: list[str] | None) -> Any:
    source = content.path if content.kind == "plain" else content.seekable()
    return pq.ParquetFile(source, read_dictionary=texts, pre_buffer=False, buffer_size=1 << 20)


def _check(content: Content, metadata: Any, names: list[str]) -> None:
    if not metadata.num_rows or not names:
        raise InputError(f"{content.path} has columns but no rows: export it again with its rows.")
    if len(names) > MAX_COLUMNS or len(set(names)) != len(names):
        raise InputError(f"{content.path} has too many columns, or two of one name: export it with names of their own.")
    empty = metadata.num_rows > max(ROWS_FROM, MAX_ROWS_A_BYTE * content.path.stat().st_size)
    large = metadata.num_rows > MAX_ROWS or empty
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        values = max((group.column(place).num_values for place in range(group.num_columns)), default=0)
        large = large or group.total_byte_size > MAX_GROUP or values > MAX_VALUES * max(1_000, group.num_rows)
    if large:
        raise InputError(f"{content.path} unpacks to far more than it holds: export it with smaller row groups.")


def _or_damaged(content: Content, work: Callable[[], T]) -> T:
    try:
        return work()
    except (pa.ArrowException, OSError, ValueError, OverflowError, IndexError, TypeError, KeyError) as error:
        reason = str(error).partition("\n")[0][:200]
        raise InputError(f"{content.path} is a Parquet file that cannot be read ({reason}): export it again.") from None
