"""One issue opened: what people say, when, where, on which questions, its parts, and what was done to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import pandas as pd
import streamlit as st

from feedback_lab.issues import detail
from feedback_lab.issues.breakdown import Breakdown, Segment, Timeline, breakdown, timeline
from feedback_lab.issues.detail import IssueComment
from feedback_lab.issues.listing import IssueList, IssueView
from feedback_lab.published_text import reveal
from feedback_lab.records import utc_now
from feedback_lab.store import Store
from feedback_lab.ui import background, charts, issue_acts, state, words
from feedback_lab.ui.background import figures, say_how_old
from feedback_lab.ui.issue_list import View, since_days
from feedback_lab.ui.theme import palette
from feedback_lab.ui.widgets import facts, marker_list, plain, quote, subheading, table, title

COMMENTS_A_PAGE = 50
CELL_CHARACTERS = 1000
PAGER_WIDTH = 340  # px: as wide as its content, it leaves out the second of two pages
MOST_SEGMENTS = 12
DIMENSIONS = {"model": "Model", "prompt_version": "Prompt version"}


def show(store: Store, one: IssueView, listing: IssueList, view: View) -> None:
    """Quotes and comments on the left, numbers and human work on the right."""
    since = since_days(view.days)
    title(one.title, one.issue_id)
    _line(one, listing)
    issue_acts.bar(store, one, view.days)
    left, right = st.columns([1.2, 1], gap="large")
    with left:
        subheading("In users' words")
        quote(one.representative, f"rep_{one.issue_id}", "The most typical comment")
        for number, text in enumerate([text for text in one.sample_comments if text != one.representative][:3]):
            quote(text, f"quote_{one.issue_id}_{number}")
        st.text("Keywords  " + ",  ".join(reveal(word) for word in one.keywords))
        _sub_issues(one)
        subheading("Comments")
        with st.container(key="issue_comments"):
            _comments(store, one, since)
    with right:
        made = figures(*_breakdown(store, view.days), awaited=True)
        say_how_old(made, "When, where and on what they came is being counted.")
        if made.value:
            _timeline(timeline(store, made.value.weeks(one.issue_id)), one)
            _where(made.value.where(one.issue_id), one)
            _questions(made.value.questions(one.issue_id), one)
        _history(store, one)


def prepare(store: Store) -> None:
    """Count when, where and on what all comments came, before somebody opens an issue."""
    background.prepare(store, *_breakdown(store, None))


def _breakdown(store: Store, days: int | None) -> tuple[str, tuple[Any, ...], Callable[[], Breakdown]]:
    """Of all issues at once, whichever are opened."""
    return "breakdown", (days, utc_now().date()), lambda: breakdown(store, since_days(days))


def _line(one: IssueView, listing: IssueList) -> None:
    parts = [
        f"{words.count(one.frequency, 'comment')}, {words.percent(one.share)} of the negative ones",
        *([f"first {words.day(one.first_at)}, last {words.day(one.last_at)}"] if one.first_at else []),
        f"status {one.status}" + (f" ({', '.join(one.flags)})" if one.flags else ""),
    ]
    if one.growth:
        parts.append(
            f"{one.growth.recent:,} in the last week where {one.growth.expected:,.0f} were to be expected "
            f"(p {one.growth.p_value:.2g})"
        )
    st.caption(". ".join(part[:1].upper() + part[1:] for part in parts) + ".")
    known = {other.issue_id: other for other in listing.issues}
    given = [("Owner", one.owner), ("Link", one.link)]
    if one.parent_id in known:
        given.append(("Split from", known[one.parent_id].title))
    if one.title_by != "computed":
        given.append(("Named by", one.title_by))
    facts(given, f"facts_{one.issue_id}")
    if one.note:
        quote(one.note, f"note_{one.issue_id}", "Note")


def _sub_issues(one: IssueView) -> None:
    if not one.sub_issues:
        return
    subheading("Parts of it")
    frame = pd.DataFrame({
        "Part": [reveal(part.title) for part in one.sub_issues],
        "Comments": [part.frequency for part in one.sub_issues],
        "Typical comment": [reveal(words.first_line(part.representative, 160)) for part in one.sub_issues],
    })  # fmt: skip
    table(
        frame, f"parts_{one.issue_id}", most=250,
        columns={"Part": st.column_config.TextColumn(width=230),
                 "Comments": st.column_config.NumberColumn(format="localized", width=85)},
    )  # fmt: skip


def _comments(store: Store, one: IssueView, since: datetime | None) -> None:
    """A page of them, to be read, and chosen to be moved."""
    sub, offset = _wanted_page(one)
    made = figures(
        "comments", (one.issue_id, sub, offset, since and since.date()),
        lambda: detail.comments(store, one.issue_id, since, sub_label=sub, offset=offset, limit=COMMENTS_A_PAGE),
        awaited=True,
    )  # fmt: skip
    if made.lacks(state.last_own_commit()):  # else the age of the list, above, is enough
        say_how_old(made, "The comments are being read.")
    found = made.value
    if found is None:
        return
    if not found.comments:
        st.caption("No comment here.")
        return
    chosen = _chosen(found.comments)
    st.caption(
        f"{found.offset + 1:,} to {found.offset + len(found.comments):,} of {found.total:,}, best fitting first. "
        "Choose rows to read them in full, move them, or split them off."
    )
    for row in chosen[:5]:
        plain(row.comment, f"full_{row.feedback_id}")
    if chosen:
        issue_acts.comment_acts(store, one, [row.feedback_id for row in chosen])


def _wanted_page(one: IssueView) -> tuple[int | None, int]:
    """Which part of the issue, and from which comment on."""
    parts = {part.sub_label: part for part in one.sub_issues}
    sub = None
    with st.container(horizontal=True, vertical_alignment="center"):
        if parts:
            sub = st.selectbox("Part", list(parts), index=None, placeholder="All parts", width=260,
                               key=f"part_{one.issue_id}", format_func=lambda key: reveal(parts[key].title),
                               label_visibility="collapsed")  # fmt: skip
        pages = -(-(one if sub is None else parts[sub]).frequency // COMMENTS_A_PAGE)
        number = st.pagination(pages, key=f"page_{one.issue_id}_{sub}", width=PAGER_WIDTH) if pages > 1 else 1
    return sub, (number - 1) * COMMENTS_A_PAGE


def _chosen(rows: Sequence[IssueComment]) -> list[IssueComment]:
    """The comments as a table, and those of them that are ticked."""
    frame = pd.DataFrame({
        "Comment": [reveal(row.comment[:CELL_CHARACTERS]) for row in rows],
        "Fit": [row.score for row in rows],
        "When": [row.happened_at if row.dated else None for row in rows],
        "Question": [reveal((row.question or "")[:CELL_CHARACTERS]) for row in rows],
    }).dropna(axis=1, how="all")  # fmt: skip
    if not any(frame["Question"]):
        frame = frame.drop(columns="Question")
    # What was ticked must not stay ticked when other comments move up into these rows.
    key = f"comments_{hash(tuple(row.feedback_id for row in rows))}"
    picked = table(
        frame, key, most=420, on_select="rerun", selection_mode="multi-row",
        columns={
            "Comment": st.column_config.TextColumn(width=420),
            "Fit": st.column_config.NumberColumn(format="%.2f", width=55, help="0 to 1: how well it fits the issue."),
            "When": st.column_config.DatetimeColumn(width=125, format="YYYY-MM-DD HH:mm"),
        },
    )  # fmt: skip
    return [rows[row] for row in picked["selection"]["rows"] if row < len(rows)]


def _timeline(found: Timeline, one: IssueView) -> None:
    subheading("Comments a week")
    if not found.weeks:
        st.caption("None of these comments has a date, so there is no timeline.")
        return
    frame = pd.DataFrame(found.weeks, columns=["start", "n"])
    markers = [(moment, label) for moment, _, label in found.markers]
    charts.show_behind(charts.counts_over_time(frame, markers, palette()), f"time_{one.issue_id}", "Comments a week")
    marker_list(markers, one.issue_id)
    dated = sum(count for _, count in found.weeks)
    if dated < one.frequency:
        st.caption(f"{dated:,} of {one.frequency:,} comments: those that have a date.")


def _where(found: Sequence[Segment], one: IssueView) -> None:
    known = [segment for segment in found if segment.comments]
    if len({(segment.dimension, segment.value) for segment in known}) < 2:
        return
    subheading("Where")
    ordered = sorted(known, key=lambda segment: (not segment.differs, -segment.share))[:MOST_SEGMENTS]
    frame = pd.DataFrame({
        "By": [DIMENSIONS.get(name) or reveal(name.removeprefix("tag:")) for name in (s.dimension for s in ordered)],
        "Value": [reveal(segment.value) for segment in ordered],
        "Comments": [segment.comments for segment in ordered],
        "Share": [100 * segment.share for segment in ordered],
        "95 % interval": [words.interval(segment.low, segment.high) for segment in ordered],
        "Elsewhere": [None if s.rest_share is None else 100 * s.rest_share for s in ordered],
        "Differs": ["yes" if segment.differs else "" for segment in ordered],
    })  # fmt: skip
    if not any(frame["Differs"]):
        frame = frame.drop(columns="Differs")
    percent = st.column_config.NumberColumn(format="%.1f %%", width=68)
    table(
        frame, f"where_{one.issue_id}", most=300,
        columns={
            "By": st.column_config.TextColumn(width=95), "Share": percent, "Elsewhere": percent,
            "Value": st.column_config.TextColumn(width=95), "95 % interval": st.column_config.TextColumn(width=95),
            "Comments": st.column_config.NumberColumn(format="localized", width=75),
            "Differs": st.column_config.TextColumn(width=60, help="By more than chance; 5 % of those may be false."),
        },
    )  # fmt: skip
    note = "The share of this issue among the negative comments of each value, and among all others."
    if len(known) > MOST_SEGMENTS:
        note += f" {MOST_SEGMENTS} of {len(known):,} values."
    st.caption(note if "Differs" in frame else f"{note} Nowhere do they differ by more than chance.")


def _questions(found: Sequence[tuple[str, int]], one: IssueView) -> None:
    if not found:
        return
    subheading("The questions behind it")
    frame = pd.DataFrame({"Question": [reveal(text) for text, _ in found], "Comments": [count for _, count in found]})
    table(
        frame, f"asked_{one.issue_id}", most=250,
        columns={"Comments": st.column_config.NumberColumn(format="localized", width=85)},
    )  # fmt: skip


def _history(store: Store, one: IssueView) -> None:
    events = detail.history(store, one.issue_id)
    if not events:
        return
    subheading("What was done")
    with st.container(key="issue_history"):
        issue_acts.list_of_acts(events[: issue_acts.MOST_ACTS], one.issue_id)
