"""The command line: one JSON object or one line of error, the exit codes, and that every command is documented."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest

from feedback_lab import cli, serving
from feedback_lab.store import open_store
from tests.command_line import Ask, Refuse

ROOT = Path(__file__).resolve().parents[1]
HOSTILE = ROOT.parent / "shared" / "checks" / "hostile_text.txt"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "log.csv"
    rows = [
        ("How do I reset my password?", "Call us.", "👎", f"nobody answers the phone {n}", f"user{n}") for n in range(7)
    ]
    with path.open("w", newline="", encoding="utf-8") as handle:
        csv.writer(handle).writerows([("question", "answer", "thumb", "comment", "user"), *rows])
    return path


def test_the_loop_by_command_line(ask: Ask, log: Path, home: Path) -> None:
    report = ask("import", str(log), "--source", "helpdesk")
    assert {key: report[key] for key in ("read", "new", "duplicate", "rejected", "rejects_file", "undated")} == {
        "read": 7, "new": 7, "duplicate": 0, "rejected": 0, "rejects_file": None, "undated": 7,
    }  # fmt: skip
    assert ask("imports")["imports"][0]["batch_id"] == report["batch_id"]

    dry = ask("triggers", "run", "--rule", "seed", "--dry-run")
    done = ask("triggers", "run", "--rule", "seed")
    assert (dry["candidates"], done["candidates"], done["opened"]) == (1, 1, 1)
    assert ask("triggers", "run", "--rule", "seed")["evaluated"] == 0

    issues = ask("issues", "refresh")
    assert issues["total_comments"] == 7 == issues["assigned"] + issues["unassigned"]
    assert ask("issues", "members", "--csv", str(home / "members.csv"))["rows"] == issues["assigned"]

    (task,) = ask("queue", "claim", "--reviewer", "ada")["tasks"]
    assert task["locked_by"] == "ada"
    assert task["lease_expires_at"].endswith("Z")
    assert ask("queue", "claim", "--reviewer", "ben") == {"tasks": []}
    ask("queue", "skip", task["task_id"], "--reviewer", "ada")
    decided = ask(
        "queue", "decide", task["task_id"], "--reviewer", "ben", "--outcome", "edit", "--text", "Use the link."
    )
    (entry,) = ask("knowledge", "list")["entries"]
    assert (entry["answer"], entry["status"], entry["entry_id"]) == ("Use the link.", "active", decided["target_id"])
    assert ask("recall", "my password, please")["entries"][0]["score"] > 0
    numbers = ask("insights", "--days", "30")
    assert (numbers["total_feedback"], numbers["verdicts"], numbers["positive_rate_uncapped"]) == (7, 7, 0)

    ask("queue", "undo", "--reviewer", "ben")
    assert ask("knowledge", "list")["entries"][0]["status"] == "retired"
    assert ask("recall", "my password, please") == {"entries": []}
    ask("import-undo", report["batch_id"])
    assert ask("queue", "list") == {"tasks": []}
    assert ask("doctor")["ok"] is True


def test_values_constants_scale_and_tags_reach_the_store(ask: Ask, home: Path, tmp_path: Path) -> None:
    path = tmp_path / "votes.csv"
    path.write_text("text,stars,verdict,place\nnice,5,good = fine: yes,Berlin\nbad,1,no,Bonn\n", encoding="utf-8")
    ask("import", str(path), "--map", "comment=text", "--map", "value=stars", "--scale", "1:5",
        "--map", "polarity=verdict", "--value", "polarity:good = fine: yes=positive", "--value", "polarity:no=negative",
        "--map", "tag:city=place", "--set", "model=m1")  # fmt: skip

    store = open_store(home)
    rows = store.rows(
        "SELECT f.polarity, f.value, f.scale_max, i.model, i.tags FROM feedback f JOIN interaction i "
        "ON i.interaction_id = f.interaction_id ORDER BY f.value DESC"
    )
    store.close()
    assert rows[0] == {"polarity": "positive", "value": 5, "scale_max": 5, "model": "m1", "tags": {"city": "Berlin"}}
    assert rows[1]["polarity"] == "negative"


def test_hostile_text_comes_out_of_json_as_it_went_in(ask: Ask, tmp_path: Path) -> None:
    if not HOSTILE.is_file():
        if os.environ.get("FEEDBACK_LAB_REQUIRE_ALL") == "1":
            pytest.fail(f"{HOSTILE} is absent, and this run requires it")
        pytest.skip(f"{HOSTILE} is absent")
    lines = HOSTILE.read_text("utf-8").splitlines()
    path = tmp_path / "=cmd[1].csv"
    with path.open("w", newline="", encoding="utf-8") as handle:
        csv.writer(handle).writerow(["comment", "input", "output", "kind", "model", "suggested_answer"])
        csv.writer(handle).writerows([[line, line, line, "thumbs_down", line, line] for line in lines])
    report = ask("import", str(path))
    assert (report["new"], report["rejected"]) == (len(lines), 0)

    corrections = ask("insights")["user_corrections"]
    assert {row["question"] for row in corrections} == set(lines) == {row["suggested_answer"] for row in corrections}


@pytest.mark.parametrize(
    ("code", "arguments", "wanted"),
    [
        (2, ("no-such-command",), "no-such-command"),
        (2, ("import",), "FILE"),
        (2, ("queue", "claim"), "--reviewer"),
        (2, ("queue", "decide", "t", "--reviewer", "a", "--outcome", "maybe"), "accept"),
        (2, ("insights", "--days", "soon"), "--days"),
        (2, ("insights", "--until", "tomorrow"), "--until"),
        (1, ("import", "nowhere.csv"), "nowhere.csv"),
        (1, ("triggers", "run", "--rule", "x"), "above_base"),
        (1, ("queue", "decide", "no-such-task", "--reviewer", "a", "--outcome", "reject"), "no-such-task"),
        (1, ("queue", "undo", "--reviewer", "a"), "no decision"),
        (1, ("import-undo", "no-such-batch"), "no-such-batch"),
        (1, ("restore", "nowhere.backup"), "nowhere.backup"),
        (1, ("queue", "claim", "--reviewer", " "), "name"),
        (1, ("issues", "members", "--csv", "/nowhere/at/all.csv"), "/nowhere/at/all.csv"),
        (1, ("--db", "mysql://x", "doctor"), "duckdb:///"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    refuse: Refuse, code: int, arguments: tuple[str, ...], wanted: str
) -> None:
    assert wanted in refuse(code, *arguments)


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (("--map", "comment"), "FIELD=COLUMN"),
        (("--map", "comment=absent"), "absent"),
        (("--map", "nonsense=comment"), "nonsense"),
        (("--value", "polarity=x"), "FIELD:RAW=VALUE"),
        (("--scale", "5"), "LO:HI"),
        (("--scale", "5:1"), "smaller"),
        (("--timezone", "Mars/Olympus"), "Mars/Olympus"),
    ],
)
def test_an_import_option_that_cannot_be_used_is_named(
    refuse: Refuse, log: Path, arguments: tuple[str, ...], wanted: str
) -> None:
    assert wanted in refuse(1, "import", str(log), *arguments)


def test_an_unexpected_error_is_one_line_too(refuse: Refuse, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("two\nlines")

    monkeypatch.setattr(serving, "open_lab", broken)
    assert "RuntimeError: two lines" in refuse(1, "doctor")


def test_a_word_that_is_given_an_unknown_meaning_is_refused_before_anything_is_read(refuse: Refuse, log: Path) -> None:
    said = refuse(1, "import", str(log), "--map", "polarity=thumb", "--value", "polarity:👎=terrible")
    assert "--value polarity" in said
    assert "terrible" in said


def test_a_decision_that_is_refused_leaves_the_task_free(ask: Ask, refuse: Refuse, log: Path) -> None:
    ask("import", str(log))
    ask("triggers", "run", "--rule", "seed")
    (task,) = ask("queue", "list")["tasks"]
    refuse(1, "queue", "decide", task["task_id"], "--reviewer", "ada", "--outcome", "accept")

    assert ask("queue", "list")["tasks"][0]["status"] == "open"
    assert ask("queue", "claim", "--reviewer", "ben")["tasks"][0]["task_id"] == task["task_id"]


def test_a_broken_knowledge_file_stops_neither_the_doctor_nor_an_import(ask: Ask, home: Path, log: Path) -> None:
    home.mkdir()
    (home / "knowledge.jsonl").write_text("<<<<<<< HEAD\n", encoding="utf-8")
    assert ask("import", str(log))["new"] == 7

    answer = ask("doctor")
    assert answer["ok"] is False
    assert "knowledge.jsonl" in next(check["found"] for check in answer["checks"] if not check["ok"])


def test_a_setting_that_cannot_be_used_is_named(refuse: Refuse, home: Path) -> None:
    home.mkdir()
    (home / "feedback_lab.toml").write_text("similarity = 7\n")
    assert "similarity" in refuse(1, "doctor")
    for wrong in ("https://lab.example.com", "*", "lab.example.com:443", ""):
        (home / "feedback_lab.toml").write_text(f'allowed_hosts = ["{wrong}"]\n')
        assert "allowed_hosts" in refuse(1, "doctor")
    (home / "feedback_lab.toml").write_text("similarity = = 7\n")
    assert "feedback_lab.toml" in refuse(1, "doctor")


def test_settings_come_from_the_environment_over_the_file(
    ask: Ask, home: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.mkdir()
    (home / "feedback_lab.toml").write_text("daily_budget = 5\n")
    monkeypatch.setenv("FEEDBACK_LAB_DAILY_BUDGET", "0")
    ask("import", str(log))

    assert ask("triggers", "run", "--rule", "seed")["waiting"] == 1


def test_a_setting_beyond_all_measure_is_named(home: Path, refuse: Refuse) -> None:
    home.mkdir()
    (home / "feedback_lab.toml").write_text("lease_minutes = 99999999999\n")

    assert "lease_minutes" in refuse(1, "queue", "claim", "--reviewer", "ada")


def test_terminal_control_characters_in_strangers_text_are_made_visible(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "log.csv"
    path.write_text("input,output,suggested_answer\nhow?,so,\x1b[2Jgone\x07\n", encoding="utf-8")
    cli.run(["--home", str(home), "import", str(path)])
    cli.run(["--home", str(home), "triggers", "run"])
    cli.run(["--home", str(home), "queue", "claim", "--reviewer", "\x1b[31mred"])
    cli.run(["--home", str(home), "queue", "list"])

    assert "\x1b" not in capsys.readouterr().out


def test_the_database_may_stand_elsewhere(home: Path, tmp_path: Path, log: Path) -> None:
    other = tmp_path / "elsewhere" / "team.duckdb"
    code = cli.run(["--home", str(home), "--db", f"duckdb:///{other}", "import", str(log)])

    assert code == 0
    assert other.is_file()
    assert not (home / "feedback.duckdb").exists()


def test_a_database_that_another_process_holds_is_said(home: Path) -> None:
    holder = open_store(home)
    command = [sys.executable, "-c", "import sys; from feedback_lab.cli import main; main(sys.argv[1:])"]
    done = subprocess.run([*command, "--home", str(home), "queue", "list"], capture_output=True, text=True)
    holder.close()

    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 1
    assert f"PID {os.getpid()}" in done.stderr


def test_the_same_file_with_another_mapping_is_said_because_its_rows_count_again(ask: Ask, log: Path) -> None:
    first = ask("import", str(log), "--map", "input=question")
    assert not [one for one in first["said"] if "before" in one]
    second = ask("import", str(log), "--map", "input=question", "--map", "value=thumb")

    assert second["new"] == first["new"]
    assert f"import-undo {first['batch_id']}" in second["said"][-1]
    assert "before" not in str(ask("import", str(log), "--map", "input=question")["said"])


@pytest.mark.skipif(sys.platform == "win32", reason="the limit on file sizes is a POSIX one")
@pytest.mark.parametrize("command", [("imports",), ("import", "LOG"), ("triggers", "run"), ("backup", "TARGET")])
def test_a_full_disk_is_one_sentence_and_never_a_traceback(home: Path, log: Path, command: tuple[str, ...]) -> None:
    store = open_store(home)
    size = store.path.stat().st_size
    store.close()
    names = {"LOG": str(log), "TARGET": str(home.parent / "lab.zip")}
    code = (
        "import resource, sys; from feedback_lab.cli import main; "
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size})); main(sys.argv[1:])"
    )
    arguments = ["--home", str(home), *(names.get(word, word) for word in command)]
    done = subprocess.run([sys.executable, "-c", code, *arguments, "--json"], capture_output=True, text=True)

    assert (done.returncode, len(done.stderr.splitlines()), bool(done.stdout)) in ((0, 0, True), (1, 1, False)), done
    assert "unexpected" not in done.stderr
    assert [path.name for path in home.glob("**/*.part*")] == []


@pytest.mark.skipif(sys.platform == "win32", reason="arguments are Unicode there")
@pytest.mark.parametrize(
    "command",
    [
        ("queue", "claim", "--reviewer", "M\udcfcller"),
        ("import", "LOG", "--source", "\udcff"),
        ("import", "LOG", "--set", "model=\udcff"),
        ("import-undo", "\udcff"),
    ],
)
def test_an_argument_that_is_no_utf8_is_said(refuse: Refuse, log: Path, command: tuple[str, ...]) -> None:
    assert "UTF-8" in refuse(1, *(str(log) if word == "LOG" else word for word in command))


def test_every_command_is_documented(capsys: pytest.CaptureFixture[str]) -> None:
    pages = (ROOT / "docs" / "commands.md").read_text("utf-8")
    for group in ((), ("triggers",), ("issues",), ("queue",), ("knowledge",)):
        cli.run([*group, "--help"])
        listed = capsys.readouterr().out.split("Commands:")[1].strip().splitlines()
        for line in listed:
            if line.startswith("  ") and not line.startswith("   "):
                name = " ".join((*group, line.split()[0]))
                assert f"`{name}" in pages, f"{name} is not in docs/commands.md"
