"""What only the look at many rows tells: the order of day and month, and whether 1 and -1 are thumbs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from feedback_lab.ingest.meaning.profile import named_for_ratings
from feedback_lab.ingest.meaning.text_columns import text_of
from feedback_lab.ingest.meaning.values import day_comes_first
from feedback_lab.ingest.planning.plan import DATE_ORDERS, Plan

NUMBERS_OF_THUMBS = frozenset((1.0, -1.0))


@dataclass(frozen=True, slots=True)
class Habits:
    """`day_first` is None where nothing tells; `numbers_are_thumbs` is asked by field (value, value:NAME)."""

    day_first: bool | None
    numbers_are_thumbs: Mapping[str, bool]

    def otherwise(self, told: Habits) -> str:
        """Words about what all rows of the file told, where these habits, taken from its first rows, are other."""
        words = ""
        if told.day_first != self.day_first:
            order = {True: "are day/month", False: "are month/day", None: "contradict one another"}[told.day_first]
            words += f"; with all rows, dates like 05/06/2026 {order}"
        for name, thumbs in told.numbers_are_thumbs.items():
            if thumbs != self.numbers_are_thumbs[name]:
                words += f"; with all rows, 1 and -1 in {name} are {'thumbs' if thumbs else 'ratings'}"
        return words


def habits_of(plan: Plan, sample: Sequence[Mapping[str, Any]]) -> Habits:
    """What the first rows of a file suggest; what all its rows tell is known only behind its last one."""

    def cells(name: str) -> list[str]:
        if name in plan.constants:
            return [plan.constants[name]]
        return [text_of(values.get(plan.columns.get(name, ""))) for values in sample]

    orders = {day_comes_first([text]) for name in ("created_at", "rated_at") for text in cells(name)} - {None}
    thumbs = {}
    for name in opinion_fields(plan):
        words = plan.values.get(name, {})
        numbers = {number_in(words.get(text.strip(), text)) for text in cells(name)} - {None}
        thumbs[name] = numbers_are_thumbs(plan, name, numbers)
    return Habits(day_first(plan, orders), thumbs)


def day_first(plan: Plan, orders: Iterable[bool | None]) -> bool | None:
    """The order that the plan says, else the one that all telling dates agree on."""
    if plan.date_order is not None:
        return DATE_ORDERS[plan.date_order]
    told = set(orders)
    return told.pop() if len(told) == 1 else None


def opinion_fields(plan: Plan) -> list[str]:
    """The fields that hold thumbs or ratings."""
    return ["value", *(f"value:{name}" for name in plan.further)]


def number_in(text: str) -> float | None:
    """The number that a text is, None where it is none."""
    try:
        return float(text)
    except ValueError:
        return None


def numbers_are_thumbs(plan: Plan, name: str, numbers: Set[float | None]) -> bool:
    """Whether 1 and -1 in the field are thumbs: no other number stands in it, and nothing says that it is rated.

    A column of stars that holds nothing but 1 holds the worst ratings, not thumbs up.
    """
    rated = named_for_ratings(plan.columns.get(name, "")) and -1.0 not in numbers
    return numbers <= NUMBERS_OF_THUMBS and not rated
