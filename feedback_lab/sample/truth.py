"""The plan of the sample world, laid over the calendar: knowledge entries, markers, and what was planted."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from random import Random

from feedback_lab.records import Entry, Feedback, Marker, Polarity
from feedback_lab.sample import plan
from feedback_lab.sample.draw import day_of_world
from feedback_lab.sample.texts import TOPICS

REVIEWERS = ("maren", "tobias", "ines")
MOST_SOURCES = 3
ENTRY_IDS = {
    intent: f"K-{number}"
    for number, intent in enumerate(sorted(plan.ENTRIES, key=lambda intent: plan.ENTRIES[intent][1]), start=1)
}


def shows(unit: str, entry_id: str) -> bool:
    """Whether `unit` (a session id) is in the arm that is shown the entry: a fair coin that always falls alike."""
    return hashlib.blake2b(f"{unit}:{entry_id}".encode(), digest_size=1).digest()[0] < 128


def entries(last_day: date, seed: int, intent_of: Mapping[str, str], feedback: Sequence[Feedback]) -> list[Entry]:
    """The knowledge entries, decided the day before their batch went live.

    `intent_of` says which "topic/intent" an interaction id asked for. The sources of an entry are the first
    users' corrections and negative comments on such interactions that were there when it was decided.
    """
    rng = Random(seed)
    critical = [
        each for each in feedback if each.suggested_answer or (each.comment and each.polarity == Polarity.NEGATIVE)
    ]
    made = []
    for number, (intent, entry_id) in enumerate(ENTRY_IDS.items()):
        topic, name = intent.split("/")
        question, answer = TOPICS[topic].intents[name].entry or ("", "")
        eve = day_of_world(last_day, plan.BATCH_DAYS[plan.ENTRIES[intent][1]] - 1)
        decided = datetime.combine(eve, time(9)) + timedelta(minutes=11 * number, seconds=rng.randrange(600))
        known = [each for each in critical if each.received_at < decided]
        sources = [each.feedback_id for each in known if intent_of[each.interaction_id] == intent]
        made.append(
            Entry(
                entry_id=entry_id,
                question=question,
                answer=answer,
                scope=TOPICS[topic].slug,
                sources=tuple(sources[:MOST_SOURCES]),
                decided_by=rng.choice(REVIEWERS),
                decided_at=decided.isoformat() + "Z",
            )
        )
    return made


def markers(last_day: date) -> list[Marker]:
    """The moments that the product's team knows of: releases, rollouts, and batches of knowledge entries."""
    events = [
        (plan.WORSE_DAY, "release-4.2", "release", "Release 4.2: price list import"),
        (plan.BETTER_DAY, "release-4.1", "release", "Release 4.1: new sign-in guide"),
        (plan.MODEL_ROLLOUT[0], "model", "model", f"{tuple(plan.MODELS)[1]}: rollout begins"),
    ]
    for version, rollout in zip(plan.PROMPT_VERSIONS[1:], plan.PROMPT_ROLLOUTS, strict=True):
        events.append((rollout[0], version, "prompt", f"{version}: rollout begins"))
    for number, day in enumerate(plan.BATCH_DAYS, start=1):
        events.append((day, f"kb-{number}", "knowledge", f"Knowledge kb-{number}"))
    made = [
        Marker(f"m-{name}", datetime.combine(day_of_world(last_day, day), time()), kind, label)
        for day, name, kind, label in events
    ]
    return sorted(made, key=lambda marker: (marker.at, marker.marker_id))


def planted(last_day: date, topic_of: Mapping[str, str], complaint_of: Mapping[str, str]) -> plan.Planted:
    """What was planted, with the ids and days of this world."""
    first, last = plan.REGRESSION_DAYS
    return plan.Planted(
        topics=plan.TOPICS,
        complaints=plan.COMPLAINTS,
        worse_release=plan.ReleasePlan(
            "m-release-4.2",
            plan.WORSE_TOPIC,
            day_of_world(last_day, plan.WORSE_DAY),
            plan.WORSE_POINTS,
            plan.WORSE_COMPLAINT,
        ),
        better_release=plan.ReleasePlan(
            "m-release-4.1",
            plan.BETTER_TOPIC,
            day_of_world(last_day, plan.BETTER_DAY),
            plan.BETTER_POINTS,
            plan.BETTER_COMPLAINT,
        ),
        regression=plan.RegressionPlan(
            plan.REGRESSION_TOPIC, day_of_world(last_day, first), day_of_world(last_day, last), plan.REGRESSION_DRAWS
        ),
        entry_points={ENTRY_IDS[intent]: points for intent, (points, _) in plan.ENTRIES.items()},
        intent_of_entry={entry_id: intent for intent, entry_id in ENTRY_IDS.items()},
        good_entry=ENTRY_IDS[plan.GOOD_ENTRY],
        neutral_entry=ENTRY_IDS[plan.NEUTRAL_ENTRY],
        harmful_entry=ENTRY_IDS[plan.HARMFUL_ENTRY],
        model_points=plan.MODELS,
        prompt_versions=plan.PROMPT_VERSIONS,
        topic_of=topic_of,
        complaint_of=complaint_of,
    )
