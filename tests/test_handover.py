"""Commands while the dashboard runs: the server that holds the database does them, and nobody sees a difference."""

from __future__ import annotations

import csv
import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from feedback_lab import cli, server_note, serving
from feedback_lab.errors import StoreBusyError
from feedback_lab.store import open_store
from tests.server import Server, free_port, serve_command, start_server, streamlit_command

PROGRAM = [sys.executable, "-c", "import sys; from feedback_lab.cli import main; main(sys.argv[1:])"]
READS = [
    ("imports",),
    ("queue", "list"),
    ("issues", "list"),
    ("knowledge", "list"),
    ("recall", "my password"),
    ("insights", "--days", "7"),
    ("doctor",),
]


def command(home: Path, *arguments: str) -> list[str]:
    return [*PROGRAM, "--home", str(home), *arguments]


def run(home: Path, *arguments: str, **more: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(home, *arguments), capture_output=True, text=True, timeout=120, **more)


def answer(home: Path, *arguments: str, **more: Any) -> dict[str, Any]:
    done = run(home, *arguments, "--json", **more)
    assert (done.returncode, done.stderr) == (0, ""), done
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found


def write_log(path: Path, rows: int, name: str = "user") -> Path:
    with path.open("w", newline="", encoding="utf-8") as handle:
        lines = csv.writer(handle)
        lines.writerow(("question", "answer", "thumb", "comment", "user"))
        lines.writerows(
            ("How do I reset my password?", "Call us.", "👎", f"nobody answers the phone {name}{n}", f"{name}{n}")
            for n in range(rows)
        )
    return path


def read_until(screen: int, wanted: bytes | None = None) -> bytes:
    """What a terminal shows until the wanted bytes, or until its programs have ended; it is closed then."""
    shown = bytearray()
    try:
        while wanted is None or wanted not in shown:
            shown += os.read(screen, 4096)
    except OSError:
        os.close(screen)
    return bytes(shown)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("handed")
    write_log(folder / "log.csv", 7)
    assert run(folder / "home", "import", str(folder / "log.csv")).returncode == 0
    assert run(folder / "home", "triggers", "run", "--rule", "seed").returncode == 0
    running = start_server(folder / "home")
    yield running
    running.stop()


@pytest.fixture(scope="module")
def busy_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose data tests may change."""
    running = start_server(tmp_path_factory.mktemp("busy") / "home")
    yield running
    running.stop()


@pytest.fixture(scope="module")
def copied(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the same content, that no server holds."""
    folder = tmp_path_factory.mktemp("copied")
    assert run(server.home, "backup", str(folder / "lab.zip")).returncode == 0
    assert run(folder / "home", "restore", str(folder / "lab.zip")).returncode == 0
    return folder / "home"


@pytest.mark.parametrize("read", READS, ids=" ".join)
def test_a_read_command_answers_the_same_with_and_without_a_server(
    server: Server, copied: Path, read: tuple[str, ...], capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    there = answer(server.home, *read)
    assert cli.run(["--home", str(copied), *read, "--json"]) == 0
    here = json.loads(capsys.readouterr().out)
    if read == ("doctor",):  # it names the home, which is another one
        there, here = ({check["name"]: check["ok"] for check in found["checks"]} for found in (there, here))
    assert there == here

    monkeypatch.setenv("COLUMNS", "43")  # the width of the caller's terminal, not of the server's
    shown = run(server.home, *read)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert cli.run(["--home", str(copied), *read]) == 0
    if read != ("doctor",):
        assert shown.stdout == capsys.readouterr().out


def test_files_are_found_from_the_callers_folder_and_written_there(busy_server: Server, tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    write_log(work / "mine.csv", 30)
    report = answer(busy_server.home, "import", "mine.csv", cwd=work)
    assert (report["read"], report["new"]) == (30, 30)
    batch = answer(busy_server.home, "imports")["imports"][0]
    assert (batch["file_name"], batch["rows_new"]) == ("mine.csv", 30)

    answer(busy_server.home, "issues", "refresh")
    answer(busy_server.home, "issues", "members", "--csv", "members.csv", cwd=work)
    assert (work / "members.csv").read_text().startswith("feedback_id")
    answer(busy_server.home, "backup", "lab.zip", cwd=work)
    assert (work / "lab.zip").is_file()
    assert answer(busy_server.home, "import-undo", batch["batch_id"])["feedback"] == 30


@pytest.mark.parametrize(
    ("code", "arguments", "said"),
    [
        (1, ("queue", "undo", "--reviewer", "a"), "no decision"),
        (1, ("import-undo", "no-such-batch"), "no-such-batch"),
        (1, ("queue", "decide", "no-such-task", "--reviewer", "a", "--outcome", "reject"), "no-such-task"),
        (2, ("queue", "claim"), "--reviewer"),
        (1, ("queue", "claim", "--reviewer", "M\udcfcller"), "UTF-8"),
        (1, ("serve", "--no-browser"), "runs already at"),
        (1, ("restore", "x.zip"), "x.zip"),
    ],
)
def test_an_error_keeps_its_code_and_its_one_line(
    server: Server, code: int, arguments: tuple[str, ...], said: str
) -> None:
    done = run(server.home, *arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert len(done.stderr.splitlines()) == 1
    assert said in done.stderr


def test_the_callers_environment_counts(busy_server: Server, tmp_path: Path) -> None:
    write_log(tmp_path / "log.csv", 7)
    answer(busy_server.home, "import", str(tmp_path / "log.csv"))
    report = answer(
        busy_server.home, "triggers", "run", "--rule", "seed", env=os.environ | {"FEEDBACK_LAB_DAILY_BUDGET": "0"}
    )
    assert (report["candidates"], report["waiting"]) == (1, 1)


def test_many_commands_at_once_each_get_their_own_answer(server: Server, tmp_path: Path) -> None:
    logs = [write_log(tmp_path / f"log{number}.csv", 40 + number, f"person{number}-") for number in range(4)]
    jobs = [("import", str(log), "--dry-run", "--json") for log in logs] + [("queue", "list", "--json")] * 3
    running = [subprocess.Popen(command(server.home, *job), stdout=subprocess.PIPE, text=True) for job in jobs]
    answers = [json.loads(process.communicate(timeout=120)[0]) for process in running]

    assert [found["read"] for found in answers[:4]] == [40, 41, 42, 43]
    assert all(len(found["tasks"]) == 1 for found in answers[4:])


def test_progress_is_seen_while_an_import_runs_there(busy_server: Server, tmp_path: Path) -> None:
    log = write_log(tmp_path / "log.csv", 60_000, "seen")
    screen, terminal = pty.openpty()
    process = subprocess.Popen(
        command(busy_server.home, "import", str(log)), stdout=subprocess.PIPE, stderr=terminal, text=True
    )
    os.close(terminal)
    shown = read_until(screen)
    assert "60,000 read = 60,000 new" in process.communicate(timeout=120)[0]
    assert b"rows read" in shown
    assert shown.endswith(b"\x1b[2K"), "the line of progress is gone at the end"


def test_ctrl_c_stops_an_import_there_and_nothing_is_stored(busy_server: Server, tmp_path: Path) -> None:
    before = answer(busy_server.home, "imports")
    log = write_log(tmp_path / "log.csv", 400_000)
    screen, terminal = pty.openpty()
    process = subprocess.Popen(command(busy_server.home, "import", str(log)), stderr=terminal, stdout=subprocess.PIPE)
    os.close(terminal)
    read_until(screen, b"rows read")
    process.send_signal(signal.SIGINT)
    shown = read_until(screen)
    process.communicate(timeout=120)
    assert process.returncode == 1
    assert b"Stopped." in shown
    assert answer(busy_server.home, "imports") == before
    assert list((busy_server.home / "uploads").glob("*.part")) == []


def test_a_server_that_is_killed_midway_is_said_and_the_next_command_works_alone(home: Path, tmp_path: Path) -> None:
    running = start_server(home)
    log = write_log(tmp_path / "log.csv", 400_000)
    screen, terminal = pty.openpty()
    process = subprocess.Popen(
        command(home, "import", str(log)), stderr=terminal, stdout=subprocess.PIPE, env=os.environ | {"COLUMNS": "300"}
    )
    os.close(terminal)
    read_until(screen, b"rows read")
    running.process.kill()
    shown = read_until(screen)
    running.process.wait(30)
    process.communicate(timeout=60)
    assert process.returncode == 1
    assert b"The dashboard ended before it had answered `import`" in shown

    assert (home / "server.json").exists(), "the killed server could not take its note away"
    assert answer(home, "imports") == {"imports": []}


def test_while_a_process_that_is_no_server_holds_the_database_it_is_said(home: Path) -> None:
    store = open_store(home)
    server_note.write(home, "http://127.0.0.1:9", store.path, "another database")
    note = json.loads((home / "server.json").read_text())
    (home / "server.json").write_text(json.dumps(note | {"pid": 2**22 - 3}))  # a server that has ended
    done = run(home, "queue", "list")
    store.close()

    assert (done.returncode, done.stdout) == (1, "")
    assert f"PID {os.getpid()}" in done.stderr


def test_the_knowledge_file_is_read_alone_where_nobody_answers(home: Path) -> None:
    store = open_store(home)
    (home / "knowledge.jsonl").write_text('{"question": "How do I pay?", "answer": "By card."}\n', encoding="utf-8")
    listed, recalled = answer(home, "knowledge", "list"), answer(home, "recall", "how to pay")
    store.close()

    assert listed["entries"][0]["answer"] == recalled["entries"][0]["answer"] == "By card."


def ask(server: Server, token: str, **more: Any) -> httpx.Response:
    body = {
        "id": "1", "arguments": ["queue", "list", "--json"], "folder": "/", "settings": {"home": str(server.home)},
        "terminal": {"width": 80, "colours": None, "shows_progress": False}, "debug": False,
    }  # fmt: skip
    headers = {"Authorization": f"Bearer {token}"} | more.pop("headers", {})
    return httpx.post(f"{more.pop('url', server.url)}/api/v1/commands", json=body | more, headers=headers, timeout=60)


def token_of(server: Server) -> str:
    return str(json.loads((server.home / "server.json").read_text())["token"])


def test_the_stream_ends_with_the_exit_code(server: Server) -> None:
    lines = [json.loads(line) for line in ask(server, token_of(server)).text.splitlines()]
    assert "tasks" in json.loads(lines[0]["out"])
    assert lines[-1] == {"exit": 0}


@pytest.mark.parametrize("token", ["x", "wrong", "fl_" + "a" * 43])
def test_a_wrong_token_runs_nothing(server: Server, token: str) -> None:
    assert ask(server, token).status_code == 401
    gone = httpx.delete(f"{server.url}/api/v1/commands/1", headers={"Authorization": f"Bearer {token}"})
    assert gone.status_code == 401


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Forwarded-Host"])
def test_what_came_through_a_proxy_runs_nothing(server: Server, header: str) -> None:
    assert ask(server, token_of(server), headers={header: "127.0.0.1"}).status_code == 403


def test_another_machine_runs_nothing_although_it_knows_the_token() -> None:
    assert not server_note.is_this_machine("203.0.113.7", "192.168.1.5", [])
    assert not server_note.is_this_machine(None, None, [])
    assert server_note.is_this_machine("192.168.1.5", "192.168.1.5", ["Host"])
    assert all(
        server_note.is_this_machine(peer, None, []) for peer in ("127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1")
    )


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["serve"], 1, "stop the dashboard first"),
        (["demo"], 1, "stop the dashboard first"),
        (["restore", "x.zip"], 1, "stop the dashboard first"),
        (["queue", "nonsense"], 2, "nonsense"),
        (["--help"], 2, "--help"),
    ],
)
def test_what_makes_no_sense_in_the_server_is_refused_there(
    server: Server, arguments: list[str], code: int, said: str
) -> None:
    lines = [json.loads(line) for line in ask(server, token_of(server), arguments=arguments).text.splitlines()]
    assert lines[-1] == {"exit": code}
    assert said in lines[0]["err"]


@pytest.mark.parametrize(
    "wrong",
    [{"arguments": "queue"}, {"arguments": [1]}, {"terminal": None}, {"settings": {"home": "/", "similarity": 7}}],
)
def test_a_command_that_cannot_be_read_is_refused(server: Server, wrong: dict[str, Any]) -> None:
    assert ask(server, token_of(server), **wrong).status_code == 422


def test_every_server_has_a_token_of_its_own(server: Server, busy_server: Server) -> None:
    assert token_of(server) != token_of(busy_server)
    assert ask(server, token_of(busy_server)).status_code == 401


def test_the_dashboard_answers_while_a_long_command_runs(busy_server: Server, tmp_path: Path) -> None:
    log = write_log(tmp_path / "log.csv", 200_000, "long")
    process = subprocess.Popen(command(busy_server.home, "import", str(log)), stdout=subprocess.PIPE)
    answered = 0
    while process.poll() is None:
        assert httpx.get(f"{busy_server.url}/_stcore/health", timeout=30).text == "ok"
        answered += 1
    process.communicate()
    assert process.returncode == 0
    assert answered > 3
    assert answer(busy_server.home, "imports")["imports"][0]["rows_new"] == 200_000


def test_a_server_that_is_stopped_gives_the_answers_under_way_before_it_ends(home: Path, tmp_path: Path) -> None:
    running = start_server(home)
    log = write_log(tmp_path / "log.csv", 100_000)
    screen, terminal = pty.openpty()
    process = subprocess.Popen(command(home, "import", str(log)), stderr=terminal, stdout=subprocess.PIPE, text=True)
    os.close(terminal)
    read_until(screen, b"rows read")
    running.process.terminate()
    said = process.communicate(timeout=120)[0]
    os.close(screen)
    assert running.process.wait(60) == 0
    assert (process.returncode, "100,000 new" in said) == (0, True)
    assert answer(home, "imports")["imports"][0]["rows_new"] == 100_000


def test_a_command_in_the_first_moment_of_a_server_waits_for_it(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with subprocess.Popen(serve_command(home, free_port()), stdout=subprocess.PIPE, text=True) as starting:
        assert starting.stdout
        assert "runs at" in starting.stdout.readline()  # it holds the database, and hears nobody yet
        code = cli.run(["--home", str(home), "imports", "--json"])
        starting.terminate()
    found = capsys.readouterr()
    assert (code, found.err) == (0, "")
    assert json.loads(found.out) == {"imports": []}
    assert not (home / "server.json").exists()


def test_a_command_waits_a_moment_for_another_one_to_end(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = "import sys; from pathlib import Path; from feedback_lab.store import open_store\n"
    other += "store = open_store(Path(sys.argv[1])); print('open', flush=True); sys.stdin.read(); store.close()"
    holder = subprocess.Popen([sys.executable, "-c", other, home], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert holder.stdout
    assert holder.stdout.readline() == b"open\n"
    open_lab = serving.open_lab

    def refused_once(*given: Any) -> serving.Lab:
        try:
            return open_lab(*given)
        except StoreBusyError:
            holder.communicate()  # it ends now
            raise

    monkeypatch.setattr(serving, "open_lab", refused_once)
    assert cli.run(["--home", str(home), "imports"]) == 0
    assert holder.returncode == 0


def test_a_server_that_streamlit_itself_started_takes_commands_too(home: Path) -> None:
    running = start_server(home, command=streamlit_command)
    assert token_of(running)
    assert answer(home, "imports") == {"imports": []}
    running.stop()
    assert not (home / "server.json").exists()
