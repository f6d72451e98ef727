"""OpenTelemetry and OpenInference in files: the same meanings as over the wire (`ingest.otel`), as flat records.

What names a response or a trace instead of a span meets its interaction within the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from feedback_lab.ingest import otel
from feedback_lab.ingest.aliases import NamedInteraction
from feedback_lab.ingest.formats.cells import Record, Values, mostly, rest
from feedback_lab.ingest.formats.format import Format, Pass
from feedback_lab.ingest.formats.spans import is_block, is_span, spans_in
from feedback_lab.ingest.items import FeedbackItem, InteractionItem, Item
from feedback_lab.ingest.meaning.numbers import scale_words
from feedback_lab.ingest.otlp import logs_of
from feedback_lab.ingest.planning.plan import TAG
from feedback_lab.ingest.reading.batches import Problem

TAGS = ("service", "environment", "version")


def is_otlp(header: Sequence[str], sample: Sequence[Values]) -> str | None:
    """Blocks of OTLP in JSON."""
    if mostly(sample, is_block):
        return "its rows are OTLP in JSON: resourceSpans or resourceLogs"
    return None


def is_spans(header: Sequence[str], sample: Sequence[Values]) -> str | None:
    """One span a row."""
    if mostly(sample, is_span):
        return "its rows are spans: ids of span and trace with attributes"
    return None


def unpack(row: Values, reading: Pass) -> Iterable[Record | Problem]:
    """The interactions and the feedback of all spans and logs of the row."""
    scores = reading.scores
    read = [(span, otel.of_span(span, scores=scores)) for span in spans_in(row)]
    # As over the wire: what ended last goes by the trace's name.
    for _, found in sorted(read, key=lambda one: -one[0].end):
        _learn_names(found, reading)
    for _, found in read:
        yield from _records(found, reading, "spans that are steps inside a trace")
    for log in logs_of(row):
        yield from _records(otel.of_log(log, scores=scores), reading, "logs of other things")


def _learn_names(found: otel.Translated, reading: Pass) -> None:
    for item in found.items:
        if isinstance(item, NamedInteraction):
            for name in item.also:
                reading.names.setdefault(name, str(item.interaction_id))


def _records(found: otel.Translated, reading: Pass, otherwise: str) -> Iterator[Record | Problem]:
    for problem in found.problems:
        yield Problem(None, "no_value", problem)
    for item in found.items:
        yield _record(item, reading)
    if not found.items and not found.problems:
        yield from reading.nothing(otherwise)


def _record(item: Item, reading: Pass) -> Record:
    if isinstance(item, InteractionItem):
        return {
            **rest(item.metadata, (), "otel"),
            **{TAG + name: value for name, value in item.tags.items() if name in TAGS},
            **_given(item, "interaction_id session_id input output model prompt_version user"),
            "created_at": _moment(item.created_at),
        }
    assert isinstance(item, FeedbackItem)
    return {
        **rest(item.metadata, (), "otel"),
        **_given(item, "feedback_id kind value comment population"),
        "interaction_id": reading.names.get(item.interaction_id, item.interaction_id),
        "scale": scale_words(item.scale) if item.scale else None,
        "rated_at": _moment(item.created_at),
        "rater": item.user,
    }


def _given(item: Item, names: str) -> Record:
    return {name: getattr(item, name) for name in names.split()}


def _moment(value: Any) -> str | None:
    return value.isoformat() if value is not None else None


FORMATS = (
    Format(
        "otlp",
        "OpenTelemetry (OTLP JSON)",
        "traces and logs as the Collector's file exporter writes them",
        is_otlp,
        unpack,
        is_block,
        TAGS,
    ),
    Format(
        "spans",
        "OpenTelemetry or Phoenix spans",
        "spans as the SDK, Phoenix's API or its dataframe give them",
        is_spans,
        unpack,
        is_span,
        TAGS,
    ),
)
