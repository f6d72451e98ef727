"""The report of an import and the list of earlier ones, as the Upload page shows them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import streamlit as st

from feedback_lab.errors import LabError
from feedback_lab.ingest.history import history, other_imports_of
from feedback_lab.ingest.load import ImportReport
from feedback_lab.ingest.planning.plan import Plan
from feedback_lab.ingest.undo import repeated_by, repeats_said, undo
from feedback_lab.published_text import reveal
from feedback_lab.ui import jobs, state, uploading, words
from feedback_lab.ui.widgets import notice, subheading, table

COUNTS = ("Read", "New", "Duplicate", "Rejected")
# What the codes of rejected rows mean; one that is not here is shown as it is.
REASONS = {
    "too_few_columns": "fewer columns than the header",
    "too_many_columns": "more columns than the header",
    "unterminated_quote": "a quote that is never closed",
    "cell_too_large": "a cell too large to keep",
    "not_utf8": "bytes that are no text",
    "bad_json": "no JSON",
    "not_an_object": "JSON, but no object",
    "bad_time": "a time that cannot be read",
    "ambiguous_time": "a date that may be day/month or month/day",
    "bad_value": "a thumb or rating that cannot be read",
    "no_value": "feedback without its thumb or rating",
    "no_scale": "a rating without its scale",
    "bad_scale": "a scale that cannot be read",
    "out_of_scale": "a rating outside its scale",
    "bad_kind": "an unknown kind of feedback",
    "bad_polarity": "a word that is not positive, neutral or negative",
    "bad_role": "an unknown role",
    "role_not_stored": "a system or tool message",
    "bad_turn": "a turn that is no number",
    "bad_id": "an id too long to keep",
    "empty_row": "nothing in the mapped columns",
    "id_conflict": "an id that is stored with other content",
}


def account(report: ImportReport) -> str:
    """Where every row went, as one sum."""
    return f"{report.read:,} read = {report.new:,} new + {report.duplicate:,} duplicate + {report.rejected:,} rejected"


def show_report(report: ImportReport) -> None:
    """What became of every row, the rejected ones to download."""
    subheading(f"{account(report)}")
    notes = [f"It took {report.seconds:.1f} s"]
    if report.seconds >= 1:
        notes = [f"{notes[0]}, {report.read / report.seconds:,.0f} rows a second"]
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
        st.caption("Why rows were rejected")
        ordered = sorted(report.reasons.items(), key=lambda one: -one[1])
        named = [(number, REASONS.get(code, code.replace("_", " "))) for code, number in ordered]
        st.text("\n".join(f"{words.count(number, 'row')}: {reason}" for number, reason in named))
    with st.container(horizontal=True):
        if report.rejects_file and Path(report.rejects_file).is_file():
            st.download_button(
                "Download rejected rows", Path(report.rejects_file).read_bytes(), "rejected.csv", "text/csv",
                icon=":material/download:", on_click="ignore",
            )  # fmt: skip
        st.button("Upload another file", icon=":material/upload_file:", on_click=uploading.start_again)


def show_actions(plan: Plan, usable: bool) -> None:
    """Count first, import, or forget the file; beside them what a count of exactly this plan said."""
    counted = uploading.checked(plan)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Count without storing", icon=":material/science:", disabled=not usable, on_click=uploading.start,
                  args=(plan,), kwargs={"dry_run": True})  # fmt: skip
        st.button("Import", type="primary", icon=":material/database:", disabled=not usable, on_click=uploading.start,
                  args=(plan,), kwargs={"dry_run": False})  # fmt: skip
        st.button("Forget this file", on_click=uploading.start_again)
        if counted:
            st.markdown(f"It would be: **{account(counted)}**")


def show_running() -> None:
    """An import that goes on although its page was loaded anew, or that another browser began."""
    mine = jobs.current(uploading.JOB)
    for job in jobs.running(uploading.IMPORT):
        if mine is None or job.id != mine.id:
            with st.container(border=True):
                st.caption("An import is running")
                jobs.job_panel(job, "rows", job.id, still="being stored")


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
    chosen = table(
        frame, f"history_{len(batches)}", on_select="rerun", selection_mode=["single-row", "single-cell"],
        columns={"When": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm", width=140)}
        | {name: st.column_config.NumberColumn(format="localized") for name in COUNTS},
    )  # fmt: skip
    selection = chosen["selection"]
    rows = selection["rows"] or [row for row, _ in selection.get("cells") or ()]
    if rows and batches[rows[0]]["status"] == "done":
        batch = batches[rows[0]]
        _offer_rejected(batch["batch_id"])
        rows_new = words.count(batch["rows_new"], "new row")
        with state.lab().store.read() as connection:
            repeats = repeats_said(repeated_by(connection, batch["batch_id"]))
        notice(
            "attention",
            f"Taking back {batch['file_name'] or batch['source']} removes what its {rows_new} added, "
            + " ".join(["and the undecided tasks that rest on it alone.", *map(reveal, repeats)]),
        )
        st.button("Take this import back", icon=":material/undo:", on_click=_undo, args=(batch["batch_id"],),
                  key=f"undo_{batch['batch_id']}")  # fmt: skip


def _offer_rejected(batch_id: str) -> None:
    rejected = state.lab().settings.home / "uploads" / f"rejected-{batch_id}.csv"
    if rejected.is_file():
        st.download_button("Download its rejected rows", rejected.read_bytes(), "rejected.csv", "text/csv",
                           icon=":material/download:", on_click="ignore", key=f"rejected_{batch_id}")  # fmt: skip


def _undo(batch_id: str) -> None:
    try:
        gone = undo(state.lab().store, batch_id, "dashboard")
    except LabError as error:
        state.say("error", str(error))
    else:
        state.wrote()
        state.say(
            "done",
            f"The import was taken back: {words.count(gone.interactions, 'interaction')}, {gone.feedback:,} feedback "
            f"and {words.count(gone.tasks, 'undecided task')} removed.",
        )
