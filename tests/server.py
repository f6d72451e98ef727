"""A real server for tests, in a process of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Server:
    """A running server and its home."""

    process: subprocess.Popen[bytes]
    home: Path
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def serve_command(home: Path, port: int) -> list[str]:
    """The command that a person types, run by this interpreter."""
    program = [sys.executable, "-c", "from feedback_lab.cli import main; main()"]
    return [*program, "--home", str(home), "serve", "--no-browser", "--port", str(port)]


def streamlit_command(home: Path, port: int) -> list[str]:
    """Streamlit's own command, with home in the environment."""
    options = [f"--server.port={port}", "--server.address=127.0.0.1", "--server.headless=true"]
    return [sys.executable, "-m", "streamlit", "run", str(ROOT / "app.py"), *options]


def start_server(
    home: Path, working_directory: Path = ROOT, command: Callable[[Path, int], list[str]] = serve_command
) -> Server:
    """Serve `home` on a free port and wait until it answers; the process's own words go to `<home>.log`."""
    port = free_port()
    home.parent.mkdir(parents=True, exist_ok=True)
    log = home.with_name(f"{home.name}.log")
    with log.open("wb") as words:
        process = subprocess.Popen(
            command(home, port), cwd=working_directory, stdout=words, stderr=words,
            env=os.environ | {"FEEDBACK_LAB_HOME": str(home)},
        )  # fmt: skip
    server = Server(process, home, port)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise AssertionError(f"the server ended with {process.returncode}: {log.read_text()[-2000:]}")
        try:
            if httpx.get(f"{server.url}/_stcore/health", timeout=2).text == "ok":
                return server
        except httpx.TransportError:
            time.sleep(0.1)
    server.stop()
    raise AssertionError(f"the server did not answer within a minute: {log.read_text()[-2000:]}")
