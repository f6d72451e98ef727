"""Other tools' exports: recognised by their content alone, and every record of them accounted for."""

import copy
import json
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from feedback_lab.errors import InputError
from feedback_lab.ingest import formats
from feedback_lab.ingest.formats.format import Pass
from feedback_lab.ingest.formats.scores import Scores
from feedback_lab.ingest.load import ImportReport, import_file
from feedback_lab.ingest.planning.plan import Plan
from feedback_lab.ingest.reading.batches import Problem
from feedback_lab.ingest.reading.readers import open_rows
from feedback_lab.store import Store

FIXTURES = Path(__file__).parent / "fixtures"
# file -> the format that it is, records read, and those of them that are rejected
EXPORTS = {
    "argilla/records.json": ("argilla", 10, 0),
    "argilla/records_flat.csv": ("argilla", 9, 0),
    "argilla/records_flat.jsonl": ("argilla", 9, 0),
    "dify/feedback.csv": ("dify-feedback", 3, 0),
    "dify/feedback.json": ("dify-feedback", 3, 0),
    "dify/messages.json": ("dify-messages", 6, 0),
    "label_studio/annotations.csv": ("label-studio-annotations", 6, 0),
    "label_studio/annotations.json": ("label-studio-annotations", 6, 0),
    "label_studio/tasks.json": ("label-studio", 7, 0),
    "langfuse/observations.json": ("langfuse-observations", 6, 0),
    "langfuse/scores.csv": ("langfuse-scores", 10, 0),
    "langfuse/scores.jsonl": ("langfuse-scores", 10, 0),
    "langfuse/scores_v2.json": ("langfuse-scores", 10, 0),
    "langfuse/scores_v3.json": ("langfuse-scores", 5, 0),
    "langfuse/traces.json": ("langfuse-traces", 3, 0),
    "langsmith/feedback.json": ("langsmith-feedback", 8, 1),
    "langsmith/feedback_with_config.jsonl": ("langsmith-feedback", 1, 0),
    "langsmith/runs.json": ("langsmith-runs", 3, 0),
    "langwatch/annotations.json": ("langwatch-annotations", 3, 0),
    "langwatch/events.json": ("langwatch-events", 3, 0),
    "mlflow/assessments.json": ("mlflow-assessments", 7, 1),
    "mlflow/search_traces.csv": ("mlflow-traces", 10, 1),
    "mlflow/traces.jsonl": ("mlflow-traces", 10, 1),
    "open_webui/feedbacks.json": ("open-webui", 4, 1),
    "opik/feedback_scores.json": ("opik-scores", 3, 0),
    "opik/traces.json": ("opik-traces", 9, 0),
    "otel/otlp.jsonl": ("otlp", 6, 0),
    "otel/otlp_logs.json": ("otlp", 2, 0),
    "otel/sdk_spans.json": ("spans", 6, 0),
    "phoenix/annotations_dataframe.csv": ("phoenix-annotations", 6, 0),
    "phoenix/annotations_to_log.csv": ("phoenix-annotations", 6, 0),
    "phoenix/span_annotations.json": ("phoenix-annotations", 6, 0),
    "phoenix/spans.json": ("spans", 3, 0),
    "streamlit_feedback/log.csv": ("streamlit-feedback", 4, 0),
    "streamlit_feedback/log.jsonl": ("streamlit-feedback", 4, 0),
}
ORDINARY = {
    "questions": [{"question": "How?", "answer": "So."}],
    "reviews": [{"text": "slow", "label": "Bad", "score": "2", "date": "2026-01-02"}],
    "scores without a tool": [{"trace_id": "t", "name": "x", "score": 0.5, "source": "web", "id": 1, "value": 2}],
    "chat": [{"id": "1", "role": "user", "content": "hi", "timestamp": "2026-01-01"}],
    "thumbs": [{"type": "thumbs", "score": "up", "text": "fine"}],
    "tasks": [{"id": 1, "data": "x", "annotations": "none"}],
    "events": [{"event_type": "click", "trace_id": "t", "metrics": {"n": 1}}],
    "our fields": [{"interaction_id": "i", "input": "How?", "output": "So.", "value": 1, "comment": "no"}],
}


def into(store: Store, *names: str, **options: Any) -> list[ImportReport]:
    return [import_file(store, FIXTURES / name, Plan(), **options) for name in names]


@pytest.mark.parametrize("name", EXPORTS)
def test_an_export_is_recognised_and_every_record_of_it_accounted_for(store: Store, name: str) -> None:
    kind, count, rejected = EXPORTS[name]
    first, again = into(store, name, name)

    assert kind in {row["source"] for row in store.rows("SELECT source FROM import_batch")}
    assert (first.read, first.new, first.rejected) == (count, count - rejected, rejected)
    assert (again.read, again.new, again.duplicate) == (count, 0, count - rejected)
    assert f"{count:,} records of" in first.format


@pytest.mark.parametrize("name", EXPORTS)
def test_no_tool_takes_the_export_of_another(name: str) -> None:
    rows = open_rows(FIXTURES / name)
    sample = rows.sample()
    takers = {kind.name for kind in formats.FORMATS if kind.recognises(rows.header, sample)}

    assert takers == {EXPORTS[name][0]}


@pytest.mark.parametrize("name", EXPORTS)
def test_no_row_is_taken_for_another_kind_of_the_same_tool(name: str) -> None:
    (kinds,) = [kinds for kinds in formats.TOOLS if any(kind.name == EXPORTS[name][0] for kind in kinds)]
    rows = [row.values for row in open_rows(FIXTURES / name)]
    takers = {kind.name for kind in kinds for row in rows if kind.holds is not None and kind.holds(row)}

    assert takers <= {EXPORTS[name][0]}


@pytest.mark.parametrize("name", ["airline_negative", "banking77", "chatgpt_appstore_reviews", "feedbackqa"])
def test_real_files_without_a_tool_are_ordinary(shared_data: Path, name: str) -> None:
    assert formats.recognise(open_rows(shared_data / f"{name}.csv")) is None


@pytest.mark.parametrize("name", ORDINARY)
def test_files_that_only_look_a_little_like_an_export_are_ordinary(tmp_path: Path, name: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ORDINARY[name]), "utf-8")

    assert formats.recognise(open_rows(path)) is None


def test_the_name_of_the_file_plays_no_part(tmp_path: Path) -> None:
    shutil.copy(FIXTURES / "open_webui/feedbacks.json", tmp_path / "langfuse-scores.csv")
    found = formats.recognise(open_rows(tmp_path / "langfuse-scores.csv"))

    assert found is not None
    assert found.name == "open-webui"
    assert "Open WebUI" in found.said[0]


MEETING = """
    SELECT i.interaction_id, i.input, i.output, i.model, i.session_id, i.created_at, i.prompt_version,
           f.feedback_id, f.value, f.comment, f.suggested_answer, f.population, f.created_at AS rated_at, f.rater_hash
    FROM interaction i LEFT JOIN feedback f USING (interaction_id) ORDER BY i.interaction_id, f.feedback_id
"""


@pytest.mark.parametrize(
    "names",
    [
        ("langfuse/scores.csv", "langfuse/traces.json"),
        ("langfuse/scores_v3.json", "langfuse/observations.json"),
        ("langsmith/feedback.json", "langsmith/runs.json"),
        ("phoenix/span_annotations.json", "phoenix/spans.json"),
        ("mlflow/assessments.json", "mlflow/traces.jsonl"),
    ],
)
def test_scores_and_traces_meet_in_any_order(store: Store, tmp_path: Path, names: tuple[str, str]) -> None:
    into(store, *names)
    one = store.rows(MEETING)
    for table in ("interaction", "feedback"):
        store.write(lambda connection, table=table: connection.exec_driver_sql(f"DELETE FROM {table}"))
    reports = into(store, *reversed(names))

    assert store.rows(MEETING) == one
    assert len({row["interaction_id"] for row in one}) == 3
    assert all(row["input"] and row["output"] and row["created_at"] for row in one)
    assert sum(report.reasons.get("id_conflict", 0) for report in reports) == 0


def merged(folder: Path, *names: str) -> Path:
    """One JSON list of the rows of several exports, one after another."""
    path = folder / "merged.json"
    path.write_text(json.dumps([row.values for name in names for row in open_rows(FIXTURES / name)]), "utf-8")
    return path


@pytest.mark.parametrize(
    "names",
    [
        ("langfuse/traces.json", "langfuse/scores.jsonl"),
        ("langfuse/observations.json", "langfuse/scores_v3.json"),
        ("langsmith/runs.json", "langsmith/feedback.json"),
        ("langsmith/feedback.json", "langsmith/runs.json"),
        ("phoenix/spans.json", "phoenix/span_annotations.json"),
        ("otel/otlp.jsonl", "phoenix/span_annotations.json"),
        ("mlflow/traces.jsonl", "mlflow/assessments.json"),
        ("opik/traces.json", "opik/feedback_scores.json"),
        ("langwatch/events.json", "langwatch/annotations.json"),
        ("dify/messages.json", "dify/feedback.json"),
    ],
)
def test_several_kinds_of_one_tool_in_one_file_give_what_they_give_apart(
    store: Store, tmp_path: Path, names: tuple[str, str]
) -> None:
    apart = into(store, *names)
    expected = store.rows(MEETING)
    for table in ("interaction", "feedback"):
        store.write(lambda connection, table=table: connection.exec_driver_sql(f"DELETE FROM {table}"))
    report = import_file(store, merged(tmp_path, *names), Plan())

    assert store.rows(MEETING) == expected
    assert report.rejected == sum(one.rejected for one in apart)
    titles = {kind.name: kind.title for kind in formats.FORMATS}
    assert all(titles[EXPORTS[name][0]] in report.format for name in names)


def test_rows_of_another_kind_are_said_and_read_also_far_down_in_the_file(store: Store, tmp_path: Path) -> None:
    runs, feedback = (list(open_rows(FIXTURES / f"langsmith/{name}.json")) for name in ("runs", "feedback"))
    many = [runs[0].values | {"id": f"r{number}"} for number in range(1_200)]
    (tmp_path / "few.json").write_text(json.dumps([runs[0].values, feedback[0].values]), "utf-8")
    (tmp_path / "many.json").write_text(json.dumps([*many, feedback[0].values]), "utf-8")
    few = formats.recognise(open_rows(tmp_path / "few.json"))
    report = import_file(store, tmp_path / "many.json", Plan())

    assert few is not None
    assert few.said[1].endswith("of the first rows: 1 LangSmith runs.")
    assert (report.new, report.rejected) == (1_201, 0)
    assert ", 1 of them LangSmith feedback" in report.format


def test_annotations_of_dify_among_its_messages_are_a_reviewers_answers(store: Store, tmp_path: Path) -> None:
    messages = [row.values for row in open_rows(FIXTURES / "dify/messages.json")]
    annotation = {"id": "a1", "question": "How long?", "answer": "Two days.", "hit_count": 3}
    (tmp_path / "both.json").write_text(json.dumps([*messages, annotation]), "utf-8")
    report = import_file(store, tmp_path / "both.json", Plan())

    assert report.rejected == 0
    found = store.rows("SELECT population, suggested_answer FROM feedback WHERE suggested_answer = 'Two days.'")
    assert found == [{"population": "reviewer", "suggested_answer": "Two days."}]


def test_a_score_file_alone_puts_no_annotator_and_no_time_of_rating_into_the_interaction(store: Store) -> None:
    into(store, "langfuse/scores.csv")

    assert store.scalar("SELECT count(*) FROM interaction WHERE created_at IS NOT NULL OR user_hash IS NOT NULL") == 0
    assert store.scalar("SELECT count(*) FROM feedback WHERE created_at IS NULL") == 0
    assert store.scalar("SELECT rows_undated FROM import_batch") == 0


@pytest.mark.parametrize(
    ("name", "populations"),
    [
        ("langfuse/scores.csv", {"user": 4, "reviewer": 3, "judge": 3}),
        ("langsmith/feedback.json", {"user": 2, "reviewer": 3, "judge": 2}),
        ("phoenix/span_annotations.json", {"user": 2, "reviewer": 2, "judge": 2}),
        ("mlflow/traces.jsonl", {"user": 2, "reviewer": 1, "judge": 3}),
        ("open_webui/feedbacks.json", {"user": 5}),
        ("argilla/records_flat.csv", {"reviewer": 3, "judge": 3}),
        ("opik/traces.json", {"user": 2, "reviewer": 2, "judge": 2}),
        ("langwatch/annotations.json", {"reviewer": 3}),
        ("label_studio/tasks.json", {"reviewer": 3, "judge": 1}),
        ("dify/feedback.csv", {"user": 2, "reviewer": 1}),
        ("streamlit_feedback/log.jsonl", {"user": 4}),
        ("otel/otlp.jsonl", {"user": 2, "judge": 2}),
    ],
)
def test_people_reviewers_and_judges_stay_apart(store: Store, name: str, populations: dict[str, int]) -> None:
    into(store, name)
    rows = store.rows("SELECT population, count(*) AS n FROM feedback GROUP BY ALL")

    assert {row["population"]: row["n"] for row in rows} == populations


TWO_OPINIONS = """
    SELECT i.input, i.output, f.kind, f.value, f.scale_max FROM feedback f JOIN interaction i USING (interaction_id)
    WHERE f.rater_hash = (SELECT rater_hash FROM feedback WHERE feedback_id = 'fb-1') ORDER BY f.feedback_id
"""


def test_open_webui_gives_question_answer_and_two_opinions(store: Store) -> None:
    report = into(store, "open_webui/feedbacks.json")[0]
    rows = store.rows(TWO_OPINIONS)

    said = ("How do I close my card?", "Write a letter to us.")
    assert [tuple(row.values()) for row in rows] == [(*said, "thumb", -1.0, None), (*said, "rating", 2.0, 10.0)]
    assert report.reasons == {"no_value": 1}


def test_a_label_that_is_neither_good_nor_bad_is_kept_as_a_signal_and_said(store: Store) -> None:
    found = formats.recognise(open_rows(FIXTURES / "langfuse/scores.jsonl"))
    into(store, "langfuse/scores.jsonl")
    row = store.rows("SELECT polarity, metadata FROM feedback WHERE kind = 'score:tone'")[0]

    assert found is not None
    assert any("'tone' ('formal')" in sentence for sentence in found.said)
    assert row["polarity"] is None
    assert row["metadata"]["label"] == "formal"


def test_a_rating_of_unknown_scale_is_rejected_and_asked_for(store: Store, tmp_path: Path) -> None:
    rows = json.loads((FIXTURES / "langfuse/scores_v2.json").read_text("utf-8"))["data"][:2]
    rows[1] |= {"name": "points", "value": 70}
    (tmp_path / "scores.json").write_text(json.dumps(rows), "utf-8")
    first = import_file(store, tmp_path / "scores.json", Plan())
    second = import_file(store, tmp_path / "scores.json", Plan(scale=(0, 100)))

    assert first.reasons == {"no_scale": 1}
    assert (second.new, second.duplicate, second.rejected) == (1, 1, 0)


def test_a_named_format_must_fit_and_exist() -> None:
    rows = open_rows(FIXTURES / "langfuse/scores.csv")
    with pytest.raises(InputError, match="does not look like MLflow traces"):
        formats.recognise(rows, name="mlflow-traces")
    with pytest.raises(InputError, match="There is no format 'langfus': the formats are langfuse-scores"):
        formats.recognise(rows, name="langfus")
    assert formats.recognise(rows, name="none") is None


def test_a_mapping_by_hand_is_left_alone_and_constants_win() -> None:
    rows = open_rows(FIXTURES / "langfuse/scores.csv")
    by_hand = Plan({"comment": "comment"})
    _, plan = formats.resolve(rows, Plan(constants={"population": "test"}), None)

    assert formats.resolve(rows, by_hand, None) == (rows, by_hand)
    assert "population" not in plan.columns
    assert plan.source == "langfuse-scores"


def test_dify_annotations_are_taken_by_name_only(store: Store) -> None:
    rows = open_rows(FIXTURES / "dify/annotations.csv")
    report = import_file(store, FIXTURES / "dify/annotations.csv", Plan(), format="dify-annotations")

    assert formats.recognise(rows) is None
    assert (report.new, report.rejected) == (1, 1)
    assert store.scalar("SELECT population || kind FROM feedback") == "reviewercorrection"


JUNK: list[Any] = [None, "", [], {}, [{}], [None], "x", 0, -1, 1e308, True, "nan", "{", "{'a': 1}", {"a": {"b": [1]}}]


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield (*path, key)
        yield from _paths(value[key], (*path, key))


@pytest.mark.parametrize("name", EXPORTS)
def test_blocks_that_are_missing_or_of_another_kind_break_nothing(name: str) -> None:
    rows = open_rows(FIXTURES / name)
    kind = next(kind for kind in formats.FORMATS if kind.name == EXPORTS[name][0])
    chance = random.Random(name)
    for _ in range(40):
        sample = copy.deepcopy(rows.sample())
        row = chance.choice(sample)
        *path, last = chance.choice(list(_paths(row)))
        place: Any = row
        for key in path:
            place = place[key]
        place[last] = chance.choice(JUNK)
        kind.recognises(rows.header, sample)
        found = [item for values in sample for item in kind.unpack(values, Pass(Scores()))]

        assert all(isinstance(item, dict | Problem) for item in found)


def test_a_score_that_begins_far_down_in_the_file_means_the_same_as_at_its_top(store: Store, tmp_path: Path) -> None:
    row = json.loads((FIXTURES / "langfuse/scores_v2.json").read_text("utf-8"))["data"][1]
    early = [row | {"id": f"e{n}", "traceId": f"t{n}", "name": "help", "value": 1} for n in range(1_000)]
    late = [row | {"id": f"l{n}", "traceId": f"t{n}", "name": "thumb", "value": n % 2} for n in range(20)]
    late.append(row | {"id": "last", "traceId": "t", "name": "help", "value": 4})
    (tmp_path / "scores.json").write_text(json.dumps(early + late), "utf-8")
    report = import_file(store, tmp_path / "scores.json", Plan())
    kinds = store.rows("SELECT kind, scale_max, count(*) AS n FROM feedback GROUP BY ALL ORDER BY kind")

    assert [tuple(found.values()) for found in kinds] == [("rating", 5.0, 1_001), ("thumb", None, 20)]
    assert "with all rows 'help' is read as ratings on the scale 1:5" in report.format


def test_scores_and_observations_among_traces_are_no_interactions_of_their_own(store: Store, tmp_path: Path) -> None:
    traces = json.loads((FIXTURES / "langfuse" / "traces.json").read_text("utf-8"))["data"]
    observations = json.loads((FIXTURES / "langfuse" / "observations.json").read_text("utf-8"))
    scores = (FIXTURES / "langfuse" / "scores.jsonl").read_text("utf-8").splitlines()
    merged = tmp_path / "merged.jsonl"
    merged.write_text("\n".join([*map(json.dumps, [*traces, *observations]), *scores]), "utf-8")
    report = import_file(store, merged, Plan())

    assert report.rejected == 0
    assert store.scalar("SELECT count(*) FROM interaction") == len(traces)
    assert store.scalar("SELECT count(*) FROM feedback") == len(scores)


OF_STUDIO = """
    SELECT feedback_id, kind, value, polarity, comment, suggested_answer, rater_hash, population, created_at
    FROM feedback WHERE population = 'reviewer' ORDER BY feedback_id
"""


def test_label_studio_says_the_same_in_each_of_its_exports(store: Store) -> None:
    into(store, "label_studio/tasks.json")
    whole = store.rows(OF_STUDIO)
    counts = [into(store, f"label_studio/annotations.{ending}")[0] for ending in ("json", "csv")]

    assert [(report.new, report.duplicate, report.rejected) for report in counts] == [(0, 6, 0), (0, 6, 0)]
    assert store.rows(OF_STUDIO) == whole
    assert {row["polarity"] for row in whole} == {"positive", "negative"}


def test_a_null_block_hides_no_export_of_open_webui(store: Store, tmp_path: Path) -> None:
    rows = json.loads((FIXTURES / "open_webui/feedbacks.json").read_text("utf-8"))[:2]
    (tmp_path / "feedback.json").write_text(json.dumps([*rows, {**rows[0], "id": "fb-9", "data": None}]), "utf-8")
    report = import_file(store, tmp_path / "feedback.json", Plan())

    assert (report.new, report.reasons) == (2, {"no_value": 1})


def test_events_of_langwatch_without_a_vote_are_counted_and_give_nothing(store: Store, tmp_path: Path) -> None:
    votes = [{"trace_id": "t1", "event_type": "thumbs_up_down", "metrics": {"vote": vote}} for vote in (1, -1)]
    other = {"trace_id": "t1", "event_type": "waited_to_finish", "metrics": {"finished": 1}}
    (tmp_path / "events.json").write_text(json.dumps([other, *votes, other]), "utf-8")
    report = import_file(store, tmp_path / "events.json", Plan())

    assert (report.new, report.rejected) == (2, 0)
    assert "2 records of 4 rows (2 events without a vote)" in report.format
    assert [row["polarity"] for row in store.rows("SELECT polarity FROM feedback ORDER BY value")] == [
        "negative",
        "positive",
    ]


def test_scores_that_langfuse_writes_beside_its_traces_are_said_to_be_left_out(tmp_path: Path) -> None:
    row = {"id": "t1", "timestamp": "2026-03-01T09:30:00Z", "userId": "u", "bookmarked": False, "tags": ["a"]}
    row |= {"input": "How?", "output": "So.", "user-feedback": [1], "tone": ["formal"]}
    (tmp_path / "traces.json").write_text(json.dumps([row]), "utf-8")
    found = formats.recognise(open_rows(tmp_path / "traces.json"))

    assert found is not None
    assert "the scores in 'user-feedback', 'tone' do not say who gave them" in found.said[0]
