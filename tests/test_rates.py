"""The positive rate: its cap, its interval, and that both do what they promise."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from feedback_lab.insights.rates import Tally, counted, design_effect, interval, rate, rate_of, t_quantile, wilson


def votes(*raters: tuple[str, str]) -> pd.DataFrame:
    """Votes written as ("ann", "++-"): one sign a verdict."""
    rows = [(f"{rater}-{number}", rater, sign == "+") for rater, signs in raters for number, sign in enumerate(signs)]
    return pd.DataFrame(rows, columns=["feedback_id", "rater", "positive"])


def one_each(positive: int, negative: int) -> pd.DataFrame:
    return votes(*((f"user {n}", "+" if n < positive else "-") for n in range(positive + negative)))


def test_without_a_verdict_there_is_no_rate_and_no_interval() -> None:
    found = rate(votes())

    assert (found.rate, found.low, found.high, found.uncapped) == (None, None, None, None)
    assert (found.n, found.raters, found.n_uncapped, found.too_few) == (0, 0, 0, True)


def plain_wilson(positive: float, n: float, people: int) -> tuple[float, float]:
    """What statsmodels says; it takes alpha, so ask for the alpha at which its z is our t."""
    low, high = proportion_confint(positive, n, alpha=2 * stats.norm.sf(t_quantile(people - 1)), method="wilson")
    return float(low), float(high)


@pytest.mark.parametrize("people", [2, 15, 200])
def test_without_a_design_effect_the_interval_is_plain_wilson_with_t_for_z(people: int) -> None:
    balanced = rate(votes(*((f"user {n}", "+-") for n in range(people))))
    everything = rate(one_each(people, 0))

    assert (balanced.low, balanced.high) == pytest.approx(plain_wilson(people, 2 * people, people))
    assert (everything.low, everything.high) == pytest.approx(plain_wilson(people, people, people))


@pytest.mark.parametrize(("positive", "negative"), [(7, 13), (29, 1), (1, 1), (210, 190)])
def test_one_verdict_a_person_costs_no_more_than_one_verdict(positive: int, negative: int) -> None:
    n = positive + negative
    found = rate(one_each(positive, negative))

    # The design effect is J / (J - 1), the usual correction for having estimated the mean.
    expected = plain_wilson(positive * (n - 1) / n, n - 1, n)
    assert (found.rate, (found.low, found.high)) == (positive / n, pytest.approx(expected))


def test_the_plain_formula_agrees_with_statsmodels_at_the_usual_z() -> None:
    assert wilson(7 / 20, 20, 1.959963984540054) == pytest.approx(proportion_confint(7, 20, method="wilson"))


def test_people_who_vote_often_and_alike_make_the_interval_wider() -> None:
    alike = rate(votes(*((f"user {n}", "+++" if n % 2 else "---") for n in range(20))))
    independent = rate(one_each(30, 30))

    assert alike.rate == independent.rate == 0.5
    assert alike.n == independent.n == 60
    assert alike.high - alike.low > 1.6 * (independent.high - independent.low)  # type: ignore[operator]


def test_the_design_effect_of_people_who_always_repeat_themselves_is_their_number_of_votes() -> None:
    repeated = Tally.of(np.full(1000, 3), np.repeat([0, 3], 500))

    assert design_effect(repeated) == pytest.approx(3, rel=0.01)


def test_votes_that_balance_within_each_person_do_not_make_the_interval_narrower() -> None:
    balanced = Tally.of(np.full(50, 2), np.full(50, 1))

    assert design_effect(balanced) == 1.0


@pytest.mark.parametrize(("signs", "expected"), [("+", 1.0), ("-", 0.0), ("+-+", 2 / 3)])
def test_one_person_alone_says_nothing_about_the_others(signs: str, expected: float) -> None:
    found = rate(votes(("ann", signs)))

    assert found.rate == pytest.approx(expected)
    assert (found.low, found.high) == (0.0, 1.0)


def test_a_rate_of_nothing_or_all_has_an_interval_on_one_side() -> None:
    none, everything = rate(one_each(0, 50)), rate(one_each(50, 0))

    assert none.low == 0.0
    assert 0.05 < none.high < 0.10  # type: ignore[operator]
    assert everything.high == 1.0
    assert everything.low == pytest.approx(1 - none.high)  # type: ignore[operator]


def test_at_most_three_verdicts_of_a_person_count_and_the_uncapped_rate_stands_beside() -> None:
    found = rate(votes(("heavy", "-" * 97), ("ann", "+"), ("bob", "+"), ("cem", "+")))

    assert (found.n, found.raters, found.n_uncapped) == (6, 4, 100)
    assert found.rate == 0.5
    assert found.uncapped == pytest.approx(0.03)


def test_no_cap_counts_every_verdict() -> None:
    found = rate(votes(("heavy", "-" * 97), ("ann", "+++")), cap=None)

    assert (found.n, found.rate) == (100, pytest.approx(0.03))


def test_the_cap_chooses_the_same_verdicts_in_every_order_of_the_rows() -> None:
    table = votes(("heavy", "+-" * 20), ("ann", "+-+-"), ("bob", "-"))
    chosen = set(table["feedback_id"][counted(table["feedback_id"].tolist(), table["rater"].tolist())])

    for seed in range(5):
        mixed = table.sample(frac=1, random_state=seed)
        kept = counted(mixed["feedback_id"].tolist(), mixed["rater"].tolist())
        assert set(mixed["feedback_id"][kept]) == chosen
    assert len(chosen) == 7


def test_the_cap_does_not_prefer_early_verdicts() -> None:
    ids = [f"feedback {n:04}" for n in range(1000)]
    kept = counted(ids, ["heavy"] * 1000, cap=300)

    assert 120 < kept[:500].sum() < 180


@pytest.mark.parametrize(
    ("people", "each", "too_few"), [(30, 1, False), (29, 1, True), (15, 2, False), (14, 3, True), (10, 3, True)]
)
def test_under_thirty_verdicts_or_fifteen_people_is_too_few(people: int, each: int, too_few: bool) -> None:
    found = rate(votes(*((f"user {n}", "+-+"[:each]) for n in range(people))))

    assert found.too_few is too_few
    assert found.rate is not None


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)).filter(lambda one: sum(one) > 0), min_size=1))
@settings(max_examples=200, deadline=None)
def test_the_interval_always_holds_the_rate_and_stays_between_0_and_1(people: list[tuple[int, int]]) -> None:
    good, bad = np.array(people).T
    found = rate_of(Tally.of(good + bad, good), 0, 0)

    assert found.rate is not None
    assert found.low is not None
    assert found.high is not None
    assert 0 <= found.low <= found.rate <= found.high <= 1


def test_the_interval_covers_the_truth_where_plain_wilson_does_not() -> None:
    rng = np.random.default_rng(5)
    truth, runs = 0.7, 600
    honest = plain = 0
    for _ in range(runs):
        opinions = rng.beta(0.7 * 7 / 3, 0.3 * 7 / 3, 400)  # intra-class correlation 0.3
        given_verdicts = np.minimum(rng.zipf(1.6, 400), 300)
        counting = np.minimum(given_verdicts, 3)
        low, high = interval(Tally.of(counting, rng.binomial(counting, opinions)))
        honest += low <= truth <= high  # type: ignore[operator]
        n = int(given_verdicts.sum())
        low, high = wilson(int(rng.binomial(given_verdicts, opinions).sum()) / n, n, 1.96)
        plain += low <= truth <= high

    assert 0.93 <= honest / runs <= 0.975
    assert plain / runs < 0.6
