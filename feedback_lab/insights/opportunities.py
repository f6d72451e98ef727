"""How many points of positive rate fixing an issue would win.

An issue holds only complaints, so its own rate is 0 and says nothing. It *touches* every interaction whose
question resembles a question that its members complained about, answered well or badly. The gain is the share of
verdicts that it touches, times how much worse these are than the rest:

    gain = w_touched * (rate of the rest - rate of the touched, shrunk to the base rate)

An interaction never counts as touched because of a complaint about itself: else the complaint would select its
own bad verdict, and every issue would look worse than it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from feedback_lab import workers
from feedback_lab.embedding import LatentModel, similarities
from feedback_lab.insights.periods import Period
from feedback_lab.insights.rates import FEW_RATERS, FEW_VERDICTS, counted, t_quantile
from feedback_lab.store import Store
from feedback_lab.verdicts import IN_PERIOD, NEGATIVE_COMMENTS, is_said, verdicts

# Above these, a repeatable sample (smallest MD5 of the id) stands for all, so that memory and time stay bounded.
MOST_VERDICTS = 20_000
MOST_MEMBERS = 10_000
MOST_CHARACTERS = 2_000  # of a question that are compared
ROUNDING = 1e-5  # of a float32 cosine: at the threshold 1 a text must still be like itself
PRIOR_VERDICTS = 10.0  # the touched rate is shrunk as if so many verdicts at the base rate had come in too

REGRESSION_NOTE = (
    "The issues on top are there partly by bad luck: expect some of the gap to close without a fix, "
    "and judge a fix against a comparison, not against today's figure."
)

# The sample is drawn by ids before questions are fetched: sorting the texts of millions would not fit into memory.
VOTES_SQL = (
    "WITH verdict AS ("
    + verdicts(IN_PERIOD)
    + """), vote AS (
        SELECT *, count(*) OVER () AS total FROM (
            SELECT feedback_id, interaction_id, rater, polarity = 'positive' AS positive FROM verdict
            WHERE polarity <> 'neutral' AND happened_at >= :since AND happened_at < :until
        ) AS chosen ORDER BY md5(feedback_id), feedback_id LIMIT :most
    )
    SELECT v.*, trim(substr(coalesce(i.input, ''), 1, :characters)) AS input
    FROM vote v LEFT JOIN interaction i ON i.interaction_id = v.interaction_id
    ORDER BY md5(v.feedback_id), v.feedback_id
"""
)
# What each issue's comments ask: one row an issue and interaction, `comments` counts them.
ASKED_SQL = (
    """
    WITH asked AS (
        SELECT m.issue_id, c.interaction_id
        FROM issue_member m
        JOIN ("""
    + NEGATIVE_COMMENTS
    + """) AS c ON c.feedback_id = m.feedback_id
        JOIN interaction i ON i.interaction_id = c.interaction_id
        WHERE m.issue_id IS NOT NULL AND """
    + is_said("i.input")
    + """
        ORDER BY md5(c.interaction_id), c.interaction_id, m.issue_id LIMIT :most
    )
    SELECT a.issue_id, a.interaction_id, trim(substr(any_value(i.input), 1, :characters)) AS input, count(*) AS comments
    FROM asked a JOIN interaction i ON i.interaction_id = a.interaction_id
    GROUP BY 1, 2 ORDER BY md5(a.interaction_id), a.interaction_id, a.issue_id
"""
)


@dataclass(frozen=True, slots=True)
class Opportunity:
    """What fixing one issue would win: `gain`, with its 95 % interval, as a change of the rate (0.02 = 2 points).

    `touched` counts interactions with a verdict; `touched_rate` (not shrunk) and `rest_rate` are the two positive
    rates compared. `too_few`: under 30 touched verdicts or 15 people, so draw no conclusion.
    """

    issue_id: str
    title: str
    gain: float
    low: float
    high: float
    touched: int
    touched_rate: float
    rest_rate: float
    too_few: bool


@dataclass(frozen=True, slots=True)
class Gains:
    """Arrays with one element an issue; the numbers are nan where an issue touches nothing, or everything."""

    gain: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    touched_rate: NDArray[np.float64]
    rest_rate: NDArray[np.float64]
    too_few: NDArray[np.bool_]


def opportunities(store: Store, since: date, until: date, *, similarity: float) -> list[Opportunity]:
    """The issues whose fix would raise the period's positive rate, greatest gain first. Read-only.

    `similarity` is the least cosine of two questions that resemble each other. Issues that touch nothing, and those
    whose touched interactions do no worse than the rest, are left out; so are all where the comments come without
    questions (`issues_without_question` counts them). Verdicts count as in the headline: at most 3 a rater.
    """
    votes = store.frame(VOTES_SQL, characters=MOST_CHARACTERS, most=MOST_VERDICTS, **Period(since, until).bounds)
    members = store.frame(ASKED_SQL, characters=MOST_CHARACTERS, most=MOST_MEMBERS)
    if votes.empty or members.empty:
        return []
    issue_ids = sorted(set(members["issue_id"]))
    touched = workers.call(touches, votes, members, issue_ids, similarity)
    kept = counted(votes["feedback_id"].tolist(), votes["rater"].tolist())
    found = gains(votes["rater"].to_numpy()[kept], votes["positive"].to_numpy(dtype=bool)[kept], touched[kept])
    scale = votes["total"].iloc[0] / len(votes)
    titles = {row["issue_id"]: row["title"] for row in store.rows("SELECT issue_id, title FROM issue")}
    listed = [
        Opportunity(
            issue_id=issue_id,
            title=titles.get(issue_id, issue_id),
            gain=float(found.gain[k]),
            low=float(found.low[k]),
            high=float(found.high[k]),
            touched=round(votes["interaction_id"][touched[:, k]].nunique() * scale),
            touched_rate=float(found.touched_rate[k]),
            rest_rate=float(found.rest_rate[k]),
            too_few=bool(found.too_few[k]),
        )
        for k, issue_id in enumerate(issue_ids)
        if found.gain[k] > 0
    ]
    return sorted(listed, key=lambda one: (-one.gain, one.issue_id))


def issues_without_question(store: Store) -> int:
    """How many issues hold only comments on interactions without an input, so that nothing resembles them."""
    return int(
        store.scalar(
            """SELECT count(*) FROM (
                   SELECT m.issue_id FROM issue_member m
                   LEFT JOIN feedback f ON f.feedback_id = m.feedback_id
                   LEFT JOIN interaction i ON i.interaction_id = f.interaction_id AND trim(i.input) <> ''
                   WHERE m.issue_id IS NOT NULL GROUP BY m.issue_id HAVING count(i.interaction_id) = 0
               ) AS silent"""
        )
    )


def touches(votes: pd.DataFrame, members: pd.DataFrame, issue_ids: list[str], similarity: float) -> NDArray[np.bool_]:
    """Which verdict (row, as in `votes`) lies on an interaction that which issue (column) touches.

    `votes` has columns interaction_id and input (the question, may be empty), `members` issue_id, interaction_id
    and input, one row an interaction that an issue's comment is about. Memory: a chunk of questions by members.
    """
    codes, texts = pd.factorize(pd.concat([votes["input"], members["input"]]))
    asked, about = codes[: len(votes)], codes[len(votes) :]
    vectors = LatentModel().fit(list(texts)).transform(list(texts))
    column = members["issue_id"].map({issue_id: k for k, issue_id in enumerate(issue_ids)}).to_numpy()
    questions, question = np.unique(about, return_inverse=True)
    complaints = _sums((len(questions), len(issue_ids)), question, column)
    rows, row = np.unique(asked, return_inverse=True)
    resembling = np.zeros((len(rows), len(issue_ids)), dtype=np.float32)
    for start, cosines in similarities(vectors[rows], vectors[questions]):
        alike = (cosines >= similarity - ROUNDING) & (cosines > 0)
        resembling[start : start + len(alike)] = alike.astype(np.float32) @ complaints
    interactions = pd.Index(votes["interaction_id"].unique())
    own = interactions.get_indexer(members["interaction_id"])
    themselves = _sums((len(interactions), len(issue_ids)), own[own >= 0], column[own >= 0])
    others = resembling[row] - themselves[interactions.get_indexer(votes["interaction_id"])]
    return np.asarray(others > 0, dtype=bool)


def gains(raters: NDArray[np.object_], positive: NDArray[np.bool_], touched: NDArray[np.bool_]) -> Gains:
    """The gain of every issue (a column of `touched`; rows are verdicts) with a 95 % interval.

    The interval is linearised (delta method) with the rater as the unit and t(raters - 1); its variance is at least
    that of independent verdicts, as in `rates`. With one rater it is infinite.
    """
    code, people = pd.factorize(raters)
    by_rater = sparse.csr_matrix((np.ones(len(code)), (code, np.arange(len(code)))), shape=(len(people), len(code)))
    good = positive.astype(np.float64)[:, None]
    inside = touched.astype(np.float64)
    # One row a rater, one column an issue: verdicts and positive ones, touched and not.
    a, b, c, d = (
        np.asarray(by_rater @ part, dtype=np.float64)
        for part in (inside, inside * good, 1 - inside, (1 - inside) * good)
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        gain, error = _gain_and_error(a, b, c, d)
        margin = t_quantile(len(people) - 1) * error if len(people) > 1 else np.full_like(gain, np.inf)
        touched_rate, rest_rate = b.sum(0) / a.sum(0), d.sum(0) / c.sum(0)
    few = (a.sum(0) < FEW_VERDICTS) | ((a > 0).sum(0) < FEW_RATERS)
    low, high = np.maximum(-1.0, gain - margin), np.minimum(1.0, gain + margin)
    return Gains(gain, low, high, touched_rate, rest_rate, few)


def _gain_and_error(
    a: NDArray[np.float64], b: NDArray[np.float64], c: NDArray[np.float64], d: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The gain and its standard error from sums per rater (rows) and issue (columns), nan where undefined."""
    people = len(a)
    touched, good, rest, good_rest = a.sum(0), b.sum(0), c.sum(0), d.sum(0)
    n, prior = touched + rest, PRIOR_VERDICTS
    base, weight = (good + good_rest) / n, touched / n
    shrunk, other = (good + prior * base) / (touched + prior), good_rest / rest
    gain = np.where(touched > 0, weight * (other - shrunk), np.nan)
    # The derivative of the gain by each of the four sums; `base` depends on all of them.
    base_by_n, base_by_good = -base / n, 1 / n
    pull, lift = prior / (touched + prior), 1 / (touched + prior)
    by_a = rest / n**2 * (other - shrunk) - weight * (pull * base_by_n - shrunk * lift)
    by_b = -weight * (lift + pull * base_by_good)
    by_c = -touched / n**2 * (other - shrunk) - weight * (other / rest + pull * base_by_n)
    by_d = weight * (1 / rest - pull * base_by_good)
    influence = by_a * a + by_b * b + by_c * c + by_d * d
    spread = influence - influence.mean(0)
    clustered = people / max(1, people - 1) * (spread**2).sum(0)
    independent = weight**2 * (other * (1 - other) / rest + shrunk * (1 - shrunk) * touched * lift**2)
    return gain, np.sqrt(np.maximum(clustered, independent))


def _sums(shape: tuple[int, int], rows: NDArray[Any], columns: NDArray[Any]) -> NDArray[np.float32]:
    """How often each (row, column) occurs, as a dense matrix."""
    ones = np.ones(len(rows), dtype=np.float32)
    return np.asarray(sparse.coo_matrix((ones, (rows, columns)), shape=shape).todense(), dtype=np.float32)
