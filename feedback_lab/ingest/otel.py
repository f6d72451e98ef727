"""OpenTelemetry spans and logs as interactions and feedback; the same meanings as the file formats give them.

A span of a model call becomes an interaction, and so does any span with a question or an answer that carries
feedback itself. Its id is the span's id; it is also known by its `gen_ai.response.id` and by its trace's id, so that
feedback which names only one of these meets it. Feedback is what a span carries as `annotations.<i>` or
`evaluations.<i>` (OpenInference), and every event or log record `gen_ai.evaluation.result`.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from feedback_lab.ingest.aliases import NamedInteraction
from feedback_lab.ingest.formats.cells import answered, asked, block, first, structure, text
from feedback_lab.ingest.formats.scores import Scores
from feedback_lab.ingest.items import FeedbackItem, InteractionItem, Item
from feedback_lab.ingest.otlp import SPAN_ID, Event, Span, as_json
from feedback_lab.records import Population

EVALUATION = "gen_ai.evaluation.result"
DETAILS = "gen_ai.client.inference.operation.details"
CALLS = frozenset(("chat", "text_completion", "generate_content", "completion"))
ANNOTATION = re.compile(r"(?:(trace|session)\.)?(annotations|evaluations)\.(\d{1,6})\.(?:annotation|evaluation)\.(\w+)")
MESSAGE = re.compile(
    r"(?:llm\.(?:input|output)_messages|gen_ai\.(?:prompt|completion))\.(\d{1,6})\.(?:message\.)?(role|content)"
)
POPULATIONS = {"HUMAN": Population.USER, "LLM": Population.JUDGE, "CODE": Population.JUDGE}
OF_PEOPLE = re.compile("user|human|thumb")
# Where each side of the call stands, the first that holds something counts.
SIDES = {
    "input": ("input.value", "gen_ai.input.messages", "gen_ai.prompt"),
    "output": ("output.value", "gen_ai.output.messages", "gen_ai.completion"),
}
FLAT = {"input": ("llm.input_messages.", "gen_ai.prompt."), "output": ("llm.output_messages.", "gen_ai.completion.")}
TAKEN = frozenset("session.id gen_ai.conversation.id user.id enduser.id llm.prompt_template.version".split())
LONG = re.compile(r"(?:input|output)\.|llm\.(?:input|output)_messages|gen_ai\.(?:input|output|prompt|completion|tool)")
MAX_ATTRIBUTE, MAX_ATTRIBUTES = 2_000, 50_000  # characters of one, and of all that are kept in the metadata
EPOCH = datetime(1970, 1, 1)


class Translated(NamedTuple):
    """What one span or log record says (nothing, for what is no business of ours), and why parts of it say nothing."""

    items: list[Item]
    problems: list[str]


class _Said(NamedTuple):
    """One judgement as it stands in attributes."""

    target: str
    feedback_id: str
    name: str
    label: str
    score: Any
    explanation: str
    annotator: str
    user: str
    time: int
    more: dict[str, Any]
    population: Population


def of_span(span: Span, *, scores: Scores | None = None, root: bool = False) -> Translated:
    """The interaction and the feedback in a span.

    A `root` is an interaction where it holds a question or an answer, judged or not. `scores` are what is known of
    all scores that belong together, as those of one file; without them each judgement speaks for itself.
    """
    problems: list[str] = []
    judged = list(_judgements(span, problems))
    items: list[Item] = []
    interaction = _interaction(span, root or any(said.target == span.span_id for said in judged))
    if interaction is not None:
        items.append(interaction)
    for said in judged:
        if said.target.startswith("session:"):
            items.append(InteractionItem(said.target, said.target.removeprefix("session:")))
        items.append(_feedback(said, scores))
    return Translated(items, problems)


def of_log(log: Event, *, scores: Scores | None = None) -> Translated:
    """The feedback in a log record `gen_ai.evaluation.result`, or the details of a model call; `scores` as above."""
    if log.name == DETAILS and SPAN_ID.fullmatch(log.span_id):
        interaction = _interaction(Span(log.trace_id, log.span_id, "", 0, 0, log.attributes), True)
        return Translated([replace(interaction, metadata={})] if interaction else [], [])
    if log.name != EVALUATION:
        return Translated([], [])
    about = first(log.attributes.get("gen_ai.response.id"), log.span_id)
    problems: list[str] = []
    said = _evaluation(log, about, f"{log.span_id or 'log'}/{_digest(log)}", problems)
    return Translated([_feedback(said, scores)] if said else [], problems)


def is_call(span: Span) -> bool:
    """Whether the span is one request to a model."""
    given = span.attributes
    if kind := text(given.get("openinference.span.kind")):
        return kind.upper() == "LLM"
    return text(first(given.get("gen_ai.operation.name"), given.get("llm.request.type"))) in CALLS or (
        "gen_ai.operation.name" not in given and any(name.startswith("gen_ai.response.") for name in given)
    )


def _interaction(span: Span, judged: bool) -> NamedInteraction | None:
    question, answer = asked(_side(span, "input")), answered(_side(span, "output"))
    called = is_call(span)
    if not called and not (judged and (question or answer)):
        return None
    given = span.attributes
    models = (given.get(name) for name in ("gen_ai.response.model", "gen_ai.request.model", "llm.model_name"))
    names = (text(given.get("gen_ai.response.id")), span.trace_id if called else "")
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


def _judgements(span: Span, problems: list[str]) -> Iterator[_Said]:
    carrier = bool(span.links) and not is_call(span)
    about = span.links[0] if carrier else (span.trace_id, span.span_id)
    session = text(span.attributes.get("session.id"))
    groups: dict[tuple[str, str, int], dict[str, Any]] = {}
    for name, value in span.attributes.items():
        if place := ANNOTATION.fullmatch(name):
            groups.setdefault((place[1] or "span", place[2], int(place[3])), {})[place[4]] = value
    for (scope, form, number), given in sorted(groups.items()):
        target = {"span": about[1], "trace": about[0], "session": session and f"session:{session}"}[scope]
        if said := _annotation(span, target, f"{span.span_id}/{scope}.{form}.{number}", form, given, problems):
            yield said
    own = (span.attributes.get("gen_ai.response.id"), "", None)
    for number, event in enumerate(span.events):
        if event.name == EVALUATION:
            named = event.attributes.get("gen_ai.response.id")
            target = about[1] if carrier or named in own else text(named)
            if found := _evaluation(event, target, f"{span.span_id}/event.{number}", problems, span):
                yield found


def _annotation(
    span: Span, target: str, feedback_id: str, form: str, given: Mapping[str, Any], problems: list[str]
) -> _Said | None:
    annotator = text(given.get("annotator_kind"))
    population = POPULATIONS.get(annotator.upper(), Population.JUDGE if form == "evaluations" else Population.USER)
    said = _Said(
        target,
        feedback_id,
        text(given.get("name")),
        text(given.get("label")),
        given.get("score"),
        text(given.get("explanation")),
        annotator,
        _rater(span.attributes, population, first(given.get("identifier"), given.get("name"))),
        span.start,
        {"identifier": text(given.get("identifier")), **block(given, "metadata")},
        population,
    )
    return _sound(said, problems)


def _evaluation(
    event: Event, target: str, feedback_id: str, problems: list[str], span: Span | None = None
) -> _Said | None:
    given = {name.removeprefix("gen_ai.evaluation."): value for name, value in event.attributes.items()}
    name = text(given.get("name"))
    population = Population.USER if OF_PEOPLE.search(name.lower()) else Population.JUDGE
    speaking = {**(span.attributes if span else {}), **event.attributes}
    said = _Said(
        target,
        feedback_id,
        name,
        text(given.get("score.label")),
        given.get("score.value"),
        text(given.get("explanation")),
        "",
        _rater(speaking, population, name),
        event.time,
        {"error": text(given.get("error.type"))},
        population,
    )
    return _sound(said, problems)


def _rater(given: Mapping[str, Any], population: Population, judge: str) -> str:
    """Whose judgement it is: the user's, or the judge's by its name, so that two judges stay two."""
    return first(given.get("user.id"), given.get("enduser.id")) if population is Population.USER else f"judge:{judge}"


def _sound(said: _Said, problems: list[str]) -> _Said | None:
    what = f"the judgement {said.name or said.feedback_id!r}"
    if not said.target:
        problems.append(f"{what} names neither a span nor a response nor a session")
    elif not said.name:
        problems.append(f"{what} has no name")
    elif not said.label and said.score is None and not said.explanation:
        problems.append(f"{what} has no label, score or explanation")
    else:
        return said
    return None


def _feedback(said: _Said, scores: Scores | None) -> FeedbackItem:
    opinion = _opinion(said) if scores is None else scores.labelled(said.name, said.label, said.score, said.population)
    scale = opinion.get("scale")
    kept = {"name": said.name, "label": said.label, "score": said.score, "annotator": said.annotator, **said.more}
    return FeedbackItem(
        interaction_id=said.target,
        feedback_id=said.feedback_id,
        kind=opinion.get("kind"),
        value=opinion.get("value"),
        scale=tuple(map(float, scale.split(":"))) if scale else None,  # type: ignore[arg-type]
        comment=said.explanation or None,
        created_at=moment(said.time),
        user=said.user or None,
        population=said.population,
        source="otlp",
        metadata={name: value for name, value in as_json(kept).items() if value not in (None, "", {})},
    )


def _opinion(said: _Said) -> Mapping[str, Any]:
    """The label's meaning where it is plain, else the score's: 1, 0 and -1 are thumbs, up to 1 it is a share.

    One event tells nothing of the scale of any other number, so that is kept as a signal which no rate counts.
    """
    found = Scores(learns=False).opinion(said.name, said.label, population=said.population) if said.label else {}
    if isinstance(said.score, int | float) and found.get("kind") not in ("thumb", "rating"):
        known = 0 <= said.score <= 1 or said.score == -1
        scores = Scores(learns=False, numbers={said.name: {float(said.score)}} if known else {})
        found = scores.opinion(said.name, said.score, population=said.population if known else Population.JUDGE)
    return found


def _digest(log: Event) -> str:
    """The same record sent again gets the same id."""
    given = json.dumps([log.trace_id, log.span_id, log.time, log.attributes], sort_keys=True, default=str)
    return hashlib.sha256(given.encode(errors="surrogatepass")).hexdigest()[:32]


def moment(nanoseconds: int) -> datetime | None:
    """Unix nanoseconds as a moment in UTC; None for 0, which stands for no time."""
    if not 0 < nanoseconds < 2**63:
        return None
    return EPOCH + timedelta(microseconds=nanoseconds // 1_000)
