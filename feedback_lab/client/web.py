"""Requests to a collector: one answer whatever happens, never an exception."""

from __future__ import annotations

import urllib.error
import urllib.request
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from gzip import compress
from http.client import HTTPException
from typing import Any, NamedTuple

GZIP_FROM = 1_000  # bytes
MOST_WORDS = 8_000_000  # bytes of an answer that are read
LONGEST_RETRY_AFTER = 300.0  # seconds
LATER = (408, 429)  # of 4xx, only these are worth another try


class Answer(NamedTuple):
    """What the collector said; `status` is 0 where it said nothing."""

    status: int
    words: bytes = b""
    retry_after: float = 0.0

    @property
    def good(self) -> bool:
        """Whether the collector did what it was asked."""
        return 200 <= self.status < 300

    @property
    def final(self) -> bool:
        """Whether asking again would bring the same answer."""
        return self.good or (400 <= self.status < 500 and self.status not in LATER)

    def __str__(self) -> str:
        words = " ".join(self.words[:300].decode(errors="replace").split())
        return f"{self.status or 'no answer'} {words}".strip()


class Web:
    """Requests to one collector. A redirect is an answer like any other, because it would lead the key elsewhere."""

    def __init__(self, url: str, key: str) -> None:
        self.url = url
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        self._opener = urllib.request.build_opener(_NoRedirect)

    def ask(self, path: str, body: bytes | None, timeout: float) -> Answer:
        """The answer to a GET, or to a POST of `body`. Never raises."""
        headers = dict(self._headers)
        if body is not None and len(body) >= GZIP_FROM:
            body = compress(body, 5)
            headers["Content-Encoding"] = "gzip"
        try:
            request = urllib.request.Request(f"{self.url}/api/v1/{path}", body, headers)
            with self._opener.open(request, timeout=timeout) as reply:
                return Answer(reply.status, reply.read(MOST_WORDS))
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.read(MOST_WORDS), _seconds(error.headers.get("Retry-After")))
        except (OSError, HTTPException, ValueError) as error:
            return Answer(0, str(error).encode())


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def _seconds(retry_after: str | None) -> float:
    """The wait that a Retry-After header asks for, at most five minutes."""
    if retry_after is None:
        return 0.0
    try:
        moment = parsedate_to_datetime(retry_after)
        wanted = (moment.astimezone(UTC) - datetime.now(UTC)).total_seconds()
    except ValueError:
        wanted = float(retry_after) if retry_after.isascii() and retry_after.isdigit() else 0.0
    return min(max(wanted, 0.0), LONGEST_RETRY_AFTER)
