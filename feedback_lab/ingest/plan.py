"""The plan of an import: which column is which field, and what holds for the whole file."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from feedback_lab.errors import InputError
from feedback_lab.ingest import values

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
    "kind",
    "value",
    "polarity",
    "comment",
    "suggested_answer",
)
TAG = "tag:"
# At least one of these must come from a column; the others only describe.
CONTENT = frozenset(("content", "input", "output", "kind", "value", "polarity", "comment", "suggested_answer"))
FIELD_LIST = ", ".join((*FIELDS[:11], "tag:NAME", *FIELDS[11:]))


@dataclass(frozen=True, slots=True)
class Plan:
    """How the rows of one file become records.

    `columns` maps a field to a column, `constants` a field to one text for every row, `values` a field to
    replacements of its raw texts ({"polarity": {"Bad": "negative"}}). `scale` is that of the ratings, lowest
    and highest; `timezone` the IANA name for times without a zone (UTC unless given); `source` names where the
    feedback comes from; `complete` says that the file holds unrated interactions too.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    scale: tuple[float, float] | None = None
    timezone: str | None = None
    source: str = "import"
    complete: bool = False

    @property
    def is_chat(self) -> bool:
        """Whether each row is one message of a conversation."""
        return "role" in self.columns


def check(plan: Plan, header: Sequence[str]) -> None:
    """Raise InputError where the plan cannot be used on a file with these columns: one sentence, with the choices."""
    for name in (*plan.columns, *plan.constants, *plan.values):
        if name not in FIELDS and not (name.startswith(TAG) and len(name) > len(TAG)):
            raise InputError(f"There is no field {name!r}: the fields are {FIELD_LIST}.")
    for name, column in plan.columns.items():
        if column not in header:
            raise InputError(f"There is no column {column!r} for {name}: the columns are {_listed(header)}.")
        if name in plan.constants:
            raise InputError(f"{name} is given twice, by the column {column!r} and by --set: leave one out.")
    for name in plan.values:
        if name not in plan.columns:
            raise InputError(f"Values are given for {name}, which no column is mapped to: add --map {name}=COLUMN.")
    _check_chat(plan)
    named = "interaction_id" in plan.columns and len(plan.columns) > 1
    if not named and not CONTENT & plan.columns.keys():
        raise InputError(
            "No column is mapped to what people asked, were answered or said: add for example --map comment=COLUMN; "
            f"the columns are {_listed(header)}."
        )
    _check_meanings(plan)


def _check_chat(plan: Plan) -> None:
    if ("role" in plan.columns) != ("content" in plan.columns):
        raise InputError("role and content go together (one message a row): map a column to each, or to neither.")
    if plan.is_chat and {"input", "output"} & (plan.columns.keys() | plan.constants.keys()):
        raise InputError("A row is either one message (role, content) or a question with its answer (input, output).")


def _check_meanings(plan: Plan) -> None:
    values.zone_of(plan.timezone)
    if plan.scale is not None and not -math.inf < plan.scale[0] < plan.scale[1] < math.inf:
        raise InputError(f"The scale {plan.scale[0]:g}:{plan.scale[1]:g} cannot be used: write it like --scale 1:5.")
    if "role" in plan.constants or "content" in plan.constants:
        raise InputError("role and content differ from row to row: map a column to each instead of --set.")
    readers: dict[str, Callable[[str], object]] = {
        "kind": values.kind_of,
        "polarity": values.polarity_of,
        "turn": values.turn_of,
    }
    given = [("--set", name, text) for name, text in plan.constants.items()]
    given += [("--value", name, text) for name, meanings in plan.values.items() for text in meanings.values() if text]
    for option, name, text in given:
        try:
            if name == "created_at":
                values.time_of(text)
            elif name in readers:
                readers[name](text)
        except values.Unreadable as error:
            raise InputError(f"{option} {name} cannot be used: {error}.") from None


def _listed(header: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in header[:40])
    return shown + (f" and {len(header) - 40} more" if len(header) > 40 else "")
