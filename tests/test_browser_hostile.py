"""What strangers wrote, on every page in a real Chromium: it stays plain text, and nothing leaves the origin."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from feedback_lab import knowledge, review, serving
from feedback_lab.ingest.load import import_file
from feedback_lab.ingest.planning.plan import Plan
from feedback_lab.issues import acts
from feedback_lab.published_text import reveal
from feedback_lab.records import Entry
from tests.browsing import Beacon, click_words, press, sees, settled
from tests.issue_builders import refreshed
from tests.server import Server, start_server

pytestmark = pytest.mark.browser


@pytest.fixture
def beacon() -> Iterator[Beacon]:
    opened = Beacon()
    yield opened
    opened.socket.close()


@pytest.fixture
def lines(shared_data: Path, beacon: Beacon) -> list[str]:
    found = (shared_data.parent / "checks" / "hostile_text.txt").read_text("utf-8").splitlines()
    return [line.replace("127.0.0.1:9", beacon.address) for line in found if line]


def fill_with(lines: list[str], home: Path, folder: Path) -> None:
    """A home in which every text that a stranger can write is one of the lines."""
    log = folder / f"{lines[0].replace('/', '_')}.csv"
    with log.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["q", "a", "c", "s", "m", "p", "t", "u", "v"])
        for number, line in enumerate(lines):
            rows.writerow([f"{line} {number}", line, line, line, line, line, line, f"u{number}", "down"])
            rows.writerow([f"{line} {number}", line, line, "", line, line, line, f"w{number}", "down"])
        rows.writerow([lines[0], lines[1]])
    fields = ("input", "output", "comment", "suggested_answer", "model", "prompt_version")
    plan = Plan({**dict(zip(fields, "qacsmp", strict=True)), "tag:t": "t", "user": "u", "value": "v"})
    lab = serving.open_lab(home)
    try:
        report = import_file(lab.store, log, plan)
        assert (report.new, report.rejected) == (2 * len(lines), 1)
        for number, issue in enumerate(refreshed(lab.store).issues):
            title = f"{lines[number % len(lines)][:100]} {issue.issue_id[-4:]}"
            acts.rename(lab.store, issue.issue_id, title, lines[1][:60])
            acts.set_owner(lab.store, issue.issue_id, lines[2][:60], lines[3][:60])
            acts.set_note(lab.store, issue.issue_id, "\n".join(lines[:6]), "Ana")
        entries = [Entry(f"e{number}", line, line, decided_by=line) for number, line in enumerate(lines)]
        knowledge.add_entries(lab.store, lab.files, entries, by="test")
        assert review.run_rules(lab.store, similarity=0.95, budget=None).opened > 5
    finally:
        serving.close_lab()


class Watch:
    """Everything that a tab asks for and complains of; `is_plain` looks at the page as it stands."""

    def __init__(self, tab: Page, running: Server, beacon: Beacon) -> None:
        self.tab, self.url, self.beacon = tab, running.url, beacon
        self.requests: list[str] = []
        self.complaints: list[str] = []
        tab.on("request", lambda request: self.requests.append(request.url))
        tab.on("console", lambda message: self.complaints.append(message.text))

    def _foreign(self, urls: list[str]) -> list[str]:
        return [url for url in urls if url and not url.startswith((self.url, "data:", "blob:"))]

    def is_plain(self) -> None:
        settled(self.tab)
        assert self.tab.evaluate("window.__x") is None
        sources = "[...document.querySelectorAll('[href],[src]')].map(e => e.href?.baseVal ?? e.href ?? e.src)"
        assert self._foreign(self.tab.evaluate(sources)) == []
        assert self.tab.locator("iframe").count() == 0

    def nothing_left_the_origin(self) -> None:
        assert self._foreign(self.requests) == []
        assert [words for words in self.complaints if self.beacon.address in words] == []
        assert self.beacon.hits == 0


@pytest.fixture
def watch(home: Path, tmp_path: Path, tab: Page, beacon: Beacon, lines: list[str]) -> Iterator[Watch]:
    fill_with(lines, home, tmp_path)
    running = start_server(home)
    try:
        watch = Watch(tab, running, beacon)
        yield watch
        watch.nothing_left_the_origin()
    finally:
        running.stop()


def test_what_strangers_wrote_stays_plain_text_where_it_is_read(watch: Watch, tab: Page, lines: list[str]) -> None:
    for address in ("", "?by=model", "?by=tag:t", "issues", "knowledge?entry=e0", "knowledge?q=autolink", "upload"):
        tab.goto(f"{watch.url}/{address}")
        settled(tab)
        watch.is_plain()

    tab.goto(f"{watch.url}/review")
    tab.get_by_label("Your name").fill("Ana")
    press(tab, "Start reviewing")
    seen: set[str] = set()
    for _ in range(8):
        sees(tab, "Flagged turn")
        watch.is_plain()
        text = tab.locator("[data-testid=stMain]").inner_text()
        seen |= {line for line in lines if reveal(line) in text}
        press(tab, "Skip")
    assert len(seen) >= 5


def test_what_strangers_wrote_stays_plain_text_where_issues_are_worked_on(
    watch: Watch, tab: Page, lines: list[str]
) -> None:
    tab.goto(f"{watch.url}/issues?q={lines[5].split('/')[-1]}")
    watch.is_plain()
    tab.goto(f"{watch.url}/issues")
    press(tab, "Work on this issue")
    tab.get_by_label("Your name").fill(lines[4])
    press(tab, "Work on issues")
    sees(tab, "What was done")
    text = tab.locator("[data-testid=stMain]").inner_text()
    assert f"Owner {lines[2][:60]}" in text
    assert lines[3][:60] in text  # who named the owner
    click_words(tab, 2)
    expect(tab).to_have_url(re.compile("issue="))
    watch.is_plain()
    for name in ("Edit", "Merge, split", "Send to review", "Copy link"):
        press(tab, name)
        watch.is_plain()
        tab.keyboard.press("Escape")
    press(tab, "Lock")
    sees(tab, re.compile("Locked “"))
    press(tab, "Refresh")
    press(tab, "Group everything from nothing")
    sees(tab, "This would change")
    watch.is_plain()


def test_what_strangers_wrote_stays_plain_text_where_files_come_in(
    watch: Watch, tab: Page, tmp_path: Path, lines: list[str]
) -> None:
    upload = tmp_path / f"{lines[1].replace('/', '_')}.csv"
    header = f'"{lines[0]}","tag:{lines[0]}",comment,polarity\n'
    upload.write_text(header + f'x,y,"{lines[4]}","{lines[0]}"\n' * 3 + 'x,y,fine,positive\n"short"\n', "utf-8")
    tab.goto(f"{watch.url}/upload")
    tab.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(upload)
    sees(tab, "What these words mean")
    watch.is_plain()
    tab.get_by_role("combobox", name="Question").first.click()
    expect(tab.get_by_role("option", name=lines[0], exact=True)).to_be_visible()
    watch.is_plain()
    tab.keyboard.press("Escape")
    tab.get_by_text("Keep this mapping").click()
    tab.get_by_label("Name of the mapping").fill(lines[5])
    press(tab, "Keep")
    sees(tab, "is used for the next file with these columns")
    watch.is_plain()
    press(tab, "Import")
    sees(tab, "5 read = 1 new + 0 duplicate + 4 rejected")
    watch.is_plain()
    click_words(tab, 1)
    sees(tab, "Taking back")
    watch.is_plain()
    press(tab, "Upload another file")
    tab.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(upload)
    sees(tab, re.compile("Mapped as"))
    watch.is_plain()
