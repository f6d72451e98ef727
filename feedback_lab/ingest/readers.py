"""From a file's bytes to rows: CSV (comma, semicolon, tab, bar) and JSON Lines, in one pass of constant memory.

Nothing is guessed silently and nothing is lost: what cannot be a row comes out as a row with a problem, with
its line. The reader survives what real exports contain: ragged rows, a quote that is never closed (its line
is rejected, reading goes on behind it), cells of megabytes, mixed line ends, bad JSON, broken bytes.
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from feedback_lab.errors import InputError
from feedback_lab.ingest.decoding import Decoding, decoding_of

MAX_CELL = 1_000_000  # characters; a longer cell is rejected
MAX_LINE = 16_000_000  # characters; what a line has beyond this is not even kept in memory
MAX_DEPTH = 100  # levels of nested JSON
SAMPLE = 1_000  # rows that suggestions and the choice of a delimiter look at
DELIMITERS = {",": "comma", "\t": "tab", ";": "semicolon", "|": "bar"}
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


@dataclass(frozen=True, slots=True)
class RowSource:
    """A readable file of rows. Iterate it as often as needed: each time is a fresh pass over the file.

    `header` are the columns (of JSON Lines: the keys of the first thousand objects), `format` says in words
    what the file is; `delimiter` is None for JSON Lines.
    """

    path: Path
    header: list[str]
    format: str
    delimiter: str | None
    decoding: Decoding

    def __iter__(self) -> Iterator[Row]:
        with _open(self.path, self.decoding) as handle:
            if self.delimiter is None:
                yield from _json_rows(handle, self.decoding.broken)
            else:
                yield from _csv_rows(handle, self.delimiter, self.header, self.decoding.broken)

    def sample(self, size: int = SAMPLE) -> list[dict[str, Any]]:
        """The values of the first readable rows."""
        return [row.values for row in islice(self, size) if row.problem is None]


def open_rows(path: Path) -> RowSource:
    """Find out what the file is. Raises InputError where it cannot hold rows: missing, binary, empty, no rows."""
    decoding = decoding_of(path)
    with _open(path, decoding) as handle:
        start = handle.read(MAX_CELL)
    if re.match(r"\s*\[\s*\{", start):
        raise InputError(f"{path} holds one JSON list: write one JSON object a line (jq -c '.[]' does it).")
    if start.lstrip().startswith("{"):
        source = RowSource(path, [], f"JSON Lines, {decoding.words}", None, decoding)
        keys = {key: None for values in source.sample() for key in values}
        if not keys:
            raise InputError(f"{path} holds no readable JSON object in its first {SAMPLE} lines: check the export.")
        return RowSource(path, list(keys), source.format, None, decoding)
    csv.field_size_limit(MAX_LINE + 1)  # the module's own limit is one for the whole process
    delimiter = _delimiter_of(start)
    with _open(path, decoding) as handle:
        header = _header_of(handle, delimiter)
    source = RowSource(path, header, f"CSV ({DELIMITERS[delimiter]}), {decoding.words}", delimiter, decoding)
    if next(iter(source), None) is None:
        raise InputError(f"{path} has a header but no rows: export it again with its rows.")
    return source


class _Lines:
    """The physical lines of a file, with those of the present record kept, so that reading can step back."""

    def __init__(self, handle: TextIO) -> None:
        self._handle = handle
        self._again: deque[str] = deque()
        self.taken: list[str] = []
        self.number = 0

    def __iter__(self) -> _Lines:
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


def _csv_rows(handle: TextIO, delimiter: str, header: list[str], broken: bool) -> Iterator[Row]:
    lines = _Lines(handle)
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
    if problem := _too_large(dict(zip(header, cells, strict=False))):
        return problem
    if len(cells) != len(header):
        code = "too_few_columns" if len(cells) < len(header) else "too_many_columns"
        return Problem(None, code, f"the row has {len(cells)} columns, the header {len(header)}")
    return _not_utf8(dict(zip(header, cells, strict=True))) if broken else None


def _json_rows(handle: TextIO, broken: bool) -> Iterator[Row]:
    lines = _Lines(handle)
    for line in lines:
        lines.taken.clear()
        text = line.strip()
        if not text:
            continue
        try:
            values = json.loads(text, parse_constant=lambda _: None, parse_float=_finite)
        except (ValueError, RecursionError) as error:
            reason = getattr(error, "msg", None) or "too deep or too large a value"
            yield Row(lines.number, {}, Problem(None, "bad_json", f"the line is not JSON: {reason}"), [text])
            continue
        if text.count("[") + text.count("{") > MAX_DEPTH and _is_deep(values):
            yield Row(lines.number, {}, Problem(None, "bad_json", "the line's values are nested too deeply"), [text])
            continue
        if not isinstance(values, dict):
            problem = Problem(None, "not_an_object", "the line holds no JSON object")
            yield Row(lines.number, {}, problem, [text])
            continue
        if "\\u" in text:
            values = _storable(values)
        found = _too_large(values) if len(text) > MAX_CELL else None
        found = found or (_not_utf8(values) if broken else None)
        yield Row(lines.number, {} if found else values, found, [text] if found else ())


def _too_large(values: dict[str, Any]) -> Problem | None:
    for column, value in values.items():
        if not isinstance(value, str):
            value = json.dumps(value) if isinstance(value, dict | list) else ""
        if len(value) > MAX_CELL:
            message = f"the cell has {len(value):,} characters, at most {MAX_CELL:,} are taken"
            return Problem(column, "cell_too_large", message)
    return None


def _not_utf8(values: dict[str, Any]) -> Problem | None:
    for column, value in values.items():
        if ESCAPED.search(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)):
            return Problem(column, "not_utf8", "the cell holds bytes that are no UTF-8: save the file as UTF-8")
    return None


def _finite(text: str) -> float | None:
    value = float(text)
    return value if math.isfinite(value) else None


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH):
        groups = [item.values() if isinstance(item, dict) else item for item in level if isinstance(item, dict | list)]
        level = [item for group in groups for item in group]
        if not level:
            return False
    return True


def _storable(value: Any) -> Any:
    """The JSON value with U+FFFD for NUL and lone surrogates, which no database text can hold."""
    if isinstance(value, str):
        return UNSTORABLE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_storable(item) for item in value]
    if isinstance(value, dict):
        return {_storable(key): _storable(item) for key, item in value.items()}
    return value


def _is_well_formed(lines: list[str], delimiter: str) -> bool:
    try:
        return len(list(csv.reader(lines, delimiter=delimiter, strict=True))) == 1
    except csv.Error:
        return False


def _delimiter_of(start: str) -> str:
    """The delimiter under which most of the first rows have as many columns as the header.

    Where no delimiter makes two columns, the file has one, and the delimiter is one that its texts do not hold.
    """
    complete = start[: start.rfind("\n") + 1] or start
    scores: dict[str, tuple[bool, float, int]] = {}
    for delimiter in DELIMITERS:
        rows = islice((row for row in _lenient(complete, delimiter) if row), SAMPLE)
        widths = [len(row) for row in rows]
        share = sum(width == widths[0] for width in widths) / len(widths)
        scores[delimiter] = (widths[0] > 1 and share >= 0.5, share if widths[0] == 1 else round(share, 1), widths[0])
    return max(scores, key=lambda delimiter: scores[delimiter])


def _lenient(text: str, delimiter: str) -> Iterator[list[str]]:
    records = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        yield from records
    except csv.Error:
        return


def _header_of(handle: TextIO, delimiter: str) -> list[str]:
    """The column names: stripped, the empty ones numbered, the doubled ones told apart."""
    cells = next(cells for cells in csv.reader(_Lines(handle), delimiter=delimiter) if any(cells))
    names: list[str] = []
    for place, cell in enumerate(cells, 1):
        name = base = ESCAPED.sub("\ufffd", cell).strip() or f"column {place}"
        count = 1
        while name in names:
            count += 1
            name = f"{base} ({count})"
        names.append(name)
    return names


def _open(path: Path, decoding: Decoding) -> TextIO:
    return path.open(encoding=decoding.codec, errors=decoding.errors, newline="")
