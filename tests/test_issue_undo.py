"""Acts taken back in whatever order leave the issues as if these acts had never been done."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from feedback_lab.errors import InputError
from feedback_lab.issues import acts, stored, tracking, undoing
from feedback_lab.store import Store, open_store
from tests.issue_builders import complain

Act = Callable[[Store, dict[int, str]], object]
LASTING = ("title", "status", "owner", "note", "link", "locked", "proposed", "title_by")

place = st.integers(0, 60)
person = st.sampled_from(["ada", "bob"])
wish = st.tuples(
    st.sampled_from(["rename", "status", "owner", "note", "lock", "merge", "move", "move", "split", "split", "judge"]),
    person,
    place,
    place,
    st.lists(place, min_size=1, max_size=5, unique=True),
)
step = st.one_of(wish, wish, st.tuples(st.just("undo"), person, place))


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a store with four issues of nine comments, and as many in a proposal."""
    home = tmp_path_factory.mktemp("begun")
    store = open_store(home)
    for kind in ("card", "rate", "login", "voice"):
        complain(store, kind, 9)
    tracking.refresh(store)
    complain(store, "german", 9)
    tracking.assign_new(store)
    store.close()
    return home


@pytest.fixture
def copied(begun: Path, tmp_path: Path) -> Callable[[], Store]:
    numbers: Iterator[int] = iter(range(10_000))
    return lambda: open_store(Path(shutil.copytree(begun, tmp_path / str(next(numbers)))))


def listed(store: Store) -> dict[str, dict[str, Any]]:
    return {one: row for one, row in stored.issue_rows(store).items() if not row["merged_into"]}


def act_of(store: Store, made: dict[int, str], number: int, wanted: tuple[Any, ...]) -> Act:
    """The act number `number`, as `wanted` of the issues that are there now; `made` are those that acts split off."""
    kind, by, first, second, chosen = wanted
    number_of = {issue_id: one for one, issue_id in made.items()}
    issues = sorted(listed(store))
    one, other = issues[first % len(issues)], issues[second % len(issues)]
    ids = [row["feedback_id"] for row in store.rows("SELECT feedback_id FROM issue_member ORDER BY 1")]
    some = sorted({ids[row % len(ids)] for row in chosen})

    def at(issue_id: str) -> Callable[[dict[int, str]], str]:
        return lambda names: names[number_of[issue_id]] if issue_id in number_of else issue_id

    here, there = at(one), at(other)

    def split(target: Store, names: dict[int, str]) -> None:
        names[number] = acts.split(target, here(names), by, feedback_ids=mine)

    rows = store.rows("SELECT feedback_id FROM issue_member WHERE issue_id = :issue ORDER BY 1", issue=one)
    mine = sorted({rows[row % len(rows)]["feedback_id"] for row in chosen}) if rows else []
    status = ("open", "fixing", "resolved", "ignored")[second % 4]
    judged: Callable[..., object] = acts.accept if second % 2 else acts.dismiss
    known: dict[str, Act] = {
        "rename": lambda target, names: acts.rename(target, here(names), f"Title {number}", by),
        "status": lambda target, names: acts.set_status(target, here(names), status, by),
        "owner": lambda target, names: acts.set_owner(target, here(names), f"Owner {second % 3}", by),
        "note": lambda target, names: acts.set_note(target, here(names), f"Note {second % 3}", by),
        "lock": lambda target, names: (acts.lock if second % 2 else acts.unlock)(target, here(names), by),
        "merge": lambda target, names: acts.merge(target, here(names), there(names), by),
        "move": lambda target, names: acts.move(target, some, there(names) if first % 3 else None, by),
        "split": split,
        "judge": lambda target, names: judged(target, here(names), by),
    }
    return known[kind]


def state(store: Store, made: dict[int, str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What people see of issues and comments; an issue that was split off goes by the number of its act."""
    names = {issue_id: f"split {number}" for number, issue_id in made.items()}
    issues = {
        names.get(one, one): [row[name] for name in LASTING if name != "title" or row["title_by"] != stored.COMPUTED]
        for one, row in listed(store).items()
    }
    rows = store.rows("SELECT feedback_id, issue_id, moved_by, sub_label FROM issue_member")
    places = [(names.get(row["issue_id"], row["issue_id"]), row["moved_by"], row["sub_label"]) for row in rows]
    return issues, dict(zip((row["feedback_id"] for row in rows), places, strict=True))


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(step, min_size=4, max_size=14))
def test_what_is_taken_back_was_never_done(copied: Callable[[], Store], steps: list[tuple[Any, ...]]) -> None:
    store, made = copied(), dict[int, str]()
    done: dict[str, Act] = {}
    for number, wanted in enumerate(steps):
        before = stored.events(store)
        try:
            if wanted[0] == "undo" and done:
                event_id = list(done)[wanted[2] % len(done)]
                undoing.undo(store, wanted[1], event_id)
                del done[event_id]
            elif wanted[0] != "undo":
                act = act_of(store, made, number, wanted)
                act(store, made)
                done |= {event.event_id: act for event in stored.events(store)[len(before) :]}
        except InputError:
            assert stored.events(store) == before

    again, names = copied(), dict[int, str]()
    try:
        for act in done.values():
            try:
                act(again, names)
            except InputError:
                reject()  # it was done to what an undone merge had brought together
        assert state(again, names) == state(store, made)
    finally:
        again.close()
        store.close()
