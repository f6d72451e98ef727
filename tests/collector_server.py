"""The collector behind a real HTTP server in a thread of the test, on a store of the test's own."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import uvicorn
from starlette.types import Receive, Scope, Send

from feedback_lab import keys
from feedback_lab.collector import Collector
from feedback_lab.collector.limits import Buckets, Limits
from feedback_lab.knowledge import Files
from feedback_lab.serving import Lab
from feedback_lab.settings import load_settings
from feedback_lab.store import Store

PAGE = "https://shop.example"
OWNER_TOKEN = "the-owner's-token"


@dataclass
class Api:
    """A running collector: its address, its parts, and a secret a scope."""

    url: str
    store: Store
    collector: Collector
    secrets: dict[str, str]

    def call(self, method: str, path: str, scope: str | None = "ingest", **more: Any) -> httpx.Response:
        """One request with the key of this scope; public keys come from their page."""
        headers = dict(more.pop("headers", {}))
        if scope is not None:
            headers.setdefault("Authorization", f"Bearer {self.secrets[scope]}")
        if scope == "public-write":
            headers.setdefault("Origin", PAGE)
        return httpx.request(method, f"{self.url}/api{path}", headers=headers, timeout=30, **more)

    def post(self, path: str, value: Any, scope: str | None = "ingest", **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        return self.call("POST", path, scope, json=value, headers=named)

    def count(self, table: str) -> int:
        return int(self.store.scalar(f"SELECT count(*) FROM {table}"))


def lab_of(store: Store) -> Lab:
    settings = load_settings(store.home)
    return Lab(settings, store, Files(settings.knowledge_path, settings.instructions_path))


@contextmanager
def serving_collector(store: Store, limits: Limits | None = None, buckets: Buckets | None = None) -> Iterator[Api]:
    lab = lab_of(store)
    collector = Collector(lambda: lab, owner_token=lambda: OWNER_TOKEN, limits=limits, buckets=buckets)
    secrets = {scope: keys.add(store, scope, scope)[1] for scope in ("ingest", "read")}
    secrets |= {"public-write": keys.add(store, "page", "public-write", [PAGE])[1], "owner": OWNER_TOKEN}

    async def app(asked: Scope, receive: Receive, send: Send) -> None:
        await collector.api({**asked, "root_path": "/api"}, receive, send)

    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()  # who asks before the server has started waits for it
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        try:
            yield Api(f"http://127.0.0.1:{listening.getsockname()[1]}", store, collector, secrets)
        finally:
            server.should_exit = True
            thread.join(30)
            collector.close()
