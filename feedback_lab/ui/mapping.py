"""The mapping on the Upload page: which column is which field, what words mean, what holds for the whole file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import streamlit as st

from feedback_lab.ingest.formats import Recognised
from feedback_lab.ingest.meaning import values
from feedback_lab.ingest.meaning.profile import is_rating, profile_of
from feedback_lab.ingest.meaning.text_columns import text_of
from feedback_lab.ingest.planning.mapping import complete_plan
from feedback_lab.ingest.planning.meanings import said_of_dates
from feedback_lab.ingest.planning.plan import DATE_ORDERS, TAG, Plan
from feedback_lab.published_text import reveal
from feedback_lab.records import Polarity, Population
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
# What a human may say that a word of the file means, by field; and what needs no such word.
MEANINGS = {
    "polarity": {str(one): str(one) for one in Polarity},
    "value": {"up": "Thumb up", "down": "Thumb down", "": "No opinion"},
}
KNOWN: dict[str, Callable[[str], bool]] = {
    "polarity": lambda cell: values.word_of(cell) in values.POLARITIES,
    "value": lambda cell: values.thumb_of(cell) is not None or is_rating(cell),
}


def plan_form(upload: Upload) -> Plan:
    """The selectors, filled with what was recognised or saved; the plan as they stand now."""
    if upload.tool:
        return _of_scores(upload, _whole_file(upload, upload.tool.plan), upload.tool)
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
    habits, _ = complete_plan(plan, upload.columns, upload.sample, only_exact=True)
    plan = _with_meanings(upload, replace(habits, columns=plan.columns), "polarity")
    return replace(_rated(upload, plan), date_order=_date_order(upload, plan))


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
                LABELS[name], upload.columns, index=upload.columns.index(taken) if taken in upload.columns else None,
                placeholder="Not in the file", key=f"map_{name}_{upload.reading}", format_func=reveal,
            )  # fmt: skip
            if column is not None:
                chosen[name] = column
    return chosen


def _further(upload: Upload, used: set[str], start: Plan) -> dict[str, str]:
    suggested = {start.columns[f"value:{name}"]: name for name in start.further}
    chosen = st.multiselect(
        "Further thumbs or ratings of the same row", [name for name in upload.columns if name not in used],
        key=f"further_{upload.reading}", default=[name for name in suggested if name not in used], format_func=reveal,
    )  # fmt: skip
    return {f"value:{suggested.get(column, column)}": column for column in chosen}


def _tags(upload: Upload, used: set[str], start: Plan) -> dict[str, str]:
    suggested = {column: name for name, column in start.columns.items() if name.startswith(TAG)}
    chosen = st.multiselect(
        "Tags to split by", [name for name in upload.columns if name not in used], key=f"tags_{upload.reading}",
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
            columns, speaks = _who_speaks(upload, plan)
            constants = {**_without(constants, "population"), **speaks}
            zone = st.text_input(
                "Time zone of times without one", plan.timezone or "", key=f"zone_{upload.reading}", placeholder="UTC"
            )
            source = st.text_input("Name of the source", plan.source, key=f"source_{upload.reading}")
        complete = st.checkbox(
            "It holds answers without feedback too, so a response rate can be counted", value=plan.complete,
            key=f"complete_{upload.reading}",
        )  # fmt: skip
    plan = replace(plan, columns=columns, constants=constants, complete=complete)
    return replace(plan, timezone=zone or None, source=source or "import")


def _who_speaks(upload: Upload, plan: Plan) -> tuple[dict[str, str], dict[str, str]]:
    """The columns, and the population of the whole file where a human says it: a column of it is not read then."""
    choices = [str(one) for one in Population]
    before = plan.constants.get("population")
    chosen = st.selectbox(
        LABELS["population"], choices, index=choices.index(before) if before in choices else None,
        key=f"set_population_{upload.reading}", placeholder="As the rows say, else users",
    )  # fmt: skip
    columns = dict(plan.columns)
    return (_without(columns, "population"), {"population": chosen}) if chosen else (columns, {})


def _without(constants: dict[str, str], name: str) -> dict[str, str]:
    return {known: text for known, text in constants.items() if known != name}


def _with_meanings(upload: Upload, plan: Plan, field: str) -> Plan:
    """The plan with what words in the field's column mean, where they are not known."""
    cells = _cells(upload, plan.columns[field]) if field in plan.columns else set()
    return _asked(upload, plan, field, [cell for cell in sorted(cells) if not KNOWN[field](cell)], "are rejected")


def _of_scores(upload: Upload, plan: Plan, tool: Recognised) -> Plan:
    """The plan for a tool's export with what its labels mean, and the scale of numbers that name none."""
    labels = {label for found in tool.source.scores.signals.values() for label in found}
    plan = _asked(upload, plan, "value", sorted(labels), "count in no rate")
    return replace(plan, scale=_scale(upload, plan, "Numbers that name no scale are ratings on one"))


def _asked(upload: Upload, plan: Plan, field: str, unknown: Sequence[str], otherwise: str) -> Plan:
    """The plan with what words of the file mean, asked for one by one."""
    if not unknown:
        return plan
    known = dict(plan.values.get(field, {}))
    st.caption(f"What these words mean; rows with a word that means nothing {otherwise}")
    choices = list(MEANINGS[field])
    with st.grid(4, min_column_width=200, gap="small"):
        for number, word in enumerate(unknown[:MOST_WORDS]):
            with st.container(gap="xxsmall"):
                st.text(words.first_line(reveal(word), 60))
                meaning = st.selectbox(
                    "Meaning", choices, index=choices.index(known[word]) if known.get(word) in choices else None,
                    placeholder="Means nothing", key=f"word_{number}_{plan.columns[field]}_{upload.reading}",
                    label_visibility="collapsed", format_func=MEANINGS[field].__getitem__,
                )  # fmt: skip
            known = _without(known, word) if meaning is None else {**known, word: meaning}
    return replace(plan, values={**plan.values, field: known})


def _cells(upload: Upload, column: str) -> set[str]:
    """The different texts in the column's first rows."""
    return {text_of(row.get(column)).strip() for row in upload.sample} - {""}


def _rated(upload: Upload, plan: Plan) -> Plan:
    """The plan with what the thumbs or ratings mean: words that are steps of a scale, other words, the scale."""
    if "value" not in plan.columns:
        return replace(plan, scale=None)
    column = plan.columns["value"]
    found = profile_of(sorted(_cells(upload, column)))
    if found.words and not found.thumbs:
        before = plan.values.get("value") == found.words.values
        steps = f"The words are steps of a scale: {found.words.steps}"
        if st.checkbox(reveal(steps), value=before, key=f"steps_{column}_{upload.reading}"):
            return replace(plan, values={**plan.values, "value": found.words.values}, scale=found.words.scale)
    plan = _with_meanings(upload, plan, "value")
    return replace(plan, scale=_scale(upload, plan, "The values are ratings on a scale"))


def _scale(upload: Upload, plan: Plan, label: str) -> tuple[float, float] | None:
    """The scale of the ratings, as recognised and open to correction; none for thumbs."""
    key = f"{plan.columns['value']}_{upload.reading}"
    if not st.checkbox(label, value=plan.scale is not None, key=f"rated_{key}"):
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
