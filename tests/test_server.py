"""The real server in a process of its own: what answers where, under which headers, and what stops a start."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from feedback_lab import serving
from feedback_lab.errors import LabError
from tests.server import Server, free_port, serve_command, start_server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory):
    running = start_server(tmp_path_factory.mktemp("served"))
    yield running
    running.stop()


def test_health_is_json_from_the_process_that_shows_the_pages(server: Server) -> None:
    answer = httpx.get(f"{server.url}/api/v1/health")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["status"] == "ok"
    assert answer.json()["version"]


@pytest.mark.parametrize("path", ["/", "/review", "/api/v1/health", "/api/nothing", "/_stcore/health"])
def test_every_answer_forbids_foreign_scripts_and_requests(server: Server, path: str) -> None:
    policy = httpx.get(server.url + path).headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "connect-src 'self'" in policy
    assert "frame-ancestors 'self'" in policy


def test_server_json_is_private_and_names_this_process(server: Server) -> None:
    note = server.home / "server.json"
    assert stat.S_IMODE(note.stat().st_mode) == 0o600
    found = json.loads(note.read_text())
    assert (found["pid"], found["url"]) == (server.process.pid, server.url)
    assert found["database"] == str(server.home / "feedback.duckdb")
    assert len(found["token"]) >= 43
    health = httpx.get(f"{server.url}/api/v1/health")
    assert health.json()["database_id"] == found["database_id"]
    assert found["token"] not in health.text + server.home.with_name(f"{server.home.name}.log").read_text()


def test_a_second_server_on_the_port_is_refused_in_one_sentence(server: Server, tmp_path: Path) -> None:
    with pytest.raises(LabError, match=f"Port {server.port} on 127.0.0.1 cannot be used"):
        serving.serve(tmp_path / "other", port=server.port, browser=False)
    assert not (tmp_path / "other").exists()


def test_a_second_server_on_the_same_home_is_refused_and_leaves_the_note_of_the_first(server: Server) -> None:
    second = subprocess.run(serve_command(server.home, free_port()), capture_output=True, text=True, timeout=60)
    assert second.returncode == 1
    assert f"runs already at {server.url} (PID {server.process.pid})" in second.stderr
    assert (server.home / "server.json").exists()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", ""])
def test_other_machines_are_let_in_only_on_request(host: str) -> None:
    with pytest.raises(LabError, match="--insecure"):
        serving.refuse_open_door(host, insecure=False)
    serving.refuse_open_door(host, insecure=True)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_this_machine_needs_no_request(host: str) -> None:
    serving.refuse_open_door(host, insecure=False)


def test_the_launcher_itself_refuses_an_open_address(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "streamlit", "run", str(serving.app_folder() / "app.py"),
               "--server.address=0.0.0.0", f"--server.port={free_port()}"]  # fmt: skip
    environment = os.environ | {"FEEDBACK_LAB_HOME": str(tmp_path), "FEEDBACK_LAB_INSECURE": ""}
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=tmp_path, env=environment)
    assert ended.returncode == 1
    assert "--insecure" in ended.stderr


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_server_leaves_no_note_frees_the_database_and_complains_of_nothing(
    tmp_path: Path, stop: signal.Signals
) -> None:
    running = start_server(tmp_path / "home", working_directory=tmp_path)
    running.process.send_signal(stop)
    assert running.process.wait(30) == 0
    assert len((tmp_path / "home.log").read_text().splitlines()) == 1
    assert not (running.home / "server.json").exists()
    serving.open_lab(running.home)
    serving.close_lab()


def test_a_database_short_of_commits_is_reported_as_unwell(tmp_path: Path) -> None:
    serving.open_lab(tmp_path / "home")
    database = serving.open_lab().store.scalar("SELECT database_id FROM ledger")
    serving.close_lab()
    (tmp_path / "home" / "acknowledged").write_text(f"{database} {99:020d}\n")
    running = start_server(tmp_path / "home")
    try:
        answer = httpx.get(f"{running.url}/api/v1/health")
        assert answer.status_code == 503
        assert "nothing is written to it" in answer.json()["reason"]
    finally:
        running.stop()


def test_a_port_that_is_taken_by_anything_is_refused() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(LabError, match="--port"):
            serving.refuse_used_port("127.0.0.1", taken.getsockname()[1])
