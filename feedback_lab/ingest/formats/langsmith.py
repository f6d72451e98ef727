"""LangSmith: feedback, and runs. They meet on the run's id."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from feedback_lab.ingest.formats.cells import Record, Values, blocks, first, inside, mostly, rest, structure, text
from feedback_lab.ingest.formats.format import Format, Pass, says_something
from feedback_lab.ingest.formats.messages import answered, asked
from feedback_lab.ingest.formats.scores import rater
from feedback_lab.ingest.reading.batches import Problem
from feedback_lab.records import Population

SOURCES = {"api": Population.USER, "app": Population.REVIEWER}  # everything else is a model's or an evaluator's
TYPE = re.compile(r"""['"]?type['"]?\s*[:=]\s*['"](\w+)""")
TAKEN_OF_FEEDBACK = ("id", "created_at", "run_id", "trace_id", "score", "value", "comment", "correction")
TAKEN_OF_RUN = ("id", "start_time", "inputs", "outputs", "feedback")


def is_feedback(header: Sequence[str], sample: Sequence[Values]) -> str | None:
    """LangSmith's feedback has a key, a run and a source."""
    if {"key", "run_id", "score"} <= set(header) and {"feedback_source", "correction", "modified_at"} & set(header):
        return "its rows are feedback: key, run_id and score with LangSmith's feedback_source or correction"
    return None


def _is_feedback(row: Values) -> bool:
    return {"key", "run_id"} <= row.keys() and "run_type" not in row


def unpack_feedback(row: Values, reading: Pass) -> Iterator[Record | Problem]:
    """One feedback: its score or its value, its comment and its correction."""
    population = _population(row.get("feedback_source"))
    name = first(row.get("key"), "feedback")
    score = row.get("score") if text(row.get("score")) else row.get("value")
    correction = structure(row.get("correction"))
    record: Record = {
        **rest(row, TAKEN_OF_FEEDBACK, "langsmith"),
        "interaction_id": first(row.get("run_id"), row.get("trace_id")),
        "feedback_id": text(row.get("id")),
        "rated_at": text(row.get("created_at")),
        "rater": rater(population, name, *(inside(row, "feedback_source", key) for key in ("user_id", "user_name"))),
        "population": population,
        "comment": text(row.get("comment")),
        "suggested_answer": answered(correction) if correction else "",
        "value_label": text(row.get("value")) if score is not row.get("value") else "",
    }
    record |= reading.scores.opinion(name, score, population=population, declared=_declared(row))
    if not says_something(record):
        yield Problem("score", "no_value", f"the feedback {name!r} has no score, value, comment or correction")
        return
    yield record


def _population(source: Any) -> Population:
    """Whose feedback it is, by the source's type; a dataframe's CSV may hold the source as Python prints it."""
    kind = text(inside({"source": source}, "source", "type"))
    if not kind and (found := TYPE.search(text(source))):
        kind = found[1]
    return SOURCES.get(kind, Population.JUDGE if kind else Population.USER)


def _declared(row: Values) -> tuple[float, float] | None:
    """The scale of a continuous score, where the feedback's configuration names both ends."""
    for path in (("feedback_config",), ("extra", "feedback_config")):
        low, high = inside(row, *path, "min"), inside(row, *path, "max")
        if isinstance(low, int | float) and isinstance(high, int | float) and low < high:
            return float(low), float(high)
    return None


def is_runs(header: Sequence[str], sample: Sequence[Values]) -> str | None:
    """LangSmith's runs have a run_type."""
    if {"id", "run_type", "inputs", "outputs"} <= set(header) and mostly(sample, _is_run):
        return "its rows are runs: run_type, inputs and outputs as LangSmith has them"
    return None


def _is_run(row: Values) -> bool:
    return bool(text(row.get("run_type")))


def unpack_run(row: Values, reading: Pass) -> Iterable[Record | Problem]:
    """A run without a parent, or of a model, is an interaction; feedback that it holds follows."""
    if text(row.get("parent_run_id")) and text(row.get("run_type")) != "llm":
        return reading.nothing("steps inside a run")
    return _run(row, reading)


def _run(row: Values, reading: Pass) -> Iterator[Record | Problem]:
    metadata = structure(inside(row, "extra", "metadata"))
    yield {
        **rest(row, TAKEN_OF_RUN, "langsmith"),
        "interaction_id": text(row.get("id")),
        "session_id": first(
            row.get("thread_id"), *(inside(metadata, n) for n in ("session_id", "thread_id", "conversation_id"))
        ),
        "created_at": text(row.get("start_time")),
        "user": first(inside(metadata, "user_id")),
        "input": asked(row.get("inputs")),
        "output": answered(row.get("outputs")),
        "model": first(inside(metadata, "ls_model_name"), inside(row, "extra", "invocation_params", "model")),
        "prompt_version": first(inside(metadata, "lc_hub_commit_hash"), inside(metadata, "prompt_version")),
    }
    for feedback in blocks(row, "feedback"):
        yield from unpack_feedback({"run_id": row.get("id"), **feedback}, reading)


FORMATS = (
    Format("langsmith-feedback", "LangSmith feedback", "feedback as the SDK lists it (JSON, JSONL, CSV)",
           is_feedback, unpack_feedback, _is_feedback),
    Format("langsmith-runs", "LangSmith runs", "runs as the SDK lists them, or a bulk export",
           is_runs, unpack_run, _is_run),
)  # fmt: skip
