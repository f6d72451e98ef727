"""Overview: is it getting better, and what do we fix first?"""

from datetime import date
from functools import partial

import streamlit as st

from feedback_lab.insights import periods, summary
from feedback_lab.ui import background, overview, state
from feedback_lab.ui.widgets import empty_state, heading, how_counted, subheading

lab = state.lab()
store = lab.store
latest = overview.latest_day(store)
if latest is None:
    heading("Is it getting better, and what do we fix first?", "Nobody has said anything yet")
    empty_state(
        "upload_file",
        "Bring in what users said about the answers of your assistant: a CSV, JSON, Parquet or Excel file with "
        "questions, answers, thumbs, ratings or comments, or another tool's export.",
        "upload",
        "Upload a file",
    )
    st.stop()

top, bar = st.container(gap="xxsmall"), st.container(horizontal=True, vertical_alignment="bottom")
with bar:
    days = st.segmented_control(
        "Last days", overview.PERIODS, default=overview.USUAL_DAYS, required=True, key="days", bind="query-params"
    )
    until: date = st.date_input("Ending", value=overview.last_day(latest), key="until", bind="query-params", width=150)
    by = st.selectbox(
        "Split by", periods.segments(store), index=None, placeholder="Not split", key="by", bind="query-params",
        width=200,
    )  # fmt: skip

period = periods.last_days(days or overview.USUAL_DAYS, until)
with top:
    made = overview.current_numbers(store, period)
    found = made.known
    heading(
        "Is it getting better, and what do we fix first?",
        overview.sentence(found.insights.headline.comparison, period.days),
    )
    st.caption(" ".join([f"{period.since:%d %b %Y} to {period.until:%d %b %Y}, UTC.", *found.insights.notes]))
    background.say_how_old(made)
overview.cards(found)
with st.container(border=True):
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        subheading("Positive rate over time")
        how_counted(summary.HOW_COUNTED[name] for name in overview.COUNTED)
    whole = found.insights.headline.over_time
    frame = state.cached("split", (period, by), partial(overview.split, store, period, by)) if by else whole
    overview.chart(found, frame, period, by)
left, right = st.columns(2, gap="small")
with left, st.container(border=True):
    subheading("Fix first")
    similarity = lab.settings.touch_similarity
    wins = background.figures("wins", (period,), lambda: summary.wins(store, period, similarity))
    overview.fix_first(found.insights.issues, wins)
with right, st.container(border=True):
    subheading("What users would have answered")
    overview.corrections(found.insights.user_corrections)
