"""Shared builders: a fresh store in a fresh home, and small records with sensible defaults."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from feedback_lab import serving
from feedback_lab.serving import Lab
from feedback_lab.store import DATABASE_NAME, Store, open_store
from tests.browsing import open_tab
from tests.chromium import open_chromium
from tests.command_line import Ask, Refuse, asking, refusing


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database without rows, made once: copying it is ten times faster than making it."""
    folder = tmp_path_factory.mktemp("empty")
    open_store(folder).close()
    return folder / DATABASE_NAME


@pytest.fixture
def store(home: Path, empty_database: Path) -> Iterator[Store]:
    home.mkdir()
    shutil.copy(empty_database, home / DATABASE_NAME)
    opened = open_store(home)
    yield opened
    opened.close()


@pytest.fixture
def lab(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    """The open lab of this process, as the pages find it; they wait for their figures, however busy the machine is."""
    monkeypatch.setattr("feedback_lab.ui.background.QUICK_S", 60.0)
    monkeypatch.setenv("FEEDBACK_LAB_HOME", str(home))
    monkeypatch.delenv("FEEDBACK_LAB_DB", raising=False)
    yield serving.open_lab()
    serving.close_lab()


@pytest.fixture
def ask(home: Path, capsys: pytest.CaptureFixture[str]) -> Ask:
    """Run a command with --json in the test's home: `ask("imports")`."""
    return asking(home, capsys)


@pytest.fixture
def refuse(home: Path, capsys: pytest.CaptureFixture[str]) -> Refuse:
    """Run a command in the test's home that must be refused: `refuse(1, "import", "nothing.csv")`."""
    return refusing(home, capsys)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder with real data beside the checkout; tests skip without it, unless everything is required."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        if os.environ.get("FEEDBACK_LAB_REQUIRE_ALL") == "1":
            pytest.fail(f"{folder} is absent, and this run requires it")
        pytest.skip(f"{folder} is absent")
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium for the tests of a module."""
    with open_chromium() as opened:
        yield opened


@pytest.fixture
def tab(browser: Browser) -> Iterator[Page]:
    """A page of it that nobody used yet."""
    with open_tab(browser) as opened:
        yield opened
