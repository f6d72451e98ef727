"""What the formats share: a cell as JSON, a path into nested blocks that may be missing, what is left over."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from feedback_lab.ingest.meaning.text_columns import text_of
from feedback_lab.ingest.planning.plan import is_field
from feedback_lab.ingest.reading.batches import storable

Values = Mapping[str, Any]
Record = dict[str, Any]

MOSTLY = 0.9  # share of the sampled rows that must look like the tool's
MAX_LITERAL = 200_000  # characters of a Python literal that are looked at
EMPTY: tuple[Any, ...] = (None, "", [], {}, "[]", "{}")


def structure(cell: Any) -> Any:
    """The cell as JSON value where it is a text that holds an object or a list (also as Python prints them)."""
    text = cell.strip() if isinstance(cell, str) else ""
    if not text or (text[0], text[-1]) not in (("{", "}"), ("[", "]")):
        return cell
    try:
        return storable(json.loads(text))
    except (ValueError, RecursionError):
        pass
    try:
        return storable(ast.literal_eval(text)) if len(text) <= MAX_LITERAL else cell
    except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
        return cell


def inside(value: Any, *path: str) -> Any:
    """The value under the path; None where any block on the way is missing, null or no object."""
    for name in path:
        value = structure(value)
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def block(value: Any, *path: str) -> Mapping[str, Any]:
    """The object under the path; an empty one where there is none."""
    found = structure(inside(value, *path))
    return found if isinstance(found, Mapping) else {}


def blocks(value: Any, *path: str) -> list[Mapping[str, Any]]:
    """The objects of the list under the path; what is no object is left out."""
    found = structure(inside(value, *path))
    return [item for item in found if isinstance(item, Mapping)] if isinstance(found, list) else []


def text(value: Any) -> str:
    """The cell as text, stripped; empty for null."""
    return text_of(value).strip()


def first(*values: Any) -> str:
    """The first of the values that is not empty, as text."""
    return next((found for found in map(text, values) if found), "")


def rest(row: Values, used: Sequence[str], tool: str) -> Record:
    """What no field takes, under its own name; a name that is one of our fields gets the tool's in front."""
    kept = {name: value for name, value in row.items() if name not in used and value not in EMPTY}
    return {_apart(name, tool): value for name, value in kept.items()}


@lru_cache(10_000)
def _apart(name: str, tool: str) -> str:
    return f"{tool}_{name}" if is_field(name) else name


def mostly(sample: Sequence[Values], holds: Callable[[Values], object]) -> bool:
    """Whether nearly all sampled rows are of one shape, and there is one."""
    return bool(sample) and sum(map(bool, map(holds, sample))) >= MOSTLY * len(sample)
