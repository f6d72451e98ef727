"""The list of issues: its filters, which live in the address, its table, and its way out as a file."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from feedback_lab import knowledge
from feedback_lab.errors import LabError
from feedback_lab.insights.issues import IssueFigures
from feedback_lab.insights.issues import figures as issue_figures
from feedback_lab.issues import listing as issues
from feedback_lab.issues import sending, stored, tracking
from feedback_lab.issues.flags import FLAGS
from feedback_lab.issues.listing import SORTS, STATUSES, IssueList, IssueView
from feedback_lab.published_text import reveal
from feedback_lab.records import utc_now
from feedback_lab.store import Store
from feedback_lab.ui import background, state, words
from feedback_lab.ui.background import Figures, counted, figures, say_how_old
from feedback_lab.ui.widgets import pick_list, table_height

PERIODS = {"all": None, "7": 7, "30": 30, "90": 90, "365": 365}
PERIOD_LABELS = {"all": "All time", "7": "7 days", "30": "30 days", "90": "90 days", "365": "1 year"}
SORT_LABELS = {
    "frequency": "Most comments", "recent": "Most recent comments", "change": "Grown most", "title": "Title",
    "first": "First said", "last": "Said last", "status": "Status", "owner": "Owner",
}  # fmt: skip
COLUMNS = ("Share", "Change", "12 weeks", "Positive rate", "Answered", "Status", "Owner", "Last", "First")
USUAL_COLUMNS = ["Share", "Change", "12 weeks", "Positive rate", "Answered", "Status", "Owner"]
RATE_DAYS = 90  # of the positive rate, where no period is chosen


@dataclass(frozen=True, slots=True)
class View:
    """What the address says of the list: filters, order, columns. `days` is None for all time; `silent` shows the
    issues without a comment in them, too."""

    search: str
    statuses: tuple[str, ...]
    flag: str | None
    sort: str
    days: int | None
    columns: tuple[str, ...]
    silent: bool = False


@dataclass(frozen=True, slots=True)
class Wanted:
    """The issue that the address names, or why there is none to show."""

    issue: IssueView | None = None
    gone: str = ""


def view_of_address() -> View:
    """The filters as their widgets will show them: known from the session, else from the address.

    An address holds what a widget shows, a session what it means.
    """
    meant = {"sort": SORT_LABELS, "period": PERIOD_LABELS}

    def given(name: str) -> list[str]:
        kept = st.session_state.get(name)
        if kept is None:
            shown = {label: key for key, label in meant.get(name, {}).items()}
            return [shown.get(one, "") if shown else one for one in st.query_params.get_all(name)]
        return [str(one) for one in kept] if isinstance(kept, list) else [str(kept)]

    days = next(iter(given("period")), "all")
    columns = [name for name in given("cols") if name in COLUMNS]
    return View(
        next(iter(given("q")), ""),
        tuple(one for one in given("status") if one in STATUSES),
        next((one for one in given("flag") if one in FLAGS), None),
        next((one for one in given("sort") if one in SORTS), SORTS[0]),
        PERIODS.get(days),
        tuple(columns or USUAL_COLUMNS),
        "true" in (one.casefold() for one in given("silent")),
    )


def since_days(days: int | None) -> datetime | None:
    """The beginning of a period that ends now; None for all time."""
    return utc_now() - timedelta(days=days) if days else None


def current_listing(store: Store, days: int | None) -> Figures[IssueList]:
    """All issues of the period, also those without a comment in it, after new comments have found theirs."""
    return counted(*_listing(store, days), first=lambda: tracking.assign_new(store), meanwhile=_empty_table)


def prepare(store: Store) -> None:
    """Count the list of all time before somebody opens it."""
    background.prepare(store, *_listing(store, None), first=lambda: tracking.assign_new(store))


def _empty_table() -> None:
    st.dataframe(pd.DataFrame(columns=["Issue", "Comments"]), hide_index=True, height=378, key="issues_to_come")


def _listing(store: Store, days: int | None) -> tuple[str, tuple[Any, ...], Callable[[], IssueList]]:
    return "issues", (days, utc_now().date()), lambda: issues.listing(store, since_days(days))


def sentence(listing: IssueList) -> str:
    """The page's answer: how many issues, and what is in none of them."""
    if not listing.issues:
        return f"{words.count(listing.total_comments, 'negative comment')}, in no issue yet"
    fits_none = listing.unassigned - listing.low_information
    total = max(listing.total_comments, 1)
    return (
        f"{words.count(len(listing.issues), 'issue')} in {words.count(listing.total_comments, 'negative comment')}; "
        f"{fits_none:,} ({words.percent(fits_none / total)}) fit none, "
        f"{listing.low_information:,} ({words.percent(listing.low_information / total)}) say nothing"
    )


def filters() -> None:
    """The widgets of the filters; each writes itself into the address."""
    st.text_input(
        "Search issues", key="q", bind="query-params", icon=":material/search:", width=260,
        label_visibility="collapsed", placeholder="Search titles, keywords, quotes",
    )  # fmt: skip
    st.multiselect("Status", STATUSES, key="status", bind="query-params", width=220,
                   placeholder="Any status but ignored", label_visibility="collapsed")  # fmt: skip
    st.selectbox("Flag", FLAGS, index=None, key="flag", bind="query-params", width=130, placeholder="Any flag",
                 label_visibility="collapsed")  # fmt: skip
    st.selectbox("Order", SORTS, key="sort", bind="query-params", width=180, format_func=SORT_LABELS.__getitem__,
                 label_visibility="collapsed")  # fmt: skip
    st.selectbox("Period", list(PERIODS), key="period", bind="query-params", width=110,
                 format_func=PERIOD_LABELS.__getitem__, label_visibility="collapsed")  # fmt: skip
    with st.popover("Columns", icon=":material/view_column:"):
        st.pills("Columns", COLUMNS, selection_mode="multi", default=USUAL_COLUMNS, key="cols", bind="query-params",
                 label_visibility="collapsed")  # fmt: skip


def matching(some: Iterable[IssueView], view: View) -> list[IssueView]:
    """The issues that the filters let through, in their order. Ignored ones only where they are asked for."""
    return issues.select(
        some, search=view.search, statuses=view.statuses, flag=view.flag, sort=view.sort,
        ignored="ignored" in view.statuses,
    )  # fmt: skip


def offer_silent(silent: Sequence[IssueView], view: View) -> None:
    """A switch for the issues that fit the filters but have no comment in the period."""
    if silent:
        more = f"{len(silent):,} more without a comment" + (" in this period" if view.days else "")
        st.toggle(f"Show {more}", key="silent", bind="query-params")


def wanted(store: Store, listing: IssueList) -> Wanted:
    """The issue of the address; a merged one leads to what it is part of now."""
    given = st.query_params.get("issue")
    if not given:
        return Wanted()
    known = {one.issue_id: one for one in [*listing.issues, *listing.silent]}
    if given in known:
        return Wanted(known[given])
    root = stored.roots(stored.issue_rows(store)).get(given)
    if root in known:
        return Wanted(known[root], "The issue of this address was merged into the one below.")
    return Wanted(None, "The issue of this address is no longer in the list.")


def table(store: Store, shown: Sequence[IssueView], listing: IssueList, view: View, chosen: str | None) -> None:
    """One row an issue; choosing a row opens it below and puts it into the address. What nobody knows has no column."""
    if not shown:
        st.caption("No issue fits these filters.")
        return
    made = _figures(store, view) if {"Positive rate", "Answered"} & set(view.columns) else Figures()
    numbers: dict[str, IssueFigures] = made.value or {}
    frame = pd.DataFrame({
        "Issue": [reveal(one.title) for one in shown],
        "Flags": [", ".join(one.flags + (["locked"] if one.locked else [])) for one in shown],
        "Comments": [one.frequency for one in shown],
        "Share": [100 * one.share for one in shown],
        "Change": [one.change for one in shown],
        "12 weeks": [one.weekly for one in shown],
        "Positive rate": [_rate(numbers.get(one.issue_id)) for one in shown],
        "Answered": [_answered(numbers.get(one.issue_id)) for one in shown],
        "Status": [one.status for one in shown],
        "Owner": [reveal(one.owner or "") for one in shown],
        "Last": [one.last_at for one in shown],
        "First": [one.first_at for one in shown],
    })  # fmt: skip
    frame = frame[["Issue", "Flags", "Comments", *(name for name in COLUMNS if name in view.columns)]]
    dated = any(any(one.weekly) for one in shown)
    known = {"Flags": any(frame["Flags"]), "12 weeks": dated, "Change": listing.is_compared}
    if made.value is not None:  # else they are being counted
        known |= {name: bool(frame[name].notna().any()) for name in ("Positive rate", "Answered") if name in frame}
    frame = frame[[name for name in frame.columns if known.get(name, True)]]
    shown_as: dict[str, Any] = {"Change": words.more_or_fewer}
    with st.container(gap="small"):  # what follows keeps its place, and with it its open popovers, when figures arrive
        pick_list(
            frame.style.format(shown_as) if "Change" in frame else frame,
            "issues", [one.issue_id for one in shown], chosen, _open, height=table_height(len(shown), 378),
            columns=_columns(view.days),
        )  # fmt: skip
        say_how_old(made, "Positive rates, and what is answered already, are being counted.")


def offer_export(store: Store, shown: Sequence[IssueView], view: View) -> None:
    """All comments of exactly the issues shown, as a file; made when it is asked for."""
    if not shown:
        return
    count = sum(one.frequency for one in shown)
    label = f"Export {'this' if count == 1 else 'these'} {words.count(count, 'comment')}"
    ids = [one.issue_id for one in shown]
    st.download_button(
        label, lambda: exported(store, ids, view.days), "issues.csv",
        "text/csv", icon=":material/download:", on_click="ignore", type="tertiary",
    )  # fmt: skip


def exported(store: Store, ids: Sequence[str], days: int | None) -> bytes:
    """The comments of these issues as CSV, safe to open in a spreadsheet."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "issues.csv")
        sending.export(store, path, issue_ids=ids, since=since_days(days), format="csv")
        return path.read_bytes()


def _figures(store: Store, view: View) -> Figures[dict[str, IssueFigures]]:
    lab = state.lab()
    today = utc_now().date()
    first = today - timedelta(days=(view.days or RATE_DAYS) - 1)

    def make() -> dict[str, IssueFigures]:
        try:
            entries = knowledge.entries(lab.store, lab.files)
        except LabError:
            entries = []  # the Knowledge page says what is wrong with the file
        return issue_figures(
            store, entries, first, today, similarity=lab.settings.similarity,
            touch_similarity=lab.settings.touch_similarity,
        )  # fmt: skip

    return figures("issue figures", (first, today), make)


def _rate(one: IssueFigures | None) -> float | None:
    rate = one.touched if one else None
    return None if rate is None or rate.rate is None or rate.too_few else 100 * rate.rate


def _answered(one: IssueFigures | None) -> float | None:
    return None if one is None or one.answered_share is None else 100 * one.answered_share


def _columns(days: int | None) -> dict[str, object]:
    number, text, day = st.column_config.NumberColumn, st.column_config.TextColumn, st.column_config.DateColumn
    against = f"the {days} days before" if days else "28 days against the 28 before"
    against += "; comments without a date count on the day they came"
    return {
        "Issue": text(width=320),
        "Flags": text(width=110),
        "Comments": number(format="localized", width=85),
        "Share": number(format="%.1f %%", width=70, help="Of all negative comments of the period."),
        "Change": number(width=75, help=f"Comments more or fewer: {against}."),
        "12 weeks": st.column_config.BarChartColumn(width=120, y_min=0, help="Dated comments of the last 12 weeks."),
        "Positive rate": number(
            format="%.1f %%", width=95,
            help="Of the answers whose question resembles one that was complained about, good ones included; "
            f"{days or RATE_DAYS} days. Empty where there are too few verdicts.",
        ),
        "Answered": number(
            format="%.0f %%", width=85,
            help="Share of the comments whose question an active knowledge entry answers already.",
        ),
        "Status": text(width=100),
        "Owner": text(width=100),
        "Last": day(width=95, format="YYYY-MM-DD"),
        "First": day(width=95, format="YYYY-MM-DD"),
    }  # fmt: skip


def _open(issue_id: str) -> None:
    st.query_params["issue"] = issue_id
