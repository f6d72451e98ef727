"""The history of knowledge entries in the database, and the outbox of decisions that are still to reach a file."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from feedback_lab import audit, schema
from feedback_lab.records import Entry, EntryStatus, utc_now
from feedback_lab.store import Store, insert_rows

LATEST_SQL = """
    SELECT v.* FROM entry_version v
    JOIN (SELECT entry_id, max(version) AS version, min(decided_at) AS created_at FROM entry_version GROUP BY entry_id)
        AS latest ON latest.entry_id = v.entry_id AND latest.version = v.version
    ORDER BY latest.created_at, v.entry_id
"""
VERSIONS_SQL = "SELECT * FROM entry_version WHERE entry_id = :entry_id ORDER BY version"
PENDING_SQL = "SELECT payload FROM outbox WHERE published_at IS NULL ORDER BY created_at, decision_id"
ALL_SQL = "SELECT payload, published_at FROM outbox ORDER BY created_at, decision_id"
AGAIN_SQL = "UPDATE outbox SET published_at = NULL WHERE decision_id = :decision_id"
DONE_SQL = "UPDATE outbox SET published_at = :now WHERE decision_id = :decision_id AND published_at IS NULL"


@dataclass(frozen=True, slots=True)
class Version:
    """One version of an entry as the history holds it; `decision_id` is None where no decision made it."""

    entry: Entry
    decision_id: str | None


def latest(store: Store) -> dict[str, Entry]:
    """The latest known version of every entry, retired ones too, in order of creation. Read-only."""
    return {str(row["entry_id"]): _entry(row) for row in store.rows(LATEST_SQL)}


def versions(store: Store, entry_id: str) -> list[Version]:
    """Every version of an entry, the first one first; none for an unknown entry. Read-only."""
    return [Version(_entry(row), row["decision_id"]) for row in store.rows(VERSIONS_SQL, entry_id=entry_id)]


def pending(store: Store) -> list[dict[str, Any]]:
    """The payloads of decisions that have not been published, in the order in which they were decided. Read-only."""
    return [_decoded(row["payload"]) for row in store.rows(PENDING_SQL)]


def standing(store: Store) -> list[dict[str, Any]]:
    """The payloads of published decisions that nobody has undone, in the order of deciding. Read-only."""
    rows = [(_decoded(row["payload"]), row["published_at"]) for row in store.rows(ALL_SQL)]
    undone = {payload.get("supersedes") for payload, _ in rows}
    return [payload for payload, done in rows if done is not None and payload["decision_id"] not in undone]


def posted(store: Store, decision_id: str) -> dict[str, Any] | None:
    """What a decision posted to the outbox, or None. Read-only."""
    payload = store.scalar("SELECT payload FROM outbox WHERE decision_id = :decision_id", decision_id=decision_id)
    return None if payload is None else dict(_decoded(payload))


def add(connection: Connection, entries: Iterable[Entry], actor: str, action: str, decision_id: str | None) -> None:
    """Add versions to the history, each with its line in the audit, in the caller's transaction."""
    entries = list(entries)
    rows = [_row(entry, decision_id) for entry in entries]
    insert_rows(connection, schema.entry_version, rows)
    for entry in entries:
        audit.record(connection, actor, action, entry.entry_id, version=entry.version, status=entry.status)


def finish(connection: Connection, decision_id: str, now: datetime | None = None) -> None:
    """Note that a decision has reached its file, in the caller's transaction; noting it again changes nothing."""
    connection.execute(text(DONE_SQL), {"decision_id": decision_id, "now": now or utc_now()})


def publish_again(connection: Connection, decision_id: str) -> None:
    """Make a decision pending once more, in the caller's transaction."""
    connection.execute(text(AGAIN_SQL), {"decision_id": decision_id})


def _entry(row: dict[str, Any]) -> Entry:
    return Entry(
        entry_id=row["entry_id"],
        question=row["question"],
        answer=row["answer"],
        status=EntryStatus(row["status"]),
        version=row["version"],
        scope=row["scope"],
        sources=tuple(_decoded(row["sources"])),
        decided_by=row["decided_by"],
        decided_at=row["decided_at"],
    )


def _row(entry: Entry, decision_id: str | None) -> dict[str, Any]:
    return {
        "entry_id": entry.entry_id,
        "version": entry.version,
        "question": entry.question,
        "answer": entry.answer,
        "scope": entry.scope,
        "status": str(entry.status),
        "sources": list(entry.sources),
        "decided_by": entry.decided_by,
        "decided_at": entry.decided_at,
        "decision_id": decision_id,
    }


def _decoded(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value
