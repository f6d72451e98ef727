"""One issue opened: what people say, when, where, on which questions, and what was done to it.

Each part is a function of its own, so that a page loads what it shows; `detail` takes them together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from scipy import stats

from feedback_lab.issues import stored
from feedback_lab.issues.flags import FALSE_SHARE, benjamini_hochberg
from feedback_lab.issues.stored import OF_ISSUE, Event
from feedback_lab.store import Store
from feedback_lab.verdicts import NEGATIVE_COMMENTS

PAGE = 50  # comments at a time
QUESTIONS = 10
MOST_TAGS = 8
MOST_VALUES = 20  # of a dimension, the most frequent
TAGS_LOOKED_AT = 500
QUESTION_CHARACTERS = 500
Z = 1.959963984540054  # of a two-sided 95 % interval
NOT_GIVEN = "(not given)"

_IN_PERIOD = """
    (CAST(:since AS TIMESTAMP) IS NULL OR c.happened_at >= :since)
    AND (CAST(:until AS TIMESTAMP) IS NULL OR c.happened_at < :until)
"""
_PART = (
    "FROM (" + OF_ISSUE + ") AS c JOIN issue_member m ON m.feedback_id = c.feedback_id "
    "LEFT JOIN interaction i ON i.interaction_id = c.interaction_id "
    "WHERE m.issue_id = :issue AND (CAST(:sub AS INTEGER) IS NULL OR m.sub_label = :sub) AND " + _IN_PERIOD
)
COMMENTS_SQL = (
    "SELECT c.feedback_id, c.interaction_id, c.comment, c.happened_at, c.dated, m.score, m.sub_label, m.moved_by, "
    "i.input AS question, count(*) OVER () AS total "
    + _PART
    + " ORDER BY m.score DESC, c.feedback_id LIMIT :most OFFSET :offset"
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
WEEKS_SQL = (
    "SELECT date_trunc('week', c.happened_at) AS start, count(*) AS comments "
    + _PART
    + " AND c.dated GROUP BY 1 ORDER BY 1"
)
MARKERS_SQL = """
    SELECT happened_at, kind, label FROM marker WHERE happened_at >= :first AND happened_at < :last ORDER BY happened_at
"""
QUESTIONS_SQL = (
    "SELECT trim(substr(i.input, 1, :characters)) AS question, count(*) AS comments "
    + _PART
    + " AND trim(i.input) <> '' GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT :most"
)
TAGS_SQL = "SELECT i.tags " + _PART + " AND CAST(i.tags AS VARCHAR) NOT IN ('{}', 'null') LIMIT :most"
# One pass over the comments for all dimensions; a tag's name is only ever bound.
WHERE_SQL = (
    """
    WITH part AS (
        SELECT coalesce(m.issue_id = :issue, FALSE) AS inside, i.model, i.prompt_version,
               CAST(i.tags AS VARCHAR) AS tags, count(*) AS comments
        FROM ("""
    + NEGATIVE_COMMENTS
    + """) AS c LEFT JOIN issue_member m ON m.feedback_id = c.feedback_id
        LEFT JOIN interaction i ON i.interaction_id = c.interaction_id WHERE """
    + _IN_PERIOD
    + """ GROUP BY 1, 2, 3, 4
    )
    SELECT dimension, coalesce(value, :not_given) AS value, sum(comments) AS of_all,
           coalesce(sum(comments) FILTER (WHERE inside), 0) AS comments
    FROM (
        SELECT inside, comments, unnest(CAST(:dimensions AS VARCHAR[])) AS dimension,
               unnest([model, prompt_version] || [tags ->> tag FOR tag IN CAST(:tags AS VARCHAR[])]) AS value
        FROM part
    ) AS valued
    GROUP BY 1, 2 ORDER BY 3 DESC, 2
"""
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
class Timeline:
    """Dated comments of each week from Monday, without gaps, and the markers (releases) between them."""

    weeks: list[tuple[datetime, int]]
    markers: list[tuple[datetime, str, str]]


@dataclass(frozen=True, slots=True)
class Segment:
    """What share (0 to 1, with Wilson's 95 % interval) of a segment's negative comments this issue is.

    `comments` of `of_all` negative comments; `rest_share` is the share in all others. `differs`: the two shares
    differ by more than chance (Fisher's exact test; at most 5 % of those named in one dimension are false).
    """

    dimension: str
    value: str
    comments: int
    of_all: int
    share: float
    low: float
    high: float
    rest_share: float | None
    differs: bool


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
    return IssueDetail(
        comments=comments(store, issue_id, since, until, offset=offset, limit=limit),
        timeline=timeline(store, issue_id, since, until),
        where=where(store, issue_id, since, until),
        questions=questions(store, issue_id, since, until),
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


def timeline(store: Store, issue_id: str, since: datetime | None = None, until: datetime | None = None) -> Timeline:
    """An issue's dated comments a week, and what happened in these weeks."""
    rows = store.rows(WEEKS_SQL, issue=issue_id, sub=None, since=since, until=until)
    if not rows:
        return Timeline([], [])
    counts = {row["start"]: int(row["comments"]) for row in rows}
    first, last = rows[0]["start"], rows[-1]["start"]
    starts = [first + timedelta(weeks=number) for number in range((last - first) // timedelta(weeks=1) + 1)]
    markers = store.rows(MARKERS_SQL, first=first, last=last + timedelta(weeks=1))
    return Timeline(
        [(start, counts.get(start, 0)) for start in starts],
        [(row["happened_at"], row["kind"], row["label"]) for row in markers],
    )


def where(store: Store, issue_id: str, since: datetime | None = None, until: datetime | None = None) -> list[Segment]:
    """By model, prompt version and each of the issue's tags: where it is a greater or smaller part of the complaints.

    A dimension that the data does not know, or that has one value only, is left out.
    """
    period = {"since": since, "until": until}
    tagged = store.rows(TAGS_SQL, issue=issue_id, sub=None, most=TAGS_LOOKED_AT, **period)
    names = {name for row in tagged for name in row["tags"] or ()}
    # The engine would read a leading $ or / as a path, and a * as a pattern.
    tags = sorted(name for name in names if name and name[0] not in "$/" and "*" not in name)
    dimensions = ["model", "prompt_version", *(f"tag:{tag}" for tag in tags[:MOST_TAGS])]
    values = {"issue": issue_id, "not_given": NOT_GIVEN, "dimensions": dimensions, "tags": tags[:MOST_TAGS]}
    counts: dict[str, list[tuple[str, int, int]]] = {name: [] for name in dimensions}
    for row in store.rows(WHERE_SQL, **values, **period):
        counts[row["dimension"]].append((row["value"], int(row["comments"]), int(row["of_all"])))
    return [segment for name, some in counts.items() for segment in segments(name, some)]


def segments(dimension: str, counts: Sequence[tuple[str, int, int]]) -> list[Segment]:
    """The segments of one dimension from (value, comments of the issue, all negative comments), most comments first."""
    if len(counts) < 2:
        return []
    total, all_comments = sum(row[1] for row in counts), sum(row[2] for row in counts)
    shown = sorted(counts, key=lambda row: (-row[1], -row[2], row[0]))[:MOST_VALUES]
    p_values = {value: _by_chance(n, of_all, total, all_comments) for value, n, of_all in shown}
    differing = set(benjamini_hochberg(p_values, FALSE_SHARE))
    return [_segment(dimension, value, n, of, total, all_comments, value in differing) for value, n, of in shown]


def questions(
    store: Store,
    issue_id: str,
    since: datetime | None = None,
    until: datetime | None = None,
    *,
    limit: int = QUESTIONS,
) -> list[tuple[str, int]]:
    """The most frequent questions that the issue's comments are about, each with its number of comments."""
    values = {"issue": issue_id, "sub": None, "since": since, "until": until}
    rows = store.rows(QUESTIONS_SQL, most=limit, characters=QUESTION_CHARACTERS, **values)
    return [(row["question"], int(row["comments"])) for row in rows]


def history(store: Store, issue_id: str | None = None) -> list[Event]:
    """What was done to an issue (to all issues), newest first; what was taken back stays, with who took it back."""
    events = stored.events(store)
    return [event for event in reversed(events) if issue_id is None or issue_id in event.issue_ids]


def _segment(dimension: str, value: str, n: int, of_all: int, total: int, all_comments: int, differs: bool) -> Segment:
    share, rest = n / of_all, all_comments - of_all
    middle = (share + Z * Z / (2 * of_all)) / (1 + Z * Z / of_all)
    half = Z / (1 + Z * Z / of_all) * (share * (1 - share) / of_all + Z * Z / (4 * of_all**2)) ** 0.5
    return Segment(
        dimension=dimension,
        value=value,
        comments=n,
        of_all=of_all,
        share=share,
        low=max(0.0, middle - half),
        high=min(1.0, middle + half),
        rest_share=(total - n) / rest if rest else None,
        differs=differs,
    )


def _by_chance(n: int, of_all: int, total: int, all_comments: int) -> float:
    """P-value of `n` among `of_all` against `total - n` among the other comments."""
    inside, outside = (n, of_all - n), (total - n, all_comments - of_all - total + n)
    return float(stats.fisher_exact(np.array([inside, outside])).pvalue)
