"""How many durable rows a second does the collector take, and how long does a sender wait?

    python benchmarks/collector.py [--seconds 8] [--connections 64] [--rows 1 3 20] [--stored 0] [--no-page]

Four parts, on the same machine in the same run. (1) A bare group-commit loop, without HTTP or checks: as many threads
as there are connections hand one row each to a thread that commits all that waits with one statement. (2) The smallest
HTTP server in front of the same loop: what one interpreter reaches with one row a request. (3) The real server in a
process of its own, and a load generator in another: each connection sends one request after the other and waits for
the 201. Afterwards every acknowledged id is looked for in the database. (4) 100 requests a second, sent on schedule
whatever the answers do: first alone, then while somebody clicks through the dashboard in a real browser, which first
competes with the server for the same cores and then leaves them to it, as a browser on another machine would. Times
count from the moment a request was due; how late the sender itself was stands beside them.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import bare
import uvloop
import visitor

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
TARGET = "targets: >= 2,500 rows/s, p99 < 100 ms, >= 0.6 x the bare loop; at 100 requests/s p99 < 50 ms"
WARM_UP_S = 5.0  # in which the rules' process starts and the libraries are loaded
HEAD = "{part:34}{rate:>10}{p50:>10}{p99:>10}{worst:>10}  {more}"


class Sender(asyncio.Protocol):
    """One connection that keeps alive: sends a request, answers the status and the milliseconds it took."""

    def __init__(self) -> None:
        self.answer: asyncio.Future[tuple[int, float]] | None = None
        self.buffer = b""
        self.sent = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport

    def send(self, request: bytes) -> "asyncio.Future[tuple[int, float]]":
        self.answer = asyncio.get_running_loop().create_future()
        self.sent = time.perf_counter()
        self.transport.write(request)
        return self.answer

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, found, body = self.buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        if len(body) >= length and self.answer:
            status = int(head[9:12])
            answer, self.answer, self.buffer = self.answer, None, b""
            if not answer.done():
                answer.set_result((status, time.perf_counter() - self.sent))

    def connection_lost(self, error: Exception | None) -> None:
        if self.answer and not self.answer.done():
            self.answer.set_result((0, time.perf_counter() - self.sent))


def request_of(secret: str, names: list[str]) -> bytes:
    items = [
        {
            "interaction_id": f"i-{hash(name) % 1000}",
            "feedback_id": name,
            "value": -1,
            "comment": bare.COMMENT,
            "user": f"user-{hash(name) % 5000}",
        }
        for name in names
    ]
    body = json.dumps(items[0] if len(items) == 1 else items).encode()
    head = (
        f"POST /api/v1/feedback HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {secret}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def closed_loop(port: int, secret: str, seconds: float, connections: int, rows: int) -> dict[str, Any]:
    """Every connection sends as fast as it is answered."""
    loop = asyncio.get_running_loop()
    senders = [(await loop.create_connection(Sender, "127.0.0.1", port))[1] for _ in range(connections)]
    acknowledged: list[str] = []
    waits: list[float] = []
    refused: list[int] = []
    begun = time.monotonic()

    async def send(number: int, sender: Sender) -> None:
        count = 0
        while time.monotonic() - begun < seconds:
            names = [f"f-{rows}-{number}-{count}-{place}" for place in range(rows)]
            count += 1
            status, waited = await sender.send(request_of(secret, names))
            waits.append(waited)
            if status == 201:
                acknowledged.extend(names)
            else:
                refused.append(status)

    await asyncio.gather(*(send(number, sender) for number, sender in enumerate(senders)))
    return {"ids": acknowledged, "waits": waits, "refused": refused, "seconds": time.monotonic() - begun}


async def open_loop(port: int, secret: str, seconds: float, each_second: int) -> dict[str, Any]:
    """Requests on schedule, each on a free connection; a late answer delays no other request."""
    loop = asyncio.get_running_loop()
    free = [(await loop.create_connection(Sender, "127.0.0.1", port))[1] for _ in range(32)]
    waits: list[float] = []
    late: list[float] = []
    refused: list[int] = []
    tasks = []
    begun = time.monotonic()

    async def connection() -> Sender:
        """One that the server has not closed for being idle, else a new one."""
        while free:
            sender = free.pop()
            if not sender.transport.is_closing():
                return sender
        return (await loop.create_connection(Sender, "127.0.0.1", port))[1]

    async def send(number: int, due: float) -> None:
        sender = await connection()
        request = request_of(secret, [f"o-{begun}-{number}"])
        late.append(time.monotonic() - due)
        status, _ = await sender.send(request)
        waits.append(time.monotonic() - due)
        free.append(sender)
        if status != 201:
            refused.append(status)

    for number in range(int(seconds * each_second)):
        due = begun + number / each_second
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        tasks.append(asyncio.create_task(send(number, due)))
    await asyncio.gather(*tasks)
    return {"waits": waits, "late": late, "refused": refused, "seconds": time.monotonic() - begun}


def load(pipe: Any, kind: str, *arguments: Any) -> None:
    """The load generator's own process."""
    work = closed_loop if kind == "closed" else open_loop
    pipe.send(uvloop.run(work(*arguments)))


def loaded(kind: str, *arguments: Any) -> dict[str, Any]:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=load, args=(theirs, kind, *arguments))
    process.start()
    result: dict[str, Any] = ours.recv()
    process.join()
    return result


@contextmanager
def server(home: Path) -> Iterator[int]:
    """`feedback-lab serve` on `home`; its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-c", "from feedback_lab.cli import main; main()", "--home", str(home), "serve"]
    with (home / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--no-browser", "--port", str(port)], cwd=ROOT, stdout=log, stderr=log,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        try:
            wait_for(port, process)
            yield port
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    import httpx

    for _ in range(600):
        assert process.poll() is None, "the server ended"
        with suppress(httpx.TransportError):
            if httpx.get(f"http://127.0.0.1:{port}/api/v1/health", timeout=2).status_code == 200:
                return
        time.sleep(0.1)
    raise AssertionError("the server did not answer within a minute")


def make_home(folder: Path, stored: int, world: bool) -> tuple[Path, str]:
    """A home with a key, and with `stored` rows or the sample world in it."""
    from feedback_lab import keys
    from feedback_lab.store import open_store

    home = folder / ("world" if world else "home")
    if world:
        from feedback_lab import demo

        demo.prepare(home)
    store = open_store(home)
    if stored:
        store.write(lambda c: c.exec_driver_sql(
            "INSERT INTO feedback (feedback_id, interaction_id, kind, received_at, population, source) SELECT "
            f"md5(CAST(i AS VARCHAR)), 'old', 'signal', TIMESTAMP '2026-01-01', 'test', 'old' FROM range({stored}) t(i)"
        ) and None)  # fmt: skip
    _, secret = keys.add(store, "benchmark", "ingest")
    store.close()
    return home, secret


def show(part: str, count: int, seconds: float, waits: list[float], more: str = "") -> None:
    p50, p99, worst = (percentile(waits, share) for share in (0.5, 0.99, 1))
    rate = f"{count / seconds:,.0f}"
    print(
        HEAD.format(part=part, rate=rate, p50=f"{p50:.1f}", p99=f"{p99:.1f}", worst=f"{worst:.0f}", more=more),
        flush=True,
    )


def percentile(seconds: list[float], share: float) -> float:
    """In milliseconds."""
    return sorted(seconds)[min(int(len(seconds) * share), len(seconds) - 1)] * 1e3


def check(home: Path, ids: list[str]) -> str:
    """Whether each acknowledged id is stored exactly once."""
    from feedback_lab.store import open_store

    store = open_store(home)
    stored = [row["feedback_id"] for row in store.rows("SELECT feedback_id FROM feedback WHERE source = 'api'")]
    store.close()
    lost, doubled = len(set(ids) - set(stored)), len(stored) - len(set(stored))
    return f"{len(ids):,} acknowledged, {lost} lost, {doubled} doubled, {len(set(stored) - set(ids))} never heard of"


def main() -> None:
    parser = argparse.ArgumentParser(description="Benchmark of the collector.")
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--rows", type=int, nargs="*", default=[1, 3, 20], help="rows a request")
    parser.add_argument("--stored", type=int, default=0, help="rows that are stored before")
    parser.add_argument("--no-page", action="store_true")
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    print(TARGET)
    print(HEAD.format(part="", rate="rows/s", p50="p50 ms", p99="p99 ms", worst="worst", more=""))
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        folder = Path(name)
        count, waits = bare.loop(folder, given.seconds / 2, given.connections)
        base = count / (given.seconds / 2)
        show("bare group-commit loop", count, given.seconds / 2, waits)
        with bare.server(folder) as port:
            found = loaded("closed", port, "none", given.seconds / 2, given.connections, 1)
            smallest = len(found["ids"]) / found["seconds"]
            show(
                "bare HTTP server", len(found["ids"]), found["seconds"], found["waits"], f"{smallest / base:.2f} x loop"
            )
        home, secret = make_home(folder, given.stored, world=False)
        ids: list[str] = []
        with server(home) as port:
            loaded("open", port, secret, 1, 20)
            for rows in given.rows:
                found = loaded("closed", port, secret, given.seconds, given.connections, rows)
                ids += found["ids"]
                done = len(found["ids"])
                rate = done / found["seconds"]
                more = f"{rate / base:.2f} x loop, {rate / smallest:.2f} x HTTP, {len(found['refused'])} refused"
                show(f"{rows} a request, {given.connections} connections", done, found["seconds"], found["waits"], more)
        print(" " * 4 + check(home, ids))
        if not given.no_page:
            under_page(folder, given.seconds)


def under_page(folder: Path, seconds: float) -> None:
    home, secret = make_home(folder, 0, world=True)
    with server(home) as port:
        loaded("open", port, secret, WARM_UP_S, 100)
        scheduled("100 requests/s, no page open", port, secret, seconds)
        with visitor.visitor(port) as someone:
            scheduled("pages in use, browser competes", port, secret, seconds * 2, someone)
            someone.yield_cores()
            someone.wait_for(1)
            scheduled("pages in use, browser yields", port, secret, seconds * 2, someone)


def scheduled(part: str, port: int, secret: str, seconds: float, someone: visitor.Visitor | None = None) -> None:
    before = someone.visits if someone else 0
    found = loaded("open", port, secret, seconds, 100)
    more = f"sender late p99 {percentile(found['late'], 0.99):.1f}, {len(found['refused'])} refused"
    more += f", {someone.visits - before} page visits" if someone else ""
    show(part, len(found["waits"]), found["seconds"], found["waits"], more)


if __name__ == "__main__":
    main()
