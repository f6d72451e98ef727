"""A running Feedback Lab with a key of each scope, for tests of what talks to it from outside."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from feedback_lab import keys
from feedback_lab.keys import Scope
from feedback_lab.store import open_store
from tests.server import Server, start_server


@dataclass(frozen=True)
class Live:
    """A real server in a process of its own, and the secrets of its keys by scope."""

    server: Server
    secrets: dict[str, str]

    @property
    def url(self) -> str:
        return self.server.url

    def stored(self, kind: str, name: str) -> dict[str, Any] | None:
        """One interaction or feedback as the API shows it; None where there is none."""
        headers = {"Authorization": f"Bearer {self.secrets['read']}"}
        answer = httpx.get(f"{self.url}/api/v1/{kind}/{name}", headers=headers, timeout=20)
        return None if answer.status_code == 404 else answer.raise_for_status().json()


def start_live(home: Path, origins: tuple[str, ...] = ()) -> Live:
    """Make a lab with keys in `home` and serve it."""
    store = open_store(home)
    made = {
        "ingest": keys.add(store, "product", Scope.INGEST)[1],
        "read": keys.add(store, "assistant", Scope.READ)[1],
    }
    if origins:
        made["public"] = keys.add(store, "web page", Scope.PUBLIC_WRITE, origins)[1]
    store.close()
    return Live(start_server(home), made)
