"""Taking a whole import back: afterwards the tables stand as if it had never come, the trail excepted.

A decision is a human's word, so an import on which one rests stays until the decision is undone. Interactions
that other imports speak about stay as bare rows, with what those imports themselves brought. What they only repeated
goes: a duplicate leaves no trace but its count, so `repeated_by` names the files that may have to come again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from feedback_lab import audit
from feedback_lab.errors import InputError, LabError
from feedback_lab.ingest.judging import CONTENT
from feedback_lab.store import Store

GONE = "SELECT feedback_id FROM feedback WHERE batch_id = :batch"

DECIDED = f"""
    SELECT DISTINCT t.task_id FROM task t
    LEFT JOIN task_feedback tf ON tf.task_id = t.task_id
    LEFT JOIN interaction i ON i.interaction_id = t.anchor_interaction_id
    WHERE t.status = 'done' AND (tf.feedback_id IN ({GONE}) OR i.batch_id = :batch)
    ORDER BY t.task_id
"""
ALONE = f"""
    SELECT task_id FROM task_feedback GROUP BY task_id
    HAVING bool_and(feedback_id IN ({GONE}))
"""
REPEATED = """
    SELECT DISTINCT coalesce(other.file_name, other.source) AS name FROM import_batch AS other
    JOIN import_batch AS this ON this.batch_id = :batch AND other.finished_at > this.finished_at
    WHERE other.status = 'done' AND other.rows_duplicate > 0 ORDER BY name
"""
# Interactions of this batch that others speak about: their feedback, or a field that they filled.
SHARED = """
    SELECT i.interaction_id, min(o.batch_id) AS heir FROM interaction i
    JOIN (
        SELECT interaction_id, batch_id FROM feedback WHERE batch_id IS DISTINCT FROM :batch
        UNION ALL SELECT interaction_id, batch_id FROM import_fill WHERE batch_id <> :batch
    ) AS o ON o.interaction_id = i.interaction_id
    WHERE i.batch_id = :batch GROUP BY i.interaction_id
"""
EMPTY_FILLED = """
    UPDATE interaction SET {assignments}
    WHERE interaction_id IN (SELECT interaction_id FROM import_fill WHERE batch_id = :batch)
""".format(
    assignments=", ".join(
        f"{name} = CASE WHEN (interaction_id, '{name}') NOT IN "
        f"(SELECT (interaction_id, field) FROM import_fill WHERE batch_id = :batch) THEN {name} END"
        for name in CONTENT
    )
)
MAKE_BARE = """
    UPDATE interaction SET batch_id = shared.heir, {assignments} FROM ({shared}) AS shared
    WHERE interaction.interaction_id = shared.interaction_id
""".format(
    shared=SHARED,
    assignments=", ".join(
        f"{name} = CASE WHEN EXISTS (SELECT 1 FROM import_fill x WHERE x.interaction_id = interaction.interaction_id "
        f"AND x.field = '{name}' AND x.batch_id <> :batch) THEN {name} END"
        for name in CONTENT
    ),
)
# A task that goes on with others' feedback must not hang on an interaction that is no more.
MOVE_ANCHORS = """
    UPDATE task SET anchor_interaction_id = other.interaction_id
    FROM (
        SELECT tf.task_id, arg_max(f.interaction_id, (coalesce(f.created_at, f.received_at), f.feedback_id))
            AS interaction_id
        FROM task_feedback tf JOIN feedback f ON f.feedback_id = tf.feedback_id GROUP BY tf.task_id
    ) AS other
    WHERE task.task_id = other.task_id AND task.status <> 'done'
      AND task.anchor_interaction_id NOT IN (SELECT interaction_id FROM interaction)
"""


@dataclass(frozen=True, slots=True)
class UndoReport:
    """What an undo removed: whole records and undecided tasks, and what it only emptied.

    `emptied_fields` were filled by the import in others' interactions; `bare_interactions` are its own that stay
    without content, because other imports speak about them. `repeated_by` are the files of later imports with rows that
    were stored already: where this import had stored them, they are gone.
    """

    batch_id: str
    interactions: int
    feedback: int
    tasks: int
    emptied_fields: int
    bare_interactions: int
    repeated_by: tuple[str, ...] = ()


def repeated_by(connection: Connection, batch_id: str) -> tuple[str, ...]:
    """The files of later imports that found rows stored already, which may be rows of this import."""
    return tuple(connection.execute(text(REPEATED), {"batch": batch_id}).scalars())


def repeats_said(names: Sequence[str]) -> list[str]:
    """The sentence about them: what an undo takes from them too; none where there are none."""
    if not names:
        return []
    files = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    return [f"Rows of {files} that only repeated rows of this import go with it: import again what is to stay."]


def undo(store: Store, batch_id: str, actor: str) -> UndoReport:
    """Take the import back, with the undecided tasks that rest on it alone, in one transaction.

    Raises InputError where there is no such import or it is undone already, LabError with the names of the tasks
    where a decision rests on it.
    """

    def work(connection: Connection) -> UndoReport:
        _refuse(connection, batch_id)
        report = _remove(connection, batch_id)
        audit.record(connection, actor, "undo import", batch_id, interactions=report.interactions, tasks=report.tasks)
        return report

    return store.write(work)


def _refuse(connection: Connection, batch_id: str) -> None:
    status = connection.execute(
        text("SELECT status FROM import_batch WHERE batch_id = :batch"), {"batch": batch_id}
    ).scalar()
    if status is None:
        raise InputError(f"There is no import {batch_id!r}: `feedback-lab imports` lists them.")
    if status == "undone":
        raise InputError(f"The import {batch_id} is undone already: nothing is left of it to take back.")
    decided = [str(row[0]) for row in connection.execute(text(DECIDED), {"batch": batch_id}).fetchall()]
    if decided:
        names = ", ".join(decided[:10]) + (f" and {len(decided) - 10} more" if len(decided) > 10 else "")
        raise LabError(f"Decisions rest on the import {batch_id} (tasks {names}): undo them first, then the import.")


def _remove(connection: Connection, batch_id: str) -> UndoReport:
    def count(rows: str) -> int:
        return int(connection.execute(text(f"SELECT count(*) FROM {rows}"), {"batch": batch_id}).scalar_one())

    def change(sql: str) -> None:
        connection.execute(text(sql), {"batch": batch_id})

    alone = [row[0] for row in connection.execute(text(ALONE), {"batch": batch_id}).fetchall()]
    _remove_tasks(connection, alone)
    for table in ("task_feedback", "evaluation", "issue_member"):
        change(f"DELETE FROM {table} WHERE feedback_id IN ({GONE})")
    change(EMPTY_FILLED)
    own = "WHERE batch_id = :batch"
    emptied, feedback = count(f"import_fill {own}"), count(f"feedback {own}")
    change(f"DELETE FROM import_fill {own}")
    change(f"DELETE FROM feedback {own}")
    bare = count(f"({SHARED})")
    change(MAKE_BARE)
    change(
        "DELETE FROM exposure WHERE interaction_id IN (SELECT interaction_id FROM interaction WHERE batch_id = :batch)"
    )
    interactions = count(f"interaction {own}")
    change(f"DELETE FROM interaction {own}")
    change(MOVE_ANCHORS)
    change("DELETE FROM import_reject WHERE batch_id = :batch")
    change("UPDATE import_batch SET status = 'undone' WHERE batch_id = :batch")
    return UndoReport(batch_id, interactions, feedback, len(alone), emptied, bare, repeated_by(connection, batch_id))


def _remove_tasks(connection: Connection, task_ids: list[Any]) -> None:
    for table in ("task_skip", "task_feedback", "task"):
        for start in range(0, len(task_ids), 500):
            names = {f"t{number}": task_id for number, task_id in enumerate(task_ids[start : start + 500])}
            places = ", ".join(f":{name}" for name in names)
            connection.execute(text(f"DELETE FROM {table} WHERE task_id IN ({places})"), names)
