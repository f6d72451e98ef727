"""Rows on their way in: what every reader hands on, whatever kind of file it read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

BATCH_ROWS = 20_000
BATCH_CHARACTERS = 16_000_000
BATCH_CELLS = 2_000_000  # rows times columns: objects that share no name would make a table of holes
MAX_CELL = 1_000_000  # characters; a longer cell is rejected
MAX_LINE = 16_000_000  # characters; what a line has beyond this is not even kept in memory
ESCAPED = re.compile("[\udc80-\udcff]")
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class Problem(NamedTuple):
    """Why a row was rejected: the column where that is known, a stable code, a sentence."""

    column: str | None
    code: str
    message: str


class Row(NamedTuple):
    """One row: its first line in the file (from 1), and its values by column, or its problem and raw text."""

    line: int
    values: dict[str, Any]
    problem: Problem | None = None
    raw: Sequence[str] = ()


class Batch(NamedTuple):
    """A run of rows, column by column: every list of `columns` is as long as `lines`.

    `lines` are the first physical line (or the record's number) of each readable row; they never fall, and one
    line may give several rows. A cell is text, or any JSON value; None where the row has no such column.
    `problems` are the unreadable rows of the same stretch of the file. At most `BATCH_ROWS` rows.
    """

    lines: list[int]
    columns: Mapping[str, Sequence[Any]]
    problems: list[Row]

    def rows(self) -> Iterator[Row]:
        """The rows one by one in the order of the file, the unreadable ones among them."""
        names = list(self.columns)
        cells = zip(*self.columns.values(), strict=True) if names else ((),) * len(self.lines)
        waiting = iter(self.problems)
        problem = next(waiting, None)
        for line, values in zip(self.lines, cells, strict=True):
            while problem is not None and problem.line < line:
                yield problem
                problem = next(waiting, None)
            yield Row(line, {name: value for name, value in zip(names, values, strict=True) if value is not None})
        while problem is not None:
            yield problem
            problem = next(waiting, None)


class Decoded(Protocol):
    """What the rows were made from: how, and the SHA-256 of the bytes."""

    @property
    def words(self) -> str: ...

    @property
    def sha256(self) -> str: ...


class Rows(Protocol):
    """A source of rows with named columns that can be gone through as often as needed, row by row or in batches.

    `format` says in words what it was taken for; `sample` gives the values of the first readable rows, at most `size`.
    """

    @property
    def path(self) -> Path: ...

    @property
    def header(self) -> list[str]: ...

    @property
    def format(self) -> str: ...

    @property
    def decoding(self) -> Decoded: ...

    def __iter__(self) -> Iterator[Row]: ...

    def batches(self) -> Iterator[Batch]: ...

    def sample(self, size: int = ...) -> list[dict[str, Any]]: ...


def storable(value: Any) -> Any:
    """The JSON value with U+FFFD for NUL and lone surrogates, which no database text can hold."""
    if isinstance(value, str):
        return UNSTORABLE.sub("\ufffd", value)
    if isinstance(value, list | tuple):
        return [storable(item) for item in value]
    if isinstance(value, dict):
        return {storable(key): storable(item) for key, item in value.items()}
    return value


def too_large(values: dict[str, Any]) -> Problem | None:
    """The problem of a row with a cell that is longer than any that is taken."""
    for column, value in values.items():
        if not isinstance(value, str):
            value = json.dumps(value) if isinstance(value, dict | list) else ""
        if len(value) > MAX_CELL:
            message = f"the cell has {len(value):,} characters, at most {MAX_CELL:,} are taken"
            return Problem(column, "cell_too_large", message)
    return None


def not_utf8(values: dict[str, Any]) -> Problem | None:
    """The problem of a row with bytes that could not be decoded."""
    for column, value in values.items():
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        if ESCAPED.search(text) or ESCAPED.search(column):
            return Problem(column, "not_utf8", "the cell holds bytes that cannot be decoded: save the file as UTF-8")
    return None


def batched(rows: Iterable[Row]) -> Iterator[Batch]:
    """Rows one by one as batches."""
    lines: list[int] = []
    values: list[dict[str, Any]] = []
    problems: list[Row] = []
    names: set[str] = set()
    size = 0
    for row in rows:
        if row.problem is not None:
            problems.append(row)
        else:
            lines.append(row.line)
            values.append(row.values)
            names.update(row.values)
            size += sum(map(_size, row.values.values()))
        full = len(lines) + len(problems) >= BATCH_ROWS or size >= BATCH_CHARACTERS
        if full or len(lines) * len(names) >= BATCH_CELLS:
            yield _batch(lines, values, problems)
            lines, values, problems, names, size = [], [], [], set(), 0
    if lines or problems:
        yield _batch(lines, values, problems)


def _size(value: Any) -> int:
    """About how many characters a value holds."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        return 8 + sum(map(len, value)) + sum(map(_size, value.values()))
    return 8 + sum(map(_size, value)) if isinstance(value, list) else 8


def _batch(lines: list[int], values: list[dict[str, Any]], problems: list[Row]) -> Batch:
    names = dict.fromkeys(name for row in values for name in row)
    return Batch(lines, {name: [row.get(name) for row in values] for name in names}, problems)
