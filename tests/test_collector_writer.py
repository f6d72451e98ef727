"""The writer: one commit for all that waits, an answer after it, nothing lost silently; and the rules after it."""

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, wait
from contextlib import AbstractContextManager
from typing import Any

import httpx
import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from feedback_lab import schema
from feedback_lab.client import Client, sending
from feedback_lab.collector import Collector, answers
from feedback_lab.collector.background import Evaluation, evaluate
from feedback_lab.collector.limits import Limits
from feedback_lab.collector.writer import QueueFull, Writer
from feedback_lab.errors import DiskError, InputError, LabError, StoreError
from feedback_lab.ingest.load import import_records
from feedback_lab.ingest.receiving import FeedbackItem, InteractionItem, Item, Outcome, Status
from feedback_lab.records import utc_now
from feedback_lab.serving import Lab
from feedback_lab.store import Store
from feedback_lab.workers import WorkerLost
from tests.builders import interaction, put, thumb
from tests.collector_server import lab_of, serving_collector

LOOP = asyncio.new_event_loop()


@pytest.fixture(scope="module", autouse=True)
def loop() -> Iterator[None]:
    """The event loop of the requests, in a thread of its own as in a server."""
    thread = threading.Thread(target=LOOP.run_forever)
    thread.start()
    yield
    LOOP.call_soon_threadsafe(LOOP.stop)
    thread.join(30)
    LOOP.close()


def submit(writer: Writer, items: Sequence[Item]) -> Future[list[Outcome]]:
    """Submit as a request does; the items are queued when this comes back."""

    async def queued() -> asyncio.Future[list[Outcome]]:
        return writer.submit(items)

    answer = asyncio.run_coroutine_threadsafe(queued(), LOOP).result(30)
    return asyncio.run_coroutine_threadsafe(_awaited(answer), LOOP)


async def _awaited(answer: asyncio.Future[list[Outcome]]) -> list[Outcome]:
    return await answer


@pytest.fixture
def writer(store: Store) -> Iterator[Writer]:
    running = Writer(lambda: store, most_waiting=50, most_together=20)
    yield running
    running.close()


class Gated:
    """A store of which the test decides when it writes, and what goes wrong."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.open = threading.Event()
        self.entered = threading.Semaphore(0)
        self.writes = 0
        self.error: Exception | None = None  # before anything is done
        self.error_after: Exception | None = None  # when all is done but the commit
        self.damage = None

    @property
    def commits(self) -> int:
        return self._store.commits

    def exclusive(self) -> AbstractContextManager[None]:
        return self._store.exclusive()

    def scalar(self, sql: str, **values: Any) -> Any:
        return self._store.scalar(sql, **values)

    def write(self, work: Callable[..., Any]) -> Any:
        self.entered.release()
        assert self.open.wait(30)
        self.writes += 1
        if self.error:
            raise self.error

        def cut_off(connection: Connection) -> Any:
            found = work(connection)
            if self.error_after:
                raise self.error_after
            return found

        return self._store.write(cut_off)


def down(number: int, **more: Any) -> FeedbackItem:
    return FeedbackItem(**{"interaction_id": f"i{number}", "feedback_id": f"f{number}", "value": -1} | more)


def statuses(answers: list[Future[list[Outcome]]]) -> list[Status]:
    return [outcome.status for answer in answers for outcome in answer.result(30)]


def test_what_waits_goes_into_one_commit_in_order(store: Store) -> None:
    gated = Gated(store)
    writer = Writer(lambda: gated)  # type: ignore[arg-type, return-value]
    first = submit(writer, [down(0)])
    gated.entered.acquire()
    waiting = [submit(writer, [down(number)]) for number in range(1, 30)]
    assert not any(answer.done() for answer in [first, *waiting])

    gated.open.set()

    assert statuses([first, *waiting]) == [Status.NEW] * 30
    assert gated.writes == 2
    writer.close()
    names = [row["feedback_id"] for row in store.rows("SELECT feedback_id FROM feedback ORDER BY received_at")]
    assert names == [f"f{number}" for number in range(30)]


def test_an_answer_comes_only_after_the_commit(store: Store) -> None:
    writer = Writer(lambda: store)
    seen = []
    for number in range(5):
        answer = submit(writer, [down(number)])
        wait([answer])
        seen.append(store.scalar("SELECT count(*) FROM feedback"))
    writer.close()
    assert seen == [1, 2, 3, 4, 5]


def test_a_full_queue_takes_nothing_and_loses_nothing(store: Store) -> None:
    gated = Gated(store)
    writer = Writer(lambda: gated, most_waiting=10)  # type: ignore[arg-type, return-value]
    answers = [submit(writer, [down(0)])]
    gated.entered.acquire()
    answers += [submit(writer, [down(number)]) for number in range(1, 11)]
    with pytest.raises(QueueFull):
        submit(writer, [down(11)])
    gated.open.set()
    assert statuses(answers) == [Status.NEW] * 11
    assert statuses([submit(writer, [down(11)])]) == [Status.NEW]
    writer.close()


def test_a_request_larger_than_the_queue_is_taken_when_nothing_waits(writer: Writer) -> None:
    assert statuses([submit(writer, [down(number) for number in range(60)])]) == [Status.NEW] * 60


def test_closing_stores_what_waits_and_takes_nothing_more(store: Store) -> None:
    gated = Gated(store)
    writer = Writer(lambda: gated)  # type: ignore[arg-type, return-value]
    answers = [submit(writer, [down(number)]) for number in range(5)]
    gated.entered.acquire()
    closing = threading.Thread(target=writer.close)
    closing.start()
    gated.open.set()
    closing.join(30)
    assert statuses(answers) == [Status.NEW] * 5
    with pytest.raises(StoreError, match="stopping"):
        submit(writer, [down(9)])


def test_an_item_that_the_database_cannot_take_fails_alone(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    from feedback_lab.collector import writer as room

    real = room.receive

    def receive(connection: Any, items: list[Item], **more: Any) -> list[Outcome]:
        if any(isinstance(item, FeedbackItem) and item.feedback_id == "f7" for item in items):
            raise ValueError("poison")
        return real(connection, items, **more)

    monkeypatch.setattr(room, "receive", receive)
    outcomes = submit(writer, [down(number) for number in range(16)]).result(30)
    assert [outcome.status is Status.NEW for outcome in outcomes] == [number != 7 for number in range(16)]
    assert outcomes[7].code == "unstorable"
    assert statuses([submit(writer, [down(20)])]) == [Status.NEW]


def test_a_commit_that_fails_is_told_to_all_who_waited_for_it_and_the_next_one_works(store: Store) -> None:
    gated = Gated(store)
    writer = Writer(lambda: gated)  # type: ignore[arg-type, return-value]
    gated.error = DiskError("The disk is full.")
    gated.open.set()
    for number in range(3):
        with pytest.raises(DiskError):
            submit(writer, [down(number)]).result(30)
    gated.error = None
    assert statuses([submit(writer, [down(0)])]) == [Status.NEW]
    writer.close()


def test_where_the_engine_is_out_of_memory_no_item_is_blamed(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    from feedback_lab.collector import writer as room

    def receive(connection: Any, items: list[Item], **more: Any) -> list[Outcome]:
        raise OperationalError("INSERT", {}, Exception("Out of Memory Error"))

    monkeypatch.setattr(room, "receive", receive)
    with pytest.raises(StoreError):
        submit(writer, [down(number) for number in range(4)]).result(30)


def test_who_went_away_before_the_commit_stops_nobody(store: Store) -> None:
    gated = Gated(store)
    writer = Writer(lambda: gated)  # type: ignore[arg-type, return-value]
    first = submit(writer, [down(0)])
    gated.entered.acquire()
    gone, stays = submit(writer, [down(1)]), submit(writer, [down(2)])
    assert gone.cancel()
    submit(writer, [])  # comes back after the cancellation has reached the loop
    gated.open.set()
    assert statuses([first, stays]) == [Status.NEW] * 2
    assert [row["feedback_id"] for row in store.rows("SELECT feedback_id FROM feedback ORDER BY 1")] == ["f0", "f2"]
    writer.close()


def test_many_threads_with_the_same_ids_store_each_once(writer: Writer, store: Store) -> None:
    together = threading.Barrier(16)
    found: list[Status] = []

    def send(_: int) -> None:
        together.wait(30)
        for number in range(10):
            while True:
                try:
                    found.extend(outcome.status for outcome in submit(writer, [down(number)]).result(30))
                    break
                except QueueFull:
                    continue

    threads = [threading.Thread(target=send, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert found.count(Status.NEW) == 10
    assert found.count(Status.DUPLICATE) == 150
    assert store.scalar("SELECT count(*) FROM feedback") == 10


def test_what_somebody_else_stored_meanwhile_is_known_to_the_next_commit(writer: Writer, store: Store) -> None:
    assert statuses([submit(writer, [down(1)])]) == [Status.NEW]
    put(store, [interaction("i2"), thumb("f2", False, received_at=utc_now())])
    taken = submit(writer, [down(2)]).result(30)[0]
    assert (taken.status, taken.code) == (Status.REJECTED, "id_conflict")
    assert statuses([submit(writer, [down(3)])]) == [Status.NEW]
    assert store.scalar("SELECT count(*) FROM feedback WHERE feedback_id = 'f2'") == 1


def test_ids_of_a_commit_that_failed_are_new_to_the_next_one_and_known_after_it(store: Store) -> None:
    gated = Gated(store)
    writer = Writer(lambda: gated)  # type: ignore[arg-type, return-value]
    gated.open.set()
    assert statuses([submit(writer, [down(0)])]) == [Status.NEW]
    gated.error_after = DiskError("The disk is full.")
    with pytest.raises(DiskError):
        submit(writer, [down(1)]).result(30)
    gated.error_after = None
    assert [statuses([submit(writer, [down(1)])]) for _ in range(2)] == [[Status.NEW], [Status.DUPLICATE]]
    writer.close()


def test_interactions_alone_ask_for_no_run_of_the_rules(store: Store) -> None:
    asked: list[int] = []
    writer = Writer(lambda: store, stored=lambda: asked.append(1))
    submit(writer, [InteractionItem("i1", input="q")]).result(30)
    submit(writer, [down(1)]).result(30)
    submit(writer, [down(1)]).result(30)
    writer.close()
    assert asked == [1]


# What a sender hears


@pytest.mark.parametrize(
    ("error", "code"),
    [(DiskError("no space at /secret"), "disk_refuses"), (StoreError("/secret"), "store_unavailable")],
)
def test_where_nothing_can_be_stored_the_sender_is_asked_to_come_again(
    store: Store, error: Exception, code: str
) -> None:
    with serving_collector(store) as api:
        gated = Gated(store)
        gated.error = error
        gated.open.set()
        api.collector.writer._store_of = lambda: gated  # type: ignore[assignment, return-value]
        answer = api.post("/v1/feedback", {"interaction_id": "i", "value": 1})
        assert (answer.status_code, answer.json()["error"]) == (503, code)
        assert int(answer.headers["retry-after"]) >= 1
        assert "secret" not in answer.text
        gated.error = None
        assert api.post("/v1/feedback", {"interaction_id": "i", "value": 1}).status_code == 201


def test_a_full_queue_is_503_and_the_others_are_stored(store: Store) -> None:
    with serving_collector(store, Limits(queued_items=2)) as api:
        gated = Gated(store)
        api.collector.writer._store_of = lambda: gated  # type: ignore[assignment, return-value]
        answers: list[httpx.Response] = []

        def send(number: int) -> None:
            answers.append(api.post("/v1/feedback", {"interaction_id": "i", "feedback_id": str(number), "value": 1}))

        threads = [threading.Thread(target=send, args=(number,)) for number in range(20)]
        threads[0].start()
        gated.entered.acquire()  # the first one is being stored
        for thread in threads[1:]:
            thread.start()
        while len(answers) < 17:  # two wait, and all the others have their answer
            threading.Event().wait(0.01)
        gated.open.set()
        for thread in threads:
            thread.join(30)
        assert sorted(answer.status_code for answer in answers) == [201] * 3 + [503] * 17
        assert {answer.json()["error"] for answer in answers if answer.status_code == 503} == {"queue_full"}
        assert api.count("feedback") == 3


def test_clients_lose_nothing_to_a_queue_that_is_full(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "RETRY_SECONDS", 0)
    monkeypatch.setattr(sending, "FIRST_PAUSE", 0.01)
    with serving_collector(store, Limits(queued_items=1)) as api:
        gated = Gated(store)
        api.collector.writer._store_of = lambda: gated  # type: ignore[assignment, return-value]
        clients = [Client(api.url, api.secrets["ingest"], batch_size=5, flush_interval=0.01) for _ in range(4)]
        for client in clients:
            for number in range(20):
                client.feedback(f"i{number}", "down")
        gated.entered.acquire()  # one batch is being stored, one waits, and the others are refused meanwhile
        gated.open.set()
        assert all(client.flush(60) for client in clients)
        assert [client.stats for client in clients] == [(0, 20, 0, 0)] * 4
        assert api.count("feedback") == 80
        for client in clients:
            client.close()


def test_a_damaged_store_is_read_but_not_written(store: Store) -> None:
    with serving_collector(store) as api:
        api.post("/v1/feedback", {"interaction_id": "i", "feedback_id": "f", "value": 1})
        store.damage = f"{store.path} is short."
        assert api.post("/v1/feedback", {"interaction_id": "i", "value": 1}).status_code == 503
        assert api.call("GET", "/v1/feedback/f", "read").status_code == 200
        health = api.call("GET", "/v1/health", None)
        assert (health.status_code, health.json()["status"]) == (503, "error")
        assert "feedback-lab doctor" in health.json()["reason"]
        assert str(store.home) not in health.text, "everyone may ask, and learns no path"


@pytest.mark.parametrize("error", [InputError, StoreError, DiskError, LabError])
def test_health_says_that_the_lab_cannot_be_opened_without_its_paths(store: Store, error: type[LabError]) -> None:
    with serving_collector(store) as api:

        def closed() -> Lab:
            raise error(f"{store.path} cannot be opened.")

        api.collector.deps.lab_of = closed
        health = api.call("GET", "/v1/health", None)
        assert (health.status_code, health.json()["status"]) == (503, "error")
        assert str(store.home) not in health.text


def test_a_commit_that_takes_too_long_is_not_acknowledged(store: Store) -> None:
    with serving_collector(store, Limits(wait_seconds=0.05)) as api:
        gated = Gated(store)
        api.collector.writer._store_of = lambda: gated  # type: ignore[assignment, return-value]
        answer = api.post("/v1/feedback", {"interaction_id": "i", "feedback_id": "f", "value": 1})
        assert (answer.status_code, answer.json()["error"]) == (503, "too_slow")
        gated.open.set()


# The rules in the background


def test_new_feedback_from_a_product_opens_a_task(store: Store) -> None:
    with serving_collector(store) as api:
        done = threading.Event()
        lab = lab_of(store)
        api.collector.evaluation._work = lambda: (evaluate(lab), done.set())
        asked = [{"interaction_id": f"i{n}", "input": "How do I reset my password?"} for n in range(12)]
        api.post("/v1/interactions", asked)
        said = [
            {"interaction_id": f"i{n}", "value": -1, "user": f"u{n}", "suggested_answer": "Use the link."}
            for n in range(12)
        ]
        api.post("/v1/feedback", said)
        assert done.wait(60)
        assert int(store.scalar("SELECT count(*) FROM task")) >= 1
        assert api.count(schema.evaluation.name) >= 12


def test_what_a_stopped_server_had_not_looked_at_is_looked_at_by_the_next(store: Store) -> None:
    lab = lab_of(store)
    before = Collector(lambda: lab)
    before.evaluation.close()  # stopped before its rules ran
    said = [FeedbackItem(f"i{number}", value="down", user=f"u{number}") for number in range(3)]
    submit(before.writer, said).result(30)
    before.close()

    done = threading.Event()
    after = Collector(lambda: lab)
    after.evaluation._work = lambda: (evaluate(lab), done.set())
    after.begin()
    assert done.wait(60)
    after.close()
    assert int(store.scalar(f"SELECT count(*) FROM {schema.evaluation.name}")) >= 3
    again = Collector(lambda: lab)
    again.begin()
    assert again.evaluation._thread is None, "nothing is left to look at"
    again.close()


def test_an_import_is_not_evaluated_by_a_start(store: Store) -> None:
    import_records(store, [interaction("i1")], [thumb("f1", up=False)], source="test", complete=True)
    collector = Collector(lambda: lab_of(store))
    collector.begin()
    assert collector.evaluation._thread is None
    collector.close()


def test_what_comes_during_a_run_is_looked_at_by_one_more() -> None:
    begun, go_on = threading.Semaphore(0), threading.Semaphore(0)

    def work() -> None:
        begun.release()
        assert go_on.acquire(timeout=30)

    evaluation = Evaluation(work, pause_s=0)
    evaluation.ask()
    begun.acquire()
    for _ in range(100):
        evaluation.ask()
    go_on.release()
    assert begun.acquire(timeout=30), "the second run"
    go_on.release()
    evaluation.close()
    assert not begun.acquire(blocking=False), "there was no third"


def test_a_run_that_fails_is_logged_without_texts_and_the_next_one_comes(caplog: pytest.LogCaptureFixture) -> None:
    begun = threading.Semaphore(0)

    def work() -> None:
        begun.release()
        raise ValueError("what a user wrote")

    evaluation = Evaluation(work, pause_s=0)
    for _ in range(2):
        evaluation.ask()
        assert begun.acquire(timeout=30)
    evaluation.close()
    assert "ValueError at" in caplog.text
    assert "what a user wrote" not in caplog.text


def test_a_run_whose_process_was_lost_is_made_again_by_itself() -> None:
    begun = threading.Semaphore(0)
    lost = [WorkerLost("gone"), WorkerLost("gone")]

    def work() -> None:
        begun.release()
        if lost:
            raise lost.pop()

    evaluation = Evaluation(work, pause_s=0)
    evaluation.ask()
    for _ in range(3):
        assert begun.acquire(timeout=30)
    evaluation.close()
    assert not begun.acquire(blocking=False), "it is made until it worked, and no more"
