"""Phoenix: annotations of spans (API, dataframe) and spans. They meet on the span's id.

Annotations of a whole trace or session name no span, so they stand as interactions of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from feedback_lab.ingest.formats.cells import Record, Values, first, inside, mostly, rest, text
from feedback_lab.ingest.formats.format import Format, Pass, says_something
from feedback_lab.ingest.formats.scores import ANNOTATORS, rater
from feedback_lab.ingest.reading.batches import Problem
from feedback_lab.records import Population

RESULT = ("label", "score", "explanation")
SUBJECTS = ("span_id", "context.span_id", "trace_id", "session_id")
TAKEN = ("id", "created_at", "result", "user_id", *RESULT, *(f"result.{name}" for name in RESULT), *SUBJECTS)


def is_annotations(header: Sequence[str], sample: Sequence[Values]) -> str | None:
    """An annotator kind in Phoenix's words with a span, trace or session; or the columns of its dataframe."""
    if any(name in header for name in SUBJECTS) and mostly(sample, _is_annotation):
        return "its rows are annotations with an annotator_kind (HUMAN, LLM or CODE) of a span, trace or session"
    if {"label", "score", "explanation"} <= set(header) and {"span_id", "context.span_id"} & set(header):
        return "its columns are those of Phoenix's dataframe of annotations: span_id, label, score, explanation"
    return None


def _is_annotation(row: Values) -> bool:
    return text(row.get("annotator_kind")) in ANNOTATORS


def unpack_annotation(row: Values, reading: Pass) -> Iterator[Record | Problem]:
    """One annotation: the label where it is plain, else the score; the explanation is the comment."""
    kind = first(row.get("annotator_kind"), "HUMAN")
    population = ANNOTATORS.get(kind, Population.JUDGE)
    if kind == "HUMAN" and row.get("source") == "APP":
        population = Population.REVIEWER
    name = first(row.get("name"), row.get("annotation_name"), "annotation")
    label, score, explanation = (
        first(inside(row, "result", part), row.get(f"result.{part}"), row.get(part)) for part in RESULT
    )
    record: Record = {
        **rest(row, TAKEN, "phoenix"),
        "interaction_id": first(row.get("span_id"), row.get("context.span_id"), row.get("trace_id")),
        "session_id": text(row.get("session_id")),
        "feedback_id": text(row.get("id")),
        "rated_at": text(row.get("created_at")),
        "rater": rater(population, name, row.get("user_id")),
        "population": population,
        "comment": explanation,
        **reading.scores.labelled(name, label, score, population),
    }
    if not says_something(record):
        yield Problem("label", "no_value", f"the annotation {name!r} has no label, score or explanation")
        return
    yield record


FORMATS = (
    Format("phoenix-annotations", "Phoenix annotations", "annotations by the API or as a dataframe's CSV",
           is_annotations, unpack_annotation, _is_annotation),
)  # fmt: skip
