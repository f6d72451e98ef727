"""The issue commands: one JSON object with --json, a clear line on stderr where something cannot be."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from feedback_lab import cli
from feedback_lab.store import open_store
from tests.issue_builders import complain

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def lab(home: Path, capfd: pytest.CaptureFixture[str]) -> Any:
    store = open_store(home)
    for kind in ("card", "rate", "login"):
        complain(store, kind, 12)
    store.close()

    def ask(*arguments: str) -> Any:
        assert cli.run(["--home", str(home), "issues", *arguments, "--json"]) == 0
        return json.loads(capfd.readouterr().out)

    return ask


def test_an_issue_lives_on_the_command_line(lab: Any, tmp_path: Path) -> None:
    plan = lab("refresh", "--dry-run")
    assert (len(plan["new"]), plan["total_comments"]) == (3, 36)
    assert lab("list")["issues"] == []
    found = lab("refresh")
    assert found["changes"]["cold"]
    first, second, third = (one["issue_id"] for one in found["issues"])

    assert lab("rename", first, "Mail", "--by", "ada")["event"]["action"] == "rename"
    lab("status", first, "fixing", "--by", "ada")
    lab("owner", first, "bob", "--by", "ada")
    lab("note", first, "ask the post", "--by", "ada")
    lab("link", first, "https://example.com", "--by", "ada")
    lab("lock", first, "--by", "ada")
    assert lab("lock", first, "--by", "ada")["event"] is None
    lab("unlock", first, "--by", "ada")
    [shown] = lab("list", "--status", "fixing", "--search", "mail", "--sort", "title")["issues"]
    assert (shown["title"], shown["owner"], shown["link"]) == ("Mail", "bob", "https://example.com")

    lab("merge", second, third, "--by", "ada")
    assert len(lab("list")["issues"]) == 2
    assert lab("undo", "--by", "ada")["undone"]["action"] == "merge"
    comments = [one["feedback_id"] for one in lab("show", second)["comments"]["comments"]]
    lab("move", first, comments[0], "--by", "ada")
    lab("unassign", comments[1], "--by", "ada")
    part = lab("split", second, "--comment", comments[2], "--comment", comments[3], "--by", "ada")["issue_id"]
    assert lab("show", part)["issue"]["frequency"] == 2
    lab("ignore", part, "--by", "ada")
    assert part not in {one["issue_id"] for one in lab("list")["issues"]}
    assert part in {one["issue_id"] for one in lab("list", "--all")["issues"]}

    assert lab("send", third, "--by", "ada", "--dry-run")["sent"] == 12
    assert lab("send", third, "--by", "ada")["task_id"]
    assert lab("export", str(tmp_path / "out.csv"), "--issue", third)["rows"] == 12
    assert len(lab("history", part)["events"]) == 2
    assert lab("refresh")["changes"]["moved"] == 0


def test_the_issue_commands_also_answer_people(lab: Any, home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    issue_id = lab("refresh")["issues"][0]["issue_id"]
    for command in (["list"], ["show", issue_id], ["refresh"], ["refresh", "--dry-run", "--cold"], ["history"]):
        assert cli.run(["--home", str(home), "issues", *command]) == 0
        assert capfd.readouterr().out.strip()
    assert cli.run(["--home", str(home), "issues", "refresh"]) == 0
    assert "nothing changes" in capfd.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("rename", "nowhere", "X", "--by", "ada"), "no issue 'nowhere'"),
        (("status", "nowhere", "done", "--by", "ada"), "no status 'done'"),
        (("undo", "--by", "ada"), "ada did nothing"),
        (("list", "--flag", "hot"), "no flag 'hot'"),
        (("rename", "nowhere", "X"), "--by"),
    ],
)
def test_what_cannot_be_is_said_on_one_line(
    lab: Any, home: Path, capfd: pytest.CaptureFixture[str], arguments: tuple[str, ...], words: str
) -> None:
    assert cli.run(["--home", str(home), "issues", *arguments]) in (1, 2)
    said = capfd.readouterr()
    assert said.out == ""
    assert words in said.err
    assert len(said.err.strip().splitlines()) == 1


def test_help_for_issues_does_not_wait_for_scikit_learn() -> None:
    code = "import sys; import feedback_lab.cli; sys.exit('sklearn' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
