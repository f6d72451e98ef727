"""Commands that bring data in and keep it safe: import, its history and undo, backup, restore, doctor."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from feedback_lab import backup as backups
from feedback_lab import doctor as doctors
from feedback_lab.cli.output import Json, emit, table
from feedback_lab.cli.session import session
from feedback_lab.errors import InputError
from feedback_lab.ingest import history, load, mapping, readers, undo
from feedback_lab.knowledge import Files

ACTOR = "command line"

Pairs = list[str] | None


def register(app: typer.Typer) -> None:
    app.command("import")(import_file)
    app.command("imports")(imports)
    app.command("import-undo")(import_undo)
    app.command("backup")(backup)
    app.command("restore")(restore)
    app.command("doctor")(doctor)


def import_file(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE")],
    columns: Annotated[Pairs, typer.Option("--map", metavar="FIELD=COLUMN", help="Which column is which.")] = None,
    values: Annotated[Pairs, typer.Option("--value", metavar="FIELD:RAW=VALUE", help="What a value means.")] = None,
    constants: Annotated[Pairs, typer.Option("--set", metavar="FIELD=VALUE", help="The same for every row.")] = None,
    scale: Annotated[str | None, typer.Option("--scale", metavar="LO:HI", help="The scale of the ratings.")] = None,
    timezone: Annotated[str | None, typer.Option("--timezone", help="For times without one; UTC unless set.")] = None,
    source: Annotated[str, typer.Option("--source", help="Where the file comes from.")] = "import",
    complete: Annotated[bool, typer.Option("--complete", help="The file holds unrated interactions too.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen; write nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Bring a CSV, TSV or JSONL file in. Every row ends as new, duplicate or rejected with its reason."""
    given = mapping.Plan(
        columns=_pairs(columns, "--map", "FIELD=COLUMN"),
        values=_value_map(values),
        constants=_pairs(constants, "--set", "FIELD=VALUE"),
        scale=_scale(scale),
        timezone=timezone,
        source=source,
        complete=complete,
    )
    rows = readers.open_rows(file)
    plan, said = mapping.complete_plan(given, rows.header, rows.sample(), only_exact=bool(columns or constants))
    store = session(context).store
    report = load.import_file(store, file, plan, dry_run=dry_run)
    if report.new and report.batch_id and (before := history.other_imports_of(store, report.batch_id)):
        said.append(
            f"This very file was imported before with another mapping, so rows may count twice: "
            f"feedback-lab import-undo {before[0]} takes the earlier import back."
        )
    answer = asdict(report) | {"mapping": plan.columns, "said": said}
    emit(answer, as_json, *said, *_account(report))


def imports(context: typer.Context, as_json: Json = False) -> None:
    """All imports, newest first."""
    found = history.history(session(context).store)
    emit({"imports": found}, as_json, *([] if found else ["Nothing was imported yet."]))
    if not as_json and found:
        names = ("batch_id", "file_name", "status", "rows_read", "rows_new", "rows_duplicate", "rows_rejected")
        table(names, [[batch[name] for name in names] for batch in found])


def import_undo(
    context: typer.Context, batch: Annotated[str, typer.Argument(metavar="BATCH")], as_json: Json = False
) -> None:
    """Take a whole import back, with the undecided tasks that rest on it alone."""
    removed = undo.undo(session(context).store, batch, ACTOR)
    answer = asdict(removed)
    words = ", ".join(f"{count:,} {name}" for name, count in answer.items() if isinstance(count, int) and count)
    emit(answer, as_json, f"Removed: {words or 'nothing'}.")


def backup(
    context: typer.Context, file: Annotated[Path, typer.Argument(metavar="FILE")], as_json: Json = False
) -> None:
    """Write database, knowledge file, instructions and settings into one file."""
    lab = session(context).lab
    report = backups.backup(lab.store, lab.files, file)
    emit(asdict(report), as_json, f"Backup written to {report.file} ({report.bytes:,} bytes).")


def restore(
    context: typer.Context, file: Annotated[Path, typer.Argument(metavar="FILE")], as_json: Json = False
) -> None:
    """Put a backup in the place of what is in home; what was there is kept in home/backups."""
    settings = session(context).settings
    report = backups.restore(
        settings.home, Files(settings.knowledge_path, settings.instructions_path), file, settings.db
    )
    emit(asdict(report), as_json, f"Restored {file} into {settings.home}.")


def doctor(context: typer.Context, as_json: Json = False) -> None:
    """Is everything in order? Says where home is, too."""
    lab = session(context).lab
    checks = doctors.examine(lab.store, lab.files)
    healthy = all(check.ok for check in checks)
    emit({"home": str(lab.settings.home), "ok": healthy, "checks": [asdict(check) for check in checks]}, as_json)
    if not as_json:
        table(("", "check", "found"), [("ok" if check.ok else "!!", check.name, check.found) for check in checks])


def _account(report: load.ImportReport) -> list[str]:
    """Where every row went, and what to do next."""
    lines = [
        f"{report.read:,} read = {report.new:,} new + {report.duplicate:,} duplicate + {report.rejected:,} rejected "
        f"({report.undated:,} undated, {report.seconds:.1f} s)."
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


def _value_map(given: Pairs) -> dict[str, dict[str, str]]:
    """FIELD goes up to the first colon, VALUE starts after the last equals sign."""
    found: dict[str, dict[str, str]] = {}
    for one in given or []:
        name, colon, rest = one.partition(":")
        raw, equals, value = rest.rpartition("=")
        if not colon or not equals:
            raise InputError(f"--value {one!r} cannot be read: write FIELD:RAW=VALUE.")
        found.setdefault(name.strip(), {})[raw.strip()] = value
    return found


def _scale(given: str | None) -> tuple[float, float] | None:
    if given is None:
        return None
    try:
        lo, hi = (float(part) for part in given.split(":"))
    except ValueError:
        raise InputError(f"--scale {given!r} cannot be read: write LO:HI, as 1:5.") from None
    if not lo < hi:
        raise InputError(f"--scale {given!r} is empty: LO must be smaller than HI, as 1:5.")
    return lo, hi
