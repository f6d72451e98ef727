"""Somebody who clicks through the pages of the dashboard in a real browser, while something else is measured.

A user's browser mostly runs on another machine. Here it shares the cores, and Linux shares them between sessions, of
which the browser's is one: no priority inside a session says anything to another. `yield_cores` leaves the browser's
session a tenth of the share of others, where they want the cores. Its profile is kept in memory, so that it does not
write to the disk whose commits are measured.
"""

from __future__ import annotations

import multiprocessing
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PAGES = ("", "issues", "review", "knowledge")
READY = "[data-testid=stApp][data-test-connection-state=CONNECTED][data-test-script-state=notRunning]"
MEMORY = Path("/dev/shm")
YIELDING = 10  # a niceness: a tenth of the usual share; at 19 a browser on a busy machine hardly draws a page
LOOKS_MS = 1_000  # a person looks before the next click


class Visitor:
    """Goes from page to page in a process of its own; `visits` are the pages seen to their end."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._stop, self._yields = multiprocessing.Event(), multiprocessing.Event()
        self._visits = multiprocessing.Value("i", 0)
        self._process = multiprocessing.Process(target=self._click)
        self._process.start()

    @property
    def visits(self) -> int:
        return int(self._visits.value)

    def wait_for(self, visits: int) -> None:
        """Come back when so many more pages were seen."""
        until = self.visits + visits
        while self.visits < until:
            assert self._process.is_alive(), "the browser ended"
            time.sleep(0.1)

    def yield_cores(self) -> None:
        """From its next click on, the browser leaves the cores to others that want them (on Linux)."""
        self._yields.set()

    def leave(self) -> None:
        self._stop.set()
        self._process.join()

    def _click(self) -> None:
        from playwright.sync_api import sync_playwright

        with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as profile, sync_playwright() as play:
            browser = play.chromium.launch_persistent_context(
                profile,
                executable_path="/usr/bin/chromium",
                args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
            )
            tab = browser.new_page()
            tab.set_default_timeout(60_000)
            while not self._stop.is_set():
                if self._yields.is_set():
                    _let_yield(profile)
                tab.goto(f"http://127.0.0.1:{self._port}/{PAGES[self.visits % len(PAGES)]}")
                tab.locator(READY).wait_for(state="attached")
                tab.wait_for_timeout(LOOKS_MS)
                self._visits.value += 1
            browser.close()


def _let_yield(profile: str) -> None:
    """Give the sessions of the processes that were started with this profile a smaller share of the cores."""
    for said in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if profile.encode() in said.read_bytes():
                os.setpriority(os.PRIO_PGRP, os.getpgid(int(said.parent.name)), YIELDING)
                (said.parent / "autogroup").write_text(str(YIELDING))


@contextmanager
def visitor(port: int) -> Iterator[Visitor]:
    """Somebody who has seen two pages already, and leaves at the end."""
    one = Visitor(port)
    try:
        one.wait_for(2)
        yield one
    finally:
        one.leave()
