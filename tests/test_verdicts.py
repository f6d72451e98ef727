"""The one definition of a verdict, and of a negative comment."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from feedback_lab import schema
from feedback_lab.records import Kind, Polarity, Population, polarity_of_rating
from feedback_lab.store import Store, insert_rows
from feedback_lab.verdicts import NEGATIVE_COMMENTS, SAID, VERDICTS, negative_comments
from tests.builders import MONDAY, interaction, put, said, thumb


def verdicts(store: Store) -> dict[tuple[str, str], str]:
    return {(row["interaction_id"], row["rater"]): row["polarity"] for row in store.rows(VERDICTS)}


def comments(store: Store) -> set[str]:
    return {row["comment"] for row in store.rows(NEGATIVE_COMMENTS)}


def test_the_latest_vote_of_a_rater_wins_and_the_earlier_is_not_counted(store: Store) -> None:
    later = MONDAY + timedelta(minutes=1)
    put(store, [interaction("i1"), thumb("f1", False, rater_hash="ann")])
    put(store, [thumb("f2", True, on="i1", rater_hash="ann", created_at=later)])

    assert verdicts(store) == {("i1", "user:ann"): "positive"}


def test_two_raters_on_one_interaction_have_a_verdict_each(store: Store) -> None:
    put(store, [interaction("i1"), thumb("f1", False, rater_hash="ann"), thumb("f2", True, on="i1", rater_hash="bob")])

    assert verdicts(store) == {("i1", "user:ann"): "negative", ("i1", "user:bob"): "positive"}


def test_a_correction_counts_as_negative_only_without_a_vote(store: Store) -> None:
    put(store, [interaction("i1"), said("f1", Kind.CORRECTION, rater_hash="ann", suggested_answer="better")])
    put(store, [interaction("i2"), thumb("f2", True, rater_hash="ann")])
    later = MONDAY + timedelta(hours=1)
    put(store, [said("f3", Kind.CORRECTION, on="i2", rater_hash="ann", suggested_answer="x", created_at=later)])

    assert verdicts(store) == {("i1", "user:ann"): "negative", ("i2", "user:ann"): "positive"}


def test_a_comment_alone_has_no_verdict_unless_a_polarity_is_given(store: Store) -> None:
    put(store, [interaction("i1"), said("f1", Kind.COMMENT, comment="hm")])
    put(store, [interaction("i2"), said("f2", Kind.COMMENT, comment="bad", polarity=Polarity.NEGATIVE)])

    assert set(verdicts(store)) == {("i2", "interaction:i2")}


def test_without_a_user_the_session_is_the_rater_and_without_a_session_the_interaction(store: Store) -> None:
    put(store, [interaction("i1", session_id="s"), interaction("i2", session_id="s"), interaction("i3")])
    put(store, [thumb("f1", True), thumb("f2", True), thumb("f3", True)])

    assert {rater for _, rater in verdicts(store)} == {"session:s", "interaction:i3"}


def test_judges_tests_reviewers_and_implicit_signals_give_no_verdict(store: Store) -> None:
    put(store, [interaction("i1")])
    put(store, [thumb(f"f{n}", False, on="i1", population=p) for n, p in enumerate(Population) if p != Population.USER])
    put(store, [said("f9", "rephrase", on="i1")])

    assert verdicts(store) == {}


def test_an_undated_vote_is_ordered_by_when_it_came_in(store: Store) -> None:
    later = MONDAY + timedelta(days=1)
    put(store, [interaction("i1"), thumb("f1", False, rater_hash="ann")])
    put(store, [thumb("f2", True, on="i1", rater_hash="ann", created_at=None, received_at=later, batch_id="b")])

    (row,) = store.rows(VERDICTS)
    assert (row["polarity"], row["happened_at"], row["dated"]) == ("positive", later, False)


def test_what_came_live_is_dated_by_its_arrival(store: Store) -> None:
    put(store, [interaction("i1"), thumb("f1", False, created_at=None, received_at=MONDAY, batch_id=None)])

    (row,) = store.rows(VERDICTS)
    assert (row["happened_at"], row["dated"]) == (MONDAY, True)


def test_a_negative_comment_is_one_by_a_user_whose_verdict_there_is_negative(store: Store) -> None:
    put(store, [interaction("i1"), thumb("f1", False, rater_hash="ann", comment="with the vote")])
    put(store, [said("f2", Kind.COMMENT, on="i1", rater_hash="ann", comment="said beside")])
    put(store, [said("f3", Kind.COMMENT, on="i1", rater_hash="bob", comment="no verdict of his own")])
    put(store, [interaction("i2"), thumb("f4", True, on="i2", comment="lovely")])
    put(store, [interaction("i3"), thumb("f5", False, on="i3", comment="  ")])

    assert comments(store) == {"with the vote", "said beside"}


@pytest.mark.parametrize(
    ("value", "lo", "hi", "expected"),
    [
        (1, 1, 5, "negative"), (2, 1, 5, "negative"), (3, 1, 5, "neutral"), (4, 1, 5, "positive"),
        (5, 1, 5, "positive"),
        (4, 0, 10, "negative"), (5, 0, 10, "neutral"), (6, 0, 10, "positive"),
        (0.4, 0, 1, "negative"), (0.5, 0, 1, "neutral"), (0.6, 0, 1, "positive"),
        (2, 1, 4, "negative"), (3, 1, 4, "positive"),
    ],
)  # fmt: skip
def test_a_rating_is_judged_by_its_declared_scale(value: float, lo: float, hi: float, expected: str) -> None:
    assert polarity_of_rating(value, lo, hi) == expected


@pytest.mark.parametrize(("value", "lo", "hi"), [(6, 1, 5), (0, 1, 5), (3, 5, 5), (float("nan"), 1, 5)])
def test_a_rating_outside_its_scale_has_no_polarity(value: float, lo: float, hi: float) -> None:
    with pytest.raises(ValueError, match="scale"):
        polarity_of_rating(value, lo, hi)


# As the two are defined, without a short cut.
PLAINLY = f"""
    SELECT said.feedback_id, said.comment, said.happened_at, said.dated FROM ({SAID}) AS said
    JOIN ({VERDICTS}) AS verdict USING (interaction_id, rater)
    WHERE verdict.polarity = 'negative' AND trim(said.comment) <> ''
"""
SAYINGS = st.tuples(
    st.integers(0, 3),  # interaction
    st.sampled_from([None, "ann", "bob"]),
    st.sampled_from([Kind.THUMB, Kind.RATING, Kind.COMMENT, Kind.CORRECTION, Kind.EDIT, "rephrase"]),
    st.sampled_from([None, Polarity.POSITIVE, Polarity.NEGATIVE, Polarity.NEUTRAL]),
    st.sampled_from([None, "", " ", "it fails"]),
    st.integers(0, 2),  # minutes
    st.sampled_from([Population.USER, Population.USER, Population.USER, Population.REVIEWER]),
)


def test_negative_comments_are_those_of_negative_verdicts_whatever_was_said(store: Store) -> None:
    put(store, [interaction("i0", session_id="s"), interaction("i1"), interaction("i2", session_id="s")])
    put(store, [interaction("i3")])

    @settings(max_examples=60, deadline=None)
    @given(st.lists(SAYINGS, max_size=12))
    def holds(sayings: list[tuple[int, str | None, str, Polarity | None, str | None, int, Population]]) -> None:
        rows = [
            {
                "feedback_id": f"f{number}",
                "interaction_id": f"i{on}",
                "kind": kind,
                "polarity": polarity,
                "comment": comment,
                "created_at": MONDAY + timedelta(minutes=minutes),
                "received_at": MONDAY,
                "rater_hash": rater,
                "population": population,
                "source": "test",
            }
            for number, (on, rater, kind, polarity, comment, minutes, population) in enumerate(sayings)
        ]

        def stored(connection: Connection) -> None:
            connection.execute(schema.feedback.delete())
            if rows:
                insert_rows(connection, schema.feedback, rows)

        store.write(stored)
        for sql in (NEGATIVE_COMMENTS, negative_comments("SELECT interaction_id FROM interaction")):
            plain = f"SELECT feedback_id, comment, happened_at, dated FROM ({sql}) AS short ORDER BY feedback_id"
            assert store.rows(plain) == store.rows(f"{PLAINLY} ORDER BY feedback_id")

    holds()
