"""Decisions that wait to be published, without the review that made them."""

import itertools
from datetime import timedelta
from pathlib import Path
from typing import Any

from feedback_lab import schema
from feedback_lab.knowledge import Files
from feedback_lab.records import Entry, new_id
from feedback_lab.store import Store
from tests.builders import MONDAY

_minutes = itertools.count()


def files_in(home: Path) -> Files:
    return Files(home / "knowledge.jsonl", home / "instructions.md")


def entry(name: str = "k1", question: str = "Is it open?", answer: str = "Yes.", **more: Any) -> Entry:
    given = {"entry_id": name, "question": question, "answer": answer, "decided_by": "ada", "decided_at": "2026-11-02"}
    return Entry(**given | more)


def _post(store: Store, payload: dict[str, Any], by: str) -> dict[str, Any]:
    moment = MONDAY + timedelta(minutes=next(_minutes))
    payload |= {"decision_id": new_id(), "decided_by": by, "decided_at": f"{moment:%Y-%m-%dT%H:%M:%SZ}"}
    row = {"decision_id": payload["decision_id"], "payload": payload, "created_at": moment}
    store.write(lambda connection: connection.execute(schema.outbox.insert().values(row)))
    return payload


def decided_entry(
    store: Store, question: str = "Is it open?", answer: str = "Yes.", *, entry_id: str | None = None, by: str = "ada"
) -> dict[str, Any]:
    """A committed decision that writes an entry; a new one unless `entry_id` names one."""
    payload = {"action": "entry", "id": entry_id or new_id(), "question": question, "answer": answer}
    return _post(store, payload | {"scope": "", "sources": ["f1", "f2"]}, by)


def decided_instruction(store: Store, text: str, *, by: str = "ada") -> dict[str, Any]:
    payload = {"action": "instruction", "id": new_id(), "question": "", "text": text}
    return _post(store, payload | {"scope": "", "sources": ["f1"]}, by)


def undone(store: Store, decision: dict[str, Any], *, by: str = "ada") -> dict[str, Any]:
    """A committed undo of `decision`."""
    payload = {"action": f"retire_{decision['action']}", "id": decision["id"], "supersedes": decision["decision_id"]}
    return _post(store, payload, by)


def waiting(store: Store) -> int:
    return int(store.scalar("SELECT count(*) FROM outbox WHERE published_at IS NULL"))
