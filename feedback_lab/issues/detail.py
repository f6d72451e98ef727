"""One issue opened: what people say, when, where, on which questions, and what was done to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from feedback_lab.issues import stored
from feedback_lab.issues.breakdown import Segment, Timeline, breakdown, timeline
from feedback_lab.issues.stored import OF_ISSUE, Event
from feedback_lab.store import Store
from feedback_lab.verdicts import NEGATIVE_COMMENTS

PAGE = 50  # comments at a time

_IN_PERIOD = """
    (CAST(:since AS TIMESTAMP) IS NULL OR c.happened_at >= :since)
    AND (CAST(:until AS TIMESTAMP) IS NULL OR c.happened_at < :until)
"""
# Only what is on the page is looked up among the interactions.
COMMENTS_SQL = (
    """
    WITH page AS MATERIALIZED (
        SELECT c.feedback_id, c.interaction_id, c.comment, c.happened_at, c.dated, m.score, m.sub_label, m.moved_by,
               count(*) OVER () AS total
        FROM ("""
    + OF_ISSUE
    + """) AS c JOIN issue_member m ON m.feedback_id = c.feedback_id
        WHERE m.issue_id = :issue AND (CAST(:sub AS INTEGER) IS NULL OR m.sub_label = :sub) AND """
    + _IN_PERIOD
    + """ ORDER BY m.score DESC, c.feedback_id LIMIT :most OFFSET :offset
    )
    SELECT page.*, i.input AS question FROM page LEFT JOIN interaction i ON i.interaction_id = page.interaction_id
    ORDER BY page.score DESC, page.feedback_id
"""
)
LOOSE_SQL = (
    "SELECT c.feedback_id, c.interaction_id, c.comment, c.happened_at, c.dated, coalesce(m.score, 0) AS score, "
    "m.sub_label, m.moved_by, i.input AS question, count(*) OVER () AS total FROM ("
    + NEGATIVE_COMMENTS
    + ") AS c LEFT JOIN issue_member m ON m.feedback_id = c.feedback_id "
    "LEFT JOIN interaction i ON i.interaction_id = c.interaction_id "
    "WHERE m.issue_id IS NULL AND coalesce(m.low_information, FALSE) = :low AND "
    + _IN_PERIOD
    + " ORDER BY c.happened_at DESC, c.feedback_id LIMIT :most"
)


@dataclass(frozen=True, slots=True)
class IssueComment:
    """A comment of an issue; `score` (0 to 1) says how well it fits, `moved_by` who put it there by hand."""

    feedback_id: str
    interaction_id: str
    comment: str
    happened_at: datetime
    dated: bool
    score: float
    sub_label: int | None
    moved_by: str | None
    question: str | None


@dataclass(frozen=True, slots=True)
class CommentPage:
    """Some of an issue's comments, best fitting first, and how many there are in all."""

    total: int
    offset: int
    comments: list[IssueComment]


@dataclass(frozen=True, slots=True)
class IssueDetail:
    """All parts of an opened issue; `questions` are the most frequent inputs behind it with their comments."""

    comments: CommentPage
    timeline: Timeline
    where: list[Segment]
    questions: list[tuple[str, int]]
    history: list[Event]


def detail(
    store: Store,
    issue_id: str,
    since: datetime | None = None,
    until: datetime | None = None,
    *,
    offset: int = 0,
    limit: int = PAGE,
) -> IssueDetail:
    """Everything about one issue in `since` <= time < `until` (all without). Read-only.

    Raises InputError where there is no such issue, or where it was merged into another.
    """
    with store.read() as connection:
        stored.find(connection, issue_id)
    found = breakdown(store, since, until)
    return IssueDetail(
        comments=comments(store, issue_id, since, until, offset=offset, limit=limit),
        timeline=timeline(store, found.weeks(issue_id)),
        where=found.where(issue_id),
        questions=found.questions(issue_id),
        history=history(store, issue_id),
    )


def comments(
    store: Store,
    issue_id: str,
    since: datetime | None = None,
    until: datetime | None = None,
    *,
    sub_label: int | None = None,
    offset: int = 0,
    limit: int = PAGE,
) -> CommentPage:
    """The comments of an issue (of one of its sub-issues), best fitting first, `limit` from `offset` on."""
    period = {"since": since, "until": until}
    rows = store.rows(COMMENTS_SQL, issue=issue_id, sub=sub_label, most=limit, offset=offset, **period)
    total = int(rows[0]["total"]) if rows else 0
    if not rows and offset:
        total = comments(store, issue_id, since, until, sub_label=sub_label, limit=1).total
    found = [IssueComment(**{name: row[name] for name in IssueComment.__slots__}) for row in rows]
    return CommentPage(total, offset, found)


def loose(
    store: Store,
    since: datetime | None = None,
    until: datetime | None = None,
    *,
    low_information: bool,
    limit: int = PAGE,
) -> CommentPage:
    """The newest comments in no issue: those that say nothing, or those that fit none (or wait to be looked at)."""
    rows = store.rows(LOOSE_SQL, low=low_information, most=limit, since=since, until=until)
    found = [IssueComment(**{name: row[name] for name in IssueComment.__slots__}) for row in rows]
    return CommentPage(int(rows[0]["total"]) if rows else 0, 0, found)


def history(store: Store, issue_id: str | None = None) -> list[Event]:
    """What was done to an issue (to all issues), newest first; what was taken back stays, with who took it back."""
    events = stored.events(store)
    return [event for event in reversed(events) if issue_id is None or issue_id in event.issue_ids]
