"""Parquet files and Excel workbooks: the same rows as in text, with the types that they keep."""

import contextlib
import io
import sys
import zipfile
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from feedback_lab.errors import InputError
from feedback_lab.ingest.meaning.values import time_of
from feedback_lab.ingest.reading import excel_rows, parquet_rows
from tests.file_builders import codes, gzipped, opened, values, zipped

openpyxl = pytest.importorskip("openpyxl")
MOMENT = datetime(2023, 5, 18, 10, 30, 1, 500_000)


def parquet(columns: dict[str, Any], **options: Any) -> bytes:
    stream = io.BytesIO()
    pq.write_table(pa.table(columns), stream, **options)
    return stream.getvalue()


def workbook(*sheets: Sequence[Sequence[Any]]) -> bytes:
    book = openpyxl.Workbook()
    for number, rows in enumerate(sheets):
        sheet = book.active if number == 0 else book.create_sheet()
        for row in rows:
            sheet.append(row)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def test_parquet_keeps_numbers_truths_and_structures_and_writes_times_as_text(tmp_path: Path) -> None:
    columns = {
        "text": ["good", "so\x00so", None],
        "number": [1, 2, 3],
        "share": [0.5, float("nan"), float("inf")],
        "yes": [True, None, False],
        "at": pa.array([MOMENT] * 3, pa.timestamp("ns")),
        "zoned": pa.array([MOMENT.replace(tzinfo=UTC)] * 3, pa.timestamp("ms", "Europe/Berlin")),
        "day": [date(2023, 5, 18)] * 3,
        "price": [Decimal("1.50")] * 3,
        "took": [timedelta(seconds=2)] * 3,
        "raw": [b"plain", b"\xff\xfe", None],
        "nested": [{"tags": ["a", "b"]}, None, {"tags": []}],
        "kind": pa.array(["x", "y", "x"]).dictionary_encode(),
    }
    source = opened(tmp_path, parquet(columns))
    rows = values(source)

    assert (source.header, source.format) == (list(columns), "Parquet")
    assert time_of(rows[0].pop("at")) == time_of(rows[0].pop("zoned")) == MOMENT
    assert rows[0] == {
        "text": "good",
        "number": 1,
        "share": 0.5,
        "yes": True,
        "day": "2023-05-18",
        "price": "1.50",
        "took": 2.0,
        "raw": "plain",
        "nested": {"tags": ["a", "b"]},
        "kind": "x",
    }
    assert rows[1]["text"] == "so\ufffdso"
    assert "share" not in rows[1]
    assert (rows[1]["raw"], rows[1].get("nested")) == ("//4=", None)


def test_parquet_is_read_group_by_group_and_a_huge_cell_costs_its_row(tmp_path: Path) -> None:
    texts = ["x"] * 12_000
    texts[7_000] = "x" * 1_000_001
    content = parquet({"n": range(12_000), "text": texts}, row_group_size=1_000)
    source = opened(tmp_path, content)

    assert max(len(batch.lines) for batch in source.batches()) <= parquet_rows.BATCH_ROWS
    rows = list(source)
    assert [row.line for row in rows] == list(range(1, 12_001))
    assert [code for code in codes(rows) if code[1]] == [(7_001, "cell_too_large")]


def test_a_text_that_comes_again_a_million_times_is_kept_once(tmp_path: Path) -> None:
    repeated = pa.DictionaryArray.from_arrays(pa.array([0] * 50_000, pa.int32()), pa.array(["x" * 100_000]))
    content = parquet({"text": repeated})
    cells = next(iter(opened(tmp_path, content).batches())).columns["text"]

    assert len({id(cell) for cell in cells}) == 1


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.999])
def test_a_damaged_parquet_file_gets_one_sentence(tmp_path: Path, share: float) -> None:
    content = parquet({"n": range(1_000)})

    with pytest.raises(InputError, match="Parquet file that cannot be read") as error:
        opened(tmp_path, content[: int(share * len(content))])
    assert "\n" not in str(error.value)


def test_parquet_without_rows_or_with_doubled_names_is_refused(tmp_path: Path) -> None:
    doubled = io.BytesIO()
    pq.write_table(pa.Table.from_arrays([pa.array([1]), pa.array([2])], ["a", "a"]), doubled)

    with pytest.raises(InputError, match="no rows"):
        opened(tmp_path, parquet({"a": pa.array([], pa.int64())}))
    with pytest.raises(InputError, match="two of one name"):
        opened(tmp_path, doubled.getvalue())


def test_parquet_that_swells_is_refused(tmp_path: Path) -> None:
    content = parquet({"a": pa.nulls(5_000_000, pa.int8())})

    with pytest.raises(InputError, match="unpacks to far more"):
        opened(tmp_path, content)


def test_excel_rows_keep_their_types_and_their_line(tmp_path: Path) -> None:
    rows: list[list[Any]] = [
        ["id", "rating", "at", "ok", "text"],
        [1, 4.5, MOMENT, True, "good"],
        [],
        [2, None, date(2023, 5, 18), None, "=1+1"],
    ]
    source = opened(tmp_path, workbook(rows))

    assert (source.format, source.header) == ("Excel", rows[0])
    assert [(row.line, row.values) for row in source] == [
        (2, {"id": 1, "rating": 4.5, "at": "2023-05-18 10:30:01.500000", "ok": True, "text": "good"}),
        (4, {"id": 2, "at": "2023-05-18 00:00:00"}),
    ]


def test_the_first_sheet_with_rows_is_read_below_its_title_and_this_is_said(tmp_path: Path) -> None:
    sheet: list[list[Any]] = [
        ["Report of May"],
        [None],
        ["id", "rating", "text"],
        [1, 5, "a"],
        [2, 4, "b"],
        [3, 2, None],
    ]
    source = opened(tmp_path, workbook([], sheet, [["other"], [1]]))

    assert source.format == "Excel; sheet 'Sheet1', the first with rows of 3; 1 title line above the header left out"
    assert values(source)[2] == {"id": 3, "rating": 2}
    assert [row.line for row in source] == [4, 5, 6]


def test_a_workbook_without_rows_gets_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no rows in any sheet"):
        opened(tmp_path, workbook([], [[None]]))
    with pytest.raises(InputError, match="a header but no rows"):
        opened(tmp_path, workbook([["id", "text"]]))


def test_a_sheet_without_a_header_keeps_its_first_row(tmp_path: Path) -> None:
    source = opened(tmp_path, workbook([[1, "a"], [2, "b"]]))

    assert values(source) == [{"column 1": 1, "column 2": "a"}, {"column 1": 2, "column 2": "b"}]
    assert opened(tmp_path, workbook([[1, "a"], [2, "b"]]), header=True).header == ["1", "a"]


def test_packed_tables_are_read_too(tmp_path: Path) -> None:
    book, table = workbook([["a"], ["x"]]), parquet({"a": ["x"]})

    for content in (gzipped(table), zipped({"t.parquet": table}), gzipped(book), zipped({"t.xlsx": book})):
        assert values(opened(tmp_path, content)) == [{"a": "x"}]


def altered(content: bytes, part: str, old: bytes, new: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as after:
        for name in before.namelist():
            data = before.read(name)
            after.writestr(name, data.replace(old, new) if name == part else data)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"<row", b"<rwo"),
        (b"</sheetData>", b""),
        (b'r="A2"', b'r="!!"'),
        (b'<row r="2"', b'<row r="999999999"'),
        (b"<worksheet", b'<!DOCTYPE w [<!ENTITY a "x">]><worksheet'),
        (b"<v>", b"<v>&bomb;"),
    ],
)
def test_a_damaged_workbook_gets_one_sentence_or_is_read(tmp_path: Path, old: bytes, new: bytes) -> None:
    content = altered(workbook([["a", "b"], [1, 2], [3, 4]]), "xl/worksheets/sheet1.xml", old, new)

    with contextlib.suppress(InputError):
        assert values(opened(tmp_path, content))


def test_what_a_sheet_says_of_its_size_is_not_believed(tmp_path: Path) -> None:
    content = workbook([["a", "b"], [1, 2], [3, 4]])
    content = altered(content, "xl/worksheets/sheet1.xml", b'ref="A1:B3"', b'ref="A1:A1"')

    assert values(opened(tmp_path, content)) == [{"a": 1, "b": 2}, {"a": 3, "b": 4}]


def test_a_swollen_workbook_is_refused_before_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(excel_rows, "RATIO_FROM", 1 << 20)
    content = altered(workbook([["a"], [1]]), "xl/worksheets/sheet1.xml", b"</sheetData>", b" " * (20 << 20))

    with pytest.raises(InputError, match="unpacks to far more"):
        opened(tmp_path, content)


def test_excel_without_its_library_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = workbook([["a"], [1]])
    monkeypatch.setitem(sys.modules, "openpyxl", None)

    with pytest.raises(InputError, match=r"pip install 'feedback-lab\[excel\]'"):
        opened(tmp_path, content)


def test_a_cover_sheet_is_left_out_and_said(tmp_path: Path) -> None:
    source = opened(tmp_path, workbook([["Feedback, March"]], [["question", "rating"], ["How?", 5], ["Why?", 1]]))

    assert "sheet 'Sheet1', the first with rows of 2" in source.format
    assert values(source) == [{"question": "How?", "rating": 5}, {"question": "Why?", "rating": 1}]
