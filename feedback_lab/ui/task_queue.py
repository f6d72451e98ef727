"""The list of open cases beside the one on the screen."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from feedback_lab.published_text import reveal
from feedback_lab.review import Task
from feedback_lab.ui import reviewing, state, words
from feedback_lab.ui.widgets import pick_list, table_height

LABELS_SQL = """
    SELECT t.task_id, left(coalesce(nullif(trim(i.input), ''), (
        SELECT max(f.comment) FROM task_feedback tf JOIN feedback f ON f.feedback_id = tf.feedback_id
        WHERE tf.task_id = t.task_id), ''), 200) AS label
    FROM task t LEFT JOIN interaction i ON i.interaction_id = t.anchor_interaction_id
    WHERE t.status <> 'done'
"""
SHOWN = 200


def queue_table(tasks: Sequence[Task], current: Task | None, name: str) -> None:
    """Open cases in the order in which this reviewer would get them; choosing a row takes that case."""
    labels = {row["task_id"]: row["label"] for row in state.lab().store.rows(LABELS_SQL)}
    rows = tasks[:SHOWN]
    ids = [task.task_id for task in rows]
    frame = pd.DataFrame(
        {
            "": [_mark(task, current, name) for task in rows],
            "Items": [len(task.feedback_ids) for task in rows],
            "Case": [words.first_line(reveal(labels.get(task.task_id, "")), 70) for task in rows],
        }
    )
    with st.container(key="list_queue"):
        pick_list(
            frame, "queue", ids, current.task_id if current else None, _take, height=table_height(len(rows), 600),
            columns={
                # Pinned columns keep their width: room that there is goes to the case.
                "": st.column_config.TextColumn(width=50, pinned=True),
                "Items": st.column_config.NumberColumn(width=45, format="compact", pinned=True),
                "Case": st.column_config.TextColumn(width=155),
            },
        )  # fmt: skip
    if len(tasks) > SHOWN:
        st.caption(f"The first {SHOWN} of {len(tasks):,}.")


def _mark(task: Task, current: Task | None, name: str) -> str:
    if current and task.task_id == current.task_id:
        return "here"
    if task.locked_by and task.locked_by != name:
        return "held"
    return "high" if task.priority == "high" else ""


def _take(task_id: str) -> None:
    reviewing.take(reviewing.reviewer() or "", task_id)
