"""OTLP over HTTP: what OpenTelemetry's exporters send (opentelemetry.io/docs/specs/otlp).

Spans and log records that are no business of ours are accepted and left alone, so that a product may send all its
telemetry here; the header Feedback-Lab counts them. What is ours and cannot be stored is answered as a partial
success, which exporters log and do not send again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from fastapi import APIRouter, Request
from google.protobuf import json_format  # type: ignore[import-untyped]
from google.protobuf.message import DecodeError, Message  # type: ignore[import-untyped]
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from starlette.responses import Response

from feedback_lab.collector.access import require
from feedback_lab.collector.answers import ApiError, JsonAnswer
from feedback_lab.collector.bodies import read, strict_json
from feedback_lab.collector.deps import Deps
from feedback_lab.ingest.otel import Translated, of_log, of_span
from feedback_lab.ingest.otlp import Event, Span, log_record, logs_of, spans_of
from feedback_lab.ingest.receiving import Outcome, Status
from feedback_lab.keys import Scope

PROTOBUF, JSON = "application/x-protobuf", "application/json"
MAX_MESSAGE = 1_000  # characters of the answer's words
FAILED = 2  # a span's status
NO_IDS = Translated([], ["a span has no valid ids"])


class _Signal(NamedTuple):
    """One kind of telemetry: its messages, how its records are read, and the answer's name for the rejected ones."""

    request: type[Message]
    response: type[Message]
    of_json: Callable[[Any], list[Translated]]
    of_protobuf: Callable[[Any], list[Translated]]
    rejected: str


def router(deps: Deps) -> APIRouter:
    """`POST /otlp/v1/traces` and `/otlp/v1/logs`, in protobuf or JSON, as they are or gzipped."""
    routes = APIRouter(prefix="/otlp/v1", include_in_schema=False)

    @routes.post("/traces")
    @require(Scope.INGEST)
    async def traces(request: Request) -> Response:
        """Store the model calls among the spans, and the judgements that spans carry."""
        return await _export(request, deps, TRACES)

    @routes.post("/logs")
    @require(Scope.INGEST)
    async def logs(request: Request) -> Response:
        """Store the judgements among the log records."""
        return await _export(request, deps, LOGS)

    return routes


async def _export(request: Request, deps: Deps, signal: _Signal) -> Response:
    encoding = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if encoding not in (PROTOBUF, JSON):
        raise ApiError(415, "bad_content_type", f"OTLP over HTTP is {PROTOBUF} or {JSON}.")
    body = await read(request, deps.limits)
    records = await asyncio.to_thread(_translated, body, encoding, signal, deps.limits.depth)
    items = [item for record in records for item in record.items]
    outcomes = iter(await deps.stored(items))
    reasons = [[*record.problems, *_refusals(next(outcomes) for _ in record.items)] for record in records]
    rejected = [why for why in reasons if why]
    ignored = sum(not record.items and not record.problems for record in records)
    headers = {"Feedback-Lab": f"read={len(records)}, items={len(items)}, ignored={ignored}, rejected={len(rejected)}"}
    answer = signal.response()
    if rejected:
        partial = answer.partial_success
        setattr(partial, signal.rejected, len(rejected))
        partial.error_message = "; ".join(dict.fromkeys(why[0] for why in rejected))[:MAX_MESSAGE]
    if encoding == JSON:
        return JsonAnswer(json_format.MessageToDict(answer), headers=headers)
    return Response(answer.SerializeToString(), media_type=PROTOBUF, headers=headers)


def _translated(body: bytes, encoding: str, signal: _Signal, depth: int) -> list[Translated]:
    if encoding == JSON:
        return signal.of_json(strict_json(body, depth))
    try:
        return signal.of_protobuf(signal.request.FromString(body))
    except DecodeError:
        raise ApiError(400, "bad_protobuf", f"The body is no {signal.request.DESCRIPTOR.name} in protobuf.") from None


def _refusals(outcomes: Iterator[Outcome]) -> list[str]:
    return [f"{one.kind} {one.id}: {one.reason}" for one in outcomes if one.status is Status.REJECTED]


def _of_spans(spans: Iterator[Span]) -> list[Translated]:
    """The last call of a trace first: people saw its answer, and who comes first goes by the trace's name."""
    latest_first = sorted(spans, key=lambda span: -span.end)
    return [of_span(span) if span.is_valid else NO_IDS for span in latest_first]


def _spans_in(message: ExportTraceServiceRequest) -> Iterator[Span]:
    for block in message.resource_spans:
        resource = _attributes(block.resource.attributes)
        for span in (span for scope in block.scope_spans for span in scope.spans):
            yield Span(
                span.trace_id.hex(),
                span.span_id.hex(),
                span.name,
                span.start_time_unix_nano,
                span.end_time_unix_nano,
                _attributes(span.attributes),
                [Event(event.name, event.time_unix_nano, _attributes(event.attributes)) for event in span.events],
                [(link.trace_id.hex(), link.span_id.hex()) for link in span.links],
                (span.status.message or "error") if span.status.code == FAILED else None,
                resource,
                not any(span.parent_span_id),
            )


def _logs_in(message: ExportLogsServiceRequest) -> Iterator[Event]:
    records = (log for block in message.resource_logs for scope in block.scope_logs for log in scope.log_records)
    for log in records:
        time = log.time_unix_nano or log.observed_time_unix_nano
        ids = log.trace_id.hex(), log.span_id.hex()
        yield log_record(log.event_name, time, _attributes(log.attributes), _value(log.body), *ids)


def _attributes(pairs: Any) -> dict[str, Any]:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(given: Any) -> Any:
    """What an AnyValue holds."""
    name = given.WhichOneof("value")
    if name == "array_value":
        return [_value(item) for item in given.array_value.values]
    if name == "kvlist_value":
        return _attributes(given.kvlist_value.values)
    held = getattr(given, name) if name else None
    return held.hex() if isinstance(held, bytes) else held


TRACES = _Signal(
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
    lambda payload: _of_spans(spans_of(payload)),
    lambda message: _of_spans(_spans_in(message)),
    "rejected_spans",
)
LOGS = _Signal(
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
    lambda payload: [of_log(log) for log in logs_of(payload)],
    lambda message: [of_log(log) for log in _logs_in(message)],
    "rejected_log_records",
)
