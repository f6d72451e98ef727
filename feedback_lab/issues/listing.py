"""The list of issues with its numbers: one pass over the comments, whatever the number of issues."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any

from feedback_lab.errors import InputError
from feedback_lab.issues import flags as signs
from feedback_lab.issues import stored
from feedback_lab.issues.regressions import regressed
from feedback_lab.records import utc_now
from feedback_lab.store import Store
from feedback_lab.verdicts import GIVEN_AT, NEGATIVE_COMMENTS

STATUSES = ("open", "acknowledged", "fixing", "watching", "resolved", "ignored")
WEEKS = 12  # of the sparkline
RECENT_DAYS = 28  # of the change, where no period is asked for
SORTS = ("frequency", "recent", "change", "title", "first", "last", "status", "owner")

COUNTS_SQL = (
    """
    SELECT issue_id, sub_label, grouping(sub_label) AS is_whole, dated, low, day, count(*) AS everything,
           count(*) FILTER (WHERE in_period) AS frequency,
           count(*) FILTER (WHERE happened_at >= :recent_from AND happened_at < :recent_until) AS recent,
           count(*) FILTER (WHERE happened_at >= :previous_from AND happened_at < :recent_from) AS previous,
           min(happened_at) FILTER (WHERE in_period) AS first_at,
           max(happened_at) FILTER (WHERE in_period) AS last_at, min(happened_at) AS first_ever
    FROM (
        SELECT m.issue_id, m.sub_label, c.dated, c.happened_at,
               coalesce(m.low_information AND m.issue_id IS NULL, FALSE) AS low,
               CAST(greatest(c.happened_at, CAST(:horizon AS TIMESTAMP)) AS DATE) AS day,
               (CAST(:since AS TIMESTAMP) IS NULL OR c.happened_at >= :since)
               AND (CAST(:until AS TIMESTAMP) IS NULL OR c.happened_at < :until) AS in_period
        FROM ("""
    + NEGATIVE_COMMENTS
    + """) AS c LEFT JOIN issue_member m ON m.feedback_id = c.feedback_id
    ) AS placed
    GROUP BY GROUPING SETS ((issue_id, dated, low, day), (issue_id, sub_label))"""
)
HISTORY_SQL = f"""
    SELECT min({GIVEN_AT}) AS first, max({GIVEN_AT}) FILTER (WHERE {GIVEN_AT} <= :now) AS last,
           min(coalesce(created_at, received_at)) AS earliest FROM feedback"""


@dataclass(frozen=True, slots=True)
class SubIssue:
    """A part of an issue with words of its own; `frequency` counts its comments in the period."""

    sub_label: int
    title: str
    keywords: list[str]
    representative: str
    frequency: int


@dataclass(frozen=True, slots=True)
class IssueView:
    """An issue as a list shows it; `frequency`, `share`, `first_at` and `last_at` are of the period asked for.

    `share` is of all negative comments (0 to 1). `recent` and `previous` count the period and as many days before it;
    without a period the last 28 days and the 28 before. `weekly` counts the last 12 weeks, oldest first; it and the
    first and last moment know dated comments alone. `status` is "open" where complaints came back after it was
    resolved (then `flags` holds "regressed"). `growth` is there where the flag "growing" is.
    """

    issue_id: str
    title: str
    keywords: list[str]
    frequency: int
    representative: str
    sample_comments: list[str]
    status: str
    owner: str | None
    first_at: datetime | None
    last_at: datetime | None
    share: float = 0.0
    recent: int = 0
    previous: int = 0
    weekly: list[int] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)
    growth: signs.Growth | None = None
    sub_issues: list[SubIssue] = field(default_factory=list)
    parent_id: str | None = None
    title_by: str = stored.COMPUTED
    note: str | None = None
    link: str | None = None
    locked: bool = False
    proposed: bool = False
    resolved_at: datetime | None = None
    created_at: datetime | None = None

    @property
    def change(self) -> int:
        """Comments more (or fewer) than in the time before."""
        return self.recent - self.previous


@dataclass(frozen=True, slots=True)
class IssueList:
    """The issues with comments in a period, most frequent first: total_comments = assigned + unassigned.

    `low_information` counts those of the unassigned that say nothing ("bad", "👎"); the others fit no issue, or
    nobody has looked at them yet. `as_of` is the day the flags and weeks end with, exclusive; None without a date.
    `held_up` says in a sentence why new comments wait to be put into issues, where they do. `silent` are the issues
    without a comment in the period. `is_compared`: there is feedback from before the days that `change` looks back to.
    """

    total_comments: int
    assigned: int
    unassigned: int
    issues: list[IssueView]
    low_information: int = 0
    as_of: datetime | None = None
    held_up: str | None = None
    silent: list[IssueView] = field(default_factory=list)
    is_compared: bool = True


@dataclass(slots=True)
class _Numbers:
    """What was counted of one issue, or of the comments in none."""

    frequency: int = 0
    recent: int = 0
    previous: int = 0
    low: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None
    first_ever: datetime | None = None
    weeks: list[int] = field(default_factory=lambda: [0] * WEEKS)
    subs: dict[int, int] = field(default_factory=dict)

    def add(self, row: Mapping[str, Any], as_of: datetime | None) -> None:
        if not row["is_whole"]:
            if row["sub_label"] is not None:
                self.subs[row["sub_label"]] = row["frequency"]
            return
        for name in ("frequency", "recent", "previous"):
            setattr(self, name, getattr(self, name) + row[name])
        self.low += row["frequency"] if row["low"] else 0
        if row["dated"] and as_of is not None:
            self.first_at, self.last_at = _least(self.first_at, row["first_at"]), _most(self.last_at, row["last_at"])
            self.first_ever = _least(self.first_ever, row["first_ever"])
            week = WEEKS - 1 - (as_of.date() - row["day"] - timedelta(days=1)).days // 7
            if 0 <= week < WEEKS:
                self.weeks[week] += row["everything"]


def listing(
    store: Store, since: datetime | None = None, until: datetime | None = None, *, now: datetime | None = None
) -> IssueList:
    """The issues with comments in `since` <= time < `until` (all without), merged ones as a part of their whole.

    Read-only. Flags and weeks end with the last day that has dated feedback, at most `until` and today. Comments
    that nobody has looked at yet, and those that fit no issue, are unassigned.
    """
    moment = now or utc_now()
    history = store.rows(HISTORY_SQL, now=min(until, moment) if until else moment)[0]
    as_of = datetime.combine(history["last"] + timedelta(days=1), time.min) if history["last"] else None
    counted: dict[str | None, _Numbers] = {}
    windows = _windows(since, until, as_of or moment)
    for row in store.rows(COUNTS_SQL, **windows):
        counted.setdefault(row["issue_id"], _Numbers()).add(row, as_of)
    issues = stored.issue_rows(store)
    numbers = {one: found for one, found in counted.items() if one in issues}
    total = sum(found.frequency for found in counted.values())
    growth = signs.growing(_histories(numbers, history["first"], as_of))
    back = regressed(store, as_of) if as_of else set()
    news = {one for one in numbers if as_of and signs.is_new(numbers[one].first_ever, history["first"], as_of)}
    empty = {one: _Numbers() for one, row in issues.items() if one not in numbers and not row["merged_into"]}
    views = [
        _view(issues[one], found, total, _flags(issues[one], one in news, one in growth, one in back), growth.get(one))
        for one, found in (numbers | empty).items()
    ]
    views.sort(key=lambda view: (-view.frequency, -view.previous, view.issue_id))
    heard, silent = [one for one in views if one.frequency], [one for one in views if not one.frequency]
    assigned, low = sum(one.frequency for one in heard), sum(one.low for one in counted.values())
    compared = history["earliest"] is not None and history["earliest"] <= windows["previous_from"]
    return IssueList(total, assigned, total - assigned, heard, low, as_of, stored.held_up(store), silent, compared)


def select(
    views: Iterable[IssueView],
    *,
    search: str = "",
    statuses: Sequence[str] = (),
    flag: str | None = None,
    owner: str | None = None,
    sort: str = "frequency",
    ignored: bool = False,
) -> list[IssueView]:
    """The views that hold every word of `search` (title, keywords, quotes, sub-issues) and pass every filter.

    `statuses` empty is every status, but ignored ones only with `ignored`. `sort` is one of SORTS: numbers and
    times greatest first, words in their order. Raises InputError for a filter that does not exist.
    """
    _check("status", [*statuses], STATUSES)
    _check("flag", [flag] if flag else [], signs.FLAGS)
    _check("sort", [sort], SORTS)
    wanted = search.casefold().split()
    shown = [
        one
        for one in views
        if (one.status in statuses if statuses else ignored or one.status != "ignored")
        and (flag is None or flag in one.flags)
        and (owner is None or (one.owner or "").casefold() == owner.casefold())
        and all(word in _words_of(one) for word in wanted)
    ]
    if sort in ("title", "owner", "status"):
        return sorted(shown, key=lambda one: (not getattr(one, sort), str(getattr(one, sort) or "").casefold()))
    name = {"first": "first_at", "last": "last_at"}.get(sort, sort)
    least = datetime.min if name.endswith("_at") else 0
    return sorted(shown, key=lambda one: (getattr(one, name) or least, one.frequency), reverse=True)


def _check(what: str, given: Sequence[str], known: Sequence[str]) -> None:
    for one in given:
        if one not in known:
            raise InputError(f"There is no {what} {one!r}: choose from {', '.join(known)}.")


def _words_of(one: IssueView) -> str:
    parts = [one.title, *one.keywords, one.representative, *one.sample_comments, *(sub.title for sub in one.sub_issues)]
    return " ".join(parts).casefold()


def _windows(since: datetime | None, until: datetime | None, as_of: datetime) -> dict[str, Any]:
    """The moments that the counting binds: the period, the recent days, as many days before, the oldest week."""
    recent_until = min(until, as_of) if until else as_of
    recent_from = since if since else recent_until - timedelta(days=RECENT_DAYS)
    return {
        "since": since,
        "until": until,
        "recent_from": recent_from,
        "recent_until": until or as_of,
        "previous_from": recent_from - max(recent_until - recent_from, timedelta(0)),
        "horizon": as_of - timedelta(weeks=WEEKS, days=1),
    }


def _histories(numbers: Mapping[Any, _Numbers], first: datetime | None, as_of: datetime | None) -> dict[str, list[int]]:
    """The weeks of each issue in which the store held feedback at all, the last seven days at the end."""
    if first is None or as_of is None:
        return {}
    whole = max(0, (as_of - first) // timedelta(weeks=1))
    return {issue_id: found.weeks[-min(whole, WEEKS) :] for issue_id, found in numbers.items() if whole}


def _flags(row: Mapping[str, Any], is_new: bool, grows: bool, is_back: bool) -> list[str]:
    if row["status"] == "ignored":
        return []
    reopened = row["status"] != "resolved" and row["resolved_at"] is not None
    holds = {
        signs.NEW: is_new,
        signs.GROWING: grows,
        signs.REGRESSED: is_back or reopened,
        signs.PROPOSED: bool(row["proposed"]),
    }
    return [flag for flag in signs.FLAGS if holds[flag]]


def _view(
    row: Mapping[str, Any], found: _Numbers, total: int, marks: list[str], growth: signs.Growth | None
) -> IssueView:
    same = ("issue_id", "title", "representative", "owner", "parent_id", "title_by", "note", "link", "resolved_at")
    subs = [
        SubIssue(sub["sub_label"], sub["title"], sub["keywords"], sub["representative"], found.subs[sub["sub_label"]])
        for sub in row["sub_issues"] or ()
        if found.subs.get(sub["sub_label"])
    ]
    return IssueView(
        **{name: row[name] for name in same},
        keywords=list(row["keywords"]),
        sample_comments=list(row["samples"]),
        status="open" if signs.REGRESSED in marks and row["status"] == "resolved" else row["status"],
        frequency=found.frequency,
        first_at=found.first_at,
        last_at=found.last_at,
        share=found.frequency / total if total else 0.0,
        recent=found.recent,
        previous=found.previous,
        weekly=list(found.weeks),
        flags=marks,
        growth=growth,
        sub_issues=subs,
        locked=bool(row["locked"]),
        proposed=bool(row["proposed"]),
        created_at=row["created_at"],
    )


def _least(one: datetime | None, other: datetime | None) -> datetime | None:
    return min((moment for moment in (one, other) if moment is not None), default=None)


def _most(one: datetime | None, other: datetime | None) -> datetime | None:
    return max((moment for moment in (one, other) if moment is not None), default=None)
