"""The Python client as a product uses it: what it records, and that the collector's trouble never becomes its own."""

from __future__ import annotations

import asyncio
import inspect
import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from feedback_lab.client import Client, sending
from tests.fake_collector import STORED, FakeCollector, Reply, fake_collector
from tests.server import free_port

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def collector() -> Iterator[FakeCollector]:
    with fake_collector() as fake:
        yield fake


@pytest.fixture
def client(collector: FakeCollector, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    monkeypatch.setattr(sending, "FIRST_PAUSE", 0.01)
    made = Client(collector.url, "fl_key", flush_interval=0.05)
    yield made
    made.close(0)


def only(collector: FakeCollector, client: Client, route: str = "interactions") -> dict[str, Any]:
    assert client.flush(20)
    (record,) = collector.records(route)
    return record


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [entry.getMessage() for entry in caplog.records if entry.name == "feedback_lab.client"]


def test_an_interaction_and_its_feedback_arrive_with_ids_made_at_the_call(
    client: Client, collector: FakeCollector
) -> None:
    name = client.interaction("Where is my order?", "In the post.", model="heron-1", user="ann", tags={"plan": "free"})
    said = client.feedback(name, "down", comment="It is not", user="ann")

    assert client.flush(20)
    assert client.stats == (0, 2, 0, 0)
    (asked,), (given,) = collector.records("/api/v1/interactions"), collector.records("/api/v1/feedback")
    assert asked.pop("created_at") <= given.pop("created_at")
    assert asked == {
        "interaction_id": name, "input": "Where is my order?", "output": "In the post.", "model": "heron-1",
        "user": "ann", "tags": {"plan": "free"},
    }  # fmt: skip
    assert given == {
        "feedback_id": said, "interaction_id": name, "value": "down", "comment": "It is not", "user": "ann",
    }  # fmt: skip
    assert uuid.UUID(name).version == uuid.UUID(said).version == 7
    assert all(headers["Authorization"] == "Bearer fl_key" for _, headers, _ in collector.requests)


def test_a_decorated_function_is_recorded_and_its_id_is_at_hand(client: Client, collector: FakeCollector) -> None:
    @client.recorded(model="heron-1", session_id="s1")
    def answer(question: str) -> str:
        return f"You asked: {question}"

    assert answer("why?") == "You asked: why?"

    record = only(collector, client)
    assert record["interaction_id"] == client.last_id()
    assert (record["input"], record["output"]) == ("why?", "You asked: why?")
    assert (record["model"], record["session_id"]) == ("heron-1", "s1")
    assert record["metadata"]["latency_ms"] >= 0


def test_an_error_of_the_product_is_recorded_and_stays_its_own(client: Client, collector: FakeCollector) -> None:
    @client.recorded()
    def answer(question: str) -> str:
        raise ConnectionError("the model is away")

    with pytest.raises(ConnectionError, match="the model is away"):
        answer("why?")

    record = only(collector, client)
    assert record["input"] == "why?"
    assert record["metadata"]["error"] == "ConnectionError: the model is away"


def test_an_async_function_stays_one_and_each_task_knows_its_own_id(client: Client, collector: FakeCollector) -> None:
    @client.recorded()
    async def answer(question: str) -> str:
        await asyncio.sleep(0)
        return question.upper()

    async def ask(question: str) -> tuple[str, str]:
        return await answer(question), client.last_id()

    async def both() -> list[tuple[str, str]]:
        return await asyncio.gather(ask("one"), ask("two"))

    assert inspect.iscoroutinefunction(answer)
    given = asyncio.run(both())
    assert client.flush(20)
    assert {(record["output"], record["interaction_id"]) for record in collector.records("interactions")} == set(given)


def test_a_stream_is_recorded_as_one_answer(client: Client, collector: FakeCollector) -> None:
    @client.recorded()
    def answer(question: str) -> Iterator[str]:
        yield from ("It is", " in", " the post.")

    assert list(answer("Where?")) == ["It is", " in", " the post."]

    record = only(collector, client)
    assert (record["input"], record["output"]) == ("Where?", "It is in the post.")
    assert record["metadata"]["first_piece_ms"] <= record["metadata"]["latency_ms"]


def test_a_stream_that_nobody_reads_to_its_end_is_closed_and_recorded_so_far(
    client: Client, collector: FakeCollector
) -> None:
    closed = []

    @client.recorded()
    def answer(question: str) -> Iterator[str]:
        try:
            yield from ("one", "two", "three")
        finally:
            closed.append(True)

    stream = answer("?")
    assert next(stream) == "one"
    stream.close()  # type: ignore[attr-defined]

    record = only(collector, client)
    assert closed == [True]
    assert (record["output"], record["metadata"]["stopped"]) == ("one", True)
    assert "error" not in record["metadata"]


def test_a_function_that_returns_a_generator_is_recorded_when_it_was_read(
    client: Client, collector: FakeCollector
) -> None:
    @client.recorded()
    def answer(question: str) -> Iterator[str]:
        return (piece for piece in ("a", "b"))

    assert "".join(answer("?")) == "ab"
    assert only(collector, client)["output"] == "ab"


@pytest.mark.parametrize("whole", [True, False])
def test_an_async_stream_is_recorded_read_to_its_end_or_not(
    client: Client, collector: FakeCollector, whole: bool
) -> None:
    @client.recorded(output=lambda piece: piece["text"])
    async def answer(question: str) -> AsyncIterator[dict[str, str]]:
        yield {"text": "one "}
        yield {"text": "two"}

    async def read() -> None:
        async with aclosing(answer("?")) as pieces:  # type: ignore[type-var]
            async for _ in pieces:
                if not whole:
                    break

    assert inspect.isasyncgenfunction(answer)
    asyncio.run(read())
    record = only(collector, client)
    assert record["output"] == ("one two" if whole else "one ")
    assert record["metadata"].get("stopped") == (None if whole else True)


def test_a_context_records_what_happens_inside(client: Client, collector: FakeCollector) -> None:
    with client.recording("Where?", session_id="s1", turn=2) as recording:
        recording.add("In the ")
        recording.add("post.")
        recording.metadata["tokens"] = 7
        client.feedback(recording.interaction_id, True)

    record = only(collector, client)
    assert (record["interaction_id"], record["turn"]) == (recording.interaction_id, 2)
    assert (record["output"], record["metadata"]["tokens"]) == ("In the post.", 7)


def test_the_question_is_found_in_a_list_of_messages_or_by_the_products_own_way(
    client: Client, collector: FakeCollector
) -> None:
    @client.recorded(output=lambda reply: reply["choices"][0])
    def chat(model: str, messages: list[dict[str, str]]) -> dict[str, list[str]]:
        return {"choices": ["Hello"]}

    @client.recorded(input=lambda model, topic: topic)
    def write(model: str, topic: str) -> str:
        return "..."

    chat("heron-1", [{"role": "system", "content": "Be kind"}, {"role": "user", "content": "Hi"}])
    write("heron-1", "rain")

    assert client.flush(20)
    first, second = collector.records("interactions")
    assert (first["input"], first["output"], second["input"]) == ("Hi", "Hello", "rain")


class Thorny:
    def __str__(self) -> str:
        raise RuntimeError("no words")

    __repr__ = __str__


@pytest.mark.filterwarnings("error")
def test_nothing_that_a_product_hands_over_makes_a_call_raise(client: Client, collector: FakeCollector) -> None:
    ring: list[Any] = []
    ring.append(ring)

    @client.recorded(input=lambda *_: 1 / 0, output=lambda reply: reply.missing)
    def answer(question: str) -> object:
        return Thorny()

    answer("?")
    client.interaction(Thorny(), ring)
    client.interaction("nan", "ok", metadata={"score": float("nan")})
    client.interaction("thorny", "ok", metadata={"object": Thorny()})
    client.interaction("\ud800 half a letter", "\x00")
    client.feedback("i1", Thorny(), comment="x")
    client.interaction("fine", metadata="no mapping")
    with client.recording(Thorny(), metadata=7) as recording:
        recording.add(Thorny())

    assert client.flush(20)
    stats = client.stats
    assert stats.waiting == 0
    assert stats.sent + stats.dropped + stats.rejected == 8
    assert {"fine", "\ud800 half a letter"} <= {record.get("input") for record in collector.records("interactions")}


@pytest.mark.parametrize("status", [500, 502, 503, 429, 408, 302])
def test_a_refusal_that_may_pass_is_tried_again_with_the_same_ids(
    client: Client, collector: FakeCollector, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    collector.replies = [(status, {}, {}), (status, {}, {})]
    name = client.interaction("once")

    assert client.flush(20)
    assert [records[0]["interaction_id"] for _, _, records in collector.requests] == [name] * 3
    assert client.stats == (0, 1, 0, 0)
    first, last = warnings(caplog)
    assert str(status) in first
    assert "takes records again" in last


def test_retry_after_is_honoured(client: Client, collector: FakeCollector) -> None:
    times: list[float] = []

    def answer(path: str, records: list[dict[str, Any]]) -> Reply:
        times.append(time.monotonic())
        return (503, {"Retry-After": "1"}, {}) if len(times) == 1 else STORED

    collector.otherwise = answer
    client.interaction("?")
    collector.wait_for(2)

    assert times[1] - times[0] >= 1


@pytest.mark.parametrize("status", [401, 403, 404, 409, 422])
def test_a_refusal_that_will_not_pass_is_counted_and_said_not_repeated(
    client: Client, collector: FakeCollector, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    collector.otherwise = lambda path, records: (status, {}, {"error": "no", "message": "Not like this."})
    client.interaction("?")
    assert client.flush(20)
    client.interaction("again?")
    assert client.flush(20)

    assert len(collector.requests) == 2
    assert client.stats == (0, 0, 0, 2)
    (said,) = warnings(caplog)
    assert "Not like this." in said


def test_one_bad_record_does_not_take_its_batch_with_it(client: Client, collector: FakeCollector) -> None:
    def answer(path: str, records: list[dict[str, Any]]) -> Reply:
        return (422, {}, {}) if any(record["input"] == "bad" for record in records) else STORED

    collector.otherwise = answer
    for number in range(20):
        client.interaction("bad" if number == 13 else f"good {number}")

    assert client.flush(20)
    assert client.stats == (0, 19, 0, 1)


def test_records_that_the_collector_rejects_one_by_one_are_counted_and_said(
    client: Client, collector: FakeCollector, caplog: pytest.LogCaptureFixture
) -> None:
    items = [{"status": "new"}, {"status": "rejected", "code": "bad_turn", "reason": "a turn is a whole number"}]
    collector.replies = [(207, {}, {"results": items})]
    client.interaction("a")
    client.interaction("b", turn="x")

    assert client.flush(20)
    assert client.stats == (0, 1, 0, 1)
    assert "a turn is a whole number" in warnings(caplog)[0]


def test_a_batch_that_is_rejected_as_a_whole_is_not_sent_in_halves(client: Client, collector: FakeCollector) -> None:
    reject = {"status": "rejected", "code": "unknown_field", "reason": "there is no field of this name"}

    def answer(path: str, records: list[dict[str, Any]]) -> Reply:
        return 422, {}, {"error": "rejected", "message": "Nothing", "details": {"results": [reject] * len(records)}}

    collector.otherwise = answer
    for _ in range(20):
        client.interaction("?", colour="red")

    assert client.flush(20)
    assert client.stats == (0, 0, 0, 20)
    assert sum(len(records) for _, _, records in collector.requests) == 20


def test_a_full_buffer_drops_the_oldest_counts_them_and_says_it_once(
    collector: FakeCollector, caplog: pytest.LogCaptureFixture
) -> None:
    client = Client(collector.url, "k", capacity=10, flush_interval=3600)
    said = client.feedback("i0", "up")
    for number in range(35):
        client.interaction(f"question {number}")

    assert client.stats == (11, 0, 25, 0)
    assert client.flush(20)
    client.close()
    assert [record["input"] for record in collector.records("interactions")] == [f"question {n}" for n in range(25, 35)]
    assert [record["feedback_id"] for record in collector.records("feedback")] == [said]
    assert len(warnings(caplog)) == 1


def test_large_texts_cannot_fill_the_memory(collector: FakeCollector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "BUFFER_CHARACTERS", 10_000)
    client = Client(collector.url, "k", flush_interval=3600)
    for _ in range(10):
        client.interaction("x" * 3_000)

    assert client.stats.dropped == 7
    client.close(0)


def test_a_large_batch_is_packed_and_a_small_one_is_not(client: Client, collector: FakeCollector) -> None:
    client.interaction("small")
    assert client.flush(20)
    client.interaction("large " * 1_000)
    assert client.flush(20)

    small, large = (headers for _, headers, _ in collector.requests)
    assert "Content-Encoding" not in small
    assert large["Content-Encoding"] == "gzip"
    assert int(large["Content-Length"]) < 1_000


def test_many_threads_lose_and_double_nothing(client: Client, collector: FakeCollector) -> None:
    def work() -> None:
        for _ in range(200):
            client.interaction("?")

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert client.flush(20)
    names = [record["interaction_id"] for record in collector.records("interactions")]
    assert len(names) == len(set(names)) == 1_600


def test_a_collector_that_starts_later_gets_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "FIRST_PAUSE", 0.01)
    port = free_port()
    client = Client(f"http://127.0.0.1:{port}", "k", flush_interval=0.01)
    client.interaction("early")
    assert not client.flush(0.2)

    with fake_collector(port) as fake:
        fake.wait_for(1)
        assert client.flush(20)
        assert fake.records("interactions")[0]["input"] == "early"
        client.close()


def test_a_collector_that_hangs_holds_up_nothing_but_the_delivery(
    collector: FakeCollector, caplog: pytest.LogCaptureFixture
) -> None:
    collector.hanging = threading.Event()
    client = Client(collector.url, "k", flush_interval=0.01, timeout=30)
    client.interaction("?")
    collector.wait_for(1)

    client.interaction("and more")
    assert not client.flush(0.1)
    assert client.stats == (2, 0, 0, 0)
    client.close(0.1)
    assert client.stats == (0, 0, 2, 0)
    assert "2 records were not delivered" in warnings(caplog)[-1]
    client.interaction("after the end")
    assert client.stats == (0, 0, 3, 0)


def test_a_client_without_address_or_key_is_switched_off_and_says_so(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FEEDBACK_LAB_URL", raising=False)
    client = Client(key="k")

    client.feedback(client.interaction("?"), "up")
    assert client.recall("?") == []
    assert client.stats == (0, 0, 0, 0)
    assert client.flush(0)
    assert "switched off" in warnings(caplog)[0]


def test_the_address_and_the_key_may_come_from_the_environment(
    collector: FakeCollector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FEEDBACK_LAB_URL", collector.url + "/")
    monkeypatch.setenv("FEEDBACK_LAB_KEY", "fl_env")
    with Client() as client:
        client.interaction("?")

    ((path, headers, _),) = collector.requests
    assert (path, headers["Authorization"]) == ("/api/v1/interactions", "Bearer fl_env")


def test_a_redirect_does_not_lead_the_key_elsewhere(collector: FakeCollector, monkeypatch: pytest.MonkeyPatch) -> None:
    with fake_collector() as elsewhere:
        collector.otherwise = lambda path, records: (302, {"Location": elsewhere.url}, {})
        client = Client(collector.url, "k", flush_interval=0.01)
        client.interaction("?")
        collector.wait_for(1)
        client.close(0.2)
        assert elsewhere.requests == []


PROGRAM = """
import logging, sys
from feedback_lab.client import Client
logging.basicConfig(format="%(message)s")
client = Client(sys.argv[1], "k", flush_interval=3600, exit_timeout=float(sys.argv[2]))
client.feedback(client.interaction("asked just before the end"), "up")
"""


def run(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=ROOT, check=True)


def test_what_waits_is_sent_when_the_process_ends(collector: FakeCollector) -> None:
    run(PROGRAM, collector.url, "20")

    assert [record["input"] for record in collector.records("interactions")] == ["asked just before the end"]
    assert len(collector.records("feedback")) == 1


def test_a_process_ends_also_when_the_collector_hangs_and_says_what_was_lost(collector: FakeCollector) -> None:
    collector.hanging = threading.Event()
    ended = run(PROGRAM, collector.url, "0.2")

    assert "2 records were not delivered" in ended.stderr


FORK = """
import os, sys
from feedback_lab.client import Client
client = Client(sys.argv[1], "k", flush_interval=3600)
client.interaction("parent, before")
child = os.fork()
if child == 0:
    client.interaction("child")
    done = client.flush(20)
    os._exit(0 if done and client.stats == (0, 1, 0, 0) else 1)
assert os.waitpid(child, 0)[1] == 0
client.interaction("parent, after")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_process_sends_its_own_and_nothing_of_its_parents(collector: FakeCollector) -> None:
    run(FORK, collector.url)

    assert sorted(record["input"] for record in collector.records("interactions")) == [
        "child",
        "parent, after",
        "parent, before",
    ]


def test_recall_gives_the_hits_of_the_answer(client: Client, collector: FakeCollector) -> None:
    hit = {"entry_id": "K-1", "question": "q", "answer": "a", "score": 0.9}
    collector.otherwise = lambda path, records: (200, {}, {"hits": [hit]})

    assert client.recall("how do I?", k=1) == [hit]
    ((path, headers, _),) = collector.requests
    assert path == "/api/v1/recall?query=how+do+I%3F&k=1"
    assert headers["Authorization"] == "Bearer fl_key"


@pytest.mark.parametrize(
    "trouble",
    [
        lambda fake: setattr(fake, "hanging", threading.Event()),
        lambda fake: setattr(fake, "otherwise", lambda path, records: (500, {}, {})),
        lambda fake: setattr(fake, "otherwise", lambda path, records: (401, {}, {})),
        lambda fake: setattr(fake, "otherwise", lambda path, records: (200, {}, ["not", "ours"])),
    ],
    ids=["it hangs", "it fails", "the key is wrong", "it is something else"],
)
def test_recall_in_trouble_is_empty_and_rests(
    client: Client,
    collector: FakeCollector,
    trouble: Callable[[FakeCollector], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    trouble(collector)
    assert client.recall("?", timeout=0.2) == []
    assert client.recall("?", timeout=0.2) == []

    assert len(collector.requests) == 1
    assert len(warnings(caplog)) == 1


@pytest.mark.parametrize("shell", [{}, [], "<html>", {"results": "none"}], ids=repr)
def test_a_server_that_says_200_to_everything_is_not_taken_for_a_collector(
    client: Client, collector: FakeCollector, caplog: pytest.LogCaptureFixture, shell: object
) -> None:
    collector.replies = [(200, {}, shell), (200, {}, shell)]
    client.interaction("Where is it?", "In the post.")
    assert client.flush(20)
    assert client.stats == (0, 1, 0, 0)
    assert len(collector.records("interactions")) == 3, "sent again until a collector answered"
    assert any("takes nothing" in warning for warning in warnings(caplog))


def test_a_thread_that_could_not_be_started_is_started_by_the_next_record(
    client: Client, collector: FakeCollector, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as short_of_threads:
        short_of_threads.setattr(threading.Thread, "start", refuse)
        client.interaction("Where is it?", "In the post.")
    assert client.stats == (0, 0, 1, 0)
    client.interaction("And now?", "At the door.")
    assert client.flush(20)
    assert client.stats == (0, 1, 1, 0)
    assert [record["input"] for record in collector.records("interactions")] == ["And now?"]
