"""Kill the server while products send: what was acknowledged is there, once, and can be sent again."""

import signal
import threading
from pathlib import Path

import httpx

from feedback_lab import keys
from feedback_lab.store import open_store
from tests.server import Server, start_server

SENDERS = 16
ENOUGH = 150  # acknowledgements, then the server is killed


def send_until_killed(server: Server, secret: str, round_: int) -> tuple[set[str], set[str]]:
    """The ids that were acknowledged, and those that were sent, up to a kill in the middle of it."""
    acknowledged: set[str] = set()
    sent: set[str] = set()
    enough = threading.Event()

    def send(number: int) -> None:
        with httpx.Client(headers={"Authorization": f"Bearer {secret}"}, timeout=60) as client:
            for count in range(10_000):
                name = f"{round_}-{number}-{count}"
                sent.add(name)
                item = {"interaction_id": f"i{count}", "feedback_id": name, "value": -1, "comment": "It is dark."}
                try:
                    answer = client.post(f"{server.url}/api/v1/feedback", json=item)
                except httpx.TransportError:
                    return
                assert answer.status_code == 201, answer.text
                acknowledged.add(name)
                if len(acknowledged) >= ENOUGH:
                    enough.set()

    threads = [threading.Thread(target=send, args=(number,)) for number in range(SENDERS)]
    for thread in threads:
        thread.start()
    assert enough.wait(60)
    server.process.send_signal(signal.SIGKILL)
    for thread in threads:
        thread.join(60)
    server.process.wait(30)
    return acknowledged, sent


def test_after_a_kill_every_acknowledged_feedback_is_stored_once(tmp_path: Path) -> None:
    home = tmp_path / "home"
    store = open_store(home)
    _, secret = keys.add(store, "product", "ingest")
    store.close()
    acknowledged: set[str] = set()
    sent: set[str] = set()
    for round_ in range(2):
        acked, tried = send_until_killed(start_server(home), secret, round_)
        acknowledged |= acked
        sent |= tried
        store = open_store(home)
        assert store.damage is None
        names = [row["feedback_id"] for row in store.rows("SELECT feedback_id FROM feedback")]
        store.close()
        assert len(names) == len(set(names))
        assert acknowledged <= set(names) <= sent

    server = start_server(home)
    again = [{"interaction_id": f"i{name.split('-')[2]}", "feedback_id": name, "value": -1, "comment": "It is dark."}
             for name in sorted(sent)]  # fmt: skip
    answer = httpx.post(
        f"{server.url}/api/v1/feedback", json=again, headers={"Authorization": f"Bearer {secret}"}, timeout=60
    )
    server.stop()
    assert answer.status_code in (200, 201)
    assert answer.json()["rejected"] == 0
    store = open_store(home)
    assert {row["feedback_id"] for row in store.rows("SELECT feedback_id FROM feedback")} == sent
    store.close()
