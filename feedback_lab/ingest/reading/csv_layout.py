"""How a text is divided into rows and columns: comments, Excel's `sep=` line, titles, the delimiter, the header."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from typing import NamedTuple

from feedback_lab.errors import InputError
from feedback_lab.ingest.reading.backslashes import are_escaped, unescaped
from feedback_lab.ingest.reading.heading import could_be_names, heading_of, titles_of

DELIMITERS = {",": "comma", "\t": "tab", ";": "semicolon", "|": "bar"}
ONE_COLUMN = "\x1f"  # where no delimiter divides the rows; no text holds it
SAMPLE = 1_000  # rows
WINDOW = 200  # lines; a longer quoted cell is taken for a quote that is never closed
SEP_LINE = re.compile(r'"?sep=(?P<delimiter>[^"])"?', re.IGNORECASE)


class Layout(NamedTuple):
    """The delimiter, the columns' names, and the number of physical lines before the first row of data.

    `words` names the kind of table, `notes` what a human should know about how it was read; `escaped`: quotes in
    cells stand behind a backslash.
    """

    delimiter: str
    header: list[str]
    skip: int
    words: str
    notes: list[str]
    escaped: bool = False


class _Record(NamedTuple):
    """A record's cells, and how many physical lines of the text end with it."""

    cells: list[str]
    end: int


def layout_of(start: str, delimiter: str | None = None, has_header: bool | None = None) -> Layout:
    """The layout of a text that begins like `start`; the other arguments are what a human has said about it.

    Raises InputError where there is no row at all, or the delimiter given cannot be one.
    """
    if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\r\n'):
        raise InputError(f"The delimiter {delimiter[:20]!r} cannot be used: give one character, for example ';'.")
    lines = list(io.StringIO(start.replace("\x00", "\ufffd"), newline=""))
    marked, by_line = _marked(lines)
    chosen = delimiter or by_line or _delimiter_of(lines, marked)
    escaped = are_escaped(lines[marked:], chosen)
    if escaped:
        lines = [unescaped(line) for line in lines]
    records = _records(lines, marked, chosen)
    if _names_stand_in_comment(lines, marked, records, chosen):
        marked -= 1
        records = _records(lines, marked, chosen)
    if not records:
        raise InputError("there is no row, only comments and empty lines: export it again with its rows.")
    heading = heading_of([record.cells for record in records], has_header)
    skip = records[heading.before - 1].end if heading.before else marked
    comments = sum(1 for line in lines[:marked] if line.strip())
    notes = [f"{comments} comment line{'' if comments == 1 else 's'} left out"] if comments else []
    notes += ["quotes behind a backslash read as quotes"] if escaped else []
    kind = "one column" if chosen == ONE_COLUMN else DELIMITERS.get(chosen, repr(chosen))
    return Layout(chosen, heading.names, skip, f"CSV ({kind})", [*notes, *heading.notes], escaped)


def _marked(lines: Sequence[str]) -> tuple[int, str | None]:
    """How many lines at the top are empty, comments or a `sep=` line, and the delimiter that the latter names."""
    delimiter = None
    for number, line in enumerate(lines):
        text = line.rstrip("\r\n")
        if found := SEP_LINE.fullmatch(text):
            delimiter = found["delimiter"]
        elif text.strip() and not text.lstrip().startswith("#"):
            return number, delimiter
    return len(lines), delimiter


def _names_stand_in_comment(lines: Sequence[str], marked: int, records: Sequence[_Record], delimiter: str) -> bool:
    """Whether the last line that starts with # is the header after all: as wide as the rows, which are no header."""
    last = lines[marked - 1].rstrip("\r\n") if marked else ""
    if not last.lstrip().startswith("#"):
        return False
    cells = next(csv.reader([last], delimiter=delimiter))
    if not records or len(cells) < 2 or len(cells) != len(records[0].cells):
        return False
    return cells[0].strip() == "#" or not could_be_names(records[0].cells)


def _delimiter_of(lines: Sequence[str], marked: int) -> str:
    """The delimiter that divides the header, and best keeps the rows as wide as it; ONE_COLUMN where none does."""
    fits = {delimiter: _fit(lines, marked, delimiter) for delimiter in DELIMITERS}
    best = max(fits, key=lambda delimiter: fits[delimiter])
    return best if fits[best][0] else ONE_COLUMN


def _fit(lines: Sequence[str], marked: int, delimiter: str) -> tuple[bool, float, int]:
    """Whether the delimiter makes columns, the share of rows as wide as the header, and the header's width."""
    rows = [record.cells for record in _records(lines, marked, delimiter)]
    spaced = [cell.startswith(" ") for row in rows for cell in row[1:] if cell]
    prose = delimiter in ",;" and sum(spaced) >= 0.9 * len(spaced)
    rows = rows if prose else rows[titles_of(rows) :]
    if not rows:
        return False, 0.0, 0
    width, below = len(rows[0]), [len(row) for row in rows[1:]]
    share = below.count(width) / len(below) if below else 1.0
    divides = width > 1 and (not below or max(below) > 1) and not (prose and share < 0.9)
    return divides, round(share, 1), width


def _records(lines: Sequence[str], start: int, delimiter: str) -> list[_Record]:
    """The first records from a line on; of one with a quote that is never closed, its first line alone."""
    found: list[_Record] = []
    while start < len(lines) and len(found) < SAMPLE:
        window = lines[start : start + WINDOW]
        records = csv.reader(window, delimiter=delimiter)
        try:
            cells = next(records)
            count = records.line_num
            strict = csv.reader(window[:count], delimiter=delimiter, strict=True)
            if count > 1 and len(list(strict)) != 1:
                cells, count = next(csv.reader(window[:1], delimiter=delimiter)), 1
        except csv.Error:
            cells, count = next(csv.reader(window[:1], delimiter=delimiter)), 1
        start += count
        if any(cells):
            found.append(_Record(cells, start))
    return found
