"""JSON values one after another out of a text of any size, with what is broken stepped over value by value."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any, TextIO

CHUNK = 1 << 20  # characters
MAX_VALUE = 16_000_000  # characters of one value
TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}"]', re.DOTALL)
SPACE = re.compile(r"[\s\ufeff]*")
CLOSED_BY = {"{": "}", "[": "]"}
AFTER_WORD = re.compile(r"[,{}\[\]\n]")
NEXT_OBJECT = re.compile(r"\}\s*,?\s*(?=\{)")


class BadJson(Exception):
    """Why a text is no JSON value, as part of a sentence."""


def finite(text: str) -> float | None:
    """A JSON number with a fraction or an exponent; None for what is beyond all numbers."""
    value = float(text)
    return value if math.isfinite(value) else None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        doubled = next(name for name in names if names.count(name) > 1)
        raise BadJson(f"the name {doubled[:40]!r} stands twice in one object")
    return found


# Not strict: a bare tab or line break in a text is read as what it is.
DECODER = json.JSONDecoder(parse_float=finite, parse_constant=lambda _: None, object_pairs_hook=_object, strict=False)


def reason_of(error: Exception) -> str:
    """Why decoding failed, for a sentence."""
    if isinstance(error, BadJson):
        return str(error)
    return getattr(error, "msg", None) or "too deep or too large a value"


class JsonText:
    """Reads values from a text in order. `line` is the line of the next character, from 1."""

    def __init__(self, handle: TextIO) -> None:
        self._handle = handle
        self._text = ""
        self._at = 0
        self._ended = False
        self.line = 1

    def peek(self) -> str:
        """The next character that is no space, without taking it; empty at the end."""
        while True:
            found = SPACE.match(self._text, self._at)
            assert found is not None
            self._take(found.end())
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def skip(self) -> None:
        """Take the character that `peek` has shown."""
        self._take(self._at + 1)

    def value(self) -> tuple[Any, str]:
        """The next value and its text. Raises BadJson and takes nothing where there is none."""
        self.peek()
        while True:
            try:
                value, end = DECODER.raw_decode(self._text, self._at)
                if end < len(self._text) or self._ended:
                    text = self._text[self._at : end]
                    self._take(end)
                    return value, text
            except (ValueError, RecursionError, BadJson) as error:
                # Only a value that runs into the end of what was read may become whole by reading on.
                place = getattr(error, "pos", 0)
                cut = place >= len(self._text) - 12 or getattr(error, "msg", "").startswith("Unterminated")
                if not isinstance(error, json.JSONDecodeError) or not cut or self._ended:
                    raise BadJson(reason_of(error)) from None
            if len(self._text) - self._at > MAX_VALUE:
                raise BadJson(f"the value has more than {MAX_VALUE:,} characters")
            self._more()

    def step_over(self, first_name: str | None) -> str:
        """Take a broken value: to where its brackets close, else to the next object, else all; returns its start.

        `first_name` is what good objects begin with, by which the next one is told from an object inside.
        """
        start = self._text[self._at : self._at + 1_000]
        if start[:1] not in "{[":
            word = AFTER_WORD.search(self._text, self._at + 1)
            self._take(word.start() if word else len(self._text))
            return start[:100]
        end = self._closing()
        if end is not None:
            self._take(end)
            return start
        self.to_next_object(first_name)
        return start

    def members(self) -> Iterator[str]:
        """The names in the object at hand, each before its value, which the caller takes. Raises BadJson."""
        self.skip()
        while (sign := self.peek()) != "}":
            if sign == ",":
                self.skip()
                continue
            name, _ = self.value()
            if not isinstance(name, str) or self.peek() != ":":
                raise BadJson("a name and a colon are missing")
            self.skip()
            yield name
        self.skip()

    def to_next_object(self, first_name: str | None) -> None:
        """Take all up to the next object behind the next character; `first_name` is what it begins with, if known."""
        pattern = NEXT_OBJECT
        if first_name is not None:
            pattern = re.compile(r",?\s*(?=\{\s*" + re.escape(json.dumps(first_name, ensure_ascii=False)) + r"\s*:)")
        place = self._at + 1
        while (found := pattern.search(self._text, place)) is None:
            self._take(max(self._at, len(self._text) - 1_000))
            if not self._more():
                self._take(len(self._text))
                return
            place = self._at
        self._take(found.end())

    def _closing(self) -> int | None:
        """Where the brackets of the value at hand close; None where they do not, or a quote stays open."""
        wanted: list[str] = []
        place = self._at
        while True:
            for token in TOKEN.finditer(self._text, place):
                sign = token[0]
                if sign == '"':
                    break  # a quote that does not close in what was read
                place = token.end()
                if sign in CLOSED_BY:
                    wanted.append(CLOSED_BY[sign])
                elif sign in "]}":
                    if wanted.pop() != sign:
                        return None
                    if not wanted:
                        return place
            place -= self._at  # reading on drops what lies before
            if len(self._text) - self._at > MAX_VALUE or not self._more():
                return None

    def _take(self, end: int) -> None:
        self.line += self._text.count("\n", self._at, end)
        self._at = end

    def _more(self) -> bool:
        """Read on, at least as much as is kept. False at the end of the text."""
        if self._ended:
            return False
        kept = self._text[self._at :]
        read = self._handle.read(max(CHUNK, len(kept)))
        self._text, self._at = kept + read, 0
        self._ended = not read
        return bool(read)
