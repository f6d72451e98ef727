"""Law 2 where the disk fails: nothing acknowledged is lost or doubled, and the process says why it stopped."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import duckdb
import httpx
import pytest
from sqlalchemy import text

from benchmarks import faults
from feedback_lab import serving
from feedback_lab.errors import DiskError, StoreError
from feedback_lab.store import Store, open_store
from tests.builders import MONDAY
from tests.server import free_port, serve_command

ADD = text("INSERT INTO marker VALUES (:name, :moment, 'release', 'x')")


@pytest.fixture(scope="session")
def strace(tmp_path_factory: pytest.TempPathFactory) -> str:
    """strace, where it is there and may trace; tests skip without it, unless everything is required."""
    program = shutil.which("strace")
    log = tmp_path_factory.mktemp("strace") / "log"
    if program and subprocess.run([program, "-o", str(log), "true"], capture_output=True).returncode == 0:
        return program
    if os.environ.get("FEEDBACK_LAB_REQUIRE_ALL") == "1":
        pytest.fail("strace is absent or may not trace, and this run requires it")
    pytest.skip("strace is absent or may not trace")


def add(store: Store, name: str) -> None:
    store.write(lambda connection: connection.execute(ADD, {"name": name, "moment": MONDAY}))


def test_calls_that_fail_and_kills_lose_and_double_nothing(strace: str, tmp_path: Path) -> None:
    hits, violated = faults.sweep(tmp_path, number=24, seed=7, jobs=2)
    assert violated == []
    assert sum(hits.values()) >= 12
    assert len(hits) >= 5


def test_a_damaged_log_is_refused_or_said_and_never_silently_short(tmp_path: Path) -> None:
    seen, violated = faults.damaged_logs(tmp_path, every=120)
    assert violated == []
    assert sum(seen.values()) > 50
    assert seen["cut, short, and said"] > 0


def test_a_log_that_the_engine_cannot_replay_is_called_damaged(store: Store) -> None:
    def work(_connection: object) -> None:
        raise duckdb.IOException("IO Error: Failure while replaying WAL file: Failed to decode LEB128 integer")

    with pytest.raises(StoreError, match="restore a backup"):
        store.write(work)


def fail_fatally(store: Store) -> None:
    """What the engine does when the disk fails a flush: this statement and every later one is refused."""

    def work(_connection: object) -> None:
        raise duckdb.FatalException("FATAL Error: fsync failed!")

    store.write(work)


def test_after_a_fatal_error_nothing_is_written_and_everything_is_read(store: Store) -> None:
    told: list[str] = []
    store.on_fatal = told.append
    add(store, "kept")
    for _ in range(2):
        with pytest.raises(StoreError, match="start Feedback Lab again"):
            fail_fatally(store)
    with pytest.raises(StoreError, match="Nothing is written before that"):
        add(store, "refused")

    assert len(told) == 1
    assert store.damage is not None
    assert "fsync failed" in store.damage
    assert [row["marker_id"] for row in store.rows("SELECT marker_id FROM marker")] == ["kept"]


def test_a_writer_that_waited_while_another_met_the_fatal_error_writes_nothing(store: Store) -> None:
    inside, go_on = threading.Event(), threading.Event()
    refused: list[StoreError] = []

    def fail(_connection: object) -> None:
        inside.set()
        assert go_on.wait(30)
        raise duckdb.FatalException("FATAL Error: fsync failed!")

    def first() -> None:
        with pytest.raises(StoreError):
            store.write(fail)

    def second() -> None:
        try:
            add(store, "late")
        except StoreError as error:
            refused.append(error)

    threads = [threading.Thread(target=first), threading.Thread(target=second)]
    threads[0].start()
    assert inside.wait(30)
    threads[1].start()
    go_on.set()
    for thread in threads:
        thread.join(30)

    assert len(refused) == 1
    assert store.rows("SELECT marker_id FROM marker") == []


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (duckdb.FatalException("FATAL Error: Could not write: No space left on device"), DiskError, "make room"),
        (duckdb.FatalException("FATAL Error: fsync failed!"), StoreError, "look after the disk"),
        (duckdb.TransactionException("Could not write file: No space left on device"), DiskError, "make room"),
        (OSError(5, "Input/output error"), DiskError, "refused a write"),
    ],
)
def test_what_the_disk_did_is_said_and_not_called_a_conflict(
    store: Store, error: Exception, kind: type[StoreError], said: str
) -> None:
    tries = []

    def work(_connection: object) -> None:
        tries.append(1)
        raise error

    with pytest.raises(kind, match=said) as caught:
        store.write(work)
    assert len(tries) == 1
    assert "conflict" not in str(caught.value).lower()


def test_a_server_whose_disk_fails_says_why_and_ends_for_its_supervisor(strace: str, tmp_path: Path) -> None:
    home, port = tmp_path / "home", free_port()
    open_store(home).close()
    log = tmp_path / "log.csv"
    log.write_text("question,answer,thumb\nhow?,so,down\n", encoding="utf-8")
    tracing = [strace, "-f", "-qq", "--seccomp-bpf", "-o", os.devnull, "-P", str(home / "feedback.duckdb.wal"),
               "-e", "trace=fdatasync", "-e", "inject=fdatasync:error=EIO:when=1+"]  # fmt: skip
    words = tmp_path / "words.log"
    with words.open("wb") as written:
        server = subprocess.Popen([*tracing, *serve_command(home, port)], stdout=written, stderr=written)
    try:
        program = "import sys; from feedback_lab.cli import main; main(sys.argv[1:])"
        wait_for_note(home, server)
        done = subprocess.run(
            [sys.executable, "-c", program, "--home", str(home), "import", str(log)], capture_output=True, text=True
        )
        assert (done.returncode, done.stdout) == (1, "")
        assert "stopped after a fatal error (fsync failed!)" in done.stderr
        assert len(done.stderr.splitlines()) == 1
        assert server.wait(60) == serving.EXIT_BROKEN
    finally:
        if server.poll() is None:
            server.kill()
            server.wait()

    assert "Feedback Lab ends: " in words.read_text(errors="replace")
    assert not (home / "server.json").exists()
    again = open_store(home)
    assert again.damage is None
    assert again.scalar("SELECT count(*) FROM feedback") == 0
    add(again, "writable")
    again.close()


def wait_for_note(home: Path, server: subprocess.Popen[bytes]) -> None:
    while server.poll() is None:
        try:
            note = json.loads((home / "server.json").read_text())
            if httpx.get(f"{note['url']}/_stcore/health", timeout=5).text == "ok":
                return
        except (OSError, ValueError, httpx.TransportError):
            continue
    raise AssertionError("the server ended at its start")
