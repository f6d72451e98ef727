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
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

from feedback_lab.errors import InputError
from feedback_lab.ingest.batches import (
    ESCAPED,
    MAX_CELL,
    MAX_LINE,
    UNSTORABLE,
    Batch,
    Problem,
    Row,
    batched,
    not_utf8,
    too_large,
)
from feedback_lab.ingest.csv_rows import Lines, csv_rows
from feedback_lab.ingest.decoding import Decoding, decoding_of

MAX_DEPTH = 100  # levels of nested JSON
SAMPLE = 1_000  # rows that suggestions and the choice of a delimiter look at
DELIMITERS = {",": "comma", "\t": "tab", ";": "semicolon", "|": "bar"}


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
                yield from csv_rows(handle, self.delimiter, self.header, self.decoding.broken)

    def batches(self) -> Iterator[Batch]:
        """The rows in runs, column by column."""
        return batched(self)

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


def _json_rows(handle: TextIO, broken: bool) -> Iterator[Row]:
    lines = Lines(handle)
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
        found = too_large(values) if len(text) > MAX_CELL else None
        found = found or (not_utf8(values) if broken else None)
        yield Row(lines.number, {} if found else values, found, [text] if found else ())


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
    cells = next(cells for cells in csv.reader(Lines(handle), delimiter=delimiter) if any(cells))
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
