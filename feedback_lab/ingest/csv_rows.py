"""The rows of a CSV: one pass of Python's reader, with what a stranger's file breaks caught row by row."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator
from typing import TextIO

from feedback_lab.ingest.batches import MAX_CELL, MAX_LINE, Problem, Row, not_utf8, too_large


class Lines:
    """The physical lines of a file, with those of the present record kept, so that reading can step back."""

    def __init__(self, handle: TextIO) -> None:
        self._handle = handle
        self._again: deque[str] = deque()
        self.taken: list[str] = []
        self.number = 0

    def __iter__(self) -> Lines:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else self._read()
        if not line:
            raise StopIteration
        self.number += 1
        self.taken.append(line)
        return line

    def _read(self) -> str:
        line = self._handle.readline(MAX_LINE)
        if len(line) == MAX_LINE:
            rest = line
            while rest and not rest.endswith(("\n", "\r")):
                rest = self._handle.readline(MAX_LINE)
        return line.replace("\x00", "\ufffd") if "\x00" in line else line

    def back_to_second(self) -> None:
        """Give all lines of the present record back, its first excepted."""
        self._again.extendleft(reversed(self.taken[1:]))
        self.number -= len(self.taken) - 1
        del self.taken[1:]


def csv_rows(handle: TextIO, delimiter: str, header: list[str], broken: bool) -> Iterator[Row]:
    lines = Lines(handle)
    records = csv.reader(lines, delimiter=delimiter)
    next((cells for cells in records if any(cells)), None)
    width = len(header)
    while True:
        lines.taken.clear()
        try:
            cells = next(records)
        except StopIteration:
            return
        except csv.Error:  # beyond the module's limit: a quote that is never closed
            cells = [""] * (width + 1)
        taken = lines.taken
        first = lines.number - len(taken) + 1
        if len(taken) > 1 and not _is_well_formed(taken, delimiter):
            lines.back_to_second()
            problem = Problem(None, "unterminated_quote", "a quote is opened in this line and not closed properly")
            yield Row(first, {}, problem, [taken[0].rstrip("\r\n")])
        elif len(cells) == width and not broken and sum(map(len, taken)) <= MAX_CELL:
            yield Row(first, dict(zip(header, cells, strict=True)))
        elif cells:
            found = _csv_problem(cells, header, broken)
            yield Row(first, {}, found, cells) if found else Row(first, dict(zip(header, cells, strict=True)))


def _csv_problem(cells: list[str], header: list[str], broken: bool) -> Problem | None:
    if problem := too_large(dict(zip(header, cells, strict=False))):
        return problem
    if len(cells) != len(header):
        code = "too_few_columns" if len(cells) < len(header) else "too_many_columns"
        return Problem(None, code, f"the row has {len(cells)} columns, the header {len(header)}")
    return not_utf8(dict(zip(header, cells, strict=True))) if broken else None


def _is_well_formed(lines: list[str], delimiter: str) -> bool:
    try:
        return len(list(csv.reader(lines, delimiter=delimiter, strict=True))) == 1
    except csv.Error:
        return False
