"""MLflow: traces with their assessments, and assessments alone. They meet on the trace's id."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from feedback_lab.ingest.formats.cells import (
    EMPTY,
    Record,
    Values,
    block,
    blocks,
    first,
    inside,
    mostly,
    rest,
    structure,
    text,
)
from feedback_lab.ingest.formats.format import Format, Pass
from feedback_lab.ingest.formats.messages import answered, asked
from feedback_lab.ingest.formats.scores import rater
from feedback_lab.ingest.reading.batches import Problem
from feedback_lab.records import Population

SOURCES = {
    "HUMAN": Population.USER,
    "LLM_JUDGE": Population.JUDGE,
    "AI_JUDGE": Population.JUDGE,
    "CODE": Population.JUDGE,
}
TAKEN_OF_ASSESSMENT = (
    "assessment_id",
    "trace_id",
    "create_time",
    "create_time_ms",
    "rationale",
    "feedback",
    "expectation",
)
TAKEN_OF_TRACE = ("trace", "trace_id", "info", "data", "request", "response", "request_time", "spans", "assessments")


def is_traces(header: Sequence[str], sample: Sequence[Values]) -> str | None:
    """A trace is `info` with its id and `data` with its spans; or a row of `search_traces`."""
    if mostly(sample, _is_trace):
        return "its rows are MLflow traces: info with a trace_id, and data with spans"
    if {"trace_id", "request", "response", "assessments", "trace_metadata"} <= set(header):
        return "its columns are those of MLflow's search_traces: trace_id, request, response, assessments"
    return None


def _is_trace(row: Values) -> bool:
    return bool(_trace_id(block(row, "info"))) and "spans" in block(row, "data")


def unpack_trace(row: Values, reading: Pass) -> Iterator[Record | Problem]:
    """A trace is one interaction; each of its assessments one feedback, each expectation a suggested answer."""
    info = block(row, "info")
    trace = first(row.get("trace_id"), _trace_id(info))
    metadata = block(row, "trace_metadata") or block(info, "trace_metadata")
    tags = block(row, "tags") or block(info, "tags")
    root = _root(blocks(row, "data", "spans") or blocks(row, "spans"))
    yield {
        **rest(row, TAKEN_OF_TRACE, "mlflow"),
        **rest(info, ("trace_id", "request_id", "request_time", "timestamp_ms", "assessments"), "mlflow"),
        "interaction_id": trace,
        "session_id": text(metadata.get("mlflow.trace.session")),
        "created_at": first(row.get("request_time"), info.get("request_time"), info.get("timestamp_ms")),
        "user": text(metadata.get("mlflow.trace.user")),
        "input": asked(_first_full(root.get("mlflow.spanInputs"), row.get("request"), info.get("request_preview"))),
        "output": answered(
            _first_full(root.get("mlflow.spanOutputs"), row.get("response"), info.get("response_preview"))
        ),
        "model": first(root.get("mlflow.llm.model"), metadata.get("mlflow.modelId")),
        "prompt_version": text(tags.get("mlflow.promptVersion")),
    }
    for assessment in blocks(row, "assessments") or blocks(info, "assessments"):
        yield from unpack_assessment({"trace_id": trace, **assessment}, reading)


def is_assessments(header: Sequence[str], sample: Sequence[Values]) -> str | None:
    """An assessment has a source of MLflow's types, and feedback or an expectation."""
    if mostly(sample, _is_assessment):
        return "its rows are MLflow assessments: a source_type (HUMAN, LLM_JUDGE or CODE) with feedback or expectation"
    return None


def _is_assessment(row: Values) -> bool:
    source = text(inside(row, "source", "source_type"))
    return source in SOURCES and any(structure(row.get(name)) for name in ("feedback", "expectation"))


def unpack_assessment(row: Values, reading: Pass) -> Iterator[Record | Problem]:
    """One assessment: its value, or the expected answer; the rationale is the comment."""
    if structure(row.get("issue")):
        yield from reading.nothing("references to issues")
        return
    name = first(row.get("assessment_name"), row.get("name"), "assessment")
    source = text(inside(row, "source", "source_type"))
    population = SOURCES.get(source, Population.JUDGE if source else Population.USER)
    expected = inside(row, "expectation", "value")
    if expected is None:
        expected = structure(inside(row, "expectation", "serialized_value", "value"))
    record: Record = {
        **rest(row, TAKEN_OF_ASSESSMENT, "mlflow"),
        "interaction_id": text(row.get("trace_id")),
        "feedback_id": text(row.get("assessment_id")),
        "rated_at": first(row.get("create_time"), row.get("create_time_ms")),
        "rater": rater(population, name, inside(row, "source", "source_id")),
        "population": Population.REVIEWER if expected is not None and population == Population.USER else population,
        "comment": text(row.get("rationale")),
    }
    if expected is not None:
        yield {**record, "suggested_answer": answered(expected)}
        return
    opinion = reading.scores.opinion(name, inside(row, "feedback", "value"), population=population)
    if not opinion and not record["comment"]:
        failed = first(inside(row, "feedback", "error", "error_message"), inside(row, "error", "error_message"))
        reason = f": {failed}" if failed else ""
        yield Problem("feedback", "no_value", f"the assessment {name!r} has no value{reason}")
        return
    yield record | opinion


def _trace_id(info: Values) -> str:
    return first(info.get("trace_id"), info.get("request_id"))


def _root(spans: Sequence[Values]) -> dict[str, Any]:
    """The attributes of the span without a parent, as JSON values."""
    for span in spans:
        if not first(span.get("parent_span_id"), span.get("parent_id")):
            return {name: structure(value) for name, value in block(span, "attributes").items()}
    return {}


def _first_full(*values: Any) -> Any:
    """The first value that is not empty; MLflow writes texts as JSON, so in quotes."""
    found = next((value for value in values if value not in EMPTY), None)
    if isinstance(found, str) and found.startswith('"'):
        try:
            return json.loads(found)
        except ValueError:
            pass
    return found


FORMATS = (
    Format("mlflow-traces", "MLflow traces", "traces with their assessments (JSON, JSONL, search_traces as CSV)",
           is_traces, unpack_trace, _is_trace),
    Format("mlflow-assessments", "MLflow assessments", "assessments alone, as to_dictionary gives them",
           is_assessments, unpack_assessment, _is_assessment),
)  # fmt: skip
