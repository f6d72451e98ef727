"""What fixing an issue would win: whom it touches, how much, and how sure that is."""

from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from feedback_lab.insights.opportunities import gains, issues_without_question, opportunities, touches
from feedback_lab.insights.periods import headline
from feedback_lab.records import Feedback, Interaction
from feedback_lab.store import Store
from tests.vote_builders import NOON, keep, keep_issue, vote

DAY = NOON.date()
Vote = tuple[Interaction, Feedback]
FEES = ["What is the fee for a payment abroad?", "Which fee do I pay for a card payment abroad?"]
CARDS = ["When does my new card arrive?", "How long does the delivery of a new card take?"]


def asked(first: int, questions: list[str], good: int, bad: int, **fields: Any) -> list[Vote]:
    """So many good and bad verdicts, one a person, on these questions in turn; bad ones come with a comment."""
    votes: list[Vote] = []
    for number in range(good + bad):
        said = {"polarity": "negative", "comment": "outdated"} if number < bad else {"polarity": "positive"}
        votes.append(vote(first + number, input=questions[number % len(questions)], **said, **fields))
    return votes


def feedback_ids(votes: list[Vote]) -> list[str]:
    return [feedback.feedback_id for _, feedback in votes if feedback.comment]


@pytest.fixture
def bank(store: Store) -> Store:
    """Fees: 20 of 80 good. Cards: 96 of 120 good, and complained about too. Both are issues."""
    fees, cards = asked(0, FEES, 20, 60), asked(1000, CARDS, 96, 24)
    keep(store, fees + cards)
    keep_issue(store, "fees", "Outdated fees", feedback_ids(fees))
    keep_issue(store, "cards", "Slow cards", feedback_ids(cards))
    return store


def test_an_issue_touches_good_answers_to_such_questions_too_and_the_gain_is_the_gap_times_their_share(
    bank: Store,
) -> None:
    (only,) = opportunities(bank, DAY, DAY, similarity=0.3)

    base = (20 + 96) / 200
    shrunk = (20 + 10 * base) / 90
    assert (only.issue_id, only.title, only.touched, only.too_few) == ("fees", "Outdated fees", 80, False)
    assert only.gain == pytest.approx(80 / 200 * (0.8 - shrunk))
    assert (only.touched_rate, only.rest_rate) == (0.25, 0.8)
    assert 0.1 < only.low < only.gain < only.high < 0.3


def test_the_gain_is_what_the_headline_rate_would_rise_by(bank: Store) -> None:
    (only,) = opportunities(bank, DAY, DAY, similarity=0.3)

    now = headline(bank, DAY, DAY).comparison.current.rate
    assert now is not None
    assert now < now + only.gain < only.rest_rate


def test_an_issue_whose_answers_are_as_good_as_the_rest_is_no_opportunity(bank: Store) -> None:
    assert "cards" not in [one.issue_id for one in opportunities(bank, DAY, DAY, similarity=0.3)]


def test_a_complaint_never_touches_its_own_interaction(store: Store) -> None:
    lonely = [vote(1, "negative", comment="bad", input="Something that nobody else asks"), *asked(10, CARDS, 30, 0)]
    keep(store, lonely)
    keep_issue(store, "lonely", "Lonely", ["f00001"])

    assert opportunities(store, DAY, DAY, similarity=0.5) == []


def test_identical_questions_touch_each_other_also_at_the_highest_threshold(store: Store) -> None:
    votes = asked(0, FEES[:1], 10, 30) + asked(100, CARDS, 40, 0)
    keep(store, votes)
    keep_issue(store, "fees", "Fees", feedback_ids(votes)[:1])

    # The only member itself is left out: 39 of the 40.
    assert [one.touched for one in opportunities(store, DAY, DAY, similarity=1.0)] == [39]


def test_only_verdicts_of_the_period_count_whenever_the_comments_were_made(bank: Store) -> None:
    assert opportunities(bank, DAY + timedelta(days=1), DAY + timedelta(days=3), similarity=0.3) == []
    keep(bank, asked(5000, FEES, 5, 5, at=NOON + timedelta(days=2)))
    keep(bank, asked(6000, CARDS, 9, 1, at=NOON + timedelta(days=2)))

    (only,) = opportunities(bank, DAY + timedelta(days=1), DAY + timedelta(days=3), similarity=0.3)
    assert (only.issue_id, only.touched, only.too_few) == ("fees", 10, True)


def test_one_person_who_votes_all_the_time_does_not_make_an_opportunity(bank: Store) -> None:
    keep(bank, asked(5000, CARDS, 0, 400, rater="angry"))

    assert [one.issue_id for one in opportunities(bank, DAY, DAY, similarity=0.3)] == ["fees"]


def test_comments_without_questions_give_no_opportunity_and_are_counted(store: Store) -> None:
    votes = [vote(n, "negative", comment="too slow", input=None if n % 2 else " ") for n in range(40)]
    keep(store, votes)
    keep_issue(store, "slow", "Too slow", feedback_ids(votes))

    assert opportunities(store, DAY, DAY, similarity=0.5) == []
    assert issues_without_question(store) == 1


def test_verdicts_without_a_question_belong_to_the_rest(bank: Store) -> None:
    keep(bank, asked(5000, [""], 200, 0))

    (only,) = opportunities(bank, DAY, DAY, similarity=0.3)
    assert only.touched == 80
    assert only.rest_rate == pytest.approx((96 + 200) / 320)
    assert issues_without_question(bank) == 0


def test_an_issue_that_touches_everything_has_no_rest_to_compare_with(store: Store) -> None:
    votes = asked(0, FEES[:1], 10, 30)
    keep(store, votes)
    keep_issue(store, "fees", "Fees", feedback_ids(votes))

    assert opportunities(store, DAY, DAY, similarity=0.5) == []


def test_without_issues_or_verdicts_there_is_nothing_to_win(store: Store) -> None:
    assert opportunities(store, DAY, DAY, similarity=0.5) == []
    keep(store, asked(0, FEES, 3, 3))
    assert opportunities(store, DAY, DAY, similarity=0.5) == []


def test_above_the_limit_a_repeatable_sample_stands_for_all(bank: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("feedback_lab.insights.opportunities.MOST_VERDICTS", 100)

    (only,) = opportunities(bank, DAY, DAY, similarity=0.3)
    assert (only,) == tuple(opportunities(bank, DAY, DAY, similarity=0.3))
    assert only.touched % 2 == 0  # each of the 100 stands for two
    assert 60 <= only.touched <= 100
    assert only.low < 0.4 * (0.8 - 0.25) < only.high


def test_touching_works_over_more_questions_than_fit_in_one_chunk() -> None:
    words = [f"word{n % 50} thing{n // 50}" for n in range(2500)]
    votes = pd.DataFrame({"interaction_id": [f"i{n}" for n in range(2500)], "input": words})
    members = pd.DataFrame({"issue_id": ["a", "b"], "interaction_id": ["x", "y"], "input": [words[3], words[2400]]})

    touched = touches(votes, members, ["a", "b"], similarity=0.99)
    assert [np.flatnonzero(column).tolist() for column in touched.T] == [[3], [2400]]


def test_people_who_vote_alike_make_the_gain_less_certain() -> None:
    touched = np.repeat([True, False], 300)[:, None]
    good = np.tile(np.repeat([True, False], 3), 100)
    alike, each = np.arange(600) // 3, np.arange(600)
    clustered = gains(alike.astype(object), good, touched)
    independent = gains(each.astype(object), good, touched)

    assert clustered.gain == pytest.approx(independent.gain)
    assert (clustered.high - clustered.low)[0] > 1.6 * (independent.high - independent.low)[0]


def test_the_interval_of_the_gain_agrees_with_a_bootstrap_over_people() -> None:
    rng = np.random.default_rng(3)
    people = rng.integers(0, 300, 900)
    touched = rng.random(900) < 0.2
    good = rng.random(900) < np.where(touched, 0.45, 0.7) + 0.3 * (rng.random(300) - 0.5)[people]
    found = gains(people.astype(object), good, touched[:, None])

    rows_of = [np.flatnonzero(people == person) for person in range(300)]
    drawn = []
    for _ in range(400):
        rows = np.concatenate([rows_of[person] for person in rng.integers(0, 300, 300)])
        drawn.append(gains(people[rows].astype(object), good[rows], touched[rows][:, None]).gain[0])
    assert (found.high - found.low)[0] == pytest.approx(2 * 1.97 * np.std(drawn), rel=0.12)


def test_the_interval_of_the_gain_covers_the_truth_for_people_who_vote_alike() -> None:
    rng = np.random.default_rng(11)
    truth, hits, runs = 0.2 * (0.7 - 0.5), 0, 300
    for _ in range(runs):
        people = np.repeat(np.arange(300), rng.integers(1, 4, 300))
        mood = np.where(rng.random(300) < 0.5, 0.15, -0.15)[people]
        touched = rng.random(len(people)) < 0.2
        good = rng.random(len(people)) < np.where(touched, 0.5, 0.7) + mood
        found = gains(people.astype(object), good, touched[:, None])
        hits += bool(found.low[0] <= truth <= found.high[0])

    assert 0.92 <= hits / runs <= 0.985


def test_one_person_alone_proves_no_gain() -> None:
    found = gains(np.array(["ann"] * 6, dtype=object), np.array([False] * 3 + [True] * 3), np.eye(6, 1, 0) > 0)

    assert found.gain[0] > 0
    assert (found.low[0], found.high[0]) == (-1.0, 1.0)
