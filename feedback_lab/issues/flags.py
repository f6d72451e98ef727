"""Flags of an issue, computed from its history and never set: new, growing, regressed. Pure.

Complaints are counted in weeks of seven days that end with the day looked at, so every weekday is in every week
once. Counts scatter more than independent ones would (one outage makes many people write), so a Poisson model
would see growth everywhere: the spread of the earlier weeks is measured and used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from scipy import stats

NEW, GROWING, REGRESSED, PROPOSED = "new", "growing", "regressed", "proposed"
FLAGS = (NEW, GROWING, REGRESSED, PROPOSED)

NEW_DAYS = 14
HISTORY_WEEKS = 8
FEWEST_WEEKS = 3  # of history, or nothing can be said about growth
FEWEST_RECENT = 5
LEAST_RATIO = 1.5
FALSE_SHARE = 0.05  # of the issues called growing that may be none (Benjamini & Hochberg 1995)
LEFT_AFTER_FIX = 0.25  # of the former rate, that a fixed issue may still draw
FEWEST_RETURNED = 3
REGRESSED_P = 0.001  # small, because it is looked at with every comment that comes in


@dataclass(frozen=True, slots=True)
class Growth:
    """The last seven days against the usual week: comments, comments expected, probability of so many by chance."""

    recent: int
    expected: float
    p_value: float


def is_new(first_at: datetime | None, history_from: datetime, as_of: datetime) -> bool:
    """Whether an issue's first comment lies within the last 14 days of a history that is longer."""
    return first_at is not None and first_at >= as_of - timedelta(days=NEW_DAYS) > history_from


def growth(weeks: Mapping[str, Sequence[int]]) -> dict[str, Growth]:
    """The growth of every issue: comments a week, oldest first, the last week being the one in question.

    The week is compared with the prediction from up to eight before it: a negative binomial with their mean (plus
    half a comment, Jeffreys' prior) and their spread. The spread is variance / mean, at least 1: that of all issues
    together, or halfway to the issue's own where this is greater, as eight weeks say little. Empty with too few weeks.
    """
    history = {one: np.array(counts[:-1][-HISTORY_WEEKS:], float) for one, counts in weeks.items()}
    if not history or min(len(past) for past in history.values()) < FEWEST_WEEKS:
        return {}
    excess = {one: ((past - past.mean()) ** 2).sum() / max(past.mean(), 1e-9) for one, past in history.items()}
    seen = [one for one, past in history.items() if past.sum() > 0]
    degrees = {one: len(past) - 1 for one, past in history.items()}
    usual = max(1.0, sum(excess[one] for one in seen) / max(1, sum(degrees[one] for one in seen)))
    found = {}
    for one, past in history.items():
        own = excess[one] / degrees[one] if past.sum() else usual
        spread = max(usual, (own + usual) / 2)
        expected = (past.sum() + 0.5) / len(past)
        recent = int(weeks[one][-1])
        found[one] = Growth(recent, float(expected), _at_least(recent, expected, spread, len(past)))
    return found


def growing(weeks: Mapping[str, Sequence[int]]) -> dict[str, Growth]:
    """The issues that grow: at least 5 comments, 1.5 times the usual, and not by chance.

    At most 5 % of those named are false on average, however many issues are looked at.
    """
    tested = growth(weeks)
    passed = benjamini_hochberg({one: found.p_value for one, found in tested.items()}, FALSE_SHARE)
    return {
        one: tested[one]
        for one in passed
        if tested[one].recent >= FEWEST_RECENT and tested[one].recent >= LEAST_RATIO * tested[one].expected
    }


def has_regressed(returned: int, days: float, usual_a_day: float) -> bool:
    """Whether `returned` comments in the `days` since an issue was resolved say that it is back.

    A fix may leave a quarter of the former rate: more than that must be beyond chance (Poisson, p < 0.001).
    """
    if returned < FEWEST_RETURNED:
        return False
    return bool(stats.poisson.sf(returned - 1, LEFT_AFTER_FIX * usual_a_day * max(days, 0.0)) < REGRESSED_P)


def _at_least(count: int, expected: float, spread: float, weeks: int) -> float:
    """P(a further week has `count` or more): its own scatter and that of the mean of `weeks` weeks."""
    variance = spread * expected * (1 + 1 / weeks)
    size = expected**2 / (variance - expected)
    return float(stats.nbinom.sf(count - 1, size, size / (size + expected)))


def benjamini_hochberg(p_values: Mapping[str, float], share: float) -> list[str]:
    """The names whose p-values say something, when at most `share` of those named may be false on average."""
    ordered = sorted(p_values, key=lambda one: (p_values[one], one))
    passing = [place for place, one in enumerate(ordered, 1) if p_values[one] <= share * place / len(ordered)]
    return ordered[: max(passing, default=0)]
