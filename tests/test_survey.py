"""What is decided for all rows at once is what judging them row by row decides."""

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feedback_lab.ingest import staging
from feedback_lab.ingest.load import import_file
from feedback_lab.ingest.planning.plan import Plan
from feedback_lab.ingest.survey import Marks, Survey, survey
from feedback_lab.store import open_store
from tests.import_builders import counts


def everything_is_judged(staging: staging.Staging, _engine: object) -> Survey:
    all_rows, no_feedback = Marks(np.ones(staging.size, np.bool_)), Marks(np.zeros(staging.feedback.rows, np.bool_))
    return Survey(all_rows, all_rows, no_feedback, 0, 0)


SURVEYED = st.lists(
    st.tuples(
        st.sampled_from(["", "1", "2", "3"]),
        st.sampled_from(["", "f", "g"]),
        *(st.sampled_from(["", "x", "y"]) for _ in range(2)),
        st.sampled_from(["", "up", "down"]),
        st.sampled_from(["", "2026-01-01", "2026-01-02"]),
        st.sampled_from(["", "", "ann", "ben"]),
        st.sampled_from(["", "up", "down"]),
        st.sampled_from(["", "more"]),
    ),
    min_size=1,
    max_size=10,
)
SURVEY_FIELDS = ("interaction_id", "feedback_id", "input", "comment", "value", "created_at", "user", "value:late")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(SURVEYED, min_size=1, max_size=3))
def test_what_is_decided_at_once_is_what_judging_row_by_row_decides(
    tmp_path: Path, empty_database: Path, files: list[list[tuple[str, ...]]]
) -> None:
    plan = Plan({name: name for name in SURVEY_FIELDS})
    ends = []
    for number, way in enumerate((survey, everything_is_judged)):
        home = tmp_path / str(number)
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir()
        shutil.copy(empty_database, home / "feedback.duckdb")
        store = open_store(home)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("feedback_lab.ingest.bulk.survey", way)
            patch.setattr("feedback_lab.ingest.judged.ROWS_AT_ONCE", 2)
            reports = []
            for rows in files:
                with (tmp_path / "f.csv").open("w", encoding="utf-8", newline="") as handle:
                    csv.writer(handle).writerows([(*SURVEY_FIELDS, "page"), *rows])
                report = import_file(store, tmp_path / "f.csv", plan)
                reports.append((counts(report), report.reasons, report.undated))
        hidden = "received_at, batch_id"
        tables = [
            store.rows(f"SELECT * EXCLUDE ({hidden}) FROM {name} ORDER BY ALL") for name in ("interaction", "feedback")
        ]
        notes = store.rows("SELECT interaction_id, field FROM import_fill ORDER BY ALL")
        rejects = store.rows("SELECT line, code, message, excerpt FROM import_reject ORDER BY ALL")
        store.close()
        ends.append((reports, tables, notes, rejects))
    assert ends[0] == ends[1]


@given(
    st.lists(st.booleans(), max_size=40).flatmap(
        lambda flags: st.tuples(st.just(flags), st.permutations(range(len(flags))))
    )
)
def test_marks_tell_of_any_rows_what_their_flags_told(drawn: tuple[list[bool], list[int]]) -> None:
    flags, places = np.array(drawn[0], np.bool_), np.array(drawn[1], np.int64)

    assert Marks(flags)[places].tolist() == flags[places].tolist()
