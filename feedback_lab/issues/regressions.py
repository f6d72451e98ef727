"""Resolved issues whose complaints come back: seen in the counts, and reopened in the store by `system`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import Connection, text

from feedback_lab.issues import stored
from feedback_lab.issues.flags import HISTORY_WEEKS, has_regressed
from feedback_lab.issues.stored import OF_ISSUE, SYSTEM
from feedback_lab.records import utc_now
from feedback_lab.store import Store

LOOKED_BACK = timedelta(days=7)  # what returned is counted over these days, or since the issue was resolved
SHORTEST_HISTORY = 7.0  # days, over which an issue's former rate is taken at least

RESOLVED_SQL = "SELECT issue_id, resolved_at FROM issue WHERE status = 'resolved' AND merged_into IS NULL"
RETURNED_SQL = (
    """
    SELECT count(*) FILTER (WHERE c.happened_at >= :counted_from) AS returned,
           count(*) FILTER (WHERE c.happened_at >= :since AND c.happened_at < :resolved_at) AS before,
           min(c.happened_at) AS first_at
    FROM ("""
    + OF_ISSUE
    + """) AS c JOIN issue_member m ON m.feedback_id = c.feedback_id
    WHERE m.issue_id = :issue AND c.dated AND c.happened_at <= :as_of
"""
)
REOPEN_SQL = "UPDATE issue SET status = 'open' WHERE issue_id = :issue AND status = 'resolved' RETURNING resolved_at"


def regressed(store: Store, as_of: datetime | None = None) -> set[str]:
    """Resolved issues that drew more complaints since than a fix explains. Read-only."""
    moment = as_of or utc_now()
    resolved = {row["issue_id"]: row["resolved_at"] for row in store.rows(RESOLVED_SQL)}
    return {issue_id for issue_id, since in resolved.items() if _is_back(store, issue_id, since, moment)}


def note_regressions(store: Store, issue_ids: Iterable[str]) -> list[str]:
    """Reopen those of `issue_ids` that regressed, with an event by `system`; their ids."""
    moment = utc_now()
    resolved = {row["issue_id"]: row["resolved_at"] for row in store.rows(RESOLVED_SQL)}
    back = [one for one in sorted(set(issue_ids)) if one in resolved and _is_back(store, one, resolved[one], moment)]
    for issue_id in back:
        store.write(lambda connection, issue_id=issue_id: _reopen(connection, issue_id))  # type: ignore[misc]
    return back


def _is_back(store: Store, issue_id: str, resolved_at: datetime, as_of: datetime) -> bool:
    counted_from = max(resolved_at, as_of - LOOKED_BACK)
    since = resolved_at - timedelta(weeks=HISTORY_WEEKS)
    row = store.rows(
        RETURNED_SQL, issue=issue_id, counted_from=counted_from, since=since, resolved_at=resolved_at, as_of=as_of
    )[0]
    if not row["returned"]:
        return False
    history = (resolved_at - max(since, row["first_at"])).total_seconds() / 86400
    usual_a_day = row["before"] / max(history, SHORTEST_HISTORY)
    days = (as_of - counted_from).total_seconds() / 86400
    return has_regressed(int(row["returned"]), days, usual_a_day)


def _reopen(connection: Connection, issue_id: str) -> None:
    if connection.execute(text(REOPEN_SQL), {"issue": issue_id}).first() is not None:
        says = "Complaints came back after it was resolved"
        stored.record_event(connection, SYSTEM, "reopen", issue_id, {"says": says, "keys": [f"status:{issue_id}"]})
