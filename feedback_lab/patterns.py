"""From verdicts in their order to candidates for review: what is similar, and where a rule fires.

Pure: `scan` takes verdicts and undecided tasks and returns candidates, one a pattern; `review` opens the tasks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np

from feedback_lab.embedding import LatentModel, similarities
from feedback_lab.records import Polarity
from feedback_lab.triggers import Counts, Finding, Rule

LOOKED_EVERY = 500


@dataclass(frozen=True, slots=True)
class Verdict:
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
    anchor: Verdict
    finding: Finding
    members: dict[str, Verdict] = field(default_factory=dict)
    task_id: str | None = None


@dataclass(frozen=True, slots=True)
class Undecided:
    """An undecided task as `scan` needs it: what it is anchored on."""

    task_id: str
    rule: str
    group: str
    text: str


def compared_by(question: str | None, comment: str | None, suggestion: str | None = None) -> tuple[str, str]:
    """What a verdict is compared by, as (group, text): its question, else its comment, else the better answer."""
    if question and question.strip():
        return "input", question
    if comment:
        return "comment", comment
    return ("suggestion", suggestion) if suggestion else ("", "")


def scan(
    rule: Rule,
    verdicts: Sequence[Verdict],
    unseen: set[str],
    undecided: Sequence[Undecided],
    similarity: float,
    looked_at: Callable[[int], None] = lambda number: None,
) -> list[Candidate]:
    """The candidates of one rule over `verdicts` (all verdicts, oldest first), firing only on those in `unseen`.

    `unseen` holds feedback ids. Every candidate's members are negative verdicts in no other undecided task;
    no verdict is a member of two candidates. `looked_at` is told now and then how many more verdicts were compared;
    what it raises ends the scan.
    """
    found: list[Candidate] = []
    for group in ("input", "comment", "suggestion"):
        same = [verdict for verdict in verdicts if verdict.group == group]
        tasks = [task for task in undecided if task.group == group]
        if rule.name == "user_correction":
            found += _scan_corrections(rule, same, unseen, tasks)
        elif same and group != "suggestion":
            found += _scan_patterns(rule, same, unseen, tasks, similarity, looked_at)
    return found


def _scan_patterns(
    rule: Rule,
    verdicts: Sequence[Verdict],
    unseen: set[str],
    undecided: Sequence[Undecided],
    similarity: float,
    looked_at: Callable[[int], None],
) -> list[Candidate]:
    arrays = _Arrays(verdicts, [task.text for task in undecided])
    found = _Found(rule.name, list(zip(arrays.extra, undecided, strict=True)))
    taken = {verdict.feedback_id for verdict in verdicts if verdict.task_id}
    firing = [
        i
        for i, verdict in enumerate(verdicts)
        if verdict.polarity is Polarity.NEGATIVE and verdict.feedback_id in unseen
    ]
    for number, (position, cosines) in enumerate(arrays.cosines(firing), start=1):
        if number % LOOKED_EVERY == 0:
            looked_at(LOOKED_EVERY)
        near = np.flatnonzero(cosines[arrays.text_of[: position + 1]] > similarity)
        if not near.size or near[-1] != position:  # a text without a known word is similar to itself all the same
            near = np.append(near, position)
        near = near[-rule.latest :]
        finding = None if verdicts[position].consumed_at else _judge(rule, verdicts, arrays, near, position)
        if finding is None:
            continue
        target = found.target(verdicts[position], int(arrays.text_of[position]), finding, cosines, similarity)
        for index in near.tolist():
            verdict = verdicts[index]
            if verdict.polarity is Polarity.NEGATIVE and not verdict.consumed_at and verdict.feedback_id not in taken:
                taken.add(verdict.feedback_id)
                target.members[verdict.feedback_id] = verdict
    return [candidate for candidate in found.candidates if candidate.members]


class _Found:
    """The candidates so far: what fires joins the most similar of them, or an undecided task, or begins a new one."""

    def __init__(self, rule: str, undecided: list[tuple[int, Undecided]]) -> None:
        self.rule, self.candidates = rule, list[Candidate]()
        self._texts = [text for text, _ in undecided]
        self._homes: list[Candidate | Undecided] = [task for _, task in undecided]

    def target(
        self, verdict: Verdict, text: int, finding: Finding, cosines: np.ndarray, similarity: float
    ) -> Candidate:
        best = int(np.argmax(cosines[self._texts])) if self._texts else -1
        if best < 0 or cosines[self._texts[best]] <= similarity:
            self._texts.append(text)
            self._homes.append(self._begin(Candidate(self.rule, verdict, finding)))
            best = -1
        home = self._homes[best]
        if isinstance(home, Undecided):
            home = self._homes[best] = self._begin(Candidate(self.rule, verdict, finding, task_id=home.task_id))
        if finding.score > home.finding.score:
            home.finding = finding
        return home

    def _begin(self, candidate: Candidate) -> Candidate:
        self.candidates.append(candidate)
        return candidate


def _judge(rule: Rule, verdicts: Sequence[Verdict], arrays: _Arrays, near: np.ndarray, position: int) -> Finding | None:
    """The rule's finding on the verdicts `near` that lie in its window, fresh evidence first where it must be."""
    moment = verdicts[position].happened_at
    if rule.window_days is not None:
        near = near[arrays.seconds[near] >= arrays.seconds[position] - rule.window_days * 86400]
    fresh = np.array([index for index in near.tolist() if verdicts[index].consumed_at is None], dtype=np.int64)
    if len(fresh) < rule.least_new:
        return None
    decided = [at for index in near.tolist() if (at := verdicts[index].consumed_at)]
    if decided and moment - max(decided) < timedelta(days=rule.cooldown_days):
        near = fresh
    return rule.judge(arrays.count(near, position, rule.window_days))


def _scan_corrections(
    rule: Rule, verdicts: Sequence[Verdict], unseen: set[str], undecided: Sequence[Undecided]
) -> list[Candidate]:
    by_question: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        if verdict.suggested_answer and verdict.polarity is Polarity.NEGATIVE and not verdict.consumed_at:
            by_question.setdefault(_fold(verdict.text), []).append(verdict)
    open_tasks = {_fold(task.text): task.task_id for task in reversed(undecided)}
    found = []
    for question, asked in by_question.items():
        loose = [verdict for verdict in asked if verdict.task_id is None]
        if not any(verdict.feedback_id in unseen for verdict in loose):
            continue
        counts = Counts(len(asked), 0, 0, len({verdict.rater for verdict in asked}), len(asked))
        finding = rule.judge(counts)
        if finding is not None:
            members = {verdict.feedback_id: verdict for verdict in loose}
            found.append(Candidate(rule.name, loose[-1], finding, members, open_tasks.get(question)))
    return found


class _Arrays:
    """Cases as arrays: the number of each verdict's text among the distinct texts, times, and running totals."""

    def __init__(self, verdicts: Sequence[Verdict], extra: Sequence[str]) -> None:
        self.verdicts = verdicts
        distinct = {text: number for number, text in enumerate(dict.fromkeys([c.text for c in verdicts] + list(extra)))}
        self.text_of = np.array([distinct[verdict.text] for verdict in verdicts], dtype=np.int64)
        self.extra = [distinct[text] for text in extra]
        self.vectors = LatentModel().fit(list(distinct)).transform(list(distinct))
        self.seconds = np.array([verdict.happened_at.timestamp() for verdict in verdicts])
        self.negative = np.cumsum([0] + [verdict.polarity is Polarity.NEGATIVE for verdict in verdicts])
        self.neutral = np.cumsum([0] + [verdict.polarity is Polarity.NEUTRAL for verdict in verdicts])

    def cosines(self, positions: Sequence[int]) -> Iterator[tuple[int, np.ndarray]]:
        """For each position in turn: (position, cosines of its text with every distinct text)."""
        for start, chunk in similarities(self.vectors[self.text_of[list(positions)]], self.vectors):
            for offset, row in enumerate(chunk):
                yield positions[start + offset], row

    def count(self, near: np.ndarray, position: int, window_days: int | None) -> Counts:
        chosen = [self.verdicts[index] for index in near.tolist()]
        negative = sum(verdict.polarity is Polarity.NEGATIVE for verdict in chosen)
        positive = sum(verdict.polarity is Polarity.POSITIVE for verdict in chosen)
        first = 0
        if window_days is not None:
            first = int(np.searchsorted(self.seconds, self.seconds[position] - window_days * 86400))
        rated = position + 1 - first - int(self.neutral[position + 1] - self.neutral[first])
        base = int(self.negative[position + 1] - self.negative[first]) / max(rated, 1)
        return Counts(
            negative=negative,
            positive=positive,
            neutral=len(chosen) - negative - positive,
            raters=len({verdict.rater for verdict in chosen}),
            corrections=sum(1 for verdict in chosen if verdict.suggested_answer),
            base=base,
        )


def _fold(text: str) -> str:
    return " ".join(text.casefold().split())
