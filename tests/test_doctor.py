"""What `doctor` finds: each check looks at one thing, and says what to do where it is not as it should be."""

import pytest

from feedback_lab import doctor
from feedback_lab.doctor import Check
from feedback_lab.knowledge import Files
from feedback_lab.records import Feedback, Interaction
from feedback_lab.store import Store
from tests.builders import interaction, put, thumb


def checked(store: Store, name: str) -> Check:
    files = Files(store.home / "knowledge.jsonl", store.home / "instructions.md")
    (found,) = [check for check in doctor.examine(store, files) if check.name == name]
    return found


def test_ids_that_stand_once_are_counted_and_fine(store: Store) -> None:
    assert checked(store, "ids") == Check("ids", True, "0 interaction and 0 feedback, no id twice")

    put(store, [interaction("i1"), interaction("i2"), thumb("f1", up=True)])

    assert checked(store, "ids") == Check("ids", True, "2 interaction and 1 feedback, no id twice")


@pytest.mark.parametrize(
    ("twice", "found"),
    [
        (interaction("i2"), "1 of 3 in interaction, as 'i2'"),
        (thumb("f1", up=False), "1 of 3 in feedback, as 'f1'"),
    ],
)
def test_an_id_that_is_stored_twice_is_named_with_what_to_do(
    store: Store, twice: Interaction | Feedback, found: str
) -> None:
    put(store, [interaction("i1"), interaction("i2"), interaction("i3")])
    put(store, [thumb("f1", up=True), thumb("f2", up=True), thumb("f3", up=True)])
    put(store, [twice, twice])
    check = checked(store, "ids")

    assert not check.ok
    assert check.found.startswith(f"ids stand more than once, so counts are too high: {found}; restore a backup")
