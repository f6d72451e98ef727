"""What the formats share: a cell as JSON, a path into nested blocks that may be missing, the text of a message."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from feedback_lab.ingest.meaning.text_columns import text_of
from feedback_lab.ingest.planning.plan import is_field
from feedback_lab.ingest.reading.batches import storable
from feedback_lab.records import Population

Values = Mapping[str, Any]
Record = dict[str, Any]

MOSTLY = 0.9  # share of the sampled rows that must look like the tool's
MAX_LITERAL = 200_000  # characters of a Python literal that are looked at
# Under which key a tool keeps what was asked, and what was answered; the first that holds something counts.
ASKED = "question query input user_input user_query prompt text content message value".split()
ANSWERED = "answer output response result completion text content message generated_text value".split()
EMPTY: tuple[Any, ...] = (None, "", [], {}, "[]", "{}")
WRAPPED = "messages input_messages output_messages choices generations".split()


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


def rater(population: str, name: str, *ids: Any) -> str:
    """Who gave a score: the first id that is given; for a judge its metric, so that two metrics stay two verdicts."""
    return f"judge:{name}" if population == Population.JUDGE else first(*ids)


def asked(value: Any) -> str:
    """What the user said, in the shapes that tools log: a text, messages, or an object around them."""
    return _said(structure(value), ("user", "human"), ASKED)


def answered(value: Any) -> str:
    """What the model answered, in the shapes that tools log."""
    return _said(structure(value), ("assistant", "ai", "model"), ANSWERED)


def _said(value: Any, roles: Sequence[str], keys: Sequence[str], depth: int = 0) -> str:
    if depth > 8 or value is None:
        return ""
    if isinstance(value, list):
        return _last_message(value, roles, keys, depth)
    if not isinstance(value, Mapping):
        return text_of(value)
    for key in (*WRAPPED, *keys):
        if found := _said(structure(value.get(key)), roles, keys, depth + 1):
            return found
    if isinstance(value.get("type"), str):
        return f"[{value['type']}]"  # a part that is no text: an image, a call of a tool
    if len(value) == 1:
        return _said(structure(next(iter(value.values()))), roles, keys, depth + 1)
    return text_of(dict(value)) if value else ""


def _last_message(items: Sequence[Any], roles: Sequence[str], keys: Sequence[str], depth: int) -> str:
    """The last message of one of the roles; of items without roles their texts, one a line."""
    if len(items) == 1 and isinstance(items[0], list):
        return _last_message(items[0], roles, keys, depth)
    messages = [item for item in items if isinstance(item, Mapping) and text(_role(item))]
    if messages:
        own = [item for item in messages if text(_role(item)).lower() in roles]
        chosen = own[-1] if own else None
        return _said(_content(chosen), roles, keys, depth + 1) if chosen is not None else ""
    return "\n".join(filter(None, (_said(structure(item), roles, keys, depth + 1) for item in items)))


def _role(item: Mapping[str, Any]) -> Any:
    kind = item.get("type")
    return item.get("role") or item.get("message.role") or (kind if kind in ("human", "ai") else None)


def _content(item: Mapping[str, Any]) -> Any:
    for key in ("content", "message.content", "parts", "text"):
        if item.get(key):
            return structure(item[key])
    return None


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
