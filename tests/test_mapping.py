"""Suggestions: taken where they are clear, left to a human where they are not, and always with a reason."""

import pytest

from feedback_lab.errors import InputError
from feedback_lab.ingest.planning.mapping import complete_plan, suggest
from feedback_lab.ingest.planning.plan import Plan, check

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
        ("0 -1 1", (-1, 1)),
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
        (Plan({"comment": "text"}, date_order="daymonth"), "day-month or month-day"),
        (Plan({"comment": "text"}, constants={"population": "everyone"}), "--set population"),
        (Plan({"comment": "text"}, constants={"scale": "5"}), "--set scale"),
        (Plan({"comment": "text"}, constants={"rated_at": "soon"}), "--set rated_at"),
        (Plan({"value:stars": "text"}), "--map value=COLUMN"),
        (Plan({"value": "text", "scale:stars": "label"}), "--map value:stars=COLUMN"),
        (Plan({"value": "text", "value:": "label"}), "no field"),
        (Plan({"value": "text", "input:x": "label"}), "no field"),
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


def test_thumbs_and_stars_in_one_file_are_two_opinions_of_a_row() -> None:
    rows = [{"thumb": "up", "stars": "4", "q": ""}, {"thumb": "down", "stars": "2", "q": ""}]
    plan, said = complete_plan(Plan(), ["stars", "thumb", "q"], rows, only_exact=False)

    assert plan.columns == {"value": "thumb", "value:stars": "stars"}
    assert (plan.scale, plan.constants) == (None, {"scale:stars": "1:5"})
    assert "ratings beside the thumbs" in " ".join(said)
    check(plan, ["stars", "thumb", "q"])


def test_thumbs_beside_ratings_that_are_called_value_keep_their_kind() -> None:
    rows = [{"value": "4", "vote": "1"}, {"value": "2", "vote": "-1"}]
    plan, _ = complete_plan(Plan(), ["value", "vote"], rows, only_exact=False)

    assert plan.columns == {"value": "value", "value:vote": "vote"}
    assert (plan.scale, plan.constants) == ((1, 5), {"kind:vote": "thumb"})


def test_two_columns_of_ratings_are_left_to_the_human() -> None:
    rows = [{"rating": "4", "csat": "2", "input": "How?"}, {"rating": "1", "csat": "5", "input": "How?"}]
    plan, said = complete_plan(Plan(), ["rating", "csat", "input"], rows, only_exact=False)

    assert plan.columns == {"input": "input"}
    assert "--map value=rating or --map value=csat" in " ".join(said)


def test_a_further_rating_that_a_human_maps_gets_its_scale() -> None:
    rows = [{"a": "up", "b": "4"}, {"a": "down", "b": "2"}]
    plan, said = complete_plan(Plan({"value": "a", "value:b": "b"}), ["a", "b"], rows, only_exact=True)

    assert plan.constants == {"scale:b": "1:5"}
    assert "--set scale:b=LO:HI" in said[0]


@pytest.mark.parametrize(
    ("dates", "sentence"),
    [
        ("05/06/2026 07/08/2026", "add --date-order day-month or --date-order month-day"),
        ("05/06/2026 17/08/2026", "read as day/month"),
        ("05/06/2026 08/17/2026", "read as month/day"),
        ("13/06/2026 08/17/2026 05/06/2026", "--date-order"),
        ("2026-05-06 05.06.2026", ""),
    ],
)
def test_the_order_of_day_and_month_is_asked_for_and_never_guessed_in_silence(dates: str, sentence: str) -> None:
    rows = [{"date": date, "comment": "slow"} for date in dates.split()]
    _, said = complete_plan(Plan(), ["date", "comment"], rows, only_exact=False)
    _, told = complete_plan(Plan(date_order="day-month"), ["date", "comment"], rows, only_exact=False)

    assert sentence in said[-1]
    assert len(told) == 2
    assert bool(sentence) == (len(said) == 3)


def test_the_first_rows_alone_do_not_speak_for_the_whole_file() -> None:
    rows = [{"comment": "text", "date": "05/06/2026"}] * 1_000
    _, said = complete_plan(Plan(), ["comment", "date"], rows, only_exact=False)

    assert any(sentence.endswith("or those rows are rejected unless later rows tell.") for sentence in said)


def test_words_of_other_trades_are_no_population_and_no_scale() -> None:
    rows = [{"population": "83000000", "scale": "large", "comment": "slow"}]
    ours = [{"population": "judge", "scale": "1:5", "comment": "slow"}]

    assert suggest(list(rows[0]), rows).plan.columns == {"comment": "comment"}
    assert set(suggest(list(ours[0]), ours).plan.columns) == {"population", "scale", "comment"}


def test_populations_that_are_not_understood_are_not_left_out_in_silence() -> None:
    rows = [{"comment": "text", "population": word} for word in ("judge", "user", "martian")]
    plan, said = complete_plan(Plan(), ["comment", "population"], rows, only_exact=False)

    assert "population" not in plan.columns
    assert any("--map population=population reads it" in sentence for sentence in said)


def test_roles_that_are_not_understood_are_not_left_out_in_silence() -> None:
    rows = [{"role": role, "content": "text"} for role in ("user", "assistant", "alien")]
    _, said = complete_plan(Plan(), ["role", "content"], rows, only_exact=False)

    assert any(sentence.startswith("'role' is not read as role") for sentence in said)


@pytest.mark.parametrize(
    ("cells", "field"),
    [
        (["👍", "👎"], "value"),
        (["thumbs_up", "Thumbs Down"], "value"),
        (["1", "0"], "value"),
        (["5", "2"], "value"),
        (["positive", "neutral", "negative"], "polarity"),
        (["slow", "it names last year's price"], "comment"),
    ],
)
def test_a_column_called_feedback_is_what_its_cells_are(cells: list[str], field: str) -> None:
    rows = [{"question": "How?", "feedback": cell} for cell in cells]

    assert suggest(list(rows[0]), rows).plan.columns == {"input": "question", field: "feedback"}


def test_a_column_of_objects_is_no_comment() -> None:
    rows = [{"question": "How?", "feedback": {"thumb": "down", "comment": "slow"}}]
    plan, said = complete_plan(Plan(), list(rows[0]), rows, only_exact=False)

    assert plan.columns == {"input": "question"}
    assert "'feedback'" in said[-1]


def test_a_comment_of_one_word_stays_a_comment() -> None:
    rows = [{"rating": "4", "feedback_comment": "bad"}]

    assert suggest(list(rows[0]), rows).plan.columns == {"value": "rating", "comment": "feedback_comment"}


def test_zero_and_one_with_a_point_as_pandas_writes_them_are_thumbs() -> None:
    rows = [{"thumb": cell} for cell in ("1.0", "", "0.0")]
    plan = suggest(["thumb"], rows).plan

    assert (plan.values["value"]["1.0"], plan.values["value"]["0.0"]) == ("up", "down")


STEPS = "--value value:Bad=1 --value 'value:Could be Improved=2' --value value:Excellent=4 --scale 1:4"


def test_words_that_are_steps_of_a_scale_are_offered_with_what_to_write() -> None:
    rows = [{"question": "How?", "label": word} for word in ("Excellent", "Bad", "Could be Improved")]
    plan, offered = complete_plan(Plan(), list(rows[0]), rows, only_exact=False)
    _, mapped = complete_plan(Plan({"value": "label"}), list(rows[0]), rows, only_exact=True)

    assert plan.columns == {"input": "question"}
    assert f"--map value=label {STEPS} reads it" in offered[-1]
    assert f"{STEPS} reads them so" in mapped[-1]


def test_columns_that_no_field_takes_are_named_and_empty_ones_are_not() -> None:
    rows = [{"question": "How?", "accuracy": "4", "tone": "3", "spare": ""}]
    _, said = complete_plan(Plan(), list(rows[0]), rows, only_exact=False)

    assert said[-1] == "Read as no field and kept as metadata: 'accuracy', 'tone'."


@pytest.mark.parametrize(
    "header",
    [
        "Frage Antwort Bewertung Kommentar Datum",
        "質問 回答 評価 コメント 日付",
        "Pregunta Respuesta Valoración Comentario Fecha",
    ],
)
def test_names_in_other_languages_are_known(header: str) -> None:
    columns = header.split()
    row = dict(zip(columns, ("How?", "So.", "4,5", "slow", "2026-03-01"), strict=True))
    plan = suggest(columns, [row, {**row, columns[2]: "2"}]).plan

    assert plan.columns == dict(zip(("input", "output", "value", "comment", "created_at"), columns, strict=True))
    assert plan.scale == (1, 5)


def test_thumbs_among_many_empty_words_are_no_comments_and_the_way_to_read_them_is_said() -> None:
    rows = [{"question": "How?", "feedback": cell} for cell in ["None"] * 8 + ["up", "down"]]
    plan, said = complete_plan(Plan(), list(rows[0]), rows, only_exact=False)

    assert plan.columns == {"input": "question"}
    assert "--map value=feedback" in said[-1]
