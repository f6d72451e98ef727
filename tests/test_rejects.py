"""The file of rejected rows goes round: repaired and imported again, its rows say what the first file said."""

import csv
import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from sqlalchemy import Connection

from feedback_lab.errors import InputError
from feedback_lab.ingest import conflicts
from feedback_lab.ingest.load import import_file
from feedback_lab.ingest.planning.choosing import reading_of
from feedback_lab.ingest.planning.plan import Plan
from feedback_lab.ingest.reading.readers import open_rows
from feedback_lab.store import Store
from tests.import_builders import counts, write

PLAN = Plan({"interaction_id": "id", "input": "q", "value": "v", "created_at": "t"})
GUARDED = ["=1+1", "+1", "-2", "@x", "'=x", "'plain"]


def rejected(store: Store, path: Path, plan: Plan = PLAN) -> Path:
    report = import_file(store, path, plan)
    assert report.rejects_file is not None
    return Path(report.rejects_file)


def repaired(path: Path, old: str, new: str) -> Path:
    path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")
    return path


def test_repaired_rows_are_stored_as_the_first_file_said_them(store: Store, tmp_path: Path) -> None:
    rows = [f"{number},{text},-1,never,{text}" for number, text in enumerate(GUARDED)]
    kept = rejected(store, write(tmp_path / "f.csv", "id,q,v,t,more", *rows))
    report = import_file(store, repaired(kept, '"never"', '"2026-01-02"'), PLAN)

    assert counts(report) == (6, 6, 0, 0)
    assert [row["input"] for row in store.rows("SELECT input FROM interaction ORDER BY interaction_id")] == GUARDED
    told = store.rows("SELECT value, metadata FROM feedback ORDER BY interaction_id")
    assert told == [{"value": -1.0, "metadata": {"more": text}} for text in GUARDED]


def test_the_columns_are_those_of_the_file_also_where_they_are_called_like_the_reasons(
    store: Store, tmp_path: Path
) -> None:
    path = write(tmp_path / "f.csv", "line,reason,=q,id,q,v,t", "7,why,x,1,How?,-1,never")
    source = open_rows(rejected(store, path))

    assert source.header == ["line", "reason", "=q", "id", "q", "v", "t"]
    assert [row.values["line"] for row in source] == ["7"]
    assert source.format.endswith("; rejected rows of an import: their lines and reasons are left out")


def test_a_row_that_is_rejected_twice_stands_in_its_file_without_the_first_reason(store: Store, tmp_path: Path) -> None:
    path = write(tmp_path / "f.csv", "id,q,v,t", "1,How?,-1,never", "2,=short")
    first = rejected(store, path)
    second = rejected(store, first)

    def cells(kept: Path) -> list[list[str]]:
        with kept.open(encoding="utf-8", newline="") as handle:
            return [row[4:] for row in csv.reader(handle)]

    assert cells(second) == cells(first) == [["id", "q", "v", "t"], ["1", "How?", "'-1", "never"], ["2", "'=short"]]


def test_rejected_rows_of_an_export_are_read_as_our_fields_and_keep_their_ids(store: Store, tmp_path: Path) -> None:
    shared = {"name": "quality", "source": "API", "dataType": "NUMERIC", "comment": "=x"}
    scores = [{"id": f"s{value}", "traceId": f"t{value}", "value": value, **shared} for value in (1, 7, 9)]
    export = tmp_path / "scores.json"
    export.write_text(json.dumps(scores), "utf-8")
    kept = rejected(store, export, Plan())
    reading = reading_of(store, open_rows(kept), Plan(scale=(0, 10)))
    report = import_file(store, kept, reading.plan, format=reading.format)
    again = import_file(store, export, Plan(scale=(0, 10)))

    assert (counts(report), counts(again)) == ((3, 3, 0, 0), (3, 0, 3, 0))
    told = store.rows("SELECT interaction_id, feedback_id, value, comment FROM feedback ORDER BY value")
    assert [tuple(row.values()) for row in told] == [(f"t{value}", f"s{value}", value, "=x") for value in (1, 7, 9)]
    with pytest.raises(InputError, match="does not look like"):
        reading_of(store, open_rows(kept), Plan(), format="langfuse-scores")


def test_rejected_rows_may_be_repaired_in_a_spreadsheet(store: Store, tmp_path: Path) -> None:
    kept = rejected(store, write(tmp_path / "f.csv", "id,q,v,t", "1,=1,-1,never"))
    book = openpyxl.Workbook()
    with kept.open(encoding="utf-8", newline="") as handle:
        for row in csv.reader(handle):
            book.active.append(row)
    book.active["H2"] = "2026-01-02"
    book.save(tmp_path / "f.xlsx")
    report = import_file(store, tmp_path / "f.xlsx", PLAN)

    assert counts(report) == (1, 1, 0, 0)
    assert store.scalar("SELECT input FROM interaction") == "=1"


@pytest.mark.parametrize("header", ["line,column,code,why,q", "line,column,code", "x,line,column,code,reason"])
def test_files_that_only_look_a_little_like_it_are_read_as_they_are(tmp_path: Path, header: str) -> None:
    names = header.split(",")
    source = open_rows(write(tmp_path / "f.csv", header, *[",".join("'=a" for _ in names)] * 3))

    assert source.header == names
    assert next(iter(source)).values == dict.fromkeys(names, "'=a")


class TriedTwice:
    """A store whose writer meets another one at its first attempt, after it has done all its work."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def write(self, work: Callable[[Connection], Any]) -> Any:
        def lost(connection: Connection) -> None:
            work(connection)
            raise LookupError

        with suppress(LookupError):
            self._store.write(lost)
        return self._store.write(work)


@pytest.mark.parametrize("unreadable", [[], ["9,How?,-1,never"]])
def test_an_import_that_is_tried_again_tells_each_rejected_row_once(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unreadable: list[str]
) -> None:
    monkeypatch.setattr(conflicts, "ROWS_AT_ONCE", 1)
    rows = [*unreadable, "1,How?,-1,", "1,Why?,-1,", "2,How?,1,", "2,Where?,1,"]
    report = import_file(TriedTwice(store), write(tmp_path / "f.csv", "id,q,v,t", *rows), PLAN)  # type: ignore[arg-type]

    assert counts(report) == (len(rows), 2, 0, len(unreadable) + 2)
    assert report.rejects_file is not None
    with Path(report.rejects_file).open(newline="") as handle:
        told = list(csv.DictReader(handle))
    assert [row["q"] for row in told] == ["How?"] * len(unreadable) + ["Why?", "Where?"]
    assert [row["code"] for row in told][-2:] == ["id_conflict"] * 2
