"""A collector that answers what a test tells it to: it can refuse, fail, ask for patience, hang, or be away."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Reply = tuple[int, dict[str, str], object]
STORED: Reply = (201, {}, {"results": []})


@dataclass
class FakeCollector:
    """What came in, and what to answer: `replies` first, one a request, then `otherwise`."""

    url: str = ""
    replies: list[Reply] = field(default_factory=list)
    otherwise: Callable[[str, list[dict[str, Any]]], Reply] = lambda path, records: STORED
    requests: list[tuple[str, dict[str, str], list[dict[str, Any]]]] = field(default_factory=list)
    came: threading.Condition = field(default_factory=threading.Condition)
    hanging: threading.Event | None = None

    def records(self, route: str) -> list[dict[str, Any]]:
        with self.came:
            return [record for path, _, records in self.requests if path.endswith(route) for record in records]

    def wait_for(self, count: int, patience: float = 20.0) -> None:
        with self.came:
            assert self.came.wait_for(lambda: len(self.requests) >= count, patience), self.requests


@contextmanager
def fake_collector(port: int = 0) -> Iterator[FakeCollector]:
    fake = FakeCollector()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer([])

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.answer(json.loads(gzip.decompress(body) if self.headers["Content-Encoding"] == "gzip" else body))

        def answer(self, records: list[dict[str, Any]]) -> None:
            with fake.came:
                fake.requests.append((self.path, dict(self.headers), records))
                status, headers, content = fake.replies.pop(0) if fake.replies else fake.otherwise(self.path, records)
                fake.came.notify_all()
            if fake.hanging is not None:
                fake.hanging.wait(60)
            words = json.dumps(content).encode()
            self.send_response(status)
            for name, value in {"Content-Length": str(len(words)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(words)

        def log_message(self, *_: object) -> None:
            pass

        def handle(self) -> None:
            with suppress(OSError):  # the client went away
                super().handle()

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    fake.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield fake
    finally:
        if fake.hanging is not None:
            fake.hanging.set()
        server.shutdown()
        server.server_close()
        thread.join()
