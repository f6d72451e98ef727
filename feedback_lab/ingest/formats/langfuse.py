"""Langfuse: scores (export and API), traces and observations. They meet on the trace's id.

Scores carry no question and no answer; import the traces or observations too, in any order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from feedback_lab.ingest.formats.cells import Record, Values, blocks, first, inside, mostly, rest, structure, text
from feedback_lab.ingest.formats.format import Format, Pass
from feedback_lab.ingest.formats.messages import answered, asked
from feedback_lab.ingest.formats.scores import rater
from feedback_lab.ingest.reading.batches import Problem
from feedback_lab.records import Population

SOURCES = {"API": Population.USER, "ANNOTATION": Population.REVIEWER, "EVAL": Population.JUDGE}
TYPES = ("NUMERIC", "BOOLEAN", "CATEGORICAL", "TEXT", "CORRECTION")
OBSERVATIONS = "SPAN GENERATION EVENT AGENT TOOL CHAIN RETRIEVER EVALUATOR EMBEDDING GUARDRAIL".split()
TAKEN_OF_SCORE = ("id", "traceId", "sessionId", "timestamp", "comment", "value", "stringValue", "label")
TAKEN_OF_TRACE = ("id", "traceId", "timestamp", "startTime", "sessionId", "userId", "input", "output", "environment",
                  "model", "promptVersion", "promptName", "scores", "observations", "parentObservationId")  # fmt: skip
LISTS = ("tags", "scores", "observations", "input", "output", "metadata")  # columns of a trace that may hold lists


def is_scores(header: Sequence[str], sample: Sequence[Values]) -> str | None:
    """Every row names its source and its data type in Langfuse's words."""
    if mostly(sample, _is_score):
        return "its rows are scores with Langfuse's dataType and source (API, ANNOTATION or EVAL)"
    return None


def _is_score(row: Values) -> bool:
    return text(row.get("dataType")) in TYPES and text(row.get("source")) in SOURCES and "name" in row


def unpack_score(row: Values, reading: Pass) -> Iterator[Record | Problem]:
    """One score is one feedback: thumb, rating, comment or suggested answer, by its data type."""
    trace = first(row.get("traceId"), inside(row, "subject", "traceId"))
    kind = inside(row, "subject", "kind")
    subject = text(inside(row, "subject", "id"))
    trace = trace or (subject if kind == "trace" else "")
    population = SOURCES.get(text(row.get("source")), Population.USER)
    record: Record = {
        **rest(row, TAKEN_OF_SCORE, "langfuse"),
        "interaction_id": trace,
        "session_id": first(row.get("sessionId"), subject if kind == "session" else None),
        "feedback_id": text(row.get("id")),
        "rated_at": first(row.get("timestamp"), row.get("createdAt")),
        "rater": rater(population, first(row.get("name"), "score"), *_authors(row, population)),
        "population": population,
        "comment": text(row.get("comment")),
    }
    found = _meaning(row, reading, population)
    if isinstance(found, Problem):
        yield found
        return
    yield record | found


def _authors(row: Values, population: str) -> tuple[Any, ...]:
    """The user of the trace speaks for an API score, the author of an annotation for itself."""
    return (
        (row.get("userId"),) if population == Population.USER else (row.get("authorUserId"), row.get("authorUserName"))
    )


def _meaning(row: Values, reading: Pass, population: str) -> Record | Problem:
    kind, name = text(row.get("dataType")), first(row.get("name"), "score")
    value, words = row.get("value"), text(row.get("stringValue"))
    if kind == "CORRECTION":
        return {"suggested_answer": words or text(value)}
    if kind == "TEXT":
        said = words or text(value)
        return {"comment": "\n".join(filter(None, (said, text(row.get("comment")))))}
    if kind == "BOOLEAN":
        truth = words or ("true" if text(value) in ("1", "1.0", "true") else "false")
        return reading.scores.opinion(name, truth, population=population)
    if kind == "CATEGORICAL":
        return reading.scores.opinion(name, words or value, population=population)
    found = reading.scores.opinion(name, value, population=population)
    return found or Problem("value", "no_value", f"the score {name!r} has no value")


def is_traces(header: Sequence[str], sample: Sequence[Values]) -> str | None:
    """Traces have an input, an output and Langfuse's camelCase marks."""
    marks = ("sessionId", "userId", "bookmarked", "projectId", "htmlPath", "release")
    if {"id", "timestamp", "input", "output"} <= set(header) and sum(mark in header for mark in marks) >= 2:
        why = "its rows are traces: id, timestamp, input and output with Langfuse's sessionId, userId or bookmarked"
        return f"{why}{_unsigned_scores(sample)}"
    return None


def _unsigned_scores(sample: Sequence[Values]) -> str:
    """What to say of the columns that an export of traces has for scores: their values without who gave them."""
    found = {name: None for row in sample for name, cell in row.items() if name not in LISTS and _are_values(cell)}
    if not found:
        return ""
    names = ", ".join(map(repr, list(found)[:10]))
    return f"; the scores in {names} do not say who gave them and are kept as metadata, so import the export of scores"


def _are_values(cell: Any) -> bool:
    values = structure(cell)
    return isinstance(values, list) and bool(values) and all(isinstance(one, str | int | float) for one in values)


def _is_trace(row: Values) -> bool:
    return {"id", "timestamp"} <= row.keys() and not {"dataType", "traceId", "startTime"} & row.keys()


def is_observations(header: Sequence[str], sample: Sequence[Values]) -> str | None:
    """Observations name their trace and one of Langfuse's types."""
    if {"id", "traceId", "type", "startTime"} <= set(header) and mostly(sample, _is_observation):
        return "its rows are observations: traceId, startTime and a type as GENERATION or SPAN"
    return None


def _is_observation(row: Values) -> bool:
    return text(row.get("type")).upper() in OBSERVATIONS and bool(text(row.get("traceId")))


def unpack_trace(row: Values, reading: Pass) -> Iterator[Record | Problem]:
    """A trace is one interaction; scores that it holds in full follow as feedback."""
    model = first(*(each.get("model") for each in blocks(row, "observations")))
    yield {**_interaction(row), "interaction_id": text(row.get("id")), "model": model}
    for score in blocks(row, "scores"):
        if text(score.get("dataType")) in TYPES:
            yield from unpack_score({"traceId": row.get("id"), "userId": row.get("userId"), **score}, reading)


def unpack_observation(row: Values, reading: Pass) -> Iterable[Record | Problem]:
    """The root observation is the trace's question and answer; the first generation names model and prompt."""
    trace, kind = text(row.get("traceId")), text(row.get("type")).upper()
    root = row.get("isRootObservation") in (True, "true") or not text(row.get("parentObservationId"))
    if root and reading.once(f"root {trace}"):
        if text(row.get("model")):
            reading.once(f"model {trace}")
        return [{**_interaction(row), "interaction_id": trace}]
    if kind == "GENERATION" and text(row.get("model")) and reading.once(f"model {trace}"):
        named = {name: value for name, value in _interaction(row).items() if name in ("model", "prompt_version")}
        return [{**named, "interaction_id": trace}]
    return reading.nothing("steps inside a trace")


def _interaction(row: Values) -> Record:
    version = text(row.get("promptVersion"))
    prompt = text(row.get("promptName"))
    return {
        **rest(row, TAKEN_OF_TRACE, "langfuse"),
        "session_id": text(row.get("sessionId")),
        "created_at": first(row.get("timestamp"), row.get("startTime")),
        "user": text(row.get("userId")),
        "input": asked(row.get("input")),
        "output": answered(row.get("output")),
        "model": text(row.get("model")),
        "prompt_version": f"{prompt} {version}".strip() if version else prompt,
        "tag:environment": text(row.get("environment")),
    }


FORMATS = (
    Format("langfuse-scores", "Langfuse scores", "export of scores (CSV, JSON, JSONL); API scores v2 and v3",
           is_scores, unpack_score, _is_score),
    Format("langfuse-observations", "Langfuse observations", "export or API of observations",
           is_observations, unpack_observation, _is_observation, ("environment",)),
    Format("langfuse-traces", "Langfuse traces", "export or API of traces, with the scores that they hold",
           is_traces, unpack_trace, _is_trace, ("environment",)),
)  # fmt: skip
