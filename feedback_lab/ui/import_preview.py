"""The first rows as they will be stored, problems marked, and what would become of the first thousand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from feedback_lab.errors import LabError
from feedback_lab.ingest.load import Preview, preview
from feedback_lab.ingest.planning.plan import Plan
from feedback_lab.ingest.reading.batches import Problem
from feedback_lab.published_text import reveal
from feedback_lab.ui import words
from feedback_lab.ui.mapping import LABELS
from feedback_lab.ui.uploading import Upload
from feedback_lab.ui.widgets import notice, table

LOOKED_AT = 1_000
SHOWN = 20
CELL_CHARACTERS = 200
FIRST = ("line", "problem", "created_at", "input", "output", "comment", "suggested_answer", "kind", "value", "scale",
         "polarity")  # fmt: skip
LAST = ("tags", "metadata")
HEADINGS = LABELS | {
    "line": "Line", "problem": "Why it would be rejected", "value": "Value", "scale": "Scale", "polarity": "Counts as",
    "kind": "Kind", "tags": "Tags", "metadata": "Kept beside it", "user_hash": "User", "rater_hash": "Rater",
}  # fmt: skip
# What to do about a reason on this page; on the command line the message itself names the option.
ADVICE = {
    "ambiguous_time": "choose above which of the two it is",
    "bad_polarity": "say above what the word means",
    "no_scale": "give the scale above",
    "out_of_scale": "check the scale above",
}


def show_preview(upload: Upload, plan: Plan) -> bool:
    """The rows as this plan reads them; False where it cannot be used, or reads none of them."""
    if not plan.columns:
        notice("info", "Choose above what the columns hold.")
        return False
    try:
        found = preview(upload.path, plan, LOOKED_AT, format=upload.format_name, hints=upload.hints)
    except LabError as error:
        sentence = words.without_options(str(error).replace(str(upload.path), upload.name))
        notice("attention", f"{sentence.rstrip('.')}: choose above what the columns hold.")
        return False
    total = len(found.rows) + len(found.problems)
    sentence = f"Of the first {words.count(total, 'row')}, {len(found.rows):,} can be stored"
    if found.problems:
        sentence += f" and {len(found.problems):,} would be rejected"
    st.markdown(sentence + ".")
    _table(found)
    if found.problems:
        _reasons(found)
    return bool(found.rows)


def _table(found: Preview) -> None:
    rows = [{"line": row["line"], "problem": None, **_with_scale(row)} for row in found.rows]
    rows += [{"line": line, "problem": _why(problem)} for line, problem in found.problems]
    rows = sorted(rows, key=lambda row: row["line"])[:SHOWN]
    frame = pd.DataFrame([{name: _cell(value) for name, value in row.items()} for row in rows])
    # Ids that we mint say nothing to a reader; the row's own text tells it.
    frame = frame[_in_order([name for name in frame.columns if not name.endswith("_id")])].dropna(axis=1, how="all")
    table(
        frame.rename(columns=HEADINGS), "preview",
        columns={
            "Line": st.column_config.NumberColumn(width=60, format="localized"),
            "Why it would be rejected": st.column_config.TextColumn(width=260),
            "Time": st.column_config.DatetimeColumn(width=135, format="YYYY-MM-DD HH:mm:ss"),
        },
    )  # fmt: skip


def _in_order(names: Sequence[str]) -> list[str]:
    """What a reader looks for first comes first; the unmapped rest comes last."""
    middle = [name for name in names if name not in (*FIRST, *LAST)]
    return [name for name in (*FIRST, *middle, *LAST) if name in names]


def _with_scale(row: dict[str, Any]) -> dict[str, Any]:
    lo, hi = row.get("scale_min"), row.get("scale_max")
    rest = {name: value for name, value in row.items() if name not in ("scale_min", "scale_max")}
    return rest if lo is None or hi is None else {**rest, "scale": f"{lo:g} to {hi:g}"}


def _reasons(found: Preview) -> None:
    """Each reason once: how many rows, where the first one is, and what it says."""
    counted = Counter((problem.code, problem.column or "") for _, problem in found.problems)
    first = {(problem.code, problem.column or ""): (line, problem) for line, problem in reversed(found.problems)}
    rows = [
        {"Rows": number, "Column": reveal(column), "First line": first[code, column][0],
         "Why": _cell(_why(first[code, column][1]))}
        for (code, column), number in counted.most_common()
    ]  # fmt: skip
    st.caption("Why rows would be rejected")
    table(
        pd.DataFrame(rows), "problems",
        columns={
            "Rows": st.column_config.NumberColumn(width=60, format="localized"),
            "First line": st.column_config.NumberColumn(width=80, format="localized"),
            "Why": st.column_config.TextColumn(width=700),
        },
    )  # fmt: skip


def _why(problem: Problem) -> str:
    advice = ADVICE.get(problem.code)
    said = words.without_options(problem.message)
    return f"{said.rstrip('?')}: {advice}" if advice else said


def _cell(value: object) -> object:
    if isinstance(value, str):
        return reveal(value[:CELL_CHARACTERS])
    if isinstance(value, dict):
        return reveal(", ".join(f"{name}: {item}" for name, item in value.items()))[:CELL_CHARACTERS]
    return value
