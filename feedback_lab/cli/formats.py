"""Commands about how files are read: the formats of other tools, and the mappings that were saved."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from feedback_lab.cli.output import Json, emit, moment, table
from feedback_lab.cli.session import ACTOR, session
from feedback_lab.ingest.formats import FORMATS
from feedback_lab.ingest.meaning.numbers import scale_words
from feedback_lab.ingest.planning import saved_mappings

mappings = typer.Typer(help="Mappings that were saved with import --save-mapping.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    app.command("formats")(formats)
    app.add_typer(mappings, name="mappings")


def formats(as_json: Json = False) -> None:
    """The exports of other tools that import recognises by their content."""
    rows = [
        {"name": kind.name, "title": kind.title, "reads": kind.what, "recognised": not kind.by_name_only}
        for kind in FORMATS
    ]
    emit({"formats": rows}, as_json)
    if not as_json:
        table(("name", "what it is", "it reads"), [(row["name"], row["title"], row["reads"]) for row in rows])


@mappings.command("list")
def mappings_list(context: typer.Context, as_json: Json = False) -> None:
    """The saved mappings by name."""
    found = [_shown(saved) for saved in saved_mappings.listing(session(context).store)]
    emit({"mappings": found}, as_json, *([] if found else ["No mapping was saved yet."]))
    if not as_json and found:
        names = ("name", "columns", "saved_at")
        table(names, [[saved["name"], ", ".join(saved["columns"].values()), saved["saved_at"]] for saved in found])


@mappings.command("remove")
def mappings_remove(
    context: typer.Context, name: Annotated[str, typer.Argument(metavar="NAME")], as_json: Json = False
) -> None:
    """Forget a saved mapping; what was imported with it stays."""
    saved_mappings.remove(session(context).store, name, ACTOR)
    emit({"removed": name}, as_json, f"The mapping {name!r} is forgotten.")


def _shown(saved: saved_mappings.SavedMapping) -> dict[str, Any]:
    plan = saved.plan
    return {
        "name": saved.name,
        "columns": dict(plan.columns),
        "values": plan.values,
        "constants": plan.constants,
        "scale": scale_words(plan.scale) if plan.scale else None,
        "timezone": plan.timezone,
        "date_order": plan.date_order,
        "source": plan.source,
        "complete": plan.complete,
        "saved_at": moment(saved.saved_at),
    }
