"""The plan of an import: which column is which field, and what holds for the whole file."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from feedback_lab.errors import InputError
from feedback_lab.ingest.meaning import values
from feedback_lab.ingest.meaning.numbers import scale_of, scale_words

FIELDS = (
    "interaction_id",
    "session_id",
    "turn",
    "role",
    "content",
    "created_at",
    "input",
    "output",
    "model",
    "prompt_version",
    "user",
    "feedback_id",
    "rated_at",
    "rater",
    "population",
    "kind",
    "value",
    "scale",
    "polarity",
    "comment",
    "suggested_answer",
)
TAG = "tag:"
# A further thumb or rating of the same row has a name behind the colon: value:stars, scale:stars, kind:stars.
FURTHER = ("value", "scale", "kind")
DATE_ORDERS = {"day-month": True, "month-day": False}  # whether the day comes first in 05/06/2026
# At least one of these must come from a column; the others only describe.
CONTENT = frozenset(("content", "input", "output", "kind", "value", "polarity", "comment", "suggested_answer"))
FIELD_LIST = ", ".join((*FIELDS[:11], "tag:NAME", *FIELDS[11:], "value:NAME, scale:NAME, kind:NAME"))


@dataclass(frozen=True, slots=True)
class Plan:
    """How the rows of one file become records.

    `columns` maps a field to a column, `constants` a field to one text for every row, `values` a field to
    replacements of its raw texts ({"polarity": {"Bad": "negative"}}). `scale` is that of the ratings, lowest
    and highest, where the field `scale` ("LO:HI") does not give the row its own; `timezone` the IANA name for
    times without a zone (UTC unless given); `source` names where the feedback comes from; `complete` says that
    the file holds unrated interactions too; `date_order` is a key of DATE_ORDERS where the file leaves it open.

    `created_at` and `user` go to the interaction and to its feedback. Where the feedback has its own, they are in
    `rated_at` and `rater`, and then nothing of the interaction says when or by whom it was rated.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    scale: tuple[float, float] | None = None
    timezone: str | None = None
    source: str = "import"
    complete: bool = False
    date_order: str | None = None

    @property
    def is_chat(self) -> bool:
        """Whether each row is one message of a conversation."""
        return "role" in self.columns

    @property
    def further(self) -> list[str]:
        """The names of the further thumbs or ratings of a row, in the order of the mapping."""
        return [name.removeprefix("value:") for name in self.columns if name.startswith("value:")]


def is_field(name: str) -> bool:
    """Whether a column can be mapped to this name: one of FIELDS, a tag, or a further opinion."""
    base, colon, own = name.partition(":")
    return name in FIELDS or (bool(colon and own.strip()) and base in (*FURTHER, "tag"))


def check(plan: Plan, header: Sequence[str]) -> None:
    """Raise InputError where the plan cannot be used on a file with these columns: one sentence, with the choices."""
    for name in (*plan.columns, *plan.constants, *plan.values):
        if not is_field(name):
            raise InputError(f"There is no field {name!r}: the fields are {FIELD_LIST}.")
    check_columns(plan.columns, header)
    for name, column in plan.columns.items():
        if name in plan.constants:
            raise InputError(f"{name} is given twice, by the column {column!r} and by --set: leave one out.")
    for name in plan.values:
        if name not in plan.columns:
            raise InputError(f"Values are given for {name}, which no column is mapped to: add --map {name}=COLUMN.")
    _check_chat(plan)
    _check_further(plan)
    named = "interaction_id" in plan.columns and len(plan.columns) > 1
    if not named and not CONTENT & plan.columns.keys():
        raise InputError(
            "No column is mapped to what people asked, were answered or said: add for example --map comment=COLUMN; "
            f"the columns are {_listed(header)}."
        )
    _check_meanings(plan)


def check_columns(columns: Mapping[str, str], header: Sequence[str]) -> None:
    """Raise InputError where a field is mapped to a column that the file does not have."""
    for name, column in columns.items():
        if column not in header:
            raise InputError(f"There is no column {column!r} for {name}: the columns are {_listed(header)}.")


def _check_chat(plan: Plan) -> None:
    if ("role" in plan.columns) != ("content" in plan.columns):
        raise InputError("role and content go together (one message a row): map a column to each, or to neither.")
    if plan.is_chat and {"input", "output"} & (plan.columns.keys() | plan.constants.keys()):
        raise InputError("A row is either one message (role, content) or a question with its answer (input, output).")


def _check_further(plan: Plan) -> None:
    for name in (*plan.columns, *plan.constants):
        base, colon, own = name.partition(":")
        if not colon or base not in FURTHER:
            continue
        if base == "value" and "value" not in plan.columns:
            raise InputError(f"{name} is a further thumb or rating: map the first one with --map value=COLUMN.")
        if f"value:{own}" not in plan.columns:
            raise InputError(f"{name} needs its thumb or rating: add --map value:{own}=COLUMN.")


def _check_meanings(plan: Plan) -> None:
    values.zone_of(plan.timezone)
    if plan.date_order is not None and plan.date_order not in DATE_ORDERS:
        raise InputError(f"There is no date order {plan.date_order!r}: write day-month or month-day.")
    if plan.scale is not None and not -math.inf < plan.scale[0] < plan.scale[1] < math.inf:
        raise InputError(f"The scale {scale_words(plan.scale)} cannot be used: write it like --scale 1:5.")
    if "role" in plan.constants or "content" in plan.constants:
        raise InputError("role and content differ from row to row: map a column to each instead of --set.")
    given = [("--set", name, text) for name, text in plan.constants.items()]
    given += [("--value", name, text) for name, meanings in plan.values.items() for text in meanings.values() if text]
    for option, name, text in given:
        try:
            if reader := READERS.get(name.partition(":")[0]):
                reader(text)
        except values.Unreadable as error:
            raise InputError(f"{option} {name} cannot be used: {error}.") from None


# What a constant or a replacement must be readable as.
READERS: Mapping[str, Callable[[str], object]] = {
    "created_at": values.time_of,
    "rated_at": values.time_of,
    "kind": values.kind_of,
    "polarity": values.polarity_of,
    "population": values.population_of,
    "scale": scale_of,
    "turn": values.turn_of,
}


def _listed(header: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in header[:40])
    return shown + (f" and {len(header) - 40} more" if len(header) > 40 else "")
