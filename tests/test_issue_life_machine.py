"""Whatever people, new comments and refreshes do in whatever order: what humans decided stands, and counts add up."""

import shutil
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from feedback_lab.errors import InputError
from feedback_lab.issues import acts, refreshing, stored, tracking, undoing
from feedback_lab.issues.stored import SYSTEM
from feedback_lab.store import Store, open_store
from tests.issue_builders import COMPLAINTS, complain

PEOPLE = ("ada", "bob")
person = st.sampled_from(PEOPLE)
place = st.integers(0, 30)


class Life(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.store: Store = open_store(self.folder)
        self.count = dict.fromkeys(COMPLAINTS, 0)

    def teardown(self) -> None:
        self.store.close()
        shutil.rmtree(self.folder)

    @initialize()
    def begin(self) -> None:
        for kind in ("card", "rate", "login"):
            self.complain(kind, 9)
        tracking.refresh(self.store)

    # What happens.

    @rule(kind=st.sampled_from(sorted(COMPLAINTS)), many=st.integers(1, 9))
    def people_complain(self, kind: str, many: int) -> None:
        self.complain(kind, many)
        tracking.assign_new(self.store)

    @rule(cold=st.booleans())
    def refresh(self, cold: bool) -> None:
        locked = {one: self.members(one) for one, row in self.listed().items() if row["locked"]}
        fixed = {row["feedback_id"]: row["issue_id"] for row in self.rows() if row["moved_by"]}
        refreshing.refresh(self.store, cold=cold)
        for issue_id, before in locked.items():
            assert before <= self.members(issue_id)
        now = {row["feedback_id"]: row["issue_id"] for row in self.rows()}
        assert {one: now[one] for one in fixed} == fixed

    @rule()
    def a_second_refresh_changes_nothing(self) -> None:
        refreshing.refresh(self.store)
        before = tracking.listing(self.store)
        assert refreshing.plan_refresh(self.store).unchanged
        refreshing.refresh(self.store)
        assert tracking.listing(self.store) == before

    @rule(number=place, by=person)
    def rename(self, number: int, by: str) -> None:
        if issue_id := self.pick(number):
            acts.rename(self.store, issue_id, f"Title {number} of {by}", by)

    @rule(first=place, second=place, by=person)
    def merge(self, first: int, second: int, by: str) -> None:
        one, other = self.pick(first), self.pick(second)
        if one and other and one != other:
            acts.merge(self.store, one, other, by)
            assert one not in self.listed()

    @rule(number=place, size=st.integers(1, 6), by=person)
    def split(self, number: int, size: int, by: str) -> None:
        issue_id = self.pick(number)
        part = sorted(self.members(issue_id))[:size] if issue_id else []
        if issue_id and part and len(part) < len(self.members(issue_id)):
            fresh = acts.split(self.store, issue_id, by, feedback_ids=part)
            assert self.members(fresh) == set(part)

    @rule(number=place, chosen=st.lists(place, min_size=1, max_size=4), by=person, nowhere=st.booleans())
    def move(self, number: int, chosen: list[int], by: str, nowhere: bool) -> None:
        ids = [row["feedback_id"] for row in self.rows()]
        into = None if nowhere else self.pick(number)
        acts.move(self.store, [ids[one % len(ids)] for one in chosen], into, by)

    @rule(number=place, by=person, locked=st.booleans())
    def lock(self, number: int, by: str, locked: bool) -> None:
        if issue_id := self.pick(number):
            (acts.lock if locked else acts.unlock)(self.store, issue_id, by)

    @rule(number=place, by=person, status=st.sampled_from(("resolved", "ignored", "open", "fixing")))
    def status(self, number: int, by: str, status: str) -> None:
        if issue_id := self.pick(number):
            acts.set_status(self.store, issue_id, status, by)

    @rule(by=person, keep=st.booleans())
    def judge_a_proposal(self, by: str, keep: bool) -> None:
        waiting = [one for one, row in self.listed().items() if row["proposed"]]
        if waiting and (keep or self.has_parts(waiting[0])):
            acts.accept(self.store, waiting[0], by)
        elif waiting:
            # What a human put there goes where the model has it.
            group = {row["feedback_id"] for row in self.rows() if row["issue_id"] == waiting[0] and not row["moved_by"]}
            acts.dismiss(self.store, waiting[0], by)
            refreshing.refresh(self.store)
            assert {row["issue_id"] for row in self.rows() if row["feedback_id"] in group} <= {None}

    @rule(by=person)
    def undo_the_latest(self, by: str) -> None:
        before = stored.events(self.store)
        try:
            undone = undoing.undo(self.store, by)
        except InputError:
            assert stored.events(self.store) == before
        else:
            assert undone.actor == by

    @precondition(lambda self: self.store.scalar("SELECT count(*) FROM issue_event"))
    @rule(number=place, by=person)
    def undo_any(self, number: int, by: str) -> None:
        events = stored.events(self.store)
        try:
            undoing.undo(self.store, by, events[number % len(events)].event_id)
        except InputError:
            assert stored.events(self.store) == events

    # What must be so at any time.

    @invariant()
    def counts_add_up(self) -> None:
        found = tracking.listing(self.store)
        assert found.total_comments == sum(self.count.values())
        assert found.total_comments == found.assigned + found.unassigned
        assert found.assigned == sum(view.frequency for view in found.issues)
        assert found.low_information <= found.unassigned

    @invariant()
    def comments_are_in_listed_issues_only(self) -> None:
        listed, root_of = self.listed(), stored.roots(stored.issue_rows(self.store))
        for row in self.rows():
            assert row["issue_id"] is None or row["issue_id"] in listed
            assert row["issue_id"] == (root_of[row["placed_in"]] if row["placed_in"] else None)

    @invariant()
    def what_humans_did_stands(self) -> None:
        issues = stored.issue_rows(self.store)
        members = {row["feedback_id"]: row for row in self.rows()}
        titles, places, merged, locks = {}, dict[str, Any](), {}, {}
        for event in stored.events(self.store):
            if event.undone_by or event.actor == SYSTEM:
                continue
            ids = [one for part in event.detail.get("members", ()) for one in part["ids"]]
            if event.action == "rename":
                titles[event.issue_id] = event.says
            elif event.action == "merge":
                merged[event.issue_id] = event.issue_ids[0]
            elif event.action == "lock":
                locks[event.issue_id] = event.says.startswith("Locked ")
            elif event.action == "dismiss":
                places = {one: place for one, place in places.items() if one not in ids}
                assert event.issue_id not in issues
                titles, locks = ({k: v for k, v in x.items() if k != event.issue_id} for x in (titles, locks))
            elif event.action in ("move", "split"):
                target = event.detail.get("made") or next(iter(event.detail["needs"]), "exists:")[7:] or None
                places |= dict.fromkeys(ids, target)
        for issue_id, says in titles.items():
            assert f"to “{issues[issue_id]['title']}”" in says
        for issue_id, into in merged.items():
            assert issues[issue_id]["merged_into"] == into
        for issue_id, is_locked in locks.items():
            assert issues[issue_id]["locked"] == is_locked
        for one, target in places.items():
            assert (members[one]["placed_in"], bool(members[one]["moved_by"])) == (target, True)

    # Shorthands.

    def complain(self, kind: str, many: int) -> None:
        complain(self.store, kind, many, start=self.count[kind])
        self.count[kind] += many

    def listed(self) -> dict[str, dict[str, Any]]:
        return {one: row for one, row in stored.issue_rows(self.store).items() if not row["merged_into"]}

    def has_parts(self, issue_id: str) -> bool:
        return any(row["merged_into"] == issue_id for row in stored.issue_rows(self.store).values())

    def pick(self, number: int) -> str | None:
        names = sorted(self.listed())
        return names[number % len(names)] if names else None

    def rows(self) -> list[dict[str, Any]]:
        return self.store.rows("SELECT * FROM issue_member ORDER BY feedback_id")

    def members(self, issue_id: str) -> set[str]:
        return {row["feedback_id"] for row in self.rows() if row["issue_id"] == issue_id}


TestLife = Life.TestCase
TestLife.settings = settings(
    max_examples=12, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
