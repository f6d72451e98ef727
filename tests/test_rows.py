"""Rows mapped column by column say what the same rows say one by one."""

import json
import weakref
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedback_lab.ingest.habits import habits_of
from feedback_lab.ingest.minting import Minter
from feedback_lab.ingest.planning.plan import FIELDS, Plan
from feedback_lab.ingest.reading.batches import Batch
from feedback_lab.ingest.rows import Mapper
from feedback_lab.ingest.staging import Staged
from tests.reference_rows import Reference

STARTED = datetime(2026, 11, 1)
CELLS = {
    "created_at": ["2026-01-01", "2026-02-29", "2024-02-29T10:00", "2026-05-05 10:00:00.123Z", "05/06/2026",
                   "13/06/2026", "1767225600", "2026-01-01T10:00:00+02:00", " 2026-01-01 10:00:00 ", "yesterday",
                   "2026-03-31 24:00"],
    "value": ["up", "1", "-1", "4", "5", "7", "0.5", "👎", "perhaps", "★★☆", " 1 ", "1.0", "nan"],
    "polarity": ["negative", "Pos", "odd"],
    "kind": ["thumb", "rating", "comment", "thumbs_down", "copied", "No Kind!"],
    "scale": ["1:5", "0:10", "5:1", "x"],
    "turn": ["0", "3", "-1", "1.0", "x"],
    "role": ["user", "assistant", "system", "Bot", "nobody"],
    "population": ["user", "Test", "judge", "nobody"],
    "interaction_id": ["a", " a", "b ", "x" * 501, "é" * 400],
    "feedback_id": ["f", "g", "\u2003h\x1f"],
    "session_id": ["s", "t", " s "],
}  # fmt: skip
TEXTS = ["", "", " ", "\u2003\n", "x", "y", " x", 'a"b\\c\n\x01', "é👍", "\u3000", "\x1d", "NULL"]
JSON_VALUES = st.sampled_from([None, True, 1, 1.5, "x", "", [1, {"b": None}], {"z": 1, "a": 'é"'}])
PLAN_FIELDS = [*FIELDS, "tag:a", 'tag:"b', "value:stars", "scale:stars", "kind:stars"]


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    names = draw(st.lists(st.sampled_from(PLAN_FIELDS), min_size=1, max_size=9, unique=True))
    if "role" in names or "content" in names:
        names = [name for name in names if name not in ("input", "output", "role", "content")] + ["role", "content"]
    if any(name.endswith(":stars") for name in names):
        names = [*(name for name in names if name not in ("value", "value:stars")), "value", "value:stars"]
    constants = draw(st.sampled_from([{}, {"polarity": "negative"}, {"model": "m", "tag:c": "d"}, {"kind": "thumb"}]))
    return Plan(
        {name: f"column {name}" for name in names if name not in constants},
        values={"value": {"perhaps": "up", "4": ""}} if "value" in names and draw(st.booleans()) else {},
        constants=constants,
        scale=draw(st.sampled_from([None, (1.0, 5.0)])),
        timezone=draw(st.sampled_from([None, "Europe/Berlin"])),
        date_order=draw(st.sampled_from([None, "day-month"])),
    )


@st.composite
def tables(draw: st.DrawFn) -> tuple[Plan, list[dict[str, Any]]]:
    plan = draw(plans())
    columns = {
        column: st.sampled_from(
            [*TEXTS[:5], *CELLS.get(name.partition(":")[0].replace("rated_at", "created_at"), TEXTS)]
        )
        for name, column in plan.columns.items()
    }
    loose = {"zeta": st.one_of(st.sampled_from(TEXTS), JSON_VALUES), 'al"pha': st.sampled_from(TEXTS)}
    return plan, draw(st.lists(st.fixed_dictionaries(columns | loose), min_size=1, max_size=12))


def batches_of(rows: Sequence[dict[str, Any]], size: int) -> list[Batch]:
    found = []
    for start in range(0, len(rows), size):
        part = rows[start : start + size]
        columns = {name: [row.get(name) for row in part] for name in part[0]}
        found.append(Batch([start + number + 2 for number in range(len(part))], columns, []))
    return found


def told(
    staged: Staged,
) -> tuple[list[dict[str, Any]], dict[int, list[dict[str, Any]]], dict[int, tuple[str | None, str]]]:
    def plain(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        for row in rows:
            for name in ("tags", "metadata"):
                if name in row:
                    row[name] = json.loads(row[name]) if row[name] else {}
        return rows

    feedback: dict[int, list[dict[str, Any]]] = {}
    for part in staged.feedback:
        for said in plain(part.to_pylist()):
            feedback.setdefault(said.pop("place"), []).append(said)
    problems = {one.row.line: (one.problem.column, one.problem.code) for one in staged.rejected}
    return plain(staged.rows.to_pylist()), feedback, problems


@settings(max_examples=400, deadline=None)
@given(tables(), st.integers(1, 12))
def test_columns_say_what_rows_say(table: tuple[Plan, list[dict[str, Any]]], size: int) -> None:
    plan, rows = table
    habits = habits_of(plan, rows)
    mapper = Mapper(plan, habits, user_key="k", started_at=STARTED)
    reference = Reference(plan, habits, "k", STARTED)
    number = 0
    for batch in batches_of(rows, size):
        interactions, feedback, problems = told(mapper.map(batch))
        expected = list(reference.map(batch.rows()))
        assert problems == {line: problem for line, problem, _, _ in expected if problem}
        fine = [one for one in expected if one[1] is None]
        assert [row["line"] for row in interactions] == [line for line, *_ in fine]
        for row, (_, _, interaction, said) in zip(interactions, fine, strict=True):
            assert {name: row[name] for name in interaction} == interaction
            found = {one["feedback_id"]: one for one in feedback.get(row["place"], [])}
            assert [one["number"] for one in found.values()] == list(range(number, number + len(said)))
            number += len(said)
            assert {key: {name: one[name] for name in said[0]} for key, one in found.items()} == {
                one["feedback_id"]: one for one in said
            }


@settings(max_examples=50, deadline=None)
@given(tables())
def test_the_stored_json_is_what_python_writes(table: tuple[Plan, list[dict[str, Any]]]) -> None:
    plan, rows = table
    staged = Mapper(plan, habits_of(plan, rows), user_key="k", started_at=STARTED).map(batches_of(rows, len(rows))[0])
    for part in (staged.rows, *staged.feedback):
        for text in part["metadata"].to_pylist():
            assert text is None or text == json.dumps(json.loads(text), ensure_ascii=False, sort_keys=True)


def test_identical_rows_are_told_apart_by_a_running_number_over_all_batches() -> None:
    plan = Plan({"comment": "c"})
    rows = [{"c": text} for text in "abaabcaab" * 7]
    mapped = {}
    for size in (1, 4, 100):
        mapper = Mapper(plan, habits_of(plan, rows), user_key="k", started_at=STARTED)
        parts = [told(mapper.map(batch))[0] for batch in batches_of(rows, size)]
        mapped[size] = [row["interaction_id"] for part in parts for row in part]

    assert mapped[1] == mapped[4] == mapped[100]
    assert len(set(mapped[1])) == len(rows)


@pytest.mark.parametrize("count", [1, 3, 64])
def test_no_two_different_rows_share_a_minted_id(count: int) -> None:
    every = np.ones(count, np.bool_)
    left, right = pa.array([f"{number}" for number in range(count)]), pa.array(["x"] * count)
    minted = Minter().mint({"input": left, "output": right}, every, every).to_pylist()
    other = Minter().mint({"input": right, "output": left}, every, every).to_pylist()

    assert len({*minted, *other}) == 2 * count


class Watched(list[str]):
    """Cells of which it can be told whether anybody still holds them."""


@pytest.mark.parametrize("field", ["created_at", "value", "population", "turn"])
def test_a_cell_that_cannot_be_read_keeps_nothing_of_its_batch_in_memory(field: str) -> None:
    plan = Plan({field: "c", "comment": "said"})
    mapper = Mapper(plan, habits_of(plan, []), user_key="k", started_at=STARTED)
    cells = Watched(["perhaps"])
    (rejected,) = mapper.map(Batch([1], {"c": cells, "said": ["Slow."]}, [])).rejected
    held = weakref.ref(cells)
    del cells

    assert rejected.problem.column == "c"
    assert held() is None


def test_dates_and_numbers_of_the_last_row_tell_about_the_first() -> None:
    plan = Plan({"created_at": "t", "value": "v"})
    rows = [{"t": "05/06/2026", "v": "1"}, {"t": "13/06/2026", "v": "4"}]
    mapper = Mapper(plan, habits_of(plan, rows[:1]), user_key="k", started_at=STARTED)
    mapper.map(batches_of(rows, 5)[0])

    assert mapper.habits_told() == habits_of(plan, rows)
    assert habits_of(plan, rows).day_first is True
    assert habits_of(plan, rows).numbers_are_thumbs == {"value": False}
