"""What each issue's questions are worth: the positive rate of the answers it touches, and what is answered already.

Slower than the list of issues itself (`issues.listing`), because questions are compared: a page computes these
figures once and keeps them until the data changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from feedback_lab import workers
from feedback_lab.embedding import LexicalModel, similarities
from feedback_lab.insights.opportunities import (
    ASKED_SQL,
    MOST_CHARACTERS,
    MOST_MEMBERS,
    MOST_VERDICTS,
    VOTES_SQL,
    touches,
)
from feedback_lab.insights.periods import Period
from feedback_lab.insights.rates import Rate, rate
from feedback_lab.recall import ANSWER_WEIGHT
from feedback_lab.records import Entry, EntryStatus
from feedback_lab.store import Store


@dataclass(frozen=True, slots=True)
class IssueFigures:
    """Figures of one issue; above 10,000 questions or 20,000 verdicts of a repeatable sample of these.

    `touched` is the positive rate of the answers whose question resembles one that was complained about, good ones
    included; None where it touches none. `questions` counts comments on a question, `answered` those of them for
    which recall finds an active entry above the similarity; `answered_share` is None without a question.
    """

    issue_id: str
    touched: Rate | None
    questions: int
    answered: int

    @property
    def answered_share(self) -> float | None:
        return self.answered / self.questions if self.questions else None


def figures(
    store: Store, entries: Sequence[Entry], since: date, until: date, *, similarity: float, touch_similarity: float
) -> dict[str, IssueFigures]:
    """The figures of every issue whose comments are about a question, by its id. Read-only.

    The rate counts the verdicts of `since` to `until` (whole UTC days, both included). `similarity` and
    `touch_similarity` are the settings of these names.
    """
    asked = store.frame(ASKED_SQL, characters=MOST_CHARACTERS, most=MOST_MEMBERS)
    if asked.empty:
        return {}
    issue_ids = sorted(set(asked["issue_id"]))
    rates = _touched_rates(store, asked, issue_ids, Period(since, until), touch_similarity)
    known = workers.call(are_answered, entries, asked["input"].tolist(), similarity)
    counted = asked.assign(answered=np.where(known, asked["comments"], 0)).groupby("issue_id")
    sums = counted[["comments", "answered"]].sum()
    return {
        issue_id: IssueFigures(
            issue_id,
            rates.get(issue_id),
            int(sums.loc[issue_id, "comments"]),
            int(sums.loc[issue_id, "answered"]),
        )
        for issue_id in issue_ids
    }


def are_answered(entries: Sequence[Entry], questions: Sequence[str], similarity: float) -> NDArray[np.bool_]:
    """For which questions `recall` finds an active entry with a score of at least `similarity`."""
    active = [entry for entry in entries if entry.status == EntryStatus.ACTIVE]
    codes, distinct = pd.factorize(pd.Series(questions, dtype=object))
    if not active or not len(distinct):
        return np.zeros(len(questions), dtype=bool)
    asked, answers = [entry.question for entry in active], [entry.answer for entry in active]
    model = LexicalModel().fit(asked + answers)
    vectors = model.transform(list(distinct))
    best = np.zeros(len(distinct))
    to_questions, to_answers = model.transform(asked), model.transform(answers)
    for (start, of_question), (_, of_answer) in zip(
        similarities(vectors, to_questions), similarities(vectors, to_answers), strict=True
    ):
        scores = (1 - ANSWER_WEIGHT) * of_question + ANSWER_WEIGHT * of_answer
        best[start : start + len(scores)] = scores.max(1)
    return np.asarray(best.round(6) >= similarity, dtype=bool)[codes]


def _touched_rates(
    store: Store, asked: pd.DataFrame, issue_ids: list[str], period: Period, similarity: float
) -> dict[str, Rate]:
    votes = store.frame(VOTES_SQL, characters=MOST_CHARACTERS, most=MOST_VERDICTS, **period.bounds)
    if votes.empty:
        return {}
    about = asked[["issue_id", "interaction_id", "input"]]
    touched = workers.call(touches, votes, about, issue_ids, similarity)
    rows = {issue_id: touched[:, column] for column, issue_id in enumerate(issue_ids)}
    return {issue_id: rate(votes[chosen]) for issue_id, chosen in rows.items() if chosen.any()}
