"""The one write path: every row is accounted for, the same again changes nothing, and it all stands or nothing does."""

import csv
import dataclasses
import errno
import json
import os
import signal
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feedback_lab import schema
from feedback_lab.errors import DiskError, InputError
from feedback_lab.ingest import bulk, staging
from feedback_lab.ingest.judging import CONTENT, SAID, Candidate, Voice, judge
from feedback_lab.ingest.load import import_file, import_records, preview
from feedback_lab.ingest.planning.plan import Plan
from feedback_lab.records import Exposure, Marker
from feedback_lab.store import Store, open_store
from tests.builders import interaction, thumb
from tests.import_builders import counts, write

HOSTILE = Path(__file__).resolve().parents[2] / "shared" / "checks" / "hostile_text.txt"
PLAIN = Plan({"input": "q", "output": "a", "value": "v", "comment": "c", "user": "u", "created_at": "t"})
NAMED = Plan({"interaction_id": "id", "input": "q", "output": "a", "model": "m"})


def test_one_row_with_thumb_comment_and_correction_is_one_feedback(store: Store, tmp_path: Path) -> None:
    plan = Plan({"input": "q", "value": "v", "comment": "c", "suggested_answer": "s", "user": "u", "created_at": "t"})
    path = write(tmp_path / "f.csv", "q,v,c,s,u,t,page", "How?,👎,wrong,So.,ann,2026-11-02 10:00,/help")
    report = import_file(store, path, plan)

    assert counts(report) == (1, 1, 0, 0)
    (told,) = store.rows("SELECT * FROM feedback")
    (asked,) = store.rows("SELECT * FROM interaction")
    assert (told["kind"], told["value"], told["polarity"]) == ("thumb", -1.0, "negative")
    assert (told["comment"], told["suggested_answer"], told["metadata"]) == ("wrong", "So.", {"page": "/help"})
    assert asked["created_at"] == told["created_at"] == datetime(2026, 11, 2, 10)
    assert asked["user_hash"] == told["rater_hash"]
    assert len(told["rater_hash"]) == 32
    assert "ann" not in told["rater_hash"]
    (batch,) = store.rows("SELECT * FROM import_batch")
    assert told["received_at"] == batch["started_at"] + timedelta(microseconds=2)


def test_the_same_file_again_is_all_duplicates_also_under_another_name_and_source(store: Store, tmp_path: Path) -> None:
    rows = ["How?,So.,👎,,ann,", "How?,So.,👎,,ann,", ",,up,,,", ",,up,,,"]
    first = import_file(store, write(tmp_path / "f.csv", "q,a,v,c,u,t", *rows), PLAIN)
    moved = write(tmp_path / "g.csv", "x,q,a,v,c,u,t", *(f"new,{row}" for row in rows))
    again = import_file(store, moved, Plan(PLAIN.columns, source="elsewhere"))

    assert counts(first) == (4, 4, 0, 0)
    assert counts(again) == (4, 0, 4, 0)
    assert store.scalar("SELECT count(*) FROM feedback") == 4


def test_a_stored_id_with_other_content_is_a_conflict_and_empty_fields_are_filled(store: Store, tmp_path: Path) -> None:
    import_file(store, write(tmp_path / "a.csv", "id,q,a,m", "1,How?,,", "2,Why?,So.,"), NAMED)
    report = import_file(store, write(tmp_path / "b.csv", "id,q,a,m", "1,,Thus.,", "2,,Thus.,large", "2,Why?,,"), NAMED)

    assert counts(report) == (3, 1, 1, 1)
    assert report.reasons == {"id_conflict": 1}
    rows = store.rows("SELECT interaction_id, input, output, model FROM interaction ORDER BY 1")
    assert [tuple(row.values()) for row in rows] == [("1", "How?", "Thus.", None), ("2", "Why?", "So.", None)]
    assert store.rows("SELECT interaction_id, field FROM import_fill") == [{"interaction_id": "1", "field": "output"}]


def test_within_a_file_the_first_row_wins_and_a_rejected_row_leaves_no_trace(store: Store, tmp_path: Path) -> None:
    rows = ["1,How?,,", "1,Why?,,large", "1,How?,,small", "1,How?,,small"]
    report = import_file(store, write(tmp_path / "a.csv", "id,q,a,m", *rows), NAMED)

    assert counts(report) == (4, 2, 1, 1)
    assert [row["model"] for row in store.rows("SELECT model FROM interaction")] == ["small"]


def test_two_people_may_rate_one_answer_at_two_times(store: Store, tmp_path: Path) -> None:
    plan = Plan({"interaction_id": "id", "value": "v", "user": "u", "created_at": "t"})
    rows = ["1,up,ann,2026-01-01", "1,down,ben,2026-01-02"]
    report = import_file(store, write(tmp_path / "a.csv", "id,v,u,t", *rows), plan)

    assert counts(report) == (2, 2, 0, 0)
    assert store.scalar("SELECT count(DISTINCT rater_hash) FROM feedback") == 2


@pytest.mark.parametrize(
    ("row", "code", "column"),
    [
        ("How?,So.,6,,,", "out_of_scale", "v"),
        ("How?,So.,perhaps,,,", "bad_value", "v"),
        ("How?,So.,4,,,yesterday", "bad_time", "t"),
        ("How?,So.,4,,,05/06/2026", "ambiguous_time", "t"),
        (",,,,ann,2026-01-01", "empty_row", None),
        (",,,,,", "empty_row", None),
        ("How?,So.", "too_few_columns", None),
    ],
)
def test_a_row_that_cannot_be_stored_is_rejected_with_line_column_and_reason(
    store: Store, tmp_path: Path, row: str, code: str, column: str | None
) -> None:
    path = write(tmp_path / "f.csv", "q,a,v,c,u,t", "How?,So.,5,,,", row)
    report = import_file(store, path, Plan(PLAIN.columns, scale=(1, 5)))

    assert counts(report) == (2, 1, 0, 1)
    (noted,) = store.rows("SELECT line, column_name, code FROM import_reject")
    assert noted == {"line": 3, "column_name": column, "code": code}
    assert report.rejects_file is not None
    with Path(report.rejects_file).open(encoding="utf-8", newline="") as handle:
        head, kept = csv.reader(handle)
    assert head == ["line", "column", "code", "reason", "q", "a", "v", "c", "u", "t"]
    assert kept[:3] == ["3", column or "", code]
    assert kept[3]
    assert kept[4:] == row.split(",")


def test_the_file_of_rejected_rows_holds_conflicts_too_and_no_formula(store: Store, tmp_path: Path) -> None:
    path = write(tmp_path / "f.csv", "id,q,a,m", "1,How?,,", "1,=1+1,,", '2,"@x",,,')
    report = import_file(store, path, NAMED)

    assert report.rejects_file is not None
    text = Path(report.rejects_file).read_text("utf-8")
    assert counts(report) == (3, 1, 0, 2)
    assert "'=1+1" in text
    assert "'@x" in text


def test_a_bare_one_is_no_thumb_in_a_column_of_ratings(store: Store, tmp_path: Path) -> None:
    path = write(tmp_path / "f.csv", "q,v", "a,1", "b,5")

    assert import_file(store, path, Plan({"input": "q", "value": "v"})).reasons == {"no_scale": 2}
    assert (
        import_file(store, write(tmp_path / "g.csv", "q,v", "a,1", "b,-1"), Plan({"input": "q", "value": "v"})).new == 2
    )


def test_words_are_mapped_to_values_and_constants_hold_for_every_row(store: Store, tmp_path: Path) -> None:
    plan = Plan(
        {"comment": "c", "polarity": "p", "tag:region": "r"},
        values={"polarity": {"Bad": "negative", "=1": "positive"}},
        constants={"model": "large", "tag:app": "web"},
    )
    import_file(store, write(tmp_path / "f.csv", "c,p,r", "slow,Bad,EU", "fine,=1,"), plan)

    rows = store.rows(
        "SELECT polarity, tags, model FROM feedback JOIN interaction USING (interaction_id) ORDER BY comment DESC"
    )
    assert rows == [
        {"polarity": "negative", "tags": {"app": "web", "region": "EU"}, "model": "large"},
        {"polarity": "positive", "tags": {"app": "web"}, "model": "large"},
    ]


def test_local_times_are_stored_in_utc_and_undated_rows_are_counted(store: Store, tmp_path: Path) -> None:
    path = write(tmp_path / "f.csv", "c,t", "a,2026-07-01 12:00", "b,")
    report = import_file(store, path, Plan({"comment": "c", "created_at": "t"}, timezone="Europe/Berlin"))

    assert report.undated == 1
    assert [row["created_at"] for row in store.rows("SELECT created_at FROM feedback ORDER BY comment")] == [
        datetime(2026, 7, 1, 10),
        None,
    ]


CHAT = Plan({"session_id": "s", "role": "r", "content": "c", "created_at": "t", "value": "v", "user": "u"})
CHAT_ROWS = (
    "s1,system,be nice,,,,",
    "s1,user,How?,2026-01-01 10:00,,ann,",
    "s2,assistant,Welcome,,,bot,",
    "s1,assistant,So.,2026-01-01 10:01,👎,bot,12",
    "s1,user,Why?,,,ann,",
    "s1,user,Hello?,,,ann,",
    "s1,bot,Thus.,,,bot,34",
)


def test_a_chat_log_is_paired_into_interactions_across_interleaved_sessions(store: Store, tmp_path: Path) -> None:
    path = write(tmp_path / "chat.csv", "s,r,c,t,v,u,ms", *CHAT_ROWS)
    first, again = import_file(store, path, CHAT), import_file(store, path, CHAT)

    assert counts(first) == (7, 6, 0, 1)
    assert counts(again) == (7, 0, 6, 1)
    rows = store.rows("SELECT session_id, turn, input, output FROM interaction ORDER BY received_at")
    assert [tuple(row.values()) for row in rows] == [
        ("s1", 1, "How?", "So."),
        ("s2", 1, None, "Welcome"),
        ("s1", 2, "Why?", None),
        ("s1", 3, "Hello?", "Thus."),
    ]
    (told,) = store.rows(
        "SELECT f.*, i.user_hash, i.input, i.created_at AS asked_at "
        "FROM feedback f JOIN interaction i USING (interaction_id)"
    )
    assert (told["input"], told["polarity"]) == ("How?", "negative")
    assert told["rater_hash"] == told["user_hash"]
    assert (told["asked_at"], told["created_at"]) == (datetime(2026, 1, 1, 10), datetime(2026, 1, 1, 10, 1))


def test_an_answer_that_comes_with_a_later_export_fills_the_question(store: Store, tmp_path: Path) -> None:
    import_file(store, write(tmp_path / "a.csv", "s,r,c,t,v,u,ms", *CHAT_ROWS[:2]), CHAT)
    report = import_file(store, write(tmp_path / "b.csv", "s,r,c,t,v,u,ms", *CHAT_ROWS[1:4]), CHAT)

    assert counts(report) == (3, 2, 1, 0)
    assert store.rows("SELECT input, output FROM interaction WHERE session_id = 's1'") == [
        {"input": "How?", "output": "So."}
    ]


def test_chunks_do_not_change_the_outcome(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "JUDGED_ROWS", 2)
    path = write(tmp_path / "chat.csv", "s,r,c,t,v,u,ms", *CHAT_ROWS)

    assert counts(import_file(store, path, CHAT)) == (7, 6, 0, 1)
    assert store.scalar("SELECT count(*) FROM import_fill") == 0
    assert store.rows("SELECT metadata FROM interaction WHERE turn = 3") == [{"metadata": {"answer": {"ms": "34"}}}]
    rows = ["1,How?,,", "1,Why?,,large", "1,How?,,small", "1,How?,,small"]
    assert counts(import_file(store, write(tmp_path / "a.csv", "id,q,a,m", *rows), NAMED)) == (4, 2, 1, 1)


def test_json_lines_keep_the_types_of_what_is_not_mapped(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "f.jsonl"
    row = {"q": "How?", "v": True, "user": 7, "n": {"x": [1, None]}, "ms": 1.5}
    path.write_text(json.dumps(row) + "\n{oops\n", "utf-8")
    report = import_file(store, path, Plan({"input": "q", "value": "v", "user": "user"}))

    assert counts(report) == (2, 1, 0, 1)
    (told,) = store.rows("SELECT value, metadata FROM feedback")
    assert told == {"value": 1.0, "metadata": {"n": {"x": [1, None]}, "ms": 1.5}}


def test_a_dry_run_counts_and_stores_nothing(store: Store, tmp_path: Path) -> None:
    path = write(tmp_path / "f.csv", "q,a,v,c,u,t", "How?,So.,up,,,", "How?,So.,perhaps,,,")
    report = import_file(store, path, PLAIN, dry_run=True)

    assert (counts(report), report.batch_id, report.rejects_file) == ((2, 1, 0, 1), None, None)
    assert [store.scalar(f"SELECT count(*) FROM {table}") for table in ("interaction", "import_batch", "audit")] == [
        0
    ] * 3
    assert list((store.home / "uploads").iterdir()) == []


def test_an_import_that_is_cancelled_leaves_nothing(store: Store, tmp_path: Path) -> None:
    class Cancelled(Exception):
        pass

    def stop(_rows: int) -> None:
        raise Cancelled

    path = write(tmp_path / "f.csv", "q,a,v,c,u,t", "How?,So.,perhaps,,,")
    with pytest.raises(Cancelled):
        import_file(store, path, PLAIN, progress=stop)

    assert store.scalar("SELECT count(*) FROM import_batch") == 0
    assert list((store.home / "uploads").iterdir()) == []


def test_an_import_is_cancelled_also_while_its_rows_are_stored(store: Store, tmp_path: Path) -> None:
    class Cancelled(Exception):
        pass

    calls: list[int] = []

    def stop_late(rows: int) -> None:
        calls.append(rows)
        if len(calls) == 3:  # the reading is over with the first
            raise Cancelled

    path = write(tmp_path / "f.csv", "q,a,v,c,u,t", "How?,So.,up,,,", "Why?,No.,down,,,")
    with pytest.raises(Cancelled):
        import_file(store, path, PLAIN, progress=stop_late)

    assert calls == [2, 2, 2]
    assert [store.scalar(f"SELECT count(*) FROM {table}") for table in ("interaction", "import_batch")] == [0, 0]
    assert import_file(store, path, PLAIN).new == 2


KILLED = """
import os, signal, sys
from pathlib import Path
from feedback_lab.ingest import bulk, load
from feedback_lab.ingest.planning.plan import Plan
from feedback_lab.store import open_store
die = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
setattr(*{"stage": (load, "_load"), "survey": (bulk, "survey"), "note": (load, "_note")}[sys.argv[3]], die)
load.import_file(open_store(Path(sys.argv[1])), Path(sys.argv[2]), Plan({"input": "q"}))
"""


@pytest.mark.parametrize("moment", ["stage", "survey", "note"])
def test_a_kill_before_the_commit_leaves_nothing_half_imported(home: Path, tmp_path: Path, moment: str) -> None:
    path = write(tmp_path / "f.csv", "q", *(f"question {number}" for number in range(500)))
    folder = str(Path(__file__).resolve().parents[1])
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(home), str(path), moment],
        env={**os.environ, "PYTHONPATH": folder},
        check=False,
    )
    assert done.returncode == -signal.SIGKILL

    store = open_store(home)
    assert store.scalar("SELECT count(*) FROM interaction") == 0
    assert import_file(store, path, Plan({"input": "q"})).new == 500
    store.close()


def test_a_full_disk_is_said_and_leaves_nothing(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(staging.Staging, "finish", full)
    with pytest.raises(DiskError, match=r"No space left on device.*make room"):
        import_file(store, write(tmp_path / "f.csv", "q,v", "How?,perhaps"), Plan({"input": "q", "value": "v"}))

    assert store.scalar("SELECT count(*) FROM interaction") == 0
    assert list((store.home / "uploads").iterdir()) == []


def test_hostile_text_comes_out_as_it_went_in(store: Store, tmp_path: Path) -> None:
    if not HOSTILE.exists():
        pytest.skip("the hostile lines are absent")
    lines = HOSTILE.read_text("utf-8").splitlines()
    path = tmp_path / "=cmd[1].csv"
    with path.open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle).writerows([["comment", "input", "output", "kind", "model"]])
        csv.writer(handle).writerows([line, line, line, "thumbs_down", line] for line in lines)
    report = import_file(store, path, Plan({name: name for name in ("comment", "input", "output", "kind", "model")}))

    assert (report.new, report.rejected) == (len(lines), 0)
    stored = store.rows(
        "SELECT comment, input, output, model FROM feedback JOIN interaction USING (interaction_id) "
        "ORDER BY feedback.received_at"
    )
    assert [set(row.values()) for row in stored] == [{line} for line in lines]
    assert store.scalar("SELECT file_name FROM import_batch") == "=cmd[1].csv"


def test_a_preview_shows_rows_and_problems_without_a_store(tmp_path: Path) -> None:
    shown = preview(write(tmp_path / "f.csv", "q,a,v,c,u,t", "How?,So.,up,,ann,", "x,y,perhaps,,,"), PLAIN)

    assert shown.rows[0]["input"] == "How?"
    assert shown.rows[0]["polarity"] == "positive"
    assert [(line, problem.code) for line, problem in shown.problems] == [(3, "bad_value")]


def test_an_unknown_column_ends_the_import_before_anything(store: Store, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="columns are 'q', 'a'"):
        import_file(store, write(tmp_path / "f.csv", "q,a", "1,2"), Plan({"comment": "absent"}))
    assert not (store.home / "uploads").exists()


def test_typed_records_obey_the_same_rules(store: Store) -> None:
    moment = datetime(2026, 11, 1)
    given: dict[str, Any] = {
        "exposures": [Exposure("e1", "s1", "K-1", "i1", True, False, moment)],
        "markers": [Marker("m1", moment, "release", "2.0")],
        "source": "sample",
        "complete": True,
    }
    asked, told = [interaction("i1"), interaction("i2")], [thumb("f1", True), thumb("f9", False)]
    first = import_records(store, asked, told, **given)
    again = import_records(store, asked, told, **given)
    other = import_records(store, [interaction("i1", "Another?")], [thumb("f1", False)], **given)

    assert counts(first) == (4, 4, 0, 0)
    assert counts(again) == (4, 0, 4, 0)
    assert counts(other) == (2, 0, 0, 2)
    assert store.rows("SELECT interaction_id, input IS NULL AS bare FROM interaction WHERE interaction_id = 'i9'")[0][
        "bare"
    ]
    assert store.scalar("SELECT count(*) FROM exposure") == store.scalar("SELECT count(*) FROM marker") == 1
    assert store.scalar("SELECT count(*) FROM feedback WHERE source = 'sample'") == 2


def candidate(place: int, name: str, feedback: str | None = None, **given: str) -> Candidate:
    said = tuple(name if field == "interaction_id" else given.get(f"f_{field}") for field in SAID)
    voices = [Voice(place, feedback, said)] if feedback else []
    return Candidate(place, "", False, name, tuple(given.get(field) for field in CONTENT), voices)


def test_the_judge_counts_a_fill_as_new_and_the_same_feedback_elsewhere_as_conflict() -> None:
    rows = [
        candidate(0, "a", input="How?"),
        candidate(1, "a", output="So."),
        candidate(2, "a", "f", input="How?"),
        candidate(3, "b", "f"),
        candidate(4, "a", "f"),
    ]
    judged = judge(rows, {}, {})

    assert (judged.new, judged.duplicate, list(judged.rejected)) == (3, 1, [3])
    assert "b" not in judged.interactions


def test_a_row_that_names_its_feedback_is_the_same_row_when_it_comes_twice(store: Store, tmp_path: Path) -> None:
    path = write(tmp_path / "f.csv", "id,c", "1,slow", "1,slow", "1,late")

    assert counts(import_file(store, path, Plan({"feedback_id": "id", "comment": "c"}))) == (3, 1, 1, 1)
    assert store.scalar("SELECT count(*) FROM interaction") == 1


CELLS = st.sampled_from(["", "x", "y", "1", "up", "down", "7", "2026-01-01", "bad\nline", "é👍"])
TABLES = st.lists(st.tuples(st.sampled_from("123"), CELLS, CELLS, CELLS, CELLS), min_size=1, max_size=12)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TABLES, st.booleans())
def test_rows_always_add_up_and_a_second_import_adds_nothing(
    store: Store, tmp_path: Path, table: list[tuple[str, ...]], named: bool
) -> None:
    path = tmp_path / "random.csv"
    with path.open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle).writerows([("id", "q", "v", "c", "t"), *table])
    columns = {"input": "q", "value": "v", "comment": "c", "created_at": "t"}
    plan = Plan(columns | ({"interaction_id": "id"} if named else {}))
    first = import_file(store, path, plan)
    held = [store.rows(f"SELECT * FROM {name} ORDER BY ALL") for name in ("interaction", "feedback")]
    again = import_file(store, path, plan)

    assert first.read == len(table) == first.new + first.duplicate + first.rejected
    assert (again.new, again.duplicate + again.rejected) == (0, len(table))
    assert again.rejected == first.rejected
    assert held == [store.rows(f"SELECT * FROM {name} ORDER BY ALL") for name in ("interaction", "feedback")]
    noted = store.scalar("SELECT count(*) FROM import_reject WHERE batch_id = :batch", batch=first.batch_id)
    assert noted == first.rejected


def test_staged_columns_are_the_tables_columns() -> None:
    assert list(staging.INTERACTION_TYPES) == [column.name for column in schema.interaction.columns]
    assert list(staging.FEEDBACK_TYPES) == [column.name for column in schema.feedback.columns]


@pytest.mark.parametrize("name", ["stars", "Star Rating", "rating", "CSAT"])
def test_one_star_reviews_alone_are_never_thumbs_up(store: Store, tmp_path: Path, name: str) -> None:
    path = write(tmp_path / "worst.csv", f"comment,{name}", "slow,1", "wrong,1")
    plan = Plan({"comment": "comment", "value": name})

    assert import_file(store, path, plan).reasons == {"no_scale": 2}
    import_file(store, path, dataclasses.replace(plan, scale=(1, 5)))
    assert {row["polarity"] for row in store.rows("SELECT polarity FROM feedback")} == {"negative"}


def test_one_and_minus_one_are_thumbs_whatever_the_column_is_called(store: Store, tmp_path: Path) -> None:
    path = write(tmp_path / "votes.csv", "comment,rating", "slow,-1", "fine,1")
    import_file(store, path, Plan({"comment": "comment", "value": "rating"}))

    assert {row["kind"] for row in store.rows("SELECT kind FROM feedback")} == {"thumb"}


@pytest.mark.parametrize("name", ["interaction_id", "feedback_id"])
def test_ids_that_share_a_hash_of_the_engine_are_two_ids(store: Store, tmp_path: Path, name: str) -> None:
    first, second = "TE1DQ0lImve5", "Thkg:LOBmI2F"
    plan = Plan(columns={name: "id", "input": "q", "value": "v"})
    for number, own in enumerate((first, second, second)):
        report = import_file(store, write(tmp_path / f"{number}.csv", "id,q,v", f"{own},How?,-1"), plan)
        assert (report.new, report.duplicate) == ((1, 0) if number < 2 else (0, 1))
    assert {row[name] for row in store.rows("SELECT * FROM feedback JOIN interaction USING (interaction_id)")} >= {
        first,
        second,
    }
