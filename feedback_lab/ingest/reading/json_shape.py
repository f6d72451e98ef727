"""How rows stand in a JSON text: objects one a line or one after another, lists of them, or objects around one list.

An API hands out a long list page by page: many objects around one list each, in any of these ways in one file.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple, TextIO

from feedback_lab.ingest.reading.json_text import DECODER, BadJson, JsonText

SAMPLE = 1_000  # lines
# Names under which an API hands out its list, and what stands beside such a list.
WRAPPERS = frozenset("data items results records rows entries values list feedback_data documents hits objects".split())
PAGING = frozenset(
    "meta metadata size total totalcount total_count totalitems total_items totalpages total_pages count page pages "
    "page_size pagesize per_page current_page last_page pagination limit offset skip next next_page nextpage "
    "next_page_token nextcursor next_cursor cursor previous prev has_more hasmore has_next hasnext links object status "
    "success version sortable_by exported_at exportedat export_info generated_at first_id last_id".split()
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


class _Names(NamedTuple):
    """The names in one object: of its lists that begin with an object, and of everything else."""

    lists: list[str]
    others: list[str]
    whole: bool  # whether the object could be read to its end


def shape_of(start: str, handle: TextIO) -> Shape:
    """The shape of a text that begins like `start`; `handle` gives the whole text, and is read only where needed."""
    text = start.lstrip("\ufeff \t\r\n")
    source = JsonText(handle)
    in_list = source.peek() == "["
    if in_list:
        source.skip()
    first = _names_in(source)
    alone = source.peek() == ""
    if not alone and (name := _page_list(first, source)):
        return Shape(False, name, f"JSON, the list {name[:40]!r} of each of its objects")
    if in_list:
        return Shape(False, None, "JSON list")
    name = _only_list(first) if alone else None
    lines = text.split("\n", SAMPLE)
    # Lines speak before an object that is cut off or broken, which may be the first line of many.
    if not (name and first.whole) and any(map(_is_object, lines[1:SAMPLE])):
        return Shape(True, None, "JSON Lines")
    if name is not None:
        return Shape(False, name, f"JSON, the list {name[:40]!r} of its one object")
    if _is_object(lines[0]):
        return Shape(True, None, "JSON Lines")
    return Shape(False, None, "one JSON object, read as one row" if alone else "JSON objects one after another")


def holds_rows(name: str, value: Any) -> bool:
    """Whether what stands under this name in a page is a list of rows, no part of one row and not of the paging."""
    is_list = isinstance(value, list) and bool(value) and isinstance(value[0], dict)
    return is_list and name not in WHOLE and name.lower() not in PAGING


def list_of_page(value: Mapping[str, Any], columns: Collection[str]) -> str | None:
    """The name of the list that an object among rows is built around; None where it is a row with such `columns`."""
    if all(name in columns for name in value):
        return None
    lists = [name for name, part in value.items() if holds_rows(name, part)]
    alone = len(lists) == 1 and lists[0] not in columns and lists[0].lower() in WRAPPERS
    return lists[0] if alone and _are_of_paging(name for name in value if name != lists[0]) else None


def _names_in(source: JsonText) -> _Names:
    """The names in the next object; where it is cut off or broken, those before that place."""
    found = _Names([], [], True)
    try:
        if source.peek() == "{":
            for name in source.members():
                names = found.lists if _holds_objects(source) and name not in WHOLE else found.others
                if name not in names:
                    names.append(name)
    except BadJson:
        return found._replace(whole=False)  # reading the rows says where it ends
    return found


def _only_list(names: _Names) -> str | None:
    """The name of the list whose elements are the rows, where a lone object is built around one."""
    if len(names.lists) != 1:
        return None
    name = names.lists[0]
    return name if name.lower() in WRAPPERS or _are_of_paging(names.others) else None


def _page_list(first: _Names, source: JsonText) -> str | None:
    """The name of the list whose elements are the rows, where the first object and the next are pages of it.

    Several objects are more likely to be rows than one is, so each may hold nothing but the list and its paging.
    """
    if len(first.lists) > 1 or not first.whole or not (first.lists or first.others):
        return None
    if source.peek() == ",":
        source.skip()
    pages = first, _names_in(source)
    lists = {name for page in pages for name in page.lists}
    if len(lists) != 1:
        return None
    name = lists.pop()
    others = [other for page in pages for other in page.others if other != name]
    in_both = all(name in (*page.lists, *page.others) for page in pages)
    is_known = name.lower() in WRAPPERS or bool(others)
    return name if in_both and is_known and _are_of_paging(others) else None


def _are_of_paging(names: Iterable[str]) -> bool:
    return all(name.lower() in PAGING for name in names)


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


def _is_object(line: str) -> bool:
    """Whether a line holds one whole object and does not stand indented inside another."""
    if not line.startswith("{"):
        return False
    try:
        value, end = DECODER.raw_decode(line)
    except (ValueError, RecursionError, BadJson):
        return False
    return isinstance(value, dict) and not line[end:].strip()
