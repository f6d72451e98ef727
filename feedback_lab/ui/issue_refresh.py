"""Grouping the comments anew: worked out in the background, shown before anything changes, applied on one's word."""

from __future__ import annotations

import streamlit as st

from feedback_lab.errors import LabError
from feedback_lab.issues import refreshing, tracking
from feedback_lab.issues.identity import Change
from feedback_lab.issues.listing import IssueList
from feedback_lab.issues.refreshing import RefreshPlan
from feedback_lab.jobs import JobHandle, State
from feedback_lab.published_text import reveal
from feedback_lab.ui import jobs, reviewing, state, words
from feedback_lab.ui.widgets import facts, subheading

JOB = "issues"
PLAN = "refresh_plan"
MOST_LINES = 8
KINDS = {
    "new": "New", "grown": "Grown", "shrunk": "Shrunk", "split": "Split", "merged": "Merged", "gone": "Gone",
}  # fmt: skip


def button(*, first: bool) -> None:
    """Group for the first time; later look what grouping again would change, the usual way or from nothing."""
    busy = jobs.current(JOB) is not None
    if first:
        st.button("Group the comments", type="primary", icon=":material/bubble_chart:", on_click=_group, disabled=busy)
        return
    with st.popover("Refresh", icon=":material/refresh:"):
        st.caption("You see what would change before anything does. What people named, moved or locked stays.")
        st.button("Take in what came since", on_click=_plan, disabled=busy, icon=":material/refresh:",
                  help="Issues keep their comments; new comments are learned from.")  # fmt: skip
        st.button("Group everything from nothing", on_click=_plan, kwargs={"cold": True}, disabled=busy,
                  icon=":material/bubble_chart:",
                  help="Comments may move between issues. Issues that are still there keep name and id.")  # fmt: skip


def take_result() -> None:
    """What the job left, if it has ended."""
    job = jobs.take(JOB)
    if job is None:
        return
    if job.state is State.FAILED:
        state.say("error", str(job.error))
    elif job.state is State.CANCELLED:
        state.say("info", "Stopped. Nothing was changed.")
    elif not isinstance(job.result, RefreshPlan):
        state.wrote()
    else:
        if job.result.unchanged:
            state.say("info", "Nothing came since the last refresh, so nothing would change.")
        else:
            st.session_state[PLAN] = job.result


def show_plan(listing: IssueList) -> None:
    """What the refresh would change, with the two ways on."""
    plan: RefreshPlan | None = st.session_state.get(PLAN)
    if plan is None:
        return
    with st.container(border=True):
        subheading("This would change")
        st.markdown(
            f"Of {words.count(plan.total_comments, 'negative comment')}, {plan.changes.moved:,} would change their "
            f"issue; {words.count(plan.changes.kept, 'issue')} would stay. In no issue: {plan.unassigned_before:,} "
            f"before, {plan.unassigned_after:,} after, {plan.low_information:,} of which say nothing."
        )
        _compared_by(plan)
        changes = {label: getattr(plan.changes, name) for name, label in KINDS.items()}
        titles = {one.issue_id: one.title for one in listing.issues}
        titles |= {one.issue_id: one.title for some in changes.values() for one in some}
        for label, some in changes.items():
            _lines(label, some, titles)
        with st.container(horizontal=True):
            st.button("Apply", type="primary", icon=":material/check:", on_click=_apply)
            st.button("Leave it as it is", on_click=lambda: st.session_state.pop(PLAN, None))


def _compared_by(plan: RefreshPlan) -> None:
    """Which embedding model helped, where one did; and how a change of it shows best."""
    if plan.embedding_model:
        st.text(f"Compared by words and by the vectors of {reveal(plan.embedding_model)}.")
    if plan.other_model and not plan.cold:
        st.caption("The issues were made with other vectors, or none. Grouping everything from nothing makes new ones.")


def _lines(label: str, changes: tuple[Change, ...], titles: dict[str, str]) -> None:
    if not changes:
        return
    ordered = sorted(changes, key=lambda one: -abs(one.after - one.before))
    lines = [f"{reveal(one.title)}  {one.before:,} → {one.after:,}" + _others(one, titles) for one in ordered]
    facts([(f"{label} {len(changes):,}", " ")], f"refresh_{label}")
    st.text("\n".join(lines[:MOST_LINES]))
    if len(lines) > MOST_LINES:
        with st.expander(f"{len(lines) - MOST_LINES:,} more", type="compact"):
            st.text("\n".join(lines[MOST_LINES:]))


def _others(one: Change, titles: dict[str, str]) -> str:
    known = [reveal(words.first_line(titles[other], 60)) for other in one.others if other in titles]
    return f"  ({', '.join(known)})" if known else ""


def _group() -> None:
    """There is nothing yet that could change, so nothing is asked."""
    lab, actor = state.lab(), reviewing.reviewer() or "dashboard"

    def work(handle: JobHandle) -> IssueList:
        refreshing.refresh(lab.store, actor=actor, embedding_model=lab.settings.embedding, progress=handle.progress)
        return tracking.listing(lab.store)

    jobs.start(JOB, "Grouping of the comments", work)
    take_result()


def _plan(*, cold: bool = False) -> None:
    lab = state.lab()
    st.session_state.pop(PLAN, None)

    def work(handle: JobHandle) -> RefreshPlan:
        return refreshing.plan_refresh(
            lab.store, cold=cold, embedding_model=lab.settings.embedding, progress=handle.progress
        )

    jobs.start(JOB, "What a refresh of the issues would change", work)
    take_result()


def _apply() -> None:
    plan: RefreshPlan | None = st.session_state.pop(PLAN, None)
    if plan is None:
        return
    try:
        refreshing.apply_refresh(state.lab().store, plan, reviewing.reviewer() or "dashboard")
    except LabError as error:
        state.say("error", str(error))
    else:
        state.wrote()
        state.say("done", f"The issues are refreshed: {words.count(plan.changes.moved, 'comment')} moved.")
