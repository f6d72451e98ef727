"""A person at a page of the dashboard: waits until it stands still, presses, follows, chooses a row."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Locator, Page, expect

PATIENCE_MS = 60_000


@contextmanager
def open_tab(browser: Browser) -> Iterator[Page]:
    """A page of a browser that nobody used yet."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    yield context.new_page()
    context.close()


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


def choose_row(tab: Page, number: int, table: Locator | None = None) -> None:
    """Tick a row of a table (the page's first), counted from 1: a table is a canvas, so by its place."""
    _click_row(tab, number, table, 16)


def click_words(tab: Page, number: int) -> None:
    """Click the text of a row of the page's first table, counted from 1."""
    _click_row(tab, number, None, 120)


def _click_row(tab: Page, number: int, table: Locator | None, across: int) -> None:
    settled(tab)
    box = (table or tab.locator("[data-testid=stDataFrame]").first).locator("canvas").first
    box.scroll_into_view_if_needed()
    box.element_handle().wait_for_element_state("stable")  # figures that arrive above it push it down
    place = box.bounding_box()
    assert place is not None
    tab.mouse.click(place["x"] + across, place["y"] + 36 + 34 * (number - 1) + 17)
    settled(tab)


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
