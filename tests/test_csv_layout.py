"""Where the rows of a text begin and what its columns are called: found from the content, and said."""

import csv
from pathlib import Path

import pytest

from feedback_lab.errors import InputError
from tests.file_builders import codes, opened, values

ROWS = "1,5,good\n2,3,ok\n3,1,bad\n"
NAMED = [
    {"id": "1", "rating": "5", "comment": "good"},
    {"id": "2", "rating": "3", "comment": "ok"},
    {"id": "3", "rating": "1", "comment": "bad"},
]


@pytest.mark.parametrize(
    ("above", "note"),
    [
        ("# exported by ann, 2023\n#\n", "2 comment lines left out"),
        ("sep=,\n", "1 comment line left out"),
        ('"sep=,"\r\n', "1 comment line left out"),
        ("Feedback report\n\n", "1 title line above the header left out"),
        ("Feedback report,,\nOf May\n", "2 title lines above the header left out"),
        ("\n\n", ""),
    ],
)
def test_what_stands_above_the_header_is_left_out_and_said(tmp_path: Path, above: str, note: str) -> None:
    source = opened(tmp_path, f"{above}id,rating,comment\n{ROWS}")

    assert values(source) == NAMED
    assert source.format == "CSV (comma), UTF-8" + (f"; {note}" if note else "")
    assert next(iter(source)).line == above.count("\n") + 2


def test_the_line_sep_names_the_delimiter(tmp_path: Path) -> None:
    assert values(opened(tmp_path, "sep=^\na^b\n1,2^3\n")) == [{"a": "1,2", "b": "3"}]


@pytest.mark.parametrize(
    ("content", "header"),
    [
        ("{question},{answer}\nWhy?,So.\n", ["{question}", "{answer}"]),
        ('{"question"},{"answer"}\nWhy?,So.\n', ['{"question"}', '{"answer"}']),
        ("{{user id}};comment\n7;no\n", ["{{user id}}", "comment"]),
        ("\ufeff{comment}\nbad\nworse\n", ["{comment}"]),
        ("{id, comment}\n7,no\n", ["{id", "comment}"]),
    ],
)
def test_a_header_in_braces_is_no_json(tmp_path: Path, content: str, header: list[str]) -> None:
    source = opened(tmp_path, content)

    assert source.header == header
    assert len(values(source)) == content.count("\n") - 1


def test_a_header_behind_a_hash_is_a_header(tmp_path: Path) -> None:
    assert opened(tmp_path, "#,name\n1,x\n2,y\n").header == ["#", "name"]
    assert opened(tmp_path, "# by ann\n# a,b\n1,2\n3,4\n").header == ["# a", "b"]


@pytest.mark.parametrize(
    "rows",
    [
        ROWS,
        "2023-05-01,a\n2023-05-02,b\n",
        "where is it,card\nis it late,card\nhow do I pay,money\nwhen,money\nwhy,card\n",
        "https://a.test/1,x\nhttps://a.test/2,y\n",
    ],
)
def test_a_file_without_a_header_keeps_its_first_row(tmp_path: Path, rows: str) -> None:
    source = opened(tmp_path, rows)

    width = rows.split("\n")[0].count(",") + 1
    assert source.header == [f"column {place}" for place in range(1, width + 1)]
    assert "no header was found (the first row looks like data)" in source.format
    assert [row.line for row in source] == list(range(1, rows.count("\n") + 1))


@pytest.mark.parametrize(
    "rows",
    ["a,b\n1,2\n", "x,y\np,q\n", "Yes,No\nYes,\n,No\nYes,\n", "date,open\n2023-01-01,1\n", "id,2021\n1,5\n2,6\n"],
)
def test_a_row_of_names_is_a_header(tmp_path: Path, rows: str) -> None:
    assert opened(tmp_path, rows).header == rows.split("\n")[0].split(",")


def test_a_human_decides_whether_there_is_a_header(tmp_path: Path) -> None:
    assert values(opened(tmp_path, "a,b\nc,d\n", header=False))[0] == {"column 1": "a", "column 2": "b"}
    assert values(opened(tmp_path, "1,2\n3,4\n", header=True)) == [{"1": "3", "2": "4"}]


def test_a_human_decides_on_the_delimiter(tmp_path: Path) -> None:
    assert opened(tmp_path, "a:b\n1,5:2\n", delimiter=":").header == ["a", "b"]
    assert opened(tmp_path, "{a}:b\n1:2\n", delimiter=":").header == ["{a}", "b"]
    for wrong in ("", "ab", '"', "\n"):
        with pytest.raises(InputError, match="cannot be used"):
            opened(tmp_path, "a,b\n1,2\n", delimiter=wrong)


def test_doubled_and_empty_names_are_told_apart_and_said(tmp_path: Path) -> None:
    source = opened(tmp_path, " a ,,a,a,a (2)\n1,2,3,4,5\n")

    assert source.header == ["a", "column 2", "a (2)", "a (3)", "a (2) (2)"]
    assert source.format.endswith("; 1 column without a name numbered; 3 doubled names told apart by a number")


def test_delimiters_at_the_end_of_lines_cost_nothing(tmp_path: Path) -> None:
    rows = opened(tmp_path, "a,b\n1,2,\n3,4,\n")
    header = opened(tmp_path, "a,b,,\n1,2\n3,4\n")

    assert values(rows) == [{"a": "1", "b": "2", "column 3": ""}, {"a": "3", "b": "4", "column 3": ""}]
    assert values(header) == [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]
    assert "behind the header's last name" in rows.format
    assert "at the end of the header left out" in header.format


def test_a_value_behind_the_last_name_is_rejected_not_named(tmp_path: Path) -> None:
    assert codes(list(opened(tmp_path, "a,b\n1,2,3\n4,5,6\n"))) == [(2, "too_many_columns"), (3, "too_many_columns")]


@pytest.mark.parametrize(
    ("content", "delimiter"),
    [
        ("a,b\n1\n2,3,4\n", ","),
        ("a,b\n1,2,3\n4\n5,6,7,8\n", ","),
        ("a;b\n1,5;x\n2,5;y\n", ";"),
        ("a|b\nx, y|z\nq, r|s\n", "|"),
        ("a, b, c\n1, 2, 3\n", ","),
        ("a\tb\nx, y\tz\n", "\t"),
    ],
)
def test_a_ragged_file_keeps_its_delimiter(tmp_path: Path, content: str, delimiter: str) -> None:
    assert opened(tmp_path, content).delimiter == delimiter


@pytest.mark.parametrize(
    "content",
    [
        "Please rate, and tell why\nGood, thanks\nBad\n",
        "text\nhello, world\nfoo, bar\nyes, no\n",
        "text\none\t| two; three, four\nfive\n",
    ],
)
def test_sentences_are_one_column_whatever_signs_they_hold(tmp_path: Path, content: str) -> None:
    source = opened(tmp_path, content)

    assert [row.values for row in source] == [{source.header[0]: line} for line in content.splitlines()[1:]]
    assert source.format == "CSV (one column), UTF-8"


def test_a_file_of_carriage_returns_is_read(tmp_path: Path) -> None:
    assert values(opened(tmp_path, "id,rating,comment\r" + ROWS.replace("\n", "\r"))) == NAMED


def test_a_header_over_several_lines_is_counted(tmp_path: Path) -> None:
    rows = list(opened(tmp_path, 'a,"b\n(long)"\n1,2\n'))

    assert [(row.line, row.values) for row in rows] == [(3, {"a": "1", "b\n(long)": "2"})]


def test_ten_thousand_columns_of_one_name_are_told_apart_and_more_refused(tmp_path: Path) -> None:
    wide = "a" + ",a" * 9_999
    source = opened(tmp_path, f"{wide}\n{wide}\n")

    assert len(set(source.header)) == 10_000
    with pytest.raises(InputError, match="10,001 columns"):
        opened(tmp_path, f"{wide},a\n{wide},b\n")


def test_a_quote_that_stays_open_does_not_spoil_the_look_at_the_file(tmp_path: Path) -> None:
    source = opened(tmp_path, 'a;b\n1;"x\n2;y\n3;z\n')

    assert (source.header, source.delimiter) == (["a", "b"], ";")
    assert codes(list(source)) == [(2, "unterminated_quote"), (3, None), (4, None)]


def test_what_the_csv_module_writes_is_read_back(tmp_path: Path) -> None:
    rows = [["id", "text"], ["1", 'say "hi", twice\nplease'], ["2", ""], ["3", " spaced "], ["4", "x;y|z\t"]]
    path = tmp_path / "made.csv"
    for delimiter in ",;|\t":
        with path.open("w", newline="", encoding="utf-8") as handle:
            csv.writer(handle, delimiter=delimiter).writerows(rows)

        assert [list(found.values()) for found in values(opened(tmp_path, path.read_bytes()))] == rows[1:]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (r"{\"a\": 1, \"b\": \"x\"}", '{"a": 1, "b": "x"}'),
        (r"ends with \"quotes\"", 'ends with "quotes"'),
        (r"say \\\"hi\\\"", r"say \"hi\""),
        (r"C:\new, \"old\"", r'C:\new, "old"'),
        ('two\n\\"lines\\"', 'two\n"lines"'),
    ],
)
def test_quotes_behind_a_backslash_are_quotes(tmp_path: Path, cell: str, expected: str) -> None:
    source = opened(tmp_path, f'id,text\n1,"{cell}"\n2,"plain"\n3,"{cell}"\n')

    assert [row.values["text"] for row in source] == [expected, "plain", expected]
    assert source.format == "CSV (comma), UTF-8; quotes behind a backslash read as quotes"


@pytest.mark.parametrize("cell", ["C:\\", 'it said ""C:\\""', "a\\"])
def test_a_backslash_that_escapes_nothing_stays(tmp_path: Path, cell: str) -> None:
    source = opened(tmp_path, f'id,text\n1,"{cell}"\n2,"plain"\n')

    assert values(source)[0]["text"] == cell.replace('""', '"')
