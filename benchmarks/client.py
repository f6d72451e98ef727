"""What the Python client costs the product that uses it: with the collector up, down, and hanging.

Run: python benchmarks/client.py [--calls 2000] [--rounds 5]. A product's call waits 1 ms (its model) and answers 2,000
characters; with the client each call is recorded and gets a thumb. The four cases take turns, so that the machine's
other work falls on all of them. Printed are the times of whole calls, and the time that the product's thread spends in
the client alone, which is what a call pays.
"""

from __future__ import annotations

import argparse
import socket
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from feedback_lab.client import Client
from tests.live_server import start_live

ANSWER = "Your parcel is in the post, and it will be with you tomorrow. " * 33
QUESTION = "Where is my parcel? It should have been here a week ago, and nobody answers. " * 6


def model(question: str) -> str:
    time.sleep(0.001)
    return ANSWER


@contextmanager
def hanging() -> Iterator[str]:
    """An address that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def recorded(client: Client) -> Callable[[str], float]:
    """One call with everything that the client does in it; answers the seconds spent in the client."""

    def call(question: str) -> float:
        began = time.perf_counter()
        recording = client.recording(question, model="heron-1", session_id="s1", user="ann").__enter__()
        spent = time.perf_counter() - began
        recording.output = model(question)
        began = time.perf_counter()
        recording.__exit__(None, None, None)
        client.feedback(recording.interaction_id, "up", user="ann")
        return spent + time.perf_counter() - began

    return call


def bare(question: str) -> float:
    model(question)
    return 0.0


def measure(call: Callable[[str], float], calls: int) -> tuple[list[float], list[float]]:
    """Milliseconds of each whole call, and of the client in it."""
    whole, inside = [], []
    for _ in range(calls):
        began = time.perf_counter()
        spent = call(QUESTION)
        whole.append((time.perf_counter() - began) * 1_000)
        inside.append(spent * 1_000)
    return whole, inside


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--calls", type=int, default=2_000)
    options.add_argument("--rounds", type=int, default=5)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder, hanging() as nowhere:
        live = start_live(Path(folder) / "home")
        clients = {
            "collector up": Client(live.url, live.secrets["ingest"]),
            "collector down": Client("http://127.0.0.1:9", "fl_key", exit_timeout=0),
            "collector hangs": Client(nowhere, "fl_key", exit_timeout=0),
        }
        cases = {"no client": bare} | {name: recorded(client) for name, client in clients.items()}
        whole: dict[str, list[float]] = {name: [] for name in cases}
        inside: dict[str, list[float]] = {name: [] for name in cases}
        for _ in range(given.rounds):
            for name, call in cases.items():
                times, spent = measure(call, given.calls)
                whole[name] += times
                inside[name] += spent
        clients["collector up"].flush(60)
        print_table(whole, inside, clients)
        for client in clients.values():
            client.close(0)
        live.server.stop()


def print_table(whole: dict[str, list[float]], inside: dict[str, list[float]], clients: dict[str, Client]) -> None:
    print("| case | call p50 ms | p99 | p99.9 | in the client p50 ms | p99 | p99.9 | max | sent | waiting | dropped |")
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for name, times in whole.items():
        called, spent = (statistics.quantiles(values, n=1_000) for values in (times, inside[name]))
        cells = [f"{called[place]:.3f}" for place in (499, 989, 998)]
        if name in clients:
            stats = clients[name].stats
            cells += [f"{spent[place]:.3f}" for place in (499, 989, 998)] + [f"{max(inside[name]):.2f}"]
            cells += [f"{count:,}" for count in (stats.sent, stats.waiting, stats.dropped)]
        print(f"| {name} | {' | '.join(cells + [''] * (10 - len(cells)))} |")


if __name__ == "__main__":
    main()
