"""Commands for what people do to issues: each stands over all later refreshes, and `undo` takes it back."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from feedback_lab.cli.output import Json, emit
from feedback_lab.cli.session import session

if TYPE_CHECKING:
    from feedback_lab.issues.stored import Event

By = Annotated[str, typer.Option("--by", metavar="NAME", help="Your name, as it will stand in the history.")]
Issue = Annotated[str, typer.Argument(metavar="ISSUE", help="The issue's id.")]
Comments = Annotated[list[str], typer.Argument(metavar="COMMENT...", help="Feedback ids.")]


def rename(context: typer.Context, issue_id: Issue, title: str, by: By, as_json: Json = False) -> None:
    """Give an issue your title; no refresh changes it."""
    _act(context, as_json, lambda acts, store: acts.rename(store, issue_id, title, by))


def status(context: typer.Context, issue_id: Issue, to: str, by: By, as_json: Json = False) -> None:
    """Set open, acknowledged, fixing, watching, resolved or ignored."""
    _act(context, as_json, lambda acts, store: acts.set_status(store, issue_id, to, by))


def ignore(context: typer.Context, issue_id: Issue, by: By, as_json: Json = False) -> None:
    """Keep an issue out of the list."""
    _act(context, as_json, lambda acts, store: acts.ignore(store, issue_id, by))


def owner(
    context: typer.Context, issue_id: Issue, by: By, name: Annotated[str, typer.Argument()] = "", as_json: Json = False
) -> None:
    """Say who takes care of an issue; without a name, nobody."""
    _act(context, as_json, lambda acts, store: acts.set_owner(store, issue_id, name, by))


def note(
    context: typer.Context, issue_id: Issue, by: By, text: Annotated[str, typer.Argument()] = "", as_json: Json = False
) -> None:
    """Keep a note with an issue; without text, none."""
    _act(context, as_json, lambda acts, store: acts.set_note(store, issue_id, text, by))


def link(
    context: typer.Context, issue_id: Issue, by: By, url: Annotated[str, typer.Argument()] = "", as_json: Json = False
) -> None:
    """Point to where the work is tracked (http or https); without an address, nowhere."""
    _act(context, as_json, lambda acts, store: acts.set_link(store, issue_id, url, by))


def lock(context: typer.Context, issue_id: Issue, by: By, as_json: Json = False) -> None:
    """Let no refresh change an issue's comments, keywords and quotes."""
    _act(context, as_json, lambda acts, store: acts.lock(store, issue_id, by))


def unlock(context: typer.Context, issue_id: Issue, by: By, as_json: Json = False) -> None:
    """Let refreshes regroup an issue's comments again."""
    _act(context, as_json, lambda acts, store: acts.unlock(store, issue_id, by))


def accept(context: typer.Context, issue_id: Issue, by: By, as_json: Json = False) -> None:
    """Take a proposed issue into the list."""
    _act(context, as_json, lambda acts, store: acts.accept(store, issue_id, by))


def dismiss(context: typer.Context, issue_id: Issue, by: By, as_json: Json = False) -> None:
    """Refuse a proposed issue; the same comments are not proposed again."""
    _act(context, as_json, lambda acts, store: acts.dismiss(store, issue_id, by))


def merge(
    context: typer.Context,
    issue_id: Issue,
    into: Annotated[str, typer.Argument(metavar="INTO", help="The issue that stays.")],
    by: By,
    as_json: Json = False,
) -> None:
    """Make an issue a part of another one, with the comments that will come."""
    _act(context, as_json, lambda acts, store: acts.merge(store, issue_id, into, by))


def split(
    context: typer.Context,
    issue_id: Issue,
    by: By,
    comment: Annotated[list[str] | None, typer.Option("--comment", help="A feedback id; again for more.")] = None,
    sub: Annotated[int | None, typer.Option("--sub", help="The number of a sub-issue (see `show --json`).")] = None,
    title: Annotated[str | None, typer.Option("--title", help="The new issue's title.")] = None,
    as_json: Json = False,
) -> None:
    """Make a new issue of some of an issue's comments, or of one of its sub-issues."""
    from feedback_lab.issues import acts

    store = session(context).store
    fresh = acts.split(store, issue_id, by, feedback_ids=comment or (), sub_label=sub, title=title)
    emit({"issue_id": fresh}, as_json, f"The new issue is {fresh}.")


def move(
    context: typer.Context,
    into: Annotated[str, typer.Argument(metavar="INTO", help="The issue's id.")],
    comments: Comments,
    by: By,
    as_json: Json = False,
) -> None:
    """Put comments into an issue, where they stay."""
    _act(context, as_json, lambda acts, store: acts.move(store, comments, into, by))


def unassign(context: typer.Context, comments: Comments, by: By, as_json: Json = False) -> None:
    """Say that comments fit no issue."""
    _act(context, as_json, lambda acts, store: acts.unassign(store, comments, by))


def undo(
    context: typer.Context,
    by: By,
    event: Annotated[str | None, typer.Argument(metavar="[EVENT]", help="See `history`; else your latest act.")] = None,
    as_json: Json = False,
) -> None:
    """Take back your latest act on issues, or the one named."""
    from feedback_lab.issues import undoing

    undone = undoing.undo(session(context).store, by, event)
    emit({"undone": event_as_json(undone)}, as_json, f"Taken back: {undone.says}.")


COMMANDS: dict[str, Callable[..., None]] = {
    "rename": rename,
    "status": status,
    "owner": owner,
    "note": note,
    "link": link,
    "merge": merge,
    "split": split,
    "move": move,
    "unassign": unassign,
    "lock": lock,
    "unlock": unlock,
    "ignore": ignore,
    "accept": accept,
    "dismiss": dismiss,
    "undo": undo,
}


def event_as_json(event: Event) -> dict[str, Any]:
    """An event as the commands show it."""
    names = ("event_id", "happened_at", "actor", "action", "issue_id", "says", "undone_by")
    return {name: getattr(event, name) for name in names}


def _act(context: typer.Context, as_json: bool, act: Callable[[Any, Any], Event | None]) -> None:
    from feedback_lab.issues import acts

    event = act(acts, session(context).store)
    said = f"{event.says}." if event else "It was so already."
    emit({"event": event_as_json(event) if event else None}, as_json, said)
