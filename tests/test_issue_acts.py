"""What people do to issues stands over every refresh, is recorded, and can be taken back."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from feedback_lab.errors import InputError
from feedback_lab.issues import acts, detail, refreshing, sending, stored, tracking, undoing
from feedback_lab.issues.listing import IssueView
from feedback_lab.store import Store
from tests.builders import MONDAY
from tests.issue_builders import complain


@pytest.fixture
def grouped(store: Store) -> Store:
    for kind in ("card", "rate", "login"):
        complain(store, kind, 12)
    tracking.refresh(store)
    return store


def about(store: Store, word: str) -> IssueView:
    """The issue whose comments hold `word`."""
    return next(one for one in tracking.listing(store).issues if word in one.representative)


def ids(store: Store, issue_id: str) -> list[str]:
    rows = store.rows("SELECT feedback_id FROM issue_member WHERE issue_id = :issue ORDER BY 1", issue=issue_id)
    return [row["feedback_id"] for row in rows]


@pytest.mark.parametrize("cold", [False, True])
def test_merged_issues_stay_one_when_more_of_both_comes(grouped: Store, cold: bool) -> None:
    card, rate = about(grouped, "card"), about(grouped, "rate")
    acts.merge(grouped, card.issue_id, rate.issue_id, "ada")
    complain(grouped, "card", 6, start=12)
    complain(grouped, "rate", 6, start=12)
    tracking.assign_new(grouped)
    refreshing.refresh(grouped, cold=cold)

    listed = {one.issue_id: one.frequency for one in tracking.listing(grouped).issues}
    assert card.issue_id not in listed
    assert listed[rate.issue_id] == 36


def test_an_undone_merge_gives_each_part_its_own_comments_back_later_ones_too(grouped: Store) -> None:
    card, rate = about(grouped, "card"), about(grouped, "rate")
    acts.merge(grouped, card.issue_id, rate.issue_id, "ada")
    complain(grouped, "card", 5, start=12)
    tracking.assign_new(grouped)
    undoing.undo(grouped, "ada")

    listed = {one.issue_id: one.frequency for one in tracking.listing(grouped).issues}
    assert (listed[card.issue_id], listed[rate.issue_id]) == (17, 12)


@pytest.mark.parametrize("cold", [False, True])
def test_a_split_off_issue_survives_and_learns(grouped: Store, cold: bool) -> None:
    card = about(grouped, "card")
    part = [one for one in ids(grouped, card.issue_id) if one in {f"f-card-{n}" for n in (2, 5, 8, 10)}]
    fresh = acts.split(grouped, card.issue_id, "ada", feedback_ids=part, title="Cards lost in Berlin")
    complain(grouped, "rate", 5, start=12)
    refreshing.refresh(grouped, cold=cold)

    view = next(one for one in tracking.listing(grouped).issues if one.issue_id == fresh)
    assert (view.title, view.parent_id) == ("Cards lost in Berlin", card.issue_id)
    assert set(part) <= set(ids(grouped, fresh))
    assert grouped.scalar("SELECT label FROM issue WHERE issue_id = :issue", issue=fresh) >= 0


def test_comments_that_come_after_a_sub_issue_was_split_off_go_with_it(grouped: Store) -> None:
    card = about(grouped, "card")
    label = grouped.scalar("SELECT label FROM issue WHERE issue_id = :issue", issue=card.issue_id)
    sub = {"sub": 7, "issue": card.issue_id}
    grouped.write(
        lambda c: c.exec_driver_sql(
            f"UPDATE issue_member SET sub_label = 7 WHERE issue_id = '{sub['issue']}' AND feedback_id < 'f-card-2'"
        )
    )
    fresh = acts.split(grouped, card.issue_id, "ada", sub_label=7)

    row = grouped.rows("SELECT label, sub_label FROM issue WHERE issue_id = :issue", issue=fresh)[0]
    assert (row["label"], row["sub_label"]) == (label, 7)
    assert ids(grouped, fresh) == ["f-card-0", "f-card-1", "f-card-10", "f-card-11"]


@pytest.mark.parametrize("cold", [False, True])
def test_a_moved_comment_stays_where_it_was_put(grouped: Store, cold: bool) -> None:
    card, rate = about(grouped, "card"), about(grouped, "rate")
    acts.move(grouped, ["f-card-3"], rate.issue_id, "ada")
    acts.unassign(grouped, ["f-card-4"], "ada")
    complain(grouped, "card", 9, start=12)
    refreshing.refresh(grouped, cold=cold)

    placed = {row["feedback_id"]: row["issue_id"] for row in grouped.rows("SELECT * FROM issue_member")}
    assert (placed["f-card-3"], placed["f-card-4"], placed["f-card-5"]) == (rate.issue_id, None, card.issue_id)


def test_a_locked_issue_keeps_comments_and_words_over_a_cold_refresh(grouped: Store) -> None:
    card = about(grouped, "card")
    acts.move(grouped, ["f-rate-1"], card.issue_id, "ada")
    acts.lock(grouped, card.issue_id, "ada")
    before = ids(grouped, card.issue_id)
    complain(grouped, "rate", 20, start=12)
    complain(grouped, "card", 3, start=12)
    refreshing.refresh(grouped, cold=True)

    after = next(one for one in tracking.listing(grouped).issues if one.issue_id == card.issue_id)
    assert set(before) <= set(ids(grouped, card.issue_id))
    assert (after.keywords, after.sample_comments) == (card.keywords, card.sample_comments)


def test_status_owner_note_and_link_survive_and_are_undone_one_by_one(grouped: Store) -> None:
    card = about(grouped, "card").issue_id
    acts.set_status(grouped, card, "fixing", "ada")
    acts.set_owner(grouped, card, "bob", "ada")
    acts.set_note(grouped, card, "see the post office", "ada")
    acts.set_link(grouped, card, "https://example.com/7", "ada")
    refreshing.refresh(grouped, cold=True)
    view = about(grouped, "card")
    assert (view.status, view.owner, view.note, view.link) == (
        "fixing", "bob", "see the post office", "https://example.com/7"
    )  # fmt: skip

    for _ in range(4):
        undoing.undo(grouped, "ada")
    view = about(grouped, "card")
    assert (view.status, view.owner, view.note, view.link) == ("open", None, None, None)
    with pytest.raises(InputError, match="ada did nothing"):
        undoing.undo(grouped, "ada")


def test_doing_what_is_so_already_is_not_recorded(grouped: Store) -> None:
    card = about(grouped, "card").issue_id

    assert acts.set_status(grouped, card, "open", "ada") is None
    assert acts.unlock(grouped, card, "ada") is None
    assert stored.events(grouped) == []


def test_what_a_later_act_rests_on_is_undone_only_after_it(grouped: Store) -> None:
    card, rate = about(grouped, "card").issue_id, about(grouped, "rate").issue_id
    fresh = acts.split(grouped, card, "ada", feedback_ids=["f-card-1", "f-card-2", "f-card-3"])
    acts.rename(grouped, fresh, "A part", "bob")
    split_event = stored.events(grouped)[0].event_id

    with pytest.raises(InputError, match=r"bob did “Renamed “.*” to “A part”” later"):
        undoing.undo(grouped, "ada", split_event)
    undoing.undo(grouped, "bob")
    undoing.undo(grouped, "ada")
    assert len(ids(grouped, card)) == 12
    assert rate in {one.issue_id for one in tracking.listing(grouped).issues}
    assert fresh not in {one.issue_id for one in tracking.listing(grouped).issues}


def test_a_comment_is_not_put_back_into_a_proposal_that_was_dismissed_since(grouped: Store) -> None:
    complain(grouped, "voice", 9)
    tracking.assign_new(grouped)
    proposal = about(grouped, "voice").issue_id
    moved = acts.unassign(grouped, ["f-voice-3"], "ada")
    acts.dismiss(grouped, proposal, "bob")

    with pytest.raises(InputError, match="bob did “Dismissed the proposal"):
        undoing.undo(grouped, "ada", moved.event_id)
    undoing.undo(grouped, "bob")
    undoing.undo(grouped, "ada")
    assert about(grouped, "voice").frequency == 9


@pytest.mark.parametrize(
    "meanwhile",
    [
        lambda store: acts.unassign(store, ["f-card-1"], "bob"),
        lambda store: store.write(lambda one: one.execute(text("DELETE FROM feedback WHERE feedback_id = 'f-card-1'"))),
    ],
)
def test_what_was_moved_or_taken_back_meanwhile_is_not_split_off(
    grouped: Store, monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[Store], object]
) -> None:
    card = about(grouped, "card").issue_id
    name = acts.words_of

    def slowly(*given: Any) -> Any:
        meanwhile(grouped)
        return name(*given)

    monkeypatch.setattr(acts, "words_of", slowly)
    with pytest.raises(InputError, match="were moved or taken back meanwhile"):
        acts.split(grouped, card, "ada", feedback_ids=["f-card-1", "f-card-2"])
    assert "f-card-2" in ids(grouped, card)
    assert len(tracking.listing(grouped).issues) == 3


def test_who_gave_a_title_is_kept_as_the_history_names_them(grouped: Store) -> None:
    card = about(grouped, "card").issue_id
    event = acts.rename(grouped, card, "Cards", " ada  b ")
    assert event is not None
    assert stored.issue_rows(grouped)[card]["title_by"] == event.actor == "ada b"


def test_the_history_of_all_issues_names_the_issue_of_every_act(grouped: Store) -> None:
    card = about(grouped, "card").issue_id
    acts.rename(grouped, card, "Cards", "ada")
    acts.set_status(grouped, card, "fixing", "ada")
    acts.set_owner(grouped, card, "Bob", "ada")
    acts.set_owner(grouped, card, None, "ada")
    acts.lock(grouped, card, "ada")
    acts.unassign(grouped, ["f-card-1"], "ada")
    told = [event.says for event in reversed(detail.history(grouped))][1:]
    assert told == [
        "Set “Cards” to fixing",
        "Gave “Cards” to Bob",
        "Took the owner of “Cards” away",
        "Locked “Cards”",
        "Took 1 comment out of “Cards”",
    ]


def test_nobody_acts_in_the_name_of_the_system(grouped: Store) -> None:
    complain(grouped, "voice", 9)
    tracking.assign_new(grouped)  # the system proposes an issue
    card = about(grouped, "card").issue_id
    for act in (
        lambda: undoing.undo(grouped, "system"),
        lambda: acts.lock(grouped, card, " system "),
        lambda: sending.send_to_review(grouped, card, " "),
    ):
        with pytest.raises(InputError, match="Say who you are"):
            act()


def test_nothing_is_undone_twice(grouped: Store) -> None:
    event = acts.rename(grouped, about(grouped, "card").issue_id, "Cards", "ada")
    assert event
    undoing.undo(grouped, "bob", event.event_id)

    with pytest.raises(InputError, match="bob undid this already"):
        undoing.undo(grouped, "ada", event.event_id)


def test_the_history_tells_who_did_what_newest_first(grouped: Store) -> None:
    card, rate = about(grouped, "card").issue_id, about(grouped, "rate").issue_id
    acts.rename(grouped, card, "Cards", "ada")
    acts.merge(grouped, card, rate, "bob")
    undoing.undo(grouped, "bob")

    told = [(one.actor, one.action, one.undone_by) for one in detail.history(grouped, card)]
    assert told == [("bob", "merge", "bob"), ("ada", "rename", None)]
    assert [one.action for one in detail.history(grouped, rate)] == ["merge"]
    trail = [row["action"] for row in grouped.rows("SELECT action FROM audit ORDER BY happened_at, audit_id")]
    assert trail[-3:] == ["issue rename", "issue merge", "undo issue merge"]


def test_acts_that_cannot_be_are_refused_in_a_sentence(grouped: Store) -> None:
    card, rate = about(grouped, "card").issue_id, about(grouped, "rate").issue_id
    with pytest.raises(InputError, match="merged into itself"):
        acts.merge(grouped, card, card, "ada")
    with pytest.raises(InputError, match="no status 'done'"):
        acts.set_status(grouped, card, "done", "ada")
    with pytest.raises(InputError, match="https://"):
        acts.set_link(grouped, card, "javascript:alert(1)", "ada")
    with pytest.raises(InputError, match="leave some"):
        acts.split(grouped, card, "ada", feedback_ids=ids(grouped, card))
    with pytest.raises(InputError, match="'f-rate-0' is not in the issue"):
        acts.split(grouped, card, "ada", feedback_ids=["f-card-1", "f-rate-0"])
    with pytest.raises(InputError, match="no comment 'f-nothing'"):
        acts.move(grouped, ["f-nothing"], card, "ada")
    with pytest.raises(InputError, match="Say who you are"):
        acts.lock(grouped, card, " ")
    with pytest.raises(InputError, match="is no proposal"):
        acts.dismiss(grouped, card, "ada")
    acts.merge(grouped, card, rate, "ada")
    with pytest.raises(InputError, match=f"was merged into '{rate}'"):
        acts.rename(grouped, card, "Cards", "ada")


def test_an_ignored_issue_is_kept_but_has_no_flags_and_is_listed_on_request_only(grouped: Store) -> None:
    complain(grouped, "rate", 1, start=12, at=MONDAY - timedelta(days=20))
    tracking.assign_new(grouped)
    card = about(grouped, "card")
    assert card.flags == ["new"]
    acts.ignore(grouped, card.issue_id, "ada")

    views = tracking.listing(grouped).issues
    assert next(one for one in views if one.issue_id == card.issue_id).flags == []
    assert card.issue_id not in {one.issue_id for one in tracking.select(views)}
    assert card.issue_id in {one.issue_id for one in tracking.select(views, ignored=True)}
