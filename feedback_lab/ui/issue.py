"""The list of issues and the one that is opened, as the Issues page shows them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pandas as pd
import streamlit as st

from feedback_lab.errors import LabError
from feedback_lab.issues import tracking
from feedback_lab.issues.tracking import IssueList, IssueView
from feedback_lab.published_text import reveal
from feedback_lab.store import Store
from feedback_lab.ui import charts, state, words
from feedback_lab.ui.overview import MARKERS_SQL, MOST_MARKERS
from feedback_lab.ui.theme import palette
from feedback_lab.ui.widgets import marker_list, pick_list, plain, quote, subheading, title

MOST_COMMENTS = 1000
CELL_CHARACTERS = 1000
RECENT_DAYS = 30


def current_listing(store: Store) -> IssueList:
    """All issues, after comments that came since have found theirs."""
    if not store.damage:
        tracking.assign_new(store)
    return tracking.listing(store)


def matching(issues: Sequence[IssueView], search: str) -> list[IssueView]:
    """The issues that hold every word of `search` in their title, keywords or quotes."""
    wanted = search.casefold().split()
    return [one for one in issues if all(word in _words_of(one) for word in wanted)]


def _words_of(one: IssueView) -> str:
    return " ".join([one.title, *one.keywords, one.representative, *one.sample_comments]).casefold()


def issue_table(shown: Sequence[IssueView], listing: IssueList, recent: dict[str, int], chosen: str | None) -> None:
    """One row an issue, most frequent first; choosing a row opens it and puts it into the address."""
    ids = [one.issue_id for one in shown]
    frame = pd.DataFrame(
        {
            "Issue": [reveal(one.title) for one in shown],
            "Comments": [one.frequency for one in shown],
            "Share": [100 * one.frequency / listing.total_comments for one in shown],
            f"{RECENT_DAYS} days": [recent.get(one.issue_id, 0) for one in shown],
            "Last": [one.last_at for one in shown],
            "Status": [one.status for one in shown],
        }
    )
    pick_list(
        frame, "issues", ids, chosen, _open, height=min(38 + 34 * max(len(ids), 1), 720),
        columns={
            "Issue": st.column_config.TextColumn(width=270),
            "Comments": st.column_config.NumberColumn(format="localized", width=80),
            "Share": st.column_config.NumberColumn(format="%.1f %%", width=65),
            f"{RECENT_DAYS} days": st.column_config.NumberColumn(format="localized", width=70),
            "Last": st.column_config.DateColumn(width=90, format="YYYY-MM-DD"),
            "Status": st.column_config.TextColumn(width=70),
        },
    )  # fmt: skip


def recent_counts(store: Store, listing: IssueList) -> dict[str, int]:
    """Comments of each issue in the 30 days that end with the newest comment of all."""
    newest = max((one.last_at for one in listing.issues), default=None)
    if newest is None:
        return {}
    since = newest - timedelta(days=RECENT_DAYS)
    return {one.issue_id: one.frequency for one in tracking.listing(store, since).issues}


def detail(store: Store, one: IssueView, total: int) -> None:
    """One issue: what it is about in users' words, when it was said, and every comment."""
    title(one.title, one.issue_id)
    st.caption(
        f"{words.count(one.frequency, 'comment')}, {words.percent(one.frequency / total)} of the negative ones. "
        f"First {words.day(one.first_at)}, last {words.day(one.last_at)}. Status {one.status}."
    )
    subheading("In users' words")
    quote(one.representative, f"rep_{one.issue_id}", "The most typical comment")
    quotes = [text for text in one.sample_comments if text != one.representative][:3]
    for number, text in enumerate(quotes):
        quote(text, f"quote_{one.issue_id}_{number}")
    st.text("Keywords  " + ",  ".join(reveal(word) for word in one.keywords))
    comments = tracking.comments_of(store, one.issue_id, MOST_COMMENTS)
    _timeline(store, comments, one)
    subheading("Comments")
    _comments(comments, one.frequency)


def refresh() -> None:
    """Button: group all negative comments anew; issues that are still there keep their name and id."""
    try:
        with st.spinner("Grouping the comments"):
            found = tracking.refresh(state.lab().store)
    except LabError as error:
        state.say("error", str(error))
        return
    state.say(
        "done",
        f"{words.count(found.total_comments, 'negative comment')}: {found.assigned:,} in "
        f"{words.count(len(found.issues), 'issue')}, {found.unassigned:,} unassigned.",
    )


def _open(issue_id: str) -> None:
    st.query_params["issue"] = issue_id


def _timeline(store: Store, comments: pd.DataFrame, one: IssueView) -> None:
    dated = comments[comments["dated"].astype(bool)]
    if dated.empty:
        st.caption("None of these comments has a date, so there is no timeline.")
        return
    weeks = pd.to_datetime(dated["happened_at"]).dt.to_period("W").dt.start_time
    counted = weeks.value_counts().sort_index()
    every = pd.date_range(counted.index.min(), counted.index.max(), freq="7D")
    frame = counted.reindex(every, fill_value=0).rename_axis("start").rename("n").reset_index()
    bounds = {"since": every[0].to_pydatetime(), "until": every[-1].to_pydatetime() + timedelta(days=7)}
    markers = [(row["happened_at"], row["label"]) for row in store.rows(MARKERS_SQL, **bounds)][:MOST_MARKERS]
    subheading("Comments a week")
    figure = charts.counts_over_time(frame, markers, palette())
    charts.show(figure, f"time_{one.issue_id}", "Comments of the issue a week")
    marker_list(markers, one.issue_id)
    if len(dated) < one.frequency:
        st.caption(f"{len(dated):,} of {one.frequency:,} comments: the best-fitting ones that have a date.")


def _comments(comments: pd.DataFrame, frequency: int) -> None:
    frame = pd.DataFrame({"Comment": [reveal(text[:CELL_CHARACTERS]) for text in comments["comment"]]})
    dated = comments["dated"].astype(bool)
    if dated.any():
        frame["When"] = comments["happened_at"].where(dated)
    st.dataframe(
        frame, hide_index=True, height=min(38 + 35 * max(len(frame), 1), 420), row_height=34,
        column_config={"When": st.column_config.DatetimeColumn(width=130, format="YYYY-MM-DD HH:mm")},
    )  # fmt: skip
    if len(comments):
        with st.expander("Read one in full", type="compact"):
            number = st.number_input("Row", min_value=1, max_value=len(comments), step=1, width=120)
            plain(comments["comment"].iloc[int(number) - 1], f"full_{comments['feedback_id'].iloc[int(number) - 1]}")
    if frequency > len(comments):
        st.caption(f"The {len(comments):,} best-fitting ones of {frequency:,}.")
