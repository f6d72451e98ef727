"""Builders for the tests of insights: numbered votes, imports that hold unrated interactions, issues."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from feedback_lab import schema
from feedback_lab.records import Feedback, Interaction, Polarity, utc_now
from feedback_lab.store import Store, insert_rows
from tests.builders import put

NOON = datetime(2026, 6, 15, 12)  # a Monday
RECEIVED = datetime(2026, 6, 20, 9)
OF_INTERACTION = ("session_id", "input", "model", "prompt_version", "tags")


def vote(
    number: int, polarity: str | None = "positive", rater: str | None = None, at: datetime | None = NOON, **more: Any
) -> tuple[Interaction, Feedback]:
    """Feedback fNUMBER on interaction iNUMBER, by a user of its own unless told; `at` None leaves it undated."""
    about = {name: more.pop(name) for name in OF_INTERACTION if name in more}
    given = {"kind": "thumb", "rater_hash": rater or f"user {number}"} | more
    verdict = Polarity(polarity) if polarity else None
    return (
        Interaction(f"i{number:05}", RECEIVED, created_at=at, batch_id=given.get("batch_id"), **about),
        Feedback(f"f{number:05}", f"i{number:05}", polarity=verdict, received_at=RECEIVED, created_at=at, **given),
    )


def unrated(number: int, batch_id: str, at: datetime = NOON) -> tuple[Interaction]:
    """An interaction that nobody said anything about."""
    return (Interaction(f"i{number:05}", RECEIVED, created_at=at, batch_id=batch_id),)


def keep(store: Store, votes: Iterable[Sequence[Interaction | Feedback]]) -> None:
    put(store, [record for records in votes for record in records])


def keep_batch(store: Store, batch_id: str, *, complete: bool, status: str = "done") -> None:
    counts = dict.fromkeys(("rows_read", "rows_new", "rows_duplicate", "rows_rejected", "rows_undated"), 0)
    row = {"batch_id": batch_id, "source": "test", "started_at": utc_now(), "status": status, "complete": complete}
    store.write(lambda connection: connection.execute(schema.import_batch.insert().values(**row, **counts)))


def keep_issue(store: Store, issue_id: str, title: str, feedback_ids: Iterable[str]) -> None:
    """An issue whose members are these feedbacks."""
    issue = {
        "issue_id": issue_id,
        "title": title,
        "title_by": "computed",
        "keywords": [],
        "representative": title,
        "samples": [f"{title} {number}" for number in range(4)],
        "status": "open",
        "label": 0,
        "created_at": utc_now(),
    }
    members = [{"feedback_id": one, "issue_id": issue_id, "score": 1.0, "moved_by": None} for one in feedback_ids]
    store.write(
        lambda connection: (
            connection.execute(schema.issue.insert().values(**issue)),
            insert_rows(connection, schema.issue_member, members),
        )
    )
