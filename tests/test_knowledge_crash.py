"""Exactly once over a crash: every state that a death during publishing can leave is replayed to the same end."""

import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text

from feedback_lab import atomic_file, knowledge
from feedback_lab.errors import DiskError, KnowledgeError
from feedback_lab.knowledge import Files, entries_file, publish, read_file
from feedback_lab.store import Store, open_store
from tests.crash_steps import Killed, killed_at, names_of_steps, watched
from tests.knowledge_builders import decided_entry, decided_instruction, entry, files_in, undone, waiting

ROOT = Path(__file__).resolve().parents[1]
HUMAN = b"# House rules\n\nBe kind.\n"


def new_entry(store: Store, files: Files) -> None:
    decided_entry(store)


def two_entries_and_a_duplicate(store: Store, files: Files) -> None:
    decided_entry(store, "One?"), decided_entry(store, "Two?"), decided_entry(store, " One? ")


def an_entry_and_its_undo(store: Store, files: Files) -> None:
    undone(store, decided_entry(store))


def an_undo_of_a_published_entry(store: Store, files: Files) -> None:
    made = decided_entry(store)
    publish(store, files)
    undone(store, made)


def a_next_version_and_its_undo(store: Store, files: Files) -> None:
    made = decided_entry(store)
    publish(store, files)
    undone(store, decided_entry(store, answer="No.", entry_id=made["id"], by="ben"))


def a_hand_edit_beside_a_new_entry(store: Store, files: Files) -> None:
    decided_entry(store, "One?")
    publish(store, files)
    content = files.knowledge.read_bytes().replace(b"Yes.", b"By hand.")
    files.knowledge.write_bytes(content + b'{"question": "Own?", "answer": "Own."}\n')
    decided_entry(store, "Two?")


def a_line_gone_beside_a_new_entry(store: Store, files: Files) -> None:
    decided_entry(store, "One?")
    publish(store, files)
    files.knowledge.write_bytes(b"")
    decided_entry(store, "Two?")


def a_missing_file(store: Store, files: Files) -> None:
    decided_entry(store, "One?")
    publish(store, files)
    files.knowledge.unlink()
    decided_entry(store, "Two?")


def instructions_and_an_undo(store: Store, files: Files) -> None:
    files.instructions.write_bytes(HUMAN)
    first = decided_instruction(store, "Be brief.")
    decided_instruction(store, "Be  brief.")
    decided_instruction(store, "Say please.")
    undone(store, first)


def an_entry_and_an_instruction(store: Store, files: Files) -> None:
    files.instructions.write_bytes(HUMAN)
    decided_entry(store)
    decided_instruction(store, "Be brief.")


SCENES: list[Callable[[Store, Files], None]] = [
    new_entry,
    two_entries_and_a_duplicate,
    an_entry_and_its_undo,
    an_undo_of_a_published_entry,
    a_next_version_and_its_undo,
    a_hand_edit_beside_a_new_entry,
    a_line_gone_beside_a_new_entry,
    a_missing_file,
    instructions_and_an_undo,
    an_entry_and_an_instruction,
]


def empty(table: str, connection: Connection) -> None:
    connection.execute(text(f"DELETE FROM {table}"))


def set_up(store: Store, scene: Callable[[Store, Files], None]) -> Files:
    """The scene in an emptied store with fresh files."""
    files = files_in(store.home)
    for path in (*store.home.glob("knowledge*"), *store.home.glob("instructions*"), *store.home.glob(".*.part")):
        path.unlink()
    for table in ("outbox", "entry_version", "audit"):
        store.write(partial(empty, table))
    scene(store, files)
    return files


def end_state(store: Store, files: Files) -> tuple[Any, ...]:
    """Everything that counts, without what differs from run to run (ids and times)."""
    lines = read_file(files.knowledge)
    rows = store.rows("SELECT * FROM entry_version ORDER BY question, version")
    return (
        [(one.question, one.answer, one.status, one.version, one.decided_by) for one in lines],
        [(row["question"], row["answer"], row["status"], row["version"], row["decided_by"]) for row in rows],
        [one.text for one in knowledge.instructions(files)],
        files.instructions.read_bytes().startswith(HUMAN) if files.instructions.exists() else None,
        Counter(row["action"] for row in store.rows("SELECT action FROM audit")),
        waiting(store),
    )


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
def test_death_at_any_step_is_replayed_to_the_same_end(store: Store, scene: Callable[[Store, Files], None]) -> None:
    files = set_up(store, scene)
    steps = names_of_steps(lambda: publish(store, files), store)
    wanted = end_state(store, files)
    assert wanted[-1] == 0
    assert len(steps) >= 6

    for number in range(len(steps)):
        files = set_up(store, scene)
        with pytest.raises(Killed), watched(killed_at(number), store):
            publish(store, files)
        publish(store, files)
        assert end_state(store, files) == wanted, f"killed before step {number}, {steps[number]}"
        assert publish(store, files) == knowledge.Published()


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
def test_death_during_the_replay_is_replayed_too(store: Store, scene: Callable[[Store, Files], None]) -> None:
    files = set_up(store, scene)
    first_steps = len(names_of_steps(lambda: publish(store, files), store))
    wanted = end_state(store, files)
    for number in range(1, first_steps, 2):
        files = set_up(store, scene)
        with pytest.raises(Killed), watched(killed_at(number), store):
            publish(store, files)
        deaths = 0
        while True:  # each replay gets one step further than the one before
            try:
                with watched(killed_at(deaths), store):
                    publish(store, files)
                break
            except Killed:
                deaths += 1
        assert end_state(store, files) == wanted


def test_the_file_is_on_the_disk_before_it_takes_its_name_and_its_name_before_the_mark(store: Store) -> None:
    files = set_up(store, new_entry)
    steps = names_of_steps(lambda: publish(store, files), store)
    assert steps == ["open", "fsync", "replace", "open", "fsync", "commit", "committed"]


def test_entries_made_elsewhere_stand_once_over_a_death_at_any_step(store: Store) -> None:
    new = [entry("k1"), entry("k2", "Other?")]
    files = set_up(store, lambda *_: None)
    steps = names_of_steps(lambda: knowledge.add_entries(store, files, new, by="sample"), store)
    for number in range(len(steps)):
        files = set_up(store, lambda *_: None)
        with pytest.raises(Killed), watched(killed_at(number), store):
            knowledge.add_entries(store, files, new, by="sample")
        knowledge.add_entries(store, files, new, by="sample")
        assert read_file(files.knowledge) == new
        assert store.scalar("SELECT count(*) FROM entry_version") == 2


def test_a_hand_edit_between_death_and_replay_is_kept_and_is_the_next_version(store: Store) -> None:
    files = set_up(store, new_entry)
    with pytest.raises(Killed), watched(killed_at(5), store):
        publish(store, files)
    files.knowledge.write_bytes(files.knowledge.read_bytes().replace(b"Yes.", b"By hand."))
    publish(store, files)
    (line,) = read_file(files.knowledge)
    assert (line.version, line.answer, line.decided_by) == (2, "By hand.", "edited by hand")
    assert [one.answer for one in knowledge.versions(store, line.entry_id)] == ["Yes.", "By hand."]


def test_whatever_a_death_leaves_in_the_temporary_file_does_not_matter(store: Store) -> None:
    files = set_up(store, new_entry)
    publish(store, files)
    whole = files.knowledge.read_bytes()
    for size in range(0, len(whole) + 1, 7):
        atomic_file.temporary(files.knowledge).write_bytes(whole[:size])
        decided_entry(store, f"Question {size}?")
        publish(store, files)
        assert read_file(files.knowledge)[-1].question == f"Question {size}?"
    assert not atomic_file.temporary(files.knowledge).exists()


def test_a_file_cut_or_damaged_anywhere_is_refused_or_loses_whole_lines_at_its_end_only() -> None:
    entries = [entry("k1"), entry("k2", "Où? 子供"), entry("k3")]
    content = entries_file.dump(entries)
    for size in range(len(content)):
        try:
            read = [one for _, one in entries_file.parse(content[:size], Path("k"))]
        except KnowledgeError:
            continue
        assert read == entries[: len(read)]


@pytest.mark.parametrize("call", ["open", "fsync", "replace"])
def test_a_disk_that_refuses_leaves_the_old_file_and_the_decision_pending(store: Store, call: str) -> None:
    files = set_up(store, new_entry)
    publish(store, files)
    before = files.knowledge.read_bytes()
    decided_entry(store, "Two?")

    def full(name: str) -> None:
        if name == call:
            raise OSError(28, "No space left on device")

    with pytest.raises(DiskError, match="No space left"), watched(full, store):
        publish(store, files)
    assert files.knowledge.read_bytes() == before
    assert not atomic_file.temporary(files.knowledge).exists()
    assert waiting(store) == 1
    publish(store, files)
    assert len(read_file(files.knowledge)) == 2


@pytest.mark.parametrize("number", [2, 3, 6], ids=["written", "renamed", "committed"])
def test_a_process_killed_while_it_publishes_has_published_exactly_once_after_the_next_start(
    home: Path, number: int
) -> None:
    store = open_store(home)
    first, second = decided_entry(store, "One?"), decided_entry(store, "Two?")
    store.close()

    died = subprocess.run([sys.executable, "-m", "tests.crash_steps", str(home), str(number)], cwd=ROOT, check=False)
    assert died.returncode == -signal.SIGKILL

    store = open_store(home)
    publish(store, files_in(home))
    assert [one.entry_id for one in read_file(home / "knowledge.jsonl")] == [first["id"], second["id"]]
    assert [len(knowledge.versions(store, one["id"])) for one in (first, second)] == [1, 1]
    assert waiting(store) == 0
    assert store.damage is None
    store.close()
