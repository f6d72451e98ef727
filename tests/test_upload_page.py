"""The Upload page: what was recognised, the mapping, the counts, the report. An analyst's way, without a browser."""

import json
from pathlib import Path

import pytest

from feedback_lab.ingest.planning import saved_mappings
from feedback_lab.ingest.planning.plan import Plan
from feedback_lab.serving import Lab
from tests.page_builders import page, press, upload, words_of


def test_words_for_an_opinion_are_given_their_meaning_before_anything_is_stored(lab: Lab) -> None:
    app = upload("log.csv", b"question,comment,label\nhow?,slow,Bad\nwhy?,fine,Good\nwho?,hm,Odd\n")
    assert "Nothing here says whether people were content" in words_of(app)
    next(box for box in app.selectbox if box.label == "Positive or negative").select("label").run()
    bad, good, _ = (box for box in app.selectbox if box.label == "Meaning")
    bad.select("negative")
    good.select("positive").run()
    press(app, "Count without storing")
    assert "3 read = 2 new + 0 duplicate + 1 rejected" in words_of(app)
    assert lab.store.scalar("SELECT count(*) FROM interaction") == 0

    press(app, "Import")
    assert not app.exception
    assert "3 read = 2 new + 0 duplicate + 1 rejected" in words_of(app)
    said = lab.store.rows("SELECT comment, polarity FROM feedback ORDER BY comment")
    assert said == [{"comment": "fine", "polarity": "positive"}, {"comment": "slow", "polarity": "negative"}]
    assert [path.name.split("-")[0] for path in (lab.settings.home / "uploads").iterdir()] == ["rejected"]


def test_a_file_that_comes_again_with_another_mapping_is_said_to_count_twice(lab: Lab) -> None:
    for mapped in (False, True):
        app = upload("log.csv", b"question,thumb,said\nhow?,up,thanks\nwhy?,down,slow\n")
        if mapped:
            next(box for box in app.selectbox if box.label == "Comment").select("said").run()
        press(app, "Import")
        assert "2 read = 2 new" in words_of(app)
        assert ("imported before with another mapping" in words_of(app)) == mapped


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"a,b\n", "no rows"),
        (b"\x00\x01\x02PK\x03\x04" * 50, "is not text"),
        (b"[1, 2]", "no rows"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_by_its_own_name_and_not_kept(
    lab: Lab, content: bytes, reason: str
) -> None:
    app = upload("../../<b>evil</b>.csv", content)
    assert not app.exception
    assert "<b>evil</b>.csv" in words_of(app)
    assert reason in words_of(app)
    assert list((lab.settings.home / "uploads").iterdir()) == []


def test_the_suggested_columns_are_chosen_already_and_can_be_overridden(lab: Lab) -> None:
    app = upload("log.csv", b"prompt,answer,thumb,note\nhow?,so,up,great\nwhy?,no,down,bad\n")
    chosen = {box.label: box.value for box in app.selectbox}
    assert chosen["Question"] == "prompt"
    assert chosen["Answer"] == "answer"
    assert chosen["Thumb or rating"] == "thumb"
    next(box for box in app.selectbox if box.label == "Comment").select("note").run()
    press(app, "Import")
    stored = lab.store.rows("SELECT input, output FROM interaction ORDER BY input")
    assert stored == [{"input": "how?", "output": "so"}, {"input": "why?", "output": "no"}]
    assert lab.store.scalar("SELECT count(*) FROM feedback WHERE comment IN ('great', 'bad')") == 2


def test_a_file_name_that_turns_its_own_direction_is_shown_with_the_mark_visible(lab: Lab) -> None:
    app = upload("\u202egpj.csv", b"question,answer,thumb\nhow?,so,up\n")
    assert "(U+202E)gpj.csv" in words_of(app).replace("⟨", "(").replace("⟩", ")")


def test_what_only_a_human_can_tell_is_said_before_the_import(lab: Lab) -> None:
    app = upload("log.csv", b"text,review,rating\nslow,slow answers,1\nfine,good answers,5\nso so,so so,3\n")
    assert "Comment may be 'text' or 'review': choose one." in words_of(app)
    next(box for box in app.selectbox if box.label == "Comment").select("text").run()
    assert "Comment may be" not in words_of(app)


def test_the_counts_of_the_first_rows_follow_the_mapping_and_each_reason_is_named(lab: Lab) -> None:
    rows = (
        b"question,answer,stars\n" + b"how?,so,4\n" * 20 + b"when?,now,2\n" * 6 + b"why?,no,many\n" * 2 + b"who?,me\n"
    )
    app = upload("log.csv", rows)
    assert "Of the first 29 rows, 26 can be stored and 3 would be rejected." in words_of(app)
    reasons = app.dataframe[1].value
    assert list(reasons["Rows"]) == [2, 1]
    assert "'many'" in reasons["Why"][0]
    assert list(reasons["First line"]) == [28, 30]
    next(box for box in app.number_input if box.label == "Highest").set_value(3.0).run()
    assert "Of the first 29 rows, 6 can be stored and 23 would be rejected." in words_of(app)


def test_dates_that_may_be_read_both_ways_are_asked_for(lab: Lab) -> None:
    app = upload("log.csv", b"question,answer,thumb,time\nhow?,so,up,05/06/2026\nwhy?,no,down,07/06/2026\n")
    assert "2 would be rejected" in words_of(app)
    order = next(one for one in app.segmented_control if "05/06" in one.label)
    order.set_value("day-month").run()
    assert "Of the first 2 rows, 2 can be stored." in words_of(app)
    press(app, "Import")
    months = lab.store.rows("SELECT DISTINCT month(created_at) AS month FROM interaction")
    assert [row["month"] for row in months] == [6]


def test_a_mapping_that_is_kept_is_used_for_the_next_file_with_these_columns(lab: Lab) -> None:
    app = upload("log.csv", b"a,b,c\nhow?,so,up\nwhy?,no,down\n")
    for label, column in (("Question", "a"), ("Answer", "b"), ("Thumb or rating", "c")):
        next(box for box in app.selectbox if box.label == label).select(column).run()
    app.text_input(key="mapping_name").input("Weekly export")
    press(app, "Keep")
    assert [one.name for one in saved_mappings.listing(lab.store)] == ["Weekly export"]

    again = upload("next.csv", b"a,b,c\nwhen?,now,up\n")
    assert "Mapped as 'Weekly export'" in words_of(again)
    press(again, "Import")
    assert lab.store.scalar("SELECT input FROM interaction") == "when?"

    other = press(upload("next.csv", b"a,b,c\nwhen?,now,up\n"), "Start from the suggestions instead")
    assert next(box for box in other.selectbox if box.label == "Question").value is None


def test_a_mapping_that_is_kept_stays_whole_where_the_next_file_begins_without_a_comment(lab: Lab) -> None:
    plan = Plan({"input": "question", "comment": "said.text", "tag:page": "page"})
    saved_mappings.save(lab.store, "Weekly export", ["question", "said", "page"], plan, "Ada")

    app = upload("log.jsonl", b'{"question": "how?", "said": null, "page": {"id": 7}}\n{"question": "why?"}\n'
                              b'{"said": {}}')  # fmt: skip

    chosen = {box.label: box.value for box in app.selectbox}
    assert not app.exception
    assert (chosen["Comment"], chosen["Question"]) == ("said.text", "question")
    assert next(box for box in app.multiselect if box.label == "Tags to split by").value == ["page"]


def test_another_tools_export_is_read_without_a_mapping_unless_one_says_otherwise(lab: Lab) -> None:
    feedback = {
        "id": "f1", "user_id": "u1", "version": 0, "type": "rating",
        "data": {"rating": -1, "model_id": "m", "comment": "wrong year", "reason": "", "details": {"rating": 2}},
        "meta": {"arena": False, "chat_id": "c1", "message_id": "m2", "message_index": 1, "model_id": "m"},
        "snapshot": {"chat": {"id": "c1", "history": {"currentId": "m2", "messages": {
            "m1": {"id": "m1", "parentId": None, "role": "user", "content": "Which year?"},
            "m2": {"id": "m2", "parentId": "m1", "role": "assistant", "content": "1999", "model": "m"},
        }}}},
        "created_at": 1760000000, "updated_at": 1760000000,
    }  # fmt: skip
    content = json.dumps([feedback]).encode()
    app = upload("export.json", content)
    assert "Open WebUI" in words_of(app)
    assert not [box for box in app.selectbox if box.label == "Question"]
    ordinary = press(app, "Read it as an ordinary file")
    assert [box for box in ordinary.selectbox if box.label == "Question"]

    press(upload("export.json", content), "Import")
    assert lab.store.rows("SELECT input, output FROM interaction") == [{"input": "Which year?", "output": "1999"}]
    assert lab.store.scalar("SELECT comment FROM feedback") == "wrong year"


def test_a_file_can_be_read_in_another_encoding(lab: Lab) -> None:
    app = upload("log.csv", "question,answer,thumb\nцена?,да,up\n".encode("cp1251"))
    next(box for box in app.selectbox if box.label == "Encoding").select("Windows-1251 (Cyrillic)").run()
    press(press(app, "Read again"), "Import")
    assert lab.store.scalar("SELECT input FROM interaction") == "цена?"


def test_the_rejected_rows_of_an_earlier_import_are_still_there_and_the_file_is_not(lab: Lab) -> None:
    press(upload("log.csv", b"question,answer,thumb\nhow?,so,up\nwhy?,no\n"), "Import")
    kept = sorted((lab.settings.home / "uploads").iterdir())
    assert [path.name.startswith("rejected-") for path in kept] == [True]
    assert "too_few_columns" in Path(kept[0]).read_text("utf-8")
    assert page("upload").dataframe[0].value["Rejected"].tolist() == [1]


def test_words_that_are_steps_of_a_scale_are_read_as_ratings_where_a_human_says_so(lab: Lab) -> None:
    app = upload("log.csv", b"question,label\nhow?,Poor\nwhy?,Excellent\nwho?,Fair\n")
    assert "Thumb or rating may be 'label'" in words_of(app)
    next(box for box in app.selectbox if box.label == "Thumb or rating").select("label").run()
    assert "3 would be rejected" in words_of(app)
    steps = next(box for box in app.checkbox if "Poor = 1, Fair = 2, Excellent = 4" in box.label)
    steps.check().run()
    press(app, "Import")
    rows = lab.store.rows("SELECT value, scale_max, polarity FROM feedback ORDER BY value")
    assert [tuple(row.values()) for row in rows] == [
        (1.0, 4.0, "negative"),
        (2.0, 4.0, "negative"),
        (4.0, 4.0, "positive"),
    ]


def test_a_word_among_thumbs_is_given_its_meaning(lab: Lab) -> None:
    app = upload("log.csv", b"question,reaction\nhow?,like\nwhy?,meh\nwho?,N/A\n")
    next(box for box in app.selectbox if box.label == "Thumb or rating").select("reaction").run()
    assert "2 would be rejected" in words_of(app)
    nothing, meh = (box for box in app.selectbox if box.label == "Meaning")
    nothing.select("").run()
    meh.select("down").run()
    press(app, "Import")
    assert "3 read = 3 new + 0 duplicate + 0 rejected" in words_of(app)
    assert [row["value"] for row in lab.store.rows("SELECT value FROM feedback ORDER BY value")] == [-1.0, 1.0]


def test_labels_scale_and_speaker_of_another_tools_scores_can_be_said(lab: Lab) -> None:
    score = {"traceId": "t1", "source": "API", "timestamp": "2026-03-01T09:30:00Z"}
    rows = [
        {**score, "id": "s1", "name": "tone", "dataType": "CATEGORICAL", "stringValue": "formal"},
        {**score, "id": "s2", "name": "points", "dataType": "NUMERIC", "value": 70},
    ]
    app = upload("scores.json", json.dumps(rows).encode())
    assert "1 would be rejected" in words_of(app)
    next(box for box in app.selectbox if box.label == "Meaning").select("down").run()
    next(box for box in app.checkbox if "name no scale" in box.label).check().run()
    for label, number in (("Lowest", 0.0), ("Highest", 100.0)):
        next(box for box in app.number_input if box.label == label).set_value(number).run()
    next(box for box in app.selectbox if box.label == "Who speaks").select("test").run()
    press(app, "Import")
    said = lab.store.rows("SELECT kind, value, scale_max, population FROM feedback ORDER BY value")
    assert [tuple(row.values()) for row in said] == [("thumb", -1.0, None, "test"), ("rating", 70.0, 100.0, "test")]
