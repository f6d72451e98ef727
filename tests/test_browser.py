"""The dashboard in a real Chromium: the whole loop by mouse, and what a person does on the way."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from feedback_lab import knowledge, review, serving
from feedback_lab.ingest.load import import_file
from feedback_lab.ingest.planning.plan import Plan
from feedback_lab.records import Entry, utc_now
from tests.browsing import choose_row, click_words, follow, press, sees, settled
from tests.server import Server, start_server

pytestmark = pytest.mark.browser


@pytest.fixture
def server(home: Path) -> Iterator[Server]:
    running = start_server(home)
    yield running
    running.stop()


def write_log(path: Path) -> None:
    """40 rows: 16 people find the answer on passwords wrong, 24 are content with answers on other things."""
    start = utc_now() - timedelta(days=2)
    things = ("card", "invoice", "address", "holiday", "parcel", "voucher", "printer", "bicycle")
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["question", "answer", "thumb", "comment", "user", "timestamp", "model"])
        for number in range(40):
            bad = number % 5 in (1, 3)
            thing = things[number % len(things)]
            rows.writerow(
                [
                    "How do I reset my password?" if bad else f"Where is my {thing} number {number}?",
                    "Call us." if bad else f"Look under {thing}.",
                    "down" if bad else "up",
                    f"The password link in the mail is dead, tried {number} times" if bad else "",
                    f"user{number}",
                    f"{start + timedelta(minutes=number):%Y-%m-%d %H:%M:%S}",
                    "heron-1",
                ]
            )


def test_the_whole_loop_by_mouse(server: Server, tab: Page, tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    write_log(log)

    tab.goto(f"{server.url}/upload")
    tab.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(log)
    sees(tab, "What was recognised")
    press(tab, "Count without storing")
    sees(tab, "40 read = 40 new + 0 duplicate + 0 rejected")
    press(tab, "Import")
    sees(tab, "What became of every row")
    sees(tab, "40 read = 40 new + 0 duplicate + 0 rejected")
    assert list((server.home / "uploads").glob("*.csv")) == []

    press(tab, "Dry run of the rules")
    sees(tab, "1 would be opened now")
    press(tab, "Open 1 task")
    sees(tab, "1 was opened now")

    follow(tab, "Group the comments into issues")
    press(tab, "Group the comments")
    sees(tab, re.compile("1 issue in 16 negative comments"))
    sees(tab, "The most typical comment")

    follow(tab, "Review")
    tab.get_by_label("Your name").fill("Ana")
    press(tab, "Start reviewing")
    sees(tab, "Flagged turn")
    sees(tab, re.compile("Any decision closes 16 feedback items"))
    tab.get_by_text("Knowledge file", exact=True).click()
    settled(tab)
    tab.get_by_label("Your version").fill("Open the app, tap Help, then New password.")
    press(tab, "Publish my version")
    sees(tab, "Your version is accepted and stands in knowledge.jsonl.")

    entry = json.loads((server.home / "knowledge.jsonl").read_text())
    assert entry["question"] == "How do I reset my password?"
    assert entry["answer"] == "Open the app, tap Help, then New password."
    assert entry["decided_by"] == "Ana"
    assert len(entry["sources"]) == 16

    follow(tab, "Knowledge")
    sees(tab, "Open the app, tap Help, then New password.")
    follow(tab, "Overview")
    sees(tab, "Positive rate is 60.0 %")


def test_a_deep_link_into_a_fresh_process_runs_the_entry_point(server: Server, tab: Page) -> None:
    tab.goto(f"{server.url}/review")
    sees(tab, "What needs a human now?")
    expect(tab.get_by_role("link", name="Upload").first).to_be_visible()
    assert tab.title() == "Feedback Lab"
    assert tab.locator(".st-key-content").count() == 1


def test_two_browsers_never_hold_the_same_case(home: Path, tab: Page, tmp_path: Path) -> None:
    write_log(tmp_path / "log.csv")
    lab = serving.open_lab(home)
    plan = Plan({"input": "question", "output": "answer", "value": "thumb", "user": "user"})
    import_file(lab.store, tmp_path / "log.csv", plan)
    assert review.run_rules(lab.store, ["seed"], similarity=0.9, budget=None).opened == 1
    serving.close_lab()
    running = start_server(home)
    try:
        assert tab.context.browser is not None
        other = tab.context.browser.new_page()
        for page, name in ((tab, "Ana"), (other, "Bob")):
            page.goto(f"{running.url}/review")
            page.get_by_label("Your name").fill(name)
            press(page, "Start reviewing")
        sees(tab, "Ana holds this case")
        sees(other, "All open cases are held by others")
        tab.reload()  # the name is asked once, and the case is not left behind
        sees(tab, "Ana holds this case")
        other.close()
    finally:
        running.stop()


def test_an_import_is_taken_back_from_the_list(home: Path, tab: Page, tmp_path: Path) -> None:
    write_log(tmp_path / "log.csv")
    lab = serving.open_lab(home)
    import_file(lab.store, tmp_path / "log.csv", Plan({"input": "question", "value": "thumb", "user": "user"}))
    serving.close_lab()
    running = start_server(home)
    try:
        tab.goto(f"{running.url}/upload")
        sees(tab, "Imports so far")
        choose_row(tab, 1)
        sees(tab, "Taking back log.csv removes what its 40 new rows added")
        press(tab, "Take this import back")
        sees(tab, "40 interactions, 40 feedback and 0 undecided tasks removed")
    finally:
        running.stop()


def small_lab(home: Path, folder: Path) -> None:
    write_log(folder / "log.csv")
    lab = serving.open_lab(home)
    try:
        columns = {"input": "question", "output": "answer", "value": "thumb", "comment": "comment", "user": "user"}
        import_file(lab.store, folder / "log.csv", Plan(columns))
        entries = [Entry(f"e{number}", f"Question {number}?", "So it is.", decided_by="test") for number in range(3)]
        knowledge.add_entries(lab.store, lab.files, entries, by="test")
        review.run_rules(lab.store, similarity=0.7, budget=None)
    finally:
        serving.close_lab()


def test_a_click_on_the_words_of_a_row_opens_it_and_back_returns(home: Path, tab: Page, tmp_path: Path) -> None:
    small_lab(home, tmp_path)
    running = start_server(home)
    try:
        tab.goto(f"{running.url}/knowledge")
        click_words(tab, 2)
        expect(tab).to_have_url(re.compile("entry="))
        first = tab.url
        click_words(tab, 3)
        expect(tab).not_to_have_url(first)
        tab.go_back()
        expect(tab).to_have_url(first)
        settled(tab)
    finally:
        running.stop()


def test_half_typed_text_survives_a_look_at_another_page(home: Path, tab: Page, tmp_path: Path) -> None:
    small_lab(home, tmp_path)
    running = start_server(home)
    try:
        tab.goto(f"{running.url}/review")
        tab.get_by_label("Your name").fill("Ana")
        press(tab, "Start reviewing")
        text = tab.get_by_label("Your version")
        text.fill("Half a sentence")
        settled(tab)
        tab.get_by_role("link", name="Issues").first.click(delay=500)  # a hand: the press ends the typing
        sees(tab, "The comments are not grouped yet")
        expect(text).to_have_count(0)
        follow(tab, "Review")
        expect(text).to_have_value("Half a sentence")
    finally:
        running.stop()
