"""What a running server leaves in home so that the command line finds it: `server.json`, readable by its owner only.

The token in it is made anew for each process and opens the owner's routes of the HTTP API, from this machine only.
"""

from __future__ import annotations

import ipaddress
import json
import os
import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

NOTE_NAME = "server.json"

_token = secrets.token_urlsafe(32)


@dataclass(frozen=True, slots=True)
class Note:
    """A running server: its process, its address, the owner's token, and the database that it holds."""

    pid: int
    url: str
    token: str
    database: str
    database_id: str


def owner_token() -> str:
    """The token of this process. It is never logged, and stands nowhere but in the note."""
    return _token


def is_this_machine(peer: str | None, own: str | None, header_names: Iterable[str]) -> bool:
    """Whether a request comes from this very machine: its peer is a loopback address or the server's `own` one.

    What a proxy handed on counts as foreign, because its first sender is unknown.
    """
    names = {name.lower() for name in header_names}
    if not peer or "forwarded" in names or any(name.startswith("x-forwarded-") for name in names):
        return False
    return peer == own or is_loopback(peer)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server that listens on `host`."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def write(home: Path, url: str, database: Path, database_id: str) -> Path:
    """Leave the note of this process in `home`, mode 0600; its path. Raises OSError where home cannot be written."""
    path = home / NOTE_NAME
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(asdict(Note(os.getpid(), url, _token, str(database), database_id)), file)
    return path


def read(home: Path) -> Note | None:
    """The note in `home`; None where there is none, or where it was left by another version or half written."""
    try:
        found = json.loads((home / NOTE_NAME).read_text(encoding="utf-8"))
        return Note(
            int(found["pid"]),
            str(found["url"]),
            str(found["token"]),
            str(found["database"]),
            str(found["database_id"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
