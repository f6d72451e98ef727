"""What becomes of knowledge entries: pure decisions on what the file says, what history knows, what was decided.

The file is the truth for content, the history (`entry_version`) for what was known before. The two differ
after a hand edit, and after a crash between writing the file and noting it; the version number on the line
tells the two apart.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from feedback_lab.published_text import clean, folded
from feedback_lab.records import Entry, EntryStatus, new_id

BY_HAND = "edited by hand"


class Step(Enum):
    """How far a decision has come in the file."""

    TO_WRITE = "to write"
    WRITTEN = "written"
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True)
class TakenIn:
    """The lines as the file should hold them, and the new versions for the history."""

    lines: list[Entry]
    versions: list[Entry]


def take_in(lines: Iterable[Entry], known: Mapping[str, Entry], busy: Collection[str], now: str) -> TakenIn:
    """Take hand edits in: changed lines, new lines, lines without an id, lines that are gone.

    `known` holds the latest version of each entry, `busy` the ids that a decision is still to change: those
    stay as they are. A line that carries a higher version and a maker of its own (from another copy of the
    database, or from a run that died here) is taken as it stands; any other difference is a hand edit.
    """
    kept: list[Entry] = []
    versions: list[Entry] = []
    for line in lines:
        last = known.get(line.entry_id)
        unchanged = line.entry_id in busy or line == last
        entry = line if unchanged else _taken(cleaned(line), last, now)
        kept.append(entry)
        if not unchanged and entry != last:
            versions.append(entry)
    present = {entry.entry_id for entry in kept} | set(busy)
    for entry_id, last in known.items():
        if entry_id not in present and last.status == EntryStatus.ACTIVE:
            versions.append(_by_hand(replace(last, status=EntryStatus.RETIRED), last.version + 1, now))
    return TakenIn(kept, versions)


def decided(payload: Mapping[str, Any], last: Entry | None) -> Entry:
    """The entry that a decided correction makes, as it will stand in the file."""
    entry = Entry(
        entry_id=payload["id"],
        question=payload["question"],
        answer=payload["answer"],
        version=last.version + 1 if last else 1,
        scope=payload.get("scope") or "",
        sources=tuple(payload.get("sources") or ()),
        decided_by=payload["decided_by"],
        decided_at=payload["decided_at"],
    )
    return cleaned(entry)


def withdrawn(payload: Mapping[str, Any], last: Entry, before: Entry | None) -> Entry:
    """The entry after its decision was undone: as it was `before` that decision, or retired where it made it."""
    content = before or replace(last, status=EntryStatus.RETIRED)
    return cleaned(
        replace(
            content,
            version=last.version + 1,
            decided_by=payload["decided_by"],
            decided_at=payload["decided_at"],
        )
    )


def step_of(line: Entry | None, last: Entry | None, wanted: Entry) -> Step:
    """Whether `wanted` is still to be written over `line`, stands there already, or meets a hand edit."""
    if line is None:
        gone_by_hand = last is not None and last.status == EntryStatus.ACTIVE
        if not gone_by_hand:
            return Step.TO_WRITE
        return Step.WRITTEN if wanted.status == EntryStatus.RETIRED else Step.CONFLICT
    if line == last or _content(line) == _content(wanted):
        return Step.TO_WRITE
    return Step.WRITTEN if line.version >= wanted.version else Step.CONFLICT


def duplicate_of(entry: Entry, others: Iterable[Entry]) -> str | None:
    """The id of an active entry with the same question and answer (after NFC and folding of white space)."""
    wanted = (folded(entry.question), folded(entry.answer))
    for other in others:
        if other.status == EntryStatus.ACTIVE and (folded(other.question), folded(other.answer)) == wanted:
            return other.entry_id
    return None


def same_text(payload: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two corrections of the same kind would publish the same text."""
    return payload["action"] == other["action"] and all(
        folded(clean(payload.get(part) or "")) == folded(clean(other.get(part) or ""))
        for part in ("question", "answer", "text")
        if payload["action"] == "entry" or part == "text"
    )


def with_entry(lines: Sequence[Entry], entry: Entry) -> list[Entry]:
    """`lines` with `entry` in the place of its older version, or at the end."""
    if any(line.entry_id == entry.entry_id for line in lines):
        return [entry if line.entry_id == entry.entry_id else line for line in lines]
    return [*lines, entry]


def cleaned(entry: Entry) -> Entry:
    """`entry` with text that may be published, and without what the file could not give back."""
    return replace(
        entry,
        question=clean(entry.question),
        answer=clean(entry.answer),
        scope=clean(entry.scope),
        decided_by=" ".join(clean(entry.decided_by).split()),
        decided_at=clean(entry.decided_at),
        sources=tuple(re.sub("[\ud800-\udfff]", "�", source) for source in entry.sources),
    )


def _taken(entry: Entry, last: Entry | None, now: str) -> Entry:
    if not entry.entry_id:
        return _by_hand(replace(entry, entry_id=new_id()), 1, now)
    if last is None:
        return replace(entry, decided_by=entry.decided_by or BY_HAND, decided_at=entry.decided_at or now)
    if entry == last:
        return entry
    made_elsewhere = (entry.decided_by, entry.decided_at) != (last.decided_by, last.decided_at)
    if entry.version > last.version and made_elsewhere:
        return entry
    return _by_hand(entry, last.version + 1, now)


def _by_hand(entry: Entry, version: int, now: str) -> Entry:
    return replace(entry, version=version, decided_by=BY_HAND, decided_at=now)


def _content(entry: Entry) -> tuple[str, str, str, str, tuple[str, ...]]:
    return entry.question, entry.answer, entry.status, entry.scope, entry.sources
