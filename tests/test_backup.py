"""One zip with everything at one moment, and a restore that happens wholly or not at all."""

import errno
import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from feedback_lab import atomic_file
from feedback_lab.backup import BackupReport, backup, finish_restore, restore
from feedback_lab.backup_file import unpack
from feedback_lab.errors import InputError, StoreBusyError, StoreError
from feedback_lab.knowledge import Files, publish, read_file
from feedback_lab.store import DATABASE_NAME, Store, open_store
from tests.builders import interaction, put, thumb
from tests.crash_steps import Killed, killed_at, names_of_steps, watched
from tests.knowledge_builders import decided_entry, decided_instruction, files_in, waiting

Lived = tuple[tuple[Any, ...], BackupReport]
HOLD = """
import sys
from pathlib import Path
from feedback_lab.store import open_store
store = open_store(Path(sys.argv[1]))
print("open", flush=True)
sys.stdin.read()
"""


def fill(store: Store, files: Files) -> None:
    put(store, [interaction("i1"), thumb("f1", up=False, comment="子供 \u2028 =1+1")])
    decided_entry(store, "One?"), decided_instruction(store, "Be brief.")
    publish(store, files)


def go_on(store: Store, files: Files) -> None:
    """What happens after a backup, and must be gone after its restore."""
    put(store, [interaction("i2"), thumb("f2", up=True)])
    decided_entry(store, "Two?")
    publish(store, files)
    files.instructions.write_text("Rewritten by a person.\n")


def state(home: Path) -> tuple[Any, ...]:
    files = files_in(home)
    store = open_store(home)
    try:
        assert store.damage is None
        return (
            store.rows("SELECT * FROM interaction ORDER BY interaction_id"),
            store.rows("SELECT * FROM feedback ORDER BY feedback_id"),
            store.rows("SELECT * FROM entry_version"),
            store.rows("SELECT * FROM ledger"),
            files.knowledge.read_bytes() if files.knowledge.exists() else None,
            files.instructions.read_bytes() if files.instructions.exists() else None,
        )
    finally:
        store.close()


@pytest.fixture
def lived(home: Path, tmp_path: Path) -> Lived:
    """A home that went on after a backup: the state at the backup, and the backup."""
    store, files = open_store(home), files_in(home)
    fill(store, files)
    report = backup(store, files, tmp_path / "lab.zip")
    store.close()
    at_backup = state(home)
    store = open_store(home)
    go_on(store, files)
    store.close()
    return at_backup, report


def rewritten(source: Path, target: Path, **changes: Any) -> Path:
    """The backup with other bytes for some members; None leaves a member out; `manifest` is a change of the JSON."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            content: bytes | None = old.read(name)
            if name == "manifest.json" and "manifest" in changes:
                content = json.dumps(changes["manifest"](json.loads(content or b""))).encode()
            content = changes.get(name.partition(".")[0] + "_file", content)
            if name == "knowledge.jsonl" and "swap" in changes:
                content = (content or b"").replace(*changes["swap"])
            if content is not None:
                new.writestr(name, content)
    return target


def test_a_backup_comes_back_whole_with_its_files(home: Path, lived: Lived) -> None:
    at_backup, made = lived
    assert (made.interactions, made.feedback, made.entries, made.bytes) == (1, 1, 1, made.file.stat().st_size)
    report = restore(home, files_in(home), made.file)

    assert state(home) == at_backup
    assert (report.acknowledged, report.interactions, report.entries) == (made.acknowledged, 1, 1)
    assert [one.question for one in read_file(home / "knowledge.jsonl")] == ["One?"]


def test_the_state_before_a_restore_is_kept_and_comes_back(home: Path, lived: Lived) -> None:
    before = state(home)
    kept = restore(home, files_in(home), lived[1].file).kept
    assert kept is not None
    assert kept.parent == home / "backups"
    restore(home, files_in(home), kept)
    assert state(home) == before


def test_restoring_twice_is_restoring_once(home: Path, lived: Lived) -> None:
    for _ in range(2):
        restore(home, files_in(home), lived[1].file)
        assert state(home) == lived[0]


def test_a_backup_fills_an_empty_home(tmp_path: Path, lived: Lived) -> None:
    other = tmp_path / "other"
    report = restore(other, files_in(other), lived[1].file)
    assert state(other) == lived[0]
    assert report.kept is None
    assert not list(other.glob("*restore*")) + list(other.glob(".*"))


def test_settings_come_back_where_there_are_none_and_stay_where_there_are(store: Store, tmp_path: Path) -> None:
    (store.home / "feedback_lab.toml").write_text("similarity = 0.4\n")
    made = backup(store, files_in(store.home), tmp_path / "lab.zip")
    for home, before, after in [("a", None, "similarity = 0.4\n"), ("b", "similarity = 0.6\n", "similarity = 0.6\n")]:
        settings = tmp_path / home / "feedback_lab.toml"
        settings.parent.mkdir()
        if before:
            settings.write_text(before)
        restore(tmp_path / home, files_in(tmp_path / home), made.file)
        assert settings.read_text() == after


def test_decisions_that_were_pending_in_the_backup_are_published_after_the_restore(
    store: Store, tmp_path: Path
) -> None:
    decided_entry(store)
    made = backup(store, files_in(store.home), tmp_path / "lab.zip")
    other = tmp_path / "other"
    restore(other, files_in(other), made.file)
    opened = open_store(other)
    publish(opened, files_in(other))
    assert [one.answer for one in read_file(other / "knowledge.jsonl")] == ["Yes."]
    assert waiting(opened) == 0
    opened.close()


def test_the_knowledge_file_of_another_place_is_restored_there(store: Store, tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    repository.mkdir()
    files = Files(repository / "facts.jsonl", repository / "RULES.md")
    fill(store, files)
    facts, rules = files.knowledge.read_bytes(), files.instructions.read_bytes()
    made = backup(store, files, tmp_path / "lab.zip")
    files.knowledge.unlink()
    files.instructions.unlink()
    restore(tmp_path / "other", files, made.file)
    assert (files.knowledge.read_bytes(), files.instructions.read_bytes()) == (facts, rules)


def test_a_knowledge_file_that_the_backup_does_not_know_does_not_come_back_as_hand_edits(
    store: Store, tmp_path: Path
) -> None:
    made = backup(store, files_in(store.home), tmp_path / "lab.zip")
    other = tmp_path / "other"
    other.mkdir()
    (other / "knowledge.jsonl").write_text('{"question": "q", "answer": "a"}\n')
    (other / "instructions.md").write_text("A person's.\n")
    kept = restore(other, files_in(other), made.file).kept
    assert not (other / "knowledge.jsonl").exists()
    assert (other / "instructions.md").read_text() == "A person's.\n"
    assert kept is not None
    assert (kept / "knowledge.jsonl").exists()


def test_a_backup_does_not_overwrite_and_needs_its_folder(store: Store, tmp_path: Path) -> None:
    target = tmp_path / "lab.zip"
    target.write_text("mine")
    with pytest.raises(InputError, match="exists already"):
        backup(store, files_in(store.home), target)
    assert target.read_text() == "mine"
    with pytest.raises(InputError, match="does not exist"):
        backup(store, files_in(store.home), tmp_path / "absent" / "lab.zip")
    assert not list(store.home.joinpath("backups").iterdir())


def test_a_backup_that_dies_leaves_no_target_and_the_next_one_works(store: Store, tmp_path: Path) -> None:
    files, target = files_in(store.home), tmp_path / "lab.zip"
    fill(store, files)
    steps = names_of_steps(lambda: backup(store, files, tmp_path / "first.zip"))
    for number in range(steps.index("replace") + 1):
        with pytest.raises(Killed), watched(killed_at(number)):
            backup(store, files, target)
        assert not target.exists()
    assert backup(store, files, target).entries == 1


def test_a_backup_is_readable_by_its_owner_only(store: Store, tmp_path: Path) -> None:
    assert backup(store, files_in(store.home), tmp_path / "lab.zip").file.stat().st_mode & 0o777 == 0o600


def without(name: str) -> Any:
    return lambda manifest: {key: value for key, value in manifest.items() if key != name}


def with_foreign_member(manifest: dict[str, Any]) -> dict[str, Any]:
    return manifest | {"members": manifest["members"] | {"../escaped": manifest["members"][DATABASE_NAME]}}


@pytest.mark.parametrize(
    "changes",
    [
        {"feedback_file": None},
        {"feedback_file": b"not the database"},
        {"knowledge_file": b'{"question": "q", "answer": "a"}\n'},
        {"swap": (b"One?", b"Two?")},
        {"manifest_file": None},
        {"manifest_file": b"{"},
        {"manifest_file": b"[]"},
        {"manifest_file": b"{}"},
        {"manifest": without("members")},
        {"manifest": without("counts")},
        {"manifest": with_foreign_member},
    ],
    ids="-".join,
)
def test_a_backup_that_is_not_whole_is_refused_and_nothing_changes(
    home: Path, tmp_path: Path, lived: Lived, changes: dict[str, Any]
) -> None:
    before = state(home)
    broken = rewritten(lived[1].file, tmp_path / "broken.zip", **changes)
    with pytest.raises(InputError, match=r"broken\.zip is not a whole backup"):
        restore(home, files_in(home), broken)
    assert state(home) == before
    assert not (tmp_path / "escaped").exists()
    assert not list((home / "backups").iterdir())


def test_a_backup_damaged_at_any_byte_is_refused_or_still_whole(home: Path, tmp_path: Path, lived: Lived) -> None:
    content = lived[1].file.read_bytes()
    damaged = tmp_path / "damaged.zip"
    refused = 0
    for place in range(0, len(content), max(1, len(content) // 60)):
        damaged.write_bytes(content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :])
        try:
            manifest = unpack(damaged, tmp_path / "unpacked")
        except InputError:
            refused += 1
            continue
        with zipfile.ZipFile(lived[1].file) as whole:
            for name in manifest["members"]:
                assert (tmp_path / "unpacked" / name).read_bytes() == whole.read(name)
    assert refused > 20


@pytest.mark.parametrize("cut", [0, 1, 100, -1])
def test_a_file_that_was_cut_off_is_refused(home: Path, tmp_path: Path, lived: Lived, cut: int) -> None:
    part = tmp_path / "part.zip"
    part.write_bytes(lived[1].file.read_bytes()[:cut])
    with pytest.raises(InputError, match="not a whole backup"):
        restore(home, files_in(home), part)


def test_what_is_no_backup_file_is_refused(home: Path, tmp_path: Path) -> None:
    (tmp_path / "text.zip").write_text("hello")
    with pytest.raises(InputError, match="not a whole backup"):
        restore(home, files_in(home), tmp_path / "text.zip")
    with pytest.raises(InputError, match="does not exist"):
        restore(home, files_in(home), tmp_path / "absent.zip")
    with pytest.raises(InputError, match="cannot be read"):
        restore(home, files_in(home), tmp_path)


@pytest.mark.parametrize("key", ["format", "schema_version"])
def test_a_backup_of_a_newer_version_is_refused(home: Path, tmp_path: Path, lived: Lived, key: str) -> None:
    newer = rewritten(lived[1].file, tmp_path / "newer.zip", manifest=lambda manifest: manifest | {key: 99})
    before = state(home)
    with pytest.raises(StoreError, match="newer than this one"):
        restore(home, files_in(home), newer)
    assert state(home) == before


def test_a_home_that_another_process_holds_is_left_alone(home: Path, lived: Lived) -> None:
    before = state(home)
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(home)],
        cwd=Path(__file__).resolve().parents[1],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"open\n"
        with pytest.raises(StoreBusyError, match=str(holder.pid)):
            restore(home, files_in(home), lived[1].file)
        assert not (home / "restore.pending").exists()
        holder.communicate()
    assert state(home) == before


def test_a_damaged_database_is_kept_as_it_lies_and_replaced(home: Path, lived: Lived) -> None:
    (home / DATABASE_NAME).write_bytes(b"rubbish")
    (home / f"{DATABASE_NAME}.wal").write_bytes(b"a log that must not meet the new file")
    kept = restore(home, files_in(home), lived[1].file).kept
    assert not (home / f"{DATABASE_NAME}.wal").exists()
    assert state(home) == lived[0]
    assert kept is not None
    assert (kept / DATABASE_NAME).read_bytes() == b"rubbish"


def test_death_at_any_step_of_a_restore_leaves_the_old_state_or_is_finished_at_the_next_start(
    home: Path, tmp_path: Path, lived: Lived
) -> None:
    at_backup, made = lived
    before, aside = state(home), tmp_path / "aside"
    shutil.copytree(home, aside)
    steps = names_of_steps(lambda: restore(home, files_in(home), made.file))
    commit_point = steps.index("rename")
    finished = []
    for number in range(len(steps)):
        shutil.rmtree(home)
        shutil.copytree(aside, home)
        with pytest.raises(Killed), watched(killed_at(number)):
            restore(home, files_in(home), made.file)
        finished.append(finish_restore(home))
        assert state(home) == (before if number <= commit_point else at_backup), f"step {number}"
    assert finished[commit_point : commit_point + 2] == [False, True]


def test_a_file_on_another_file_system_is_replaced_whole(tmp_path: Path) -> None:
    staged, place = tmp_path / "staged", tmp_path / "place"
    staged.write_bytes(b"new")
    place.write_bytes(b"old")
    calls = []

    def other_file_system(name: str) -> None:
        calls.append(name)
        if calls == ["replace"]:
            raise OSError(errno.EXDEV, "Invalid cross-device link")

    with watched(other_file_system):
        atomic_file.install(staged, place)
    assert place.read_bytes() == b"new"
    assert not staged.exists()


def test_a_restore_that_died_while_it_cleaned_up_is_over(home: Path, store: Store) -> None:
    leftover = home / ".restore.done"
    leftover.mkdir()
    (leftover / "plan.json").write_text("{")
    assert not finish_restore(home)
    assert not leftover.exists()
