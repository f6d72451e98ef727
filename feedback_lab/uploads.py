"""Large files on their way into home: one-time tickets for browsers, the files under `home/uploads`, and their end.

A page asks for a ticket, the browser sends the file with it straight to the HTTP API, and the page takes the file
by its ticket. A file that nobody takes is removed.
"""

from __future__ import annotations

import hmac
import re
import secrets
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from feedback_lab.errors import DiskError, InputError
from feedback_lab.records import new_id

FOLDER = "uploads"
TICKET_LIFE_S = 3600.0
ABANDONED_AFTER_S = 12 * 3600.0
SPARE_BYTES = 200_000_000  # what the disk must still hold when the file is there: an import stages its rows
# The names of dropped files, and of rejected rows whose import was killed; what else is in the folder (rejected
# rows of whole imports) belongs to people.
ID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
KEPT_NAME = re.compile(rf"{ID}\.(csv|part)|rejected-{ID}\.csv\.part")


@dataclass(frozen=True, slots=True)
class Ticket:
    """The right to send one file, once, from the browser that the page was shown in."""

    upload_id: str
    token: str


@dataclass(slots=True)
class _Pending:
    ticket: Ticket
    browser: str
    ends: float
    used: bool = False
    path: Path | None = None


class Desk:
    """The tickets of a process. `clock` counts seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._pending: dict[str, _Pending] = {}

    def ticket(self, browser: str) -> Ticket:
        """A new ticket for `browser` (what tells one browser from another; "" where nothing does), good for an hour."""
        ticket = Ticket(new_id(), secrets.token_urlsafe(32))
        with self._lock:
            now = self._clock()
            # A file that came and was not taken stands on the disk until it counts as abandoned.
            self._pending = {
                known: one
                for known, one in self._pending.items()
                if now < one.ends + (ABANDONED_AFTER_S if one.path else 0)
            }
            self._pending[ticket.upload_id] = _Pending(ticket, browser, now + TICKET_LIFE_S)
        return ticket

    def redeem(self, upload_id: str, token: str, browser: str) -> bool:
        """Use a ticket up; False where it is unknown, foreign, used or too old."""
        with self._lock:
            known = self._pending.get(upload_id)
            if known is None or known.used or self._clock() >= known.ends:
                return False
            right = hmac.compare_digest(token.encode("utf-8", "replace"), known.ticket.token.encode())
            known.used = right and known.browser == browser
            return known.used

    def arrived(self, upload_id: str, path: Path) -> None:
        """The file of a redeemed ticket lies at `path`, whole."""
        with self._lock:
            if (known := self._pending.get(upload_id)) is not None:
                known.path = path

    def take(self, ticket: Ticket) -> Path | None:
        """The file that came with the ticket, once; None where none did. It is the caller's from here on."""
        with self._lock:
            known = self._pending.get(ticket.upload_id)
            if known is None or known.path is None or known.ticket != ticket:
                return None
            return self._pending.pop(ticket.upload_id).path


DESK = Desk()


def room_for(home: Path, size: int, limit: int) -> None:
    """Raise InputError where a file of `size` bytes is larger than `limit`, DiskError where the disk has no room."""
    if size > limit:
        raise InputError(
            f"The file has {size / 1e6:,.0f} MB, and at most {limit / 1e6:,.0f} MB are taken: split it, import it with "
            "the command line, or raise the setting upload_mb."
        )
    free = shutil.disk_usage(home).free
    if size + SPARE_BYTES > free:
        raise DiskError(
            f"The file needs {size / 1e6:,.0f} MB, and the disk of {home} has {free / 1e6:,.0f} MB left: make room."
        )


def remove_abandoned(home: Path, older_than_s: float = ABANDONED_AFTER_S) -> int:
    """Remove dropped files that nobody imported, in `home`; how many there were. 0 s: all, at a server's start."""
    removed = 0
    for path in (home / FOLDER).glob("*"):
        if not KEPT_NAME.fullmatch(path.name):
            continue
        try:
            if time.time() - path.stat().st_mtime >= older_than_s:
                path.unlink()
                removed += 1
        except OSError:
            continue  # taken away meanwhile, or not ours to remove
    return removed
