"""From a decision to the knowledge file or the instructions file, exactly once.

A decision and its outbox row are committed first (`review.decide`). `publish` then carries each row, in
order, in three steps: write the file atomically, then in one transaction add the history and mark the row.
A process that dies in between leaves the row pending, and the next `publish` sees from the file how far
it came. Hand edits of the knowledge file are taken in by the same call, before and after.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from feedback_lab import audit, review
from feedback_lab.errors import KnowledgeError, LabError
from feedback_lab.knowledge import changes, entries_file, history, instructions_file
from feedback_lab.knowledge.changes import BY_HAND, Step
from feedback_lab.knowledge.entries_file import read_file
from feedback_lab.knowledge.instructions_file import Instruction
from feedback_lab.records import Entry, EntryStatus, utc_now
from feedback_lab.store import Store


@dataclass(frozen=True, slots=True)
class Files:
    """Where the knowledge file and the instructions file are."""

    knowledge: Path
    instructions: Path


@dataclass(frozen=True, slots=True)
class Published:
    """What one `publish` did: ids of the entries and instructions written or retired, in order.

    `duplicates` maps the id of a correction that was not written to the id that holds the same text already;
    `edited` counts versions that came from hand edits.
    """

    entries: list[str] = field(default_factory=list)
    instructions: list[str] = field(default_factory=list)
    duplicates: dict[str, str] = field(default_factory=dict)
    edited: int = 0


@dataclass(frozen=True, slots=True)
class _Book:
    """The knowledge file and the history at one moment."""

    raw: bytes | None
    numbered: list[tuple[int, Entry]]
    known: dict[str, Entry]

    @property
    def lines(self) -> list[Entry]:
        return [entry for _, entry in self.numbered]


def publish(store: Store, files: Files) -> Published:
    """Take hand edits in, then carry every pending decision into its file. Doing it again changes nothing.

    Raises KnowledgeError where a file cannot be read, or an entry was changed by hand and by a decision at
    once; that file stays as it is, and what is not yet published stays pending. DiskError as `Store.write`.
    """
    published = Published()
    with store.exclusive():
        pending = history.pending(store)
        edited = _take_in(store, files, {payload["id"] for payload in pending})
        for payload in pending:
            if payload["action"].endswith("instruction"):
                _publish_instruction(store, files, payload, published)
            else:
                _publish_entry(store, files, payload, published)
        if pending:
            edited += _take_in(store, files, ())
        if history.pending(store):  # an undo freed a text that somebody else had decided too
            again = publish(store, files)
            published.entries.extend(again.entries)
            published.instructions.extend(again.instructions)
    return replace(published, edited=edited)


def decide(
    store: Store,
    files: Files,
    task_id: str,
    reviewer: str,
    token: str,
    answer: review.Answer,
    now: datetime | None = None,
) -> review.Decided:
    """Decide a task (`review.decide`) and publish what it writes.

    Where the same text is published already, `target_id` is the id of the entry that holds it. An error after
    the commit says that the decision stands and is still to be published.
    """
    with store.exclusive():
        decided = review.decide(store, task_id, reviewer, token, answer, now=now)
        if decided.target_id is None:
            return decided
        published = _publish_committed(store, files, "decision")
    return replace(decided, target_id=published.duplicates.get(decided.target_id, decided.target_id))


def undo(store: Store, files: Files, reviewer: str, now: datetime | None = None) -> review.Undone:
    """Take back the reviewer's latest decision (`review.undo`) and retire what it published.

    Hand edits are taken in first, so that an edited entry is retired with its edit kept in the history.
    """
    with store.exclusive():
        publish(store, files)
        undone = review.undo(store, reviewer, now=now)
        _publish_committed(store, files, "undo")
    return undone


def entries(store: Store, files: Files) -> list[Entry]:
    """All entries in the file's order, retired ones too, with hand edits taken in and decisions published first.

    Where the database may not be written (`Store.damage`), the file is read as it is.
    """
    if not store.damage:
        publish(store, files)
    return read_file(files.knowledge)


def instructions(files: Files) -> list[Instruction]:
    """The lines of the managed block of the instructions file. Read-only."""
    return instructions_file.instructions(files.instructions)


def versions(store: Store, entry_id: str) -> list[Entry]:
    """The history of an entry, the first version first. Read-only."""
    return [version.entry for version in history.versions(store, entry_id)]


def add_entries(store: Store, files: Files, new: Sequence[Entry], by: str) -> int:
    """Add entries that were made elsewhere; returns how many. Entries whose id is in the file are left out."""
    with store.exclusive():
        publish(store, files)
        book = _read(store, files)
        present = set(book.known)
        added: list[Entry] = []
        for entry in map(changes.cleaned, new):
            if entry.entry_id not in present:
                present.add(entry.entry_id)
                added.append(replace(entry, decided_by=entry.decided_by or by, decided_at=entry.decided_at or _now()))
        _write(files, book, [*book.lines, *added])
        if added:
            store.write(lambda connection: history.add(connection, added, by, "add_entry", None))
    return len(added)


def _publish_committed(store: Store, files: Files, what: str) -> Published:
    try:
        return publish(store, files)
    except LabError as error:
        raise type(error)(f"The {what} stands and follows into the file once this is put right: {error}") from error


def _take_in(store: Store, files: Files, busy: Collection[str]) -> int:
    book = _read(store, files)
    # A file that is not there is a moved setting or an accident, not an order to retire everything.
    lines = book.lines if book.raw is not None else list(book.known.values())
    taken = changes.take_in(lines, book.known, busy, _now())
    if taken.lines != book.lines:
        _write(files, book, taken.lines)
    if taken.versions:
        store.write(lambda connection: history.add(connection, taken.versions, BY_HAND, "hand_edit", None))
    return len(taken.versions)


def _publish_entry(store: Store, files: Files, payload: dict[str, Any], published: Published) -> None:
    book = _read(store, files)
    entry_id = payload["id"]
    last = book.known.get(entry_id)
    number, line = next(((n, e) for n, e in book.numbered if e.entry_id == entry_id), (0, None))
    wanted = _wanted(store, payload, last)
    if wanted is None or not (wanted.question and wanted.answer):
        _finish(store, payload, None, "nothing_to_publish")
        return
    if last is None and line is None and (same := changes.duplicate_of(wanted, book.lines)):
        _finish(store, payload, None, "publish", duplicate_of=same)
        published.duplicates[entry_id] = same
        return
    step = changes.step_of(line, last, wanted)
    if step is Step.CONFLICT:
        raise KnowledgeError(_conflict(files.knowledge, number, wanted, payload))
    if step is Step.TO_WRITE:
        _write(files, book, changes.with_entry(book.lines, wanted))
    freed = _freed(store, payload, set(book.known))
    _finish(store, payload, wanted, "publish" if wanted.status == EntryStatus.ACTIVE else "retire", freed=freed)
    published.entries.append(entry_id)


def _wanted(store: Store, payload: dict[str, Any], last: Entry | None) -> Entry | None:
    """What the entry is to become; None where an undone decision has left nothing that could be withdrawn."""
    if payload["action"] == "entry":
        return changes.decided(payload, last)
    past = history.versions(store, payload["id"])
    made = next((n for n, version in enumerate(past) if version.decision_id == payload["supersedes"]), None)
    if made is None or last is None or (made == 0 and last.status == EntryStatus.RETIRED):
        return None
    return changes.withdrawn(payload, last, past[made - 1].entry if made else None)


def _publish_instruction(store: Store, files: Files, payload: dict[str, Any], published: Published) -> None:
    path, target_id = files.instructions, payload["id"]
    before = entries_file.read_bytes(path)
    present = instructions_file.parse(before or b"", path)
    stands = any(instruction.instruction_id == target_id for instruction in present)
    if payload["action"] == "retire_instruction":
        if stands:
            entries_file.save(path, before, instructions_file.remove(before or b"", target_id, path))
        _finish(store, payload, None, "retire", freed=_freed(store, payload, {one.instruction_id for one in present}))
        published.instructions.append(target_id)
        return
    wanted = Instruction(target_id, payload["text"])
    if not stands and (same := instructions_file.duplicate_of(wanted, present)):
        _finish(store, payload, None, "publish", duplicate_of=same)
        published.duplicates[target_id] = same
        return
    if not stands:
        entries_file.save(path, before, instructions_file.add(before or b"", wanted, path))
    _finish(store, payload, None, "publish")
    published.instructions.append(target_id)


def _freed(store: Store, payload: dict[str, Any], written: Collection[str]) -> list[str]:
    """Decisions that were not written because the decision undone now had the same text: theirs is to stand."""
    if not payload["action"].startswith("retire_"):
        return []
    undone = history.posted(store, payload["supersedes"])
    return [
        one["decision_id"]
        for one in history.standing(store)
        if undone and one["id"] not in written and changes.same_text(one, undone)
    ]


def _finish(
    store: Store, payload: dict[str, Any], entry: Entry | None, action: str, freed: Sequence[str] = (), **detail: str
) -> None:
    def work(connection: Connection) -> None:
        actor, decision_id = payload["decided_by"], payload["decision_id"]
        if entry is not None:
            history.add(connection, [entry], actor, action, decision_id)
        else:
            audit.record(connection, actor, action, payload["id"], decision=decision_id, **detail)
        history.finish(connection, decision_id)
        for one in freed:
            history.publish_again(connection, one)

    store.write(work)


def _read(store: Store, files: Files) -> _Book:
    raw = entries_file.read_bytes(files.knowledge)
    return _Book(raw, entries_file.parse(raw or b"", files.knowledge), history.latest(store))


def _write(files: Files, book: _Book, lines: Sequence[Entry]) -> None:
    entries_file.save(files.knowledge, book.raw, entries_file.dump(lines))


def _conflict(path: Path, number: int, wanted: Entry, payload: dict[str, Any]) -> str:
    where = f"Line {number} of {path}" if number else f"The line that is gone from {path}"
    return (
        f"{where} (entry {wanted.entry_id}) was changed by hand while a decision of {payload['decided_by']} changes it "
        f"too: put the line back as it was in version {wanted.version - 1}, and edit it again afterwards. "
        "The file was not changed."
    )


def _now() -> str:
    return f"{utc_now():%Y-%m-%dT%H:%M:%SZ}"
