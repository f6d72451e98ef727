"""The one thread that stores what the API takes: everything that waits goes into one commit, answered after it.

The queue is bounded. When it is full, nothing more is taken (`QueueFull`), so a sender hears at once that it must
come again, and nothing that was taken is ever dropped: what was not committed is answered with the reason.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import traceback
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path

from sqlalchemy.exc import InternalError, OperationalError

from feedback_lab.errors import LabError, StoreError
from feedback_lab.ingest.receiving import InteractionItem, Item, KnownIds, Outcome, Status, receive
from feedback_lab.records import utc_now
from feedback_lab.store import Store

log = logging.getLogger("feedback_lab.collector")

Outcomes = list[Outcome]


class QueueFull(StoreError):
    """More waits to be stored than is taken: come again in a moment."""


@dataclass(slots=True)
class _Request:
    items: Sequence[Item]
    answer: asyncio.Future[Outcomes]


@dataclass(slots=True)
class _Writes:
    """What the writer keeps about the store that it writes to; `last` is its own last commit, None after a failure."""

    store: Store
    user_key: str
    known: KnownIds
    last: int | None = None


class Writer:
    """Stores items in the order in which they were submitted. Share one per process."""

    def __init__(
        self,
        store_of: Callable[[], Store],
        *,
        most_waiting: int = 20_000,
        most_together: int = 2_000,
        stored: Callable[[], None] = lambda: None,
    ) -> None:
        """`stored` is called after a commit with new feedback; it must return at once."""
        self._store_of, self._stored = store_of, stored
        self._most_waiting, self._most_together = most_waiting, most_together
        self._waiting: deque[_Request] = deque()
        self._items = 0  # of the waiting requests
        self._changed = threading.Condition()
        self._closing = False
        self._thread: threading.Thread | None = None
        self._last = datetime.min
        self._writes: _Writes | None = None

    def submit(self, items: Sequence[Item]) -> asyncio.Future[Outcomes]:
        """Queue the items for the next commit; the future answers one outcome an item once they are on disk.

        Call it on an event loop. Raises QueueFull where too many wait, StoreError once it is closed. The future raises
        LabError where the commit failed: nothing of it is acknowledged then, and the same may be sent again.
        """
        request = _Request(items, asyncio.get_running_loop().create_future())
        with self._changed:
            if self._closing:
                raise StoreError("Feedback Lab is stopping: send it again in a moment.")
            if self._items and self._items + len(items) > self._most_waiting:
                raise QueueFull("Too much waits to be stored: send it again in a moment.")
            self._items += len(items)
            self._waiting.append(request)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="collector-writer", daemon=True)
                self._thread.start()
            self._changed.notify()
        return request.answer

    @property
    def queued(self) -> int:
        """How many items wait."""
        return self._items

    def close(self) -> None:
        """Store what waits, then stop; from here on nothing is taken. Harmless when called twice."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._closing:
                    self._changed.wait()
                if not self._waiting:
                    return
                group = self._next_group()
            self._answer(group)

    def _next_group(self) -> list[_Request]:
        """Everything that waits, up to a bound; a sender that went away meanwhile was told nothing, and is left out."""
        group: list[_Request] = []
        count = 0
        while self._waiting and (not group or count + len(self._waiting[0].items) <= self._most_together):
            request = self._waiting.popleft()
            self._items -= len(request.items)
            if not request.answer.done():
                group.append(request)
                count += len(request.items)
        return group

    def _answer(self, group: Sequence[_Request]) -> None:
        """Commit the group and answer each of its requests."""
        try:
            outcomes = self._stored_or_refused([item for request in group for item in request.items])
        except LabError as error:
            log.error("A commit failed: %s", type(error).__name__)
            _tell([(request.answer, error) for request in group])
            return
        rest = iter(outcomes)
        _tell([(request.answer, list(islice(rest, len(request.items)))) for request in group])
        if any(outcome.status is Status.NEW and outcome.kind == "feedback" for outcome in outcomes):
            self._stored()

    def _stored_or_refused(self, items: Sequence[Item]) -> Outcomes:
        """The outcomes of the items after their commit; one that the database cannot take is refused by itself."""
        try:
            return self._commit(items) if items else []
        except LabError:
            raise
        except (OperationalError, InternalError, MemoryError) as error:  # not the item's fault
            log.error("A commit failed (%s)", place_of(error))
            raise StoreError("The database cannot take this now.") from error
        except Exception as error:
            if len(items) == 1:
                log.error("An item could not be stored (%s)", place_of(error))
                reason = "the database cannot take this item"
                return [Outcome(Status.REJECTED, kind_of(items[0]), None, None, "unstorable", reason)]
            half = len(items) // 2
            return self._stored_or_refused(items[:half]) + self._stored_or_refused(items[half:])

    def _commit(self, items: Sequence[Item]) -> Outcomes:
        store = self._store_of()
        if self._writes is None or self._writes.store is not store:
            self._writes = _Writes(store, str(store.scalar("SELECT user_key FROM ledger")), KnownIds())
        writes = self._writes
        moment = max(utc_now(), self._last)
        self._last = moment + timedelta(microseconds=len(items))
        with store.exclusive():  # so that nobody writes between the question and the commit
            writes.known.certain, writes.last = store.commits == writes.last, None
            outcomes = store.write(
                lambda one: receive(one, items, key=writes.user_key, received_at=moment, known=writes.known)
            )
            writes.last = store.commits
        return outcomes


def _tell(answers: Sequence[tuple[asyncio.Future[Outcomes], Outcomes | LabError]]) -> None:
    """Wake each event loop once for all of its answers, not for every one: each time costs the interpreter's lock."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Outcomes], Outcomes | LabError]]] = {}
    for future, answer in answers:
        by_loop.setdefault(future.get_loop(), []).append((future, answer))
    for loop, its in by_loop.items():
        with suppress(RuntimeError):  # the loop has ended, and with it who asked
            loop.call_soon_threadsafe(_settle, its)


def _settle(answers: Sequence[tuple[asyncio.Future[Outcomes], Outcomes | LabError]]) -> None:
    for future, answer in answers:
        if future.done():  # who asked went away meanwhile
            continue
        if isinstance(answer, LabError):
            future.set_exception(answer)
        else:
            future.set_result(answer)


def kind_of(item: Item) -> str:
    """The word for what an item brings."""
    return "interaction" if isinstance(item, InteractionItem) else "feedback"


def place_of(error: BaseException) -> str:
    """An unforeseen error for the log: its type and where it rose; its message may hold a user's text."""
    frames = traceback.extract_tb(error.__traceback__)
    where = ", ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames[-3:])
    return f"{type(error).__name__} at {where}"
