"""The mapping on the Upload page: which column is which field, what words mean, what holds for the whole file."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from feedback_lab.errors import LabError
from feedback_lab.ingest import values
from feedback_lab.ingest.load import preview
from feedback_lab.ingest.mapping import complete_plan
from feedback_lab.ingest.plan import TAG, Plan
from feedback_lab.ingest.rows import text_of
from feedback_lab.published_text import reveal
from feedback_lab.records import Polarity
from feedback_lab.ui import words
from feedback_lab.ui.uploading import Upload
from feedback_lab.ui.widgets import notice

GROUPS = {
    "What was asked and answered": ("input", "output", "comment", "suggested_answer"),
    "What people thought of it": ("value", "polarity", "kind", "user"),
    "When and by which model": ("created_at", "model", "prompt_version", "session_id"),
}
RARE = ("interaction_id", "feedback_id", "turn", "role", "content")
LABELS = {
    "input": "Question", "output": "Answer", "comment": "Comment", "suggested_answer": "Better answer", "user": "User",
    "value": "Thumb or rating", "polarity": "Positive or negative", "kind": "Kind of feedback", "created_at": "Time",
    "model": "Model", "prompt_version": "Prompt version", "session_id": "Session", "interaction_id": "Interaction id",
    "feedback_id": "Feedback id", "turn": "Turn", "role": "Role (one message a row)", "content": "Message",
}  # fmt: skip
MOST_WORDS = 30
CELL_CHARACTERS = 200


def plan_form(upload: Upload) -> Plan:
    """The selectors, filled with what was recognised; the plan as they stand now."""
    guesses = {guess.field: guess for guess in upload.suggestion.guesses}
    columns: dict[str, str] = {}
    for group, fields in GROUPS.items():
        st.caption(group)
        columns |= _selectors(upload, fields)
    rare = any(name in guesses and guesses[name].clear for name in RARE)
    with st.expander("Ids, turns, one message a row, tags", expanded=rare, type="compact"):
        columns |= _selectors(upload, RARE)
        columns |= _tags(upload, set(columns.values()))
    with st.expander("What holds for the whole file", type="compact"):
        constants, timezone, source, complete = _whole_file(set(columns))
    plan = Plan(columns=columns, constants=constants, timezone=timezone, source=source, complete=complete)
    habits, _ = complete_plan(plan, upload.header, upload.sample, only_exact=True)
    known = {name: dict(raw) for name, raw in habits.values.items() if name in columns}
    return Plan(columns, known | _meanings(upload, columns), constants, _scale(columns, habits.scale), timezone, source,
                complete)  # fmt: skip


def holds_an_opinion(plan: Plan) -> bool:
    """Whether anything in the file can make a verdict."""
    return bool({"value", "polarity", "kind", "suggested_answer"} & (plan.columns.keys() | plan.constants.keys()))


def reasons(upload: Upload) -> list[str]:
    """Why each column was recognised, and what was left open; holds column names."""
    said, maybe = [], []
    for guess in upload.suggestion.guesses:
        label = LABELS.get(guess.field, guess.field)
        if guess.clear:
            said.append(f"{label} is {guess.column!r}: {guess.reason}")
        else:
            maybe.append(f"{label} may be {guess.column!r} ({guess.reason}): choose it if so")
    for name, columns in upload.suggestion.unclear.items():
        maybe.append(f"{LABELS[name]} may be {' or '.join(map(repr, columns))}: choose one")
    return said + maybe


def show_preview(upload: Upload, plan: Plan) -> bool:
    """The first rows as they will be stored and the problems of the others; False where the plan cannot be used."""
    try:
        found = preview(upload.path, plan)
    except LabError as error:
        notice("attention", str(error))
        return False
    frame = pd.DataFrame([{name: _cell(value) for name, value in row.items()} for row in found.rows])
    if found.rows:
        frame = frame[[name for name in frame.columns if not name.endswith("_id")]].dropna(axis=1, how="all")
        st.dataframe(frame, hide_index=True, row_height=34, height=min(38 + 34 * len(frame), 320), key="preview",
                     column_config={"line": st.column_config.NumberColumn(width=50)})  # fmt: skip
    if found.problems:
        st.caption(f"{words.count(len(found.problems), 'row')} of the first 20 would be rejected")
        problems = [(line, problem.column or "", problem.message) for line, problem in found.problems]
        refused = pd.DataFrame(problems, columns=["line", "column", "reason"]).map(_cell)
        st.dataframe(refused, hide_index=True, key="problems")
    return bool(found.rows)


def _selectors(upload: Upload, fields: tuple[str, ...]) -> dict[str, str]:
    taken = {guess.field: guess.column for guess in upload.suggestion.guesses if guess.clear}
    chosen: dict[str, str] = {}
    with st.grid(4, min_column_width=200, gap="small"):
        for name in fields:
            column = st.selectbox(
                LABELS[name], upload.header, index=upload.header.index(taken[name]) if name in taken else None,
                placeholder="Not in the file", key=f"map_{name}_{upload.path.stem}", format_func=reveal,
            )  # fmt: skip
            if column is not None:
                chosen[name] = column
    return chosen


def _tags(upload: Upload, used: set[str]) -> dict[str, str]:
    suggested = {guess.column: guess.field for guess in upload.suggestion.guesses if guess.field.startswith(TAG)}
    chosen = st.multiselect(
        "Tags to split by", [name for name in upload.header if name not in used], key=f"tags_{upload.path.stem}",
        default=[name for name in suggested if name not in used], format_func=reveal,
    )  # fmt: skip
    return {suggested.get(column, TAG + column): column for column in chosen}


def _whole_file(mapped: set[str]) -> tuple[dict[str, str], str | None, str, bool]:
    constants: dict[str, str] = {}
    with st.grid(4, min_column_width=200, gap="small", vertical_alignment="bottom"):
        for name in ("model", "prompt_version"):
            if name not in mapped and (given := st.text_input(LABELS[name], key=f"set_{name}")):
                constants[name] = given
        if "polarity" not in mapped:
            polarity = st.selectbox("All feedback is", [str(one) for one in Polarity], index=None, key="set_polarity",
                                    placeholder="As the rows say")  # fmt: skip
            if polarity:
                constants["polarity"] = polarity
        timezone = st.text_input("Time zone of times without one", key="set_timezone", placeholder="UTC") or None
        source = st.text_input("Name of the source", key="set_source", placeholder="import") or "import"
    complete = st.checkbox("It holds answers without feedback too, so a response rate can be counted", key="complete")
    return constants, timezone, source, complete


def _meanings(upload: Upload, columns: dict[str, str]) -> dict[str, dict[str, str]]:
    """What words of the file mean, where they are not known: asked for one by one."""
    if "polarity" not in columns:
        return {}
    cells = {text_of(row.get(columns["polarity"])).strip() for row in upload.sample}
    unknown = [cell for cell in sorted(cells) if cell and values.word_of(cell) not in values.POLARITIES][:MOST_WORDS]
    if not unknown:
        return {}
    st.caption("What these words mean; rows with a word that means nothing are rejected")
    meanings: dict[str, str] = {}
    with st.grid(4, min_column_width=200, gap="small"):
        for number, word in enumerate(unknown):
            with st.container(gap="xxsmall"):
                st.text(words.first_line(reveal(word), 60))
                meaning = st.selectbox(
                    "Meaning", [str(one) for one in Polarity], index=None, placeholder="Means nothing",
                    key=f"word_{number}_{columns['polarity']}_{upload.path.stem}", label_visibility="collapsed",
                )  # fmt: skip
            if meaning:
                meanings[word] = meaning
    return {"polarity": meanings} if meanings else {}


def _scale(columns: dict[str, str], found: tuple[float, float] | None) -> tuple[float, float] | None:
    """The scale of the ratings, as recognised and open to correction; none for thumbs."""
    if "value" not in columns or not st.checkbox("The values are ratings on a scale", value=found is not None,
                                                 key=f"rated_{columns['value']}"):  # fmt: skip
        return None
    low, high = found or (1.0, 5.0)
    with st.container(horizontal=True):
        lo = st.number_input("Lowest", value=low, key=f"lo_{columns['value']}", width=120)
        hi = st.number_input("Highest", value=high, key=f"hi_{columns['value']}", width=120)
    return float(lo), float(hi)


def _cell(value: object) -> object:
    if isinstance(value, str):
        return reveal(value[:CELL_CHARACTERS])
    if isinstance(value, dict):
        return reveal(", ".join(f"{name}: {item}" for name, item in value.items()))[:CELL_CHARACTERS]
    return value
