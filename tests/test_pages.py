"""Every page draws without an error, on an empty store, on a small one, and on what strangers wrote."""

import os
from datetime import timedelta
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from feedback_lab import knowledge, review, serving
from feedback_lab.insights.periods import comparison
from feedback_lab.insights.rates import Rate
from feedback_lab.issues import tracking
from feedback_lab.records import Entry, utc_now
from feedback_lab.serving import Lab
from feedback_lab.ui.overview import sentence
from tests.builders import interaction, pattern, put, thumb
from tests.issue_builders import refreshed
from tests.page_builders import ENTRY_POINT, ROOT, open_tasks, page, some_feedback, words_of

PAGES = ("overview", "issues", "review", "knowledge", "upload")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_of_an_empty_store_says_what_to_do_first(lab: Lab, name: str) -> None:
    app = page(name)
    assert not app.exception
    assert len(words_of(app)) > 40


@pytest.mark.parametrize("name", PAGES)
def test_a_page_with_feedback_draws(lab: Lab, name: str) -> None:
    some_feedback(lab)
    tracking.refresh(lab.store)
    open_tasks(lab)
    app = page(name, reviewer="Ana")
    assert not app.exception
    assert not app.error


def test_the_overview_answers_with_the_rate_its_interval_and_n(lab: Lab) -> None:
    some_feedback(lab)
    words = words_of(page("overview"))
    assert "Positive rate is 57.1 % (" in words
    assert "n 35, 35 users" in words


def test_the_overview_shows_an_old_log_by_its_own_last_days(lab: Lab) -> None:
    long_ago = utc_now() - timedelta(days=900)
    put(lab.store, [interaction("i1", created_at=long_ago), thumb("f1", True, created_at=long_ago)])
    app = page("overview")
    assert f"{long_ago:%d %b %Y}" in words_of(app)
    assert "too few to conclude" in words_of(app)


def test_issues_are_grouped_on_request_and_say_what_fits_none(lab: Lab) -> None:
    some_feedback(lab)
    app = page("issues")
    next(button for button in app.button if button.label == "Group the comments").click().run()
    assert not app.exception
    assert "12 negative comments" in words_of(app)
    assert "fit none" in words_of(app)


def test_a_reviewer_is_asked_for_a_name_once_and_then_holds_a_case(lab: Lab) -> None:
    some_feedback(lab)
    open_tasks(lab)
    app = page("review")
    app.text_input(key="name_given").input("Ana")
    next(button for button in app.button if button.label == "Start reviewing").click().run()
    assert not app.exception
    assert "Ana holds this case" in words_of(app)
    assert [task.locked_by for task in review.tasks(lab.store) if task.locked_by] == ["Ana"]


def test_an_edit_stands_in_the_file_and_undo_takes_it_back(lab: Lab) -> None:
    some_feedback(lab)
    open_tasks(lab)
    app = page("review", reviewer="Ana")
    task = next(task for task in review.tasks(lab.store) if task.locked_by == "Ana")
    app.text_area(key=f"text_{task.task_id}").input("Ask for a new link in the app.")
    app.segmented_control(key=f"type_{task.task_id}").set_value("knowledge")
    app.button(key=f"edit_{task.task_id}").click().run()
    assert not app.exception
    assert "Ask for a new link in the app." in lab.files.knowledge.read_text()
    assert f"{len(task.feedback_ids)} feedback items closed" in words_of(app)

    undo = next(button for button in app.button if button.label.startswith("Undo last decision"))
    undo.click().run()
    assert not app.exception
    assert '"status": "retired"' in lab.files.knowledge.read_text()
    assert "Undone" in words_of(app)


def test_an_edit_without_text_is_refused_and_the_case_stays(lab: Lab) -> None:
    some_feedback(lab)
    open_tasks(lab)
    app = page("review", reviewer="Ana")
    task = next(task for task in review.tasks(lab.store) if task.locked_by == "Ana")
    app.text_area(key=f"text_{task.task_id}").input("  ")
    app.button(key=f"edit_{task.task_id}").click().run()
    assert "An edit needs its text" in words_of(app)
    assert [one.task_id for one in review.tasks(lab.store) if one.locked_by == "Ana"] == [task.task_id]


def test_a_decision_on_a_case_that_went_to_someone_else_changes_nothing(lab: Lab) -> None:
    some_feedback(lab)
    open_tasks(lab)
    app = page("review", reviewer="Ana")
    task = next(task for task in review.tasks(lab.store) if task.locked_by == "Ana")
    later = utc_now() + timedelta(hours=1)
    review.claim(lab.store, "Bob", task_id=task.task_id, lease_minutes=600, now=later)
    app.button(key=f"reject_{task.task_id}").click().run()
    assert not app.exception
    assert lab.store.scalar("SELECT count(*) FROM decision") == 0
    assert "is held by Bob" in words_of(app)
    assert f"reject_{task.task_id}" not in {button.key for button in app.button}


def test_the_rules_say_their_counts_before_they_open_anything(lab: Lab) -> None:
    some_feedback(lab)
    app = page("review")
    app.button(key="dry_queue").click().run()
    assert "would be opened now" in words_of(app)
    assert lab.store.scalar("SELECT count(*) FROM task") == 0
    app.button(key="run_queue").click().run()
    assert not app.exception
    assert lab.store.scalar("SELECT count(*) FROM task") > 0


def test_a_damaged_store_is_named_on_every_page(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FEEDBACK_LAB_HOME", str(home))
    serving.open_lab().store.damage = "The database is 3 acknowledged commits short."
    try:
        assert "3 acknowledged commits short" in words_of(page("overview"))
    finally:
        serving.close_lab()


def test_a_home_that_cannot_be_used_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    monkeypatch.setenv("FEEDBACK_LAB_HOME", str(blocked / "home"))
    app = AppTest.from_file(str(ENTRY_POINT), default_timeout=60).run()
    assert not app.exception
    assert "cannot be made" in words_of(app)


def test_an_address_with_a_task_opens_that_case(lab: Lab) -> None:
    pattern(lab.store, "How do I reset my password?", negative=12)
    pattern(lab.store, "Where is my parcel?", negative=4, start=40)
    open_tasks(lab)
    last = review.tasks(lab.store, reviewer="Ana")[-1]
    app = AppTest.from_file(str(ENTRY_POINT), default_timeout=60).run()
    app.session_state["reviewer"] = "Ana"
    app.query_params["task"] = last.task_id
    app.switch_page(os.path.relpath(ROOT / "pages" / "review.py", ENTRY_POINT.parent)).run()
    assert not app.exception
    assert review.find(lab.store, last.task_id).locked_by == "Ana"


def test_an_address_with_a_case_of_somebody_else_says_who_holds_it(lab: Lab) -> None:
    some_feedback(lab)
    open_tasks(lab)
    task = review.claim(lab.store, "Bob")[0]
    app = AppTest.from_file(str(ENTRY_POINT), default_timeout=60).run()
    app.session_state["reviewer"] = "Ana"
    app.query_params["task"] = task.task_id
    app.switch_page(os.path.relpath(ROOT / "pages" / "review.py", ENTRY_POINT.parent)).run()
    assert "is held by Bob" in words_of(app)


def test_a_change_within_chance_is_said_to_be_one() -> None:
    now = Rate(0.60, 0.55, 0.65, 400, 300, 0.60, 400, too_few=False)
    before = Rate(0.62, 0.57, 0.67, 400, 300, 0.62, 400, too_few=False)
    far = Rate(0.80, 0.76, 0.84, 400, 300, 0.80, 400, too_few=False)
    assert sentence(comparison(now, before), 30).endswith("2.0 points below the 30 days before, which may be chance")
    assert sentence(comparison(now, far), 30).endswith("20.0 points below the 30 days before")


def test_two_browsers_of_one_name_hold_different_cases_and_the_one_that_takes_over_decides(lab: Lab) -> None:
    some_feedback(lab)
    pattern(lab.store, "Where is my parcel from Lisbon?", negative=6, start=200)
    open_tasks(lab)
    first, second = page("review", reviewer="Ana"), page("review", reviewer="Ana")
    mine, other = first.session_state["held"], second.session_state["held"]
    assert mine.task_id != other.task_id

    (taken,) = review.claim(lab.store, "Ana", task_id=mine.task_id, tokens=())
    next(button for button in first.button if button.key == f"reject_{mine.task_id}").click().run()
    assert "claimed again since" in words_of(first)
    assert lab.store.scalar("SELECT count(*) FROM decision") == 0
    assert review.find(lab.store, mine.task_id).locked_by == "Ana"
    assert review.claim(lab.store, "Ana", task_id=mine.task_id, tokens=[taken.lease_token or ""])


def test_a_knowledge_file_that_cannot_be_read_is_named_and_closes_no_door(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.mkdir()
    (home / "knowledge.jsonl").write_text('{"question": "half a line\n', encoding="utf-8")
    monkeypatch.setenv("FEEDBACK_LAB_HOME", str(home))
    try:
        assert serving.open_lab().unpublished is not None
        app = page("overview")
        assert not app.exception
        assert "knowledge.jsonl" in words_of(app)
        (home / "knowledge.jsonl").unlink()
        assert "knowledge.jsonl" not in words_of(app.run())
    finally:
        serving.close_lab()


def test_half_typed_text_is_still_there_after_another_case_and_another_page(lab: Lab) -> None:
    some_feedback(lab)
    pattern(lab.store, "Where is my parcel from Lisbon?", negative=6, start=200)
    open_tasks(lab)
    app = page("review", reviewer="Ana")
    mine = app.session_state["held"].task_id
    other = next(task.task_id for task in review.tasks(lab.store) if task.task_id != mine)
    app.text_area(key=f"text_{mine}").input("Half a sentence").run()
    app.text_input(key=f"reason_{mine}").input("because").run()

    app.query_params["task"] = other
    app.run()
    assert app.session_state["held"].task_id == other
    app.text_area(key=f"text_{other}").input("The other half").run()
    app.switch_page(os.path.relpath(ROOT / "pages" / "issues.py", ENTRY_POINT.parent)).run()
    app.switch_page(os.path.relpath(ROOT / "pages" / "review.py", ENTRY_POINT.parent)).run()
    assert app.text_area(key=f"text_{other}").value == "The other half"

    app.query_params["task"] = mine
    app.run()
    assert app.text_area(key=f"text_{mine}").value == "Half a sentence"
    assert app.text_input(key=f"reason_{mine}").value == "because"


def test_a_second_press_on_a_case_just_decided_is_no_error(lab: Lab) -> None:
    some_feedback(lab)
    open_tasks(lab)
    app = page("review", reviewer="Ana")
    task = app.session_state["held"]
    app.button(key=f"reject_{task.task_id}").click().run()

    def press_again(task_id: str, token: str) -> None:
        from feedback_lab.records import Outcome
        from feedback_lab.ui import reviewing

        reviewing.decide(task_id, token, Outcome.REJECT)

    again = AppTest.from_function(press_again, args=(task.task_id, task.lease_token), default_timeout=60)
    for name in ("reviewer", "decided"):
        again.session_state[name] = app.session_state[name]
    again.run()
    assert not again.exception
    assert [kind for kind, _ in again.session_state["said"]] == ["info"]
    assert lab.store.scalar("SELECT count(*) FROM decision") == 1


def test_a_period_without_complaints_does_not_ask_to_group_what_is_grouped(lab: Lab) -> None:
    some_feedback(lab)
    assert refreshed(lab.store).issues
    lab.store.scalar("SELECT count(*) FROM issue")
    app = AppTest.from_file(str(ENTRY_POINT), default_timeout=60)
    app.query_params["until"] = "2020-01-01"
    app.run()
    assert not app.exception
    assert "Nobody has judged an answer in these 30 days" in words_of(app)
    assert "No issue yet" not in words_of(app)
    assert "0 undated" not in words_of(app)


def test_a_press_counts_though_the_same_session_just_took_the_lapsed_case_up_again(lab: Lab) -> None:
    some_feedback(lab)
    open_tasks(lab)
    app = page("review", reviewer="Ana")
    task = app.session_state["held"]
    later = utc_now() + timedelta(hours=1)
    (app.session_state["held"],) = review.claim(lab.store, "Ana", task_id=task.task_id, lease_minutes=600, now=later)
    assert app.session_state["held"].lease_token != task.lease_token
    app.button(key=f"reject_{task.task_id}").click().run()
    assert "feedback items closed" in words_of(app)
    assert lab.store.scalar("SELECT count(*) FROM decision") == 1


def test_a_search_opens_its_best_hit_though_the_address_names_another_entry(lab: Lab) -> None:
    entries = [
        Entry("e1", "How do I reset my password?", "By mail.", decided_by="Ana"),
        Entry("e2", "Where is the parcel?", "At the post office.", decided_by="Ana"),
    ]
    knowledge.add_entries(lab.store, lab.files, entries, by="test")
    app = AppTest.from_file(str(ENTRY_POINT), default_timeout=60).run()
    app.query_params["entry"] = "e1"
    app.switch_page(os.path.relpath(ROOT / "pages" / "knowledge.py", ENTRY_POINT.parent)).run()
    assert "By mail." in words_of(app)
    app.text_input(key="q").input("parcel").run()
    assert "At the post office." in words_of(app)
    assert "By mail." not in words_of(app)
