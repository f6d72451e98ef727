"""Records that come one by one: the rules of a file, whatever the group that they are stored with."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from feedback_lab.ingest import undo
from feedback_lab.ingest.load import import_records
from feedback_lab.ingest.receiving import (
    FeedbackChange,
    FeedbackItem,
    InteractionItem,
    Item,
    KnownIds,
    Outcome,
    Status,
    receive,
)
from feedback_lab.records import utc_now
from feedback_lab.store import Store
from tests.builders import interaction, thumb

Take = Callable[..., list[Outcome]]


@pytest.fixture
def take(store: Store) -> Take:
    """Store these items in one transaction."""

    def run(*items: Item, **more: Any) -> list[Outcome]:
        return store.write(lambda connection: receive(connection, items, key="key", received_at=utc_now(), **more))

    return run


def shown(outcomes: Sequence[Outcome]) -> list[str]:
    return [outcome.code or str(outcome.status) for outcome in outcomes]


def test_in_one_group_the_first_of_an_id_counts(take: Take, store: Store) -> None:
    found = take(
        FeedbackItem("i1", "f1", value=1),
        FeedbackItem("i1", "f1", value=1),
        FeedbackItem("i1", "f1", value=-1),
        InteractionItem("i1", input="q"),
        InteractionItem("i1", output="a"),
        InteractionItem("i1", input="other"),
    )
    assert shown(found) == ["new", "duplicate", "id_conflict", "new", "new", "id_conflict"]
    assert store.rows("SELECT input, output FROM interaction") == [{"input": "q", "output": "a"}]


def test_a_writer_who_comes_again_knows_what_it_stored(take: Take, store: Store) -> None:
    known = KnownIds()
    assert shown(take(FeedbackItem("i1", "f1", value=1), known=known)) == ["new"]
    found = take(
        FeedbackItem("i1", "f1", value=1),
        FeedbackItem("i1", "f1", value=-1),
        InteractionItem("i1", input="q"),
        FeedbackItem("i1", "f2", value=1),
        known=known,
    )
    assert shown(found) == ["duplicate", "id_conflict", "new", "new"]
    assert shown(take(InteractionItem("i1", input="other"), known=known)) == ["id_conflict"]
    assert store.scalar("SELECT count(*) FROM interaction") == 1
    assert store.scalar("SELECT count(*) FROM feedback") == 2


def test_what_a_transaction_took_back_is_not_known(take: Take, store: Store) -> None:
    known = KnownIds()
    take(FeedbackItem("i0", "f0", value=1), known=known)

    def lost(connection: Connection) -> None:
        receive(connection, [FeedbackItem("i1", "f1", value=1)], key="key", received_at=utc_now(), known=known)
        raise LookupError

    with pytest.raises(LookupError):
        store.write(lost)
    assert shown(take(FeedbackItem("i1", "f1", value=1), InteractionItem("i2"), known=known)) == ["new", "new"]
    assert shown(take(FeedbackItem("i1", "f1", value=1), InteractionItem("i2"), known=known)) == ["duplicate"] * 2
    assert store.scalar("SELECT count(*) FROM interaction") == 3


def test_an_import_and_its_undo_between_two_groups_are_noticed(take: Take, store: Store) -> None:
    known = KnownIds()
    take(FeedbackItem("i0", "f0", value=1), known=known)
    report = import_records(store, [interaction("i1")], [thumb("f1", up=True)], source="log", complete=False)
    assert shown(take(FeedbackItem("i1", "f1", value=-1), known=known)) == ["id_conflict"]
    undo.undo(store, str(report.batch_id), "ann")
    assert shown(take(FeedbackItem("i1", "f1", value=-1), known=known)) == ["new"]
    assert shown(take(FeedbackItem("i1", "f1", value=-1), known=known)) == ["duplicate"]


def test_of_an_import_between_two_groups_only_its_own_ids_are_read(take: Take, store: Store) -> None:
    read: list[int] = []

    class Watched(KnownIds):
        def _read(self, *given: Any) -> Any:
            runs = super()._read(*given)
            read.append(len(runs))
            return runs

    known = Watched()
    take(*(FeedbackItem(f"i{number}", f"f{number}", value=1) for number in range(50)), known=known)
    read.clear()
    import_records(store, [interaction("n1"), interaction("n2")], [thumb("m1", up=True)], source="log", complete=False)
    found = take(FeedbackItem("i7", "f7", value=1), FeedbackItem("n1", "m1", value=-1), known=known)

    assert shown(found) == ["duplicate", "id_conflict"]
    assert read == [3, 1]  # the thumb's interaction among the three
    assert shown(take(FeedbackItem("i8", "f8", value=1), known=known)) == ["duplicate"]
    assert read == [3, 1]


def test_a_change_after_one_that_is_gone_or_was_imported_gets_an_id_of_its_own(take: Take, store: Store) -> None:
    take(FeedbackItem("i3", "f3", value=-1))
    report = import_records(store, [], [thumb("f3/patch-1", up=False, on="i3")], source="log", complete=False)
    take(FeedbackChange("f3", comment="second"))
    undo.undo(store, str(report.batch_id), "ann")
    assert shown(take(FeedbackChange("f3", comment="third"))) == ["new"]
    assert shown(take(FeedbackItem("i9", "f3/patch-5", value=1), FeedbackChange("f3", comment="last"))) == ["new"] * 2
    names = [row["feedback_id"] for row in store.rows("SELECT feedback_id FROM feedback ORDER BY feedback_id")]
    assert names == ["f3", "f3/patch-2", "f3/patch-3", "f3/patch-5", "f3/patch-6"]


def test_ids_that_are_alike_to_the_engine_make_an_interaction_each(take: Take, store: Store) -> None:
    # For about half of all beginnings the engine's own hash does not tell these two apart.
    for number in range(12):
        known = KnownIds()
        take(FeedbackItem(f"{number:08}order-7!order-8!", f"a{number}", value=1), known=known)
        take(FeedbackItem(f"{number:08}order-7aorder-8a", f"b{number}", value=1), known=known)
    assert store.scalar("SELECT count(*) FROM interaction") == 24


def test_a_record_of_any_year_is_known(take: Take, store: Store) -> None:
    far = [interaction(f"i{year}", received_at=datetime(year, 1, 1)) for year in (2, 1900, 9998)]
    import_records(store, far, [], source="log", complete=False)
    assert shown(take(*(InteractionItem(f"i{year}", input="other") for year in (2, 1900, 9998)))) == ["id_conflict"] * 3
    assert shown(take(InteractionItem("i1", input="q"))) == ["new"]


def test_an_id_is_told_from_another_of_the_same_hash(take: Take) -> None:
    class Alike(KnownIds):
        def _hashes(self, names: Collection[str]) -> Any:
            return np.zeros(len(names), np.uint64)

    known = Alike()
    assert shown(take(InteractionItem("i1", input="q"), InteractionItem("i2", input="r"), known=known)) == ["new"] * 2
    assert shown(take(InteractionItem("i3", input="q"), known=known)) == ["new"]
    assert shown(take(InteractionItem("i1", input="q"), InteractionItem("i2", input="x"), known=known)) == [
        "duplicate",
        "id_conflict",
    ]


def test_metadata_of_a_known_interaction_grows_and_never_changes(take: Take, store: Store) -> None:
    take(InteractionItem("i1", metadata={"a": 1}))
    assert shown(take(InteractionItem("i1", metadata={"b": [2]}))) == ["new"]
    assert shown(take(InteractionItem("i1", metadata={"b": [2]}))) == ["duplicate"]
    assert shown(take(InteractionItem("i1", metadata={"a": 2}))) == ["id_conflict"]
    assert store.scalar("SELECT metadata FROM interaction") == {"a": 1, "b": [2]}


def test_the_same_tags_in_another_order_are_the_same(take: Take) -> None:
    take(InteractionItem("i1", tags={"a": "1", "b": "2"}))
    assert shown(take(InteractionItem("i1", tags={"b": "2", "a": "1"}))) == ["duplicate"]


def test_more_than_a_thousand_known_ids_are_found(take: Take, store: Store) -> None:
    items = [FeedbackItem(f"i{number}", f"f{number}", value=1) for number in range(1_500)]
    assert set(shown(take(*items))) == {"new"}
    assert set(shown(take(*items))) == {"duplicate"}
    filled = [InteractionItem(f"i{number}", input=f"question {number}") for number in range(1_500)]
    assert set(shown(take(*filled))) == {"new"}
    assert store.scalar("SELECT count(DISTINCT input) FROM interaction") == 1_500
    assert store.scalar("SELECT count(*) FROM interaction") == 1_500


def test_feedback_and_its_change_may_come_in_one_group(take: Take) -> None:
    found = take(
        FeedbackItem("i1", "f1", value=-1), FeedbackChange("f1", comment="late"), FeedbackChange("f0", value=1)
    )
    assert shown(found) == ["new", "new", "not_found"]


def test_what_the_collector_filled_in_outlives_the_undo_of_an_import(take: Take, store: Store) -> None:
    report = import_records(store, [interaction("i1", "q")], [thumb("f1", up=True)], source="log", complete=False)
    take(InteractionItem("i1", output="a"), FeedbackItem("i1", "own", value=1))
    assert report.batch_id
    undo.undo(store, report.batch_id, "anna")
    assert store.rows("SELECT input, output FROM interaction") == [{"input": None, "output": "a"}]
    assert [row["feedback_id"] for row in store.rows("SELECT feedback_id FROM feedback")] == ["own"]


names = st.sampled_from(["i1", "i2", "i3"])
texts = st.one_of(st.none(), st.sampled_from(["a", "b", ""]))
interactions = st.builds(InteractionItem, names, input=texts, output=texts, model=texts)
feedback = st.builds(
    FeedbackItem, names, st.sampled_from(["f1", "f2", "f3"]), value=st.sampled_from([1, -1, 9, None]), comment=texts
)
changes = st.builds(FeedbackChange, st.sampled_from(["f1", "f2"]), value=st.sampled_from([1, -1]), comment=texts)


def content(connection: Connection) -> list[Any]:
    kept = "SELECT feedback_id, interaction_id, kind, value, polarity, comment FROM feedback ORDER BY 1"
    said = connection.exec_driver_sql(kept).fetchall()
    asked = connection.exec_driver_sql(
        "SELECT interaction_id, input, output, model FROM interaction ORDER BY 1"
    ).fetchall()
    return [*map(tuple, said), *map(tuple, asked)]


class _Stop(Exception):
    """Takes the transaction of one example back."""


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.one_of(interactions, feedback, changes), max_size=12), st.data())
def test_how_items_are_grouped_into_commits_changes_nothing(
    store: Store, items: list[Item], data: st.DataObject
) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(items)), max_size=4)))
    ends = [0, *cuts, len(items)]
    seen = []

    def run(groups: Sequence[Sequence[Item]]) -> None:
        def work(connection: Connection) -> None:
            outcomes = [one for group in groups for one in receive(connection, group, key="k", received_at=utc_now())]
            again = [one for group in groups for one in receive(connection, group, key="k", received_at=utc_now())]
            changed = {place for place, item in enumerate(items) if isinstance(item, FeedbackChange)}
            assert all(one.status is not Status.NEW for place, one in enumerate(again) if place not in changed)
            seen.append((shown(outcomes), content(connection)))
            raise _Stop

        with pytest.raises(_Stop):
            store.write(work)

    run([items])
    run([items[start:end] for start, end in pairwise(ends)])
    run([[item] for item in items])
    assert seen[0] == seen[1] == seen[2]
