"""CSV in which a quote inside a quoted cell is written \\" instead of "", as Spark and MySQL write it."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from typing import TextIO

BEFORE_QUOTE = re.compile(r'(\\+)"')


class Unescaped:
    """A text file in which quotes behind a backslash come out doubled, as the CSV reader knows them."""

    def __init__(self, handle: TextIO) -> None:
        self._handle = handle

    def read(self, size: int = -1) -> str:
        return self._whole(self._handle.read(size))

    def readline(self, limit: int = -1) -> str:
        return self._whole(self._handle.readline(limit))

    def _whole(self, text: str) -> str:
        # What a backslash means shows only at the next sign that is none.
        while text.endswith("\\") and (more := self._handle.read(1)):
            text += more
        return unescaped(text)


def unescaped(text: str) -> str:
    """The text with doubled quotes. Backslashes that stand before no quote stay as they are."""
    return BEFORE_QUOTE.sub(_doubled, text) if '\\"' in text else text


def _doubled(found: re.Match[str]) -> str:
    count = len(found[1])
    return "\\" * (count // 2) + ('""' if count % 2 else '"')


def are_escaped(lines: Sequence[str], delimiter: str) -> bool:
    """Whether the lines are CSV by the book only with their quotes unescaped."""
    if not any('\\"' in line for line in lines):
        return False
    as_written = _broken_at(lines, delimiter)
    without = _broken_at([unescaped(line) for line in lines], delimiter)
    # A sample may end within a quoted cell, which breaks its last record alone.
    return as_written is not None and (without is None or as_written < without == len(lines))


def _broken_at(lines: Sequence[str], delimiter: str) -> int | None:
    records = csv.reader(lines, delimiter=delimiter, strict=True)
    try:
        for _ in records:
            pass
    except csv.Error:
        return records.line_num
    return None
