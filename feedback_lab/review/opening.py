"""Run the rules over what they have not seen, and open tasks within the day's budget."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from feedback_lab import schema, workers
from feedback_lab.errors import InputError
from feedback_lab.jobs import Progress
from feedback_lab.patterns import Candidate
from feedback_lab.records import TaskStatus, new_id, utc_now
from feedback_lab.review.proposing import Proposal, propose, read_inputs
from feedback_lab.store import Store, insert_rows
from feedback_lab.triggers import DEFAULT_RULES, HIGH, RULES

# Of the day's budget, so much may go to single users' corrections while patterns still wait.
CORRECTION_SHARE = 0.3

_running = threading.Lock()


@dataclass(frozen=True, slots=True)
class RunReport:
    """What a run did: `candidates` = `opened` + `joined` + `waiting`, all of this run.

    `evaluated` counts the verdicts that at least one rule looked at for the first time, `promoted` the tasks
    of earlier runs that the day's budget opened now, `by_rule` the candidates of each rule.
    """

    evaluated: int
    candidates: int
    opened: int
    joined: int
    waiting: int
    promoted: int
    dry_run: bool
    by_rule: dict[str, int] = field(default_factory=dict)


def run_rules(
    store: Store,
    rules: Sequence[str] = DEFAULT_RULES,
    *,
    similarity: float,
    budget: int | None,
    dry_run: bool = False,
    now: datetime | None = None,
    progress: Progress | None = None,
) -> RunReport:
    """Evaluate the verdicts that each rule has not seen and open tasks; `budget` None opens every candidate.

    A dry run writes and marks nothing. Doing it again without new verdicts evaluates nothing. `progress` is told how
    many verdicts of how many were looked at; what it raises ends the run with nothing written. Without it, a server
    computes in another process (`workers`). Raises InputError for an unknown rule.
    """
    moment = now or utc_now()
    chosen = list(dict.fromkeys(rules))
    for name in chosen:
        if name not in RULES:
            raise InputError(f"There is no rule {name!r}: choose from {', '.join(sorted(RULES))}.")
    with _running:  # two runs side by side would open the same pattern twice
        given = read_inputs(store), chosen, similarity
        found = workers.call(propose, *given) if progress is None else propose(*given, progress)
        room = _room(store, budget, moment)
        if dry_run:
            plan = _Plan.of(found.candidates, [], room)
        else:
            plan = store.write(lambda connection: _open(connection, found, room, moment))
    return RunReport(
        evaluated=len(set().union(*found.unseen.values())),
        candidates=len(found.candidates),
        opened=len(plan.opened),
        joined=len(plan.joined),
        waiting=len(plan.waiting),
        promoted=len(plan.promoted),
        dry_run=dry_run,
        by_rule={rule: sum(c.rule == rule for c in found.candidates) for rule in chosen},
    )


@dataclass(frozen=True, slots=True)
class _Plan:
    """Which candidates open now, join a task, or wait; and which waiting tasks of earlier runs open."""

    opened: list[Candidate]
    joined: list[Candidate]
    waiting: list[Candidate]
    promoted: list[str]

    @classmethod
    def of(cls, candidates: Sequence[Candidate], waiting: Sequence[dict[str, Any]], room: int | None) -> _Plan:
        fresh = [candidate for candidate in candidates if candidate.task_id is None]
        joined = [candidate for candidate in candidates if candidate.task_id is not None]
        # (is a correction, is not high, -score, order) of everything that competes for the day's room
        rivals: list[tuple[bool, bool, float, int, Candidate | str]] = [
            (c.rule == "user_correction", c.finding.priority != HIGH, -c.finding.score, n, c)
            for n, c in enumerate(fresh)
        ]
        rivals += [
            (row["rule"] == "user_correction", row["priority"] != HIGH, -row["score"], -n, row["task_id"])
            for n, row in enumerate(reversed(waiting))
        ]
        rivals.sort(key=lambda rival: rival[1:4])
        patterns = [rival[4] for rival in rivals if not rival[0]]
        corrections = [rival[4] for rival in rivals if rival[0]]
        space = len(rivals) if room is None else room
        share = min(len(corrections), max(round(space * CORRECTION_SHARE), space - len(patterns)))
        winners = (patterns[: space - share] + corrections[:share])[:space]
        chosen = {id(winner) for winner in winners}
        return cls(
            opened=[c for c in fresh if id(c) in chosen],
            joined=joined,
            waiting=[c for c in fresh if id(c) not in chosen],
            promoted=[winner for winner in winners if isinstance(winner, str)],
        )


def _open(connection: Connection, found: Proposal, room: int | None, moment: datetime) -> _Plan:
    waiting = connection.execute(
        text("SELECT task_id, rule, priority, score FROM task WHERE status = 'waiting' ORDER BY created_at, task_id")
    ).mappings()
    plan = _Plan.of(found.candidates, [dict(row) for row in waiting], room)
    members: list[tuple[str, Candidate]] = []
    rows = []
    for candidate, status in [(c, TaskStatus.OPEN) for c in plan.opened] + [
        (c, TaskStatus.WAITING) for c in plan.waiting
    ]:
        task_id = new_id()
        rows.append(_task_row(task_id, candidate, status, moment))
        members.append((task_id, candidate))
    members += [(candidate.task_id, candidate) for candidate in plan.joined if candidate.task_id]
    insert_rows(connection, schema.task, rows)
    insert_rows(
        connection,
        schema.task_feedback,
        [{"task_id": task_id, "feedback_id": one} for task_id, candidate in members for one in candidate.members],
    )
    for candidate in plan.joined:
        _refresh(connection, candidate)
    for task_id in plan.promoted:
        connection.execute(
            text("UPDATE task SET status = 'open', opened_at = :now WHERE task_id = :task AND status = 'waiting'"),
            {"now": moment, "task": task_id},
        )
    marks = [
        {"rule": rule, "feedback_id": one, "evaluated_at": moment} for rule, ids in found.unseen.items() for one in ids
    ]
    insert_rows(connection, schema.evaluation, marks)
    return plan


def _task_row(task_id: str, candidate: Candidate, status: TaskStatus, moment: datetime) -> dict[str, Any]:
    finding = candidate.finding
    return {
        "task_id": task_id,
        "rule": candidate.rule,
        "reason": finding.reason,
        "evidence": finding.evidence,
        "anchor_interaction_id": candidate.anchor.interaction_id,
        "priority": finding.priority,
        "score": finding.score,
        "suggested_action": finding.suggested_action,
        "status": str(status),
        "created_at": moment,
        "opened_at": moment if status is TaskStatus.OPEN else None,
    }


def _refresh(connection: Connection, candidate: Candidate) -> None:
    """Tell a task the newest reason why it stands, where the rule that opened it fired again."""
    row = _task_row(str(candidate.task_id), candidate, TaskStatus.OPEN, utc_now())
    keep = {name: row[name] for name in ("reason", "evidence", "priority", "score", "suggested_action")}
    table = schema.task
    connection.execute(
        table.update().where(table.c.task_id == candidate.task_id, table.c.rule == candidate.rule).values(keep)
    )


def _room(store: Store, budget: int | None, moment: datetime) -> int | None:
    """How many tasks may still be opened on this UTC day; None without a budget."""
    if budget is None:
        return None
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    used = store.scalar("SELECT count(*) FROM task WHERE opened_at >= :midnight", midnight=midnight)
    return max(0, budget - int(used))
