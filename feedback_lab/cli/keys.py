"""Commands for the keys of the HTTP API."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from feedback_lab import keys
from feedback_lab.cli.output import Json, emit, moment, table
from feedback_lab.cli.session import session

Name = Annotated[str, typer.Argument(metavar="NAME")]
Scope = Annotated[str, typer.Option("--scope", help="ingest (send), read (fetch), or public-write (browsers).")]
Origin = Annotated[
    list[str] | None, typer.Option("--origin", metavar="URL", help="A page that may use a public-write key.")
]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Who may use the HTTP API.", rich_markup_mode=None)
    group.command("add")(add)
    group.command("list")(list_keys)
    group.command("revoke")(revoke)
    app.add_typer(group, name="keys")


def add(context: typer.Context, name: Name, scope: Scope, origin: Origin = None, as_json: Json = False) -> None:
    """Make a key. Its secret is shown now and never again."""
    info, secret = keys.add(session(context).store, name, scope, origin or ())
    emit(
        _shown(info) | {"secret": secret},
        as_json,
        f"Key {info.name} ({info.scope}) is made. Its secret, shown only now:",
        secret,
    )


def list_keys(context: typer.Context, as_json: Json = False) -> None:
    """All keys, without their secrets."""
    found = keys.listing(session(context).store)
    emit({"keys": [_shown(info) for info in found]}, as_json, *([] if found else ["There is no key yet."]))
    if found and not as_json:
        rows = [
            (
                info.name,
                info.scope,
                " ".join(info.origins),
                moment(info.created_at),
                moment(info.revoked_at),
            )
            for info in found
        ]
        table(("name", "scope", "origins", "made", "revoked"), rows)


def revoke(context: typer.Context, name: Name, as_json: Json = False) -> None:
    """End a key, given by its name or id: the next request with it is refused."""
    info = keys.revoke(session(context).store, name)
    emit(_shown(info), as_json, f"Key {info.name} is revoked.")


def _shown(info: keys.KeyInfo) -> dict[str, Any]:
    return {
        "id": info.key_id,
        "name": info.name,
        "scope": info.scope,
        "origins": list(info.origins),
        "created_at": info.created_at,
        "revoked_at": info.revoked_at,
    }
