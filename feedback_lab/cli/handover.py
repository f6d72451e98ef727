"""The caller's half of the hand-over: send a command to the server that holds the database, and print what it answers.

The answer is a stream of JSON lines: `{"out": text}` and `{"err": text}` as they come, `{"exit": code}` at the end.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from http.client import HTTPConnection, HTTPException, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from feedback_lab import serving
from feedback_lab.cli.output import complain, own_terminal
from feedback_lab.records import new_id
from feedback_lab.server_note import Note
from feedback_lab.settings import Settings

COMMANDS_PATH = "/api/v1/commands"
STARTING_S = 30.0  # how long a server that holds the database may take until it answers
ANSWER_S = 5.0


def hand_over(note: Note, settings: Settings, name: str, arguments: Sequence[str]) -> int | None:
    """Let the server of `note` run the command `name`, and print its answer as if it had run here; the exit code.

    `arguments` is the whole command line. None where that server does not answer, or has another database open than
    this home's.
    """
    if not _is_ready(note):
        return None
    command = {
        "id": new_id(),
        "arguments": list(arguments),
        "folder": str(Path.cwd()),
        "settings": _portable(settings),
        "terminal": asdict(own_terminal()),
        "debug": bool(os.environ.get("FEEDBACK_LAB_DEBUG")),
    }
    connection = _connection(note.url)
    try:
        with _stoppable(note, str(command["id"])):
            connection.request("POST", COMMANDS_PATH, json.dumps(command), _headers(note))
            answer = connection.getresponse()
            return _printed(answer) if answer.status == 200 else complain(_refusal(answer), 1)
    except BrokenPipeError:  # whoever read our stdout has seen enough; the server hears of it and stops
        raise
    except (OSError, HTTPException, ValueError):
        return complain(_broken_off(name), 1)
    finally:
        connection.close()


def _is_ready(note: Note) -> bool:
    """Whether this very server answers and holds the database of the note; one that starts is waited for."""
    deadline = time.monotonic() + STARTING_S
    while serving.is_alive(note.pid):
        with suppress(OSError, HTTPException, ValueError):
            connection = _connection(note.url, ANSWER_S)
            try:
                connection.request("GET", "/api/v1/health")
                health = json.loads(connection.getresponse().read())
            finally:
                connection.close()
            return bool(health.get("database_id") == note.database_id)
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return False


def _printed(answer: HTTPResponse) -> int:
    """Print the stream as it comes; the exit code at its end."""
    for event in _lines(answer):
        if "exit" in event:
            return int(event["exit"])
        stream = sys.stdout if "out" in event else sys.stderr
        stream.write(event.get("out") or event.get("err") or "")
        stream.flush()
    raise ConnectionResetError


@contextmanager
def _stoppable(note: Note, command_id: str) -> Iterator[None]:
    """While this lasts, Ctrl+C asks the server to stop the command, and a second one leaves it to itself.

    An exception from within the reading of the answer would leave it in pieces, so the signal raises none.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGINT)

    def stop(*_: object) -> None:
        signal.signal(signal.SIGINT, before)
        _cancel(note, command_id)

    signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _lines(answer: HTTPResponse) -> Iterator[dict[str, Any]]:
    return iter(lambda: _event(answer.readline()), {})


def _event(line: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(line) if line.endswith(b"\n") else {}
    return found


def _cancel(note: Note, command_id: str) -> None:
    connection = _connection(note.url, ANSWER_S)
    try:
        connection.request("DELETE", f"{COMMANDS_PATH}/{command_id}", headers=_headers(note))
        connection.getresponse().read()
    except (OSError, HTTPException):
        return  # the stream says it too, by its end
    finally:
        connection.close()


def _connection(url: str, timeout_s: float | None = None) -> HTTPConnection:
    """Straight to this machine: no proxy of the environment stands between."""
    place = urlsplit(url)
    return HTTPConnection(place.hostname or "127.0.0.1", place.port, timeout=timeout_s)


def _headers(note: Note) -> dict[str, str]:
    return {"Authorization": f"Bearer {note.token}", "Content-Type": "application/json"}


def _refusal(answer: HTTPResponse) -> str:
    try:
        return str(json.loads(answer.read())["message"])
    except (ValueError, KeyError, TypeError):
        return f"The running dashboard refused the command ({answer.status}): is it of the same version?"


def _broken_off(name: str) -> str:
    return (
        f"The dashboard ended before it had answered `{name}`, which is done or not done, never half: "
        "look with the listing commands, and run it again where it is missing."
    )


def _portable(settings: Settings) -> dict[str, Any]:
    """The caller's settings, with paths that mean the same in another working directory."""
    values = settings.model_dump(mode="json") | {"embedding_model": settings.embedding}
    for name in ("knowledge_file", "instructions_file"):
        if values.get(name):
            values[name] = str(Path(values[name]).absolute())
    return values
