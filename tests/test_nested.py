"""Blocks of JSON in the cells of ordinary files: what stands inside them can be mapped, and nothing of them is lost."""

import io
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback_lab.ingest.reading import nested
from feedback_lab.ingest.reading.readers import SAMPLE
from feedback_lab.store import open_store
from tests.command_line import Ask, Refuse
from tests.file_builders import opened, values, written

ROWS = [
    {
        "question": "Which card is free?", "answer": "Basic", "user": {"id": "u7", "plan": "pro"},
        "feedback": {"thumb": "up", "comment": "nice", "extra": {"page": 3}},
    },
    {
        "question": "Fees?", "answer": "None", "user": {"id": "u8", "plan": "free"},
        "feedback": {"thumb": "down", "comment": "It costs 3 euros"},
    },
    {"question": "Limit?", "answer": "100", "user": {"id": "u9", "plan": "free"}, "feedback": None},
]  # fmt: skip
STORED = """
    SELECT i.input, i.user_hash IS NOT NULL AS known, f.polarity, f.comment,
           coalesce(f.metadata, i.metadata) AS metadata
    FROM interaction i LEFT JOIN feedback f USING (interaction_id) ORDER BY i.input
"""


def as_lines(rows: list[dict[str, Any]]) -> bytes:
    return "\n".join(map(json.dumps, rows)).encode()


def as_csv(rows: list[dict[str, Any]]) -> bytes:
    cells = [{name: json.dumps(cell) if isinstance(cell, dict) else cell for name, cell in row.items()} for row in rows]
    return pd.DataFrame(cells).to_csv(index=False).encode()


def as_parquet(rows: list[dict[str, Any]]) -> bytes:
    stream = io.BytesIO()
    pd.DataFrame(rows).to_parquet(stream, index=False)
    return stream.getvalue()


def stored(home: Path) -> list[dict[str, Any]]:
    store = open_store(home)
    rows = store.rows(STORED)
    store.close()
    return rows


@pytest.mark.parametrize("form", [as_lines, as_csv, as_parquet])
def test_what_stands_inside_a_block_is_read_by_its_path_whatever_the_file(
    form: Callable[[list[dict[str, Any]]], bytes], tmp_path: Path, home: Path, ask: Ask
) -> None:
    path = written(tmp_path, form(ROWS))

    answer = ask("import", str(path), "--map", "value=feedback.thumb", "--map", "comment=feedback.comment",
                 "--map", "input=question", "--map", "output=answer", "--map", "user=user.id")  # fmt: skip

    assert (answer["read"], answer["new"]) == (3, 3)
    assert [(row["input"], row["known"], row["polarity"], row["comment"]) for row in stored(home)] == [
        ("Fees?", True, "negative", "It costs 3 euros"),
        ("Limit?", True, None, None),
        ("Which card is free?", True, "positive", "nice"),
    ]


def test_a_user_who_is_read_from_a_block_no_longer_stands_in_the_metadata(tmp_path: Path, home: Path, ask: Ask) -> None:
    ask("import", str(written(tmp_path, as_lines(ROWS))), "--map", "input=question", "--map", "user=user.id",
        "--map", "value=feedback.thumb")  # fmt: skip

    kept = next(row["metadata"] for row in stored(home) if row["input"] == "Which card is free?")
    assert kept["user"] == {"plan": "pro"}
    assert kept["feedback"] == {"comment": "nice", "extra": {"page": 3}}


def test_blocks_of_which_nothing_is_read_stay_as_they_are(tmp_path: Path, home: Path, ask: Ask) -> None:
    ask("import", str(written(tmp_path, as_lines(ROWS))), "--map", "input=question", "--map", "output=answer")

    kept = next(row["metadata"] for row in stored(home) if row["input"] == "Which card is free?")
    assert kept == {name: ROWS[0][name] for name in ("user", "feedback")}


def test_names_inside_blocks_are_recognised_and_the_rest_of_them_is_named(tmp_path: Path, ask: Ask) -> None:
    answer = ask("import", str(written(tmp_path, as_lines(ROWS))), "--dry-run")

    assert answer["mapping"]["comment"] == "feedback.comment"
    assert answer["mapping"]["user"] == "user.id"
    assert any("'feedback.extra.page'" in said and "'user.plan'" in said for said in answer["said"])


def test_a_path_that_the_file_does_not_have_is_refused(tmp_path: Path, refuse: Refuse) -> None:
    path = written(tmp_path, as_lines(ROWS))

    assert "There is no column 'feedback.stars'" in refuse(
        1, "import", str(path), "--map", "input=question", "--map", "value=feedback.stars"
    )


@pytest.mark.parametrize("levels", [90, 600, 5_000])
def test_a_cell_that_is_nested_without_end_stays_text(tmp_path: Path, home: Path, ask: Ask, levels: int) -> None:
    deep = '{"thumb": "up", "more": ' + '{"a":' * levels + "1" + "}" * levels + "}"
    table = pd.DataFrame({"question": ["a?", "b?"], "said": [deep, '{"thumb": "up"}']}).to_csv(index=False)

    ask("import", str(written(tmp_path, table.encode())), "--map", "input=question", "--map", "value=said.thumb")

    assert [row["polarity"] for row in stored(home)] == ["positive" if levels < 100 else None, "positive"]


def test_a_saved_mapping_reads_what_no_first_row_of_the_next_file_has(tmp_path: Path, home: Path, ask: Ask) -> None:
    ask("import", str(written(tmp_path, as_lines(ROWS))), "--map", "input=question", "--map", "value=feedback.thumb",
        "--map", "comment=feedback.comment", "--save-mapping", "weekly")  # fmt: skip
    silent = [{**ROWS[2], "question": f"{number}?", "feedback": {"page": 1}} for number in range(SAMPLE)]

    answer = ask("import", str(written(tmp_path, as_lines([*silent, {**ROWS[1], "question": "Last?"}]), "next.jsonl")))

    assert (answer["new"], answer["rejected"]) == (SAMPLE + 1, 0)
    last = next(row for row in stored(home) if row["input"] == "Last?")
    assert (last["polarity"], last["comment"]) == ("negative", "It costs 3 euros")


def test_what_was_asked_and_answered_is_found_inside_blocks_of_that_name(tmp_path: Path, ask: Ask) -> None:
    rows = [{"input": {"question": "Fees?"}, "output": {"text": "None"}, "rating": stars} for stars in (1, 3, 5)]

    answer = ask("import", str(written(tmp_path, as_lines(rows))), "--dry-run")

    assert answer["mapping"] == {"input": "input.question", "output": "output.text", "value": "rating"}


def test_a_column_with_a_dot_in_its_own_name_is_that_column(tmp_path: Path) -> None:
    rows = opened(tmp_path, as_lines([{"user.id": "own", "user": {"id": "inner"}}]))

    assert values(nested.with_columns(rows, ["user.id"])) == [{"user.id": "own", "user": {"id": "inner"}}]


def test_rejected_rows_can_be_mended_and_imported_again_with_the_same_mapping(tmp_path: Path, ask: Ask) -> None:
    rows = [{"question": "a?", "feedback": {"thumb": "up"}}, {"question": "b?", "feedback": {"thumb": "sideways"}}]
    mapping = ("--map", "input=question", "--map", "value=feedback.thumb")
    answer = ask("import", str(written(tmp_path, as_lines(rows))), *mapping)
    assert (answer["new"], answer["rejected"]) == (1, 1)
    mended = Path(answer["rejects_file"]).read_bytes().replace(b"sideways", b"down", 2)

    again = ask("import", str(written(tmp_path, mended, "mended.csv")), *mapping)

    assert (again["new"], again["rejected"]) == (1, 0)


LEAVES = st.none() | st.booleans() | st.integers(0, 9) | st.text("ab.", max_size=2) | st.lists(st.integers(0, 9))
NAMES = st.text("ab.", max_size=2)
BLOCKS = st.recursive(LEAVES, lambda inner: st.dictionaries(NAMES, inner, max_size=3), max_leaves=8)


@given(st.lists(st.dictionaries(NAMES, BLOCKS, max_size=3), min_size=1, max_size=4))
def test_every_value_of_a_block_stands_in_exactly_one_column(cells: list[dict[str, Any]]) -> None:
    with TemporaryDirectory() as folder:
        rows = opened(Path(folder), as_lines([{"id": 1, "x": cell} for cell in cells]))
        names, sample = nested.looked_into(rows)

    assert len(names) == len(set(names))
    for cell, found in zip(cells, sample, strict=False):
        assert Counter(told(cell)) == Counter(
            leaf for name, value in found.items() if name != "id" for leaf in told(value)
        )


def told(value: Any) -> list[str]:
    """The values of a block that say something, each as text."""
    if isinstance(value, dict):
        return [leaf for part in value.values() for leaf in told(part)]
    return [] if value is None else [json.dumps(value)]


def test_a_column_that_holds_a_block_or_a_zero_stays_a_column(tmp_path: Path) -> None:
    columns, sample = nested.looked_into(opened(tmp_path, as_lines([{"x": {"a": 1}}, {"x": 0}])))

    assert (columns, sample) == (["x", "x.a"], [{"x.a": 1}, {"x": 0}])
