"""What the giver of a stored feedback says later: a late comment, a better answer, another thumb.

Nothing is overwritten. What is new becomes a further feedback of the same rater on the same interaction, so that the
latest thumb or rating is the verdict, rules look at it again, and what was said before can still be seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, text

from feedback_lab.ingest.items import FeedbackChange, Refused
from feedback_lab.ingest.known_ids import EVER, Found, KnownIds
from feedback_lab.ingest.meaning.item_values import moment_of, opinion_in, scale_of, text_in
from feedback_lab.records import Feedback, Kind, Population

MOST_CHANGES = 20
SAID = text("""
    SELECT * FROM feedback
    WHERE feedback_id IN (SELECT unnest(CAST(:names AS VARCHAR[]))) AND received_at BETWEEN :first AND :last
""")


@dataclass(frozen=True, slots=True)
class Said:
    """A feedback as it stands after all changes, and the rows that it consists of, the first one first.

    `changes` is the number of the last change; one before it may be gone with an import that was taken back.
    """

    rows: list[dict[str, Any]]
    changes: int
    kind: str
    value: float | None
    scale: tuple[float, float] | None
    polarity: str | None
    comment: str | None
    suggested_answer: str | None


def said_in(connection: Connection, feedback_id: str, known: KnownIds | None = None) -> Said | None:
    """The feedback with this id as it stands, None where there is none; a writer knows by itself when it arrived."""
    names = [feedback_id, *(changed_id(feedback_id, number) for number in range(1, MOST_CHANGES + 1))]
    asked = Found(names, *EVER) if known is None else known.feedback(names)
    found = {row["feedback_id"]: dict(row) for row in connection.execute(SAID, asked._asdict()).mappings()}
    if feedback_id not in found:
        return None
    rows = [found[name] for name in names if name in found]
    opinions = [row for row in rows if row["polarity"] is not None or row["value"] is not None]
    opinion = opinions[-1] if opinions else rows[0]
    scale = (opinion["scale_min"], opinion["scale_max"]) if opinion["scale_min"] is not None else None
    return Said(
        rows,
        names.index(rows[-1]["feedback_id"]),
        opinion["kind"],
        opinion["value"],
        scale,
        opinion["polarity"],
        _latest(rows, "comment"),
        _latest(rows, "suggested_answer"),
    )


def change(connection: Connection, item: FeedbackChange, received_at: datetime, known: KnownIds) -> Feedback | None:
    """The feedback that the change adds, None where it says nothing new. Raises Refused."""
    before = said_in(connection, str(item.feedback_id), known)
    if before is None or (item.source is not None and before.rows[0]["source"] != item.source):
        raise Refused("feedback_id", "not_found", "there is no feedback with this id")
    comment, answer = text_in("comment", item.comment), text_in("suggested_answer", item.suggested_answer)
    scale = scale_of(item.scale) or (before.scale if item.value is not None else None)
    said = opinion_in(None, item.value, scale, None, comment, answer)
    rated = item.value is not None and (said.value, said.scale) != (before.value, before.scale)
    comment = comment if comment != before.comment else None
    answer = answer if answer != before.suggested_answer else None
    if not rated and comment is None and answer is None:
        return None
    if before.changes >= MOST_CHANGES:
        raise Refused("feedback_id", "too_many_changes", f"a feedback can be changed {MOST_CHANGES} times")
    first = before.rows[0]
    lo, hi = (said.scale or (None, None)) if rated else (None, None)
    return Feedback(
        changed_id(item.feedback_id, before.changes + 1),
        first["interaction_id"],
        said.kind if rated else Kind.COMMENT if answer is None else Kind.CORRECTION,
        received_at,
        said.value if rated else None,
        lo,
        hi,
        said.polarity if rated else None,
        comment,
        answer,
        _after(before.rows, moment_of(item.created_at), received_at),
        first["rater_hash"],
        Population(first["population"]),
        first["source"],
    )


def changed_id(feedback_id: str, number: int) -> str:
    """The id of the feedback that the change with this number, counted from 1, added."""
    return f"{feedback_id}/patch-{number}"


def _latest(rows: Sequence[dict[str, Any]], name: str) -> Any:
    return next((row[name] for row in reversed(rows) if row[name] is not None), None)


def _after(rows: Sequence[dict[str, Any]], given: datetime | None, received_at: datetime) -> datetime | None:
    """When the change was made: never before what it changes, whatever the sender's clock says."""
    last = max(row["created_at"] or row["received_at"] for row in rows)
    moment = given or received_at
    return given if moment > last else last + timedelta(microseconds=1)
