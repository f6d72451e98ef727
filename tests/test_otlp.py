"""The real OpenTelemetry SDK and its exporters over HTTP against a running server, set up as the documentation says."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from opentelemetry._logs import LogRecord
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Span, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Link, SpanContext, format_span_id

from feedback_lab.ingest.items import FeedbackItem
from feedback_lab.ingest.otel import of_log
from feedback_lab.ingest.otlp import Event
from tests.live_server import Live, start_live

MOMENT = 1_795_000_000_000_000_000
CHAT = {
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "heron-1",
    "gen_ai.input.messages": json.dumps([{"role": "user", "parts": [{"type": "text", "content": "Where is it?"}]}]),
    "gen_ai.output.messages": json.dumps(
        [{"role": "assistant", "parts": [{"type": "text", "content": "In the post."}]}]
    ),
}


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    running = start_live(tmp_path_factory.mktemp("otlp") / "home")
    yield running
    running.server.stop()


@pytest.fixture(params=["none", "gzip"])
def exporters_by_environment(live: Live, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"{live.url}/api/otlp")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", f"Authorization=Bearer%20{live.secrets['ingest']}")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", request.param)


@pytest.fixture
def traced(exporters_by_environment: None) -> Iterator[TracerProvider]:
    provider = TracerProvider(resource=Resource.create({"service.name": "shop"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    yield provider
    provider.shutdown()


@pytest.fixture
def logged(exporters_by_environment: None) -> Iterator[LoggerProvider]:
    provider = LoggerProvider()
    provider.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter()))
    yield provider
    provider.shutdown()


def call(provider: TracerProvider, **more: Any) -> tuple[str, SpanContext]:
    """One chat inside a request's span; its interaction's id, and its context."""
    tracer = provider.get_tracer("product")
    with (
        tracer.start_as_current_span("POST /ask"),
        tracer.start_as_current_span("chat heron-1", attributes=CHAT | more) as span,
    ):
        assert isinstance(span, Span)
        context = span.get_span_context()
    assert provider.force_flush()
    return format_span_id(context.span_id), context


def test_a_chat_arrives_as_an_interaction_with_its_times_and_tags(live: Live, traced: TracerProvider) -> None:
    name, _ = call(traced, **{"gen_ai.conversation.id": "conv-1"})

    stored = live.stored("interactions", name)
    assert stored is not None
    assert (stored["input"], stored["output"], stored["model"]) == ("Where is it?", "In the post.", "heron-1")
    assert (stored["session_id"], stored["tags"]) == ("conv-1", {"service": "shop"})
    assert stored["metadata"]["latency_ms"] >= 0


def test_an_interaction_is_found_by_every_name_that_feedback_may_call_it_by(
    live: Live, traced: TracerProvider, request: pytest.FixtureRequest
) -> None:
    response = f"response of {request.node.name}"
    name, _ = call(traced, **{"gen_ai.response.id": response})

    stored = live.stored("interactions", response)
    assert stored is not None
    assert stored == live.stored("interactions", name)
    own = {"interaction_id": response, "input": "Who is it?", "output": "Somebody else."}
    key = {"Authorization": f"Bearer {live.secrets['ingest']}"}
    assert httpx.post(f"{live.url}/api/v1/interactions", json=own, headers=key).status_code == 201
    found = live.stored("interactions", response)
    assert found is not None
    assert (found["interaction_id"], found["input"]) == (response, "Who is it?")


def test_the_root_of_a_trace_arrives_with_the_answer_that_people_saw_and_its_steps_do_not(
    live: Live, traced: TracerProvider
) -> None:
    tracer = traced.get_tracer("product")
    chain = {"openinference.span.kind": "CHAIN", "input.value": "Where is it?", "output.value": "In the post."}
    with (
        tracer.start_as_current_span("ask", attributes=chain) as root,
        tracer.start_as_current_span("rewrite", attributes=chain) as step,
    ):
        names = [format_span_id(each.get_span_context().span_id) for each in (root, step)]
    assert traced.force_flush()

    stored, nothing = (live.stored("interactions", name) for name in names)
    assert stored is not None
    assert (stored["input"], stored["output"]) == ("Where is it?", "In the post.")
    assert nothing is None


def test_an_evaluation_event_of_the_span_arrives_as_feedback(live: Live, traced: TracerProvider) -> None:
    tracer = traced.get_tracer("product")
    with tracer.start_as_current_span("chat heron-1", attributes=CHAT) as span:
        said = {"gen_ai.evaluation.name": "relevance", "gen_ai.evaluation.score.value": 0.2}
        span.add_event("gen_ai.evaluation.result", said)
    assert traced.force_flush()
    name = format_span_id(span.get_span_context().span_id)

    stored = live.stored("feedback", f"{name}/event.0")
    assert stored is not None
    assert (stored["interaction_id"], stored["population"], stored["polarity"]) == (name, "judge", "negative")


@pytest.mark.parametrize("feedback_first", [True, False])
def test_a_thumb_that_names_only_the_response_meets_its_call_in_either_order(
    live: Live, traced: TracerProvider, logged: LoggerProvider, feedback_first: bool, request: pytest.FixtureRequest
) -> None:
    response = f"chatcmpl-{request.node.name}"
    said = {
        "gen_ai.evaluation.name": "user_feedback",
        "gen_ai.evaluation.score.label": "negative",
        "gen_ai.evaluation.score.value": 0.0,
        "gen_ai.evaluation.explanation": f"The link is dead, says {response}",
        "gen_ai.response.id": response,
    }
    event = LogRecord(timestamp=MOMENT, event_name="gen_ai.evaluation.result", attributes=said)

    def give() -> None:
        logged.get_logger("product").emit(event)
        assert logged.force_flush()

    if feedback_first:
        give()
    name, _ = call(traced, **{"gen_ai.response.id": response})
    if not feedback_first:
        give()

    called = live.stored("interactions", response if feedback_first else name)
    assert called is not None
    assert called["input"] == "Where is it?"
    (sent,) = of_log(Event("gen_ai.evaluation.result", MOMENT, said)).items
    assert isinstance(sent, FeedbackItem)
    given = live.stored("feedback", str(sent.feedback_id))
    assert given is not None
    assert given["interaction_id"] == called["interaction_id"]
    assert (given["kind"], given["value"], given["population"]) == ("thumb", -1, "user")
    assert given["comment"] == said["gen_ai.evaluation.explanation"]


def test_an_openinference_carrier_speaks_of_the_span_that_it_links_to(live: Live, traced: TracerProvider) -> None:
    name, context = call(traced)
    judged = {
        "openinference.span.kind": "EVALUATOR",
        "annotations.0.annotation.name": "user_feedback",
        "annotations.0.annotation.label": "positive",
        "annotations.0.annotation.annotator_kind": "HUMAN",
        "annotations.0.annotation.explanation": "Quick and right",
    }
    carrier = traced.get_tracer("product").start_span("thumb", links=[Link(context)], attributes=judged)
    carrier.end()
    assert traced.force_flush()

    stored = live.stored("feedback", f"{format_span_id(carrier.get_span_context().span_id)}/span.annotations.0")
    assert stored is not None
    assert (stored["interaction_id"], stored["value"], stored["comment"]) == (name, 1, "Quick and right")


def otlp(live: Live, signal: str, content: bytes, kind: str, **headers: str) -> httpx.Response:
    given = {"Authorization": f"Bearer {live.secrets['ingest']}", "Content-Type": kind} | headers
    return httpx.post(f"{live.url}/api/otlp/v1/{signal}", content=content, headers=given, timeout=20)


def export(span_id: bytes = b"\1" * 8, *, trace_id: bytes = b"\2" * 16, **attributes: str) -> ExportTraceServiceRequest:
    message = ExportTraceServiceRequest()
    span = message.resource_spans.add().scope_spans.add().spans.add(span_id=span_id, trace_id=trace_id, name="chat")
    for name, value in attributes.items():
        span.attributes.add(key=name).value.string_value = value
    return message


def test_what_cannot_be_stored_is_a_partial_success_with_its_reason(live: Live) -> None:
    good = export(b"\3" * 8, **CHAT)
    good.MergeFrom(export(b"", **CHAT))
    good.MergeFrom(export(b"\4" * 8, **CHAT, **{"annotations.0.annotation.label": "positive"}))

    answer = otlp(live, "traces", good.SerializeToString(), "application/x-protobuf")
    told = ExportTraceServiceResponse.FromString(answer.content)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/x-protobuf")
    assert told.partial_success.rejected_spans == 2
    assert "no valid ids" in told.partial_success.error_message
    assert "has no name" in told.partial_success.error_message
    assert live.stored("interactions", "03" * 8) is not None

    changed = export(b"\3" * 8, **CHAT | {"gen_ai.output.messages": '[{"role": "assistant", "content": "No."}]'})
    answer = otlp(live, "traces", changed.SerializeToString(), "application/x-protobuf")
    told = ExportTraceServiceResponse.FromString(answer.content)
    assert "stored with another output" in told.partial_success.error_message


def test_spans_that_are_not_ours_are_accepted_counted_and_ignored(live: Live) -> None:
    answer = otlp(live, "traces", export(**{"http.method": "GET"}).SerializeToString(), "application/x-protobuf")

    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["feedback-lab"] == "read=1, items=0, ignored=1, rejected=0"


@pytest.mark.parametrize("packed", [True, False])
def test_json_is_answered_in_json(live: Live, packed: bool) -> None:
    record = {"eventName": "gen_ai.evaluation.result", "attributes": []}
    content = json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}).encode()
    headers = {"Content-Encoding": "gzip"} if packed else {}

    answer = otlp(live, "logs", gzip.compress(content) if packed else content, "application/json", **headers)
    assert answer.status_code == 200
    told = answer.json()["partialSuccess"]
    assert told["rejectedLogRecords"] == "1"
    assert "names neither a span nor a response" in told["errorMessage"]


def test_an_empty_export_is_a_success(live: Live) -> None:
    answer = otlp(live, "logs", b"", "application/x-protobuf")

    assert answer.status_code == 200
    assert ExportLogsServiceResponse.FromString(answer.content) == ExportLogsServiceResponse()


@pytest.mark.parametrize(
    ("content", "kind", "headers", "status"),
    [
        (b"\xff\xff\xff", "application/x-protobuf", {}, 400),
        (b"{", "application/json", {}, 422),
        (b"{}", "text/plain", {}, 415),
        (b"{}", "application/json", {"Content-Encoding": "br"}, 415),
        (b"{}", "application/json", {"Authorization": "Bearer wrong"}, 401),
        (b"x" * 9_000_000, "application/json", {}, 413),
    ],
    ids=["no protobuf", "no JSON", "text", "unknown packing", "unknown key", "too large"],
)
def test_what_is_no_otlp_is_refused_for_good(
    live: Live, content: bytes, kind: str, headers: dict[str, str], status: int
) -> None:
    assert otlp(live, "traces", content, kind, **headers).status_code == status


def test_a_reading_key_cannot_write(live: Live) -> None:
    headers = {"Authorization": f"Bearer {live.secrets['read']}"}
    assert otlp(live, "traces", b"{}", "application/json", **headers).status_code == 403
