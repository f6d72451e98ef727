"""Large files: one-time tickets, streaming to disk, and no file left behind that nobody took."""

from __future__ import annotations

import os
import re
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from feedback_lab import uploads
from feedback_lab.errors import DiskError, InputError
from feedback_lab.records import new_id
from feedback_lab.store import Store
from feedback_lab.ui.headers import BROWSER_COOKIE
from feedback_lab.uploads import DESK, Desk, Ticket
from tests.browsing import open_tab
from tests.chromium import open_chromium
from tests.collector_server import Api, serving_collector
from tests.server import Server, start_server

PATIENCE_MS = 90_000


@pytest.fixture
def api(store: Store) -> Iterator[Api]:
    """The real API over HTTP, which takes files up to 1 MB here."""
    (store.home / "feedback_lab.toml").write_text("upload_mb = 1\n")
    with serving_collector(store) as running:
        yield running


def send(api: Api, ticket: Ticket, content: Any = b"a,b\n1,2\n", **headers: str) -> httpx.Response:
    given = {"Authorization": f"Bearer {ticket.token}", "Cookie": f"{BROWSER_COOKIE}=mine"} | headers
    return httpx.put(f"{api.url}/api/v1/uploads/{ticket.upload_id}", content=content, headers=given, timeout=30)


def lying_in(home: Path) -> list[str]:
    return sorted(path.name for path in (home / "uploads").glob("*"))


def test_a_file_comes_whole_and_is_taken_once(api: Api, store: Store) -> None:
    ticket, content = DESK.ticket("mine"), os.urandom(700_000)
    answer = send(api, ticket, content)
    path = DESK.take(ticket)

    assert (answer.status_code, answer.json()) == (201, {"id": ticket.upload_id, "bytes": 700_000})
    assert path is not None
    assert path.parent == store.home / "uploads"
    assert path.read_bytes() == content
    assert DESK.take(ticket) is None


@pytest.mark.parametrize("token", ["x", "a" * 43])
def test_a_foreign_token_is_refused(api: Api, store: Store, token: str) -> None:
    ticket = DESK.ticket("mine")
    answer = send(api, Ticket(ticket.upload_id, token))
    assert (answer.status_code, answer.json()["error"]) == (401, "no_ticket")
    assert send(api, Ticket(new_id(), ticket.token)).status_code == 401
    assert lying_in(store.home) == []
    assert send(api, ticket).status_code == 201, "a wrong try does not use the ticket up"


def test_a_ticket_of_another_browser_is_refused(api: Api) -> None:
    assert send(api, DESK.ticket("another")).status_code == 401
    assert send(api, DESK.ticket("mine"), Cookie="other=1").status_code == 401


def test_a_ticket_is_good_for_one_file(api: Api) -> None:
    ticket = DESK.ticket("mine")
    assert [send(api, ticket).status_code for _ in range(2)] == [201, 401]


def test_a_ticket_is_good_for_an_hour() -> None:
    now = [0.0]
    desk = Desk(lambda: now[0])
    early, late = desk.ticket("mine"), desk.ticket("mine")
    now[0] = uploads.TICKET_LIFE_S - 1
    assert desk.redeem(early.upload_id, early.token, "mine")
    now[0] = uploads.TICKET_LIFE_S
    assert not desk.redeem(late.upload_id, late.token, "mine")


def test_a_file_above_the_limit_is_refused_before_it_comes(api: Api, store: Store) -> None:
    answer = send(api, DESK.ticket("mine"), b"x" * 1_000_001)
    assert answer.status_code == 422
    assert "upload_mb" in answer.json()["message"]
    assert lying_in(store.home) == []


def test_a_file_without_its_length_is_refused(api: Api) -> None:
    answer = send(api, DESK.ticket("mine"), iter([b"a,b\n"]))
    assert (answer.status_code, answer.json()["error"]) == (411, "no_length")


def test_an_empty_file_is_refused(api: Api) -> None:
    assert send(api, DESK.ticket("mine"), b"").status_code == 422


def test_an_upload_that_breaks_off_leaves_nothing(api: Api, store: Store) -> None:
    ticket = DESK.ticket("mine")
    place = urlsplit(api.url)
    request = (
        f"PUT /api/v1/uploads/{ticket.upload_id} HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n"
        f"Authorization: Bearer {ticket.token}\r\nCookie: {BROWSER_COOKIE}=mine\r\n\r\nonly this"
    )
    with socket.create_connection((place.hostname, place.port)) as connection:
        connection.sendall(request.encode())
        eventually(lambda: lying_in(store.home) == [f"{ticket.upload_id}.part"])
    eventually(lambda: lying_in(store.home) == [])
    assert DESK.take(ticket) is None


def eventually(holds: Callable[[], bool]) -> None:
    """Wait for what another thread does."""
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_full_disk_is_said_before_the_file_comes(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    with pytest.raises(DiskError, match="make room"):
        uploads.room_for(tmp_path, free, limit=free + 1)
    with pytest.raises(InputError, match="upload_mb"):
        uploads.room_for(tmp_path, 2, limit=1)
    uploads.room_for(tmp_path, 1, limit=1)


def test_what_nobody_took_is_removed_and_what_belongs_to_people_stays(tmp_path: Path) -> None:
    folder = tmp_path / "uploads"
    folder.mkdir()
    old, young, broken = (folder / f"{new_id()}{end}" for end in (".csv", ".csv", ".part"))
    unfinished = folder / f"rejected-{new_id()}.csv.part"  # of an import that was killed
    kept = [folder / f"rejected-{new_id()}.csv", folder / "my notes.csv"]
    for path in (old, young, broken, unfinished, *kept):
        path.write_text("x")
        os.utime(path, (0, 0))
    os.utime(young)

    assert uploads.remove_abandoned(tmp_path) == 3
    assert sorted(folder.iterdir()) == sorted([young, *kept])
    assert uploads.remove_abandoned(tmp_path, 0) == 1
    assert uploads.remove_abandoned(tmp_path / "no home") == 0


def test_a_server_removes_at_its_start_what_was_left(home: Path) -> None:
    left = home / "uploads" / f"{new_id()}.csv"
    left.parent.mkdir(parents=True)
    left.write_text("x")
    running = start_server(home)
    try:
        assert not left.exists()
    finally:
        running.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = start_server(tmp_path_factory.mktemp("large") / "home")
    yield running
    running.stop()


@pytest.fixture
def tab(browser: Browser) -> Iterator[Page]:
    with open_tab(browser) as opened:
        opened.set_default_timeout(PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)
        yield opened


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 MB in 600 rows."""
    path = tmp_path_factory.mktemp("file") / "conversations.csv"
    with path.open("w", encoding="utf-8") as handle:
        handle.write("question,answer,thumb\n")
        for number in range(600):
            handle.write(
                f"How do I reset password {number}?,{'so and so ' * 10_000},{'down' if number % 3 else 'up'}\n"
            )
    assert path.stat().st_size > 60_000_000
    return path


def chooser(tab: Page, server: Server) -> Any:
    tab.goto(f"{server.url}/upload")
    box = tab.locator(".large-file input[type=file]")
    box.wait_for(state="attached")
    return box


@pytest.mark.browser
def test_a_file_of_60_mb_is_streamed_and_recognised_as_any_other(server: Server, tab: Page, large: Path) -> None:
    chooser(tab, server).set_input_files(large)
    expect(tab.get_by_text("What was recognised").first).to_be_visible()
    expect(tab.get_by_text("conversations.csv").first).to_be_visible()
    (kept,) = (server.home / "uploads").glob("*.csv")
    assert kept.stat().st_size == large.stat().st_size


@pytest.mark.browser
def test_an_upload_that_is_stopped_leaves_nothing_and_may_be_tried_again(
    server: Server, tab: Page, large: Path, tmp_path: Path
) -> None:
    before = lying_in(server.home)
    box = chooser(tab, server)
    held: list[Route] = []
    # Neither sent nor refused, until it is let go.
    tab.route(re.compile("/api/v1/uploads/"), lambda route: held.append(route))
    box.set_input_files(large)
    stop = tab.locator(".large-file button")
    expect(stop).to_be_visible()
    tab.screenshot(path=str(tmp_path / "sending.png"))
    stop.click()
    expect(tab.get_by_text("Stopped. Nothing of the file is kept.")).to_be_visible()
    assert lying_in(server.home) == before

    tab.unroute_all(behavior="ignoreErrors")
    tab.locator(".large-file input[type=file]").set_input_files(large)
    expect(tab.get_by_text("What was recognised").first).to_be_visible()


@pytest.mark.browser
def test_a_token_of_somebody_else_opens_no_upload(server: Server, tab: Page, large: Path) -> None:
    chooser(tab, server)
    status = tab.evaluate(
        """async () => {
            const given = {method: "PUT", body: "a,b", headers: {Authorization: "Bearer foreign"}}
            return (await fetch("/api/v1/uploads/0199d0a0-0000-7000-8000-000000000000", given)).status
        }"""
    )
    assert status == 401
