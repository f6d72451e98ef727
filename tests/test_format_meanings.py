"""What a tool's scores, labels, messages and ids mean: nothing is an opinion that leaves something to guess."""

from pathlib import Path
from typing import Any

import pytest

from feedback_lab.ingest import formats
from feedback_lab.ingest.formats.cells import structure
from feedback_lab.ingest.formats.format import Pass
from feedback_lab.ingest.formats.messages import answered, asked
from feedback_lab.ingest.formats.scores import Scores
from feedback_lab.ingest.formats.spans import identity
from feedback_lab.ingest.planning.plan import Plan
from feedback_lab.ingest.reading.readers import open_rows

FIXTURES = Path(__file__).parent / "fixtures"


def records(name: str, plan: Plan | None = None) -> list[dict[str, Any]]:
    """The readable records of a fixture, without what is empty."""
    found = formats.recognise(open_rows(FIXTURES / name), plan)
    assert found is not None
    return [row.values for row in found.source if row.problem is None]


def test_a_correction_becomes_the_suggested_answer_and_an_explanation_the_comment() -> None:
    found = {row["feedback_id"][-2:]: row for row in records("langfuse/scores.jsonl")}

    assert found["09"]["suggested_answer"].startswith("Open the app")
    assert found["06"]["comment"] == "it asks for a letter"
    assert found["10"]["comment"] == "found it, thanks"


def test_what_a_label_means_can_be_said() -> None:
    plan = Plan(values={"value": {"formal": "down"}})
    tone = next(row for row in records("langfuse/scores.jsonl", plan) if row.get("name") == "tone")

    assert (tone["kind"], tone["value"]) == ("thumb", "down")


def test_a_scale_that_is_given_holds_for_the_numbers_that_fit_it() -> None:
    plan = Plan(scale=(0, 10))
    scales = {row["name"]: row.get("scale") for row in records("langfuse/scores.jsonl", plan)}

    assert (scales["stars"], scales["user-feedback"]) == ("0:10", None)


@pytest.mark.parametrize(
    ("name", "values", "population", "expected"),
    [
        ("thumb", [0, 1], "user", ("thumb", "up", None)),
        ("thumb", [-1, 1], "user", ("thumb", "up", None)),
        ("vote", [-1, 1, 0], "user", ("rating", 0.0, "-1:1")),
        ("user_stars", [1], "user", ("rating", 1.0, None)),
        ("help", [0.25, 1], "judge", ("rating", 1.0, "0:1")),
        ("help", [4, 2], "user", ("rating", 2.0, "1:5")),
        ("help", [0, 9], "user", ("rating", 9.0, "0:10")),
        ("help", [70, 40], "user", ("rating", 40.0, None)),
        ("help", [70, 40], "judge", ("score:help", 40.0, None)),
        ("toxicity", [0.1, 1], "judge", ("score:toxicity", 1.0, None)),
        ("is_toxic", [True], "judge", ("score:is_toxic", None, None)),
        ("ok", [True], "judge", ("thumb", "up", None)),
        ("verdict", ["Not helpful", "Incorrect"], "user", ("thumb", "down", None)),
        ("verdict", ["thumbs-up"], "user", ("thumb", "up", None)),
        ("verdict", ["neutral"], "user", ("rating", 0.0, "-1:1")),
        ("Tonfall!", ["höflich"], "reviewer", ("score:tonfall", None, None)),
        ("語気", ["x"], "reviewer", ("score:unnamed", None, None)),
        ("help", ["nan"], "user", (None, None, None)),
    ],
)
def test_a_score_is_an_opinion_only_where_nothing_is_left_to_guess(
    name: str, values: list[Any], population: str, expected: tuple[str | None, Any, str | None]
) -> None:
    scores = Scores()
    for value in values:
        scores.opinion(name, value, population=population)
    scores.learns = False
    found = scores.opinion(name, values[-1], population=population)

    assert (found.get("kind"), found.get("value"), found.get("scale")) == expected


def test_a_scale_that_the_tool_declares_is_believed() -> None:
    row = records("langsmith/feedback_with_config.jsonl")[0]

    assert (row["kind"], row["value"], row["scale"]) == ("rating", 2.0, "1:5")


def test_the_text_is_found_in_the_shapes_that_tools_log() -> None:
    system, first, last = ({"role": role, "content": f"{role} says"} for role in ("system", "user", "assistant"))
    parts = {"role": "user", "content": [{"type": "text", "text": "look"}, {"type": "image_url", "image_url": {}}]}

    assert asked({"messages": [system, first, last]}) == "user says"
    assert answered([system, first, last]) == "assistant says"
    assert answered({"choices": [{"message": last}]}) == "assistant says"
    assert answered({"generations": [[{"text": "so", "generation_info": None}]]}) == "so"
    assert asked('{"question": "How?", "history": []}') == "How?"
    assert asked([parts]) == "look\n[image_url]"
    assert asked([{"type": "human", "content": "hi"}]) == "hi"
    as_data = [{"type": kind, "data": {"content": kind}} for kind in ("system", "human", "ai")]
    assert (asked({"messages": as_data}), answered(as_data)) == ("human", "ai")
    as_call = [
        {"lc": 1, "type": "constructor", "id": ["langchain", "schema", "messages", name], "kwargs": {"content": name}}
        for name in ("SystemMessage", "HumanMessage", "AIMessageChunk")
    ]
    assert (asked({"messages": [as_call]}), answered(as_call)) == ("HumanMessage", "AIMessageChunk")
    assert answered({"generations": [[{"text": "", "message": as_call[2]}]]}) == "AIMessageChunk"
    assert (asked(None), asked([]), asked("plain"), asked(3)) == ("", "", "plain", "3")


def test_ids_of_spans_are_the_same_in_every_notation() -> None:
    assert {identity(given) for given in ("0x00000000000000A1", "00000000000000a1")} == {"00000000000000a1"}
    assert identity("0000000000000000") == identity(None) == ""
    assert records("otel/otlp.jsonl") == records("otel/sdk_spans.json")


def test_python_literals_of_a_dataframe_are_read_and_nothing_else_is() -> None:
    assert structure("[{'a': None}]") == [{"a": None}]
    assert structure('{"a": 1}') == {"a": 1}
    assert structure('{"a\\ud800": 1}') == {"a\ufffd": 1}
    assert structure("{'a\\ud800': ['\\x00']}") == {"a\ufffd": ["\ufffd"]}
    assert structure("[__import__('os')]") == "[__import__('os')]"
    assert structure("{" * 5_000 + "}" * 5_000) == "{" * 5_000 + "}" * 5_000


@pytest.mark.parametrize(
    ("source", "population"),
    [
        ({"type": "api"}, "user"),
        ({"type": "app"}, "reviewer"),
        ({"type": "auto_eval"}, "judge"),
        ("{'type': 'model', 'user_id': UUID('00000000-0000-4000-8000-000000000001')}", "judge"),
        ("type='app' metadata={}", "reviewer"),
        (None, "user"),
    ],
)
def test_what_a_model_says_is_never_taken_for_a_user(source: object, population: str) -> None:
    kind = next(kind for kind in formats.FORMATS if kind.name == "langsmith-feedback")
    row = {"id": "f", "run_id": "r", "key": "good", "score": 1, "feedback_source": source}
    (found,) = kind.unpack(row, Pass(Scores()))

    assert isinstance(found, dict)
    assert found["population"] == population


def test_who_speaks_is_said_and_can_be_said_otherwise() -> None:
    rows = open_rows(FIXTURES / "langfuse/scores.csv")
    found, given = formats.recognise(rows), formats.recognise(rows, Plan(constants={"population": "test"}))

    assert found is not None
    assert given is not None
    assert "4 user, 3 reviewer, 3 judge" in found.said[1]
    assert not any("Who speaks" in sentence for sentence in given.said)
