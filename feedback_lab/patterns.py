"""From verdicts in their order to candidates for review: what is similar, and where a rule fires.

Pure: `scan` takes cases and undecided tasks and returns candidates, one a pattern; `review` opens the tasks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np

from feedback_lab.embedding import LatentModel, similarities
from feedback_lab.records import Polarity
from feedback_lab.triggers import Counts, Finding, Rule


@dataclass(frozen=True, slots=True)
class Case:
    """One verdict with what the rules need: the text it is compared by, and how far it was handled before.

    `group` says which texts may be compared ("input", "comment", "suggestion" or "" for nothing to compare).
    `consumed_at` is the moment of the decision that closed it; `task_id` the undecided task it belongs to.
    """

    feedback_id: str
    interaction_id: str
    rater: str
    polarity: Polarity
    happened_at: datetime
    group: str
    text: str
    suggested_answer: str | None = None
    consumed_at: datetime | None = None
    task_id: str | None = None


@dataclass(slots=True)
class Candidate:
    """A pattern that fired: a new one (`task_id` None), or new evidence for an undecided task."""

    rule: str
    anchor: Case
    finding: Finding
    members: dict[str, Case] = field(default_factory=dict)
    task_id: str | None = None


@dataclass(frozen=True, slots=True)
class Undecided:
    """An undecided task as `scan` needs it: what it is anchored on."""

    task_id: str
    rule: str
    group: str
    text: str


def case_text(question: str | None, comment: str | None, suggestion: str | None = None) -> tuple[str, str]:
    """What a verdict is compared by, as (group, text): its question, else its comment, else the better answer."""
    if question and question.strip():
        return "input", question
    if comment:
        return "comment", comment
    return ("suggestion", suggestion) if suggestion else ("", "")


def scan(
    rule: Rule, cases: Sequence[Case], unseen: set[str], undecided: Sequence[Undecided], similarity: float
) -> list[Candidate]:
    """The candidates of one rule over `cases` (all verdicts, oldest first), firing only on those in `unseen`.

    `unseen` holds feedback ids. Every candidate's members are negative verdicts in no other undecided task;
    no case is a member of two candidates.
    """
    found: list[Candidate] = []
    for group in ("input", "comment", "suggestion"):
        same = [case for case in cases if case.group == group]
        tasks = [task for task in undecided if task.group == group]
        if rule.name == "user_correction":
            found += _scan_corrections(rule, same, unseen, tasks)
        elif same and group != "suggestion":
            found += _scan_patterns(rule, same, unseen, tasks, similarity)
    return found


def _scan_patterns(
    rule: Rule, cases: Sequence[Case], unseen: set[str], undecided: Sequence[Undecided], similarity: float
) -> list[Candidate]:
    arrays = _Arrays(cases, [task.text for task in undecided])
    found = _Found(rule.name, list(zip(arrays.extra, undecided, strict=True)))
    taken = {case.feedback_id for case in cases if case.task_id}
    firing = [i for i, case in enumerate(cases) if case.polarity is Polarity.NEGATIVE and case.feedback_id in unseen]
    for position, cosines in arrays.cosines(firing):
        near = np.flatnonzero(cosines[arrays.text_of[: position + 1]] > similarity)
        if not near.size or near[-1] != position:  # a text without a known word is similar to itself all the same
            near = np.append(near, position)
        near = near[-rule.latest :]
        finding = None if cases[position].consumed_at else _judge(rule, cases, arrays, near, position)
        if finding is None:
            continue
        target = found.target(cases[position], int(arrays.text_of[position]), finding, cosines, similarity)
        for index in near.tolist():
            case = cases[index]
            if case.polarity is Polarity.NEGATIVE and not case.consumed_at and case.feedback_id not in taken:
                taken.add(case.feedback_id)
                target.members[case.feedback_id] = case
    return [candidate for candidate in found.candidates if candidate.members]


class _Found:
    """The candidates so far: what fires joins the most similar of them, or an undecided task, or begins a new one."""

    def __init__(self, rule: str, undecided: list[tuple[int, Undecided]]) -> None:
        self.rule, self.candidates = rule, list[Candidate]()
        self._texts = [text for text, _ in undecided]
        self._homes: list[Candidate | Undecided] = [task for _, task in undecided]

    def target(self, case: Case, text: int, finding: Finding, cosines: np.ndarray, similarity: float) -> Candidate:
        best = int(np.argmax(cosines[self._texts])) if self._texts else -1
        if best < 0 or cosines[self._texts[best]] <= similarity:
            self._texts.append(text)
            self._homes.append(self._begin(Candidate(self.rule, case, finding)))
            best = -1
        home = self._homes[best]
        if isinstance(home, Undecided):
            home = self._homes[best] = self._begin(Candidate(self.rule, case, finding, task_id=home.task_id))
        if finding.score > home.finding.score:
            home.finding = finding
        return home

    def _begin(self, candidate: Candidate) -> Candidate:
        self.candidates.append(candidate)
        return candidate


def _judge(rule: Rule, cases: Sequence[Case], arrays: _Arrays, near: np.ndarray, position: int) -> Finding | None:
    """The rule's finding on the verdicts `near` that lie in its window, fresh evidence first where it must be."""
    moment = cases[position].happened_at
    if rule.window_days is not None:
        near = near[arrays.seconds[near] >= arrays.seconds[position] - rule.window_days * 86400]
    fresh = np.array([index for index in near.tolist() if cases[index].consumed_at is None], dtype=np.int64)
    if len(fresh) < rule.least_new:
        return None
    decided = [at for index in near.tolist() if (at := cases[index].consumed_at)]
    if decided and moment - max(decided) < timedelta(days=rule.cooldown_days):
        near = fresh
    return rule.judge(arrays.count(near, position, rule.window_days))


def _scan_corrections(
    rule: Rule, cases: Sequence[Case], unseen: set[str], undecided: Sequence[Undecided]
) -> list[Candidate]:
    by_question: dict[str, list[Case]] = {}
    for case in cases:
        if case.suggested_answer and case.polarity is Polarity.NEGATIVE and not case.consumed_at:
            by_question.setdefault(_fold(case.text), []).append(case)
    open_tasks = {_fold(task.text): task.task_id for task in reversed(undecided)}
    found = []
    for question, asked in by_question.items():
        loose = [case for case in asked if case.task_id is None]
        if not any(case.feedback_id in unseen for case in loose):
            continue
        counts = Counts(len(asked), 0, 0, len({case.rater for case in asked}), len(asked))
        finding = rule.judge(counts)
        if finding is not None:
            members = {case.feedback_id: case for case in loose}
            found.append(Candidate(rule.name, loose[-1], finding, members, open_tasks.get(question)))
    return found


class _Arrays:
    """Cases as arrays: the number of each case's text among the distinct texts, times, and running totals."""

    def __init__(self, cases: Sequence[Case], extra: Sequence[str]) -> None:
        self.cases = cases
        distinct = {text: number for number, text in enumerate(dict.fromkeys([c.text for c in cases] + list(extra)))}
        self.text_of = np.array([distinct[case.text] for case in cases], dtype=np.int64)
        self.extra = [distinct[text] for text in extra]
        self.vectors = LatentModel().fit(list(distinct)).transform(list(distinct))
        self.seconds = np.array([case.happened_at.timestamp() for case in cases])
        self.negative = np.cumsum([0] + [case.polarity is Polarity.NEGATIVE for case in cases])
        self.neutral = np.cumsum([0] + [case.polarity is Polarity.NEUTRAL for case in cases])

    def cosines(self, positions: Sequence[int]) -> Iterator[tuple[int, np.ndarray]]:
        """For each position in turn: (position, cosines of its text with every distinct text)."""
        for start, chunk in similarities(self.vectors[self.text_of[list(positions)]], self.vectors):
            for offset, row in enumerate(chunk):
                yield positions[start + offset], row

    def count(self, near: np.ndarray, position: int, window_days: int | None) -> Counts:
        chosen = [self.cases[index] for index in near.tolist()]
        negative = sum(case.polarity is Polarity.NEGATIVE for case in chosen)
        positive = sum(case.polarity is Polarity.POSITIVE for case in chosen)
        first = 0
        if window_days is not None:
            first = int(np.searchsorted(self.seconds, self.seconds[position] - window_days * 86400))
        rated = position + 1 - first - int(self.neutral[position + 1] - self.neutral[first])
        base = int(self.negative[position + 1] - self.negative[first]) / max(rated, 1)
        return Counts(
            negative=negative,
            positive=positive,
            neutral=len(chosen) - negative - positive,
            raters=len({case.rater for case in chosen}),
            corrections=sum(1 for case in chosen if case.suggested_answer),
            base=base,
        )


def _fold(text: str) -> str:
    return " ".join(text.casefold().split())
