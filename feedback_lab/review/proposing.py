"""What the rules propose: from all that they look at to candidates, in one step that touches no store.

Everything goes in and comes out as plain values and tables, so a server computes it in another process.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from feedback_lab.jobs import Progress
from feedback_lab.patterns import Candidate, Undecided, Verdict, compared_by, scan
from feedback_lab.records import Polarity
from feedback_lab.store import Store
from feedback_lab.store_engine import arrow_table
from feedback_lab.triggers import RULES
from feedback_lab.verdicts import SAID, VERDICTS

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
    ), looked AS (
        SELECT feedback_id, string_agg(rule, ' ') AS rules FROM evaluation GROUP BY feedback_id
    )
    SELECT v.feedback_id, v.interaction_id, v.rater, v.polarity, v.happened_at, i.input,
           closed.consumed_at, pending.task_id, looked.rules AS seen_by
    FROM verdict v
    LEFT JOIN interaction i ON i.interaction_id = v.interaction_id
    LEFT JOIN closed ON closed.feedback_id = v.feedback_id
    LEFT JOIN pending ON pending.feedback_id = v.feedback_id
    LEFT JOIN looked ON looked.feedback_id = v.feedback_id
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


@dataclass(frozen=True, slots=True)
class Inputs:
    """What the rules look at: all verdicts in order of time, the words that belong to them, the undecided tasks."""

    verdicts: pa.Table
    said: pa.Table
    undecided: pa.Table


@dataclass(frozen=True, slots=True)
class Proposal:
    """The candidates, rule after rule, and for each rule the verdicts (feedback ids) that it saw for the first time."""

    candidates: list[Candidate]
    unseen: dict[str, list[str]]


def read_inputs(store: Store) -> Inputs:
    """Everything that `propose` needs."""
    with store.read() as connection:
        return Inputs(*(arrow_table(connection, sql) for sql in (CONTEXT_SQL, SAID_SQL, UNDECIDED_SQL)))


def propose(
    inputs: Inputs,
    rules: Sequence[str],
    similarity: float,
    progress: Progress = lambda done, total, words: None,
) -> Proposal:
    """Run the rules with these names. `progress` is told how many verdicts of how many were looked at."""
    verdicts, seen_by = _verdicts(inputs)
    undecided = [
        Undecided(row["task_id"], row["rule"], *compared_by(row["input"], row["comment"], row["suggestion"]))
        for row in inputs.undecided.to_pylist()
    ]
    unseen = {rule: {one.feedback_id for one in verdicts if rule not in seen_by[one.feedback_id]} for rule in rules}
    candidates: list[Candidate] = []
    looked = _Looked(progress, verdicts, unseen)
    for rule in rules:
        found = scan(RULES[rule], verdicts, unseen[rule], undecided, similarity, looked.at)
        candidates += _without_taken(found, candidates)
        looked.through(rule)
    return Proposal(candidates, {rule: sorted(ids) for rule, ids in unseen.items()})


def _verdicts(inputs: Inputs) -> tuple[list[Verdict], dict[str, list[str]]]:
    """The verdicts, and the rules that have seen each of them."""
    words: dict[tuple[str, str], dict[str, str]] = {}
    for row in inputs.said.to_pylist():
        said = words.setdefault((row["interaction_id"], row["rater"]), {})
        said.update({name: row[name] for name in ("comment", "suggested_answer") if row[name]})
    verdicts, seen_by = [], {}
    for row in inputs.verdicts.to_pylist():
        said = words.get((row["interaction_id"], row["rater"]), {})
        group, compared = compared_by(row.pop("input"), said.get("comment"), said.get("suggested_answer"))
        seen_by[row["feedback_id"]] = (row.pop("seen_by") or "").split()
        row["polarity"] = Polarity(row["polarity"])
        verdicts.append(Verdict(group=group, text=compared, suggested_answer=said.get("suggested_answer"), **row))
    return verdicts, seen_by


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


def _without_taken(found: Sequence[Candidate], before: Sequence[Candidate]) -> list[Candidate]:
    """Drop what an earlier rule of this run gathered already: a feedback is in at most one undecided task."""
    taken = {one for candidate in before for one in candidate.members}
    for candidate in found:
        candidate.members = {one: verdict for one, verdict in candidate.members.items() if one not in taken}
    return [candidate for candidate in found if candidate.members]
