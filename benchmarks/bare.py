"""What the collector is compared with: the same rows into the same table by a loop that commits all that waits.

`loop` hands the rows to it from threads, `server` from the smallest HTTP server that the same parts make (uvicorn,
httptools, uvloop): no key, no limits, no checks, one JSON body a row.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import queue
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

COLUMNS = {
    "feedback_id": "VARCHAR",
    "interaction_id": "VARCHAR",
    "kind": "VARCHAR",
    "value": "DOUBLE",
    "scale_min": "DOUBLE",
    "scale_max": "DOUBLE",
    "polarity": "VARCHAR",
    "comment": "VARCHAR",
    "suggested_answer": "VARCHAR",
    "created_at": "TIMESTAMP",
    "received_at": "TIMESTAMP",
    "rater_hash": "VARCHAR",
    "population": "VARCHAR",
    "source": "VARCHAR",
    "metadata": "JSON",
    "batch_id": "VARCHAR",
}
COMMENT = "It is closed at night."
INSERT = "INSERT INTO feedback SELECT " + ", ".join(f"unnest(?::{kind}[])" for kind in COLUMNS.values())
Row = tuple[Any, ...]


class GroupCommit:
    """Rows from anywhere into one table: everything that waits goes into one commit, and is answered after it."""

    def __init__(self, path: Path, answer: Callable[[list[Any]], None]) -> None:
        """`answer` is told what came with the rows that are on disk now."""
        import duckdb

        self.connection = duckdb.connect(str(path))
        columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
        self.connection.execute(f"CREATE TABLE feedback ({columns}, PRIMARY KEY (feedback_id))")
        self._answer = answer
        self._waiting: queue.SimpleQueue[tuple[Row, Any] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def put(self, feedback_id: str, interaction_id: str, comment: str, whom: Any) -> None:
        said = ("thumb", -1.0, None, None, "negative", comment, None, None, datetime.now(), "user", "user", "api")
        self._waiting.put(((feedback_id, interaction_id, *said, None, None), whom))

    def close(self) -> int:
        """Store what waits; how many rows there are."""
        self._waiting.put(None)
        self._thread.join()
        return int(self.connection.execute("SELECT count(*) FROM feedback").fetchall()[0][0])

    def _run(self) -> None:
        going = True
        while going:
            found = [self._waiting.get()]
            with suppress(queue.Empty):
                while True:
                    found.append(self._waiting.get_nowait())
            going = None not in found
            rows = [one for one in found if one is not None]
            if rows:
                self.connection.execute("BEGIN")
                self.connection.execute(
                    INSERT, [list(column) for column in zip(*(row for row, _ in rows), strict=True)]
                )
                self.connection.execute("COMMIT")
                self._answer([whom for _, whom in rows])


def loop(folder: Path, seconds: float, connections: int) -> tuple[int, list[float]]:
    """Rows committed, and how long each of them waited; as many threads as connections."""
    commits = GroupCommit(folder / "bare.duckdb", lambda events: [event.set() for event in events] and None)
    waits: list[float] = []
    stop = time.monotonic() + seconds

    def send(number: int) -> None:
        count = 0
        while time.monotonic() < stop:
            done = threading.Event()
            begun = time.perf_counter()
            commits.put(f"f-{number}-{count}", f"i-{count % 1000}", COMMENT, done)
            done.wait()
            waits.append(time.perf_counter() - begun)
            count += 1

    threads = [threading.Thread(target=send, args=(number,)) for number in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert commits.close() == len(waits), "every acknowledged row is stored once"
    return len(waits), waits


@contextmanager
def server(folder: Path) -> Iterator[int]:
    """The smallest server, in a process of its own; its port."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()  # who asks before the server has started waits for it
        process = multiprocessing.Process(target=_serve, args=(listening, folder / "bare-server.duckdb"))
        process.start()
        try:
            yield int(listening.getsockname()[1])
        finally:
            process.terminate()
            process.join()


def _serve(listening: socket.socket, path: Path) -> None:
    import uvicorn

    sys.setswitchinterval(0.0005)  # as in the real server

    def settle(answers: list[asyncio.Future[None]]) -> None:
        for answer in answers:
            answer.set_result(None)

    commits = GroupCommit(path, lambda answers: answers[0].get_loop().call_soon_threadsafe(settle, answers) and None)
    body = b'{"new":1}'
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]

    async def app(scope: Any, receive: Any, send: Any) -> None:
        given = json.loads((await receive())["body"])
        answer = asyncio.get_running_loop().create_future()
        commits.put(given["feedback_id"], given["interaction_id"], given["comment"], answer)
        await answer
        await send({"type": "http.response.start", "status": 201, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    config = uvicorn.Config(app, http="httptools", loop="uvloop", lifespan="off", access_log=False, log_level="error")
    uvicorn.Server(config).run(sockets=[listening])
