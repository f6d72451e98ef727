"""What the cells of mapped columns settle beyond their mapping: the scale, what 0 and 1 mean, the order of dates."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from shlex import quote
from typing import Any

from feedback_lab.ingest.meaning.numbers import scale_words
from feedback_lab.ingest.meaning.profile import profile_of
from feedback_lab.ingest.meaning.text_columns import text_of
from feedback_lab.ingest.meaning.values import Unreadable, day_comes_first, time_of
from feedback_lab.ingest.planning.column_names import key_of
from feedback_lab.ingest.planning.plan import Plan
from feedback_lab.ingest.reading.readers import SAMPLE

TIMES = ("created_at", "rated_at")
ZERO_ONE = {"0": "down", "1": "up", "0.0": "down", "1.0": "up"}  # also as a column with empty cells is written


def with_rating_habits(plan: Plan, sample: Sequence[Mapping[str, Any]]) -> tuple[Plan, list[str]]:
    """The plan with the scale, or the meaning of 0 and 1, that the mapped columns of thumbs and ratings show."""
    said: list[str] = []
    for name in ("value", *(f"value:{further}" for further in plan.further)):
        column, own = plan.columns.get(name), name.partition(":")[2]
        scale, kind = ("scale", "kind") if not own else (f"scale:{own}", f"kind:{own}")
        settled = {scale, kind} & (plan.columns.keys() | plan.constants.keys()) - ({"kind"} & plan.columns.keys())
        if column is None or settled or name in plan.values or (not own and plan.scale is not None):
            continue
        found = profile_of([text_of(row.get(column)) for row in sample], key_of(column))
        if found.zero_one:
            plan = dataclasses.replace(plan, values={**plan.values, name: ZERO_ONE})
            said.append(f"{column!r} holds 0 and 1, read as thumbs down and up.")
        elif found.scale is not None and not found.thumbs:
            plan = with_scale(plan, name, found.scale)
            option = f"--set scale:{own}=LO:HI" if own else "--scale LO:HI"
            lo, hi = found.scale
            said.append(
                f"The ratings in {column!r} are read on the scale {lo:g} to {hi:g}; say {option} where it is another."
            )
        elif found.words is not None and not found.thumbs:
            options = " ".join(word_options(name, found.words.values, found.words.scale))
            said.append(
                f"The words in {column!r} may be steps of a scale ({found.words.steps}): {options} reads them so."
            )
    return plan, said


def word_options(name: str, values: Mapping[str, str], scale: tuple[float, float] | None) -> list[str]:
    """What to write so that words in the field `name` (value, or value:NAME) become ratings on the scale."""
    if not values or scale is None:
        return []
    own = name.partition(":")[2]
    option = f"--set scale:{own}={scale_words(scale)}" if own else f"--scale {scale_words(scale)}"
    return [*(f"--value {quote(f'{name}:{raw}={number}')}" for raw, number in values.items()), option]


def with_scale(plan: Plan, name: str, scale: tuple[float, float]) -> Plan:
    """The plan with the scale (lowest, highest) of the field `name`: value, or value:NAME."""
    own = name.partition(":")[2]
    if not own:
        return dataclasses.replace(plan, scale=scale)
    return dataclasses.replace(plan, constants={**plan.constants, f"scale:{own}": scale_words(scale)})


def said_of_dates(plan: Plan, sample: Sequence[Mapping[str, Any]]) -> list[str]:
    """What is said of dates like 05/06/2026, where the order of day and month decides what they mean."""
    said = []
    for name in TIMES:
        column = plan.columns.get(name)
        texts = [text_of(row.get(column)) for row in sample] if column is not None else []
        if plan.date_order is not None or all(map(_one_meaning, texts)):
            continue
        first = day_comes_first(texts)
        if first is None:
            whole = len(sample) < SAMPLE
            who = "the file does" if whole else f"its first {SAMPLE:,} rows do"
            unless = "" if whole else " unless later rows tell"
            said.append(
                f"Dates in {column!r} may be day/month or month/day, and {who} not tell: add --date-order "
                f"day-month or --date-order month-day, or those rows are rejected{unless}."
            )
        else:
            order = "day/month" if first else "month/day"
            said.append(f"Dates in {column!r} are read as {order}, because other dates there allow nothing else.")
    return said


def _one_meaning(text: str) -> bool:
    try:
        time_of(text)
    except Unreadable as error:
        return error.code != "ambiguous_time"
    return True
