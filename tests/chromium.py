"""A real Chromium for tests."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

# Without these, Chromium looks for Google's hosts at every start; tests have no network.
ARGUMENTS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()


@contextmanager
def open_chromium() -> Iterator[Browser]:
    """The browser; the test is skipped where there is none, unless everything is required."""
    program = "/usr/bin/chromium" if Path("/usr/bin/chromium").exists() else shutil.which("chromium")
    if program is None:
        if os.environ.get("FEEDBACK_LAB_REQUIRE_ALL") == "1":
            pytest.fail("Chromium is absent, and this run requires it")
        pytest.skip("Chromium is absent")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=program, headless=True, args=ARGUMENTS)
        yield opened
        opened.close()
