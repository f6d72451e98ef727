"""The whole story on a dozen interactions: from a log to an entry that is recalled, over a kill, and back."""

import csv
import os
import signal
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from feedback_lab import backup, knowledge, recall, review
from feedback_lab.errors import LabError
from feedback_lab.ingest import load, undo
from feedback_lab.ingest.planning.mapping import complete_plan
from feedback_lab.ingest.planning.plan import Plan
from feedback_lab.ingest.reading import readers
from feedback_lab.insights.summary import insights
from feedback_lab.knowledge import Files
from feedback_lab.records import EntryStatus, Outcome, TaskStatus
from feedback_lab.review import Answer
from feedback_lab.store import Store, open_store
from tests.issue_builders import refreshed

ROOT = Path(__file__).resolve().parents[1]
HEADER = ("time", "user", "question", "answer", "model", "thumb", "comment", "correction")
PASSWORD = "How do I reset my password?"
LOG = [
    ("2026-11-02T09:00:00Z", "ann", PASSWORD, "Call the hotline.", "m1", "👎", "the hotline is closed", ""),
    ("2026-11-02T09:05:00Z", "bob", PASSWORD, "Call the hotline.", "m1", "👎", "the hotline never answers", ""),
    ("2026-11-02T09:10:00Z", "cem", "how can I reset the password", "Call the hotline.", "m1", "👎",
     "hotline closed again", "Use the link in your profile."),
    ("2026-11-02T09:15:00Z", "dee", PASSWORD, "Call the hotline.", "m2", "👎", "no hotline at night", ""),
    ("2026-11-02T09:20:00Z", "eve", PASSWORD, "Call the hotline.", "m2", "👍", "", ""),
    ("2026-11-02T10:00:00Z", "ann", "Where is my parcel?", "In Lisbon.", "m1", "👍", "great", ""),
    ("2026-11-02T10:05:00Z", "bob", "Do you ship abroad?", "Yes.", "m1", "👍", "", ""),
    ("2026-11-02T10:10:00Z", "cem", "Which size fits me?", "M.", "m2", "👍", "", ""),
    ("2026-11-02T10:15:00Z", "dee", "Can I pay by card?", "Yes.", "m2", "👎", "it did not work", ""),
    ("2026-11-02T10:20:00Z", "eve", "When do you open?", "At nine.", "m2", "👍", "", ""),
    ("2026-11-02T10:20:00Z", "eve", "When do you open?", "At nine.", "m2", "👍", "", ""),
    ("yesterday, I think", "fay", "Is there parking?", "Yes.", "m2", "👍", "", ""),
]  # fmt: skip

DIE = """
import os, signal, sys
from pathlib import Path
from feedback_lab import knowledge, review
from feedback_lab.knowledge import entries_file
from feedback_lab.knowledge import Files
from feedback_lab.records import Outcome
from feedback_lab.store import open_store
home = Path(sys.argv[1])
store = open_store(home)
task = review.claim(store, "ada")[0]
print(task.task_id, flush=True)
entries_file.save = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
files = Files(home / "knowledge.jsonl", home / "instructions.md")
knowledge.decide(store, files, task.task_id, "ada", task.lease_token, review.Answer(Outcome.ACCEPT))
"""


def write_log(path: Path) -> Path:
    with path.open("w", newline="", encoding="utf-8") as handle:
        csv.writer(handle).writerows([HEADER, *LOG])
    return path


def bring_in(store: Store, path: Path) -> load.ImportReport:
    rows = readers.open_rows(path)
    plan, _ = complete_plan(Plan(), rows.header, rows.sample(), only_exact=False)
    return load.import_file(store, path, plan)


def run(store: Store, **options: bool) -> review.RunReport:
    return review.run_rules(store, ("seed", "user_correction"), similarity=0.3, budget=40, **options)


def test_the_whole_story(home: Path, tmp_path: Path) -> None:
    files = Files(home / "knowledge.jsonl", home / "instructions.md")
    log = write_log(tmp_path / "log.csv")
    store = open_store(home)

    # an analyst brings the log in: every row is accounted for, and sending it again changes nothing
    first, again = bring_in(store, log), bring_in(store, log)
    assert (first.read, first.new, first.duplicate, first.rejected) == (12, 11, 0, 1)
    assert (again.new, again.duplicate, again.rejected) == (0, 11, 1)
    assert first.rejects_file is not None
    assert "yesterday, I think" in Path(first.rejects_file).read_text("utf-8")

    # the rules say first what they would open, then open it
    dry = run(store, dry_run=True)
    assert review.tasks(store) == []
    real = run(store)
    assert (real.evaluated, real.opened) == (dry.evaluated, dry.opened)
    (task,) = review.tasks(store)
    assert len(task.feedback_ids) == 4
    assert "negative" in task.reason

    # a PM sees the issue behind the comments
    found = refreshed(store)
    assert found.total_comments == 5 == found.assigned + found.unassigned

    # a reviewer accepts what a user proposed, and the process is killed before the file is written
    store.close()
    done = subprocess.run([sys.executable, "-c", DIE, str(home)], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert done.stdout.strip() == task.task_id
    assert not files.knowledge.exists()

    # the decision stands; the file gets it exactly once, however often the start-up is repeated
    store = open_store(home)
    assert review.find(store, task.task_id).status is TaskStatus.DONE
    for _ in range(2):
        knowledge.publish(store, files)
        (entry,) = knowledge.read_file(files.knowledge)
    assert (entry.answer, entry.status, entry.decided_by) == ("Use the link in your profile.", "active", "ada")
    assert set(entry.sources) == set(task.feedback_ids)

    # the product recalls it
    (hit,) = recall.recall(knowledge.entries(store, files), "password reset, how?", k=1)
    assert hit.entry.entry_id == entry.entry_id

    # everything can be saved and brought back
    saved = backup.backup(store, files, tmp_path / "lab.backup")
    assert Path(saved.file).is_file()

    # what a decision rests on cannot be pulled away; undone, it can
    assert first.batch_id is not None
    with pytest.raises(LabError, match=task.task_id):
        undo.undo(store, first.batch_id, "ada")
    knowledge.undo(store, files, "ada")
    assert [one.status for one in knowledge.entries(store, files)] == [EntryStatus.RETIRED]
    assert review.find(store, task.task_id).status is TaskStatus.OPEN
    undo.undo(store, first.batch_id, "ada")
    assert review.tasks(store) == []
    assert store.scalar("SELECT count(*) FROM feedback") == 0

    # and the backup brings the story back to where it was saved
    store.close()
    backup.restore(home, files, tmp_path / "lab.backup")
    store = open_store(home)
    assert store.damage is None
    assert [one.status for one in knowledge.entries(store, files)] == [EntryStatus.ACTIVE]
    numbers = insights(store, days=30, until=date(2026, 11, 10), similarity=0.3).as_dict()
    assert (numbers["total_feedback"], numbers["verdicts"], numbers["users"]) == (11, 11, 5)
    assert numbers["positive_rate_uncapped"] == pytest.approx(6 / 11)
    store.close()


def test_a_reject_writes_no_file(home: Path, tmp_path: Path) -> None:
    files = Files(home / "knowledge.jsonl", home / "instructions.md")
    store = open_store(home)
    bring_in(store, write_log(tmp_path / "log.csv"))
    run(store)
    (task,) = review.claim(store, "ada")
    knowledge.decide(store, files, task.task_id, "ada", task.lease_token or "", Answer(Outcome.REJECT))

    assert not files.knowledge.exists()
    assert not files.instructions.exists()
    store.close()


def test_home_holds_nothing_that_nobody_expects(home: Path, tmp_path: Path) -> None:
    store = open_store(home)
    bring_in(store, write_log(tmp_path / "log.csv"))
    store.close()

    assert set(os.listdir(home)) <= {"feedback.duckdb", "acknowledged", "backups", "uploads"}
