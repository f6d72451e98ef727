"""What waits to be sent: a bounded buffer, and the one thread that empties it.

`put` never waits for the network. Deliveries are repeated with exponential back-off and full jitter until the
collector has stored them; records carry their own ids, so what arrives twice is stored once.
"""

from __future__ import annotations

import atexit
import json
import logging
import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Sequence
from random import uniform
from typing import Any, NamedTuple

from .web import Answer, Web

log = logging.getLogger("feedback_lab.client")

ROUTES = ("interactions", "feedback")
BUFFER_CHARACTERS, BATCH_CHARACTERS = 64_000_000, 1_000_000
BREATH, NAP = 10, 0.0001  # records between naps of so many seconds
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0  # seconds
SPLIT = (400, 413, 422)  # the batch is too large, or one record of it is to blame
_senders: weakref.WeakSet[Sender] = weakref.WeakSet()


class Stats(NamedTuple):
    """What became of the records of one client; the four add up to what was recorded.

    `waiting` to be sent, `sent` and stored, `dropped` (the buffer was full, or the process ended), `rejected`.
    """

    waiting: int
    sent: int
    dropped: int
    rejected: int


class Sender:
    """A buffer of records, `capacity` for each route, and the thread that delivers them in batches.

    The oldest record makes room for the newest; how many were lost is counted, and the log says it once until
    deliveries work again. Interactions cannot push feedback out. In seconds: `flush_interval` between deliveries,
    `timeout` of one request, `exit_timeout` for what still waits when the process ends.
    """

    def __init__(
        self, web: Web, capacity: int, batch_size: int, flush_interval: float, timeout: float, exit_timeout: float
    ) -> None:
        self._web, self._capacity, self._batch_size = web, max(1, capacity), max(1, batch_size)
        self._flush_interval, self._timeout, self.exit_timeout = flush_interval, timeout, exit_timeout
        self.forget()
        _senders.add(self)

    def forget(self) -> None:
        """As new. A forked child starts like this: what waited is its parent's to send, and locks may be held."""
        self._changed = threading.Condition(threading.Lock())
        self._wake, self._hurry = threading.Event(), threading.Event()
        self._queues: dict[str, deque[tuple[int, dict[str, Any]]]] = {route: deque() for route in ROUTES}
        self._characters = self._in_hand = self._sent = self._dropped = self._rejected = 0
        self._thread: threading.Thread | None = None
        self._closed = False
        self._told: set[str] = set()

    def put(self, route: str, record: dict[str, Any]) -> None:
        """Into the buffer. The first record starts the thread; a full batch wakes it."""
        size = sum(len(value) for value in record.values() if isinstance(value, str))
        with self._changed:
            queue, lost = self._queues[route], int(self._closed)
            while queue and (len(queue) >= self._capacity or self._characters + size > BUFFER_CHARACTERS):
                self._characters -= queue.popleft()[0]
                lost += 1
            if not self._closed:
                self._start()
                queue.append((size, record))
                self._characters += size
            self._dropped += lost
            full = len(queue) % self._batch_size == 0
        if lost:
            self.complain("full", "The buffer for Feedback Lab at %s is full or closed: the oldest records are lost")
        if full:
            self._wake.set()

    def _start(self) -> None:
        if self._thread is None:
            thread = threading.Thread(target=self._run, name="feedback-lab", daemon=True)
            thread.start()  # may be refused: then the next record tries again
            self._thread = thread

    def stats(self) -> Stats:
        """What became of all records so far, at one moment."""
        with self._changed:
            return Stats(self._waiting(), self._sent, self._dropped, self._rejected)

    def flush(self, timeout: float) -> bool:
        """Try at once; True when nothing waits any more, False when `timeout` seconds have passed."""
        self._hurry.set()
        self._wake.set()
        with self._changed:
            return self._changed.wait_for(lambda: not self._waiting(), timeout)

    def close(self, timeout: float) -> None:
        """Flush and end; what could not be delivered in time is dropped, counted and logged."""
        self.flush(timeout)
        with self._changed:
            lost, self._closed = self._waiting(), True
            self._dropped += lost
            self._in_hand = 0
            for queue in self._queues.values():
                queue.clear()
        self._hurry.set()
        self._wake.set()
        if lost:
            log.warning("%d records were not delivered to Feedback Lab at %s in time: lost", lost, self._web.url)

    def lose(self, error: Exception) -> None:
        """Count a record that could not even be put into the buffer."""
        with self._changed:
            self._dropped += 1
        self.complain("record", "A record for Feedback Lab at %s is lost: %r", error)

    def complain(self, kind: str, words: str, *more: object) -> None:
        """One warning of a kind, until that trouble is over."""
        if kind not in self._told:
            self._told.add(kind)
            log.warning(words, self._web.url, *more)

    def recovered(self, *kinds: str) -> None:
        """The trouble is over: the next one is worth a warning again."""
        self._told.difference_update(kinds)

    def _waiting(self) -> int:
        return sum(len(queue) for queue in self._queues.values()) + self._in_hand

    def _run(self) -> None:
        while not self._closed:
            self._wake.wait(self._flush_interval)
            self._wake.clear()
            for route in ROUTES:
                while self._queues[route]:
                    if batch := self._take(route):
                        self._deliver(route, batch)

    def _take(self, route: str) -> list[bytes]:
        """The next batch, encoded a few records at a time, with naps: the product's threads need the interpreter."""
        records: list[dict[str, Any]] = []
        with self._changed:
            queue, size = self._queues[route], 0
            while queue and len(records) < self._batch_size and (not records or size < BATCH_CHARACTERS):
                characters, record = queue.popleft()
                size += characters
                records.append(record)
            self._characters -= size
            self._in_hand = len(records)
        encoded: list[bytes] = []
        for place, record in enumerate(records):
            if place % BREATH == 0:
                time.sleep(NAP)
            text = self._encoded(record)
            encoded += [text] if text is not None else []
        return encoded

    def _encoded(self, record: dict[str, Any]) -> bytes | None:
        try:
            return json.dumps(record, default=str, allow_nan=False).encode()
        except Exception as error:  # whatever a product's own objects do when they are written
            self.complain("encode", "A record for Feedback Lab at %s cannot be written as JSON: %r", error)
            self._settle(rejected=1)
            return None

    def _deliver(self, route: str, batch: Sequence[bytes]) -> None:
        """Try until there is a final answer. A refused batch goes again in halves, until the culprit stands alone."""
        attempt, body = 0, b"[" + b",".join(batch) + b"]"
        while not self._is_final(answer := self._web.ask(route, body, self._timeout)) and not self._closed:
            self.complain("outage", "Feedback Lab at %s takes nothing, records wait: %s", answer)
            self._pause(attempt, answer.retry_after)
            attempt += 1
        rejected = self._rejects(answer)
        if rejected is not None:
            self._settle(sent=len(batch) - rejected, rejected=rejected)
        elif answer.status in SPLIT and len(batch) > 1:
            self._deliver(route, batch[: len(batch) // 2])
            self._deliver(route, batch[len(batch) // 2 :])
        elif answer.final and not answer.good:
            self.complain("refused", "Feedback Lab at %s refused records: %s", answer)
            self._settle(rejected=len(batch))

    def _is_final(self, answer: Answer) -> bool:
        """Whether a collector has spoken its last word; proxies and dashboards say 200 to what they do not know."""
        return answer.final and not (answer.good and _results_of(answer) is None)

    def _rejects(self, answer: Answer) -> int | None:
        """How many records were rejected, where the collector judged them one by one; None where it did not."""
        results = _results_of(answer)
        if results is None:
            return None
        rejects = [result for result in results if result.get("status") == "rejected"]
        if rejects:
            self.complain("refused", "Feedback Lab at %s refused records: %s", rejects[0])
        return len(rejects)

    def _pause(self, attempt: int, retry_after: float) -> None:
        """Back off: a random part of a span that doubles, never less than the collector asked for."""
        span = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(attempt, 10))
        self._hurry.wait(max(uniform(0, span), retry_after))
        self._hurry.clear()

    def _settle(self, sent: int = 0, rejected: int = 0) -> None:
        if sent and "outage" in self._told:
            self.recovered("outage", "full")
            log.warning("Feedback Lab at %s takes records again; %d were lost", self._web.url, self._dropped)
        with self._changed:
            if not self._closed:  # else they are already counted as dropped
                self._in_hand -= sent + rejected
                self._sent += sent
                self._rejected += rejected
            self._changed.notify_all()


def _results_of(answer: Answer) -> list[dict[str, Any]] | None:
    """What became of each record, where a collector says it."""
    try:
        told = json.loads(answer.words)
        results = (told if answer.good else told["details"])["results"]
    except (ValueError, TypeError, KeyError):
        return None
    return results if isinstance(results, list) and all(isinstance(one, dict) for one in results) else None


def _close_all() -> None:
    for sender in list(_senders):
        sender.close(sender.exit_timeout)


def _forget_all() -> None:
    for sender in list(_senders):
        sender.forget()


atexit.register(_close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)
