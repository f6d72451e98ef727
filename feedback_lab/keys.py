"""Keys of the HTTP API: made once, shown once, stored as a hash, revocable at once.

A secret is `fl_` and 256 random bits, so its plain SHA-256 cannot be reversed and needs no salt, and how long the
search for a hash takes tells nothing of the secret.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, text

from feedback_lab import audit, schema
from feedback_lab.errors import InputError
from feedback_lab.records import new_id, utc_now
from feedback_lab.store import Store

PREFIX = "fl_"
MAX_NAME = 100
# What a browser sends as Origin: scheme, host, and a port that is not the scheme's own; no path.
ORIGIN = re.compile(r"(http|https)://([a-z0-9.-]+|\[[0-9a-f:]+\])(:[1-9][0-9]{0,4})?")


class Scope(StrEnum):
    """What a key may do. `public-write` may be read by anyone who sees the page, so it only adds feedback."""

    INGEST = "ingest"
    READ = "read"
    PUBLIC_WRITE = "public-write"
    OWNER = "owner"  # the running server's own token; no key is ever made with it


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """A key without its secret. `origins` are the pages that may use a public-write key."""

    key_id: str
    name: str
    scope: Scope
    origins: tuple[str, ...]
    created_at: datetime
    revoked_at: datetime | None = None


class Keyring:
    """The live keys of a store, in memory; changes made in this process count from the next question on.

    One process owns the database, so all changes are made in it or while it is not running.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._seen = -1
        self._by_hash: dict[str, KeyInfo] = {}

    def check(self, secret: str) -> KeyInfo | None:
        """The live key with this secret, None for any other text."""
        return self._live().get(_hash(secret))

    def is_of(self, store: Store) -> bool:
        """Whether these are the keys of `store`."""
        return self._store is store

    def origins(self) -> frozenset[str]:
        """The origins of all live public-write keys."""
        return frozenset(origin for info in self._live().values() for origin in info.origins)

    def _live(self) -> dict[str, KeyInfo]:
        change = _changes.get(self._store, 0)
        if change != self._seen:
            rows = self._store.rows("SELECT * FROM api_key WHERE revoked_at IS NULL")
            self._by_hash = {row["secret_sha256"]: _info(row) for row in rows}
            self._seen = change
        return self._by_hash


# How often the keys of a store were changed in this process.
_changes: WeakKeyDictionary[Store, int] = WeakKeyDictionary()
_counting = threading.Lock()


def add(store: Store, name: str, scope: str, origins: Sequence[str] = ()) -> tuple[KeyInfo, str]:
    """Make a key; answers it with its secret, which is kept nowhere. Raises InputError for what cannot be used."""
    wording = " ".join(name.split())
    if not wording or len(wording) > MAX_NAME or not wording.isprintable():
        raise InputError(f"A key's name must have 1 to {MAX_NAME} visible characters.")
    if scope not in (Scope.INGEST, Scope.READ, Scope.PUBLIC_WRITE):
        raise InputError(f"There is no scope {scope!r}: choose ingest, read or public-write.")
    allowed = tuple(dict.fromkeys(_origin(origin) for origin in origins))
    if (scope == Scope.PUBLIC_WRITE) != bool(allowed):
        raise InputError("A public-write key needs at least one --origin https://your.site; other keys take none.")
    secret = PREFIX + secrets.token_urlsafe(32)
    info = KeyInfo(new_id(), wording, Scope(scope), allowed, utc_now())

    def work(connection: Connection) -> None:
        taken = "SELECT 1 FROM api_key WHERE name = :name AND revoked_at IS NULL"
        if connection.execute(text(taken), {"name": wording}).first():
            raise InputError(f"There is a key {wording!r} already: revoke it first, or choose another name.")
        connection.execute(
            schema.api_key.insert().values(
                key_id=info.key_id,
                name=wording,
                scope=str(info.scope),
                secret_sha256=_hash(secret),
                origins=list(allowed),
                created_at=info.created_at,
            )
        )
        audit.record(connection, "cli", "add key", info.key_id, name=wording, scope=scope)

    store.write(work)
    _changed(store)
    return info, secret


def revoke(store: Store, name: str) -> KeyInfo:
    """End the live key with this name or id, from the next request on. Raises InputError where there is none."""
    moment = utc_now()

    def work(connection: Connection) -> dict[str, Any]:
        sql = "UPDATE api_key SET revoked_at = :now WHERE (name = :name OR key_id = :name) AND revoked_at IS NULL"
        row = connection.execute(text(f"{sql} RETURNING *"), {"now": moment, "name": name}).mappings().first()
        if row is None:
            raise InputError(f"There is no live key {name!r}: `feedback-lab keys list` shows them.")
        audit.record(connection, "cli", "revoke key", row["key_id"], name=row["name"])
        return dict(row)

    row = store.write(work)
    _changed(store)
    return _info(row)


def listing(store: Store) -> list[KeyInfo]:
    """All keys, the revoked ones too, oldest first."""
    return [_info(row) for row in store.rows("SELECT * FROM api_key ORDER BY created_at, key_id")]


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _changed(store: Store) -> None:
    with _counting:
        _changes[store] = _changes.get(store, 0) + 1


def _origin(origin: str) -> str:
    found = origin.strip().lower().removesuffix("/")
    if not ORIGIN.fullmatch(found):
        raise InputError(f"{origin!r} is no origin: write it like https://www.example.com, without a path.")
    scheme, _, host = found.partition("://")
    return f"{scheme}://{host.removesuffix(':443' if scheme == 'https' else ':80')}"


def _info(row: dict[str, Any]) -> KeyInfo:
    origins = json.loads(row["origins"]) if isinstance(row["origins"], str) else row["origins"] or []
    return KeyInfo(
        row["key_id"], row["name"], Scope(row["scope"]), tuple(origins), row["created_at"], row["revoked_at"]
    )
