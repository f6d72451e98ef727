"""Periods: which verdicts belong to one, charts over time, comparison, response rate."""

from datetime import date, datetime, timedelta
from typing import Any

import pandas as pd
import pytest

from feedback_lab.errors import InputError
from feedback_lab.insights.periods import (
    NOT_GIVEN,
    Beside,
    Period,
    feedback_over_time,
    headline,
    last_days,
    rate_over_time,
    response_rates,
    segments,
)
from feedback_lab.insights.rates import Rate, rate
from feedback_lab.store import Store
from feedback_lab.verdicts import VERDICTS
from tests.vote_builders import NOON, keep, keep_batch, unrated, vote

DAY = NOON.date()
JUNE = (date(2026, 6, 1), date(2026, 6, 30))


def rate_in(store: Store, since: date, until: date) -> Rate:
    return headline(store, since, until).comparison.current


def test_the_last_days_end_with_today_and_are_whole() -> None:
    assert last_days(30, now=NOON) == Period(date(2026, 5, 17), DAY)
    assert last_days(1, until=date(2026, 1, 1)) == Period(date(2026, 1, 1), date(2026, 1, 1))


@pytest.mark.parametrize("days", [0, -3, 10**9])
def test_an_impossible_number_of_days_is_refused_with_the_bounds(days: int) -> None:
    with pytest.raises(InputError, match="from 1 to 36500"):
        last_days(days, now=NOON)


@pytest.mark.parametrize("until", [date.min, date.max])
def test_a_period_at_the_end_of_time_is_refused(until: date) -> None:
    with pytest.raises(InputError, match="between 1970 and 2200"):
        last_days(30, until=until)


def test_the_previous_period_is_as_long_and_ends_the_day_before() -> None:
    assert Period(date(2026, 3, 1), date(2026, 3, 7)).previous() == Period(date(2026, 2, 22), date(2026, 2, 28))


def test_a_period_holds_its_first_and_last_moment_and_no_other(store: Store) -> None:
    midnight = datetime(2026, 6, 15)
    edges = [midnight - timedelta(microseconds=1), midnight, midnight + timedelta(days=1, microseconds=-1)]
    edges.append(midnight + timedelta(days=1))
    keep(store, [vote(n, at=at) for n, at in enumerate(edges)])

    assert rate_in(store, DAY, DAY).n == 2


def test_an_empty_store_has_no_rate_and_empty_charts(store: Store) -> None:
    assert rate_in(store, *JUNE).rate is None
    assert rate_over_time(store, *JUNE).empty
    assert list(rate_over_time(store, *JUNE).columns) == [
        "start", "segment", "rate", "low", "high", "n", "raters", "too_few",
    ]  # fmt: skip
    assert feedback_over_time(store, *JUNE).empty
    assert headline(store, *JUNE).comparison.change is None
    assert response_rates(store, *JUNE) == (None, None)
    assert segments(store) == []


def test_neutral_verdicts_and_other_populations_are_not_in_the_rate(store: Store) -> None:
    others = [vote(n, "positive", population=one) for n, one in enumerate(["reviewer", "test", "judge"], 10)]
    keep(store, [vote(1, "positive"), vote(2, "negative"), vote(3, "neutral"), *others])

    found = rate_in(store, *JUNE)
    assert (found.n, found.rate) == (2, 0.5)


def test_the_database_counts_exactly_as_the_arithmetic_in_memory(store: Store) -> None:
    heavy = [vote(n, "negative" if n % 3 else "positive", rater=f"heavy {n % 4}") for n in range(60)]
    keep(store, heavy + [vote(n, "positive" if n % 2 else "negative") for n in range(100, 140)])

    table = store.frame(f"SELECT feedback_id, rater, polarity = 'positive' AS positive FROM ({VERDICTS}) AS verdict")
    found = rate_in(store, *JUNE)
    assert found == rate(table)
    assert (found.n, found.raters, found.n_uncapped) == (52, 44, 100)


def test_undated_verdicts_count_when_received_but_stay_out_of_charts(store: Store) -> None:
    keep(store, [vote(1), vote(2, at=None, batch_id="b"), vote(3, "neutral", at=None, batch_id="b")])

    assert rate_in(store, *JUNE).n == 2
    assert rate_over_time(store, *JUNE)["n"].tolist() == [1]
    assert feedback_over_time(store, *JUNE)["feedback"].tolist() == [1]
    assert headline(store, *JUNE).beside == Beside(neutral=1, undated=1)
    assert headline(store, DAY, DAY).beside == Beside(neutral=0, undated=0)


def test_the_rate_is_shown_for_each_day_with_a_verdict(store: Store) -> None:
    keep(store, [vote(1), vote(2, "negative"), vote(3, at=NOON + timedelta(days=2))])

    chart = rate_over_time(store, *JUNE)
    assert chart["start"].tolist() == [pd.Timestamp("2026-06-15"), pd.Timestamp("2026-06-17")]
    assert chart["rate"].tolist() == [0.5, 1.0]
    assert chart["segment"].tolist() == ["all", "all"]
    assert chart["too_few"].tolist() == [True, True]


def test_the_headline_holds_the_rate_over_time_of_its_own_period_alone(store: Store) -> None:
    several = [vote(n, "negative" if n % 3 else "positive", rater=f"heavy {n % 2}") for n in range(20)]
    keep(store, [*several, vote(30, at=NOON - timedelta(days=7)), vote(31, at=None, batch_id="b")])

    week = (DAY - timedelta(days=6), DAY)
    for step in ("day", "week"):
        pd.testing.assert_frame_equal(
            headline(store, *week, step=step).over_time, rate_over_time(store, *week, step=step)
        )
    assert headline(store, *week).over_time["n"].tolist() == [6]


def test_weeks_start_on_monday(store: Store) -> None:
    keep(store, [vote(1, at=NOON - timedelta(days=1)), vote(2), vote(3, at=NOON + timedelta(days=6))])

    chart = rate_over_time(store, *JUNE, step="week")
    assert chart["start"].tolist() == [pd.Timestamp("2026-06-08"), pd.Timestamp("2026-06-15")]
    assert chart["n"].tolist() == [1, 2]


@pytest.mark.parametrize(("by", "field"), [("model", {"model": "m2"}), ("prompt_version", {"prompt_version": "m2"})])
def test_the_rate_splits_by_model_and_by_prompt_version(store: Store, by: str, field: dict[str, Any]) -> None:
    keep(store, [vote(1, **field), vote(2, **field), vote(3, "negative")])

    chart = rate_over_time(store, *JUNE, by=by)
    assert chart[["segment", "rate", "n"]].values.tolist() == [[NOT_GIVEN, 0.0, 1], ["m2", 1.0, 2]]


def test_the_rate_splits_by_a_tag_of_any_plain_name(store: Store) -> None:
    names = ["plan", "a.b", "two words", "it's", 'a "quote"', "größe", "x'); DROP TABLE feedback; --"]
    keep(store, [vote(1, tags=dict.fromkeys(names, "gold")), vote(2, "negative", tags={}), vote(3)])

    for name in names:
        assert rate_over_time(store, *JUNE, by=f"tag:{name}")["segment"].tolist() == [NOT_GIVEN, "gold"]
    assert segments(store) == [f"tag:{name}" for name in sorted(names)]


@pytest.mark.parametrize("by", ["rater", "tag:", "tag:$x", "tag:/x", "tag:*", "", "model; DROP TABLE feedback"])
def test_an_unknown_split_is_refused_with_the_choices(store: Store, by: str) -> None:
    with pytest.raises(InputError, match="model, prompt_version or tag:NAME"):
        rate_over_time(store, *JUNE, by=by)


def test_segments_offers_what_the_data_can_be_split_by(store: Store) -> None:
    keep(store, [vote(1, model="m1", tags={"plan": "gold", "$odd": "x"})])

    assert segments(store) == ["model", "tag:plan"]


def test_the_comparison_shows_both_rates_and_an_interval_around_their_difference(store: Store) -> None:
    before = [vote(n, "positive" if n % 2 else "negative", at=NOON - timedelta(days=7)) for n in range(200)]
    keep(store, before + [vote(n, "positive" if n % 5 else "negative") for n in range(300, 500)])

    found = headline(store, DAY - timedelta(days=6), DAY).comparison
    assert (found.current.n, found.previous.n) == (200, 200)
    assert found.change == pytest.approx(0.3)
    assert found.low is not None
    assert found.high is not None
    assert 0.2 < found.low < 0.3 < found.high < 0.4


def test_without_a_verdict_before_there_is_no_change_to_speak_of(store: Store) -> None:
    keep(store, [vote(1)])

    found = headline(store, DAY, DAY).comparison
    assert (found.current.rate, found.previous.rate, found.change, found.low) == (1.0, None, None, None)


def test_feedback_over_time_counts_what_came_in_without_signals(store: Store) -> None:
    other = [vote(4, None, kind="rephrase"), vote(5, "positive", population="judge")]
    keep(store, [vote(1), vote(2, "negative"), vote(3, None, kind="comment", comment="hm"), *other])

    row = feedback_over_time(store, *JUNE).iloc[0]
    assert (row["feedback"], row["positive"], row["neutral"], row["negative"]) == (3, 1, 0, 1)


def test_the_response_rate_counts_only_imports_that_hold_unrated_interactions_too(store: Store) -> None:
    keep_batch(store, "logs", complete=True)
    keep_batch(store, "votes", complete=False)
    keep_batch(store, "gone", complete=True, status="undone")
    rated = [vote(1, batch_id="logs"), vote(2, "neutral", batch_id="logs"), vote(3, batch_id="votes")]
    silent = [unrated(n, "logs") for n in range(10, 16)]
    earlier = [
        vote(30, batch_id="logs", at=NOON - timedelta(days=30)),
        unrated(31, "logs", at=NOON - timedelta(days=30)),
    ]
    keep(store, [*rated, *silent, *earlier, unrated(20, "gone"), unrated(21, "logs", at=NOON - timedelta(days=90))])

    assert response_rates(store, *JUNE) == (2 / 8, 1 / 2)


def test_a_comment_alone_is_no_response(store: Store) -> None:
    keep_batch(store, "logs", complete=True)
    keep(store, [vote(1, None, kind="comment", comment="hm", batch_id="logs")])

    assert response_rates(store, *JUNE) == (0.0, None)


def test_without_a_complete_import_the_response_rate_is_unknown(store: Store) -> None:
    keep_batch(store, "votes", complete=False)
    keep(store, [vote(1, batch_id="votes")])

    assert response_rates(store, *JUNE) == (None, None)
