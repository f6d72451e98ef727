"""The insights of a period in one object: what came in, how good it was, what is wrong, what to fix first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from feedback_lab.insights.opportunities import REGRESSION_NOTE, Opportunity, issues_without_question, opportunities
from feedback_lab.insights.periods import Headline, Period, Step, headline, last_days, response_rates
from feedback_lab.insights.rates import CAP, FEW_RATERS, FEW_VERDICTS, Rate
from feedback_lab.store import Store
from feedback_lab.verdicts import GIVEN_AT, IN_PERIOD, negative_comments

MOST_CORRECTIONS = 1_000
SAMPLE_COMMENTS = 3

# One sentence or two for each figure, in the words of the contract; pages show them beside the number.
HOW_COUNTED: dict[str, str] = {
    "total_feedback": (
        "Everything that users said in the period: thumbs, ratings, corrections, comments and edits. "
        "Reviewers, tests and judges are left out, and implicit signals stand beside it."
    ),
    "positive_rate": (
        "Positive verdicts / (positive + negative verdicts). A verdict is the one resolved opinion of one person on "
        f"one answer, and at most {CAP} of a person count in the period, so that nobody decides the figure alone. "
        f"Under {FEW_VERDICTS} verdicts or {FEW_RATERS} people it is marked as too few."
    ),
    "interval": (
        "The range that holds the true rate in about 95 of 100 such periods: Wilson's interval, widened for people "
        "who vote more than once."
    ),
    "positive_rate_uncapped": "The same rate with every verdict counted, however many one person gave.",
    "verdicts": (
        "Positive and negative verdicts in the period, before the cap. Neutral ones are counted beside, and a comment "
        "alone is no verdict."
    ),
    "users": (
        "People with a positive or negative verdict in the period. Where the data names no user, a session counts as "
        "a person; where it has no session, an interaction does."
    ),
    "positive_share": (
        "Positive feedback / all feedback: the naive measure. It falls when people write more comments and "
        "corrections, even if the answers are as good as before."
    ),
    "response_rate": (
        "Interactions of the period that have a verdict / all its interactions, counted only where an import holds "
        "unrated interactions too; otherwise unknown."
    ),
    "common_issues": (
        "Groups of negative comments of the period that say much the same; the frequency is their number of comments. "
        "A negative comment is one by a person whose verdict on that answer is negative."
    ),
    "improvement_opportunities": (
        "An issue touches the answers whose question resembles a question that was complained about, good answers "
        "included, and never because of a complaint about that very answer. Gain = share of verdicts it touches x "
        "(positive rate of the rest - positive rate of the touched, shrunk to the overall rate): by so much the "
        "positive rate would rise if these answers became as good as the rest. "
        "Questions in quite other words are missed, which makes a gain too small. " + REGRESSION_NOTE
    ),
    "user_corrections": f"Better answers that users proposed in the period, newest first (at most {MOST_CORRECTIONS}).",
    "implicit_signals": "Signals derived from behaviour, counted by kind and never mixed into a rate.",
    "undated": "Feedback without a time of its own is counted in the period in which it was received.",
}

_FEEDBACK = f"""
    SELECT kind, kind IN ('thumb', 'rating', 'correction', 'comment', 'edit') AS explicit, count(*) AS feedback,
           sum(CASE WHEN polarity = 'positive' THEN 1 ELSE 0 END) AS positive,
           sum(CASE WHEN {GIVEN_AT} IS NULL THEN 1 ELSE 0 END) AS undated
    FROM feedback
    WHERE population = 'user'
      AND coalesce(created_at, received_at) >= :since AND coalesce(created_at, received_at) < :until
    GROUP BY kind ORDER BY kind
"""
# The newest are chosen first, then their questions looked up.
_CORRECTIONS = """
    WITH newest AS MATERIALIZED (
        SELECT feedback_id, interaction_id, suggested_answer, coalesce(created_at, received_at) AS happened_at
        FROM feedback
        WHERE population = 'user' AND trim(suggested_answer) <> ''
          AND coalesce(created_at, received_at) >= :since AND coalesce(created_at, received_at) < :until
        ORDER BY happened_at DESC, feedback_id DESC LIMIT :most
    )
    SELECT newest.feedback_id, i.input AS question, newest.suggested_answer
    FROM newest LEFT JOIN interaction i ON i.interaction_id = newest.interaction_id
    ORDER BY newest.happened_at DESC, newest.feedback_id DESC
"""
_COMMON_ISSUES = (
    "SELECT issue.issue_id, issue.title, issue.samples AS sample_comments, count(*) AS frequency FROM ("
    + negative_comments(IN_PERIOD)
    + """) AS c JOIN issue_member m ON m.feedback_id = c.feedback_id JOIN issue ON issue.issue_id = m.issue_id
    WHERE c.happened_at >= :since AND c.happened_at < :until GROUP BY ALL ORDER BY frequency DESC, issue.issue_id
"""
)


@dataclass(frozen=True, slots=True)
class CommonIssue:
    """An issue with its number of comments in a period."""

    issue_id: str
    title: str
    sample_comments: list[str]
    frequency: int


@dataclass(frozen=True, slots=True)
class Insights:
    """What a period says. Rates and shares are 0 to 1; None means that there is nothing to compute it from.

    `undated` counts feedback without a time of its own; `notes` are sentences that a reader must know.
    """

    period: Period
    total_feedback: int
    undated: int
    headline: Headline
    positive_share: float | None
    response_rate: float | None
    response_rate_before: float | None
    implicit_signals: dict[str, int]
    issues: tuple[CommonIssue, ...]
    opportunities: tuple[Opportunity, ...]
    user_corrections: tuple[dict[str, Any], ...]
    notes: tuple[str, ...]

    @property
    def rate(self) -> Rate:
        return self.headline.comparison.current

    def as_dict(self) -> dict[str, Any]:
        """The keys of the command line's contract, ready for JSON."""
        return {
            "since": self.period.since.isoformat(),
            "until": self.period.until.isoformat(),
            "total_feedback": self.total_feedback,
            "positive_rate": self.rate.rate,
            "positive_rate_low": self.rate.low,
            "positive_rate_high": self.rate.high,
            "positive_rate_uncapped": self.rate.uncapped,
            "verdicts": self.rate.n_uncapped,
            "users": self.rate.raters,
            "too_few": self.rate.too_few,
            "neutral": self.headline.beside.neutral,
            "undated": self.undated,
            "positive_share": self.positive_share,
            "response_rate": self.response_rate,
            "implicit_signals": self.implicit_signals,
            "common_issues": [_issue_as_dict(issue) for issue in self.issues],
            "improvement_opportunities": [_opportunity_as_dict(one) for one in self.opportunities],
            "user_corrections": list(self.user_corrections),
            "notes": list(self.notes),
        }


@dataclass(frozen=True, slots=True)
class Wins:
    """The opportunities of a period, and what a reader of them must know."""

    opportunities: tuple[Opportunity, ...]
    notes: tuple[str, ...]


def insights(
    store: Store, *, days: int = 30, until: date | None = None, similarity: float = 0.7, now: datetime | None = None
) -> Insights:
    """The insights of the last `days` UTC days up to `until` (inclusive; today unless told). Read-only.

    `similarity` is the setting `touch_similarity`. Raises InputError for a period that cannot be.
    """
    found = counted(store, last_days(days, until, now))
    won = wins(store, found.period, similarity)
    return replace(found, opportunities=won.opportunities, notes=found.notes + won.notes)


def counted(store: Store, period: Period, step: Step = "day") -> Insights:
    """The insights of a period, but for what fixing an issue would win, which takes longer than all the rest."""
    kinds = store.rows(_FEEDBACK, **period.bounds)
    explicit = [row for row in kinds if row["explicit"]]
    total, undated = _sum(explicit, "feedback"), _sum(explicit, "undated")
    found = headline(store, period.since, period.until, step=step)
    responses, responses_before = response_rates(store, period.since, period.until)
    return Insights(
        period=period,
        total_feedback=total,
        undated=undated,
        headline=found,
        positive_share=_sum(explicit, "positive") / total if total else None,
        response_rate=responses,
        response_rate_before=responses_before,
        implicit_signals={row["kind"]: int(row["feedback"]) for row in kinds if not row["explicit"]},
        issues=tuple(CommonIssue(**row) for row in store.rows(_COMMON_ISSUES, **period.bounds)),
        opportunities=(),
        user_corrections=tuple(store.rows(_CORRECTIONS, most=MOST_CORRECTIONS, **period.bounds)),
        notes=tuple(_notes(found.comparison.current, undated)),
    )


def wins(store: Store, period: Period, similarity: float) -> Wins:
    """What fixing each issue would win in the period. `similarity` is the setting `touch_similarity`."""
    found = opportunities(store, period.since, period.until, similarity=similarity)
    silent = issues_without_question(store)
    note = (
        f"{silent:,} {'issue holds' if silent == 1 else 'issues hold'} comments on interactions without a question, "
        "so what fixing them would win cannot be computed."
    )
    return Wins(tuple(found), (note,) if silent else ())


def _notes(rate: Rate, undated: int) -> list[str]:
    notes = []
    if rate.n and rate.too_few:
        notes.append(f"Too few to conclude: {rate.n:,} verdicts of {rate.raters:,} people count.")
    if undated:
        notes.append(f"{undated:,} undated, counted at import time.")
    return notes


def _sum(rows: Sequence[dict[str, Any]], column: str) -> int:
    return sum(int(row[column]) for row in rows)


def _issue_as_dict(issue: CommonIssue) -> dict[str, Any]:
    return {
        "issue_id": issue.issue_id,
        "issue": issue.title,
        "frequency": issue.frequency,
        "sample_comments": issue.sample_comments[:SAMPLE_COMMENTS],
    }


def _opportunity_as_dict(one: Opportunity) -> dict[str, Any]:
    return {
        "issue_id": one.issue_id,
        "title": one.title,
        "gain": one.gain,
        "low": one.low,
        "high": one.high,
        "touched": one.touched,
    }
