"""What was asked and answered, in the shapes in which tools log it: a text, messages, an object around them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from feedback_lab.ingest.formats.cells import structure, text
from feedback_lab.ingest.meaning.text_columns import text_of

# Under which key a tool keeps what was asked, and what was answered; the first that holds something counts.
ASKED = "question query input user_input user_query prompt text content message value".split()
ANSWERED = "answer output response result completion text content message generated_text value".split()
CLASS = re.compile(r"Message(?:Chunk)?$")  # HumanMessage, AIMessageChunk
WRAPPED = "messages input_messages output_messages choices generations".split()


def asked(value: Any) -> str:
    """What the user said last; empty where nothing is found."""
    return _said(structure(value), ("user", "human"), ASKED)


def answered(value: Any) -> str:
    """What the model answered last; empty where nothing is found."""
    return _said(structure(value), ("assistant", "ai", "model"), ANSWERED)


def _said(value: Any, roles: Sequence[str], keys: Sequence[str], depth: int = 0) -> str:
    if depth > 8 or value is None:
        return ""
    if isinstance(value, list):
        return _last_message(value, roles, keys, depth)
    if not isinstance(value, Mapping):
        return text_of(value)
    value = _plain_message(value)
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
    plain = [_plain_message(item) for item in items if isinstance(item, Mapping)]
    messages = [item for item in plain if text(_role(item))]
    if messages:
        own = [item for item in messages if text(_role(item)).lower() in roles]
        chosen = own[-1] if own else None
        return _said(_content(chosen), roles, keys, depth + 1) if chosen is not None else ""
    return "\n".join(filter(None, (_said(structure(item), roles, keys, depth + 1) for item in items)))


def _plain_message(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """A message that LangChain wrote as the arguments of its class, or as a type with data, as a plain one."""
    inside = item.get("kwargs") if item.get("type") == "constructor" else item.get("data")
    if not isinstance(inside, Mapping) or "content" not in inside:
        return item
    path = item.get("id")
    kind = text(path[-1]) if isinstance(path, list) and path else text(item.get("type"))
    return {"type": CLASS.sub("", kind).lower(), **inside}


def _role(item: Mapping[str, Any]) -> Any:
    kind = item.get("type")
    return item.get("role") or item.get("message.role") or (kind if kind in ("human", "ai") else None)


def _content(item: Mapping[str, Any]) -> Any:
    for key in ("content", "message.content", "parts", "text"):
        if item.get(key):
            return structure(item[key])
    return None
