"""Rows out of an Excel workbook (.xlsx): the first sheet that has some; the line of a row is its number in the sheet.

Needs openpyxl, which the extra `excel` brings. Cells keep their numbers and truths, times become ISO text, and of a
formula the result that was saved with it is read.
"""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple, TypeVar

from feedback_lab.errors import InputError
from feedback_lab.ingest.reading.batches import Problem, Row, too_large
from feedback_lab.ingest.reading.heading import heading_of
from feedback_lab.ingest.reading.packed import Content
from feedback_lab.ingest.reading.plain_values import plain

SAMPLE = 1_000  # rows that the heading is judged by
MAX_LINES = 1_048_576  # what a sheet can hold
MAX_PARTS = 10_000
MAX_UNPACKED = 1 << 30  # bytes of all parts
MAX_TEXTS = 256 << 20  # bytes of the part with the texts, which is held in memory
MAX_RATIO = 500
RATIO_FROM = 16 << 20
AT_ONCE = 500  # rows

T = TypeVar("T")


class Sheet(NamedTuple):
    """The sheet that is read, its columns, the number of its rows before the data, and what a human should know."""

    name: str
    header: list[str]
    before: int
    notes: list[str]


def sheet_of(content: Content, has_header: bool | None = None) -> Sheet:
    """Choose the first sheet with rows. Raises InputError for a damaged or swollen file, and without openpyxl."""
    _check(content)
    with content.seekable() as stream:
        book = _or_damaged(content, lambda: _load(stream))
        names = [sheet.title for sheet in book.worksheets]
        found = "no rows in any sheet"
        for name in names:
            rows = [cells for _, cells in islice(_numbered(content, book, name), SAMPLE)]
            if not rows:
                continue
            width = max(map(len, rows))
            texts = [[_text(cell) for cell in cells] + [""] * (width - len(cells)) for cells in rows]
            heading = heading_of(texts, has_header)
            if len(rows) > heading.before:
                break
            found = "a header but no rows"  # or the title of a cover sheet
        else:
            raise InputError(f"{content.path} has {found}: save it again with its rows.")
    notes = [f"sheet {name[:40]!r}, the first with rows of {len(names)}"] if len(names) > 1 else []
    return Sheet(name, heading.names, heading.before, notes + heading.notes)


def rows_of(content: Content, sheet: Sheet) -> Iterator[Row]:
    """The rows below the heading that are not empty. Raises InputError where the file turns out to be damaged."""
    width = len(sheet.header)
    with content.seekable() as stream:
        book = _or_damaged(content, lambda: _load(stream))
        for line, cells in islice(_numbered(content, book, sheet.name), sheet.before, None):
            if len(cells) > width:
                problem = Problem(None, "too_many_columns", f"the row has {len(cells)} columns, the header {width}")
                yield Row(line, {}, problem, [_text(cell) for cell in cells])
                continue
            values = {name: cell for name, cell in zip(sheet.header, cells, strict=False) if cell is not None}
            found = too_large(values)
            yield Row(line, {} if found else values, found)


def _numbered(content: Content, book: Any, name: str) -> Iterator[tuple[int, Sequence[Any]]]:
    """Every row that holds something, with its number in the sheet, without the empty cells at its end."""
    found = _or_damaged(content, lambda: _cells(book[name]))
    line = 0
    while rows := _or_damaged(content, lambda: list(islice(found, AT_ONCE))):
        if line > MAX_LINES:
            raise InputError(f"{content.path} has rows beyond the last that a sheet can hold: save it again.")
        for cells in rows:
            line += 1
            values = [None if cell == "" else plain(cell) for cell in cells]
            while values and values[-1] is None:
                values.pop()
            if values:
                yield line, values


def _cells(sheet: Any) -> Iterator[Sequence[Any]]:
    sheet.reset_dimensions()  # what the file says of its size may be wrong
    return iter(sheet.iter_rows(values_only=True))


def _check(content: Content) -> None:
    with content.seekable() as stream:
        parts = _or_damaged(content, lambda: zipfile.ZipFile(stream).infolist())
        packed = stream.seek(0, 2)
    unpacked = sum(part.file_size for part in parts)
    texts = max((part.file_size for part in parts if part.filename.endswith("sharedStrings.xml")), default=0)
    swollen = unpacked > max(RATIO_FROM, MAX_RATIO * packed)
    if len(parts) > MAX_PARTS or unpacked > MAX_UNPACKED or texts > MAX_TEXTS or swollen:
        raise InputError(f"{content.path} unpacks to far more than a sheet of feedback holds: save it as CSV.")


def _load(stream: Any) -> Any:
    try:
        from openpyxl import load_workbook
    except ImportError:
        raise InputError("Excel files need openpyxl: pip install 'feedback-lab[excel]', or save it as CSV.") from None
    return load_workbook(stream, read_only=True, data_only=True, keep_links=False)


def _text(cell: Any) -> str:
    return "" if cell is None else str(cell)


def _or_damaged(content: Content, work: Callable[[], T]) -> T:
    """The parser trusts the file's parts, so a damaged one fails in any way; none of them is our own."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return work()
    except (InputError, MemoryError):
        raise
    except Exception as error:
        reason = str(error).partition("\n")[0][:200] or type(error).__name__
        raise InputError(f"{content.path} is a workbook that cannot be read ({reason}): save it again.") from None
