"""Other tools' exports: recognised by what they hold, never by their name, and read whole.

A recognised file becomes a source of rows whose columns are called like our fields, so everything behind it
(mapping, preview, import, report) is the same as for any file. The order of FORMATS is the order of asking: the
more exact signature first. What one tool exports may stand in one file: its scores among its traces.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from feedback_lab.errors import InputError
from feedback_lab.ingest.formats import (
    argilla,
    dify,
    label_studio,
    langfuse,
    langsmith,
    langwatch,
    mlflow,
    open_webui,
    opik,
    otel,
    phoenix,
    streamlit_feedback,
)
from feedback_lab.ingest.formats.cells import Values
from feedback_lab.ingest.formats.format import OF_CHATS, Format, Unpacked, sibling_of
from feedback_lab.ingest.formats.scores import Scores
from feedback_lab.ingest.planning.plan import FIELDS, Plan
from feedback_lab.ingest.reading.batches import Rows

__all__ = ["FORMATS", "NONE", "Format", "Recognised", "Unpacked", "recognise", "resolve"]

NONE = "none"  # the name that asks for no format at all
OWN_FIELDS = frozenset(FIELDS) - frozenset(OF_CHATS)
TOOLS: tuple[tuple[Format, ...], ...] = (
    langfuse.FORMATS,
    langsmith.FORMATS,
    (*phoenix.FORMATS, *otel.FORMATS),
    mlflow.FORMATS,
    open_webui.FORMATS,
    argilla.FORMATS,
    opik.FORMATS,
    langwatch.FORMATS,
    label_studio.FORMATS,
    dify.FORMATS,
    streamlit_feedback.FORMATS,
)
FORMATS = tuple(kind for kinds in TOOLS for kind in kinds)


@dataclass(frozen=True, slots=True)
class Recognised:
    """A file that is a tool's export: which one, why in one sentence, its records as rows, and their plan."""

    name: str
    title: str
    why: str
    source: Unpacked
    plan: Plan

    @property
    def said(self) -> list[str]:
        """What was taken for granted, one sentence each: the format, and what its scores mean."""
        lines = [f"The file is read as {self.title}: {self.why}."]
        if others := ", ".join(f"{count:,} {title}" for title, count in self.source.others.most_common()):
            lines.append(f"Rows of other kinds stand among them and are read as such; of the first rows: {others}.")
        speak = ", ".join(f"{count:,} {name}" for name, count in self.source.populations.most_common())
        if speak and "population" in self.plan.columns:
            lines.append(f"Who speaks, in the first rows: {speak}; --set population=NAME says otherwise for all.")
        return [*lines, *self.source.scores.said()]


def recognise(rows: Rows, plan: Plan | None = None, name: str | None = None) -> Recognised | None:
    """The tool's export that the file is; None where it is an ordinary file, or `name` is "none".

    `plan` is what a human said: its scale, values, constants and columns win over the format's. With `name` only
    that format is tried. Raises InputError where there is no such format, or the file is not of it.
    """
    plan = plan or Plan()
    if name == NONE:
        return None
    sample = rows.sample()
    found = _named(name, rows, sample) if name else _first(rows, sample)
    if found is None:
        return None
    kind, why = found
    source = Unpacked(rows, kind, Scores(plan.scale, plan.values.get("value", {})), _siblings(kind))
    return Recognised(kind.name, kind.title, why, source, _plan(plan, source))


def resolve(rows: Rows, plan: Plan, name: str | None) -> tuple[Rows, Plan]:
    """The rows to import and the plan for them: a tool's records where the file is such an export.

    Without a name, a plan that maps columns speaks of the file's own columns, and is left alone.
    """
    found = None if name is None and plan.columns else recognise(rows, plan, name)
    return (found.source, found.plan) if found else (rows, plan)


def _first(rows: Rows, sample: Sequence[Values]) -> tuple[Format, str] | None:
    for kind in FORMATS:
        why = None if kind.by_name_only else _why(kind, rows, sample)
        if why:
            return kind, why
    return None


def _named(name: str, rows: Rows, sample: Sequence[Values]) -> tuple[Format, str]:
    kind = next((kind for kind in FORMATS if kind.name == name), None)
    if kind is None:
        names = ", ".join(each.name for each in FORMATS)
        raise InputError(f"There is no format {name!r}: the formats are {names}, and {NONE} for an ordinary file.")
    why = _why(kind, rows, sample)
    if why is None:
        raise InputError(
            f"{rows.path} does not look like {kind.title} ({kind.what}): leave --format out, or check the export."
        )
    return kind, why


def _why(kind: Format, rows: Rows, sample: Sequence[Values]) -> str | None:
    """Why the file is of this kind, apart from rows of the tool's other kinds.

    What was unpacked already has our columns, as an export's rejected rows do.
    """
    siblings = _siblings(kind)
    own = [row for row in sample if sibling_of(row, siblings) is None]
    unpacked = OWN_FIELDS.issubset(rows.header)
    return None if unpacked or not own else kind.recognises(rows.header, own)


def _siblings(kind: Format) -> tuple[Format, ...]:
    """The other kinds of the same tool."""
    return next(tuple(other for other in kinds if other is not kind) for kinds in TOOLS if kind in kinds)


def _plan(plan: Plan, source: Unpacked) -> Plan:
    """Each field from the column of its name, except where the human said something else."""
    own = {name: name for name in source.fields if name not in plan.constants}
    name = source.kind.name if plan.source == Plan().source else plan.source
    return dataclasses.replace(plan, columns={**own, **plan.columns}, source=name)
