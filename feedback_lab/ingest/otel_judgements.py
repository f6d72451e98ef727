"""What OpenTelemetry's spans and log records judge, and what a judgement means as feedback.

Feedback is what a span carries as `annotations.<i>` or `evaluations.<i>` (OpenInference), and every event or log
record `gen_ai.evaluation.result`.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from feedback_lab.ingest.formats.cells import block, first, text
from feedback_lab.ingest.formats.scores import ANNOTATORS, Scores
from feedback_lab.ingest.items import FeedbackItem
from feedback_lab.ingest.otlp import Event, Span, as_json, moment
from feedback_lab.records import Population

EVALUATION = "gen_ai.evaluation.result"
ANNOTATION = re.compile(r"(?:(trace|session)\.)?(annotations|evaluations)\.(\d{1,6})\.(?:annotation|evaluation)\.(\w+)")
OF_PEOPLE = re.compile("user|human|thumb")


class Judgement(NamedTuple):
    """One judgement as it stands in attributes; `time` in Unix nanoseconds, 0 for none."""

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


def judgements_in(span: Span, about: tuple[str, str], problems: list[str]) -> Iterator[Judgement]:
    """What a span judges: the span `about` (ids of trace and span), its trace, or its session.

    Why a judgement cannot be used is added to `problems`.
    """
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
            target = about[1] if about[1] != span.span_id or named in own else text(named)
            if found := _evaluation(event, target, f"{span.span_id}/event.{number}", problems, span):
                yield found


def judgement_in(log: Event, problems: list[str]) -> Judgement | None:
    """What a log record `EVALUATION` judges; None, and the reason in `problems`, where it cannot be used."""
    about = first(log.attributes.get("gen_ai.response.id"), log.span_id)
    return _evaluation(log, about, f"{log.span_id or 'log'}/{_digest(log)}", problems)


def feedback_of(said: Judgement, scores: Scores | None) -> FeedbackItem:
    """The judgement as feedback; `scores` are what is known of all scores that belong together, if anything."""
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


def _annotation(
    span: Span, target: str, feedback_id: str, form: str, given: Mapping[str, Any], problems: list[str]
) -> Judgement | None:
    annotator = text(given.get("annotator_kind"))
    population = ANNOTATORS.get(annotator.upper(), Population.JUDGE if form == "evaluations" else Population.USER)
    said = Judgement(
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
) -> Judgement | None:
    given = {name.removeprefix("gen_ai.evaluation."): value for name, value in event.attributes.items()}
    name = text(given.get("name"))
    population = Population.USER if OF_PEOPLE.search(name.lower()) else Population.JUDGE
    speaking = {**(span.attributes if span else {}), **event.attributes}
    said = Judgement(
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


def _sound(said: Judgement, problems: list[str]) -> Judgement | None:
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


def _opinion(said: Judgement) -> Mapping[str, Any]:
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
