"""Suggestions: taken where they are clear, left to a human where they are not, and always with a reason."""

import pytest

from feedback_lab.errors import InputError
from feedback_lab.ingest.mapping import Plan, check, complete_plan, suggest

ROW = {"Question": "How?", "answer": "So.", "Thumbs": "👎", "review_text": "wrong", "Timestamp": "2026-01-02", "x": "1"}


def test_usual_names_are_suggested_with_a_reason() -> None:
    suggestion = suggest(list(ROW), [ROW])

    assert suggestion.plan.columns == {
        "input": "Question",
        "output": "answer",
        "value": "Thumbs",
        "comment": "review_text",
        "created_at": "Timestamp",
    }
    assert all(guess.clear and guess.reason for guess in suggestion.guesses)
    assert not suggestion.unclear


def test_columns_called_like_fields_need_no_question() -> None:
    row = {"comment": "=1+1", "input": "![x](y)", "output": "a", "kind": "thumbs_down", "model": "<b>"}
    plan, said = complete_plan(Plan(), list(row), [row], only_exact=False)

    assert plan.columns == {name: name for name in row}
    assert len(said) == 5


def test_two_candidates_for_one_field_are_left_to_the_human() -> None:
    row = {"text": "slow", "review": "slow and wrong", "question": "How?"}
    plan, said = complete_plan(Plan(), list(row), [row], only_exact=False)

    assert plan.columns == {"input": "question"}
    assert "--map comment=text or --map comment=review" in said[-1]


def test_the_own_name_wins_over_a_synonym() -> None:
    row = {"text": "slow", "comment": "wrong"}

    assert suggest(list(row), [row]).plan.columns == {"comment": "comment"}


def test_content_speaks_against_a_name() -> None:
    row = {"date": "soon", "score": "great", "question": "How?"}

    assert suggest(list(row), [row]).plan.columns == {"input": "question"}


def test_content_alone_is_shown_and_not_taken_except_the_only_times() -> None:
    rows = [{"label": "positive", "made": "2026-01-02"}, {"label": "negative", "made": "2026-01-03"}]
    suggestion = suggest(["label", "made"], rows)

    assert suggestion.plan.columns == {"created_at": "made"}
    assert [(guess.field, guess.clear) for guess in suggestion.guesses] == [("created_at", True), ("polarity", False)]


def test_a_chat_log_is_recognised_by_its_roles() -> None:
    rows = [{"session": "1", "role": role, "content": "hi", "ts": "2026-01-01"} for role in ("user", "assistant")]
    suggestion = suggest(list(rows[0]), rows)

    expected = {"session_id": "session", "role": "role", "content": "content", "created_at": "ts"}
    assert suggestion.plan.columns == expected


def test_with_a_human_mapping_only_own_names_are_added() -> None:
    row = {"text": "slow", "question": "How?", "model": "m", "user": "ann", "tag:region": "EU"}
    plan, _ = complete_plan(Plan({"comment": "text"}, constants={"user": "x"}), list(row), [row], only_exact=True)

    assert plan.columns == {"comment": "text", "model": "model", "tag:region": "tag:region"}


@pytest.mark.parametrize(
    ("numbers", "scale"),
    [
        ("1 5 3", (1, 5)),
        ("0 10 7", (0, 10)),
        ("2 8", None),
        ("0 5 3", None),
        ("1 -1", None),
        ("50 100", None),
        ("1.5 4", (1, 5)),
    ],
)
def test_a_scale_is_read_from_the_ratings_where_they_leave_one_choice(
    numbers: str, scale: tuple[float, float] | None
) -> None:
    rows = [{"grade": number} for number in numbers.split()]
    plan, said = complete_plan(Plan({"value": "grade"}), ["grade"], rows, only_exact=True)

    assert (plan.scale, bool(said)) == (scale, scale is not None)


def test_zero_and_one_are_read_as_thumbs_and_said() -> None:
    plan, said = complete_plan(Plan({"value": "ok"}), ["ok"], [{"ok": "0"}, {"ok": "1"}], only_exact=True)

    assert plan.values["value"]["0"] == "down"
    assert "thumbs" in said[0]


@pytest.mark.parametrize(
    ("plan", "sentence"),
    [
        (Plan({"comment": "absent"}), "'absent'.*columns are 'text', 'label'"),
        (Plan({"coment": "text"}), "no field 'coment'.*fields are interaction_id"),
        (Plan({"tag:": "text"}), "no field"),
        (Plan({"model": "text"}), "No column is mapped"),
        (Plan({}), "No column is mapped"),
        (Plan({"interaction_id": "text"}), "No column is mapped"),
        (Plan({"comment": "text"}, constants={"comment": "x"}), "twice"),
        (Plan({"comment": "text"}, values={"polarity": {"a": "b"}}), "--map polarity="),
        (Plan({"role": "text"}), "go together"),
        (Plan({"role": "text", "content": "label", "input": "text"}), "either one message"),
        (Plan({"comment": "text"}, constants={"polarity": "bad"}), "--set polarity"),
        (Plan({"comment": "text"}, constants={"created_at": "soon"}), "--set created_at"),
        (Plan({"comment": "text"}, scale=(5, 1)), "scale 5:1"),
        (Plan({"comment": "text"}, scale=(1, float("inf"))), "scale"),
        (Plan({"comment": "text"}, timezone="Mars/X"), "time zone 'Mars/X'"),
    ],
)
def test_a_plan_that_cannot_be_used_gets_one_sentence(plan: Plan, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence) as error:
        check(plan, ["text", "label"])

    assert "\n" not in str(error.value)


def test_a_usable_plan_passes() -> None:
    check(
        Plan({"comment": "text", "tag:x": "label"}, constants={"polarity": "negative"}, scale=(1, 5)), ["text", "label"]
    )
    check(Plan({"interaction_id": "text", "model": "label"}), ["text", "label"])


def test_a_column_whose_cells_speak_against_its_name_is_not_left_out_in_silence() -> None:
    rows = [{"input": "How?", "thumb": word} for word in ("up", "down", "meh")]
    plan, said = complete_plan(Plan(), ["input", "thumb"], rows, only_exact=False)

    assert plan.columns == {"input": "input"}
    assert "--map value=thumb" in said[-1]


def test_a_column_that_only_its_content_speaks_for_is_offered() -> None:
    rows = [{"input": "How?", "fb": word} for word in ("up", "down")]
    plan, said = complete_plan(Plan(), ["input", "fb"], rows, only_exact=False)

    assert plan.columns == {"input": "input"}
    assert "--map value=fb" in said[-1]


def test_an_empty_column_is_not_worth_a_word() -> None:
    _, said = complete_plan(Plan(), ["input", "thumb"], [{"input": "How?", "thumb": " "}], only_exact=False)

    assert len(said) == 1
