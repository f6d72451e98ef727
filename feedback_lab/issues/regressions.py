"""Resolved issues whose complaints come back: seen in the counts, and reopened in the store by `system`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, text

from feedback_lab.issues import stored
from feedback_lab.issues.flags import HISTORY_WEEKS, has_regressed
from feedback_lab.issues.stored import SYSTEM
from feedback_lab.records import utc_now
from feedback_lab.store import Store
from feedback_lab.verdicts import negative_comments

LOOKED_BACK = timedelta(days=7)  # what returned is counted over these days, or since the issue was resolved
SHORTEST_HISTORY = 7.0  # days, over which an issue's former rate is taken at least

RESOLVED = "status = 'resolved' AND merged_into IS NULL"
# Of every resolved issue in one pass: a query each would look through all feedback for each.
RETURNED_SQL = (
    """
    SELECT issue.issue_id, issue.resolved_at,
           count(*) FILTER (WHERE c.happened_at >= greatest(issue.resolved_at, :looked_back)) AS returned,
           count(*) FILTER (WHERE c.happened_at < issue.resolved_at
                              AND c.happened_at >= issue.resolved_at - to_weeks(:weeks)) AS before,
           min(c.happened_at) AS first_at
    FROM ("""
    + negative_comments(
        f"""SELECT f.interaction_id FROM feedback f JOIN issue_member m ON m.feedback_id = f.feedback_id
            JOIN issue ON issue.issue_id = m.issue_id WHERE {RESOLVED}"""
    )
    + f""") AS c JOIN issue_member m ON m.feedback_id = c.feedback_id
    JOIN issue ON issue.issue_id = m.issue_id
    WHERE {RESOLVED} AND c.dated AND c.happened_at <= :as_of GROUP BY ALL
"""
)
REOPEN_SQL = "UPDATE issue SET status = 'open' WHERE issue_id = :issue AND status = 'resolved' RETURNING title"


def regressed(store: Store, as_of: datetime | None = None) -> set[str]:
    """Resolved issues that drew more complaints since than a fix explains. Read-only."""
    if not store.scalar(f"SELECT count(*) FROM issue WHERE {RESOLVED}"):
        return set()
    moment = as_of or utc_now()
    rows = store.rows(RETURNED_SQL, looked_back=moment - LOOKED_BACK, weeks=HISTORY_WEEKS, as_of=moment)
    return {row["issue_id"] for row in rows if _is_back(row, moment)}


def note_regressions(store: Store, issue_ids: Iterable[str]) -> list[str]:
    """Reopen those of `issue_ids` that regressed, with an event by `system`; their ids."""
    back = sorted(regressed(store) & set(issue_ids))
    for issue_id in back:
        store.write(lambda connection, issue_id=issue_id: _reopen(connection, issue_id))  # type: ignore[misc]
    return back


def _is_back(row: Mapping[str, Any], as_of: datetime) -> bool:
    if not row["returned"]:
        return False
    resolved_at = row["resolved_at"]
    since = resolved_at - timedelta(weeks=HISTORY_WEEKS)
    history = (resolved_at - max(since, row["first_at"])).total_seconds() / 86400
    usual_a_day = row["before"] / max(history, SHORTEST_HISTORY)
    days = (as_of - max(resolved_at, as_of - LOOKED_BACK)).total_seconds() / 86400
    return has_regressed(int(row["returned"]), days, usual_a_day)


def _reopen(connection: Connection, issue_id: str) -> None:
    title = connection.execute(text(REOPEN_SQL), {"issue": issue_id}).scalar()
    if title is not None:
        says = f"Complaints about “{title}” came back after it was resolved"
        stored.record_event(connection, SYSTEM, "reopen", issue_id, {"says": says, "keys": [f"status:{issue_id}"]})
