"""Decide and undo: one transaction writes the decision and the outbox row that will reach the file.

The transaction is the commit point; `knowledge.publish` writes the file after it, also after a crash.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from feedback_lab import audit, schema
from feedback_lab.errors import InputError, ReviewError
from feedback_lab.published_text import clean
from feedback_lab.records import CorrectionType, Outcome, new_id, utc_now
from feedback_lab.review.tasks import checked_name, load_task, why_not_yours
from feedback_lab.store import Store

PUBLISHING = (Outcome.ACCEPT, Outcome.EDIT)

DECIDE_SQL = """
    UPDATE task SET status = 'done', locked_by = NULL, lease_token = NULL, lease_expires_at = NULL
    WHERE task_id = :task AND status = 'claimed' AND locked_by = :reviewer AND lease_token = :token
      AND lease_expires_at > :now
    RETURNING anchor_interaction_id
"""
# The users' better answers of a task: the anchor's first, then the newest.
SUGGESTIONS_SQL = """
    SELECT f.feedback_id, f.suggested_answer, f.interaction_id = t.anchor_interaction_id AS anchored
    FROM task t
    JOIN task_feedback tf ON tf.task_id = t.task_id
    JOIN feedback member ON member.feedback_id = tf.feedback_id
    JOIN feedback f ON f.interaction_id = member.interaction_id
    WHERE t.task_id = :task AND f.suggested_answer IS NOT NULL AND f.population = 'user'
    GROUP BY f.feedback_id, f.suggested_answer, anchored, f.created_at, f.received_at
    ORDER BY anchored DESC, coalesce(f.created_at, f.received_at) DESC, f.feedback_id
"""
LAST_SQL = """
    SELECT d.* FROM decision d
    WHERE d.reviewer = :reviewer AND d.outcome <> 'undo'
      AND NOT EXISTS (SELECT 1 FROM decision later WHERE later.supersedes = d.decision_id)
    ORDER BY d.decided_at DESC, d.decision_id DESC LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a reviewer says of a task.

    `accept` publishes the user's suggested answer, `edit` the reviewer's `text`; for `knowledge` the
    `question` is the anchor's own unless given.
    """

    outcome: Outcome
    text: str | None = None
    correction_type: CorrectionType = CorrectionType.KNOWLEDGE
    question: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision that stands. `target_id` is the entry or instruction that it writes, None where it writes nothing."""

    decision_id: str
    task_id: str
    outcome: Outcome
    closed: int
    target_id: str | None = None


@dataclass(frozen=True, slots=True)
class Undone:
    """A decision that was taken back: its task is open again, what it published is retired."""

    decision_id: str
    task_id: str
    outcome: str


def decide(
    store: Store, task_id: str, reviewer: str, token: str, answer: Answer, *, now: datetime | None = None
) -> Decided:
    """Close a task whose live lease the caller holds, with everything in its pattern.

    Raises ReviewError for a stale token, a task that somebody else holds or that is decided, and for an
    `accept` without a user's suggestion; InputError where text or question is missing. Nothing is written then.
    """
    name, moment = checked_name(reviewer), now or utc_now()

    def work(connection: Connection) -> Decided:
        values = {"task": task_id, "reviewer": name, "token": token, "now": moment}
        row = connection.execute(text(DECIDE_SQL), values).first()
        if row is None:
            raise ReviewError(_refusal(connection, task_id, name, moment))
        correction = _correction(connection, task_id, str(row[0]), answer)
        return _record(connection, task_id, name, answer, correction, moment)

    return store.write(work)


def undo(store: Store, reviewer: str, *, now: datetime | None = None) -> Undone:
    """Take back the reviewer's latest decision that stands: a new decision supersedes it, its task opens again.

    Raises ReviewError where there is nothing to undo.
    """
    name, moment = checked_name(reviewer), now or utc_now()
    return store.write(lambda connection: _undo(connection, name, moment))


def suggestions(connection: Connection, task_id: str) -> list[tuple[str, str]]:
    """(feedback_id, suggested answer) of a task's users, the one that `accept` publishes first."""
    return [(row[0], row[1]) for row in connection.execute(text(SUGGESTIONS_SQL), {"task": task_id})]


def _correction(connection: Connection, task_id: str, anchor: str, answer: Answer) -> tuple[str, str] | None:
    """(question, text) to publish, or None for an outcome that writes nothing."""
    if answer.outcome not in PUBLISHING:
        return None
    if answer.outcome is Outcome.EDIT:
        wording = clean(answer.text or "").strip()
        if not wording:
            raise InputError("An edit needs its text: write the better answer (--text), or choose another outcome.")
    else:
        proposed = suggestions(connection, task_id)
        if not proposed:
            raise ReviewError(
                f"No user suggested an answer for the task {task_id}, so there is nothing to accept: "
                "use edit and write the better answer."
            )
        wording = clean(proposed[0][1]).strip()
        if not wording:
            raise InputError(
                "The suggested answer holds nothing that can be seen: use edit and write the better answer."
            )
    asked = connection.execute(
        text("SELECT input FROM interaction WHERE interaction_id = :anchor"), {"anchor": anchor}
    ).scalar()
    question = clean(answer.question or asked or "").strip()
    if answer.correction_type is CorrectionType.KNOWLEDGE and not question:
        raise InputError(
            "This feedback came without a question: fill in the question that the answer belongs to (--question)."
        )
    return question, wording


def _record(
    connection: Connection,
    task_id: str,
    reviewer: str,
    answer: Answer,
    correction: tuple[str, str] | None,
    moment: datetime,
) -> Decided:
    decision_id, target_id = new_id(), new_id() if correction else None
    sources = [
        row[0]
        for row in connection.execute(
            text("SELECT feedback_id FROM task_feedback WHERE task_id = :task ORDER BY feedback_id"), {"task": task_id}
        )
    ]
    question, wording = correction or (answer.question, answer.text)
    row = {
        "decision_id": decision_id,
        "task_id": task_id,
        "reviewer": reviewer,
        "outcome": str(answer.outcome),
        "correction_type": str(answer.correction_type) if correction else None,
        "question": question,
        "text": wording,
        "reason": answer.reason,
        "decided_at": moment,
        "supersedes": None,
    }
    connection.execute(schema.decision.insert().values(row))
    if correction:
        entry = _written(answer.correction_type, *correction)
        by = _provenance(decision_id, reviewer, moment)
        _post(connection, {**entry, "id": target_id, "sources": sources, **by}, moment)
    audit.record(connection, reviewer, "decide", task_id, outcome=answer.outcome, decision=decision_id)
    return Decided(decision_id, task_id, answer.outcome, len(sources), target_id)


def _written(kind: CorrectionType, question: str, wording: str) -> dict[str, str]:
    """What the outbox says of a correction: a fact for the knowledge file, or behaviour for the instructions."""
    if kind is CorrectionType.KNOWLEDGE:
        return {"action": "entry", "question": question, "answer": wording, "scope": ""}
    return {"action": "instruction", "question": question, "text": wording, "scope": ""}


def _undo(connection: Connection, reviewer: str, moment: datetime) -> Undone:
    last = connection.execute(text(LAST_SQL), {"reviewer": reviewer}).mappings().first()
    if last is None:
        raise ReviewError(f"{reviewer} has no decision that could be undone.")
    decision_id = new_id()
    connection.execute(
        schema.decision.insert().values(
            decision_id=decision_id,
            task_id=last["task_id"],
            reviewer=reviewer,
            outcome="undo",
            decided_at=moment,
            supersedes=last["decision_id"],
        )
    )
    connection.execute(
        text("UPDATE task SET status = 'open' WHERE task_id = :task AND status = 'done'"), {"task": last["task_id"]}
    )
    posted = connection.execute(
        text("SELECT payload FROM outbox WHERE decision_id = :decision"), {"decision": last["decision_id"]}
    ).scalar()
    if posted is not None:
        payload = {
            "action": f"retire_{posted['action']}",
            "id": posted["id"],
            "supersedes": last["decision_id"],
            **_provenance(decision_id, reviewer, moment),
        }
        _post(connection, payload, moment)
    audit.record(connection, reviewer, "undo", last["task_id"], decision=decision_id, supersedes=last["decision_id"])
    return Undone(decision_id, last["task_id"], last["outcome"])


def _post(connection: Connection, payload: dict[str, Any], moment: datetime) -> None:
    connection.execute(
        schema.outbox.insert().values(decision_id=payload["decision_id"], payload=payload, created_at=moment)
    )


def _provenance(decision_id: str, reviewer: str, moment: datetime) -> dict[str, str]:
    return {"decision_id": decision_id, "decided_by": reviewer, "decided_at": f"{moment:%Y-%m-%dT%H:%M:%SZ}"}


def _refusal(connection: Connection, task_id: str, reviewer: str, moment: datetime) -> str:
    task = load_task(connection, task_id, moment)
    if task.locked_by is None and task.status not in ("done", "waiting"):
        return f"{reviewer} does not hold the task {task_id} (any more): claim it again, it was not changed."
    if task.locked_by == reviewer:
        return f"The task {task_id} was claimed again since: reload it and decide there, it was not changed."
    return why_not_yours(task, reviewer)
