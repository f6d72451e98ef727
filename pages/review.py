"""Review: what needs a human now?"""

from datetime import timedelta

import streamlit as st

from feedback_lab import review
from feedback_lab.records import TaskStatus, utc_now
from feedback_lab.ui import reviewing, state, words
from feedback_lab.ui.case import conversation, decision
from feedback_lab.ui.rules import rules_panel
from feedback_lab.ui.task_queue import queue_table
from feedback_lab.ui.widgets import empty_state, facts, heading

PANEL_HEIGHT = 740  # px: the three panels of a usual case fit a 1440 x 900 window

lab = state.lab()
name = reviewing.reviewer()
waiting = review.tasks(lab.store, reviewer=name)
ready = [task for task in waiting if task.status is not TaskStatus.WAITING]
midnight = utc_now().replace(hour=0, minute=0, second=0, microsecond=0)
done = review.decided_since(lab.store, midnight)
later = len(waiting) - len(ready)
heading(
    "What needs a human now?",
    f"{words.count(len(ready), 'case')} open, {done:,} decided today"
    + (f", {later:,} waiting for a day with room" if later else ""),
)

if not ready:
    if lab.store.scalar("SELECT count(*) FROM feedback") == 0:
        empty_state("inbox", "There is no feedback yet. Bring logs in first.", "upload", "Upload a file")
    else:
        with st.container(border=True):
            rules_panel("queue")
        if name:
            st.button("Undo last decision", key="undo_empty", shortcut="u", on_click=reviewing.undo)
elif not name:
    reviewing.ask_name()
else:
    wanted = st.query_params.get("task")
    if wanted and wanted != st.session_state.get("opened_by_address"):
        st.session_state["opened_by_address"] = wanted
        reviewing.take(name, wanted)
    task = reviewing.held(name)
    left, middle, right = st.columns([1.1, 2.2, 1.7], gap="medium")
    with left:
        queue_table(ready, task, name)
        with st.popover("Rules", icon=":material/rule:", type="tertiary"):
            rules_panel("more")
    if task is None:
        middle.markdown("All open cases are held by others. They come back when their lease ends.")
    else:
        case = review.case(lab.store, task.task_id)
        with middle, st.container(height=PANEL_HEIGHT, border=True, key="panel_conversation"):
            conversation(case)
        with right, st.container(height=PANEL_HEIGHT, border=True, gap="xsmall", key="panel_decision"):
            decision(case, task)
        if task.lease_expires_at:
            minutes = max(0, (task.lease_expires_at - utc_now()) // timedelta(minutes=1))
            with left:
                facts([(name, f"holds this case for {minutes} min")], "holder")
