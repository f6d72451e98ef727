"""Long work and the Issues page in a real Chromium: a stop, filters in the address, acts on an issue."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from feedback_lab import serving
from tests.browsing import choose_row, click_words, press, sees, settled
from tests.issue_builders import complain, refreshed
from tests.server import start_server

pytestmark = pytest.mark.browser


def test_a_stopped_import_stores_nothing_and_can_be_begun_again(home: Path, tab: Page, tmp_path: Path) -> None:
    log = tmp_path / "long.csv"
    rows = (f"How do I do the thing with the number {number}?,Like this.,up" for number in range(700_000))
    log.write_text("question,answer,thumb\n" + "\n".join(rows), "utf-8")
    running = start_server(home)
    try:
        tab.goto(f"{running.url}/upload")
        tab.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(log)
        sees(tab, "What was recognised")
        press(tab, "Import")
        tab.get_by_role("button", name="Stop").click()
        sees(tab, "Stopped. Nothing of the file was stored.")
        expect(tab.get_by_role("button", name="Import", exact=True)).to_be_enabled()
        expect(tab.get_by_text("Imports so far")).to_have_count(0)
    finally:
        running.stop()
    lab = serving.open_lab(home)
    try:
        counts = "SELECT (SELECT count(*) FROM interaction) + (SELECT count(*) FROM import_batch)"
        assert lab.store.scalar(counts) == 0
    finally:
        serving.close_lab()


@pytest.fixture
def issues_url(home: Path) -> Iterator[str]:
    """A running server with three issues: 12 comments about a card, 8 about a rate, 6 about logging in."""
    lab = serving.open_lab(home)
    try:
        for kind, count in (("card", 12), ("rate", 8), ("login", 6)):
            complain(lab.store, kind, count)
        assert len(refreshed(lab.store).issues) == 3
    finally:
        serving.close_lab()
    running = start_server(home)
    yield f"{running.url}/issues"
    running.stop()


def test_filters_live_in_the_address_and_survive_a_choice_a_reload_and_the_way_back(issues_url: str, tab: Page) -> None:
    tab.goto(issues_url)
    sees(tab, "3 issues of 3 shown")
    search = tab.get_by_placeholder("Search titles, keywords, quotes")
    search.fill("the")
    search.press("Enter")
    tab.get_by_role("combobox", name="Order").click()
    tab.get_by_role("option", name="Title").click()
    expect(tab).to_have_url(re.compile(r"q=the.*sort=Title"))
    click_words(tab, 2)
    expect(tab).to_have_url(re.compile(r"issue="))
    first = tab.url
    expect(tab).to_have_url(re.compile(r"q=the.*sort=Title"))
    settled(tab)
    title = tab.locator("[class*=st-key-title_]").inner_text()

    tab.reload()
    sees(tab, title)
    expect(search).to_have_value("the")
    assert tab.url == first
    click_words(tab, 1)
    expect(tab).not_to_have_url(first)
    tab.go_back()
    expect(tab).to_have_url(first)
    expect(tab.locator("[class*=st-key-title_]")).to_have_text(title)
    expect(search).to_have_value("the")


def test_an_issue_is_renamed_and_the_name_taken_back(issues_url: str, tab: Page) -> None:
    tab.goto(issues_url)
    title = tab.locator("[class*=st-key-title_]")
    before = title.inner_text()
    press(tab, "Work on this issue")
    tab.get_by_label("Your name").fill("Ana")
    press(tab, "Work on issues")
    press(tab, "Edit")
    tab.get_by_label("Title").fill("Cards that never come")
    press(tab, "Save")
    expect(title).to_have_text("Cards that never come")
    tab.keyboard.press("Escape")
    tab.locator(".st-key-issue_history").get_by_role("button", name="Undo").first.click()
    expect(title).to_have_text(before)


def test_comments_that_were_split_off_leave_no_others_ticked(issues_url: str, tab: Page) -> None:
    tab.goto(issues_url)
    press(tab, "Work on this issue")
    tab.get_by_label("Your name").fill("Ana")
    press(tab, "Work on issues")
    comments = tab.locator(".st-key-issue_comments [data-testid=stDataFrame]")
    choose_row(tab, 1, comments)
    choose_row(tab, 2, comments)
    press(tab, "Split 2 comments off")
    sees(tab, "2 comments split off into an issue of their own.")
    sees(tab, "4 issues of 4 shown")
    expect(tab.get_by_role("button", name="Split 2 comments off")).to_have_count(0)
