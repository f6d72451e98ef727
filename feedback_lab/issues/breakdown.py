"""When, where and on which questions the comments of issues came: counted for all issues in one pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from scipy import stats

from feedback_lab.issues.flags import FALSE_SHARE, benjamini_hochberg
from feedback_lab.store import Store
from feedback_lab.verdicts import NEGATIVE_COMMENTS

QUESTIONS = 10
QUESTION_CHARACTERS = 500
MOST_TAGS = 8
MOST_VALUES = 20  # of a dimension
Z = 1.959963984540054  # of a two-sided 95 % interval
NOT_GIVEN = "(not given)"

# One pass over the comments, counted by week, by question, and by all that they can be split by. The tags given most
# are dimensions; the engine would read a leading $ or / of a name as a path, and a * as a pattern. Of a dimension come
# the values that are most frequent in an issue, and those that are most frequent in all (without an issue).
BREAKDOWN_SQL = (
    """
    WITH counted AS MATERIALIZED (
        SELECT grouping(week) = 0 AS by_week, grouping(question) = 0 AS by_question, grouping(model) = 0 AS by_value,
               issue_id, week, question, model, prompt_version, tags, count(*) AS comments
        FROM (
            SELECT m.issue_id, CASE WHEN c.dated THEN date_trunc('week', c.happened_at) END AS week,
                   trim(substr(i.input, 1, :characters)) AS question, i.model, i.prompt_version,
                   CAST(i.tags AS VARCHAR) AS tags
            FROM ("""
    + NEGATIVE_COMMENTS
    + """) AS c LEFT JOIN issue_member m ON m.feedback_id = c.feedback_id
            LEFT JOIN interaction i ON i.interaction_id = c.interaction_id
            WHERE (CAST(:since AS TIMESTAMP) IS NULL OR c.happened_at >= :since)
              AND (CAST(:until AS TIMESTAMP) IS NULL OR c.happened_at < :until)
        ) AS placed
        GROUP BY GROUPING SETS ((issue_id, week), (issue_id, question), (issue_id, model, prompt_version, tags))
    ), named AS (
        SELECT tag FROM (SELECT unnest(json_keys(tags)) AS tag, comments FROM counted WHERE by_value) AS given
        WHERE tag <> '' AND left(tag, 1) NOT IN ('$', '/') AND NOT contains(tag, '*')
        GROUP BY tag ORDER BY sum(comments) DESC, tag LIMIT :most_tags
    ), valued AS (
        SELECT dimension, coalesce(value, :not_given) AS value, issue_id, sum(comments) AS comments
        FROM (
            SELECT 'model' AS dimension, model AS value, issue_id, comments FROM counted WHERE by_value
            UNION ALL SELECT 'prompt_version', prompt_version, issue_id, comments FROM counted WHERE by_value
            UNION ALL SELECT 'tag:' || tag, tags ->> tag, issue_id, comments FROM counted, named WHERE by_value
        ) AS split GROUP BY ALL
    ), compared AS (SELECT *, sum(comments) OVER (PARTITION BY dimension, value) AS of_all FROM valued)
    SELECT 'week' AS part, issue_id, week, NULL AS dimension, NULL AS value, comments, 0 AS of_all
    FROM counted WHERE by_week
    UNION ALL
    SELECT 'question', issue_id, NULL, NULL, question, comments, 0
    FROM counted WHERE by_question AND question <> '' AND issue_id IS NOT NULL
    QUALIFY row_number() OVER (PARTITION BY issue_id ORDER BY comments DESC, question) <= :most_questions
    UNION ALL
    SELECT 'value', issue_id, NULL, dimension, value, comments, of_all FROM compared WHERE issue_id IS NOT NULL
    QUALIFY row_number() OVER (
        PARTITION BY issue_id, dimension ORDER BY comments DESC, of_all DESC, value) <= :most_values
    UNION ALL
    SELECT 'value', NULL, NULL, dimension, value, 0, max(of_all) AS everywhere
    FROM compared GROUP BY dimension, value
    QUALIFY row_number() OVER (PARTITION BY dimension ORDER BY everywhere DESC, value) <= :most_values
"""
)
MARKERS_SQL = """
    SELECT happened_at, kind, label FROM marker WHERE happened_at >= :first AND happened_at < :last ORDER BY happened_at
"""


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


@dataclass(slots=True)
class _Parts:
    """What was counted of one issue: its comments by dimension and value, each with all comments of that value."""

    comments: int = 0
    weeks: dict[datetime, int] = field(default_factory=dict)
    questions: list[tuple[str, int]] = field(default_factory=list)
    values: dict[str, dict[str, tuple[int, int]]] = field(default_factory=dict)

    def add(self, row: Mapping[str, Any]) -> None:
        n = int(row["comments"])
        if row["part"] == "question":
            self.questions.append((row["value"], n))
        elif row["part"] == "value":
            self.values.setdefault(row["dimension"], {})[row["value"]] = (n, int(row["of_all"]))
        else:
            self.comments += n
            if row["week"] is not None:
                self.weeks[row["week"]] = n


class Breakdown:
    """The comments of every issue in a period by week, by question, and by model, prompt version and tags."""

    def __init__(self, rows: Sequence[Mapping[str, Any]]) -> None:
        self._parts: dict[str | None, _Parts] = {None: _Parts()}
        for row in rows:
            self._parts.setdefault(row["issue_id"], _Parts()).add(row)
        self._comments = sum(one.comments for one in self._parts.values())

    def weeks(self, issue_id: str) -> list[tuple[datetime, int]]:
        """The issue's dated comments a week, from its first to its last."""
        counts = self._of(issue_id).weeks
        if not counts:
            return []
        first, last = min(counts), max(counts)
        starts = [first + timedelta(weeks=number) for number in range((last - first) // timedelta(weeks=1) + 1)]
        return [(start, counts.get(start, 0)) for start in starts]

    def questions(self, issue_id: str) -> list[tuple[str, int]]:
        """The most frequent questions that the issue's comments are about, each with its number of comments."""
        return sorted(self._of(issue_id).questions, key=lambda row: (-row[1], row[0]))

    def where(self, issue_id: str) -> list[Segment]:
        """By model, prompt version and each tag of the issue: where it is a greater or smaller part of the complaints.

        A dimension that the issue's comments do not know, or that has one value only, is left out.
        """
        own = self._of(issue_id)
        found = []
        for dimension, everywhere in sorted(self._parts[None].values.items()):  # tags come last
            inside = own.values.get(dimension, {})
            if dimension.startswith("tag:") and not inside.keys() - {NOT_GIVEN}:
                continue
            found += segments(dimension, everywhere | inside, own.comments, self._comments)
        return found

    def _of(self, issue_id: str) -> _Parts:
        return self._parts.get(issue_id, _Parts())


def breakdown(store: Store, since: datetime | None = None, until: datetime | None = None) -> Breakdown:
    """When, where and on which questions all issues had comments in `since` <= time < `until`. Read-only."""
    rows = store.rows(
        BREAKDOWN_SQL, since=since, until=until, not_given=NOT_GIVEN, characters=QUESTION_CHARACTERS,
        most_tags=MOST_TAGS, most_questions=QUESTIONS, most_values=MOST_VALUES,
    )  # fmt: skip
    return Breakdown(rows)


def timeline(store: Store, weeks: list[tuple[datetime, int]]) -> Timeline:
    """The weeks of an issue, and what happened in them."""
    if not weeks:
        return Timeline([], [])
    rows = store.rows(MARKERS_SQL, first=weeks[0][0], last=weeks[-1][0] + timedelta(weeks=1))
    return Timeline(weeks, [(row["happened_at"], row["kind"], row["label"]) for row in rows])


def segments(dimension: str, counts: Mapping[str, tuple[int, int]], total: int, all_comments: int) -> list[Segment]:
    """The segments of one dimension, most comments first: `counts` has the issue's comments and all negative ones by
    value, `total` and `all_comments` are those of the whole dimension."""
    if len(counts) < 2:
        return []
    shown = sorted(counts, key=lambda value: (-counts[value][0], -counts[value][1], value))[:MOST_VALUES]
    p_values = {value: _by_chance(*counts[value], total, all_comments) for value in shown}
    differing = set(benjamini_hochberg(p_values, FALSE_SHARE))
    return [_segment(dimension, value, *counts[value], total, all_comments, value in differing) for value in shown]


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
