"""Taking back what a human did to issues, where nothing later rests on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from feedback_lab import audit, schema
from feedback_lab.errors import InputError
from feedback_lab.issues import stored
from feedback_lab.issues.stored import SYSTEM, Event
from feedback_lab.store import Store, insert_rows

MOMENTS = ("resolved_at", "created_at")
RESTORE_SQL = """
    UPDATE issue_member SET placed_in = :place, issue_id = :place, moved_by = :moved_by, sub_label = :sub_label
    WHERE feedback_id IN (SELECT unnest(CAST(:ids AS VARCHAR[])))
"""


def undo(store: Store, actor: str, event_id: str | None = None) -> Event:
    """Take back an act: the one named, else the latest that `actor` did and nobody took back.

    Raises InputError where there is none, where it was undone already, or where a later act depends on it: then
    the sentence names that act, which must be undone first.
    """
    name = stored.person(actor)
    return store.write(lambda connection: _undo(connection, name, event_id))


def blocking(event: Event, later: Sequence[Event]) -> Event | None:
    """The latest of the acts after `event` that it cannot be undone without, or None.

    Such an act changed the same thing, needs what this one changed, or changed what this one needs or undoing it does:
    the places that its comments would go back to.
    """
    keys, needs, comments = _keys(event), _needs(event) | _places(event), _comments(event)
    for other in reversed(later):
        rests = keys & (_keys(other) | _needs(other)) or needs & _keys(other) or comments & _comments(other)
        if rests and not other.undone_by:
            return other
    return None


def _keys(event: Event) -> set[str]:
    return set(event.detail.get("keys", ()))


def _needs(event: Event) -> set[str]:
    return set(event.detail.get("needs", ()))


def _places(event: Event) -> set[str]:
    return {f"exists:{part['placed_in']}" for part in event.detail.get("members", ()) if part["placed_in"]}


def _undo(connection: Connection, actor: str, event_id: str | None) -> Event:
    events = stored.events(connection)
    event = _named(events, event_id) if event_id else _latest(events, actor)
    if (other := blocking(event, events[events.index(event) + 1 :])) is not None:
        if other.actor == SYSTEM:
            raise InputError(f"This cannot be undone any more: “{other.says}”. Set the status instead.")
        raise InputError(
            f"This cannot be undone yet: {other.actor} did “{other.says}” later, which rests on it; "
            f"undo that first (event {other.event_id})."
        )
    _restore(connection, event)
    connection.execute(
        text("UPDATE issue_event SET undone_by = :actor WHERE event_id = :event"),
        {"actor": actor, "event": event.event_id},
    )
    audit.record(connection, actor, f"undo issue {event.action}", event.issue_id, event_id=event.event_id)
    return event


def _named(events: Sequence[Event], event_id: str) -> Event:
    event = next((one for one in events if one.event_id == event_id), None)
    if event is None:
        raise InputError(f"There is no act {event_id!r}: `feedback-lab issues history` shows those that there are.")
    if event.undone_by:
        raise InputError(f"{event.undone_by} undid this already.")
    if event.actor == SYSTEM:
        raise InputError("Only what a person did can be undone: set the status, or dismiss the proposal.")
    return event


def _latest(events: Sequence[Event], actor: str) -> Event:
    own = [one for one in events if one.actor == actor and not one.undone_by]
    if not own:
        raise InputError(f"{actor} did nothing to issues that could be undone.")
    return own[-1]


def _restore(connection: Connection, event: Event) -> None:
    detail = event.detail
    insert_rows(connection, schema.issue, [_row(row) for row in detail.get("removed", ())])
    for issue_id, values in detail.get("before", {}).items():
        connection.execute(schema.issue.update().where(schema.issue.c.issue_id == issue_id).values(**_row(values)))
    if made := detail.get("made"):  # what was split off goes back into its whole, with what joined it since
        whole = {"merged_into": event.issue_id}
        connection.execute(schema.issue.update().where(schema.issue.c.issue_id == made).values(**whole))
    issues = stored.issue_rows(connection)
    for part in detail.get("members", ()):
        place = part["placed_in"] if part["placed_in"] in issues else None
        values = {"place": place, "moved_by": part["moved_by"], "sub_label": part["sub_label"], "ids": part["ids"]}
        connection.execute(text(RESTORE_SQL), values)
    places = {part["placed_in"] for part in detail.get("members", ())} - {None}
    root_of = stored.roots(issues)
    back = {one for one in detail.get("before", {}) if "merged_into" in detail["before"][one]}
    parts = {one for one, root in root_of.items() if root in back}
    stored.resettle(connection, sorted(places | parts | ({made} if made else set())))


def _comments(event: Event) -> set[str]:
    return {one for part in event.detail.get("members", ()) for one in part["ids"]}


def _row(values: Mapping[str, Any]) -> dict[str, Any]:
    """Columns as they were, with times from their text in JSON."""
    return {
        name: datetime.fromisoformat(value) if name in MOMENTS and isinstance(value, str) else value
        for name, value in values.items()
    }
