"""A refresh shows first what it would change, keeps what is still there, and never acts behind anyone's back."""

import json
from datetime import timedelta

import pytest

from feedback_lab.issues import acts, identity, refreshing, stored, tracking, undoing
from feedback_lab.issues.refreshing import StalePlanError
from feedback_lab.store import Store
from tests.builders import MONDAY, interaction, put, thumb
from tests.issue_builders import complain


@pytest.fixture
def grouped(store: Store) -> Store:
    for kind in ("card", "rate", "login"):
        complain(store, kind, 12)
    tracking.refresh(store)
    return store


def test_a_plan_changes_nothing_and_tells_what_would_change(grouped: Store) -> None:
    complain(grouped, "german", 12)
    complain(grouped, "card", 3, start=12)
    tables = ("issue", "issue_member", "issue_model", "issue_event", "audit")
    before = {table: grouped.rows(f"SELECT * FROM {table}") for table in tables}
    plan = tracking.plan_refresh(grouped)

    assert {table: grouped.rows(f"SELECT * FROM {table}") for table in tables} == before
    assert [change.after for change in plan.changes.new] == [12]
    assert [(change.before, change.after) for change in plan.changes.grown] == [(12, 15)]
    assert (plan.changes.kept, plan.changes.moved, plan.cold, plan.unchanged) == (3, 0, False, False)
    assert json.loads(json.dumps(plan.as_dict()))["total_comments"] == 51

    tracking.apply_refresh(grouped, plan, "ada")
    assert sorted(one.frequency for one in tracking.listing(grouped).issues) == [12, 12, 12, 15]
    assert grouped.rows("SELECT actor FROM audit WHERE action = 'refresh issues' ORDER BY happened_at")[-1] == {
        "actor": "ada"
    }


def test_what_a_refresh_finds_new_waits_as_a_proposal(grouped: Store) -> None:
    complain(grouped, "german", 12)
    refreshing.refresh(grouped)

    assert [one.proposed for one in tracking.listing(grouped).issues].count(True) == 1


def test_without_anything_new_there_is_nothing_to_do(grouped: Store) -> None:
    plan = tracking.plan_refresh(grouped)

    assert plan.unchanged
    assert plan.outcome is None
    assert plan.changes.moved == 0


def test_a_human_act_makes_an_older_plan_stale(grouped: Store) -> None:
    complain(grouped, "card", 3, start=12)
    plan = tracking.plan_refresh(grouped)
    acts.rename(grouped, tracking.listing(grouped).issues[0].issue_id, "Cards", "bob")

    with pytest.raises(StalePlanError, match="look at the changes again"):
        tracking.apply_refresh(grouped, plan, "ada")


def test_another_refresh_makes_a_plan_stale(grouped: Store) -> None:
    complain(grouped, "card", 3, start=12)
    plan = tracking.plan_refresh(grouped)
    tracking.refresh(grouped)

    with pytest.raises(StalePlanError):
        tracking.apply_refresh(grouped, plan, "ada")


def test_comments_that_come_between_plan_and_refresh_find_their_issue_afterwards(grouped: Store) -> None:
    complain(grouped, "german", 12)
    plan = tracking.plan_refresh(grouped)
    complain(grouped, "rate", 4, start=12)
    tracking.assign_new(grouped)
    tracking.apply_refresh(grouped, plan, "ada")

    assert tracking.assign_new(grouped) == 4
    assert tracking.listing(grouped).total_comments == 52
    assert {one.frequency for one in tracking.listing(grouped).issues} == {12, 16}


def test_a_refresh_can_be_cancelled_and_leaves_everything_as_it_was(grouped: Store) -> None:
    complain(grouped, "german", 12)
    before = grouped.rows("SELECT * FROM issue_member")

    def stop(done: int, total: int, words: str) -> None:
        if done == 2:
            raise KeyboardInterrupt(words)

    with pytest.raises(KeyboardInterrupt, match="titles"):
        refreshing.refresh(grouped, progress=stop)
    assert grouped.rows("SELECT * FROM issue_member") == before


def test_a_comment_that_is_none_any_more_leaves_its_issue_at_the_refresh(grouped: Store) -> None:
    put(grouped, [thumb("f-later", True, on="i-f-card-0", rater_hash="u-f-card-0", created_at=MONDAY + timedelta(1))])
    refreshing.refresh(grouped)

    assert grouped.scalar("SELECT count(*) FROM issue_member WHERE feedback_id = 'f-card-0'") == 0


def test_changes_tell_split_merged_and_gone_issues_apart() -> None:
    old = ["a"] * 8 + ["b"] * 4 + ["c"] * 4 + [None] * 2
    new = ["a"] * 4 + ["x"] * 4 + ["c"] * 8 + [None, "c"]
    found = identity.changes(old, new, {"a": "A", "b": "B", "c": "C", "x": "X"})

    assert [(one.issue_id, one.others) for one in found.split] == [("a", ("x",))]
    assert [(one.issue_id, one.others) for one in found.merged] == [("c", ("b",))]
    assert [one.issue_id for one in found.gone] == ["b"]
    assert [one.issue_id for one in found.new] == ["x"]
    assert (found.moved, found.kept) == (8, 2)


def test_clusters_of_the_parts_of_a_merged_issue_lead_to_the_whole() -> None:
    placed = ["a"] * 5 + ["b"] * 5 + ["a"] * 4
    labels = [0] * 5 + [1] * 5 + [2] * 4
    ids = [str(row) for row in range(14)]

    assert identity.continued(ids, placed, labels, {"a": "a", "b": "a"}, []) == {0: "a", 1: "a", 2: "a"}


def test_a_cluster_that_a_human_dismissed_before_is_no_news() -> None:
    ids = [str(row) for row in range(8)]

    assert identity.continued(ids, [None] * 8, [0] * 8, {}, [set(ids[:5])]) == {0: None}


def test_models_and_members_of_the_first_release_go_on(grouped: Store) -> None:
    """Their rows know no place, no freshness, and their model no state."""
    grouped.write(lambda c: c.exec_driver_sql("UPDATE issue_member SET placed_in = NULL, fresh = NULL"))
    grouped.write(lambda c: c.exec_driver_sql("UPDATE issue_model SET state = NULL"))
    before = {one.issue_id: one.frequency for one in tracking.listing(grouped).issues}
    complain(grouped, "card", 2, start=12)

    assert tracking.assign_new(grouped) == 2
    refreshing.refresh(grouped)
    after = {one.issue_id: one.frequency for one in tracking.listing(grouped).issues}
    assert after.keys() == before.keys()
    assert sum(after.values()) == sum(before.values()) + 2


def test_a_merged_issue_of_the_first_release_can_be_taken_apart(grouped: Store) -> None:
    grouped.write(lambda c: c.exec_driver_sql("UPDATE issue_member SET placed_in = NULL"))
    first, second = (one.issue_id for one in tracking.listing(grouped).issues[:2])
    acts.merge(grouped, first, second, "ada")

    parts = {row["placed_in"] for row in grouped.rows("SELECT * FROM issue_member WHERE issue_id = :i", i=second)}
    assert first in parts
    assert stored.roots(stored.issue_rows(grouped))[first] == second
    undoing.undo(grouped, "ada")
    assert len(tracking.listing(grouped).issues) == 3


def test_comments_that_say_nothing_are_a_number_of_their_own(grouped: Store) -> None:
    put(grouped, [interaction("i-bad"), thumb("f-bad", False, on="i-bad", comment="bad", rater_hash="u-bad")])
    tracking.assign_new(grouped)

    found = tracking.listing(grouped)
    assert (found.low_information, found.unassigned, found.total_comments) == (1, 1, 37)


@pytest.mark.parametrize("before", [0, 1, 3])
def test_a_refresh_before_nearly_all_comments_came_spoils_no_later_one(store: Store, before: int) -> None:
    complain(store, "card", before)
    tracking.refresh(store)
    for kind in ("card", "rate", "login"):
        complain(store, kind, 30, start=10)
    tracking.assign_new(store)

    tracking.refresh(store)

    assert sorted(one.frequency for one in tracking.listing(store).issues) == [30, 30, 30 + before]
