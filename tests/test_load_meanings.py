"""What rows mean beyond their cells: further opinions, other raters, scales, and what only the whole file tells."""

import csv
import dataclasses
from datetime import datetime
from pathlib import Path

from feedback_lab.ingest.load import import_file
from feedback_lab.ingest.planning.plan import Plan
from feedback_lab.ingest.undo import undo
from feedback_lab.store import Store
from tests.import_builders import counts, write


def test_a_second_opinion_column_is_a_feedback_of_its_own(store: Store, tmp_path: Path) -> None:
    plan = Plan(
        {"input": "q", "value": "v", "comment": "c", "value:stars": "s", "scale:stars": "of", "value:late": "l"},
        constants={"population": "reviewer"},
    )
    rows = ["How?,up,slow,4,1:5,", "Why?,,late,2,0:10,down", "Who?,down,,,,", "When?,up,,9,1:5,"]
    path = write(tmp_path / "f.csv", "q,v,c,s,of,l", *rows)
    first, again = import_file(store, path, plan), import_file(store, path, plan)

    assert (counts(first), first.reasons) == ((4, 3, 0, 1), {"out_of_scale": 1})
    assert counts(again) == (4, 0, 3, 1)
    assert store.rows("SELECT column_name FROM import_reject LIMIT 1") == [{"column_name": "s"}]
    told = store.rows(
        "SELECT input, split_part(feedback_id, '/', 2) AS name, kind, value, scale_max, polarity, comment, population "
        "FROM feedback JOIN interaction USING (interaction_id) ORDER BY feedback.received_at, feedback_id"
    )
    assert [tuple(row.values()) for row in told] == [
        ("How?", "", "thumb", 1.0, None, "positive", "slow", "reviewer"),
        ("How?", "stars", "rating", 4.0, 5.0, "positive", None, "reviewer"),
        ("Why?", "", "comment", None, None, None, "late", "reviewer"),
        ("Why?", "late", "thumb", -1.0, None, "negative", None, "reviewer"),
        ("Why?", "stars", "rating", 2.0, 10.0, "negative", None, "reviewer"),
        ("Who?", "", "thumb", -1.0, None, "negative", None, "reviewer"),
    ]


def test_a_row_whose_second_opinion_conflicts_is_rejected_whole(store: Store, tmp_path: Path) -> None:
    plan = Plan({"interaction_id": "id", "feedback_id": "id", "value": "v", "value:stars": "s"}, scale=(1, 5))
    first = import_file(store, write(tmp_path / "a.csv", "id,v,s", "f,up,4", "g,down,"), plan)
    report = import_file(store, write(tmp_path / "b.csv", "id,v,s", "f,up,5", "g,down,2", "h,up,3"), plan)

    assert (counts(first), counts(report)) == ((2, 2, 0, 0), (3, 2, 0, 1))
    assert store.scalar("SELECT message FROM import_reject") == (
        "feedback f/stars is stored with another value: "
        "give the row an id of its own, or undo the import that brought the stored one"
    )
    assert store.scalar("SELECT count(*) FROM feedback") == 6


def test_the_rater_and_the_time_of_a_rating_may_be_others_than_the_question(store: Store, tmp_path: Path) -> None:
    plan = Plan({"input": "q", "user": "u", "created_at": "t", "value": "v", "rater": "r", "rated_at": "rt"})
    import_file(store, write(tmp_path / "f.csv", "q,u,t,v,r,rt", "How?,ann,2026-01-01,up,ben,2026-01-02"), plan)

    (row,) = store.rows(
        "SELECT f.created_at AS said, i.created_at AS asked, f.rater_hash <> i.user_hash AS other "
        "FROM feedback AS f JOIN interaction AS i USING (interaction_id)"
    )
    assert row == {"said": datetime(2026, 1, 2), "asked": datetime(2026, 1, 1), "other": True}


def test_the_same_file_on_another_scale_says_something_else(store: Store, tmp_path: Path) -> None:
    path = write(tmp_path / "f.csv", "c,v", "slow,3", "fine,5")
    plan = Plan({"comment": "c", "value": "v"}, scale=(1, 5))
    first = import_file(store, path, plan)
    undo(store, str(first.batch_id), "ada")
    other = import_file(store, path, dataclasses.replace(plan, scale=(0, 10)))
    both = import_file(store, path, plan)

    assert (counts(first), counts(other), counts(both)) == ((2, 2, 0, 0),) * 3


def test_dates_are_read_in_the_order_that_the_whole_file_tells(store: Store, tmp_path: Path) -> None:
    rows = [*(f"{number},05/06/2026" for number in range(1_500)), "last,13/06/2026"]
    plan = Plan({"comment": "c", "created_at": "t"})
    report = import_file(store, write(tmp_path / "f.csv", "c,t", *rows), plan)

    assert counts(report) == (1_501, 1_501, 0, 0)
    assert store.scalar("SELECT min(created_at) FROM feedback") == datetime(2026, 6, 5)
    assert report.format.endswith("; with all rows, dates like 05/06/2026 are day/month")
    undo(store, str(report.batch_id), "ada")
    doubtful = write(tmp_path / "g.csv", "c,t", *rows, "other,06/14/2026")
    assert import_file(store, doubtful, plan, dry_run=True).reasons == {"ambiguous_time": 1_500}
    ordered = dataclasses.replace(plan, date_order="month-day")
    assert import_file(store, doubtful, ordered, dry_run=True).reasons == {}


def test_a_late_rating_shows_that_ones_are_no_thumbs(store: Store, tmp_path: Path) -> None:
    rows = [*(f"{number},1" for number in range(1_200)), "last,4"]
    report = import_file(store, write(tmp_path / "f.csv", "c,v", *rows), Plan({"comment": "c", "value": "v"}))

    assert report.reasons == {"no_scale": 1_201}
    assert report.format.endswith("; with all rows, 1 and -1 in value are ratings")
    assert report.rejects_file is not None
    with Path(report.rejects_file).open(encoding="utf-8", newline="") as handle:
        assert [row[0] for row in csv.reader(handle)] == ["line", *map(str, range(2, 1_203))]


def test_rows_rejected_at_a_first_look_only_are_not_in_the_file_of_rejected_rows(store: Store, tmp_path: Path) -> None:
    rows = [*(f"{number},05/06/2026" for number in range(1_100)), "last,13/06/2026", "bad,yesterday"]
    path = write(tmp_path / "f.csv", "c,t", *rows)
    report = import_file(store, path, Plan({"comment": "c", "created_at": "t"}))

    assert (counts(report), report.reasons) == ((1_102, 1_101, 0, 1), {"bad_time": 1})
    assert report.rejects_file is not None
    assert Path(report.rejects_file).read_text("utf-8").count("\n") == 2
    assert [item.name for item in (store.home / "uploads").iterdir()] == [Path(report.rejects_file).name]


def test_what_the_first_rows_said_of_dates_is_taken_back_where_later_rows_contradict(
    store: Store, tmp_path: Path
) -> None:
    rows = ["first,13/06/2026", *(f"{number},05/06/2026" for number in range(1_100)), "last,06/14/2026"]
    path = write(tmp_path / "f.csv", "c,t", *rows)
    report = import_file(store, path, Plan({"comment": "c", "created_at": "t"}))

    assert report.reasons == {"ambiguous_time": 1_100}
    assert report.format.endswith("; with all rows, dates like 05/06/2026 contradict one another")


def test_a_constant_is_known_from_the_start(store: Store, tmp_path: Path) -> None:
    path = write(tmp_path / "f.csv", "c", "slow")
    seen: list[int] = []
    plan = Plan({"comment": "c"}, constants={"value": "4", "created_at": "13/06/2026"}, scale=(1, 5))
    report = import_file(store, path, plan, progress=seen.append)

    assert (counts(report), set(seen), report.format) == ((1, 1, 0, 0), {1}, "CSV (one column), UTF-8")


def test_a_row_that_only_names_something_is_told_so(store: Store, tmp_path: Path) -> None:
    path = write(tmp_path / "f.csv", "s,t,c", "s1,2026-01-01,", "s1,2026-01-01,slow")
    import_file(store, path, Plan({"session_id": "s", "created_at": "t", "comment": "c"}))

    told = "the row holds neither a question, nor an answer, nor feedback"
    assert store.rows("SELECT line, message FROM import_reject") == [{"line": 2, "message": told}]
