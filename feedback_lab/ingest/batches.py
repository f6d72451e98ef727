"""Rows on their way in: what every reader hands on, whatever kind of file it read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

BATCH_ROWS = 20_000
BATCH_CHARACTERS = 16_000_000
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
    columns: dict[str, list[Any]]
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
        if ESCAPED.search(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)):
            return Problem(column, "not_utf8", "the cell holds bytes that are no UTF-8: save the file as UTF-8")
    return None


def batched(rows: Iterable[Row]) -> Iterator[Batch]:
    """Rows one by one as batches."""
    lines: list[int] = []
    values: list[dict[str, Any]] = []
    problems: list[Row] = []
    size = 0
    for row in rows:
        if row.problem is not None:
            problems.append(row)
        else:
            lines.append(row.line)
            values.append(row.values)
            size += sum(len(cell) for cell in row.values.values() if isinstance(cell, str))
        if len(lines) + len(problems) >= BATCH_ROWS or size >= BATCH_CHARACTERS:
            yield _batch(lines, values, problems)
            lines, values, problems, size = [], [], [], 0
    if lines or problems:
        yield _batch(lines, values, problems)


def _batch(lines: list[int], values: list[dict[str, Any]], problems: list[Row]) -> Batch:
    names = dict.fromkeys(name for row in values for name in row)
    return Batch(lines, {name: [row.get(name) for row in values] for name in names}, problems)
