"""The mapping on the Upload page: which column is which field, what words mean, what holds for the whole file."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from feedback_lab.ingest.meaning import values
from feedback_lab.ingest.meaning.text_columns import text_of
from feedback_lab.ingest.planning.mapping import complete_plan
from feedback_lab.ingest.planning.meanings import said_of_dates
from feedback_lab.ingest.planning.plan import DATE_ORDERS, TAG, Plan
from feedback_lab.published_text import reveal
from feedback_lab.records import Polarity
from feedback_lab.ui import words
from feedback_lab.ui.uploading import Upload

GROUPS = {
    "What was asked and answered": ("input", "output", "comment", "suggested_answer"),
    "What people thought of it": ("value", "polarity", "kind", "user"),
    "When and by which model": ("created_at", "model", "prompt_version", "session_id"),
}
RARE = ("interaction_id", "feedback_id", "turn", "role", "content", "rated_at", "rater", "population", "scale")
LABELS = {
    "input": "Question", "output": "Answer", "comment": "Comment", "suggested_answer": "Better answer", "user": "User",
    "value": "Thumb or rating", "polarity": "Positive or negative", "kind": "Kind of feedback", "created_at": "Time",
    "model": "Model", "prompt_version": "Prompt version", "session_id": "Session", "interaction_id": "Interaction id",
    "feedback_id": "Feedback id", "turn": "Turn", "role": "Role (one message a row)", "content": "Message",
    "rated_at": "Time of the feedback", "rater": "Rater", "population": "Who speaks", "scale": "Scale of the rating",
}  # fmt: skip
ORDER_LABELS = {"day-month": "5 June (day first)", "month-day": "6 May (month first)"}
MOST_WORDS = 30


def plan_form(upload: Upload) -> Plan:
    """The selectors, filled with what was recognised or saved; the plan as they stand now."""
    if upload.tool:
        return _whole_file(upload, upload.tool.plan)
    start = upload.saved[1] if upload.saved else upload.suggestion.plan
    columns: dict[str, str] = {}
    for group, fields in GROUPS.items():
        st.caption(group)
        columns |= _selectors(upload, fields, start)
    rare = any(name in start.columns for name in RARE) or bool(start.further)
    with st.expander("Ids, turns, one message a row, second ratings, tags", expanded=rare, type="compact"):
        columns |= _selectors(upload, RARE, start)
        columns |= _further(upload, set(columns.values()), start)
        columns |= _tags(upload, set(columns.values()), start)
    known = {name: raw for name, raw in start.values.items() if start.columns.get(name) == columns.get(name)}
    constants = {name: text for name, text in start.constants.items() if name not in columns}
    plan = _whole_file(upload, replace(start, columns=columns, values=known, constants=constants))
    habits, _ = complete_plan(plan, upload.header, upload.sample, only_exact=True)
    plan = replace(habits, columns=columns, values=dict(habits.values) | _meanings(upload, plan))
    return replace(plan, scale=_scale(upload, plan), date_order=_date_order(upload, plan))


def holds_an_opinion(plan: Plan) -> bool:
    """Whether anything in the file can make a verdict."""
    return bool({"value", "polarity", "kind", "suggested_answer"} & (plan.columns.keys() | plan.constants.keys()))


def reasons(upload: Upload) -> list[str]:
    """Why each column was recognised; holds column names."""
    if upload.tool:
        return [words.without_options(said) for said in upload.tool.said]
    clear = [guess for guess in upload.suggestion.guesses if guess.clear]
    return [f"{_label(guess.field)} is {guess.column!r}: {guess.reason}" for guess in clear]


def left_open(upload: Upload, plan: Plan) -> list[str]:
    """What may be in the file and is not read, because only a human can tell; holds column names."""
    maybe = [
        f"{_label(guess.field)} may be {guess.column!r} ({guess.reason}): choose it if so."
        for guess in upload.suggestion.guesses
        if not guess.clear and guess.field not in plan.columns and guess.column not in plan.columns.values()
    ]
    for name, columns in upload.suggestion.unclear.items():
        if name not in plan.columns:
            maybe.append(f"{_label(name)} may be {' or '.join(map(repr, columns))}: choose one.")
    return maybe


def _label(name: str) -> str:
    base, colon, own = name.partition(":")
    return LABELS.get(name) or (f"{LABELS.get(base, base.capitalize())} {own!r}" if colon else name)


def _selectors(upload: Upload, fields: tuple[str, ...], start: Plan) -> dict[str, str]:
    chosen: dict[str, str] = {}
    with st.grid(4, min_column_width=200, gap="small"):
        for name in fields:
            taken = start.columns.get(name)
            column = st.selectbox(
                LABELS[name], upload.header, index=upload.header.index(taken) if taken in upload.header else None,
                placeholder="Not in the file", key=f"map_{name}_{upload.reading}", format_func=reveal,
            )  # fmt: skip
            if column is not None:
                chosen[name] = column
    return chosen


def _further(upload: Upload, used: set[str], start: Plan) -> dict[str, str]:
    suggested = {start.columns[f"value:{name}"]: name for name in start.further}
    chosen = st.multiselect(
        "Further thumbs or ratings of the same row", [name for name in upload.header if name not in used],
        key=f"further_{upload.reading}", default=[name for name in suggested if name not in used], format_func=reveal,
    )  # fmt: skip
    return {f"value:{suggested.get(column, column)}": column for column in chosen}


def _tags(upload: Upload, used: set[str], start: Plan) -> dict[str, str]:
    suggested = {column: name for name, column in start.columns.items() if name.startswith(TAG)}
    chosen = st.multiselect(
        "Tags to split by", [name for name in upload.header if name not in used], key=f"tags_{upload.reading}",
        default=[name for name in suggested if name not in used], format_func=reveal,
    )  # fmt: skip
    return {suggested.get(column, TAG + column): column for column in chosen}


def _whole_file(upload: Upload, plan: Plan) -> Plan:
    """The plan with what holds for every row: constants, zone, source."""
    constants = dict(plan.constants)
    with st.expander("What holds for the whole file", type="compact"):
        with st.grid(4, min_column_width=200, gap="small", vertical_alignment="bottom"):
            for name in ("model", "prompt_version"):
                if name not in plan.columns:
                    given = st.text_input(LABELS[name], constants.get(name, ""), key=f"set_{name}_{upload.reading}")
                    constants = {**constants, name: given} if given else _without(constants, name)
            if "polarity" not in plan.columns:
                choices = [str(one) for one in Polarity]
                before = constants.get("polarity")
                polarity = st.selectbox(
                    "All feedback is", choices, index=choices.index(before) if before in choices else None,
                    key=f"set_polarity_{upload.reading}", placeholder="As the rows say",
                )  # fmt: skip
                constants = {**constants, "polarity": polarity} if polarity else _without(constants, "polarity")
            zone = st.text_input(
                "Time zone of times without one", plan.timezone or "", key=f"zone_{upload.reading}", placeholder="UTC"
            )
            source = st.text_input("Name of the source", plan.source, key=f"source_{upload.reading}")
        complete = st.checkbox(
            "It holds answers without feedback too, so a response rate can be counted", value=plan.complete,
            key=f"complete_{upload.reading}",
        )  # fmt: skip
    return replace(plan, constants=constants, timezone=zone or None, source=source or "import", complete=complete)


def _without(constants: dict[str, str], name: str) -> dict[str, str]:
    return {known: text for known, text in constants.items() if known != name}


def _meanings(upload: Upload, plan: Plan) -> dict[str, dict[str, str]]:
    """What words of the file mean, where they are not known: asked for one by one."""
    if "polarity" not in plan.columns:
        return {}
    column, known = plan.columns["polarity"], dict(plan.values.get("polarity", {}))
    cells = {text_of(row.get(column)).strip() for row in upload.sample}
    unknown = [cell for cell in sorted(cells) if cell and values.word_of(cell) not in values.POLARITIES][:MOST_WORDS]
    if not unknown:
        return {}
    st.caption("What these words mean; rows with a word that means nothing are rejected")
    choices = [str(one) for one in Polarity]
    with st.grid(4, min_column_width=200, gap="small"):
        for number, word in enumerate(unknown):
            with st.container(gap="xxsmall"):
                st.text(words.first_line(reveal(word), 60))
                meaning = st.selectbox(
                    "Meaning", choices, index=choices.index(known[word]) if known.get(word) in choices else None,
                    placeholder="Means nothing", key=f"word_{number}_{column}_{upload.reading}",
                    label_visibility="collapsed",
                )  # fmt: skip
            known = {**known, word: meaning} if meaning else _without(known, word)
    return {"polarity": known} if known else {}


def _scale(upload: Upload, plan: Plan) -> tuple[float, float] | None:
    """The scale of the ratings, as recognised and open to correction; none for thumbs."""
    if "value" not in plan.columns:
        return None
    key = f"{plan.columns['value']}_{upload.reading}"
    if not st.checkbox("The values are ratings on a scale", value=plan.scale is not None, key=f"rated_{key}"):
        return None
    low, high = plan.scale or (1.0, 5.0)
    with st.container(horizontal=True):
        lo = st.number_input("Lowest", value=low, key=f"lo_{key}", width=120)
        hi = st.number_input("Highest", value=high, key=f"hi_{key}", width=120)
    return float(lo), float(hi)


def _date_order(upload: Upload, plan: Plan) -> str | None:
    """Which of two numbers is the day, asked where dates of the file may be read both ways."""
    if not said_of_dates(replace(plan, date_order=None), upload.sample):
        return None
    return st.segmented_control(
        "05/06 in this file is", list(DATE_ORDERS), default=plan.date_order, format_func=ORDER_LABELS.__getitem__,
        key=f"order_{upload.reading}", help="Rows whose date may be read both ways are rejected until this is said.",
    )  # fmt: skip
