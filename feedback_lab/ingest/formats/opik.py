"""Opik: feedback scores, and traces or spans with the scores and comments that they hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from feedback_lab.ingest.formats.cells import Record, Values, blocks, first, inside, mostly, rest, text
from feedback_lab.ingest.formats.format import Format, Pass
from feedback_lab.ingest.formats.messages import answered, asked
from feedback_lab.ingest.formats.scores import rater
from feedback_lab.ingest.reading.batches import Problem
from feedback_lab.records import Population

SOURCES = {"sdk": Population.USER, "ui": Population.REVIEWER, "online_scoring": Population.JUDGE}
TAKEN = ("id", "name", "value", "reason", "author", "created_by", "created_at", "category_name", "last_updated_at")
TAKEN_OF_TRACE = ("id", "thread_id", "start_time", "input", "output", "feedback_scores", "comments", "created_by")


def is_scores(header: Sequence[str], sample: Sequence[Values]) -> str | None:
    """A named value with one of Opik's sources."""
    if "dataType" not in header and mostly(sample, _is_score):
        return "its rows are feedback scores with Opik's source (ui, sdk or online_scoring)"
    return None


def _is_score(row: Values) -> bool:
    return text(row.get("source")) in SOURCES and {"id", "name", "value"} <= row.keys()


def unpack_score(row: Values, reading: Pass) -> Iterator[Record | Problem]:
    """One score of the trace or span that its id names."""
    source = text(row.get("source"))
    population = SOURCES.get(source, Population.JUDGE if source else Population.USER)
    name = first(row.get("name"), "score")
    category = text(row.get("category_name"))
    opinion = reading.scores.opinion(name, category or row.get("value"), population=population)
    if category and opinion.get("kind") not in ("thumb", "rating"):
        opinion = {"label": category, **reading.scores.opinion(name, row.get("value"), population=population)}
    if not opinion and not text(row.get("reason")):
        yield Problem("value", "no_value", f"the score {name!r} has no value")
        return
    yield {
        **rest(row, TAKEN, "opik"),
        "score": name,
        "interaction_id": text(row.get("id")),
        "rated_at": first(row.get("created_at"), row.get("last_updated_at")),
        "rater": rater(population, name, row.get("author"), row.get("created_by")),
        "population": population,
        "comment": text(row.get("reason")),
        **opinion,
    }


def is_traces(header: Sequence[str], sample: Sequence[Values]) -> str | None:
    """A trace of a project with its feedback scores."""
    if {"id", "project_id", "start_time", "input", "output"} <= set(header) and (
        {"feedback_scores", "thread_id", "span_count", "last_updated_at", "total_estimated_cost"} & set(header)
    ):
        return "its rows are Opik traces or spans: project_id, input, output and feedback_scores"
    return None


def _is_trace(row: Values) -> bool:
    return {"id", "project_id", "start_time"} <= row.keys()


def unpack_trace(row: Values, reading: Pass) -> Iterator[Record | Problem]:
    """A trace is one interaction; its scores and its comments follow as feedback."""
    if text(row.get("trace_id")) and text(row.get("parent_span_id")) and text(row.get("type")) != "llm":
        yield from reading.nothing("steps inside a trace")
        return
    trace = text(row.get("id"))
    yield {
        **rest(row, TAKEN_OF_TRACE, "opik"),
        "interaction_id": trace,
        "session_id": text(row.get("thread_id")),
        "created_at": text(row.get("start_time")),
        "input": asked(row.get("input")),
        "output": answered(row.get("output")),
        "model": first(row.get("model"), inside(row, "metadata", "model")),
    }
    for score in blocks(row, "feedback_scores"):
        yield from unpack_score({**score, "id": trace}, reading)
    for comment in blocks(row, "comments"):
        yield {
            "interaction_id": trace,
            "feedback_id": text(comment.get("id")),
            "rated_at": text(comment.get("created_at")),
            "rater": text(comment.get("created_by")),
            "population": Population.REVIEWER,
            "comment": text(comment.get("text")),
        }


FORMATS = (
    Format("opik-scores", "Opik feedback scores", "scores as the API takes them", is_scores, unpack_score, _is_score),
    Format(
        "opik-traces",
        "Opik traces",
        "traces or spans with their scores and comments",
        is_traces,
        unpack_trace,
        _is_trace,
    ),
)
