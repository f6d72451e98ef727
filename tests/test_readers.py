"""Files as they really are: the reader keeps every good row and names every bad one with its line."""

import codecs
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from feedback_lab.errors import InputError
from feedback_lab.ingest.reading.batches import MAX_CELL
from feedback_lab.ingest.reading.readers import open_rows
from tests.file_builders import codes, written

Made = Callable[[str | bytes], Path]


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return partial(written, tmp_path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("a,b\n1,é\n".encode(), "CSV (comma), UTF-8"),
        ("a;b\n1;é\n".encode(), "CSV (semicolon), UTF-8"),
        ("a\tb\n1\té\n".encode(), "CSV (tab), UTF-8"),
        ("a|b\r\n1|é\r\n".encode(), "CSV (bar), UTF-8"),
        (codecs.BOM_UTF8 + "a,b\n1,é\n".encode(), "CSV (comma), UTF-8 with a byte order mark"),
        ("a,b\n1,é\n".encode("utf-16"), "CSV (comma), UTF-16"),
        ("a,b\n1,é\n".encode("cp1252"), "CSV (comma), not UTF-8, guessed as Windows-1252 (0% sure)"),
        ('{"a": "1", "b": "é"}\n'.encode(), "JSON Lines, UTF-8"),
    ],
)
def test_encoding_and_delimiter_are_found_and_said(made: Made, content: bytes, words: str) -> None:
    source = open_rows(made(content))

    assert (source.format, source.header) == (words, ["a", "b"])
    assert next(iter(source)).values == {"a": "1", "b": "é"}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "empty"),
        (b"  \n \n", "empty"),
        (b"a,b\n", "no rows"),
        (b"PK\x03\x04....", "archive"),
        (b"%PDF-1.7", "is a PDF"),
        (b"<!DOCTYPE html><html>", "is a web page"),
        (b"a,b\n# x\n"[4:], "no row, only comments"),
        (bytes(range(256)) * 4, "not text"),
        (b'{"a": 1\n', "no readable JSON object"),
    ],
)
def test_a_file_that_cannot_hold_rows_gets_one_sentence(made: Made, content: bytes, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence) as error:
        open_rows(made(content))

    assert "\n" not in str(error.value)


def test_a_name_that_no_system_takes_gets_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="check its name"):
        open_rows(tmp_path / ("x" * 5000))


def test_a_missing_file_and_a_folder_get_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There is no file"):
        open_rows(tmp_path / "nowhere.csv")
    with pytest.raises(InputError, match="is a folder"):
        open_rows(tmp_path)


def test_ragged_rows_are_rejected_with_their_line(made: Made) -> None:
    rows = list(open_rows(made("a,b\n1,2\n\n3\n4,5,6\n7,8")))

    assert codes(rows) == [(2, None), (4, "too_few_columns"), (5, "too_many_columns"), (6, None)]
    assert rows[2].raw == ["4", "5", "6"]


def test_mixed_line_ends_and_quoted_line_breaks_are_read(made: Made) -> None:
    rows = list(open_rows(made('a,b\r\n1,"x\ny"\n3,4\r5,"p\r\nq"\r\n')))

    assert [(row.line, row.values["b"]) for row in rows] == [(2, "x\ny"), (4, "4"), (5, "p\r\nq")]


@pytest.mark.parametrize("closing", ['4,"w"\n', "4,w\n", '4,"w""\n5,5\n'])
def test_a_quote_that_is_never_closed_costs_its_own_line_alone(made: Made, closing: str) -> None:
    rows = list(open_rows(made(f'a,b\n1,"x\n2,y\n3,z\n{closing}')))

    assert codes(rows)[:3] == [(2, "unterminated_quote"), (3, None), (4, None)]
    assert rows[1].values == {"a": "2", "b": "y"}


def test_a_quoted_ragged_row_stays_one_row(made: Made) -> None:
    assert codes(list(open_rows(made('a,b\n1,"p\nq",3\n4,5\n')))) == [(2, "too_many_columns"), (4, None)]


@pytest.mark.parametrize("cell", ["x" * 5_000_000, '"' + "x\n" * 2_500_000 + '"'], ids=["one line", "many lines"])
def test_a_cell_of_five_megabytes_is_rejected_and_the_rest_survives(made: Made, cell: str) -> None:
    rows = list(open_rows(made(f"a,b\n1,{cell}\n2,y\n")))

    assert [row.problem and row.problem.code for row in rows] == ["cell_too_large", None]
    assert rows[0].problem is not None
    assert rows[0].problem.column == "b"
    assert len(next(iter(open_rows(made(f"a,b\n1,{'x' * MAX_CELL}\n")))).values["b"]) == MAX_CELL


def test_a_line_beyond_all_measure_is_rejected_and_the_rest_survives(made: Made) -> None:
    rows = list(open_rows(made("a,b\n1," + "x" * 40_000_000 + "\n2,y\n")))

    assert codes(rows) == [(2, "cell_too_large"), (3, None)]


def test_header_names_are_stripped_numbered_and_told_apart(made: Made) -> None:
    assert open_rows(made(" a ,,a,a\n1,2,3,4\n")).header == ["a", "column 2", "a (2)", "a (3)"]


def test_a_single_column_of_text_with_commas_is_one_column(made: Made) -> None:
    rows = list(open_rows(made("text\nhello, world\nand; more\nplain\n")))

    assert [row.values["text"] for row in rows] == ["hello, world", "and; more", "plain"]


def test_characters_that_no_database_holds_become_the_replacement_character(made: Made) -> None:
    csv_rows = list(open_rows(made("a,b\nx\x00y,long enough to be text\n")))
    json_rows = list(open_rows(made('{"a": "x\\u0000y\\ud800", "b": {"c": ["\\udfff"]}}\n')))

    assert csv_rows[0].values["a"] == "x\ufffdy"
    assert json_rows[0].values == {"a": "x\ufffdy\ufffd", "b": {"c": ["\ufffd"]}}


def test_a_broken_byte_in_a_utf8_file_costs_its_row_alone(made: Made) -> None:
    rows = list(open_rows(made("a,b\n1,日本語\n".encode() + b"2,\xff\n3,ok\n")))

    assert codes(rows) == [(2, None), (3, "not_utf8"), (4, None)]
    assert rows[0].values["b"] == "日本語"


def test_bad_json_lines_are_rejected_with_their_line_and_types_are_kept(made: Made) -> None:
    lines = ['{"a": 1, "b": {"x": [1, null]}}', "{bad", "[1]", "", '{"a": NaN, "b": 1e999}', '{"a": 7', "[" * 100_000]
    deep = '{"a": ' + "[" * 200 + "]" * 200 + "}"
    rows = list(open_rows(made("\n".join([*lines, deep, '{"c": true}']))))

    assert codes(rows) == [
        (1, None),
        (2, "bad_json"),
        (3, "not_an_object"),
        (5, None),
        (6, "bad_json"),
        (7, "bad_json"),
        (8, "bad_json"),
        (9, None),
    ]
    assert rows[0].values == {"a": 1, "b": {"x": [1, None]}}
    assert rows[3].values == {}  # what is no number is as good as absent


def test_each_iteration_is_a_fresh_pass(made: Made) -> None:
    source = open_rows(made("a\n1\n2\n"))

    assert list(source) == list(source)
    assert source.sample(1) == [{"a": "1"}]
