"""The command line in this process, as tests give it commands: what it answers, or how it refuses."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from feedback_lab import cli

Ask = Callable[..., dict[str, Any]]
Refuse = Callable[..., str]


def asking(home: Path, capsys: pytest.CaptureFixture[str]) -> Ask:
    """Runs a command with --json; it must succeed and print one JSON object, which is answered."""

    def run(*arguments: str) -> dict[str, Any]:
        code = cli.run(["--home", str(home), *arguments, "--json"])
        out = capsys.readouterr()
        assert (code, out.err) == (0, "")
        answer = json.loads(out.out)
        assert isinstance(answer, dict)
        return answer

    return run


def refusing(home: Path, capsys: pytest.CaptureFixture[str]) -> Refuse:
    """Runs a command that must fail with `code`, one line on stderr and nothing on stdout; answers the line."""

    def run(code: int, *arguments: str) -> str:
        found = cli.run(["--home", str(home), *arguments])
        out = capsys.readouterr()
        assert (found, out.out) == (code, ""), out
        assert len(out.err.splitlines()) == 1, out.err
        return out.err

    return run
