"""Issues: what do people complain about?"""

import streamlit as st

from feedback_lab.ui import background, issue, issue_acts, issue_list, issue_refresh, jobs, loose_comments, state, words
from feedback_lab.ui.widgets import empty_state, heading, notice

store = state.lab().store
question = "What do people complain about?"
issue_refresh.take_result()
view = issue_list.view_of_address()
made = issue_list.current_listing(store, view.days)
listing = made.known

if listing.total_comments == 0 and view.days is None:
    heading(question, "No negative comment yet")
    empty_state(
        "forum",
        "Negative comments come from files that hold a comment beside a thumb down or a low rating.",
        "upload",
        "Upload a file",
    )
    st.stop()

heading(question, issue_list.sentence(listing))
background.say_how_old(made)
if listing.held_up:
    notice("attention", listing.held_up)
ungrouped = not listing.issues and not listing.silent
with st.container(horizontal=True, vertical_alignment="bottom"):
    if not ungrouped:
        issue_list.filters()
    issue_refresh.button(first=ungrouped)
    if not ungrouped:
        issue_acts.done_lately(store)

running = jobs.current(issue_refresh.JOB)
if running:
    jobs.job_panel(running, "steps", "issues")
issue_refresh.show_plan(listing)

if not listing.issues and not listing.silent:
    if not running:
        with st.container(border=True):
            st.markdown("The comments are not grouped yet. Grouping takes seconds for some thousands of them.")
    st.stop()

shown, silent = issue_list.matching(listing.issues, view), issue_list.matching(listing.silent, view)
if view.silent:
    shown += silent
wanted = issue_list.wanted(store, listing)
if wanted.gone:
    notice("info", wanted.gone)
chosen = wanted.issue or (shown[0] if shown else None)
issue_list.table(store, shown, listing, view, chosen.issue_id if chosen else None)
with st.container(horizontal=True, vertical_alignment="center"):
    st.caption(f"{words.count(len(shown), 'issue')} of {len(listing.issues) + len(listing.silent):,} shown")
    issue_list.offer_silent(silent, view)
    loose_comments.show(store, listing, view)
    issue_list.offer_export(store, shown, view)
if chosen:
    with st.container(border=True):
        issue.show(store, chosen, listing, view)
