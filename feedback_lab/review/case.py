"""Everything a reviewer needs to see of one task: the conversation, what was said, what is related."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import Connection, text

from feedback_lab.records import Feedback, Interaction, Polarity, Population, utc_now
from feedback_lab.review.deciding import suggestions
from feedback_lab.review.tasks import Task, load_task
from feedback_lab.store import Store

MAX_TURNS = 200
MAX_RELATED = 200

TURNS_SQL = """
    SELECT i.* FROM interaction i, interaction anchor
    WHERE anchor.interaction_id = :anchor
      AND (i.interaction_id = anchor.interaction_id OR i.session_id = anchor.session_id)
    ORDER BY i.turn NULLS LAST, coalesce(i.created_at, i.received_at), i.interaction_id LIMIT :most
"""
SAID_SQL = """
    SELECT * FROM feedback WHERE interaction_id = :anchor
    ORDER BY coalesce(created_at, received_at), feedback_id
"""
RELATED_SQL = """
    SELECT f.*, i.input AS question, i.output AS answer
    FROM task_feedback tf
    JOIN feedback f ON f.feedback_id = tf.feedback_id
    LEFT JOIN interaction i ON i.interaction_id = f.interaction_id
    WHERE tf.task_id = :task AND f.interaction_id <> :anchor
    ORDER BY coalesce(f.created_at, f.received_at) DESC, f.feedback_id LIMIT :most
"""


@dataclass(frozen=True, slots=True)
class RelatedFeedback:
    """Feedback of the same pattern, with the question and the answer that it is about."""

    feedback: Feedback
    input: str | None
    output: str | None


@dataclass(frozen=True, slots=True)
class Case:
    """A task with its context. `suggestions` are (feedback_id, text); the first is what `accept` publishes."""

    task: Task
    turns: list[Interaction]
    flagged_id: str
    feedback: list[Feedback]
    related: list[RelatedFeedback]
    suggestions: list[tuple[str, str]]

    @property
    def flagged(self) -> Interaction | None:
        return next((turn for turn in self.turns if turn.interaction_id == self.flagged_id), None)


def case(store: Store, task_id: str) -> Case:
    """The case of one task; at most 200 turns and 200 related items. Raises ReviewError for an unknown task."""
    with store.read() as connection:
        task = load_task(connection, task_id, utc_now())
        anchor = task.anchor_interaction_id
        turns = _rows(connection, TURNS_SQL, anchor=anchor, most=MAX_TURNS)
        related = _rows(connection, RELATED_SQL, task=task_id, anchor=anchor, most=MAX_RELATED)
        return Case(
            task=task,
            turns=[Interaction(**_only(Interaction, row)) for row in turns],
            flagged_id=anchor,
            feedback=[_feedback(row) for row in _rows(connection, SAID_SQL, anchor=anchor)],
            related=[RelatedFeedback(_feedback(row), row["question"], row["answer"]) for row in related],
            suggestions=suggestions(connection, task_id),
        )


def _feedback(row: dict[str, Any]) -> Feedback:
    known = _only(Feedback, row)
    known["polarity"] = Polarity(known["polarity"]) if known["polarity"] else None
    known["population"] = Population(known["population"])
    return Feedback(**known)


def _only(record: type, row: dict[str, Any]) -> dict[str, Any]:
    known = {name: row[name] for name in (field.name for field in fields(record))}
    return {name: {} if value is None and name in ("tags", "metadata") else value for name, value in known.items()}


def _rows(connection: Connection, sql: str, **values: Any) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(text(sql), values).mappings()]
