"""The positive rate and an interval that is honest about raters who vote often. Pure arithmetic.

Ten verdicts of one person say less than ten verdicts of ten people, so the interval is Wilson's score interval
(Wilson 1927) on an effective number of verdicts n / D. D is the design effect: the variance of the rate as a
ratio estimate over raters (Cochran, Sampling Techniques, 3rd ed., section 11.7), divided by the variance that
independent verdicts would have. All of it follows from six sums over raters (`Tally`), so a database can add
them up and no verdict has to travel.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

CAP = 3  # verdicts of one rater that count in one period
FEW_VERDICTS = 30
FEW_RATERS = 15


@dataclass(frozen=True, slots=True)
class Tally:
    """Sums over raters. Rater j gave m_j verdicts (positive or negative), x_j of them positive.

    `n` = sum of m, `positive` = sum of x, then the sums of the products m m, m x and x x.
    """

    raters: int
    n: int
    positive: int
    mm: int
    mx: int
    xx: int

    @classmethod
    def of(cls, m: NDArray[Any], x: NDArray[Any]) -> Tally:
        """The sums for arrays with one element a rater."""
        return cls(len(m), int(m.sum()), int(x.sum()), int(m @ m), int(m @ x), int(x @ x))


@dataclass(frozen=True, slots=True)
class Rate:
    """A positive rate, 0 to 1, with its 95 % interval; all None where there is no verdict.

    `n` verdicts of `raters` people count after the cap; `uncapped` is the rate of all `n_uncapped` verdicts.
    `too_few` (under 30 verdicts or 15 raters, after the cap) says: show it, but draw no conclusion.
    """

    rate: float | None
    low: float | None
    high: float | None
    n: int
    raters: int
    uncapped: float | None
    n_uncapped: int
    too_few: bool


def rate(votes: pd.DataFrame, cap: int | None = CAP) -> Rate:
    """The rate of `votes`: one row a verdict, columns feedback_id, rater, positive (bool; neutral ones left out).

    At most `cap` verdicts of a rater count, always the same ones (see `counted`); None counts all.
    """
    positive = votes["positive"].astype(np.int64)
    if cap is None:
        chosen = np.ones(len(votes), dtype=bool)
    else:
        chosen = counted(votes["feedback_id"].tolist(), votes["rater"].tolist(), cap)
    by_rater = positive[chosen].groupby(votes["rater"][chosen])
    tally = Tally.of(by_rater.size().to_numpy(np.int64), by_rater.sum().to_numpy(np.int64))
    return rate_of(tally, len(votes), int(positive.sum()))


def counted(feedback_ids: Sequence[str], raters: Sequence[str], cap: int = CAP) -> NDArray[np.bool_]:
    """Which verdicts count: of each rater the `cap` whose feedback id has the smallest MD5.

    As good as random, yet the same at every call, in every order of rows, and in SQL (`periods`).
    """
    digests = [hashlib.md5(name.encode(), usedforsecurity=False).hexdigest() for name in feedback_ids]
    chosen = np.zeros(len(digests), dtype=bool)
    so_far: Counter[str] = Counter()
    for row in sorted(range(len(digests)), key=lambda row: (digests[row], feedback_ids[row])):
        so_far[raters[row]] += 1
        chosen[row] = so_far[raters[row]] <= cap
    return chosen


def rate_of(tally: Tally, n_uncapped: int, positive_uncapped: int) -> Rate:
    """The rate of a tally after the cap, with the totals before the cap beside it."""
    low, high = interval(tally)
    return Rate(
        rate=tally.positive / tally.n if tally.n else None,
        low=low,
        high=high,
        n=tally.n,
        raters=tally.raters,
        uncapped=positive_uncapped / n_uncapped if n_uncapped else None,
        n_uncapped=n_uncapped,
        too_few=tally.n < FEW_VERDICTS or tally.raters < FEW_RATERS,
    )


def interval(tally: Tally) -> tuple[float | None, float | None]:
    """The 95 % interval of the rate: Wilson on n / D, with t(raters - 1) for z. (None, None) without a verdict.

    One rater alone says nothing about the others: the interval is 0 to 1, the limit of the formula.
    """
    if tally.n == 0:
        return None, None
    if tally.raters < 2:
        return 0.0, 1.0
    share = tally.positive / tally.n
    return wilson(share, tally.n / design_effect(tally), t_quantile(tally.raters - 1))


def design_effect(tally: Tally) -> float:
    """How many times wider than for independent verdicts the variance of the rate is; at least 1.

    Where all verdicts agree there is no spread to estimate it from, and it is 1.
    """
    share, n = tally.positive / tally.n, tally.n
    independent = share * (1 - share) / n
    if tally.raters < 2 or independent == 0:
        return 1.0
    squares = tally.xx - 2 * share * tally.mx + share * share * tally.mm
    clustered = tally.raters / (tally.raters - 1) * squares / n**2
    return max(1.0, clustered / independent)


def wilson(share: float, n: float, z: float) -> tuple[float, float]:
    """Wilson's score interval of `share` from `n` (which may be fractional) independent trials."""
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return (0.0 if share == 0 else max(0.0, middle - half)), (1.0 if share == 1 else min(1.0, middle + half))


@lru_cache(maxsize=4096)
def t_quantile(degrees: int) -> float:
    """The two-sided 95 % quantile of Student's t with so many degrees of freedom."""
    return float(stats.t.ppf(0.975, degrees))
