"""The rows of a CSV: what is written by the book goes through in blocks, the rest row by row through Python's reader.

Both ways say the same of every row; the second also knows what a stranger's file can break.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any, TextIO

import numpy as np

from feedback_lab.ingest.meaning.text_columns import TextColumn
from feedback_lab.ingest.reading.batches import (
    BATCH_ROWS,
    MAX_CELL,
    MAX_LINE,
    Batch,
    Problem,
    Row,
    batched,
    not_utf8,
    too_large,
)
from feedback_lab.ingest.reading.csv_blocks import Plain, cells_of, has_lone_return, plain_records

LARGE_BLOCK = 1 << 21  # characters read at once
SMALL_BLOCK = 1 << 16  # characters read at once behind a place that is not by the book


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

    def unread(self) -> str:
        """What was given back and not taken again."""
        return "".join(self._again)


class _Text:
    """A text file of which the start can be put back, so that it is read in blocks and in lines by turns."""

    def __init__(self, handle: TextIO) -> None:
        self._handle = handle
        self._held = io.StringIO()

    def put_back(self, text: str) -> None:
        self._held = io.StringIO(text + self._held.read(), newline="")

    def read(self, size: int) -> str:
        """The next characters, at least `size` where there are so many; never half a line end."""
        text = self._held.read(size)
        if len(text) < size:
            text += self._handle.read(size)
        return text + (self._held.read(1) or self._handle.read(1)) if text.endswith("\r") else text

    def readline(self, limit: int = -1) -> str:
        line = self._held.readline(limit)
        if line.endswith(("\n", "\r")) or len(line) == limit:
            return line
        return line + self._handle.readline(limit - len(line) if limit > 0 else limit)


def csv_batches(handle: TextIO, delimiter: str, header: Sequence[str], broken: bool, skip: int = 0) -> Iterator[Batch]:
    """The rows of the file in batches, without its first `skip` physical lines (what stands before the data).

    `broken` says that cells may hold surrogate escapes for bytes that could not be decoded: their rows are problems.
    """
    csv.field_size_limit(MAX_LINE + 1)  # the module's own limit is one for the whole process
    names = list(header)
    text: Any = _Text(handle)
    lines = Lines(text)
    for _ in range(skip):
        next(lines, None)
    done, size = skip, LARGE_BLOCK
    while block := text.read(size):
        data, plain = _plain(block, delimiter)
        if len(plain.starts):
            yield from _batches(data, plain, names, delimiter, done)
        if plain.size:
            text.put_back(data[plain.size :].decode())
            done, size = done + plain.newlines, min(2 * size, LARGE_BLOCK)
            continue
        text.put_back(block)
        lines, size = Lines(text), SMALL_BLOCK
        lines.number = done
        yield from batched(_row_by_row(lines, delimiter, names, broken, SMALL_BLOCK))
        text.put_back(lines.unread())
        done = lines.number


def _plain(block: str, delimiter: str) -> tuple[bytes, Plain]:
    """The block as bytes, and its records by the book; none where only the other way can read its first one."""
    nothing = np.zeros(0, np.int64)
    neither = Plain(nothing, nothing, nothing, 0, 0)
    try:
        data = block.replace("\x00", "\ufffd").encode()
    except UnicodeEncodeError:
        return b"", neither
    # Arrow takes a byte order mark away, also where it is the text of the first cell.
    if len(delimiter.encode()) > 1 or has_lone_return(data) or data.startswith(codecs.BOM_UTF8):
        return b"", neither
    plain = plain_records(data, ord(delimiter))
    long = np.flatnonzero(plain.ends - plain.starts > MAX_CELL)
    return data, neither if len(long) else plain


def _batches(data: bytes, plain: Plain, header: list[str], delimiter: str, done: int) -> Iterator[Batch]:
    """Records by the book as batches; `done` lines stand before them."""
    table, ragged = cells_of(data[: plain.size], header, delimiter)
    lines = np.delete(plain.lines, ragged) + (done + 1)
    problems = []
    for number in ragged:
        record = data[plain.starts[number] : plain.ends[number]].decode()
        cells = next(csv.reader(io.StringIO(record, newline=""), delimiter=delimiter))
        problem = _csv_problem(cells, header, broken=False)
        problems.append(Row(int(plain.lines[number]) + done + 1, {}, problem, cells))
    columns = [column.chunk(0) if column.num_chunks else column.combine_chunks() for column in table.columns]
    for start in range(0, max(len(lines), 1), BATCH_ROWS):
        own = lines[start : start + BATCH_ROWS].tolist()
        last = start + BATCH_ROWS >= len(lines)
        near = problems if last else [row for row in problems if row.line < lines[start + BATCH_ROWS]]
        problems = problems[len(near) :]
        texts = {
            name: TextColumn(column[start : start + BATCH_ROWS]) for name, column in zip(header, columns, strict=True)
        }
        yield Batch(own, texts, near)


def _row_by_row(
    lines: Lines, delimiter: str, header: list[str], broken: bool, enough: float = float("inf")
) -> Iterator[Row]:
    """The rows of the next lines, until they have `enough` characters."""
    records = csv.reader(lines, delimiter=delimiter)
    width = len(header)
    size = 0
    while size < enough:
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
        size += sum(map(len, taken))


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
