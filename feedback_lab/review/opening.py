"""Run the rules over what they have not seen, and open tasks within the day's budget."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from feedback_lab import schema
from feedback_lab.errors import InputError
from feedback_lab.jobs import Progress
from feedback_lab.patterns import Candidate, Undecided, Verdict, compared_by, scan
from feedback_lab.records import Polarity, TaskStatus, new_id, utc_now
from feedback_lab.store import Store, insert_rows
from feedback_lab.triggers import DEFAULT_RULES, HIGH, RULES
from feedback_lab.verdicts import SAID, VERDICTS

# Of the day's budget, so much may go to single users' corrections while patterns still wait.
CORRECTION_SHARE = 0.3

CONTEXT_SQL = (
    "WITH verdict AS ("
    + VERDICTS
    + """), closed AS (
        SELECT tf.feedback_id, max(d.decided_at) AS consumed_at
        FROM task_feedback tf JOIN task t ON t.task_id = tf.task_id AND t.status = 'done'
        JOIN decision d ON d.task_id = t.task_id GROUP BY tf.feedback_id
    ), pending AS (
        SELECT tf.feedback_id, tf.task_id
        FROM task_feedback tf JOIN task t ON t.task_id = tf.task_id AND t.status <> 'done'
    )
    SELECT v.feedback_id, v.interaction_id, v.rater, v.polarity, v.happened_at, i.input,
           closed.consumed_at, pending.task_id
    FROM verdict v
    LEFT JOIN interaction i ON i.interaction_id = v.interaction_id
    LEFT JOIN closed ON closed.feedback_id = v.feedback_id
    LEFT JOIN pending ON pending.feedback_id = v.feedback_id
    ORDER BY v.happened_at, v.feedback_id
"""
)
SAID_SQL = (
    "SELECT interaction_id, rater, comment, suggested_answer FROM ("
    + SAID
    + ") AS said WHERE comment IS NOT NULL OR suggested_answer IS NOT NULL ORDER BY happened_at, feedback_id"
)
UNDECIDED_SQL = """
    SELECT t.task_id, t.rule, i.input, said.comment, said.suggestion
    FROM task t LEFT JOIN interaction i ON i.interaction_id = t.anchor_interaction_id
    LEFT JOIN (
        SELECT tf.task_id, f.interaction_id, max(f.comment) AS comment, max(f.suggested_answer) AS suggestion
        FROM task_feedback tf JOIN feedback f ON f.feedback_id = tf.feedback_id GROUP BY tf.task_id, f.interaction_id
    ) AS said ON said.task_id = t.task_id AND said.interaction_id = t.anchor_interaction_id
    WHERE t.status <> 'done' ORDER BY t.created_at, t.task_id
"""

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
    progress: Progress = lambda done, total, words: None,
) -> RunReport:
    """Evaluate the verdicts that each rule has not seen and open tasks; `budget` None opens every candidate.

    A dry run writes and marks nothing. Doing it again without new verdicts evaluates nothing. `progress` is told how
    many verdicts of how many were looked at; what it raises ends the run with nothing written. Raises InputError for
    an unknown rule.
    """
    moment = now or utc_now()
    chosen = [_rule(name) for name in dict.fromkeys(rules)]
    with _running:  # two runs side by side would open the same pattern twice
        verdicts = _load_verdicts(store)
        undecided = _load_undecided(store)
        unseen = {rule.name: _unseen(store, rule.name, verdicts) for rule in chosen}
        candidates: list[Candidate] = []
        looked = _Looked(progress, verdicts, unseen)
        for rule in chosen:
            found = scan(rule, verdicts, unseen[rule.name], undecided, similarity, looked.at)
            candidates += _without_taken(found, candidates)
            looked.through(rule.name)
        room = _room(store, budget, moment)
        if dry_run:
            plan = _Plan.of(candidates, [], room)
        else:
            plan = store.write(lambda connection: _open(connection, candidates, unseen, room, moment))
    return RunReport(
        evaluated=len(set().union(*unseen.values())) if unseen else 0,
        candidates=len(candidates),
        opened=len(plan.opened),
        joined=len(plan.joined),
        waiting=len(plan.waiting),
        promoted=len(plan.promoted),
        dry_run=dry_run,
        by_rule={rule.name: sum(c.rule == rule.name for c in candidates) for rule in chosen},
    )


class _Looked:
    """How far a run is: the verdicts that the rules are to look at, negative ones, each rule's counted."""

    def __init__(self, progress: Progress, verdicts: Sequence[Verdict], unseen: dict[str, set[str]]) -> None:
        negative = {verdict.feedback_id for verdict in verdicts if verdict.polarity is Polarity.NEGATIVE}
        self._of = {rule: len(ids & negative) for rule, ids in unseen.items()}
        self._progress, self._before, self._now = progress, 0, 0
        self.at(0)

    def at(self, more: int) -> None:
        self._now += more
        self._progress(self._now, sum(self._of.values()), "")

    def through(self, rule: str) -> None:
        self._before += self._of[rule]
        self.at(self._before - self._now)


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


def _open(
    connection: Connection,
    candidates: Sequence[Candidate],
    unseen: dict[str, set[str]],
    room: int | None,
    moment: datetime,
) -> _Plan:
    waiting = connection.execute(
        text("SELECT task_id, rule, priority, score FROM task WHERE status = 'waiting' ORDER BY created_at, task_id")
    ).mappings()
    plan = _Plan.of(candidates, [dict(row) for row in waiting], room)
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
        {"rule": rule, "feedback_id": one, "evaluated_at": moment}
        for rule, ids in unseen.items()
        for one in sorted(ids)
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


def _without_taken(found: Sequence[Candidate], before: Sequence[Candidate]) -> list[Candidate]:
    """Drop what an earlier rule of this run gathered already: a feedback is in at most one undecided task."""
    taken = {one for candidate in before for one in candidate.members}
    for candidate in found:
        candidate.members = {one: verdict for one, verdict in candidate.members.items() if one not in taken}
    return [candidate for candidate in found if candidate.members]


def _load_verdicts(store: Store) -> list[Verdict]:
    words: dict[tuple[str, str], dict[str, str]] = {}
    for row in store.rows(SAID_SQL):
        said = words.setdefault((row["interaction_id"], row["rater"]), {})
        said.update({name: row[name] for name in ("comment", "suggested_answer") if row[name]})
    verdicts = []
    for row in store.rows(CONTEXT_SQL):
        said = words.get((row["interaction_id"], row["rater"]), {})
        group, compared = compared_by(row.pop("input"), said.get("comment"), said.get("suggested_answer"))
        row["polarity"] = Polarity(row["polarity"])
        verdicts.append(Verdict(group=group, text=compared, suggested_answer=said.get("suggested_answer"), **row))
    return verdicts


def _load_undecided(store: Store) -> list[Undecided]:
    return [
        Undecided(row["task_id"], row["rule"], *compared_by(row["input"], row["comment"], row["suggestion"]))
        for row in store.rows(UNDECIDED_SQL)
    ]


def _unseen(store: Store, rule: str, verdicts: Sequence[Verdict]) -> set[str]:
    seen = {
        row["feedback_id"] for row in store.rows("SELECT feedback_id FROM evaluation WHERE rule = :rule", rule=rule)
    }
    return {verdict.feedback_id for verdict in verdicts} - seen


def _room(store: Store, budget: int | None, moment: datetime) -> int | None:
    """How many tasks may still be opened on this UTC day; None without a budget."""
    if budget is None:
        return None
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    used = store.scalar("SELECT count(*) FROM task WHERE opened_at >= :midnight", midnight=midnight)
    return max(0, budget - int(used))


def _rule(name: str) -> Any:
    if name not in RULES:
        raise InputError(f"There is no rule {name!r}: choose from {', '.join(sorted(RULES))}.")
    return RULES[name]
