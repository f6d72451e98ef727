"""One reviewer's session: who they are, the case they hold, and what each button does.

Every button carries the task id and the lease token of the case that was on the screen when it was pressed;
the server compares both, so a press that comes late decides nothing it was not meant for. Where this session took
the same case up again meanwhile, its newer token counts.

A browser is known by its session cookie while the server runs, so that a reload neither asks for the name again nor
leaves the case behind. That is a convenience, not a login.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta

import streamlit as st

from feedback_lab import knowledge, review
from feedback_lab.errors import LabError
from feedback_lab.records import CorrectionType, Outcome, TaskStatus, utc_now
from feedback_lab.review import Answer, Task
from feedback_lab.ui import state, words
from feedback_lab.ui.headers import BROWSER_COOKIE

WRITES = (Outcome.ACCEPT, Outcome.EDIT)

# hash of a browser's cookie -> the name given in it, and the case it held last
_browsers: dict[str, tuple[str, str | None]] = {}


def reviewer() -> str | None:
    """The name given in this browser. It is never read from the address: a link must not make anyone someone else."""
    name: str | None = st.session_state.get("reviewer") or _browsers.get(_browser(), (None, None))[0]
    return name


def ask_name(label: str = "Start reviewing") -> None:
    """The one question before the first case, or the first act on an issue."""
    with st.form("who", width=460):
        st.text_input("Your name", key="name_given", max_chars=80, placeholder="It stands beside what you decide")
        st.form_submit_button(label, type="primary", on_click=_keep_name)


def _keep_name() -> None:
    name = " ".join(str(st.session_state.get("name_given", "")).split())
    if name:
        st.session_state["reviewer"] = name
        _remember(name, None)
    else:
        state.say("attention", "Write your name first: it stands beside every decision.")


def held(name: str) -> Task | None:
    """The case this reviewer holds, taking the best open one where there is none; None when nothing is open."""
    task: Task | None = st.session_state.get("held")
    if task is None:
        return take(name, _left_behind(name))
    if task.lease_expires_at and task.lease_expires_at - utc_now() >= timedelta(minutes=5):
        return task
    # A lease that ran out is taken up again; what another browser took over by this name is left to it.
    free = review.find(state.lab().store, task.task_id).status is TaskStatus.OPEN
    return take(name, task.task_id if free else None)


def take(name: str, task_id: str | None = None) -> Task | None:
    """Claim a case (that one, or the best) and keep it as the one on the screen; an error becomes a message."""
    lab = state.lab()
    try:
        before: Task | None = st.session_state.get("held")
        if before and task_id and before.task_id != task_id and before.lease_token:
            review.release(lab.store, before.task_id, name, before.lease_token)
        found = review.claim(
            lab.store,
            name,
            task_id=task_id,
            tokens=[before.lease_token] if before and before.lease_token else (),
            lease_minutes=lab.settings.lease_minutes,
        )
    except LabError as error:
        state.say("error", str(error))
        st.session_state.pop("held", None)
        return None
    st.session_state["held"] = found[0] if found else None
    _remember(name, found[0].task_id if found else None)
    return found[0] if found else None


def decide(task_id: str, token: str, outcome: Outcome) -> None:
    """Button: decide the case with what stands in its fields, publish, and take the next one."""
    name, fields = reviewer() or "", st.session_state
    writes = outcome in WRITES
    answer = Answer(
        outcome=outcome,
        text=(fields.get(f"text_{task_id}") or None) if outcome is Outcome.EDIT else None,
        correction_type=CorrectionType(fields.get(f"type_{task_id}") or CorrectionType.KNOWLEDGE),
        question=(fields.get(f"question_{task_id}") or None) if writes else None,
        reason=fields.get(f"reason_{task_id}") or None,
    )
    lab, mine = state.lab(), fields.get("held")
    if mine is not None and mine.task_id == task_id:
        token = mine.lease_token or token  # this session took the case up again after the button was drawn
    try:
        decided = knowledge.decide(lab.store, lab.files, task_id, name, token, answer)
    except LabError as error:
        if fields.get("decided") == task_id:
            state.say("info", "That case was decided by the first press; the second one changed nothing.")
        else:
            state.say("error", str(error))
        _leave_if_lost(task_id, name)
        return
    fields["decided"] = task_id
    closed = f"{words.count(decided.closed, 'feedback item')} closed"
    state.say("done", f"{_what_was_done(outcome, answer.correction_type)} {closed}.")
    _next(name)


def skip(task_id: str) -> None:
    """Button: put the case behind the others for this reviewer."""
    name = reviewer() or ""
    try:
        review.skip(state.lab().store, task_id, name)
    except LabError as error:
        state.say("error", str(error))
        _leave_if_lost(task_id, name)
        return
    _next(name)


def undo() -> None:
    """Button: take this reviewer's last decision back and show its case again."""
    name, lab = reviewer() or "", state.lab()
    try:
        undone = knowledge.undo(lab.store, lab.files, name)
    except LabError as error:
        state.say("error", str(error))
        return
    st.session_state.pop("decided", None)
    state.say("done", f"Undone: {words.first_line(OUTCOME_WORDS[Outcome(undone.outcome)])}. The case is open again.")
    take(name, undone.task_id)


def _browser() -> str:
    """What tells this browser from others, or nothing where it sent no cookie."""
    cookie = st.context.cookies.get(BROWSER_COOKIE)
    # Where the page runs without a browser (AppTest), the context answers with something else than text.
    return hashlib.sha256(cookie.encode()).hexdigest() if isinstance(cookie, str) else ""


def _remember(name: str, task_id: str | None) -> None:
    if browser := _browser():
        _browsers[browser] = (name, task_id)


def _left_behind(name: str) -> str | None:
    """The case that this browser held before its page was loaded anew, where it is still held in this name."""
    before, task_id = _browsers.get(_browser(), (None, None))
    if before != name or task_id is None:
        return None
    mine = [task for task in review.tasks(state.lab().store, (TaskStatus.CLAIMED,)) if task.locked_by == name]
    return task_id if task_id in {task.task_id for task in mine} else None


def _leave_if_lost(task_id: str, name: str) -> None:
    """Let go of a case that was decided or taken elsewhere meanwhile, so that the next run shows another."""
    if review.find(state.lab().store, task_id).locked_by != name:
        st.session_state.pop("held", None)


def _next(name: str) -> None:
    st.session_state.pop("held", None)
    take(name)


OUTCOME_WORDS = {
    Outcome.ACCEPT: "The user's answer is accepted",
    Outcome.EDIT: "Your version is accepted",
    Outcome.REJECT: "The suggestion is rejected",
    Outcome.DECLINE: "Declined as not worth handling",
    Outcome.NEEDS_EXPERT: "Handed to an expert",
    Outcome.PRODUCT_BUG: "Noted as a bug of the product",
    Outcome.NOT_THE_AIS_FAULT: "Noted as not the AI's fault",
    Outcome.CANNOT_TELL: "Noted as undecidable",
}


def _what_was_done(outcome: Outcome, correction_type: CorrectionType) -> str:
    files = state.lab().files
    if outcome not in WRITES:
        return f"{OUTCOME_WORDS[outcome]}. Nothing was written."
    path = files.knowledge if correction_type is CorrectionType.KNOWLEDGE else files.instructions
    return f"{OUTCOME_WORDS[outcome]} and stands in {path.name}."
