"""The entries of the knowledge file and the lines of the instructions file, as the Knowledge page shows them."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from feedback_lab import knowledge
from feedback_lab.published_text import reveal
from feedback_lab.recall import recall
from feedback_lab.records import Entry, EntryStatus
from feedback_lab.serving import Lab
from feedback_lab.ui import words
from feedback_lab.ui.widgets import facts, pick_list, plain, subheading

CELL_CHARACTERS = 300
MOST_HITS = 50
MOST_VERSIONS = 20


def found(entries: Sequence[Entry], search: str) -> list[tuple[Entry, float | None]]:
    """All entries, newest decision first; with a search the active ones by similarity, best first."""
    if search.strip():
        return [(hit.entry, hit.score) for hit in recall(entries, search, MOST_HITS) if hit.score > 0]
    return [(entry, None) for entry in sorted(entries, key=lambda entry: entry.decided_at, reverse=True)]


def entry_table(rows: Sequence[tuple[Entry, float | None]], chosen: str | None) -> None:
    """One row an entry; choosing a row opens it and puts it into the address."""
    ids = [entry.entry_id for entry, _ in rows]
    frame = pd.DataFrame(
        {
            "Question": [reveal(entry.question[:CELL_CHARACTERS]) for entry, _ in rows],
            "Answer": [reveal(entry.answer[:CELL_CHARACTERS]) for entry, _ in rows],
            "Version": [entry.version for entry, _ in rows],
            "Status": [str(entry.status) for entry, _ in rows],
            "Decided": [f"{reveal(entry.decided_by)}, {entry.decided_at[:10]}".strip(", ") for entry, _ in rows],
        }
    )
    if any(score is not None for _, score in rows):
        frame.insert(0, "Similar", [score for _, score in rows])
    pick_list(
        frame, "entries", ids, chosen, _open, height=min(38 + 34 * max(len(ids), 1), 640),
        columns={
            "Question": st.column_config.TextColumn(width=260),
            "Answer": st.column_config.TextColumn(width=280),
            "Similar": st.column_config.NumberColumn(format="%.2f", width=70),
            "Version": st.column_config.NumberColumn(width=65),
            "Status": st.column_config.TextColumn(width=75),
            "Decided": st.column_config.TextColumn(width=150),
        },
    )  # fmt: skip


def entry_detail(lab: Lab, entry: Entry) -> None:
    """One entry in full: question, answer, where it comes from, and its versions, newest first."""
    st.caption("Question")
    plain(entry.question, f"q_{entry.entry_id}", width="stretch")
    st.caption("Answer")
    plain(entry.answer, f"a_{entry.entry_id}", width="stretch")
    when = entry.decided_at[:16].replace("T", " ")
    facts([("decided by", entry.decided_by), ("on", when), ("id", entry.entry_id)], "entry")
    retired = "" if entry.status == EntryStatus.ACTIVE else " Retired: it is not recalled any more."
    st.caption(f"Version {entry.version}, from {words.count(len(entry.sources), 'feedback item')}.{retired}")
    versions = knowledge.versions(lab.store, entry.entry_id)
    if len(versions) > 1:
        subheading("Versions")
        for past in versions[::-1][:MOST_VERSIONS]:
            facts([("version", str(past.version)), ("by", past.decided_by), ("on", past.decided_at[:10])],
                  f"version_{past.version}")  # fmt: skip
            plain(past.answer, f"v_{entry.entry_id}_{past.version}", width="stretch")


def instruction_list(lab: Lab) -> None:
    """The managed lines of the instructions file."""
    lines = knowledge.instructions(lab.files)
    if not lines:
        st.caption("No instruction yet. A correction of behaviour, decided on the Review page, becomes one.")
    for number, line in enumerate(lines):
        with st.container(border=True):
            plain(line.text, f"instruction_{number}")


def close_entry() -> None:
    """Take the open entry out of the address: a new question opens its own best hit."""
    st.query_params.pop("entry", None)


def _open(entry_id: str) -> None:
    st.query_params["entry"] = entry_id
