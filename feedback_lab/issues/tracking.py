"""Issues that last: clusters are computed, issues are kept.

`refresh` clusters all negative comments anew and hands every cluster to the issue whose members it shares
most, so that ids, titles, status and what humans moved survive. Between refreshes `assign_new` puts new
comments into the issues of the stored model; nothing is clustered again behind anyone's back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment
from sqlalchemy import Connection, text

from feedback_lab import audit, schema
from feedback_lab.errors import InputError
from feedback_lab.issues.clustering import Clustering, cluster
from feedback_lab.issues.naming import IssueName, name_issues
from feedback_lab.records import new_id, utc_now
from feedback_lab.store import Store, insert_rows
from feedback_lab.verdicts import NEGATIVE_COMMENTS

# A cluster takes over an issue's identity where they share at least so much of their members (Jaccard index).
SAME_ISSUE = 0.3

COMMENTS_SQL = (
    "SELECT c.feedback_id, c.comment, m.feedback_id IS NOT NULL AS known, m.issue_id, m.moved_by FROM ("
    + NEGATIVE_COMMENTS
    + ") AS c LEFT JOIN issue_member m ON m.feedback_id = c.feedback_id ORDER BY c.happened_at, c.feedback_id"
)
COUNTS_SQL = (
    "SELECT m.issue_id, count(*) AS frequency, min(c.happened_at) AS first_at, max(c.happened_at) AS last_at FROM ("
    + NEGATIVE_COMMENTS
    + """) AS c LEFT JOIN issue_member m ON m.feedback_id = c.feedback_id
    WHERE (CAST(:since AS TIMESTAMP) IS NULL OR c.happened_at >= :since)
      AND (CAST(:until AS TIMESTAMP) IS NULL OR c.happened_at < :until)
    GROUP BY m.issue_id"""
)
MEMBERS_SQL = (
    "SELECT c.feedback_id, m.issue_id FROM ("
    + NEGATIVE_COMMENTS
    + ") AS c JOIN issue_member m ON m.feedback_id = c.feedback_id WHERE m.issue_id IS NOT NULL "
    "ORDER BY c.feedback_id"
)
ISSUE_COMMENTS_SQL = (
    "SELECT c.feedback_id, c.interaction_id, c.comment, c.happened_at, c.dated, m.score FROM ("
    + NEGATIVE_COMMENTS
    + ") AS c JOIN issue_member m ON m.feedback_id = c.feedback_id WHERE m.issue_id = :issue "
    "ORDER BY m.score DESC, c.feedback_id LIMIT :most"
)


@dataclass(frozen=True, slots=True)
class IssueView:
    """An issue as a list shows it; `frequency`, `first_at` and `last_at` are of the period asked for."""

    issue_id: str
    title: str
    keywords: list[str]
    frequency: int
    representative: str
    sample_comments: list[str]
    status: str
    owner: str | None
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class IssueList:
    """The issues of a period, most frequent first: total_comments = assigned + unassigned."""

    total_comments: int
    assigned: int
    unassigned: int
    issues: list[IssueView]


def refresh(store: Store, *, seed: int = 0, now: datetime | None = None) -> IssueList:
    """Cluster all negative comments and keep the identity of the issues that are still there.

    The same comments give the same issues with the same ids. An issue that no cluster continues goes, unless
    a human named it or moved a comment into it. Writes issues, members and the model in one transaction.
    """
    comments = store.frame(COMMENTS_SQL)
    texts = comments["comment"].tolist()
    found = cluster(texts, seed=seed)
    names = name_issues(texts, found.labels, found.scores)
    store.write(lambda connection: _replace(connection, comments, found, names, now or utc_now()))
    return listing(store)


def assign_new(store: Store) -> int:
    """Put comments that came after the last refresh into the issues of its model; how many were looked at.

    Does nothing before the first refresh, nor where the store takes no writes any more: readers call this first.
    What fits no issue is remembered as looked at.
    """
    if store.damage:
        return 0
    comments = store.frame(COMMENTS_SQL)
    fresh = comments[~comments["known"].astype(bool)]
    content = store.scalar("SELECT content FROM issue_model ORDER BY created_at DESC LIMIT 1")
    if content is None or fresh.empty:
        return 0
    labels, scores = Clustering.from_bytes(bytes(content)).assign_scored(fresh["comment"].tolist())
    issue_of = {
        row["label"]: row["issue_id"] for row in store.rows("SELECT label, issue_id FROM issue WHERE label >= 0")
    }
    rows = [
        {"feedback_id": one, "issue_id": issue_of.get(int(label)), "score": float(score), "moved_by": None}
        for one, label, score in zip(fresh["feedback_id"], labels, scores, strict=True)
    ]
    store.write(lambda connection: _add_members(connection, rows))
    return len(rows)


def listing(store: Store, since: datetime | None = None, until: datetime | None = None) -> IssueList:
    """The issues with comments in `since` <= time < `until` (all without). Read-only.

    Comments that nobody has looked at yet, and those that fit no issue, are unassigned.
    """
    counts = {row.pop("issue_id"): row for row in store.rows(COUNTS_SQL, since=since, until=until)}
    known = {row["issue_id"]: row for row in store.rows("SELECT * FROM issue")}
    total = sum(row["frequency"] for row in counts.values())
    views = [_view(known[issue_id], numbers) for issue_id, numbers in counts.items() if issue_id in known]
    views.sort(key=lambda view: (-view.frequency, view.issue_id))
    assigned = sum(view.frequency for view in views)
    return IssueList(total, assigned, total - assigned, views)


def members(store: Store) -> pd.DataFrame:
    """Every assigned comment: feedback_id, issue_id."""
    return store.frame(MEMBERS_SQL)


def comments_of(store: Store, issue_id: str, limit: int = 1000) -> pd.DataFrame:
    """An issue's comments, best fitting first: feedback_id, interaction_id, comment, happened_at, dated, score."""
    return store.frame(ISSUE_COMMENTS_SQL, issue=issue_id, most=limit)


def rename(store: Store, issue_id: str, title: str, actor: str) -> None:
    """Give an issue a human's title, which every later refresh keeps. Raises InputError where it cannot."""
    wording = " ".join(title.split())
    if not wording or len(wording) > 120:
        raise InputError("An issue's title must have 1 to 120 characters.")

    def work(connection: Connection) -> None:
        values = {"title": wording, "actor": actor, "issue": issue_id}
        sql = "UPDATE issue SET title = :title, title_by = :actor WHERE issue_id = :issue RETURNING issue_id"
        if connection.execute(text(sql), values).first() is None:
            raise InputError(f"There is no issue {issue_id!r}: `feedback-lab issues list` shows those that there are.")
        audit.record(connection, actor, "rename issue", issue_id, title=wording)

    store.write(work)


def match(old: Sequence[Any], new: Sequence[int]) -> dict[int, Any]:
    """Which new label continues which old group: best total Jaccard index, pairs under 0.3 dropped.

    `old` and `new` are the groups of the same rows; None in `old` and -1 in `new` are no group.
    """
    groups = [group for group in dict.fromkeys(old) if group is not None]
    labels = sorted({label for label in new if label >= 0})
    if not groups or not labels:
        return {}
    left = {group: {i for i, one in enumerate(old) if one == group} for group in groups}
    right = {label: {i for i, one in enumerate(new) if one == label} for label in labels}
    overlap = np.array([[len(left[g] & right[k]) / len(left[g] | right[k]) for g in groups] for k in labels])
    rows, columns = linear_sum_assignment(-overlap)
    pairs = zip(rows.tolist(), columns.tolist(), strict=True)
    return {labels[row]: groups[column] for row, column in pairs if overlap[row, column] >= SAME_ISSUE}


def _replace(
    connection: Connection, comments: pd.DataFrame, found: Clustering, names: dict[int, IssueName], moment: datetime
) -> None:
    before = [None if pd.isna(one) else one for one in comments["issue_id"]]
    labels = found.labels.tolist()
    kept = match(before, labels)
    old = {row["issue_id"]: dict(row) for row in connection.execute(text("SELECT * FROM issue")).mappings()}
    titles = {old[issue_id]["title"].casefold() for issue_id in kept.values()}
    issue_of = {label: kept.get(label) or new_id() for label in sorted(names)}
    rows = []
    for label, issue_id in issue_of.items():
        name = names[label]
        row = old.get(issue_id) or _new_issue(issue_id, _unique(name, titles), moment)
        row |= {"keywords": list(name.keywords), "representative": name.representative, "samples": list(name.samples)}
        rows.append(row | {"label": label})
    moved = {row.feedback_id: row.issue_id for row in comments.itertuples() if isinstance(row.moved_by, str)}
    rows += [
        row | {"label": -1}
        for issue_id, row in old.items()
        if issue_id not in issue_of.values() and (row["title_by"] != "computed" or issue_id in moved.values())
    ]
    member_rows = [
        {"feedback_id": one, "issue_id": issue_of.get(label), "score": float(score), "moved_by": None}
        for one, label, score in zip(comments["feedback_id"], labels, found.scores, strict=True)
        if one not in moved
    ]
    connection.execute(text("DELETE FROM issue_member WHERE moved_by IS NULL"))
    for table in ("issue", "issue_model"):
        connection.execute(schema.metadata.tables[table].delete())
    insert_rows(connection, schema.issue, rows)
    insert_rows(connection, schema.issue_member, member_rows)
    connection.execute(
        schema.issue_model.insert().values(model_id=new_id(), created_at=moment, content=found.to_bytes())
    )


def _new_issue(issue_id: str, title: str, moment: datetime) -> dict[str, Any]:
    return {
        "issue_id": issue_id,
        "title": title,
        "title_by": "computed",
        "status": "open",
        "owner": None,
        "note": None,
        "parent_id": None,
        "created_at": moment,
    }


def _unique(name: IssueName, taken: set[str]) -> str:
    """The computed title, with its first keyword that tells it from a kept issue of the same title."""
    choices = [name.title, *(f"{name.title} ({keyword})" for keyword in name.keywords)]
    choices += [f"{name.title} ({number})" for number in range(2, len(taken) + 3)]
    title = next(choice for choice in choices if choice.casefold() not in taken)
    taken.add(title.casefold())
    return title


def _add_members(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    known = {row[0] for row in connection.execute(text("SELECT feedback_id FROM issue_member"))}
    insert_rows(connection, schema.issue_member, [row for row in rows if row["feedback_id"] not in known])


def _view(issue: dict[str, Any], numbers: dict[str, Any]) -> IssueView:
    return IssueView(
        issue_id=issue["issue_id"],
        title=issue["title"],
        keywords=list(issue["keywords"]),
        frequency=int(numbers["frequency"]),
        representative=issue["representative"],
        sample_comments=list(issue["samples"]),
        status=issue["status"],
        owner=issue["owner"],
        first_at=numbers["first_at"],
        last_at=numbers["last_at"],
    )
