"""Rules that propose review tasks, each with the sentence and the numbers that made it fire.

A rule looks at one negative verdict and at the latest similar verdicts up to it, itself included. The
decisions here are pure: `judge_*` take counts and answer with a `Finding` or None; `patterns.scan` walks the
verdicts and counts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from scipy.special import betaincc

from feedback_lab.numerals import percent

UPDATE_KNOWLEDGE = "update knowledge base"
REVIEW_INSTRUCTIONS = "review prompt and instructions"
HIGH, MEDIUM = "high", "medium"
MANY = 5  # above so many related items, priority is high


@dataclass(frozen=True, slots=True)
class Counts:
    """The similar verdicts a rule looks at, counted; `base` is the negative share of all verdicts around them."""

    negative: int
    positive: int
    neutral: int
    raters: int
    corrections: int
    base: float = 0.0

    @property
    def total(self) -> int:
        return self.negative + self.positive + self.neutral


@dataclass(frozen=True, slots=True)
class Finding:
    """Why a rule fired. `score` orders candidates of one rule: the budget promotes the highest first."""

    reason: str
    priority: str
    suggested_action: str
    score: float
    evidence: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Rule:
    """A named rule: how many of the latest similar verdicts it looks at, how far back, and its judgement.

    `least_new` verdicts that no decision has consumed are needed before a pattern opens (again); within
    `cooldown_days` after a decision on the pattern, the new evidence alone must clear the bar.
    """

    name: str
    about: str
    latest: int
    window_days: int | None
    least_new: int
    cooldown_days: int
    judge: Callable[[Counts], Finding | None]


def judge_seed(counts: Counts) -> Finding | None:
    """The seed's rule: of at least 3 among the latest 10 similar verdicts, more than 30 % are negative."""
    if counts.total < 3 or counts.negative / counts.total <= 0.3:
        return None
    share = counts.negative / counts.total
    reason = f"{counts.negative} of the last {counts.total} similar verdicts were negative ({percent(share)} > 30.0 %)"
    return _finding(counts, reason, share * counts.total, {"share": share, "bar": 0.3})


def judge_above_base(counts: Counts) -> Finding | None:
    """Fire where the pattern is worse than the base rate by more than chance explains.

    At least 5 of the latest 50 similar verdicts of 28 days, from at least 3 raters, and
    P(rate > max(0.3, base + 0.10)) > 0.9 under Beta(10 base + negative, 10 (1 - base) + positive).
    """
    if counts.total < 5 or counts.raters < 3:
        return None
    bar = max(0.3, counts.base + 0.10)
    bad, good = 10 * counts.base + counts.negative, 10 * (1 - counts.base) + counts.positive
    sure = float(betaincc(bad + 1e-9, good + 1e-9, min(bar, 1.0)))
    if sure <= 0.9:
        return None
    share = counts.negative / counts.total
    reason = (
        f"{counts.negative} of the last {counts.total} similar verdicts, by {counts.raters} people, were negative "
        f"({percent(share)}, usual are {percent(counts.base)}): {_surely(sure)} sure that the pattern is worse than "
        f"{percent(bar)}"
    )
    return _finding(counts, reason, (share - counts.base) * counts.total, {"share": share, "bar": bar, "sure": sure})


def judge_user_correction(counts: Counts) -> Finding | None:
    """Fire on every question for which users proposed a better answer."""
    if not counts.corrections:
        return None
    people = "1 person" if counts.raters == 1 else f"{counts.raters} people"
    return _finding(counts, f"{people} proposed a better answer to this question", float(counts.corrections), {})


def _surely(probability: float) -> str:
    """Never `100.0 %`: nothing that was counted is that sure."""
    return "over 99.9 %" if probability > 0.999 else percent(probability)


def _finding(counts: Counts, reason: str, score: float, more: dict[str, Any]) -> Finding:
    numbers = {
        "negative": counts.negative,
        "positive": counts.positive,
        "neutral": counts.neutral,
        "raters": counts.raters,
        "corrections": counts.corrections,
        "base": round(counts.base, 4),
    }
    return Finding(
        reason=reason,
        priority=HIGH if counts.total > MANY else MEDIUM,
        suggested_action=UPDATE_KNOWLEDGE if counts.corrections else REVIEW_INSTRUCTIONS,
        score=round(score, 6),
        evidence=numbers | {key: round(value, 4) for key, value in more.items()},
    )


RULES: dict[str, Rule] = {
    rule.name: rule
    for rule in (
        Rule("seed", "more than 30 % negative among the latest 10 similar", 10, None, 3, 0, judge_seed),
        Rule("above_base", "worse than the base rate by more than chance", 50, 28, 5, 14, judge_above_base),
        Rule("user_correction", "users proposed a better answer", 50, None, 1, 0, judge_user_correction),
    )
}
DEFAULT_RULES = ("above_base", "user_correction")
