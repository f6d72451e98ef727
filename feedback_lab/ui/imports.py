"""The report of an import and the list of earlier ones, as the Upload page shows them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import streamlit as st

from feedback_lab.errors import LabError
from feedback_lab.ingest.history import history, other_imports_of
from feedback_lab.ingest.load import ImportReport
from feedback_lab.ingest.undo import undo
from feedback_lab.published_text import reveal
from feedback_lab.ui import state, uploading, words
from feedback_lab.ui.widgets import notice, subheading

COUNTS = ("Read", "New", "Duplicate", "Rejected")


def account(report: ImportReport) -> str:
    """Where every row went, as one sum."""
    return f"{report.read:,} read = {report.new:,} new + {report.duplicate:,} duplicate + {report.rejected:,} rejected"


def show_report(report: ImportReport) -> None:
    """What became of every row, the rejected ones to download."""
    subheading(f"{account(report)}")
    notes = [f"{report.seconds:.1f} s"]
    if report.undated:
        notes.append(f"{words.count(report.undated, 'row')} without a time, counted at import time")
    st.caption(". ".join(notes) + ".")
    if report.new and report.batch_id and other_imports_of(state.lab().store, report.batch_id):
        notice(
            "attention",
            "This very file was imported before with another mapping, so rows may count twice: take the earlier import "
            "back below.",
        )
    if report.reasons:
        st.text("\n".join(f"{number:,}  {code.replace('_', ' ')}" for code, number in report.reasons.items()))
    with st.container(horizontal=True):
        if report.rejects_file and Path(report.rejects_file).is_file():
            st.download_button(
                "Download rejected rows", Path(report.rejects_file).read_bytes(), "rejected.csv", "text/csv",
                icon=":material/download:", on_click="ignore",
            )  # fmt: skip
        st.button("Upload another file", icon=":material/upload_file:", on_click=uploading.start_again)


def show_history() -> None:
    """Earlier imports; one that is chosen can be taken back, its counts said first."""
    batches = history(state.lab().store)
    if not batches:
        return
    subheading("Imports so far")
    frame = pd.DataFrame(
        {
            "File": [reveal(batch["file_name"] or batch["source"]) for batch in batches],
            "When": [batch["started_at"] for batch in batches],
            "Read": [batch["rows_read"] for batch in batches],
            "New": [batch["rows_new"] for batch in batches],
            "Duplicate": [batch["rows_duplicate"] for batch in batches],
            "Rejected": [batch["rows_rejected"] for batch in batches],
            "Status": [batch["status"] for batch in batches],
        }
    )
    chosen = st.dataframe(
        frame, hide_index=True, on_select="rerun", selection_mode="single-row", key=f"history_{len(batches)}",
        row_height=34, height=min(38 + 34 * len(batches), 320),
        column_config={"When": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm", width=140)}
        | {name: st.column_config.NumberColumn(format="localized") for name in COUNTS},
    )  # fmt: skip
    rows = chosen["selection"]["rows"]
    if rows and batches[rows[0]]["status"] == "done":
        batch = batches[rows[0]]
        rows_new = words.count(batch["rows_new"], "new row")
        notice(
            "attention",
            f"Taking back {batch['file_name'] or batch['source']} removes what its {rows_new} added, "
            "and the undecided tasks that rest on it alone.",
        )
        st.button("Take this import back", icon=":material/undo:", on_click=_undo, args=(batch["batch_id"],),
                  key=f"undo_{batch['batch_id']}")  # fmt: skip


def _undo(batch_id: str) -> None:
    try:
        gone = undo(state.lab().store, batch_id, "dashboard")
    except LabError as error:
        state.say("error", str(error))
    else:
        state.say(
            "done",
            f"The import was taken back: {words.count(gone.interactions, 'interaction')}, {gone.feedback:,} feedback "
            f"and {words.count(gone.tasks, 'undecided task')} removed.",
        )
