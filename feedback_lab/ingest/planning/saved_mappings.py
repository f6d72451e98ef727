"""Mappings that a human saved under a name, and found again by the columns of the next file."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete

from feedback_lab import audit, schema
from feedback_lab.errors import InputError
from feedback_lab.ingest.planning.plan import Plan
from feedback_lab.records import utc_now
from feedback_lab.store import Store

MAX_NAME = 100  # characters
LISTING = "SELECT name, plan, saved_at FROM import_mapping ORDER BY name"
NAMED = "SELECT plan FROM import_mapping WHERE name = :name"
OF_HEADER = "SELECT name, plan FROM import_mapping WHERE header_key = :key ORDER BY saved_at DESC, name LIMIT 1"


@dataclass(frozen=True, slots=True)
class SavedMapping:
    """A plan with its name and the moment (UTC) at which it was saved."""

    name: str
    plan: Plan
    saved_at: datetime


def save(store: Store, name: str, header: Sequence[str], plan: Plan, actor: str) -> None:
    """Keep the plan under this name for files with these columns, in any order; an older one of the name is replaced.

    Raises InputError for a name that is empty or longer than 100 characters.
    """
    check_name(name)
    name = name.strip()
    values = {"name": name, "header_key": header_key(header), "plan": _as_json(plan), "saved_at": utc_now()}

    def work(connection: Connection) -> None:
        connection.execute(delete(schema.import_mapping).where(schema.import_mapping.c.name == name))
        connection.execute(schema.import_mapping.insert().values(**values))
        audit.record(connection, actor, "save_mapping", name, plan=values["plan"])

    store.write(work)


def check_name(name: str) -> None:
    """Raise InputError for a name that a mapping cannot have."""
    if not 0 < len(name.strip()) <= MAX_NAME:
        raise InputError(f"A mapping needs a name of 1 to {MAX_NAME} characters: choose another.")


def listing(store: Store) -> list[SavedMapping]:
    """All saved mappings by name."""
    return [SavedMapping(row["name"], _plan(row["plan"]), row["saved_at"]) for row in store.rows(LISTING)]


def remove(store: Store, name: str, actor: str) -> None:
    """Forget a mapping; what was imported with it stays. Raises InputError where there is none of this name."""
    named(store, name)

    def work(connection: Connection) -> None:
        connection.execute(delete(schema.import_mapping).where(schema.import_mapping.c.name == name))
        audit.record(connection, actor, "remove_mapping", name)

    store.write(work)


def named(store: Store, name: str) -> Plan:
    """The plan of this name. Raises InputError where there is none."""
    rows = store.rows(NAMED, name=name)
    if not rows:
        names = ", ".join(repr(saved.name) for saved in listing(store)) or "none yet"
        raise InputError(f"There is no saved mapping {name!r}: saved are {names}.")
    return _plan(rows[0]["plan"])


def for_header(store: Store, header: Sequence[str]) -> tuple[str, Plan] | None:
    """Name and plan of the mapping that was saved last for a file with exactly these columns, in any order."""
    rows = store.rows(OF_HEADER, key=header_key(header))
    return (rows[0]["name"], _plan(rows[0]["plan"])) if rows else None


def merged(saved: Plan, given: Plan) -> Plan:
    """The saved plan, with what is given now in its place."""
    constants = {**saved.constants, **given.constants}
    columns = {name: column for name, column in saved.columns.items() if name not in given.constants}
    columns |= given.columns
    plain = Plan()
    said = {
        item.name: getattr(given, item.name)
        for item in dataclasses.fields(Plan)
        if getattr(given, item.name) != getattr(plain, item.name)
    }
    constants = {name: text for name, text in constants.items() if name not in given.columns}
    values = {name: words for name, words in {**saved.values, **given.values}.items() if name in columns}
    return dataclasses.replace(saved, **{**said, "columns": columns, "constants": constants, "values": values})


def header_key(header: Sequence[str]) -> str:
    """What files with the same columns share, whatever their order."""
    return hashlib.sha256(json.dumps(sorted(header)).encode(errors="surrogatepass")).hexdigest()


def _as_json(plan: Plan) -> Any:
    return json.loads(json.dumps(dataclasses.asdict(plan)))


def _plan(saved: Mapping[str, Any]) -> Plan:
    known = {item.name for item in dataclasses.fields(Plan)}
    values = {name: value for name, value in saved.items() if name in known}
    if values.get("scale") is not None:
        values["scale"] = tuple(values["scale"])
    return Plan(**values)
