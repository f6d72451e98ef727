"""How a file will be read: what a human said, a saved mapping, a tool's export, or what the columns themselves say."""

from __future__ import annotations

from dataclasses import dataclass

from feedback_lab.errors import InputError
from feedback_lab.ingest import formats
from feedback_lab.ingest.planning import saved_mappings
from feedback_lab.ingest.planning.mapping import complete_plan
from feedback_lab.ingest.planning.plan import Plan, check_columns
from feedback_lab.ingest.reading import nested
from feedback_lab.ingest.reading.readers import RowSource
from feedback_lab.store import Store


@dataclass(frozen=True, slots=True)
class Reading:
    """The plan for a file, the format it is read as ("none" for an ordinary file), and why, a sentence each."""

    plan: Plan
    format: str
    said: list[str]


def reading_of(
    store: Store,
    rows: RowSource,
    given: Plan,
    *,
    format: str | None = None,
    mapping: str | None = None,
    reuse: bool = True,
) -> Reading:
    """The whole plan for a file, out of what a human gave.

    `mapping` names a saved one; `reuse` allows that of a file with the same columns, unless columns or a format are
    given. A tool's export is recognised where no columns are. Raises InputError where a name does not exist.
    """
    said = []
    by_hand = given.columns
    if mapping is not None:
        given = saved_mappings.merged(saved_mappings.named(store, mapping), given)
        said.append(f"The saved mapping {mapping!r} is used.")
    tool = None if format is None and given.columns else formats.recognise(rows, given, format)
    if tool is not None:
        return Reading(tool.plan, tool.name, said + tool.said)
    if by_hand and format is None and (seen := formats.recognise(rows)):
        said.append(f"The file looks like {seen.title}: leave --map out to read it so.")
    saved = None
    if reuse and mapping is None and not by_hand:
        saved = saved_mappings.for_header(store, rows.header)
    if saved is not None:
        given = saved_mappings.merged(saved[1], given)
        said.append(
            f"The saved mapping {saved[0]!r} is used again, because the columns are the same; --no-saved-mapping "
            "leaves it out."
        )
    only_exact = bool(given.columns or given.constants)
    columns, sample = nested.looked_into(rows)
    check_columns(by_hand, list(dict.fromkeys([*rows.header, *columns])))
    plan, more = complete_plan(given, columns, sample, only_exact=only_exact)
    return Reading(plan, formats.NONE, said + more)


def check_saving(name: str, reading: Reading) -> None:
    """Raise InputError where the mapping cannot be saved under this name: a tool's export has none to save."""
    saved_mappings.check_name(name)
    if reading.format != formats.NONE:
        raise InputError(
            f"The file is read as {reading.format}, which needs no mapping: leave --save-mapping out, or map its "
            f"columns yourself with --format {formats.NONE}."
        )


def remember(store: Store, name: str, rows: RowSource, reading: Reading, actor: str) -> str:
    """Save the mapping of an ordinary file; the sentence that says so. Raises InputError as `check_saving` does."""
    check_saving(name, reading)
    saved_mappings.save(store, name, rows.header, reading.plan, actor)
    return f"The mapping is saved as {name.strip()!r} and used again for files with the same columns."
