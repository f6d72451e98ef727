"""A case on the Review page: the conversation with its flagged turn, what users said about it, and the decision."""

from __future__ import annotations

import streamlit as st

from feedback_lab.records import CorrectionType, Feedback, Interaction, Kind, Outcome, Polarity
from feedback_lab.review import Case, Task
from feedback_lab.triggers import UPDATE_KNOWLEDGE
from feedback_lab.ui import reviewing, state, words
from feedback_lab.ui.widgets import facts, plain

TURNS_BEFORE, TURNS_AFTER = 1, 1  # shown around the flagged one; the rest when asked
SHOWN_RELATED = 8

# outcome -> label, key, icon; the two that write come first
BUTTONS = {
    Outcome.ACCEPT: ("Accept user's answer", "a", "check"),
    Outcome.EDIT: ("Publish my version", "e", "edit"),
    Outcome.REJECT: ("Reject suggestion", "x", "close"),
    Outcome.DECLINE: ("Decline", "d", "do_not_disturb_on"),
    Outcome.NEEDS_EXPERT: ("Needs an expert", "n", "school"),
    Outcome.PRODUCT_BUG: ("Product bug", "b", "bug_report"),
    Outcome.NOT_THE_AIS_FAULT: ("Not the AI's fault", "o", "sentiment_neutral"),
    Outcome.CANNOT_TELL: ("Cannot tell", "t", "question_mark"),
}


def conversation(case: Case) -> None:
    """The session in order, the flagged turn marked, then what its user said and what others said in similar cases."""
    flagged = case.flagged
    place = case.turns.index(flagged) if flagged else 0
    start, end = max(0, place - TURNS_BEFORE), place + 1 + TURNS_AFTER
    shown = case.turns[start:end]
    if flagged:
        facts(
            [("session", flagged.session_id), ("model", flagged.model), ("prompt", flagged.prompt_version)]
            + [(name, str(value)) for name, value in flagged.tags.items()],
            "flagged",
        )
    if len(shown) < len(case.turns) and st.toggle(
        f"Show all {len(case.turns)} turns", key=f"turns_{case.task.task_id}"
    ):
        shown = case.turns
    for turn in shown:
        _turn(turn, turn.interaction_id == case.flagged_id)
        if turn.interaction_id == case.flagged_id:
            for given in case.feedback:
                _feedback(given)
    _related(case)


def decision(case: Case, task: Task) -> None:
    """Why the case is here, the text that would be published, and one button an outcome."""
    token = task.lease_token or ""
    st.caption(f"Why, priority {task.priority}. Suggested: {task.suggested_action}.")
    st.text(task.reason)
    _proposals(case)
    _fields(case, task)
    st.caption(_consequence(task))
    with st.grid(2, min_column_width=130, gap="xsmall"):
        for outcome, (label, shortcut, icon) in BUTTONS.items():
            st.button(
                label, key=f"{outcome}_{task.task_id}", shortcut=shortcut, icon=f":material/{icon}:", width="stretch",
                type="primary" if outcome is _default(case) else "secondary",
                disabled=outcome is Outcome.ACCEPT and not case.suggestions, help=_hint(outcome, case),
                on_click=reviewing.decide, args=(task.task_id, token, outcome),
            )  # fmt: skip
        st.button("Skip", key=f"skip_{task.task_id}", shortcut="s", icon=":material/skip_next:", width="stretch",
                  on_click=reviewing.skip, args=(task.task_id,))  # fmt: skip
        st.button("Undo last decision", key="undo", shortcut="u", icon=":material/undo:", width="stretch",
                  on_click=reviewing.undo)  # fmt: skip


def _turn(turn: Interaction, is_flagged: bool) -> None:
    with st.container(border=is_flagged, gap="xsmall"):
        if is_flagged:
            st.badge("Flagged turn", icon=":material/flag:", color="orange")
        st.caption(f"User · {words.day(turn.created_at)}")
        plain(turn.input, f"in_{turn.interaction_id}")
        st.caption("Assistant")
        plain(turn.output, f"out_{turn.interaction_id}")


def _feedback(given: Feedback) -> None:
    with st.container(gap="xxsmall"):
        if given.kind in tuple(Kind):
            st.caption(f"{_opinion(given)} · {words.ago(given.created_at)}")
        else:
            facts([("Signal", given.kind), ("seen", words.ago(given.created_at))], f"signal_{given.feedback_id}")
        if given.comment:
            plain(given.comment, f"said_{given.feedback_id}")
        if given.suggested_answer:
            st.caption("Their better answer")
            plain(given.suggested_answer, f"sugg_{given.feedback_id}")


def _opinion(given: Feedback) -> str:
    """The thumb or rating with its sign; what has neither is named by its kind."""
    icons = {Polarity.POSITIVE: ":green[:material/thumb_up:]", Polarity.NEGATIVE: ":red[:material/thumb_down:]"}
    icon = icons.get(given.polarity or Polarity.NEUTRAL, ":gray[:material/chat:]")
    if given.kind == Kind.RATING and given.value is not None and given.scale_max is not None:
        return f"{icon} Rated {given.value:g} of {given.scale_max:g}"
    if given.kind == Kind.THUMB:
        return f"{icon} Thumbs {'up' if given.polarity is Polarity.POSITIVE else 'down'}"
    return f"{icon} {given.kind.capitalize()}"


def _related(case: Case) -> None:
    if not case.related:
        return
    with st.expander(f"Related feedback ({len(case.related):,})", expanded=True, type="compact"):
        for item in case.related[:SHOWN_RELATED]:
            plain(item.input, f"rel_in_{item.feedback.feedback_id}")
            _feedback(item.feedback)
        if len(case.related) > SHOWN_RELATED:
            st.caption(f"{len(case.related) - SHOWN_RELATED:,} more in this pattern.")


def _proposals(case: Case) -> None:
    if case.suggestions:
        st.caption("A user proposes")
        feedback_id, text = case.suggestions[0]
        plain(text, f"prop_{feedback_id}", width="stretch")
        if len(case.suggestions) > 1:
            with st.expander(f"{words.count(len(case.suggestions) - 1, 'more proposal')}", type="compact"):
                for feedback_id, text in case.suggestions[1:SHOWN_RELATED]:
                    plain(text, f"prop_{feedback_id}", width="stretch")


def _fields(case: Case, task: Task) -> None:
    flagged, one = case.flagged, task.task_id
    kind = CorrectionType.KNOWLEDGE if task.suggested_action == UPDATE_KNOWLEDGE else CorrectionType.BEHAVIOR
    key, start = _draft(f"type_{one}", str(kind))
    goes_to = st.segmented_control(
        "Goes to", [str(item) for item in CorrectionType], default=start, required=True, key=key, on_change=_keep,
        args=(key,), label_visibility="collapsed",
        format_func=lambda item: "Knowledge file" if item == CorrectionType.KNOWLEDGE else "Instructions file",
    )  # fmt: skip
    if goes_to == CorrectionType.KNOWLEDGE:
        key, start = _draft(f"question_{one}", (flagged.input or "") if flagged else "")
        st.text_input("Question it answers", value=start, key=key, on_change=_keep, args=(key,))
    key, start = _draft(f"text_{one}", case.suggestions[0][1] if case.suggestions else "")
    st.text_area(
        "Your version", value=start, height=92, key=key, on_change=_keep, args=(key,),
        placeholder="The better answer, or how the assistant should behave",
    )  # fmt: skip
    key, start = _draft(f"reason_{one}", "")
    st.text_input(
        "Reason", value=start, key=key, on_change=_keep, args=(key,), label_visibility="collapsed",
        placeholder="Your reason, if it helps others",
    )  # fmt: skip


def _draft(key: str, initial: str) -> tuple[str, str]:
    """The key of a field and what it starts with: what was written in it before, or `initial`.

    Streamlit forgets a field that left the page. The start must not change while the field is on the page.
    """
    if key not in st.session_state:
        st.session_state[f"start_{key}"] = st.session_state.get("drafts", {}).get(key, initial)
    return key, st.session_state[f"start_{key}"]


def _keep(key: str) -> None:
    st.session_state.setdefault("drafts", {})[key] = st.session_state[key]


def _hint(outcome: Outcome, case: Case) -> str | None:
    nothing_proposed = outcome is Outcome.ACCEPT and not case.suggestions
    return "No user proposed an answer here: write your own version." if nothing_proposed else None


def _default(case: Case) -> Outcome:
    return Outcome.ACCEPT if case.suggestions else Outcome.EDIT


def _consequence(task: Task) -> str:
    """What the decision will do, said before it is taken."""
    kind = st.session_state.get(f"type_{task.task_id}")
    path = state.lab().files.instructions if kind == CorrectionType.BEHAVIOR else state.lab().files.knowledge
    closes = f"Any decision closes {words.count(len(task.feedback_ids), 'feedback item')}"
    what = "a line" if kind == CorrectionType.BEHAVIOR else "an entry"
    return f"{closes}. Accept and publish write {what} to `{path.name}`."
