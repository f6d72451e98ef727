"""Periods of whole UTC days, and what happened in them: rates over time, against before, response rate.

A period counts a verdict by the time its feedback was given, or received where that is unknown. Charts over
time leave such undated verdicts out (`Beside` says how many). The database adds everything up, one row a point of
the chart, so the work here does not grow with the number of verdicts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Literal

import pandas as pd

from feedback_lab.errors import InputError
from feedback_lab.insights.rates import CAP, Rate, Tally, rate_of
from feedback_lab.records import utc_now
from feedback_lab.store import Store
from feedback_lab.verdicts import GIVEN_AT, IN_PERIOD, OPINIONS, verdicts

Step = Literal["day", "week"]
ALL = "all"  # the one segment where nothing is split
NOT_GIVEN = "(not given)"  # the segment of interactions whose model, prompt version or tag is unknown
MOST_DAYS = 36_500
TAGS_LOOKED_AT = 1_000

# Constant pieces of SQL, chosen by name; what a caller hands in is only ever bound.
_STARTS = {"day": "date_trunc('day', v.happened_at)", "week": "date_trunc('week', v.happened_at)"}
_SEGMENTS = {None: f"'{ALL}'", "model": "i.model", "prompt_version": "i.prompt_version", "tag": "(i.tags ->> :tag)"}

# What is counted of the verdicts from :since to :until: the two halves before and after :middle, and the points of a
# chart of the second half.
_HALVES = """
        SELECT 'half' AS part, CASE WHEN v.happened_at < :middle THEN CAST(:since AS TIMESTAMP)
                                    ELSE CAST(:middle AS TIMESTAMP) END AS start,
               '' AS segment, v.rater, v.feedback_id, v.positive FROM verdict v WHERE v.polarity <> 'neutral'"""
_POINTS = """
        SELECT 'point' AS part, {start} AS start, coalesce({segment}, :not_given) AS segment, v.rater, v.feedback_id,
               v.positive
        FROM verdict v {join} WHERE v.polarity <> 'neutral' AND v.dated AND v.happened_at >= :middle"""
# To find the verdicts costs more than all that is counted of them, so they are found once.
_RATES = (
    """
    WITH verdict AS MATERIALIZED (
        SELECT *, CASE WHEN polarity = 'positive' THEN 1 ELSE 0 END AS positive
        FROM ("""
    + verdicts(IN_PERIOD)
    + """) AS found WHERE happened_at >= :since AND happened_at < :until
    ), counted AS ({counted}
    ), placed AS (
        SELECT part, start, segment, rater, positive,
               row_number() OVER (PARTITION BY part, start, segment, rater ORDER BY md5(feedback_id), feedback_id)
                   AS place
        FROM counted
    ), per_rater AS (
        SELECT part, start, segment, count(*) AS m_all, sum(positive) AS x_all,
               sum(CASE WHEN place <= :cap THEN 1 ELSE 0 END) AS m,
               sum(CASE WHEN place <= :cap THEN positive ELSE 0 END) AS x
        FROM placed GROUP BY part, start, segment, rater
    ), rates AS (
        SELECT part, start, segment, count(*) AS raters, sum(m) AS n, sum(x) AS positive, sum(m * m) AS mm,
               sum(m * x) AS mx, sum(x * x) AS xx, sum(m_all) AS n_all, sum(x_all) AS positive_all
        FROM per_rater GROUP BY part, start, segment
    ), beside AS (
        SELECT count(*) FILTER (WHERE polarity = 'neutral') AS neutral,
               count(*) FILTER (WHERE polarity <> 'neutral' AND NOT dated) AS undated
        FROM verdict WHERE happened_at >= :middle
    )
    SELECT * FROM beside LEFT JOIN rates ON TRUE ORDER BY part, start, segment
"""
)

_FEEDBACK = """
    SELECT {start} AS start, count(*) AS feedback,
           sum(CASE WHEN v.polarity = 'positive' THEN 1 ELSE 0 END) AS positive,
           sum(CASE WHEN v.polarity = 'neutral' THEN 1 ELSE 0 END) AS neutral,
           sum(CASE WHEN v.polarity = 'negative' THEN 1 ELSE 0 END) AS negative
    FROM (SELECT polarity, {given_at} AS happened_at FROM feedback
          WHERE population = 'user' AND kind IN ('thumb', 'rating', 'correction', 'comment', 'edit')
            AND {given_at} >= :since AND {given_at} < :until) AS v
    GROUP BY 1 ORDER BY 1
"""

_RESPONSES = (
    """
    WITH asked AS MATERIALIZED (
        SELECT i.interaction_id, coalesce(i.created_at, i.received_at) >= :middle AS later FROM interaction i
        JOIN import_batch b ON b.batch_id = i.batch_id AND b.complete AND b.status = 'done'
        WHERE coalesce(i.created_at, i.received_at) >= :since AND coalesce(i.created_at, i.received_at) < :until
    ), answered AS (
        SELECT DISTINCT interaction_id FROM ("""
    + OPINIONS
    + """) AS opinion WHERE interaction_id IN (SELECT interaction_id FROM asked)
    )
    SELECT asked.later, count(*) AS interactions, count(answered.interaction_id) AS answered
    FROM asked LEFT JOIN answered ON answered.interaction_id = asked.interaction_id GROUP BY asked.later
"""
)


@dataclass(frozen=True, slots=True)
class Period:
    """Whole UTC days; `since` and `until` both belong to it."""

    since: date
    until: date

    @property
    def days(self) -> int:
        return (self.until - self.since).days + 1

    @property
    def bounds(self) -> dict[str, datetime]:
        """The moments to bind in SQL: the first of the period, and the first after it."""
        return {
            "since": datetime.combine(self.since, time.min),
            "until": datetime.combine(self.until + timedelta(days=1), time.min),
        }

    def previous(self) -> Period:
        """As many days, directly before."""
        return Period(self.since - timedelta(days=self.days), self.since - timedelta(days=1))


@dataclass(frozen=True, slots=True)
class Beside:
    """`neutral` verdicts are in no rate; `undated` positive and negative ones, without a time, are in no chart."""

    neutral: int
    undated: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two rates and their difference (0.05 = 5 points) with its 95 % interval; None where either has no verdict."""

    current: Rate
    previous: Rate
    change: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Headline:
    """The rate of a period against the one before it, what it leaves out, and the rate over time within the period."""

    comparison: Comparison
    beside: Beside
    over_time: pd.DataFrame


def last_days(days: int = 30, until: date | None = None, now: datetime | None = None) -> Period:
    """The `days` whole UTC days that end with `until`, inclusive; today unless told.

    Raises InputError where that is no period: days outside 1..36500, a year outside 1970..2200.
    """
    if not 1 <= days <= MOST_DAYS:
        raise InputError(f"A period of {days} days cannot be shown: give a number from 1 to {MOST_DAYS}.")
    last = until or (now or utc_now()).date()
    if not 1970 <= last.year <= 2200:
        raise InputError(f"A period cannot end on {last.isoformat()}: give a day between 1970 and 2200.")
    return Period(last - timedelta(days=days - 1), last)


def headline(store: Store, since: date, until: date, *, step: Step = "day") -> Headline:
    """The rate of the period against the same number of days before it, and over time (as `rate_over_time`).

    Undated verdicts count by the time they were received, but not over time. The interval of the change is Newcombe's
    (1998, method 10) from the two rates' own intervals. People who vote in both periods make it a little too wide,
    never too narrow in practice: their opinions go the same way.
    """
    period = Period(since, until)
    middle = period.bounds["since"]
    rows = _rates(store, period.previous().since, until, middle, halves=True, step=step)
    rates = {row["start"]: _rate(row) for row in rows if row["part"] == "half"}
    nothing = rate_of(Tally(0, 0, 0, 0, 0, 0), 0, 0)
    current = rates.pop(middle, nothing)
    beside = Beside(neutral=rows[0]["neutral"], undated=rows[0]["undated"])
    return Headline(comparison(current, next(iter(rates.values()), nothing)), beside, _frame(rows))


def rate_over_time(
    store: Store, since: date, until: date, *, by: str | None = None, step: Step = "day"
) -> pd.DataFrame:
    """The positive rate of each day or week (from Monday; the first and last may be cut by the period).

    Split by `by`: None, "model", "prompt_version" or "tag:NAME". Columns: start (timestamp), segment, rate, low,
    high, n, raters, too_few; only points with a verdict, ordered by start and segment. Undated verdicts are left
    out. The cap holds within each point, so a point's n may exceed its share of the period's.
    """
    return _frame(_rates(store, since, until, Period(since, until).bounds["since"], by=by, step=step))


def comparison(current: Rate, previous: Rate) -> Comparison:
    """The difference of two rates from different periods, with its interval."""
    if current.rate is None or current.low is None or current.high is None:
        return Comparison(current, previous, None, None, None)
    if previous.rate is None or previous.low is None or previous.high is None:
        return Comparison(current, previous, None, None, None)
    change = current.rate - previous.rate
    below = math.hypot(current.rate - current.low, previous.high - previous.rate)
    above = math.hypot(current.high - current.rate, previous.rate - previous.low)
    return Comparison(current, previous, change, max(-1.0, change - below), min(1.0, change + above))


def feedback_over_time(store: Store, since: date, until: date, *, step: Step = "day") -> pd.DataFrame:
    """Users' explicit feedback per day or week: columns start, feedback, positive, neutral, negative.

    Utterances, not verdicts: what came in. The three polarities add up to less where feedback has none.
    """
    return store.frame(_FEEDBACK.format(start=_STARTS[step], given_at=GIVEN_AT), **Period(since, until).bounds)


def response_rates(store: Store, since: date, until: date) -> tuple[float | None, float | None]:
    """The share of the interactions that have a verdict (neutral ones too), 0 to 1, of the period and of the same
    number of days before it.

    Counts only imports that hold unrated interactions too (`complete`); None (unknown) where there are none.
    """
    period = Period(since, until)
    bounds = period.bounds | {"middle": period.bounds["since"], "since": period.previous().bounds["since"]}
    shares = {row["later"]: row["answered"] / row["interactions"] for row in store.rows(_RESPONSES, **bounds)}
    return shares.get(True), shares.get(False)


def segments(store: Store) -> list[str]:
    """What `by` can be for this data: "model" and "prompt_version" where known, a "tag:NAME" for each recent tag."""
    known = store.rows("SELECT count(model) AS model, count(prompt_version) AS prompt_version FROM interaction")[0]
    recent = store.rows(
        "SELECT tags FROM interaction WHERE CAST(tags AS VARCHAR) NOT IN ('{}', 'null') "
        "ORDER BY received_at DESC LIMIT :most",
        most=TAGS_LOOKED_AT,
    )
    names = {name for row in recent for name in row["tags"] if _is_plain(name)}
    return [name for name, count in known.items() if count] + [f"tag:{name}" for name in sorted(names)]


def _rates(
    store: Store,
    since: date,
    until: date,
    middle: datetime,
    *,
    step: Step,
    by: str | None = None,
    halves: bool = False,
) -> list[dict[str, Any]]:
    """At least one row; those with a `part` say a rate, all of them what lies beside the rates since `middle`."""
    segment, tag = _dimension(by)
    points = _POINTS.format(
        start=_STARTS[step],
        segment=_SEGMENTS[segment],
        join="LEFT JOIN interaction i ON i.interaction_id = v.interaction_id" if segment else "",
    )
    sql = _RATES.format(counted=f"{_HALVES} UNION ALL {points}" if halves else points)
    return store.rows(sql, cap=CAP, not_given=NOT_GIVEN, middle=middle, **tag, **Period(since, until).bounds)


def _dimension(by: str | None) -> tuple[str | None, dict[str, str]]:
    """Which constant expression splits by `by`, and the values to bind for it."""
    kind, _, name = (by or "").partition(":")
    if kind == "tag" and _is_plain(name):
        return "tag", {"tag": name}
    if by in (None, "model", "prompt_version"):
        return by, {}
    raise InputError(f"Rates cannot be split by {by!r}: choose model, prompt_version or tag:NAME.")


def _is_plain(tag: str) -> bool:
    """Whether the engine takes the name as a key: a leading $ or / would make it a path, a * a pattern."""
    return bool(tag) and tag[0] not in "$/" and "*" not in tag


def _rate(row: dict[str, Any]) -> Rate:
    tally = Tally(*(int(row[name]) for name in ("raters", "n", "positive", "mm", "mx", "xx")))
    return rate_of(tally, int(row["n_all"]), int(row["positive_all"]))


def _frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    columns = ["start", "segment", "rate", "low", "high", "n", "raters", "too_few"]
    points = [
        (row["start"], row["segment"], found.rate, found.low, found.high, found.n, found.raters, found.too_few)
        for row, found in ((row, _rate(row)) for row in rows if row["part"] == "point")
    ]
    return pd.DataFrame(points, columns=columns)
