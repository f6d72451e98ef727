"""The rules, as decisions on counts."""

import numpy as np
import pytest

from feedback_lab.triggers import HIGH, MEDIUM, RULES, Counts, judge_above_base, judge_seed, judge_user_correction


def counts(
    negative: int, positive: int = 0, neutral: int = 0, raters: int = 9, corrections: int = 0, base: float = 0.0
) -> Counts:
    return Counts(negative, positive, neutral, raters, corrections, base)


@pytest.mark.parametrize(
    ("negative", "positive", "neutral", "fires"),
    [
        (1, 2, 0, True),  # 33 % of 3
        (3, 7, 0, False),  # 30 % is not above 30 %
        (4, 6, 0, True),
        (2, 0, 0, False),  # fewer than 3
        (1, 1, 2, False),  # neutral ones stand in the denominator: 25 %
        (1, 0, 2, True),
    ],
)
def test_the_seed_rule_fires_above_thirty_percent_of_at_least_three(
    negative: int, positive: int, neutral: int, fires: bool
) -> None:
    assert (judge_seed(counts(negative, positive, neutral)) is not None) == fires


def test_the_seed_rule_is_high_above_five_related_and_suggests_by_the_corrections_among_them() -> None:
    five, six = judge_seed(counts(3, 2)), judge_seed(counts(3, 3, corrections=1))

    assert five is not None
    assert (five.priority, five.suggested_action) == (MEDIUM, "review prompt and instructions")
    assert six is not None
    assert (six.priority, six.suggested_action) == (HIGH, "update knowledge base")


def test_a_reason_says_the_numbers_that_fired() -> None:
    found = judge_seed(counts(7, 3))

    assert found is not None
    assert found.reason == "7 of the last 10 similar verdicts were negative (70.0 % > 30.0 %)"
    assert found.evidence["share"] == 0.7


def test_above_base_needs_five_verdicts_from_three_people() -> None:
    assert judge_above_base(counts(4, raters=4, base=0.1)) is None
    assert judge_above_base(counts(9, raters=2, base=0.1)) is None
    assert judge_above_base(counts(9, raters=3, base=0.1)) is not None


def test_above_base_compares_with_what_is_usual() -> None:
    assert judge_above_base(counts(8, 2, base=0.1)) is not None
    assert judge_above_base(counts(8, 2, base=0.75)) is None


def test_above_base_survives_the_ends_of_the_scale() -> None:
    assert judge_above_base(counts(50, base=1.0)) is None  # everything is negative: nothing is worse than usual
    assert judge_above_base(counts(0, 50, base=0.0)) is None
    assert judge_above_base(counts(0, 0, 50, base=0.0)) is None


def test_above_base_agrees_with_the_posterior_by_simulation() -> None:
    draws = np.random.default_rng(1).beta(10 * 0.25 + 12, 10 * 0.75 + 3, 200_000)
    found = judge_above_base(counts(12, 3, base=0.25))

    assert found is not None
    assert found.evidence["sure"] == pytest.approx((draws > 0.35).mean(), abs=0.005)


def test_a_correction_fires_alone() -> None:
    found = judge_user_correction(counts(1, raters=1, corrections=1))

    assert found is not None
    assert found.reason == "1 person proposed a better answer to this question"
    assert judge_user_correction(counts(5)) is None


def test_every_rule_says_what_it_is_about() -> None:
    assert all(rule.name == name and rule.about for name, rule in RULES.items())
