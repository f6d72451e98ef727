"""An import can be taken back: everything of it goes, nothing else does, and no human's decision is pulled away."""

import csv
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feedback_lab import schema
from feedback_lab.cli.data import undone_words
from feedback_lab.errors import InputError, LabError
from feedback_lab.ingest.history import history, rejects
from feedback_lab.ingest.load import import_file
from feedback_lab.ingest.planning.plan import Plan
from feedback_lab.ingest.undo import UndoReport, undo
from feedback_lab.store import Store
from tests.builders import MONDAY

PLAN = Plan({"interaction_id": "id", "input": "q", "output": "a", "comment": "c"})
UNTOUCHED = {"import_batch", "audit", "ledger", "schema_version"}


def brought(store: Store, path: Path, *rows: tuple[str, str, str, str]) -> str:
    with path.open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle).writerows([("id", "q", "a", "c"), *rows])
    batch_id = import_file(store, path, PLAN).batch_id
    assert batch_id is not None
    return batch_id


def contents(store: Store) -> dict[str, list[dict[str, Any]]]:
    names = [table.name for table in schema.metadata.sorted_tables if table.name not in UNTOUCHED]
    return {name: store.rows(f"SELECT * FROM {name} ORDER BY ALL") for name in names}


def feedback_of(store: Store, comment: str) -> str:
    return str(store.scalar("SELECT feedback_id FROM feedback WHERE comment = :comment", comment=comment))


def put_task(store: Store, name: str, status: str, anchor: str, *comments: str) -> None:
    members = [feedback_of(store, comment) for comment in comments]

    def work(connection: Any) -> None:
        connection.execute(
            schema.task.insert().values(
                task_id=name,
                rule="seed",
                reason="a pattern",
                evidence={},
                anchor_interaction_id=anchor,
                priority="high",
                score=1.0,
                suggested_action="review",
                status=status,
                created_at=MONDAY,
            )
        )
        connection.execute(schema.task_skip.insert().values(task_id=name, reviewer="ada", skipped_at=MONDAY))
        for member in members:
            connection.execute(schema.task_feedback.insert().values(task_id=name, feedback_id=member))
            connection.execute(schema.evaluation.insert().values(rule=name, feedback_id=member, evaluated_at=MONDAY))

    store.write(work)


def test_an_import_and_its_undo_leave_everything_as_before(store: Store, tmp_path: Path) -> None:
    brought(store, tmp_path / "a.csv", ("1", "How?", "", "slow"), ("2", "Why?", "So.", ""))
    before = contents(store)
    batch = brought(
        store, tmp_path / "b.csv", ("1", "", "Thus.", "wrong"), ("3", "New?", "", "x"), ("2", "Other?", "", "")
    )
    put_task(store, "t1", "open", "3", "x", "wrong")
    report = undo(store, batch, "ada")

    assert contents(store) == before
    assert (report.interactions, report.feedback, report.tasks, report.emptied_fields) == (1, 2, 1, 1)
    assert [(item["status"], item["batch_id"] == batch) for item in history(store)] == [
        ("undone", True),
        ("done", False),
    ]
    assert store.rows("SELECT actor, action, object FROM audit ORDER BY happened_at DESC LIMIT 1") == [
        {"actor": "ada", "action": "undo import", "object": batch}
    ]


def test_a_file_can_come_again_after_its_undo(store: Store, tmp_path: Path) -> None:
    undo(store, brought(store, tmp_path / "a.csv", ("1", "How?", "", "slow")), "ada")
    brought(store, tmp_path / "a.csv", ("1", "How?", "", "slow"))

    assert store.scalar("SELECT count(*) FROM feedback") == 1


def test_an_undo_is_refused_where_a_decision_rests_on_the_import(store: Store, tmp_path: Path) -> None:
    first = brought(store, tmp_path / "a.csv", ("1", "How?", "", "slow"))
    second = brought(store, tmp_path / "b.csv", ("2", "How?", "", "late"))
    third = brought(store, tmp_path / "c.csv", ("3", "How?", "", "fine"))
    put_task(store, "t-decided", "done", "1", "slow", "late")
    before = contents(store)

    for batch in (first, second):
        with pytest.raises(LabError, match="t-decided"):
            undo(store, batch, "ada")
    assert contents(store) == before
    assert undo(store, third, "ada").feedback == 1


def test_a_task_that_others_support_too_stays_with_what_is_theirs(store: Store, tmp_path: Path) -> None:
    brought(store, tmp_path / "a.csv", ("1", "How?", "", "slow"))
    batch = brought(store, tmp_path / "b.csv", ("2", "How?", "", "late"))
    put_task(store, "t1", "open", "2", "slow", "late")

    assert undo(store, batch, "ada").tasks == 0
    assert store.rows("SELECT task_id, anchor_interaction_id FROM task") == [
        {"task_id": "t1", "anchor_interaction_id": "1"}
    ]
    assert store.rows("SELECT feedback_id FROM task_feedback") == [{"feedback_id": feedback_of(store, "slow")}]


def test_an_interaction_that_others_speak_about_stays_bare(store: Store, tmp_path: Path) -> None:
    first = brought(store, tmp_path / "a.csv", ("1", "How?", "", "slow"), ("2", "Why?", "", ""))
    second = brought(store, tmp_path / "b.csv", ("1", "", "So.", "late"), ("2", "Why?", "", ""))
    report = undo(store, first, "ada")

    assert (report.interactions, report.bare_interactions, report.feedback) == (1, 1, 1)
    assert store.rows("SELECT interaction_id, input, output, batch_id FROM interaction") == [
        {"interaction_id": "1", "input": None, "output": "So.", "batch_id": second}
    ]
    undo(store, second, "ada")
    assert not any(contents(store).values())


def test_files_that_only_repeated_the_rows_are_named(store: Store, tmp_path: Path) -> None:
    before = brought(store, tmp_path / "before.csv", ("1", "How?", "", "slow"), ("1", "How?", "", "slow"))
    first = brought(store, tmp_path / "first.csv", ("2", "Why?", "", "late"))
    again = brought(store, tmp_path / "again.csv", ("2", "Why?", "", "late"), ("3", "When?", "", ""))
    brought(store, tmp_path / "other.csv", ("4", "Who?", "", ""))
    report = undo(store, first, "ada")

    assert report.repeated_by == ("again.csv",)
    assert undone_words(report)[-1] == (
        "Rows of again.csv that only repeated rows of this import go with it: import again what is to stay."
    )
    assert store.scalar("SELECT count(*) FROM interaction") == 3
    undo(store, again, "ada")
    assert undo(store, before, "ada").repeated_by == ()


def test_an_unknown_or_undone_import_is_said_clearly(store: Store, tmp_path: Path) -> None:
    batch = brought(store, tmp_path / "a.csv", ("1", "How?", "", "slow"))
    undo(store, batch, "ada")

    with pytest.raises(InputError, match="undone already"):
        undo(store, batch, "ada")
    with pytest.raises(InputError, match="no import 'nothing'"):
        undo(store, "nothing", "ada")


def test_the_rejected_rows_of_a_batch_can_be_read_back(store: Store, tmp_path: Path) -> None:
    batch = brought(store, tmp_path / "a.csv", ("1", "How?", "", "slow"), ("", "", "", ""))

    (row,) = rejects(store, batch)
    assert (row["line"], row["code"]) == (3, "empty_row")


ROWS = st.lists(
    st.tuples(st.sampled_from("123"), *(st.sampled_from(["", "x", "y"]) for _ in range(3))), min_size=1, max_size=8
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ROWS, min_size=1, max_size=3))
def test_undoing_in_reverse_order_restores_every_state(
    store: Store, tmp_path: Path, files: list[list[tuple[str, ...]]]
) -> None:
    states, batches = [contents(store)], []
    for rows in files:
        batches.append(brought(store, tmp_path / "random.csv", *rows))  # type: ignore[arg-type]
        states.append(contents(store))
    for batch in reversed(batches):
        assert contents(store) == states.pop()
        undo(store, batch, "ada")
    assert contents(store) == states.pop()


def test_what_stays_after_an_undo_is_not_said_to_be_removed() -> None:
    assert undone_words(UndoReport("b", 5, 1_200, 0, 3, 2)) == [
        "Removed: 5 interactions, 1,200 feedback.",
        "Emptied: 3 fields that this import had filled in others' interactions.",
        "Left without content: 2 interactions, because other imports speak about them.",
    ]
    assert undone_words(UndoReport("b", 0, 0, 0, 0, 0)) == ["Removed: nothing."]
