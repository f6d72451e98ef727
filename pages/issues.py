"""Issues: what do people complain about?"""

import streamlit as st

from feedback_lab.ui import issue, state, words
from feedback_lab.ui.widgets import empty_state, heading, notice

store = state.lab().store
listing = state.cached("issues", (), lambda: issue.current_listing(store))
question = "What do people complain about?"

if listing.total_comments == 0:
    heading(question, "No negative comment yet")
    empty_state(
        "forum",
        "Negative comments come from files that hold a comment beside a thumb down or a low rating.",
        "upload",
        "Upload a file",
    )
    st.stop()

share = listing.unassigned / listing.total_comments
heading(
    question,
    f"{words.count(len(listing.issues), 'issue')} in {words.count(listing.total_comments, 'negative comment')}; "
    f"{listing.unassigned:,} ({words.percent(share)}) fit none",
)
with st.container(horizontal=True, vertical_alignment="bottom"):
    search = st.text_input(
        "Search issues", key="q", bind="query-params", icon=":material/search:", width=340,
        label_visibility="collapsed", placeholder="Search titles, keywords and quotes",
    )  # fmt: skip
    st.button("Group the comments anew", icon=":material/refresh:", on_click=issue.refresh,
              help="Issues that are still there keep their name.")  # fmt: skip

if not listing.issues:
    with st.container(border=True):
        st.markdown("The comments are not grouped yet. Grouping takes seconds for some thousands of them.")
        st.button("Group the comments", type="primary", icon=":material/bubble_chart:", on_click=issue.refresh)
    st.stop()

shown = issue.matching(listing.issues, search or "")
known = {one.issue_id: one for one in listing.issues}
wanted = st.query_params.get("issue")
if wanted and wanted not in known:
    notice("info", "The issue of this address is no longer in the list.")
chosen = known.get(wanted or "")
if shown and chosen not in shown:
    chosen = shown[0]
left, right = st.columns([1.25, 1], gap="medium")
with left:
    recent = state.cached("recent", (), lambda: issue.recent_counts(store, listing))
    issue.issue_table(shown, listing, recent, chosen.issue_id if chosen else None)
    if not shown:
        st.caption("No issue holds these words.")
with right, st.container(border=True):
    if chosen:
        issue.detail(store, chosen, listing.total_comments)
