"""New comments find their issue as they arrive, at a cost of what is new; what is new together is proposed."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from feedback_lab import schema
from feedback_lab.errors import InputError
from feedback_lab.issues import acts, refreshing, regressions, stored, tracking, undoing
from feedback_lab.records import utc_now
from feedback_lab.store import Store
from tests.builders import interaction, put, said, thumb
from tests.issue_builders import WHO, complain


@pytest.fixture
def grouped(store: Store) -> Store:
    for kind in ("card", "rate", "login"):
        complain(store, kind, 12)
    tracking.refresh(store)
    return store


def proposals(store: Store) -> list[str]:
    return [one.issue_id for one in tracking.listing(store).issues if one.proposed]


def frequency(store: Store, issue_id: str) -> int:
    return next(one.frequency for one in tracking.listing(store).issues if one.issue_id == issue_id)


def test_a_comment_that_a_later_thumb_makes_a_complaint_is_found(grouped: Store) -> None:
    put(grouped, [interaction("i-late"), said("f-late", "comment", on="i-late", comment="my new card has not arrived")])
    assert tracking.assign_new(grouped) == 0
    put(grouped, [thumb("f-late-thumb", False, on="i-late")])

    assert tracking.assign_new(grouped) == 1
    assert grouped.scalar("SELECT issue_id FROM issue_member WHERE feedback_id = 'f-late'")


def test_rows_of_an_import_that_began_before_the_last_look_are_found(grouped: Store) -> None:
    later = utc_now()
    put(grouped, [interaction("i-now"), thumb("f-now", True, on="i-now", received_at=later)])
    tracking.assign_new(grouped)
    began = later - timedelta(hours=3)
    counts = dict.fromkeys(("rows_read", "rows_new", "rows_duplicate", "rows_rejected", "rows_undated"), 0)
    times = {"started_at": began, "finished_at": utc_now()}
    batch = {"batch_id": "b", "source": "test", "status": "done", "complete": False} | counts | times
    put(
        grouped,
        [
            interaction("i-import", received_at=began),
            thumb("f-import", False, on="i-import", received_at=began, comment="my new card has not arrived today"),
        ],
    )
    assert tracking.assign_new(grouped) == 0
    grouped.write(lambda connection: connection.execute(schema.import_batch.insert().values(**batch)))

    assert tracking.assign_new(grouped) == 1


def test_a_look_at_nothing_new_writes_nothing(grouped: Store) -> None:
    tracking.assign_new(grouped)
    before = grouped.scalar("SELECT acknowledged FROM ledger")
    tracking.assign_new(grouped)

    assert grouped.scalar("SELECT acknowledged FROM ledger") == before


def test_comments_that_fit_each_other_and_no_issue_become_a_proposal(grouped: Store) -> None:
    before = {row["feedback_id"]: row["issue_id"] for row in grouped.rows("SELECT * FROM issue_member")}
    complain(grouped, "german", 10)
    tracking.assign_new(grouped)

    [proposal] = [one for one in tracking.listing(grouped).issues if one.proposed]
    assert proposal.frequency == 10
    assert "answers in english" in proposal.title.casefold()
    assert "proposed" in proposal.flags
    now = {row["feedback_id"]: row["issue_id"] for row in grouped.rows("SELECT * FROM issue_member")}
    assert {one: now[one] for one in before} == before
    assert stored.events(grouped)[-1].actor == "system"


def test_more_of_the_same_joins_the_proposal(grouped: Store) -> None:
    complain(grouped, "german", 10)
    tracking.assign_new(grouped)
    [issue_id] = proposals(grouped)
    complain(grouped, "german", 10, start=10)
    tracking.assign_new(grouped)

    assert proposals(grouped) == [issue_id]
    assert tracking.listing(grouped).issues[0].frequency == 20


def test_an_accepted_proposal_is_an_issue_like_any_other(grouped: Store) -> None:
    complain(grouped, "german", 10)
    tracking.assign_new(grouped)
    [issue_id] = proposals(grouped)
    acts.accept(grouped, issue_id, "ada")
    refreshing.refresh(grouped)
    complain(grouped, "german", 4, start=10)
    tracking.assign_new(grouped)

    view = next(one for one in tracking.listing(grouped).issues if one.issue_id == issue_id)
    assert (view.proposed, view.frequency) == (False, 14)


@pytest.mark.parametrize("cold", [False, True])
def test_a_dismissed_proposal_does_not_come_back(grouped: Store, cold: bool) -> None:
    complain(grouped, "german", 10)
    tracking.assign_new(grouped)
    [issue_id] = proposals(grouped)
    acts.dismiss(grouped, issue_id, "ada")
    assert proposals(grouped) == []
    complain(grouped, "german", 15, start=10)
    tracking.assign_new(grouped)
    assert proposals(grouped) == []
    refreshing.refresh(grouped, cold=cold)

    assert [one.proposed for one in tracking.listing(grouped).issues] == [False] * 3


def test_a_refresh_leaves_a_dismissed_group_out_and_gives_back_what_a_human_put_into_it(grouped: Store) -> None:
    swallowed = [f"the machine {how} my card {when}" for how in ("swallowed", "kept") for when in WHO]
    plain = "my new card has not arrived in the mail"
    records = []
    for number, comment in enumerate(swallowed):
        name = f"f-machine-{number}"
        records += [interaction(f"i-{name}"), thumb(name, False, on=f"i-{name}", comment=comment, rater_hash=name)]
    put(grouped, records)
    tracking.assign_new(grouped)
    [issue_id] = proposals(grouped)
    card = next(one.issue_id for one in tracking.listing(grouped).issues if one.representative.startswith(plain))
    acts.move(grouped, ["f-card-0"], issue_id, "ada")
    acts.dismiss(grouped, issue_id, "ada")
    refreshing.refresh(grouped)

    now = {row["feedback_id"]: row["issue_id"] for row in grouped.rows("SELECT * FROM issue_member")}
    assert {now[f"f-machine-{number}"] for number in range(len(swallowed))} == {None}
    assert now["f-card-0"] == card


def test_a_proposal_that_issues_were_merged_into_is_not_dismissed_over_them(grouped: Store) -> None:
    complain(grouped, "german", 10)
    tracking.assign_new(grouped)
    [issue_id] = proposals(grouped)
    other = next(one.issue_id for one in tracking.listing(grouped).issues if not one.proposed)
    acts.merge(grouped, other, issue_id, "ada")
    with pytest.raises(InputError, match="undo the merge"):
        acts.dismiss(grouped, issue_id, "ada")
    undoing.undo(grouped, "ada")
    acts.dismiss(grouped, issue_id, "ada")

    found = tracking.listing(grouped)
    assert [one.frequency for one in found.issues] == [12, 12, 12]
    assert found.unassigned == 10


def test_an_undone_dismissal_brings_the_proposal_back_as_it_was(grouped: Store) -> None:
    complain(grouped, "german", 10)
    tracking.assign_new(grouped)
    before = tracking.listing(grouped)
    acts.dismiss(grouped, proposals(grouped)[0], "ada")
    undoing.undo(grouped, "ada")

    assert tracking.listing(grouped) == before


@pytest.mark.parametrize("take_in", [tracking.assign_new, tracking.refresh])
def test_a_resolved_issue_whose_complaints_come_back_is_open_again(
    grouped: Store, take_in: Callable[[Store], object]
) -> None:
    issue_id = next(one.issue_id for one in tracking.listing(grouped).issues if "card" in one.representative)
    acts.set_status(grouped, issue_id, "resolved", "ada")
    earlier = {"resolved_at": utc_now() - timedelta(days=3)}
    grouped.write(lambda c: c.execute(schema.issue.update().where(schema.issue.c.issue_id == issue_id).values(earlier)))
    complain(grouped, "card", 12, start=12, at=utc_now() - timedelta(hours=5))
    assert regressions.regressed(grouped) == set()  # nobody has put them into an issue yet
    take_in(grouped)

    view = next(one for one in tracking.listing(grouped).issues if one.issue_id == issue_id)
    assert (view.status, "regressed" in view.flags) == ("open", True)
    event = stored.events(grouped)[-1]
    assert (event.actor, event.action, event.issue_id) == ("system", "reopen", issue_id)
    with pytest.raises(InputError, match=r"cannot be undone any more: “Complaints about .* came back"):
        undoing.undo(grouped, "ada")
    acts.set_status(grouped, issue_id, "acknowledged", "ada")
    view = next(one for one in tracking.listing(grouped).issues if one.issue_id == issue_id)
    assert (view.status, "regressed" in view.flags) == ("acknowledged", False)


def test_a_straggler_does_not_reopen_a_resolved_issue(grouped: Store) -> None:
    issue_id = next(one.issue_id for one in tracking.listing(grouped).issues if "card" in one.representative)
    acts.set_status(grouped, issue_id, "resolved", "ada")
    complain(grouped, "card", 1, start=12, at=utc_now())
    tracking.assign_new(grouped)

    assert grouped.scalar("SELECT status FROM issue WHERE issue_id = :issue", issue=issue_id) == "resolved"


def test_a_proposal_that_was_merged_into_an_issue_stays_in_it_with_all_that_comes(grouped: Store) -> None:
    complain(grouped, "voice", 20)
    tracking.assign_new(grouped)
    (proposal,) = proposals(grouped)
    whole = next(one for one in tracking.listing(grouped).issues if not one.proposed).issue_id
    acts.merge(grouped, proposal, whole, "ann")
    count = frequency(grouped, whole)

    complain(grouped, "voice", 12, start=20)
    tracking.assign_new(grouped)
    tracking.refresh(grouped)

    assert proposals(grouped) == []
    assert frequency(grouped, whole) == count + 12


def test_a_split_cannot_be_undone_after_its_whole_was_dismissed(grouped: Store) -> None:
    names = complain(grouped, "voice", 20)
    tracking.assign_new(grouped)
    (proposal,) = proposals(grouped)
    acts.split(grouped, proposal, "ann", feedback_ids=names[:6])
    split = next(one for one in stored.events(grouped) if one.action == "split")
    acts.dismiss(grouped, proposal, "ann")

    with pytest.raises(InputError, match="Dismissed the proposal"):
        undoing.undo(grouped, "ann", split.event_id)
