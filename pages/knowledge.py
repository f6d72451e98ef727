"""Knowledge: what has been decided?"""

import streamlit as st

from feedback_lab import knowledge
from feedback_lab.records import EntryStatus
from feedback_lab.ui import entries, state, words
from feedback_lab.ui.widgets import empty_state, facts, heading

lab = state.lab()
known = knowledge.entries(lab.store, lab.files)
active = sum(entry.status == EntryStatus.ACTIVE for entry in known)
rules = knowledge.instructions(lab.files)
retired = len(known) - active
heading(
    "What has been decided?",
    f"{words.count(active, 'active entry', 'active entries')}"
    + (f" and {retired:,} retired" if retired else "")
    + f", {words.count(len(rules), 'instruction')}",
)
bar = st.container(horizontal=True, vertical_alignment="center")
view = bar.segmented_control(
    "View", ["Entries", "Instructions"], default="Entries", required=True, key="view", bind="query-params",
    label_visibility="collapsed",
)  # fmt: skip

if view == "Instructions":
    facts([("File", str(lab.files.instructions))], "file")
    entries.instruction_list(lab)
elif not known:
    empty_state(
        "menu_book",
        "No entry yet. A correction that a reviewer accepts becomes one, and the assistant can recall it.",
        "review",
        "Go to the queue",
    )
else:
    search = bar.text_input(
        "Search by meaning", key="q", bind="query-params", icon=":material/search:", width=420,
        placeholder="A question as a user would ask it", label_visibility="collapsed",
        on_change=entries.close_entry,
    )  # fmt: skip
    rows = entries.found(known, search or "")
    by_id = {entry.entry_id: entry for entry in known}
    chosen = by_id.get(st.query_params.get("entry", ""))
    if rows and (chosen is None or all(entry.entry_id != chosen.entry_id for entry, _ in rows)):
        chosen = rows[0][0]
    left, right = st.columns([1.6, 1], gap="medium")
    with left:
        if rows:
            entries.entry_table(rows, chosen.entry_id if chosen else None)
        else:
            st.caption("No active entry has a word in common with this question.")
    if chosen:
        with right, st.container(border=True, gap="small"):
            entries.entry_detail(lab, chosen)
    facts([("File", str(lab.files.knowledge))], "file")
