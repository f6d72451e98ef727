"""The sample world: ninety days of a bank's help assistant, seeded, with planted truths.

`make_world` draws who comes and votes (`draw`), lets them talk (`talk`) and logs what a real
product would log (`log`). What is true behind the records stands in `World.planted` only.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime
from random import Random

import numpy as np

from feedback_lab.records import Entry, Exposure, Feedback, Interaction, Kind, Marker
from feedback_lab.sample import plan
from feedback_lab.sample.draw import TOPIC_NAMES, Crowd, Visits, draw_crowd, draw_visits, release_points
from feedback_lab.sample.log import Log, Words
from feedback_lab.sample.talk import Talk
from feedback_lab.sample.truth import ENTRY_IDS, entries, markers, planted, shows

LOCALES = ("en-IE", "en-GB", "en-DE", "en-NL", "de-DE")
LOCALE_SHARES = (0.46, 0.2, 0.12, 0.1, 0.12)
PLANS, PLAN_SHARES = ("Standard", "Plus", "Business"), (0.68, 0.24, 0.08)
STRANGER_CARELESSNESS = 0.15
# Its multiples modulo 1 fill the unit interval evenly, in an order that looks random.
GOLDEN_RATIO = 0.6180339887498949


@dataclass(frozen=True, slots=True)
class World:
    """Everything the sample world's log holds, each list in order of time, and what was planted in it."""

    interactions: list[Interaction]
    feedback: list[Feedback]
    entries: list[Entry]
    exposures: list[Exposure]
    markers: list[Marker]
    planted: plan.Planted


def make_world(last_day: date, seed: int = 7) -> World:
    """The world whose 90th and last day is `last_day` (UTC, inclusive); the same arguments give the same world.

    About 20,000 interactions in 7,000 sessions and 4,800 verdicts. `received_at` lies shortly after
    `created_at`, and both lie before the end of `last_day`.
    """
    numbers = np.random.default_rng(seed)
    crowd = draw_crowd(numbers)
    scribe = _Scribe(last_day, seed, crowd, draw_visits(numbers, crowd, last_day))
    for session in range(plan.SESSIONS):
        scribe.write_session(session)
    log = scribe.log
    log.interactions.sort(key=lambda each: (each.created_at or each.received_at, each.interaction_id))
    log.feedback.sort(key=lambda each: (each.created_at or each.received_at, each.feedback_id))
    log.exposures.sort(key=lambda each: (each.at, each.exposure_id))
    return World(
        interactions=log.interactions,
        feedback=log.feedback,
        entries=entries(last_day, seed, scribe.intent_of, log.feedback),
        exposures=log.exposures,
        markers=markers(last_day),
        planted=planted(last_day, scribe.topic_of, log.complaint_of),
    )


@dataclass(frozen=True, slots=True)
class _Session:
    """What stays the same for a session: who, from where, with what. `user` is -1 for a stranger."""

    session_id: str
    user: int
    user_hash: str | None
    day: int
    model: str
    prompt_version: str
    tags: dict[str, str]
    talk: Talk


@dataclass(frozen=True, slots=True)
class _Turn:
    """An interaction as its user lived it: `pleased` by the answer or not, and by which `fault`."""

    interaction: Interaction
    at: float
    pleased: bool
    fault: str
    fault_is_the_fact: bool


class _Scribe:
    """Writes the log of one world, session by session."""

    def __init__(self, last_day: date, seed: int, crowd: Crowd, visits: Visits) -> None:
        self.rng = Random(seed)
        self.log = Log(self.rng, last_day)
        self.topic_of: dict[str, str] = {}
        self.intent_of: dict[str, str] = {}
        self._crowd, self._visits = crowd, visits
        self._first = np.searchsorted(visits.session, np.arange(plan.SESSIONS + 1)).tolist()
        self._votes_in: Counter[tuple[str, bool, bool]] = Counter()
        count = len(crowd.visits)
        self._hashes = [f"{self.rng.getrandbits(64):016x}" for _ in range(count)]
        self._plans = self.rng.choices(PLANS, PLAN_SHARES, k=count)
        self._locales = self.rng.choices(LOCALES, LOCALE_SHARES, k=count)

    def write_session(self, session: int) -> None:
        """Log one session: its turns, what was voted and said, and what its user did without a word."""
        about = self._session(session)
        previous: _Turn | None = None
        for index in range(self._first[session], self._first[session + 1]):
            turn = self._turn(about, index, previous)
            if previous and about.talk.rephrased:
                self.log.signal(previous.interaction, "rephrase", turn.at - previous.at)
            self._react(about, turn, rated=bool(self._visits.rated[index]))
            previous = turn
        if previous and not previous.pleased and self.rng.random() < 0.3:
            self.log.signal(previous.interaction, "abandon", 300)

    def _session(self, session: int) -> _Session:
        rng, user = self.rng, int(self._visits.user[session])
        day, known = self._visits.day(self._first[session]), user >= 0
        locale = self._locales[user] if known else rng.choices(LOCALES, LOCALE_SHARES)[0]
        plan_name = self._plans[user] if known else PLANS[0]
        carelessness = float(self._crowd.carelessness[user]) if known else STRANGER_CARELESSNESS
        prompts = [rng.random() < _rolled_out(day, rollout) for rollout in plan.PROMPT_ROLLOUTS]
        return _Session(
            session_id=self.log.new_id("s"),
            user=user,
            user_hash=self._hashes[user] if known else None,
            day=day,
            model=tuple(plan.MODELS)[rng.random() < _rolled_out(day, plan.MODEL_ROLLOUT)],
            prompt_version=plan.PROMPT_VERSIONS[2 if prompts[1] else int(prompts[0])],
            tags={"channel": rng.choices(("mobile", "web"), (0.64, 0.36))[0], "locale": locale, "plan": plan_name},
            talk=Talk(rng, plan_name, locale.endswith(("DE", "NL")), carelessness),
        )

    def _turn(self, about: _Session, index: int, previous: _Turn | None) -> _Turn:
        talk, number, at = about.talk, int(self._visits.turn[index]), float(self._visits.at[index])
        topic, interaction_id = TOPIC_NAMES[self._visits.topic[index]], self.log.new_id("i")
        question = talk.question(topic, previous is not None and not previous.pleased)
        entry = self._recalled(about, interaction_id, at)
        pleased = self._luck(about, index) < self._chance(about, topic, entry)
        fault = self._fault(about, topic, number, pleased, entry)
        answer = self._answer(talk, entry, fault, pleased)
        interaction = Interaction(
            interaction_id=interaction_id,
            received_at=datetime.min,
            session_id=about.session_id,
            turn=number,
            input=question,
            output=answer,
            model=about.model,
            prompt_version=about.prompt_version,
            knowledge_version=f"kb-{sum(day <= about.day for day in plan.BATCH_DAYS)}",
            user_hash=about.user_hash,
            tags=about.tags,
            metadata={"latency_ms": int(380 + 5.5 * len(answer) * self.rng.uniform(0.7, 1.6))},
        )
        self.topic_of[interaction_id] = topic
        self.intent_of[interaction_id] = f"{topic}/{talk.intent_name}"
        is_fact = bool(fault) and fault == talk.intent.fault
        return _Turn(self.log.record(interaction, at), at, pleased, fault, is_fact)

    def _recalled(self, about: _Session, interaction_id: str, at: float) -> str:
        """Log the entry that recall finds for the question, if any; its intent where it is really shown."""
        intent = f"{about.talk.topic}/{about.talk.intent_name}"
        if intent not in plan.ENTRIES or about.day < plan.BATCH_DAYS[plan.ENTRIES[intent][1]]:
            return ""
        shown = shows(about.session_id, ENTRY_IDS[intent])
        self.log.expose(about.session_id, ENTRY_IDS[intent], interaction_id, shown, at)
        return intent if shown else ""

    def _luck(self, about: _Session, index: int) -> float:
        """The luck of a turn as it was drawn; the votes on a balanced entry follow an even sequence in each arm."""
        intent = f"{about.talk.topic}/{about.talk.intent_name}"
        if intent not in plan.BALANCED_ENTRIES or not self._visits.rated[index]:
            return float(self._visits.luck[index])
        is_live = about.day >= plan.BATCH_DAYS[plan.ENTRIES[intent][1]]
        arm = (intent, is_live, shows(about.session_id, ENTRY_IDS[intent]))
        self._votes_in[arm] += 1
        return (self._votes_in[arm] * GOLDEN_RATIO) % 1.0

    def _chance(self, about: _Session, topic: str, entry: str) -> float:
        """The probability that the answer pleases: all planted effects added up, as rates."""
        points = release_points(topic, about.day) + plan.MODELS[about.model]
        points += plan.ENTRIES[entry][0] if entry else 0.0
        lean = float(self._crowd.lean[about.user]) if about.user >= 0 else 0.0
        return min(0.97, max(0.03, plan.TOPICS[topic].base_rate + points / 100 + lean))

    def _fault(self, about: _Session, topic: str, turn: int, pleased: bool, entry: str) -> str:
        """What is wrong with the answer, as the name of a complaint: mostly nothing where it pleases."""
        rng = self.rng
        if pleased:
            return rng.choice(("too_long", "broken_link")) if rng.random() < 0.03 else ""
        if entry == plan.HARMFUL_ENTRY:
            return "no_human" if rng.random() < 0.5 else ""
        if rng.random() < 0.06:
            return ""
        base = 1 - plan.TOPICS[topic].base_rate
        # A release's share of the bad answers is bad in the release's own way.
        if topic == plan.WORSE_TOPIC and about.day >= plan.WORSE_DAY:
            excess = -plan.WORSE_POINTS / 100
            if rng.random() < excess / (base + excess):
                return plan.WORSE_COMPLAINT
        is_before = topic == plan.BETTER_TOPIC and about.day < plan.BETTER_DAY
        if is_before and about.talk.intent.fault and rng.random() < plan.BETTER_POINTS / 100 / base:
            return plan.BETTER_COMPLAINT
        return about.talk.pick_fault(turn)

    def _answer(self, talk: Talk, entry: str, fault: str, pleased: bool) -> str:
        """The entry's own text where the answer follows it; the harmful entry is what displeases."""
        follows = (entry == plan.HARMFUL_ENTRY and not pleased) or (entry and not fault and self.rng.random() < 0.6)
        known = talk.intent.entry
        return talk.entry_text(known[1]) if follows and known else talk.answer(fault)

    def _react(self, about: _Session, turn: _Turn, rated: bool) -> None:
        """What the user makes of an answer: a vote with or without words, a bare comment, an edit, a copy."""
        rng, log, said = self.rng, self.log, turn.interaction
        if rated:
            self._vote(about, turn)
        elif turn.fault and not turn.pleased and rng.random() < 0.02:
            words = self._complaint(about, turn)
            log.say(said, Kind.CORRECTION if words.suggestion else Kind.COMMENT, words=words)
        elif turn.fault_is_the_fact and rng.random() < 0.04:
            log.say(said, Kind.CORRECTION, words=Words(suggestion=about.talk.suggestion()))
        if about.talk.intent_name == "draft" and not turn.fault and rng.random() < 0.55:
            log.say(said, Kind.EDIT, words=Words(suggestion=about.talk.edited(said.output or "")))
        elif turn.pleased and rng.random() < 0.1:
            log.signal(said, "copy", rng.uniform(4, 40))

    def _vote(self, about: _Session, turn: _Turn) -> None:
        rng, known = self.rng, about.user >= 0
        talkative = float(self._crowd.talkative[about.user]) if known else 0.5
        words = Words()
        if turn.pleased and rng.random() < 0.09 * talkative:
            words = Words(about.talk.praise())
        elif not turn.pleased and rng.random() < talkative:
            words = self._complaint(about, turn)
        if known and self._crowd.rates_in_stars[about.user]:
            stars = rng.choices((5, 4) if turn.pleased else (1, 2), (6, 4))[0]
            self.log.say(turn.interaction, Kind.RATING, float(stars if rng.random() > 0.13 else 3), words)
        elif rng.random() < 0.025:
            self.log.change_of_mind(turn.interaction, 1.0 if turn.pleased else -1.0, words)
        else:
            self.log.say(turn.interaction, Kind.THUMB, 1.0 if turn.pleased else -1.0, words)

    def _complaint(self, about: _Session, turn: _Turn) -> Words:
        rng = self.rng
        if not turn.fault or rng.random() < 0.12:
            return Words(about.talk.grumble())
        comment = about.talk.complaint(turn.fault)
        corrects = rng.random() < (0.5 if turn.fault_is_the_fact else 0.08)
        return Words(comment, turn.fault, about.talk.suggestion() if corrects else None)


def _rolled_out(day: int, rollout: tuple[int, int, float]) -> float:
    """The share of sessions that has the new version on `day`: a straight line between the rollout's two days."""
    first, complete, share = rollout
    return share * min(1.0, max(0.0, (day - first) / (complete - first)))
