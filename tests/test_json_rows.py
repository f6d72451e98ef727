"""JSON as tools write it: lists, objects one after another, an object around its list; a broken value costs a row."""

import json
import random
from pathlib import Path

import pytest

from feedback_lab.errors import InputError
from feedback_lab.ingest.reading import json_text
from tests.file_builders import codes, opened, values

ROWS = [{"id": 1, "text": "good"}, {"id": 2, "text": 'so [so], "really"'}, {"id": 3, "tags": [{"id": 9}, {"id": 8}]}]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (json.dumps(ROWS), "JSON list"),
        (json.dumps(ROWS, indent=2), "JSON list"),
        ("[" + ",\n".join(map(json.dumps, ROWS)) + "]\n", "JSON list"),
        ("\n".join(map(json.dumps, ROWS)), "JSON Lines"),
        ("\n".join(json.dumps(row, indent=1) for row in ROWS), "JSON objects one after another"),
        (" ".join(map(json.dumps, ROWS)), "JSON objects one after another"),
        (json.dumps({"data": ROWS}), "JSON, the list 'data' of its one object"),
        (json.dumps({"feedback": ROWS}, indent=4), "JSON, the list 'feedback' of its one object"),
        (json.dumps({"meta": {"page": 1}, "total": 3, "scores": ROWS, "next": None}), "JSON, the list 'scores' of its"),
        (json.dumps({"project": "x", "items": ROWS, "messages": ROWS}), "JSON, the list 'items' of its one object"),
    ],
)
def test_every_way_to_write_the_same_rows_is_read_and_named(tmp_path: Path, content: str, words: str) -> None:
    source = opened(tmp_path, content)

    assert values(source) == ROWS
    assert source.format.startswith(words)
    assert source.header == ["id", "text", "tags"]


@pytest.mark.parametrize(
    "record",
    [
        {"resourceSpans": [{"scopeSpans": [{}]}]},
        {"messages": [{"role": "user", "content": "x"}]},
        {"input": "x", "feedback": [{"score": 1}]},
        {"traces": [{"id": 1}], "scores": [{"id": 2}]},
        {"id": 1},
    ],
)
@pytest.mark.parametrize("indent", [None, 2])
def test_one_record_stays_whole(tmp_path: Path, record: dict[str, object], indent: int | None) -> None:
    assert values(opened(tmp_path, json.dumps(record, indent=indent))) == [record]


def page(*rows: dict[str, object], **more: object) -> dict[str, object]:
    return {"object": "list", "data": list(rows), "has_more": True, **more}


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (json.dumps(page(*ROWS[:2])) + json.dumps(page(ROWS[2])), [1, 1, 1]),
        (json.dumps(page(*ROWS[:2])) + "\n" + json.dumps(page(ROWS[2])) + "\n", [1, 1, 2]),
        (json.dumps(page(*ROWS[:2]), indent=1) + "\n" + json.dumps(page(ROWS[2]), indent=1), [4, 8, 18]),
        (json.dumps([page(*ROWS[:2], pagination={"skip": 0}), page(ROWS[2], sortable_by=["name"])]), [1, 1, 1]),
        (json.dumps(page()) + "\n" + json.dumps(page(*ROWS)) + "\n" + json.dumps({"data": None}), [2, 2, 2]),
    ],
    ids=["in one line", "one a line", "over many lines", "in a list", "among empty ones"],
)
def test_pages_of_an_api_in_one_file_give_the_rows_of_all_of_them(
    tmp_path: Path, content: str, lines: list[int]
) -> None:
    source = opened(tmp_path, content)

    assert values(source) == ROWS
    assert [row.line for row in source] == lines
    assert source.format.startswith("JSON, the list 'data' of each of its objects")


def test_lists_one_after_another_give_the_rows_of_all_of_them(tmp_path: Path) -> None:
    rows = list(opened(tmp_path, json.dumps(ROWS[:2], indent=2) + "\n" + json.dumps(ROWS[2:]) + json.dumps(ROWS[:1])))

    assert [row.values for row in rows] == [*ROWS, ROWS[0]]
    assert [row.line for row in rows] == [2, 6, 11, 11]


def test_a_page_that_is_broken_or_no_page_costs_itself_alone(tmp_path: Path) -> None:
    good = json.dumps(page({"id": 1}))
    broken = '{"object": "list", "data": [{"id": 2}], "has_more": oops, "total": 3}'
    content = "\n".join([good, good, broken, good, '{"error": "slow down"}', good, good[:-20]])

    assert codes(list(opened(tmp_path, content))) == [
        (1, None),
        (2, None),
        (3, None),
        (3, "cut_off"),
        (4, None),
        (5, "no_rows"),
        (6, None),
        (7, None),
        (7, "cut_off"),
    ]


def test_a_second_list_in_a_page_is_rejected_and_not_lost(tmp_path: Path) -> None:
    pages = [
        page({"id": 1}),
        page({"id": 2}),
        {"more": ROWS, **page({"id": 3}), "links": [{"next": 4}], "history": ROWS},
    ]
    rows = list(opened(tmp_path, "\n".join(map(json.dumps, pages))))

    assert codes(rows) == [(1, None), (2, None), (3, None), (3, "no_rows")]
    assert rows[3].raw == [json.dumps(ROWS)]


@pytest.mark.parametrize("copies", [1, 3])
def test_a_page_with_two_lists_of_one_name_gives_the_rows_of_both(tmp_path: Path, copies: int) -> None:
    twice = '{"data": [{"id": 1}], "data": [{"id": 2}, {"id": 3}], "total": 3}'

    assert values(opened(tmp_path, "\n".join([twice] * copies))) == [{"id": 1}, {"id": 2}, {"id": 3}] * copies


def test_a_page_behind_flat_rows_gives_its_rows(tmp_path: Path) -> None:
    flat = [{"id": number, "text": "t"} for number in range(1_500)]
    odd = {"id": 3, "items": [{"x": 1}]}
    lines = [*flat, page({"id": 1, "text": "\ud800"}, {"id": 2}), odd, page()]
    rows = list(opened(tmp_path, "\n".join(map(json.dumps, lines))))

    assert [row.values for row in rows] == [*flat, {"id": 1, "text": "\ufffd"}, {"id": 2}, odd, page()]
    assert [row.line for row in rows[1_500:]] == [1_501, 1_501, 1_502, 1_503]


def test_rows_that_all_hold_a_list_stay_whole(tmp_path: Path) -> None:
    lines = [{"id": 0, "items": [{"x": 1}]}, {"id": 1, "items": []}, {"items": [{"x": 2}], "count": 1}]

    assert values(opened(tmp_path, "\n".join(map(json.dumps, lines)))) == lines


@pytest.mark.parametrize(
    "record", [{"id": 1, "data": [{"x": 1}]}, {"turns": [{"role": "user"}]}, {"data": [{"x": 1}], "scores": [{"y": 1}]}]
)
def test_records_that_hold_a_list_are_no_pages(tmp_path: Path, record: dict[str, object]) -> None:
    for between in ("", "\n"):
        assert values(opened(tmp_path, between.join([json.dumps(record)] * 3))) == [record] * 3


@pytest.mark.parametrize("end", ["]}", '], "has_more": false}'])
def test_rows_one_a_line_in_the_list_of_one_object_are_not_taken_for_json_lines(tmp_path: Path, end: str) -> None:
    lines = ['{"data": [', *(json.dumps(row) + "," for row in ROWS[:2]), json.dumps(ROWS[2]), end]

    assert values(opened(tmp_path, "\n".join(lines))) == ROWS


def test_json_lines_stuck_together_without_a_line_break_are_read(tmp_path: Path) -> None:
    content = '{"a": 1}\n{"a": 2}{"a": 3} {"a": 4}\n{"a": 5}7\n{"a": 6}'

    assert codes(list(opened(tmp_path, content))) == [
        (1, None),
        (2, None),
        (2, None),
        (2, None),
        (3, "bad_json"),
        (4, None),
    ]


def test_rows_carry_the_line_that_they_begin_in(tmp_path: Path) -> None:
    rows = list(opened(tmp_path, json.dumps(ROWS, indent=2)))

    assert [row.line for row in rows] == [2, 6, 10]


@pytest.mark.parametrize(
    "bad",
    [
        '{"id": 2, "text": oops}',
        '{"id": 2,, "a": [}',
        '{"id": oops, "tags": [{"id": 8}, {"id": 9}]}',
        "{'id': 2}",
        '{"id": 2, "text": "never closed}',
        '{"id": 2',
        "oops",
    ],
)
@pytest.mark.parametrize("separator", [", ", ",\n"])
def test_a_broken_element_costs_one_row(tmp_path: Path, bad: str, separator: str) -> None:
    good = [json.dumps({"id": number, "text": "t"}) for number in (1, 3, 4)]
    rows = list(opened(tmp_path, "[" + separator.join([good[0], bad, *good[1:]]) + "]"))

    assert [row.values["id"] for row in rows if row.problem is None] == [1, 3, 4]
    assert [row.problem.code for row in rows if row.problem] == ["bad_json"]


def test_what_is_no_object_is_rejected_where_it_stands(tmp_path: Path) -> None:
    content = '[{"a": 1},\n2,\n["x"],\nnull,\n{"a": 1, "a": 2},\n{"a": 3}]\n]'

    assert codes(list(opened(tmp_path, content))) == [
        (1, None),
        (2, "not_an_object"),
        (3, "not_an_object"),
        (4, "not_an_object"),
        (5, "bad_json"),
        (6, None),
        (7, "bad_json"),
    ]


@pytest.mark.parametrize(
    "content", ['[{"a": 1}, {"a": 2}', '{"data": [{"a": 1}, {"a": 2}', '{"data": [{"a": 1}, {"a": 2}], "x": ']
)
def test_a_file_that_was_cut_off_says_so(tmp_path: Path, content: str) -> None:
    rows = list(opened(tmp_path, content))

    assert [row.problem and row.problem.code for row in rows] == [None, None, "cut_off"]


def test_a_number_too_long_and_a_value_too_deep_are_one_bad_row_each(tmp_path: Path) -> None:
    deep = '{"a": ' + "[" * 100_000 + "]" * 100_000 + "}"
    content = "[" + ",\n".join(['{"a": 1}', '{"a": ' + "7" * 5_000 + "}", deep, '{"a": 2}']) + "]"

    assert [row.problem and row.problem.code for row in opened(tmp_path, content)] == [
        None,
        "bad_json",
        "bad_json",
        None,
    ]


def test_an_object_of_countless_names_is_refused_and_many_different_ones_are_read(tmp_path: Path) -> None:
    wide = json.dumps({f"n{number}": number for number in range(20_000)})
    various = [json.dumps({f"{row}-{place}": place for place in range(100)}) for row in range(300)]
    rows = list(opened(tmp_path, "\n".join(['{"a": 1}', wide, *various])))

    assert codes(rows)[:3] == [(1, None), (2, "bad_json"), (3, None)]
    assert len(rows) == 302


@pytest.mark.parametrize("chunk", [1, 7, 64])
def test_values_may_lie_across_the_blocks_that_are_read(
    tmp_path: Path, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_text, "CHUNK", chunk)
    draw = random.Random(chunk)
    rows = [{"id": number, "text": 'x\\"{[' * draw.randrange(9), "n": -1.5e-3} for number in range(50)]

    for content in (json.dumps(rows), json.dumps({"data": rows}, indent=1), "\n\n".join(map(json.dumps, rows))):
        assert values(opened(tmp_path, content)) == rows


@pytest.mark.parametrize("chunk", [1, 16, 50, 90, 130])
def test_a_broken_value_may_lie_across_the_blocks_too(
    tmp_path: Path, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_text, "CHUNK", chunk)
    broken = ['{"id": oops, "tags": [{"id": 8}, {"id": 9}]}', '{"id": 2, "text": "never closed}', '{"id": 2']
    content = "[" + ",\n".join(f'{{"id": 1}},\n{bad},\n{{"id": 3}}' for bad in broken) + "]"
    rows = list(opened(tmp_path, content))

    assert [row.problem.code if row.problem else row.values["id"] for row in rows] == [1, "bad_json", 3] * 3


def test_text_with_bare_tabs_and_marks_in_front_is_read(tmp_path: Path) -> None:
    assert values(opened(tmp_path, '\ufeff{"a": "x\ty"}\n\ufeff{"a": "z"}\n')) == [{"a": "x\ty"}, {"a": "z"}]


@pytest.mark.parametrize("content", ["{}", "[{}]", '{"a"', "{bad}\n{worse}\n"])
def test_json_without_a_readable_object_gets_one_sentence(tmp_path: Path, content: str) -> None:
    with pytest.raises(InputError, match="no readable JSON object"):
        opened(tmp_path, content)


def test_a_name_with_broken_bytes_costs_its_row(tmp_path: Path) -> None:
    content = '{"a": "日本語"}\n'.encode() * 3 + b'{"\xff": "x"}\n'

    assert codes(list(opened(tmp_path, content)))[2:] == [(3, None), (4, "not_utf8")]


@pytest.mark.parametrize(
    "table",
    [
        {"question": {"0": "How?", "1": "Why?"}, "thumb": {"0": "up", "1": "down"}},
        {"columns": ["question"], "index": [0], "data": [["How?"]]},
    ],
)
def test_a_table_written_column_by_column_is_refused_with_what_to_do(tmp_path: Path, table: object) -> None:
    with pytest.raises(InputError, match=r"column by column.*orient='records', lines=True"):
        opened(tmp_path, json.dumps(table).encode())
