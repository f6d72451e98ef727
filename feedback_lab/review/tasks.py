"""Tasks as reviewers see them: list, claim with a lease and a token, give back, skip."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, text

from feedback_lab.errors import InputError, ReviewError
from feedback_lab.records import TaskStatus, utc_now
from feedback_lab.store import Store

UNDECIDED = (TaskStatus.WAITING, TaskStatus.OPEN, TaskStatus.CLAIMED)

# Free: open, or claimed by somebody whose lease is over. High priority first, then what promises most, then age;
# what this reviewer skipped comes behind the others, in the order of skipping.
_ORDER = """
    ORDER BY s.skipped_at NULLS FIRST, CASE t.priority WHEN 'high' THEN 0 ELSE 1 END, t.score DESC,
             t.created_at, t.task_id
"""
TASKS_SQL = (
    """
    SELECT t.* FROM task t LEFT JOIN task_skip s ON s.task_id = t.task_id AND s.reviewer = :reviewer
    WHERE t.status IN ('waiting', 'open', 'claimed', 'done')
"""
    + _ORDER
)
FREE_SQL = (
    """
    SELECT t.task_id FROM task t LEFT JOIN task_skip s ON s.task_id = t.task_id AND s.reviewer = :reviewer
    WHERE t.status = 'open' OR (t.status = 'claimed' AND t.lease_expires_at <= :now)
"""
    + _ORDER
    + " LIMIT :n"
)
CLAIM_SQL = """
    UPDATE task SET status = 'claimed', locked_by = :reviewer, lease_token = :token, lease_expires_at = :expires
    WHERE task_id = :task AND (status = 'open' OR (status = 'claimed' AND lease_expires_at <= :now))
    RETURNING task_id
"""
HELD_SQL = """
    SELECT task_id, lease_token FROM task
    WHERE status = 'claimed' AND locked_by = :reviewer AND lease_expires_at > :now
"""
RENEW_SQL = """
    UPDATE task SET lease_expires_at = :expires, lease_token = :token
    WHERE task_id = :task AND status = 'claimed' AND locked_by = :reviewer AND lease_expires_at > :now
    RETURNING task_id
"""
RELEASE_SQL = """
    UPDATE task SET status = 'open', locked_by = NULL, lease_token = NULL, lease_expires_at = NULL
    WHERE task_id = :task AND status = 'claimed' AND locked_by = :reviewer AND lease_token = :token RETURNING task_id
"""


@dataclass(frozen=True, slots=True)
class Task:
    """An anchor interaction plus the feedback of its pattern, waiting for a human.

    `lease_token` is filled only in what `claim` returns. A claim whose lease is over shows as open.
    """

    task_id: str
    status: TaskStatus
    rule: str
    priority: str
    reason: str
    suggested_action: str
    anchor_interaction_id: str
    score: float
    created_at: datetime
    evidence: dict[str, Any] = field(default_factory=dict)
    feedback_ids: tuple[str, ...] = ()
    locked_by: str | None = None
    lease_expires_at: datetime | None = None
    lease_token: str | None = None


def tasks(
    store: Store,
    status: Sequence[TaskStatus] = UNDECIDED,
    reviewer: str | None = None,
    *,
    now: datetime | None = None,
) -> list[Task]:
    """All tasks of the given states, in the order in which `reviewer` would get them. Read-only."""
    moment = now or utc_now()
    with store.read() as connection:
        found = _load(connection, TASKS_SQL, {"reviewer": reviewer or ""}, moment)
    return [task for task in found if task.status in status]


def decided_since(store: Store, since: datetime) -> int:
    """How many decisions were taken at or after a UTC time and stand: undone ones do not count. Read-only."""
    sql = """
        SELECT count(*) FROM decision d WHERE d.decided_at >= :since AND d.outcome <> 'undo'
          AND NOT EXISTS (SELECT 1 FROM decision later WHERE later.supersedes = d.decision_id)
    """
    return int(store.scalar(sql, since=since))


def find(store: Store, task_id: str, *, now: datetime | None = None) -> Task:
    """One task. Raises ReviewError where there is none."""
    with store.read() as connection:
        return load_task(connection, task_id, now or utc_now())


def claim(
    store: Store,
    reviewer: str,
    n: int = 1,
    *,
    lease_minutes: int = 15,
    task_id: str | None = None,
    tokens: Collection[str] | None = None,
    now: datetime | None = None,
) -> list[Task]:
    """Up to `n` tasks that `reviewer` now holds, best first, each with its lease token; empty when nothing is open.

    What the reviewer holds already comes first, with its lease renewed. With `task_id` that one task or a
    ReviewError that says who holds it. No two reviewers ever hold one task.

    `tokens` are the leases that the caller has in hand; None counts all under the reviewer's name. So two
    browsers of one name get different tasks; asking for a `task_id` that the other browser holds takes it
    over with a new token, and the other's token decides nothing any more.
    """
    name = checked_name(reviewer)
    if n < 1:
        raise InputError(f"The number of tasks to claim must be 1 or more, not {n}.")
    moment = now or utc_now()
    return store.write(
        lambda connection: _claim(connection, name, n, lease_minutes, task_id, tokens, moment), changes_figures=False
    )


def release(store: Store, task_id: str, reviewer: str, token: str) -> bool:
    """Give a claimed task back; False where the token no longer holds it."""
    values = {"task": task_id, "reviewer": reviewer, "token": token}
    return store.write(
        lambda connection: connection.execute(text(RELEASE_SQL), values).first() is not None, changes_figures=False
    )


def skip(store: Store, task_id: str, reviewer: str, *, now: datetime | None = None) -> None:
    """Put a task behind the others for this reviewer, giving it back where they hold it. Again is harmless.

    Raises ReviewError where there is no such task, or it is decided.
    """
    name, moment = checked_name(reviewer), now or utc_now()

    def work(connection: Connection) -> None:
        if load_task(connection, task_id, moment).status is TaskStatus.DONE:
            raise ReviewError(f"The task {task_id} is decided already, so there is nothing to skip.")
        values = {"task": task_id, "reviewer": name, "now": moment}
        connection.execute(text("DELETE FROM task_skip WHERE task_id = :task AND reviewer = :reviewer"), values)
        connection.execute(text("INSERT INTO task_skip VALUES (:task, :reviewer, :now)"), values)
        connection.execute(
            text(
                "UPDATE task SET status = 'open', locked_by = NULL, lease_token = NULL, lease_expires_at = NULL "
                "WHERE task_id = :task AND status = 'claimed' AND locked_by = :reviewer"
            ),
            values,
        )

    store.write(work, changes_figures=False)


def _claim(
    connection: Connection,
    reviewer: str,
    n: int,
    lease_minutes: int,
    task_id: str | None,
    tokens: Collection[str] | None,
    moment: datetime,
) -> list[Task]:
    values = {"reviewer": reviewer, "now": moment, "expires": moment + timedelta(minutes=lease_minutes)}
    leases = {row[0]: row[1] for row in connection.execute(text(HELD_SQL), values)}
    mine = {task: token for task, token in leases.items() if tokens is None or token in tokens}
    if task_id is not None and task_id in leases:
        mine = {task_id: mine.get(task_id) or secrets.token_hex(16)}
    elif task_id is not None:
        mine = {}
    for task, token in mine.items():
        connection.execute(text(RENEW_SQL), values | {"task": task, "token": token})
    if task_id is not None:
        wanted = [] if mine else [task_id]
    else:
        wanted = [row[0] for row in connection.execute(text(FREE_SQL), values | {"n": max(0, n - len(mine))})]
    for one in wanted:
        got = connection.execute(text(CLAIM_SQL), values | {"task": one, "token": secrets.token_hex(16)}).first()
        if got is None and task_id is not None:
            raise ReviewError(why_not_yours(load_task(connection, one, moment), reviewer))
    keep = {*mine, *wanted}
    everything = _load(connection, TASKS_SQL, {"reviewer": reviewer}, moment, tokens=True)
    return [task for task in everything if task.task_id in keep and task.locked_by == reviewer][:n]


def why_not_yours(task: Task, reviewer: str) -> str:
    if task.status is TaskStatus.DONE:
        return f"The task {task.task_id} is decided already: undo that decision first."
    if task.status is TaskStatus.WAITING:
        return (
            f"The task {task.task_id} waits for a day with room in the budget: open it with triggers run --no-budget."
        )
    until = f"{task.lease_expires_at:%H:%M} UTC"
    return f"The task {task.task_id} is held by {task.locked_by} until {until}, not by {reviewer}."


def load_task(connection: Connection, task_id: str, moment: datetime) -> Task:
    found = _load(connection, "SELECT * FROM task t WHERE task_id = :task", {"task": task_id}, moment)
    if not found:
        raise ReviewError(f"There is no task {task_id!r}: `feedback-lab queue list` shows those that there are.")
    return found[0]


def _load(
    connection: Connection, sql: str, values: dict[str, Any], moment: datetime, *, tokens: bool = False
) -> list[Task]:
    rows = [dict(row) for row in connection.execute(text(sql), values).mappings()]
    feedback: dict[str, list[str]] = {}
    pairs = connection.execute(text("SELECT task_id, feedback_id FROM task_feedback ORDER BY task_id, feedback_id"))
    for task_id, feedback_id in pairs:
        feedback.setdefault(task_id, []).append(feedback_id)
    return [_task(row, tuple(feedback.get(row["task_id"], ())), moment, tokens) for row in rows]


def _task(row: dict[str, Any], feedback_ids: tuple[str, ...], moment: datetime, tokens: bool) -> Task:
    live = row["status"] == TaskStatus.CLAIMED and row["lease_expires_at"] > moment
    over = row["status"] == TaskStatus.CLAIMED and not live
    return Task(
        task_id=row["task_id"],
        status=TaskStatus.OPEN if over else TaskStatus(row["status"]),
        rule=row["rule"],
        priority=row["priority"],
        reason=row["reason"],
        suggested_action=row["suggested_action"],
        anchor_interaction_id=row["anchor_interaction_id"],
        score=row["score"],
        created_at=row["created_at"],
        evidence=row["evidence"],
        feedback_ids=feedback_ids,
        locked_by=row["locked_by"] if live else None,
        lease_expires_at=row["lease_expires_at"] if live else None,
        lease_token=row["lease_token"] if live and tokens else None,
    )


def checked_name(reviewer: str) -> str:
    name = " ".join(reviewer.split())
    if not name or len(name) > 80:
        raise InputError("The reviewer's name must have 1 to 80 characters.")
    return name
