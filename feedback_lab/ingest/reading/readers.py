"""From a file's bytes to rows: CSV and its kin, JSON, Parquet and Excel, also in a gzip or a zip.

Nothing is guessed silently and nothing is lost: what a file was taken for stands in `format`, what a human knows
better comes in as `Hints`, and what cannot be a row comes out as a row with a problem and its line. The readers
survive what real exports contain: ragged rows, a quote that is never closed, cells of megabytes, mixed line ends,
bad JSON, broken bytes. The content decides what a file is, never its name.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any, TextIO, cast

from feedback_lab.errors import InputError
from feedback_lab.ingest import rejects
from feedback_lab.ingest.reading import excel_rows, json_rows, parquet_rows
from feedback_lab.ingest.reading.backslashes import Unescaped
from feedback_lab.ingest.reading.batches import MAX_CELL, MAX_LINE, Batch, Row, batched
from feedback_lab.ingest.reading.csv_layout import layout_of
from feedback_lab.ingest.reading.csv_rows import csv_batches
from feedback_lab.ingest.reading.decoding import Decoding, decoding_of, sha256_of
from feedback_lab.ingest.reading.heading import MAX_COLUMNS
from feedback_lab.ingest.reading.json_shape import shape_of
from feedback_lab.ingest.reading.packed import ZIP, Content, content_of

SAMPLE = 1_000  # rows that suggestions look at
JSON_START = re.compile(r"[\ufeff\s]*(?:\{|\[\s*\{)")
# A table's header whose first column has a name in braces, as placeholders have: {question},{answer}, {"question"},...
BRACED_NAME = re.compile(
    r"[\ufeff\s]*\{+(?:[^\s\"'{}:\[\]][^\"{}:\n]*\}*|\"[^\"{}:\n]*\"\}+)[ \t]*(?:[,;\t|]|\r?\n\s*[^\s{\[])"
)


@dataclass(frozen=True, slots=True)
class Hints:
    """What a human knows about a file, and None where its content is to decide.

    `encoding` is a codec's name (cp1252, shift_jis), `delimiter` one character, `header` whether the first row
    names the columns.
    """

    encoding: str | None = None
    delimiter: str | None = None
    header: bool | None = None


@dataclass(frozen=True, slots=True)
class RowSource:
    """A readable file of rows. Go through it as often as needed: each time is a fresh pass over the file.

    `header` are the columns (of JSON: the names in the first thousand objects), `format` says in words what the
    file was taken for; `delimiter` is None for what is no CSV.
    """

    path: Path
    header: list[str]
    format: str
    delimiter: str | None
    decoding: Decoding
    read: Callable[[], Iterator[Batch]] = field(repr=False, compare=False)

    def batches(self) -> Iterator[Batch]:
        """The rows in runs, column by column. Raises InputError where an archive or workbook is damaged further on."""
        try:
            yield from self.read()
        except UnicodeDecodeError:
            raise InputError(f"{self.path} was changed while it was read: read it again.") from None

    def __iter__(self) -> Iterator[Row]:
        for batch in self.batches():
            yield from batch.rows()

    def sample(self, size: int = SAMPLE) -> list[dict[str, Any]]:
        """The values of the first readable rows."""
        return [row.values for row in islice(self, size) if row.problem is None]


def open_rows(path: Path, hints: Hints | None = None) -> RowSource:
    """Find out what the file is. Raises InputError where it cannot hold rows: missing, binary, empty, no rows."""
    source = _source(path, hints or Hints())
    names = rejects.own_names(source.header)
    if names is None:
        return source
    words = f"{source.format}; rejected rows of an import: their lines and reasons are left out"
    batches = source.read
    return replace(
        source,
        header=list(names.values()),
        format=words,
        read=lambda: (rejects.own_cells(batch, names) for batch in batches()),
    )


def _source(path: Path, hints: Hints) -> RowSource:
    content = content_of(path)
    head = content.head()
    if head.startswith(ZIP):
        return _workbook(content, hints)
    if head.startswith(parquet_rows.SIGNATURE):
        return _parquet(content)
    source = _text(content, hints)
    if next(iter(source), None) is None:
        raise InputError(f"{path} has a header but no rows: export it again with its rows.")
    return source


def _workbook(content: Content, hints: Hints) -> RowSource:
    sheet = excel_rows.sheet_of(content, hints.header)
    words = _words(content, "Excel", sheet.notes)
    decoding = Decoding("", "", "Excel", sha256_of(content))
    return RowSource(
        content.path, sheet.header, words, None, decoding, lambda: batched(excel_rows.rows_of(content, sheet))
    )


def _parquet(content: Content) -> RowSource:
    columns = parquet_rows.columns_of(content)
    decoding = Decoding("", "", "Parquet", sha256_of(content))
    words = _words(content, "Parquet")
    return RowSource(content.path, columns, words, None, decoding, lambda: parquet_rows.batches_of(content, columns))


def _text(content: Content, hints: Hints) -> RowSource:
    decoding = decoding_of(content, hints.encoding)
    with _open(content, decoding) as handle:
        start = handle.read(MAX_CELL)
    if hints.delimiter is None and JSON_START.match(start) and not BRACED_NAME.match(start):
        return _json(content, decoding, start)
    csv.field_size_limit(MAX_LINE + 1)  # the module's own limit is one for the whole process
    try:
        layout = layout_of(start, hints.delimiter, hints.header)
    except InputError as error:
        raise InputError(f"{content.path} cannot be read: {error}") from None

    def read() -> Iterator[Batch]:
        with _open(content, decoding) as handle:
            text = cast(TextIO, Unescaped(handle)) if layout.escaped else handle
            yield from csv_batches(text, layout.delimiter, layout.header, decoding.broken, layout.skip)

    words = _words(content, f"{layout.words}, {decoding.words}", layout.notes)
    return RowSource(content.path, layout.header, words, layout.delimiter, decoding, read)


def _json(content: Content, decoding: Decoding, start: str) -> RowSource:
    with _open(content, decoding, newline=None) as handle:
        shape = shape_of(start, handle)

    def read() -> Iterator[Batch]:
        with _open(content, decoding, newline=None) as handle:
            if shape.lines:
                yield from batched(json_rows.rows_of_lines(handle, decoding.broken))
            else:
                yield from batched(json_rows.rows_of_values(handle, decoding.broken, shape.name))

    words = _words(content, f"{shape.words}, {decoding.words}")
    source = RowSource(content.path, [], words, None, decoding, read)
    sample = source.sample()
    if len(sample) == 1 and _by_columns(sample[0]):
        raise InputError(
            f"{content.path} holds its table column by column, as pandas writes JSON unless told otherwise: write it "
            "again with to_json(..., orient='records', lines=True)."
        )
    names = list(islice(dict.fromkeys(name for values in sample for name in values), MAX_COLUMNS))
    if not names:
        bad = next((row for row in source if row.problem), None)
        why = f" (line {bad.line}: {bad.problem.message})" if bad is not None and bad.problem is not None else ""
        raise InputError(f"{content.path} holds no readable JSON object in its first {SAMPLE} rows{why}: check it.")
    return RowSource(content.path, names, words, None, decoding, read)


def _by_columns(values: dict[str, Any]) -> bool:
    """Whether the only object of a file is a whole table: each name with its cells by their number, or split up."""
    columns = [tuple(cells) if isinstance(cells, dict) else () for cells in values.values()]
    numbered = len(set(columns)) == 1 and bool(columns[0]) and all(number.isdigit() for number in columns[0])
    return numbered or values.keys() == {"columns", "index", "data"}


def _open(content: Content, decoding: Decoding, newline: str | None = "") -> TextIO:
    return io.TextIOWrapper(content.open(), encoding=decoding.codec, errors=decoding.errors, newline=newline)


def _words(content: Content, what: str, notes: Sequence[str] = ()) -> str:
    archive = f", {content.words}" if content.words else ""
    return "; ".join([f"{what}{archive}", *notes])
