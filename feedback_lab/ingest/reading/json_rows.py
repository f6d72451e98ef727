"""Rows out of JSON of a known shape (`json_shape`), with the line that each begins in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, TextIO

from feedback_lab.ingest.reading.batches import MAX_CELL, MAX_LINE, Problem, Row, not_utf8, storable, too_large
from feedback_lab.ingest.reading.heading import MAX_COLUMNS
from feedback_lab.ingest.reading.json_shape import holds_rows, list_of_page
from feedback_lab.ingest.reading.json_text import DECODER, BadJson, JsonText, reason_of

MAX_DEPTH = 100  # levels of nested JSON


def rows_of_lines(handle: TextIO, broken: bool) -> Iterator[Row]:
    """One row for each object in a line; an empty line holds none, and what is broken in a line costs all of it.

    A page of an API among rows, under a name that no row before it has, gives the rows of its list.
    """
    known: set[str] = set()
    for number, line in enumerate(_lines(handle), 1):
        text = line.strip().lstrip("\ufeff")
        if not text:
            continue
        try:
            found = _values_in(text)
        except (ValueError, RecursionError, BadJson) as error:
            yield _bad(number, f"the line cannot be read as JSON: {reason_of(error)}", text)
            continue
        for value, part in found:
            if known and isinstance(value, dict) and (name := list_of_page(value, known)):
                for row in storable(value[name]):
                    yield _row(number, json.dumps(row, ensure_ascii=False), row, broken)
                continue
            if isinstance(value, dict) and len(known) < MAX_COLUMNS:
                known.update(value)
            yield _row(number, part, value, broken)


def rows_of_values(handle: TextIO, broken: bool, name: str | None) -> Iterator[Row]:
    """One row for each object in the text or in its lists; with `name`, for each in their list of this name."""
    source = JsonText(handle)
    while sign := source.peek():
        if sign == "[":
            yield from _rows_of_list(source, broken, name)
        elif sign == ",":
            source.skip()
        else:
            yield from _rows_of_value(source, broken, name, None)


def _rows_of_list(source: JsonText, broken: bool, name: str | None) -> Iterator[Row]:
    source.skip()
    first_name = None
    while sign := source.peek():
        if sign == "]":
            source.skip()
            return
        if sign == ",":
            source.skip()
            continue
        for row in _rows_of_value(source, broken, name, first_name):
            if first_name is None and row.values:
                first_name = next(iter(row.values))
            yield row
    yield _bad(source.line, "the file ends before its list is closed, so rows may be missing", "", "cut_off")


def _rows_of_value(source: JsonText, broken: bool, name: str | None, first_name: str | None) -> Iterator[Row]:
    """The row that the next value is, or, with `name`, those in its list of this name."""
    if name is not None and source.peek() == "{":
        yield from _rows_of_page(source, broken, name)
    else:
        yield _next_row(source, broken, first_name)


def _rows_of_page(source: JsonText, broken: bool, name: str) -> Iterator[Row]:
    line, first_name, has_list = source.line, "", False
    others: dict[str, str] = {}
    try:
        for found in source.members():
            first_name = first_name or found
            if found == name and source.peek() == "[":
                has_list = True
                yield from _rows_of_list(source, broken, None)
                if not source.peek():
                    return
                continue
            start = source.line
            value, text = source.value()
            others[found] = text[:100]
            if holds_rows(found, value):
                words = f"the list {found[:40]!r} stands beside {name[:40]!r}, which is where the rows of this file are"
                yield _bad(start, words, text[:1_000], "no_rows")
    except BadJson as error:
        yield _bad(source.line, f"the object around the rows is broken here: {error}", "", "cut_off")
        source.to_next_object(first_name)
        return
    if not has_list and others.get(name) != "null":
        said = ", ".join(f"{found}: {text}" for found, text in others.items())[:1_000]
        yield _bad(
            line, f"the object has no list {name[:40]!r}, which is where the rows of this file are", said, "no_rows"
        )


def _values_in(line: str) -> list[tuple[Any, str]]:
    """The value of a line with its text, or its objects one after another. Raises BadJson or ValueError."""
    value, end = DECODER.raw_decode(line)
    found = [(value, line[:end])]
    while end < len(line):
        start = len(line) - len(line[end:].lstrip())
        if line[start] != "{" or not isinstance(value, dict):
            raise BadJson("there is more behind its value")
        value, end = DECODER.raw_decode(line, start)
        found.append((value, line[start:end]))
    return found


def _next_row(source: JsonText, broken: bool, first_name: str | None) -> Row:
    line = source.line
    try:
        value, text = source.value()
    except BadJson as error:
        return _bad(line, f"what begins in this line cannot be read as JSON: {error}", source.step_over(first_name))
    return _row(line, text, value, broken)


def _row(line: int, text: str, value: Any, broken: bool) -> Row:
    if not isinstance(value, dict):
        return Row(line, {}, Problem(None, "not_an_object", "there is no JSON object here"), [text[:1_000]])
    if is_deep(value, text):
        return _bad(line, "the values are nested too deeply", text)
    if len(value) > MAX_COLUMNS:
        return _bad(line, f"the object has {len(value):,} values, at most {MAX_COLUMNS:,} are taken", text)
    if "\\u" in text or "\x00" in text:
        value = storable(value)
    found = too_large(value) if len(text) > MAX_CELL else None
    found = found or (not_utf8(value) if broken else None)
    return Row(line, {} if found else value, found, [text] if found else ())


def _bad(line: int, message: str, text: str, code: str = "bad_json") -> Row:
    return Row(line, {}, Problem(None, code, message), [text] if text else [])


def _lines(handle: TextIO) -> Iterator[str]:
    """The physical lines; what a line has beyond `MAX_LINE` is left out."""
    while line := handle.readline(MAX_LINE):
        rest = line
        while len(rest) == MAX_LINE and not rest.endswith("\n"):
            rest = handle.readline(MAX_LINE)
        yield line


def is_deep(value: Any, text: str) -> bool:
    """Whether the value of a text has more than `MAX_DEPTH` levels, which not everything here could follow."""
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return False
    level = [value]
    for _ in range(MAX_DEPTH):
        groups = [item.values() if isinstance(item, dict) else item for item in level if isinstance(item, dict | list)]
        level = [item for group in groups for item in group]
        if not level:
            return False
    return True
