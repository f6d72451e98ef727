"""OTLP's JSON as spans and log records in plain values (opentelemetry.io/docs/specs/otlp, JSON Protobuf Encoding)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import isfinite
from typing import Any

TRACE_ID, SPAN_ID = re.compile("(?!0{32})[0-9a-f]{32}"), re.compile("(?!0{16})[0-9a-f]{16}")
WHOLE = re.compile("-?[0-9]{1,20}")
EPOCH = datetime(1970, 1, 1)


FAILED = (2, "STATUS_CODE_ERROR")


@dataclass(frozen=True, slots=True)
class Event:
    """What a span or a log record notes; ids in hexadecimal, empty where there is none, times in Unix nanoseconds."""

    name: str
    time: int
    attributes: Mapping[str, Any]
    trace_id: str = ""
    span_id: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """One span. `links` are the ids (trace, span) that it points to; `error` is None where it ended well.

    A `root` has no parent: it is the whole trace, as somebody outside sees it.
    """

    trace_id: str
    span_id: str
    name: str
    start: int
    end: int
    attributes: Mapping[str, Any]
    events: Sequence[Event] = ()
    links: Sequence[tuple[str, str]] = ()
    error: str | None = None
    resource: Mapping[str, Any] = field(default_factory=dict)
    root: bool = False

    @property
    def is_valid(self) -> bool:
        """Whether its ids are what ids must be: 16 and 8 bytes, not all zero."""
        return bool(TRACE_ID.fullmatch(self.trace_id) and SPAN_ID.fullmatch(self.span_id))


def spans_of(payload: Any) -> Iterator[Span]:
    """The spans of an ExportTraceServiceRequest in JSON; what has not the shape of one is left out."""
    for resource, span in _inside(payload, "resourceSpans", "scopeSpans", "spans"):
        yield _span(span, resource)


def logs_of(payload: Any) -> Iterator[Event]:
    """The log records of an ExportLogsServiceRequest in JSON."""
    for _, record in _inside(payload, "resourceLogs", "scopeLogs", "logRecords"):
        yield _event(record)


def log_record(name: str, time: int, attributes: dict[str, Any], body: Any, trace_id: str, span_id: str) -> Event:
    """A log record. Older senders name the event in an attribute, and put what it says into the body."""
    said = dict(body) | attributes if isinstance(body, Mapping) else attributes
    return Event(name or str(attributes.get("event.name", "")), time, said, trace_id, span_id)


def moment(nanoseconds: int) -> datetime | None:
    """Unix nanoseconds as a moment in UTC; None for 0, which stands for no time."""
    if not 0 < nanoseconds < 2**63:
        return None
    return EPOCH + timedelta(microseconds=nanoseconds // 1_000)


def as_json(value: Any) -> Any:
    """The value with null for the numbers that JSON does not have."""
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, Mapping):
        return {name: as_json(inner) for name, inner in value.items()}
    return [as_json(inner) for inner in value] if isinstance(value, list) else value


def _inside(payload: Any, *names: str) -> Iterator[tuple[dict[str, Any], Mapping[str, Any]]]:
    resources, scopes, records = names
    for resource in _blocks(payload, resources):
        held = resource.get("resource")
        attributes = _attributes(held.get("attributes")) if isinstance(held, Mapping) else {}
        for scope in _blocks(resource, scopes):
            for record in _blocks(scope, records):
                yield attributes, record


def _blocks(value: Any, name: str) -> list[Mapping[str, Any]]:
    found = value.get(name) if isinstance(value, Mapping) else None
    return [item for item in found if isinstance(item, Mapping)] if isinstance(found, list) else []


def _span(given: Mapping[str, Any], resource: Mapping[str, Any]) -> Span:
    status = given.get("status")
    status = status if isinstance(status, Mapping) else {}
    return Span(
        _hex(given.get("traceId")),
        _hex(given.get("spanId")),
        str(given.get("name", "")),
        _whole(given.get("startTimeUnixNano")),
        _whole(given.get("endTimeUnixNano")),
        _attributes(given.get("attributes")),
        [_event(event) for event in _blocks(given, "events")],
        [(_hex(link.get("traceId")), _hex(link.get("spanId"))) for link in _blocks(given, "links")],
        str(status.get("message") or "error") if status.get("code") in FAILED else None,
        resource,
        not _hex(given.get("parentSpanId")).strip("0"),
    )


def _event(given: Mapping[str, Any]) -> Event:
    return log_record(
        str(given.get("eventName") or given.get("name") or ""),
        _whole(given.get("timeUnixNano")) or _whole(given.get("observedTimeUnixNano")),
        _attributes(given.get("attributes")),
        _value(given.get("body")),
        _hex(given.get("traceId")),
        _hex(given.get("spanId")),
    )


def _attributes(pairs: Any) -> dict[str, Any]:
    found = [pair for pair in pairs if isinstance(pair, Mapping)] if isinstance(pairs, list) else []
    return {str(pair.get("key", "")): _value(pair.get("value")) for pair in found}


def _value(given: Any) -> Any:
    """What an AnyValue holds. 64-bit numbers come as text; None for what is empty or unknown."""
    for name, held in given.items() if isinstance(given, Mapping) else ():
        if reader := READERS.get(name):
            return reader(held)
    return None


def _array(held: Any) -> list[Any]:
    return [_value(item) for item in _blocks(held, "values")]


def _object(held: Any) -> dict[str, Any]:
    return _attributes(held.get("values")) if isinstance(held, Mapping) else {}


READERS: dict[str, Callable[[Any], Any]] = {
    "stringValue": str,
    "bytesValue": str,
    "boolValue": bool,
    "intValue": lambda held: _whole(held),
    "doubleValue": lambda held: held if isinstance(held, int | float) else None,
    "arrayValue": _array,
    "kvlistValue": _object,
}


def _hex(given: Any) -> str:
    return given.lower() if isinstance(given, str) else ""


def _whole(given: Any) -> int:
    """A 64-bit number, also as text; 0 for anything else."""
    if isinstance(given, str) and WHOLE.fullmatch(given):
        given = int(given)
    return given if isinstance(given, int) and not isinstance(given, bool) and abs(given) < 2**64 else 0
