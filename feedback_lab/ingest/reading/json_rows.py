"""Rows out of JSON: one object a line, a list of objects, objects one after another, or an object around one list."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, TextIO

from feedback_lab.ingest.reading.batches import MAX_CELL, MAX_LINE, Problem, Row, not_utf8, storable, too_large
from feedback_lab.ingest.reading.heading import MAX_COLUMNS
from feedback_lab.ingest.reading.json_text import DECODER, BadJson, JsonText, reason_of

MAX_DEPTH = 100  # levels of nested JSON
SAMPLE = 1_000  # lines
# Names under which an API hands out its list, and what stands beside such a list.
WRAPPERS = frozenset("data items results records rows entries values list feedback_data documents hits objects".split())
PAGING = frozenset(
    "meta metadata size total totalcount total_count count page pages page_size pagesize limit offset next next_page "
    "nextpage next_page_token nextcursor next_cursor cursor previous prev has_more hasmore links object status "
    "success version exported_at exportedat export_info generated_at first_id last_id".split()
)
# Lists that are part of one record: to take them apart would tear it.
WHOLE = frozenset(
    "resourceSpans resourceLogs resourceMetrics scopeSpans messages history conversations choices".split()
)


class Shape(NamedTuple):
    """How rows stand in a JSON text: one a `lines` line, or as values; `name` of the list that holds them, or None."""

    lines: bool
    name: str | None
    words: str


def shape_of(start: str, handle: TextIO) -> Shape:
    """The shape of a text that begins like `start`; `handle` gives the whole text, and is read only where needed."""
    text = start.lstrip("\ufeff \t\r\n")
    if text.startswith("["):
        return Shape(False, None, "JSON list")
    lines = text.split("\n", SAMPLE)
    if any(map(_is_object, lines[1:SAMPLE])):
        return Shape(True, None, "JSON Lines")
    name, alone = _list_in_object(JsonText(handle))
    if name is None and _is_object(lines[0]):
        return Shape(True, None, "JSON Lines")
    if name is not None:
        return Shape(False, name, f"JSON, the list {name[:40]!r} of its one object")
    return Shape(False, None, "one JSON object, read as one row" if alone else "JSON objects one after another")


def rows_of_lines(handle: TextIO, broken: bool) -> Iterator[Row]:
    """One row for each line that is not empty."""
    for number, line in enumerate(_lines(handle), 1):
        text = line.strip().lstrip("\ufeff")
        if not text:
            continue
        try:
            value, end = DECODER.raw_decode(text)
            if end != len(text):
                raise BadJson("there is more behind its value")
        except (ValueError, RecursionError, BadJson) as error:
            yield _bad(number, f"the line is not JSON: {reason_of(error)}", text)
            continue
        yield _row(number, text, value, broken)


def rows_of_values(handle: TextIO, broken: bool, name: str | None) -> Iterator[Row]:
    """One row for each object in the text, or in its lists; with `name`, for each in this list of the one object."""
    source = JsonText(handle)
    if name is not None:
        yield from _rows_of_member(source, broken, name)
        return
    while sign := source.peek():
        if sign == "[":
            yield from _rows_of_list(source, broken)
        elif sign == ",":
            source.skip()
        else:
            yield _next_row(source, broken, None)


def _rows_of_list(source: JsonText, broken: bool) -> Iterator[Row]:
    source.skip()
    first_name = None
    while sign := source.peek():
        if sign == "]":
            source.skip()
            return
        if sign == ",":
            source.skip()
            continue
        row = _next_row(source, broken, first_name)
        if first_name is None and row.values:
            first_name = next(iter(row.values))
        yield row
    yield _bad(source.line, "the file ends before its list is closed, so rows may be missing", "", "cut_off")


def _rows_of_member(source: JsonText, broken: bool, name: str) -> Iterator[Row]:
    source.peek()
    try:
        for found in _members(source):
            if found == name and source.peek() == "[":
                yield from _rows_of_list(source, broken)
                if not source.peek():
                    return
            else:
                source.value()
    except BadJson as error:
        yield _bad(source.line, f"the object around the rows is broken here: {error}", "", "cut_off")


def _members(source: JsonText) -> Iterator[str]:
    """The names in the object at hand, each before its value, which the caller takes. Raises BadJson."""
    source.skip()
    while (sign := source.peek()) != "}":
        if sign == ",":
            source.skip()
            continue
        name, _ = source.value()
        if not isinstance(name, str) or source.peek() != ":":
            raise BadJson("a name and a colon are missing")
        source.skip()
        yield name
    source.skip()


def _list_in_object(source: JsonText) -> tuple[str | None, bool]:
    """The name of the list whose elements are the rows, if the text is one object around it; whether it is one."""
    lists: list[str] = []
    others: list[str] = []
    source.peek()
    try:
        for name in _members(source):
            (lists if _holds_objects(source) and name not in WHOLE else others).append(name)
    except BadJson:
        # Cut off or broken: what was seen so far decides, and reading the rows says where it ends.
        pass
    alone = source.peek() == ""
    if len(lists) != 1 or not alone:
        return None, alone
    known = lists[0].lower() in WRAPPERS or all(other.lower() in PAGING for other in others)
    return (lists[0] if known else None), alone


def _holds_objects(source: JsonText) -> bool:
    """Take the next value, and say whether it is a list that begins with an object. Raises BadJson."""
    if source.peek() != "[":
        source.value()
        return False
    source.skip()
    found = source.peek() == "{"
    while (sign := source.peek()) != "]":
        if sign == ",":
            source.skip()
            continue
        try:
            source.value()
        except BadJson:
            if not sign:
                return found
            source.step_over(None)
    source.skip()
    return found


def _next_row(source: JsonText, broken: bool, first_name: str | None) -> Row:
    line = source.line
    try:
        value, text = source.value()
    except BadJson as error:
        return _bad(line, f"what begins in this line is not JSON: {error}", source.step_over(first_name))
    return _row(line, text, value, broken)


def _row(line: int, text: str, value: Any, broken: bool) -> Row:
    if not isinstance(value, dict):
        return Row(line, {}, Problem(None, "not_an_object", "there is no JSON object here"), [text[:1_000]])
    if text.count("[") + text.count("{") > MAX_DEPTH and _is_deep(value):
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


def _is_object(line: str) -> bool:
    """Whether a line holds one whole object and does not stand indented inside another."""
    if not line.startswith("{"):
        return False
    try:
        value, end = DECODER.raw_decode(line)
    except (ValueError, RecursionError, BadJson):
        return False
    return isinstance(value, dict) and not line[end:].strip()


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH):
        groups = [item.values() if isinstance(item, dict) else item for item in level if isinstance(item, dict | list)]
        level = [item for group in groups for item in group]
        if not level:
            return False
    return True
