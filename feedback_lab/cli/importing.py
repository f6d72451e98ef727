"""The command that brings a file in: its options become a plan, the import's account comes back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from feedback_lab.cli.output import Json, emit, progress
from feedback_lab.cli.session import ACTOR, session
from feedback_lab.errors import InputError
from feedback_lab.ingest import history, load
from feedback_lab.ingest.meaning.numbers import scale_of
from feedback_lab.ingest.meaning.values import Unreadable
from feedback_lab.ingest.planning import choosing
from feedback_lab.ingest.planning.plan import Plan
from feedback_lab.ingest.reading import readers
from feedback_lab.store import Store

DELIMITERS = {"comma": ",", "tab": "\t", "\\t": "\t", "semicolon": ";", "bar": "|", "pipe": "|"}

Pairs = list[str] | None
Columns = Annotated[Pairs, typer.Option("--map", metavar="FIELD=COLUMN", help="Which column is which.")]
Values = Annotated[Pairs, typer.Option("--value", metavar="FIELD:RAW=VALUE", help="What a value means.")]
Constants = Annotated[Pairs, typer.Option("--set", metavar="FIELD=VALUE", help="The same for every row.")]
Scale = Annotated[str | None, typer.Option("--scale", metavar="LO:HI", help="The scale of the ratings.")]
Zone = Annotated[str | None, typer.Option("--timezone", help="For times without one; UTC unless set.")]
DateOrder = Annotated[
    str | None, typer.Option("--date-order", metavar="ORDER", help="day-month or month-day, for dates like 05/06/2026.")
]
Source = Annotated[str, typer.Option("--source", help="Where the file comes from.")]
Complete = Annotated[bool, typer.Option("--complete", help="The file holds unrated interactions too.")]
FormatName = Annotated[
    str | None, typer.Option("--format", metavar="NAME", help="A tool's export (see formats), or none.")
]
SavedName = Annotated[str | None, typer.Option("--mapping", metavar="NAME", help="Read it by a saved mapping.")]
SaveAs = Annotated[str | None, typer.Option("--save-mapping", metavar="NAME", help="Save the mapping for later.")]
Saved = Annotated[
    bool, typer.Option("--saved-mapping/--no-saved-mapping", help="Use the mapping saved for the same columns.")
]
Encoding = Annotated[str | None, typer.Option("--encoding", help="Such as cp1252, where the guess is wrong.")]
Delimiter = Annotated[
    str | None, typer.Option("--delimiter", metavar="SIGN", help="comma, tab, semicolon, bar, or the sign itself.")
]
Header = Annotated[
    bool | None,
    typer.Option("--header/--no-header", help="Whether the first row names the columns, if not recognised."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would happen; write nothing.")]


def register(app: typer.Typer) -> None:
    app.command("import")(import_file)


def import_file(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE")],
    columns: Columns = None,
    values: Values = None,
    constants: Constants = None,
    scale: Scale = None,
    timezone: Zone = None,
    date_order: DateOrder = None,
    source: Source = "import",
    complete: Complete = False,
    format: FormatName = None,
    mapping: SavedName = None,
    save_mapping: SaveAs = None,
    saved: Saved = True,
    encoding: Encoding = None,
    delimiter: Delimiter = None,
    header: Header = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Bring a file in: CSV, JSON, Parquet, Excel, or a tool's export. Every row is new, duplicate or rejected."""
    mapped, fixed = _pairs(columns, "--map", "FIELD=COLUMN"), _pairs(constants, "--set", "FIELD=VALUE")
    given = Plan(mapped, _value_map(values, mapped), fixed, _scale(scale), timezone, source, complete, date_order)
    hints = readers.Hints(encoding, DELIMITERS.get(delimiter or "", delimiter), header)
    rows = readers.open_rows(file, hints)
    store = session(context).store
    reading = choosing.reading_of(store, rows, given, format=format, mapping=mapping, reuse=saved)
    if save_mapping is not None:
        choosing.check_saving(save_mapping, reading)
    report = _imported(store, file, reading, hints, dry_run, as_json)
    said = [*reading.said, *_twice(store, report)]
    if save_mapping is not None and not dry_run:
        said.append(choosing.remember(store, save_mapping, rows, reading, ACTOR))
    answer = asdict(report) | {"mapping": reading.plan.columns, "read_as": reading.format, "said": said}
    emit(answer, as_json, *said, *_account(report))


def _imported(
    store: Store, file: Path, reading: choosing.Reading, hints: readers.Hints, dry_run: bool, as_json: bool
) -> load.ImportReport:
    with progress(as_json, "rows read") as step:
        return load.import_file(
            store,
            file,
            reading.plan,
            dry_run=dry_run,
            progress=lambda count: step(count, None, ""),
            file_name=file.name,
            format=reading.format,
            hints=hints,
        )


def _twice(store: Store, report: load.ImportReport) -> list[str]:
    if not report.new or not report.batch_id or not (before := history.other_imports_of(store, report.batch_id)):
        return []
    return [
        "This very file was imported before with another mapping, so rows may count twice: "
        f"feedback-lab import-undo {before[0]} takes the earlier import back."
    ]


def _account(report: load.ImportReport) -> list[str]:
    """Where every row went, and what to do next."""
    lines = [
        f"The file: {report.format}.",
        f"{report.read:,} read = {report.new:,} new + {report.duplicate:,} duplicate + {report.rejected:,} rejected "
        f"({report.undated:,} undated, {report.seconds:.1f} s).",
    ]
    if report.rejects_file:
        lines.append(f"The rejected rows with their reasons: {report.rejects_file}")
    if report.dry_run:
        return [*lines, "Dry run: nothing was written."]
    return [*lines, f"Batch {report.batch_id}. Next: feedback-lab triggers run --dry-run"]


def _pairs(given: Pairs, option: str, form: str) -> dict[str, str]:
    pairs = {}
    for one in given or []:
        name, equals, value = one.partition("=")
        if not equals or not name.strip():
            raise InputError(f"{option} {one!r} cannot be read: write {form}.")
        if name.strip() in pairs:
            raise InputError(f"{option} names {name.strip()!r} twice: name it once.")
        pairs[name.strip()] = value
    return pairs


def _value_map(given: Pairs, mapped: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """FIELD goes up to the first colon, unless it is a mapped value:NAME; VALUE starts after the last equals sign."""
    found: dict[str, dict[str, str]] = {}
    further = sorted((name for name in mapped if ":" in name), key=len, reverse=True)
    for one in given or []:
        name = next((name for name in further if one.startswith(f"{name}:")), one.partition(":")[0])
        raw, equals, value = one[len(name) + 1 :].rpartition("=")
        if name == one or not equals:
            raise InputError(f"--value {one!r} cannot be read: write FIELD:RAW=VALUE.")
        found.setdefault(name.strip(), {})[raw.strip()] = value
    return found


def _scale(given: str | None) -> tuple[float, float] | None:
    if given is None:
        return None
    try:
        return scale_of(given)
    except Unreadable:
        raise InputError(f"--scale {given!r} cannot be used: write LO:HI, the smaller number first, as 1:5.") from None
