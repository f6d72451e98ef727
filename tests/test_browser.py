"""The dashboard in a real Chromium: the whole loop by mouse, and what strangers wrote staying plain text."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from feedback_lab import knowledge, review, serving
from feedback_lab.ingest.load import import_file
from feedback_lab.ingest.plan import Plan
from feedback_lab.issues import tracking
from feedback_lab.published_text import reveal
from feedback_lab.records import Entry, utc_now
from tests.server import Server, start_server

pytestmark = pytest.mark.browser

# Without these, Chromium looks for Google's hosts at every start; tests have no network.
ARGUMENTS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
PATIENCE_MS = 60_000


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = "/usr/bin/chromium" if Path("/usr/bin/chromium").exists() else shutil.which("chromium")
    if program is None:
        if os.environ.get("FEEDBACK_LAB_REQUIRE_ALL") == "1":
            pytest.fail("Chromium is absent, and this run requires it")
        pytest.skip("Chromium is absent")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=program, headless=True, args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture
def tab(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    yield context.new_page()
    context.close()


@pytest.fixture
def server(home: Path) -> Iterator[Server]:
    running = start_server(home)
    yield running
    running.stop()


def settled(tab: Page) -> None:
    """The page is connected, and its script has run to the end."""
    app = tab.locator("[data-testid=stApp][data-test-connection-state=CONNECTED][data-test-script-state=notRunning]")
    app.wait_for(state="attached")


def sees(tab: Page, words: str | re.Pattern[str]) -> None:
    """The words stand on the page. While a run replaces parts of it, old and new may both be there."""
    expect(tab.get_by_text(words).filter(visible=True).first).to_be_visible()
    settled(tab)


def press(tab: Page, label: str) -> None:
    settled(tab)
    tab.get_by_role("button", name=label).first.click()
    settled(tab)


def follow(tab: Page, label: str) -> None:
    settled(tab)
    tab.get_by_role("link", name=label).first.click()
    settled(tab)


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
    tab.locator("input[type=file]").set_input_files(log)
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


class Beacon:
    """A listener that counts who connects: nothing in the pages may."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.socket.getsockname()[1]}"
        self.hits = 0
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.hits += 1
            connection.close()


@pytest.fixture
def beacon() -> Iterator[Beacon]:
    opened = Beacon()
    yield opened
    opened.socket.close()


@pytest.fixture
def hostile_lines(shared_data: Path, beacon: Beacon) -> list[str]:
    lines = (shared_data.parent / "checks" / "hostile_text.txt").read_text("utf-8").splitlines()
    return [line.replace("127.0.0.1:9", beacon.address) for line in lines if line]


def fill_with(lines: list[str], home: Path, folder: Path) -> None:
    """A home in which every text that a stranger can write is one of the lines."""
    log = folder / f"{lines[0].replace('/', '_')}.csv"
    with log.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["q", "a", "c", "s", "m", "p", "t", "u", "v"])
        for number, line in enumerate(lines):
            rows.writerow([f"{line} {number}", line, line, line, line, line, line, f"u{number}", "down"])
            rows.writerow([f"{line} {number}", line, line, "", line, line, line, f"w{number}", "down"])
    fields = ("input", "output", "comment", "suggested_answer", "model", "prompt_version")
    columns = dict(zip(fields, "qacsmp", strict=True))
    lab = serving.open_lab(home)
    try:
        report = import_file(lab.store, log, Plan({**columns, "tag:t": "t", "user": "u", "value": "v"}))
        assert report.new == 2 * len(lines)
        for issue in tracking.refresh(lab.store).issues:
            tracking.rename(lab.store, issue.issue_id, f"{lines[0]} {issue.issue_id[-4:]}", lines[1])
        entries = [Entry(f"e{number}", line, line, decided_by=line) for number, line in enumerate(lines)]
        knowledge.add_entries(lab.store, lab.files, entries, by="test")
        assert review.run_rules(lab.store, similarity=0.95, budget=None).opened > 5
    finally:
        serving.close_lab()


def test_what_strangers_wrote_stays_plain_text_on_every_page(
    home: Path, tmp_path: Path, tab: Page, beacon: Beacon, hostile_lines: list[str]
) -> None:
    fill_with(hostile_lines, home, tmp_path)
    running = start_server(home)
    requests: list[str] = []
    complaints: list[str] = []
    tab.on("request", lambda request: requests.append(request.url))
    tab.on("console", lambda message: complaints.append(message.text))

    def is_plain() -> None:
        settled(tab)
        assert tab.evaluate("window.__x") is None
        sources = "[...document.querySelectorAll('[href],[src]')].map(e => e.href?.baseVal ?? e.href ?? e.src)"
        foreign = [url for url in tab.evaluate(sources) if url and not url.startswith((running.url, "data:", "blob:"))]
        assert foreign == []
        assert tab.locator("iframe").count() == 0

    try:
        for address in ("", "?by=model", "?by=tag:t", "issues", "knowledge?entry=e0", "knowledge?q=autolink", "upload"):
            tab.goto(f"{running.url}/{address}")
            settled(tab)
            is_plain()

        tab.goto(f"{running.url}/review")
        tab.get_by_label("Your name").fill("Ana")
        press(tab, "Start reviewing")
        seen: set[str] = set()
        for _ in range(8):
            sees(tab, "Flagged turn")
            is_plain()
            text = tab.locator("[data-testid=stMain]").inner_text()
            seen |= {line for line in hostile_lines if reveal(line) in text}
            press(tab, "Skip")
        assert len(seen) >= 5

        upload = tmp_path / f"{hostile_lines[1].replace('/', '_')}.csv"
        header = f'"{hostile_lines[0]}","tag:{hostile_lines[0]}",comment,polarity\n'
        upload.write_text(header + f'x,y,"{hostile_lines[4]}","{hostile_lines[0]}"\n' * 3, "utf-8")
        tab.goto(f"{running.url}/upload")
        tab.locator("input[type=file]").set_input_files(upload)
        sees(tab, "What these words mean")
        is_plain()
        tab.get_by_role("combobox", name="Question").first.click()
        expect(tab.get_by_role("option", name=hostile_lines[0], exact=True)).to_be_visible()
        is_plain()
    finally:
        running.stop()
    assert [url for url in requests if not url.startswith((running.url, "data:", "blob:"))] == []
    assert [words for words in complaints if beacon.address in words] == []
    assert beacon.hits == 0


def choose_row(tab: Page, number: int) -> None:
    """Tick a row of the page's first table, counted from 1: a table is a canvas, so by its place."""
    settled(tab)
    box = tab.locator("[data-testid=stDataFrame] canvas").first
    box.scroll_into_view_if_needed()
    place = box.bounding_box()
    assert place is not None
    tab.mouse.click(place["x"] + 16, place["y"] + 36 + 34 * (number - 1) + 17)
    settled(tab)


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


def click_words(tab: Page, number: int) -> None:
    """Click the text of a row of the page's first table, counted from 1."""
    settled(tab)
    table = tab.locator("[data-testid=stDataFrame] canvas").first
    table.scroll_into_view_if_needed()
    place = table.bounding_box()
    assert place is not None
    tab.mouse.click(place["x"] + 120, place["y"] + 36 + 34 * (number - 1) + 17)
    settled(tab)
