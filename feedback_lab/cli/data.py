"""Commands that keep data safe: the history of imports and their undo, backup, restore, doctor."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from feedback_lab import backup as backups
from feedback_lab import doctor as doctors
from feedback_lab.cli.output import Json, emit, table
from feedback_lab.cli.session import ACTOR, session
from feedback_lab.ingest import history, undo
from feedback_lab.knowledge import Files


def register(app: typer.Typer) -> None:
    app.command("imports")(imports)
    app.command("import-undo")(import_undo)
    app.command("backup")(backup)
    app.command("restore")(restore)
    app.command("doctor")(doctor)


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
    emit(asdict(removed), as_json, *undone_words(removed))


def undone_words(report: undo.UndoReport) -> list[str]:
    """What an undo took away, and what it had to leave."""
    counts = {"interactions": report.interactions, "feedback": report.feedback, "tasks": report.tasks}
    gone = ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)
    words = [f"Removed: {gone or 'nothing'}."]
    if report.emptied_fields:
        words.append(f"Emptied: {report.emptied_fields:,} fields that this import had filled in others' interactions.")
    if report.bare_interactions:
        words.append(
            f"Left without content: {report.bare_interactions:,} interactions, because other imports speak about them."
        )
    return words + undo.repeats_said(report.repeated_by)


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
    session(context).alone()
    settings = session(context).settings
    report = backups.restore(
        settings.home, Files(settings.knowledge_path, settings.instructions_path), file, settings.db
    )
    emit(asdict(report), as_json, f"Restored {file} into {settings.home}.")


def doctor(context: typer.Context, as_json: Json = False) -> None:
    """Is everything in order? Says where home is, too."""
    lab = session(context).lab
    checks = doctors.examine(lab.store, lab.files, lab.settings.embedding)
    healthy = all(check.ok for check in checks)
    emit({"home": str(lab.settings.home), "ok": healthy, "checks": [asdict(check) for check in checks]}, as_json)
    if not as_json:
        table(("", "check", "found"), [("ok" if check.ok else "!!", check.name, check.found) for check in checks])
