"""Ways out of the list: an issue to the review queue, its comments to a file."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

from feedback_lab import atomic_file, audit, schema
from feedback_lab.errors import InputError
from feedback_lab.issues import stored
from feedback_lab.published_text import cell
from feedback_lab.records import TaskStatus, new_id, utc_now
from feedback_lab.store import Store, insert_rows
from feedback_lab.triggers import HIGH, MANY, MEDIUM, REVIEW_INSTRUCTIONS, UPDATE_KNOWLEDGE
from feedback_lab.verdicts import NEGATIVE_COMMENTS, SAID, verdicts

RULE = "issue"  # the name under which the queue shows what a human sent
FORMATS = ("csv", "jsonl")
COLUMNS = (
    "feedback_id",
    "interaction_id",
    "issue_id",
    "issue",
    "sub_label",
    "score",
    "moved_by",
    "happened_at",
    "comment",
    "question",
    "answer",
    "model",
    "prompt_version",
)

# The verdict behind each comment stands for it in a task, as it does for the rules.
COMPLAINTS_SQL = (
    """
    SELECT v.feedback_id, v.interaction_id, v.rater, max(m.score) AS score,
           max(CASE WHEN said.suggested_answer IS NULL THEN 0 ELSE 1 END) AS corrected,
           max(CASE WHEN t.status IS NULL THEN 0 WHEN t.status = 'done' THEN 1 ELSE 2 END) AS held
    FROM ("""
    + SAID
    + f" AND f.interaction_id IN ({stored.ABOUT_ISSUE})"
    + """) AS said
    JOIN ("""
    + verdicts(stored.ABOUT_ISSUE)
    + """) AS v ON v.interaction_id = said.interaction_id AND v.rater = said.rater
    JOIN issue_member m ON m.feedback_id = said.feedback_id
    LEFT JOIN task_feedback tf ON tf.feedback_id = v.feedback_id
    LEFT JOIN task t ON t.task_id = tf.task_id
    WHERE m.issue_id = :issue AND v.polarity = 'negative' AND trim(said.comment) <> ''
    GROUP BY v.feedback_id, v.interaction_id, v.rater ORDER BY score DESC, v.feedback_id
"""
)
EXPORT_SQL = (
    """
    SELECT c.feedback_id, c.interaction_id, m.issue_id, issue.title AS issue, m.sub_label, m.score, m.moved_by,
           c.comment, i.input AS question, i.output AS answer, i.model, i.prompt_version,
           CASE WHEN c.dated THEN c.happened_at END AS happened_at
    FROM ("""
    + NEGATIVE_COMMENTS
    + """) AS c
    LEFT JOIN issue_member m ON m.feedback_id = c.feedback_id
    LEFT JOIN issue ON issue.issue_id = m.issue_id
    LEFT JOIN interaction i ON i.interaction_id = c.interaction_id
    WHERE (CAST(:since AS TIMESTAMP) IS NULL OR c.happened_at >= :since)
      AND (CAST(:until AS TIMESTAMP) IS NULL OR c.happened_at < :until)
      AND (CAST(:ids AS VARCHAR[]) IS NULL OR m.issue_id IN (SELECT unnest(CAST(:ids AS VARCHAR[]))))
    ORDER BY m.issue_id NULLS LAST, m.score DESC, c.feedback_id
"""
)


@dataclass(frozen=True, slots=True)
class Sent:
    """What sending an issue to review takes along: `complaints` = `sent` + `waiting` + `decided`.

    `sent` go into one task (`task_id`, None in a dry run and where nothing is left to send); `waiting` are in an
    undecided task already, `decided` were closed by a decision before.
    """

    complaints: int
    sent: int
    waiting: int
    decided: int
    task_id: str | None


def send_to_review(store: Store, issue_id: str, actor: str, *, dry_run: bool = False) -> Sent:
    """Open one review task for an issue, with every complaint that no task holds yet.

    A dry run says the exact counts and writes nothing. Raises InputError for an issue that is not listed.
    """
    name = stored.person(actor)
    if dry_run:
        with store.read() as connection:
            return _send(connection, issue_id, name, None)
    return store.write(lambda connection: _send(connection, issue_id, name, new_id()))


def export(
    store: Store,
    path: Path,
    *,
    issue_ids: Sequence[str] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    format: str | None = None,
) -> int:
    """Write the comments of issues (of all, and of none, unless told) to a file; how many.

    `format` is csv or jsonl, by the file's ending unless told. In CSV every cell is quoted, and what a spreadsheet
    would run as a formula stays text (`published_text.cell`); JSON lines hold the text as it came.
    """
    kind = format or path.suffix.lstrip(".").lower() or "csv"
    if kind not in FORMATS:
        raise InputError(f"Comments cannot be written as {kind!r}: choose {' or '.join(FORMATS)}.")
    ids = None if issue_ids is None else list(issue_ids)
    rows = store.rows(EXPORT_SQL, since=since, until=until, ids=ids)
    atomic_file.write(path, (_as_csv(rows) if kind == "csv" else _as_json_lines(rows)).encode("utf-8", "replace"))
    return len(rows)


def _send(connection: Connection, issue_id: str, actor: str, task_id: str | None) -> Sent:
    issue = stored.find(connection, issue_id)
    complaints = [dict(row) for row in connection.execute(text(COMPLAINTS_SQL), {"issue": issue_id}).mappings()]
    free = [row for row in complaints if row["held"] == 0]
    waiting = sum(row["held"] == 2 for row in complaints)
    sent = Sent(len(complaints), len(free), waiting, len(complaints) - len(free) - waiting, task_id if free else None)
    if sent.task_id:
        insert_rows(connection, schema.task, [_task(sent.task_id, issue, free, actor)])
        members = [{"task_id": sent.task_id, "feedback_id": row["feedback_id"]} for row in free]
        insert_rows(connection, schema.task_feedback, members)
        audit.record(connection, actor, "send issue to review", issue_id, task_id=sent.task_id, complaints=sent.sent)
    return sent


def _task(task_id: str, issue: Mapping[str, Any], free: Sequence[Mapping[str, Any]], actor: str) -> dict[str, Any]:
    moment = utc_now()
    raters, corrections = len({row["rater"] for row in free}), sum(row["corrected"] for row in free)
    people = "1 person" if raters == 1 else f"{raters:,} people"
    return {
        "task_id": task_id,
        "rule": RULE,
        "reason": f"{actor} sent the issue “{issue['title']}”: {len(free):,} complaints of {people}",
        "evidence": {
            "negative": len(free),
            "raters": raters,
            "corrections": corrections,
            "issue_id": issue["issue_id"],
        },
        "anchor_interaction_id": free[0]["interaction_id"],
        "priority": HIGH if len(free) > MANY else MEDIUM,
        "score": float(len(free)),
        "suggested_action": UPDATE_KNOWLEDGE if corrections else REVIEW_INSTRUCTIONS,
        "status": str(TaskStatus.OPEN),
        "created_at": moment,
        "opened_at": moment,
    }


def _as_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    target = io.StringIO()
    writer = csv.writer(target, quoting=csv.QUOTE_ALL)
    writer.writerow(COLUMNS)
    for row in rows:
        values = (_plain(row[name]) for name in COLUMNS)
        writer.writerow(cell(value) if isinstance(value, str) else value for value in values)
    return target.getvalue()


def _as_json_lines(rows: Sequence[Mapping[str, Any]]) -> str:
    return "".join(json.dumps({name: _plain(row[name]) for name in COLUMNS}) + "\n" for row in rows)


def _plain(value: Any) -> Any:
    return value.isoformat() + "Z" if isinstance(value, datetime) else value
