"""The Python client with a real server: what a product does in its first ten minutes, and thumbs in Streamlit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from streamlit.testing.v1 import AppTest

from feedback_lab.client import Client
from feedback_lab.store import open_store
from tests.live_server import Live, start_live
from tests.server import ROOT

KNOWLEDGE = (
    '{"entry_id": "K-1", "question": "How do I reset my password?", "answer": "Use the link Forgot password.", '
    '"status": "active", "version": 1, "scope": "", "sources": [], "decided_by": "ann", '
    '"decided_at": "2026-11-20T10:00:00Z"}\n'
)


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    home = tmp_path_factory.mktemp("client") / "home"
    home.mkdir()
    (home / "knowledge.jsonl").write_text(KNOWLEDGE, "utf-8")
    running = start_live(home)
    yield running
    running.server.stop()


@pytest.fixture
def client(live: Live) -> Iterator[Client]:
    with Client(live.url, live.secrets["ingest"], recall_key=live.secrets["read"], flush_interval=0.05) as made:
        yield made


def test_what_a_product_records_is_stored_as_it_said_it(live: Live, client: Client) -> None:
    @client.recorded(model="heron-1", prompt_version="v4", user="ann", tags={"plan": "free"})
    def answer(question: str) -> Iterator[str]:
        yield from ("Call ", "us.")

    assert "".join(answer("How do I reset my password?")) == "Call us."
    name = client.last_id()
    said = client.feedback(name, "down", comment="Nobody answers", suggested_answer="Use the link.", user="ann")
    rated = client.feedback(name, 2, scale=(1, 5), user="ben")

    assert client.flush(20)
    assert client.stats == (0, 3, 0, 0)
    stored, thumb, stars = (
        live.stored(*what) for what in (("interactions", name), ("feedback", said), ("feedback", rated))
    )
    assert stored is not None
    assert thumb is not None
    assert stars is not None
    assert (stored["input"], stored["output"]) == ("How do I reset my password?", "Call us.")
    assert (stored["model"], stored["prompt_version"], stored["tags"]) == ("heron-1", "v4", {"plan": "free"})
    assert stored["metadata"]["latency_ms"] >= stored["metadata"]["first_piece_ms"]
    assert (thumb["interaction_id"], thumb["value"], thumb["comment"]) == (name, -1, "Nobody answers")
    assert thumb["rater_hash"] == stored["user_hash"] != stars["rater_hash"]
    assert (stars["kind"], stars["value"], stars["scale_max"], stars["polarity"]) == ("rating", 2, 5, "negative")


def test_sending_again_what_was_stored_adds_nothing(live: Live, client: Client) -> None:
    name = client.interaction("Again?", "Yes.", interaction_id="req-1", created_at="2026-11-21T09:30:00Z")
    client.interaction("Again?", "Yes.", interaction_id=name, created_at="2026-11-21T09:30:00Z")
    client.interaction("Another?", "Yes.", interaction_id=name, created_at="2026-11-21T09:30:00Z")

    assert client.flush(20)
    assert client.stats == (0, 2, 0, 1)


def test_what_the_collector_cannot_take_is_counted_and_the_rest_is_stored(live: Live, client: Client) -> None:
    good = client.interaction("fine")
    client.interaction("not fine", colour="red")

    assert client.flush(20)
    assert client.stats == (0, 1, 0, 1)
    assert live.stored("interactions", good) is not None


def test_the_first_program_of_the_documentation_works(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (ROOT / "docs" / "clients.md").read_text("utf-8")
    program = page.split("```python\n")[1].split("```")[0]
    monkeypatch.setenv("FEEDBACK_LAB_URL", live.url)
    monkeypatch.setenv("FEEDBACK_LAB_KEY", live.secrets["ingest"])
    names: dict[str, Any] = {"model": lambda question: "Call us."}
    exec(program, names)

    assert names["client"].flush(20)
    assert names["client"].stats == (0, 2, 0, 0)
    stored = live.stored("interactions", names["answer_id"])
    assert stored is not None
    assert (stored["input"], stored["output"]) == ("How do I reset my password?", "Call us.")
    names["client"].close()


def test_a_correction_is_recalled(client: Client) -> None:
    (hit,) = client.recall("reset my password please", k=1, timeout=20)

    assert (hit["entry_id"], hit["answer"]) == ("K-1", "Use the link Forgot password.")


def test_thumbs_and_stars_of_a_streamlit_app_arrive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    live = start_live(tmp_path / "home")
    monkeypatch.setenv("FEEDBACK_LAB_URL", live.url)
    monkeypatch.setenv("FEEDBACK_LAB_KEY", live.secrets["ingest"])
    app = AppTest.from_file(str(Path(__file__).with_name("streamlit_product.py")), default_timeout=60).run()
    app.chat_input[0].set_value("rain").run()
    app.feedback[0].set_value(0).run()
    app.feedback[1].set_value(4).run()
    app.feedback[0].set_value(None).run()  # the thumb is taken back: what was said was said
    assert not app.exception
    lab: Client = app.session_state["lab"]
    assert lab.flush(20)
    assert lab.stats == (0, 3, 0, 0)
    lab.close()
    live.server.stop()

    store = open_store(tmp_path / "home")
    rows = store.rows("SELECT output, kind, value, scale_max FROM feedback JOIN interaction USING (interaction_id)")
    store.close()
    assert sorted((row["output"], row["kind"], row["value"], row["scale_max"]) for row in rows) == [
        ("About rain: call us.", "rating", 5, 5),
        ("About rain: call us.", "thumb", -1, None),
    ]


def test_the_log_of_the_server_holds_neither_keys_nor_what_people_wrote(live: Live) -> None:
    canary = "the-canary-sang"
    feedback, traces = f"{live.url}/api/v1/feedback", f"{live.url}/api/otlp/v1/traces"
    named = {"Authorization": f"Bearer {live.secrets['ingest']}", "Content-Type": "application/json"}
    said = {"interaction_id": canary, "feedback_id": canary, "value": -1, "comment": canary, "user": canary}
    span = {"traceId": canary, "spanId": canary, "startTimeUnixNano": f"--5{canary}", "endTimeUnixNano": "--5"}
    bodies: list[Any] = [said, {**said, "comment": f"{canary}!"}, {canary: canary}, [canary], {**said, "value": canary}]
    bodies += [{"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}, {**said, "created_at": canary}]
    for body in bodies:
        for url in (feedback, traces):
            assert httpx.post(url, json=body, headers=named, timeout=30).status_code < 500
    for content in (canary.encode(), f'{{"{canary}": "\ud800", "{canary}": 1}}'.encode("utf-8", "surrogatepass")):
        assert httpx.post(feedback, content=content, headers=named, timeout=30).status_code == 422
    httpx.get(f"{feedback}/{canary}", headers={"Authorization": f"Bearer {canary}"}, timeout=30)

    log = live.server.home.with_name("home.log").read_text("utf-8", "replace")
    assert "Feedback Lab runs at" in log
    assert [word for word in (canary, *live.secrets.values(), "Traceback") if word in log] == []
