"""The comments behind "fit none" and "say nothing": every number leads to its rows."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from feedback_lab.issues import detail
from feedback_lab.issues.listing import IssueList
from feedback_lab.published_text import reveal
from feedback_lab.records import utc_now
from feedback_lab.store import Store
from feedback_lab.ui.background import counted
from feedback_lab.ui.issue_list import View, since_days
from feedback_lab.ui.widgets import table

MOST = 500
CELL_CHARACTERS = 1000
WIDTH = 660  # px: a popover is as wide as what is in it


def show(store: Store, listing: IssueList, view: View) -> None:
    """One fold a kind, drawn where there are such comments."""
    fits_none = listing.unassigned - listing.low_information
    for label, low, count in (("fit none", False, fits_none), ("say nothing", True, listing.low_information)):
        if count:
            opened = st.popover(f"{count:,} {label}", type="tertiary", key=f"open_loose_{low}", on_change="rerun")
            if opened.open:
                with opened:
                    _comments(store, view, low)


def _comments(store: Store, view: View, low: bool) -> None:
    key = f"loose_{low}"
    found = counted(
        key, (view.days, utc_now().date()),
        lambda: detail.loose(store, since_days(view.days), low_information=low, limit=MOST),
    ).known  # fmt: skip
    frame = pd.DataFrame({
        "Comment": [reveal(row.comment[:CELL_CHARACTERS]) for row in found.comments],
        "When": [row.happened_at if row.dated else None for row in found.comments],
        "Question": [reveal((row.question or "")[:CELL_CHARACTERS]) for row in found.comments],
    }).dropna(axis=1, how="all")  # fmt: skip
    columns = {
        "Comment": st.column_config.TextColumn(width=180 if low else 420),
        "When": st.column_config.DatetimeColumn(width=125, format="YYYY-MM-DD HH:mm"),
    }
    table(frame, key, most=420, columns=columns, width=WIDTH)
    if found.total > len(found.comments):
        st.caption(f"The newest {len(found.comments):,} of {found.total:,}.")
