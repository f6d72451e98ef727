"""Spans in files, in one shape whatever wrote them: OTLP JSON, the SDK's to_json, Phoenix's API or its dataframe."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC
from typing import Any

from feedback_lab.ingest.formats.cells import Values, block, blocks, first, inside, structure, text
from feedback_lab.ingest.meaning.values import Unreadable, time_of
from feedback_lab.ingest.otlp import Event, Span, spans_of

EMPTY_ID = re.compile("0*")
ATTRIBUTE = "attributes."
MAX_DEPTH = 12  # levels of nested attributes that get names of their own


def spans_in(row: Values) -> Iterable[Span]:
    """All spans of a row: one, or those of an OTLP block."""
    return spans_of(row) if is_block(row) else [_span(row)]


def is_block(row: Values) -> bool:
    """Whether the row is OTLP's JSON: spans or logs by resource."""
    return any(isinstance(row.get(name), list) for name in ("resourceSpans", "resourceLogs"))


def is_span(row: Values) -> bool:
    """Whether the row is one span: ids of span and trace, and attributes or Phoenix's kind."""
    ids = first(row.get("spanId"), inside(row, "context", "span_id"), row.get("context.span_id"))
    trace = first(row.get("traceId"), inside(row, "context", "trace_id"), row.get("context.trace_id"))
    has_attributes = "attributes" in row or any(name.startswith(ATTRIBUTE) for name in row)
    return bool(ids and trace and (has_attributes or "span_kind" in row))


def identity(value: Any) -> str:
    """An id in lower-case hexadecimal without 0x; empty for none, and for one of zeros."""
    given = text(value).lower().removeprefix("0x")
    return "" if EMPTY_ID.fullmatch(given) else given


def _span(row: Values) -> Span:
    kind = text(row.get("span_kind"))
    attributes = {"openinference.span.kind": kind} if kind else {}
    attributes |= _flat("", block(row, "attributes"))
    for name, value in row.items():
        if name.startswith(ATTRIBUTE) and value not in (None, ""):
            attributes |= _flat(name.removeprefix(ATTRIBUTE), structure(value))
    status = first(inside(row, "status", "status_code"), row.get("status_code"))
    return Span(
        identity(first(row.get("traceId"), inside(row, "context", "trace_id"), row.get("context.trace_id"))),
        identity(first(row.get("spanId"), inside(row, "context", "span_id"), row.get("context.span_id"))),
        text(row.get("name")),
        _nanoseconds(first(row.get("startTimeUnixNano"), row.get("start_time"))),
        _nanoseconds(first(row.get("endTimeUnixNano"), row.get("end_time"))),
        attributes,
        [_event(event) for event in blocks(row, "events")],
        [_link(link) for link in blocks(row, "links")],
        "error" if status == "ERROR" else None,
        _flat("", block(row, "resource", "attributes")),
        not identity(first(row.get("parentSpanId"), row.get("parent_id"))),
    )


def _event(row: Values) -> Event:
    return Event(text(row.get("name")), _nanoseconds(row.get("timestamp")), _flat("", block(row, "attributes")))


def _link(row: Values) -> tuple[str, str]:
    trace = first(row.get("traceId"), inside(row, "context", "trace_id"))
    return identity(trace), identity(first(row.get("spanId"), inside(row, "context", "span_id")))


def _nanoseconds(value: Any) -> int:
    """A time in any notation as Unix nanoseconds; 0 where there is none that can be read."""
    try:
        return int(time_of(text(value)).replace(tzinfo=UTC).timestamp() * 1_000_000) * 1_000
    except Unreadable:
        return 0


def _flat(prefix: str, value: Any, depth: int = 0) -> dict[str, Any]:
    """Nested objects and lists as one object: {"a": {"b": 1}} -> {"a.b": 1}; the nested value is kept as well."""
    if depth > MAX_DEPTH or not isinstance(value, Mapping | list):
        return {prefix: value}
    found: dict[str, Any] = {prefix: value} if prefix else {}
    items = value.items() if isinstance(value, Mapping) else ((str(place), item) for place, item in enumerate(value))
    for name, item in items:
        found |= _flat(f"{prefix}.{name}" if prefix else text(name), item, depth + 1)
    return found
