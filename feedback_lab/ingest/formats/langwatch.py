"""LangWatch: events of thumbs, and annotations. Both name the trace."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from feedback_lab.ingest.formats.cells import Record, Values, block, first, inside, mostly, rest, text
from feedback_lab.ingest.formats.format import Format, Pass
from feedback_lab.ingest.formats.messages import answered
from feedback_lab.ingest.reading.batches import Problem
from feedback_lab.records import Population

TAKEN_OF_EVENT = ("event_id", "trace_id", "metrics", "event_details", "timestamp", "user_id", "thread_id")
TAKEN_OF_ANNOTATION = ("id", "traceId", "comment", "isThumbsUp", "expectedOutput", "userId", "email", "createdAt")


def is_events(header: Sequence[str], sample: Sequence[Values]) -> str | None:
    """An event with a type, metrics and a trace."""
    if mostly(sample, lambda row: "event_type" in row and "trace_id" in row) and any(map(_is_event, sample)):
        return "its rows are LangWatch events with a vote"
    return None


def _is_event(row: Values) -> bool:
    return {"event_type", "trace_id"} <= row.keys() and "vote" in block(row, "metrics")


def unpack_event(row: Values, reading: Pass) -> Iterator[Record | Problem]:
    """A vote of 1 or -1 is a thumb; 0 takes one back and is neutral."""
    if "vote" not in block(row, "metrics"):
        yield from reading.nothing("events without a vote")
        return
    vote = text(inside(row, "metrics", "vote"))
    if vote not in ("1", "-1", "0", "1.0", "-1.0", "0.0"):
        yield Problem("metrics", "no_value", "the event has no vote of 1, 0 or -1")
        return
    neutral = float(vote) == 0
    yield {
        **rest(row, TAKEN_OF_EVENT, "langwatch"),
        "interaction_id": text(row.get("trace_id")),
        "session_id": text(row.get("thread_id")),
        "feedback_id": text(row.get("event_id")),
        "rated_at": text(row.get("timestamp")),
        "rater": text(row.get("user_id")),
        "comment": first(inside(row, "event_details", "feedback")),
        **({"kind": "rating", "value": 0, "scale": "-1:1"} if neutral else {"kind": "thumb", "value": vote}),
    }


def is_annotations(header: Sequence[str], sample: Sequence[Values]) -> str | None:
    """A thumb called isThumbsUp on a trace."""
    if {"traceId", "isThumbsUp"} <= set(header):
        return "its rows are LangWatch annotations: traceId and isThumbsUp"
    return None


def _is_annotation(row: Values) -> bool:
    return {"traceId", "isThumbsUp"} <= row.keys()


def unpack_annotation(row: Values, reading: Pass) -> Iterator[Record | Problem]:
    """An annotation is a reviewer's: thumb, comment, and the output that was expected."""
    thumb = text(row.get("isThumbsUp")).lower()
    record: Record = {
        **rest(row, TAKEN_OF_ANNOTATION, "langwatch"),
        "interaction_id": text(row.get("traceId")),
        "feedback_id": text(row.get("id")),
        "rated_at": text(row.get("createdAt")),
        "rater": first(row.get("userId"), row.get("email"), inside(row, "user", "id")),
        "population": Population.REVIEWER,
        "comment": text(row.get("comment")),
        "suggested_answer": answered(row.get("expectedOutput")),
    }
    if thumb in ("true", "false"):
        record |= {"kind": "thumb", "value": "up" if thumb == "true" else "down"}
    if not thumb and not record["comment"] and not record["suggested_answer"]:
        yield Problem(
            "isThumbsUp", "no_value", "the annotation has neither a thumb nor a comment nor an expected output"
        )
        return
    yield record


FORMATS = (
    Format(
        "langwatch-events",
        "LangWatch events",
        "events of thumbs as the API takes them",
        is_events,
        unpack_event,
        _is_event,
    ),
    Format(
        "langwatch-annotations",
        "LangWatch annotations",
        "annotations of the API",
        is_annotations,
        unpack_annotation,
        _is_annotation,
    ),
)
