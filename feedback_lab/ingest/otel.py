"""OpenTelemetry spans and logs as interactions and feedback; the same meanings as the file formats give them.

A span of a model call becomes an interaction. So does a span with a question or an answer that is the root of its
trace, because its answer is the one that people saw, or that carries feedback itself. Its id is the span's id; it is
also known by its `gen_ai.response.id` and, a root or a call, by its trace's id, so that feedback which names only one
of these meets it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from feedback_lab.ingest.aliases import NamedInteraction
from feedback_lab.ingest.formats.cells import first, structure, text
from feedback_lab.ingest.formats.messages import answered, asked
from feedback_lab.ingest.formats.scores import Scores
from feedback_lab.ingest.items import InteractionItem, Item
from feedback_lab.ingest.otel_judgements import ANNOTATION, EVALUATION, feedback_of, judgement_in, judgements_in
from feedback_lab.ingest.otlp import SPAN_ID, Event, Span, as_json, moment

DETAILS = "gen_ai.client.inference.operation.details"
CALLS = frozenset(("chat", "text_completion", "generate_content", "completion"))
SORTS = ("openinference.span.kind", "gen_ai.operation.name")
# Roots that answer nobody, by OpenInference's kinds and OpenTelemetry's operations: jobs that embed, search or judge.
STEPS = frozenset(
    "embedding embeddings retriever retrieval reranker tool execute_tool guardrail evaluator prompt".split()
)
MESSAGE = re.compile(
    r"(?:llm\.(?:input|output)_messages|gen_ai\.(?:prompt|completion))\.(\d{1,6})\.(?:message\.)?(role|content)"
)
# Where each side of the call stands, the first that holds something counts.
SIDES = {
    "input": ("input.value", "gen_ai.input.messages", "gen_ai.prompt"),
    "output": ("output.value", "gen_ai.output.messages", "gen_ai.completion"),
}
FLAT = {"input": ("llm.input_messages.", "gen_ai.prompt."), "output": ("llm.output_messages.", "gen_ai.completion.")}
TAKEN = frozenset("session.id gen_ai.conversation.id user.id enduser.id llm.prompt_template.version".split())
LONG = re.compile(r"(?:input|output)\.|llm\.(?:input|output)_messages|gen_ai\.(?:input|output|prompt|completion|tool)")
MAX_ATTRIBUTE, MAX_ATTRIBUTES = 2_000, 50_000  # characters of one, and of all that are kept in the metadata


class Translated(NamedTuple):
    """What one span or log record says (nothing, for what is no business of ours), and why parts of it say nothing."""

    items: list[Item]
    problems: list[str]


def of_span(span: Span, *, scores: Scores | None = None) -> Translated:
    """The interaction and the feedback in a span.

    `scores` are what is known of all scores that belong together, as those of one file; without them each judgement
    speaks for itself.
    """
    problems: list[str] = []
    carrier = bool(span.links) and not is_call(span)
    judged = list(judgements_in(span, span.links[0] if carrier else (span.trace_id, span.span_id), problems))
    items: list[Item] = []
    # A root that judges another span is the work of a judge, not an answer that people saw.
    seen = span.root and not _is_step(span) and not (judged and carrier)
    interaction = _interaction(span, seen or any(said.target == span.span_id for said in judged))
    if interaction is not None:
        items.append(interaction)
    for said in judged:
        if said.target.startswith("session:"):
            items.append(InteractionItem(said.target, said.target.removeprefix("session:")))
        items.append(feedback_of(said, scores))
    return Translated(items, problems)


def of_log(log: Event, *, scores: Scores | None = None) -> Translated:
    """The feedback in a log record `gen_ai.evaluation.result`, or the details of a model call; `scores` as above."""
    if log.name == DETAILS and SPAN_ID.fullmatch(log.span_id):
        interaction = _interaction(Span(log.trace_id, log.span_id, "", 0, 0, log.attributes), True)
        return Translated([replace(interaction, metadata={})] if interaction else [], [])
    if log.name != EVALUATION:
        return Translated([], [])
    problems: list[str] = []
    said = judgement_in(log, problems)
    return Translated([feedback_of(said, scores)] if said else [], problems)


def is_call(span: Span) -> bool:
    """Whether the span is one request to a model."""
    given = span.attributes
    if kind := text(given.get("openinference.span.kind")):
        return kind.upper() == "LLM"
    return text(first(given.get("gen_ai.operation.name"), given.get("llm.request.type"))) in CALLS or (
        "gen_ai.operation.name" not in given and any(name.startswith("gen_ai.response.") for name in given)
    )


def _is_step(span: Span) -> bool:
    return text(first(*(span.attributes.get(name) for name in SORTS))).lower() in STEPS


def _interaction(span: Span, seen: bool) -> NamedInteraction | None:
    """The interaction of a model call, or of another span that holds a question or an answer and was `seen`."""
    question, answer = asked(_side(span, "input")), answered(_side(span, "output"))
    called = is_call(span)
    if not called and not (seen and (question or answer)):
        return None
    given = span.attributes
    models = (given.get(name) for name in ("gen_ai.response.model", "gen_ai.request.model", "llm.model_name"))
    names = (text(given.get("gen_ai.response.id")), span.trace_id if called or span.root else "")
    return NamedInteraction(
        interaction_id=span.span_id,
        session_id=first(given.get("session.id"), given.get("gen_ai.conversation.id")) or None,
        created_at=moment(span.start),
        input=question or None,
        output=answer or None,
        model=first(*models) or None,
        prompt_version=text(given.get("llm.prompt_template.version")) or None,
        user=first(given.get("user.id"), given.get("enduser.id")) or None,
        tags=_tags(span.resource),
        metadata=_kept(span),
        also=tuple(name for name in names if name and name != span.span_id),
    )


def _side(span: Span, side: str) -> Any:
    """What went in, or what came out: one attribute, one event's attribute, or messages numbered in names."""
    for given in (span.attributes, *(event.attributes for event in span.events)):
        for name in SIDES[side]:
            if given.get(name) not in (None, "", [], {}):
                return given[name]
    messages: dict[int, dict[str, Any]] = {}
    for name, value in span.attributes.items():
        if name.startswith(FLAT[side]) and (found := MESSAGE.fullmatch(name)):
            messages.setdefault(int(found[1]), {})[found[2]] = value
    return [messages[place] for place in sorted(messages)]


def _kept(span: Span) -> dict[str, Any]:
    """What no field takes: short attributes by name, and what the span itself says."""
    kept: dict[str, Any] = {}
    room = MAX_ATTRIBUTES
    for name, value in span.attributes.items():
        if not LONG.match(name) and not ANNOTATION.match(name) and name not in TAKEN:
            short = as_json(structure(value) if name == "metadata" else value)
            size = len(name) + len(str(short))
            if isinstance(short, bool | int | float | str | Mapping) and size <= min(MAX_ATTRIBUTE, room):
                kept[name] = short
                room -= size
    said = {"span": span.name, "trace_id": span.trace_id, "error": span.error}
    if span.end > span.start > 0:
        said["latency_ms"] = round((span.end - span.start) / 1e6, 3)  # type: ignore[assignment]
    return {name: value for name, value in said.items() if value} | ({"attributes": kept} if kept else {})


def _tags(resource: Mapping[str, Any]) -> dict[str, str]:
    named = {"service": "service.name", "environment": "deployment.environment.name", "version": "service.version"}
    found = {tag: text(resource.get(name)) for tag, name in named.items()}
    return {tag: value for tag, value in found.items() if value and not value.startswith("unknown_service")}
