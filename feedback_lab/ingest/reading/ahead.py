"""Reading ahead: the next items are made in a thread of their own while the caller works on the ones before."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from contextlib import suppress
from queue import Empty, Full, Queue
from typing import TypeVar

T = TypeVar("T")

DEPTH = 2  # items that wait at most
PATIENCE = 0.1  # seconds after which a full queue is asked whether anybody still wants it


def ahead(items: Iterator[T]) -> Generator[T, None, None]:
    """The items in order; what making them raises is raised here. Close it, and the thread ends."""
    waiting: Queue[tuple[bool, T | BaseException | None]] = Queue(DEPTH)
    stopped = threading.Event()

    def put(goes_on: bool, item: T | BaseException | None) -> None:
        while not stopped.is_set():
            with suppress(Full):
                waiting.put((goes_on, item), timeout=PATIENCE)
                return

    def work() -> None:
        try:
            for item in items:
                put(True, item)
                if stopped.is_set():
                    return
            put(False, None)
        except BaseException as error:
            put(False, error)

    thread = threading.Thread(target=work, name="reading ahead", daemon=True)
    thread.start()
    try:
        while True:
            goes_on, item = waiting.get()
            if not goes_on:
                if isinstance(item, BaseException):
                    raise item
                return
            yield item  # type: ignore[misc]
    finally:
        stopped.set()
        with suppress(Empty):
            waiting.get_nowait()
        thread.join()
