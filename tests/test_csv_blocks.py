"""CSV in blocks says the same as CSV row by row, whatever is in the file and wherever a block ends."""

import csv
import io
from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from feedback_lab.ingest.reading import csv_rows
from feedback_lab.ingest.reading.batches import BATCH_ROWS, Batch, Row
from feedback_lab.ingest.reading.csv_rows import csv_batches

HEADER = ["a", "b", "c"]
PIECES = st.sampled_from(
    ["x", "1", ",", ",", "\n", "\n", "\r\n", "\r", '"', '"', '""', '","', ' "', "é", "👍", "\x00", "\ufeff", " ", "\t",
     ";", "a,b,c\n", '"x\ny",2,3\n', '"say ""no""",,\n', "\udce9", "\u2028", "'", "\\"]
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=60).map("".join)


def in_blocks(
    text: str, header: list[str] = HEADER, delimiter: str = ",", broken: bool = False, skip: int = 0
) -> list[Row]:
    batches = list(csv_batches(io.StringIO(text, newline=""), delimiter, header, broken, skip))
    assert all(isinstance(batch, Batch) and len(batch.lines) <= BATCH_ROWS for batch in batches)
    return [row for batch in batches for row in batch.rows()]


def row_by_row(text: str, header: list[str] = HEADER, delimiter: str = ",", broken: bool = False) -> Iterator[Row]:
    csv.field_size_limit(10**9)
    lines = csv_rows.Lines(io.StringIO(text, newline=""))
    return csv_rows._row_by_row(lines, delimiter, header, broken)


@settings(max_examples=300, deadline=None)
@given(TEXTS, st.integers(1, 80), st.sampled_from([HEADER, ["a"], ["a", "b"]]), st.sampled_from([",", ";", "\t"]))
@example("\ufeff\n", 53, ["a", "b"], ",")
def test_blocks_and_rows_say_the_same(text: str, size: int, header: list[str], delimiter: str) -> None:
    broken = any("\udc80" <= letter <= "\udcff" for letter in text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_rows, "LARGE_BLOCK", size)
        patch.setattr(csv_rows, "SMALL_BLOCK", max(1, size // 4))
        assert in_blocks(text, header, delimiter, broken) == list(row_by_row(text, header, delimiter, broken))


# Python's writer leaves a lone return without quotes, and then it ends a line for every reader.
LETTERS = st.characters(blacklist_categories=["Cs"], blacklist_characters="\r")
CELLS = st.lists(st.tuples(*(st.text(LETTERS, max_size=6) for _ in HEADER)), max_size=9)


@settings(max_examples=100, deadline=None)
@given(CELLS, st.sampled_from(["\n", "\r\n"]), st.integers(10, 200))
def test_what_a_writer_wrote_comes_back(table: list[tuple[str, ...]], end: str, size: int) -> None:
    held = io.StringIO(newline="")
    csv.writer(held, lineterminator=end).writerows(table)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_rows, "LARGE_BLOCK", size)
        rows = in_blocks(held.getvalue())
    assert [tuple(row.values.values()) for row in rows] == [
        tuple(cell.replace("\x00", "\ufffd") for cell in cells) for cells in table
    ]


def test_lines_are_physical_lines_behind_what_is_skipped() -> None:
    text = 'title\n\na,b,c\n1,"x\ny",3\n\n4,5\n7,8,9\n'
    rows = in_blocks(text, skip=3)

    assert [(row.line, row.problem and row.problem.code) for row in rows] == [
        (4, None),
        (7, "too_few_columns"),
        (8, None),
    ]
    assert rows[1].raw == ["4", "5"]


def test_a_quote_that_is_never_closed_costs_one_line_wherever_it_stands() -> None:
    good = "".join(f"{number},x,y\n" for number in range(2_000))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_rows, "LARGE_BLOCK", 500)
        patch.setattr(csv_rows, "SMALL_BLOCK", 50)
        rows = in_blocks(good + 'bad,"open,y\n' + good)

    assert [row.line for row in rows if row.problem] == [2_001]
    assert [row.line for row in rows] == list(range(1, 4_002))


def test_large_blocks_come_in_batches_of_bounded_size() -> None:
    text = "".join(f"{number},x,y\n" if number % 1000 else "short\n" for number in range(50_000))
    batches = list(csv_batches(io.StringIO(text, newline=""), ",", HEADER, False))

    assert [len(batch.lines) for batch in batches] == [20_000, 20_000, 9_950]
    assert [row.line for batch in batches for row in batch.rows()] == list(range(1, 50_001))
