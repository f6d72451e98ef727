"""Background work with progress, cancel and error: what a page or a request starts and looks at again later.

A job is *queued*, then *running*, and ends as *done*, *failed* or *cancelled*; an end is for ever. Work hears of a
cancel where it reports progress, so it stops only at places that it chose.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Generic, TypeVar

from feedback_lab.errors import LabError
from feedback_lab.records import new_id

T = TypeVar("T")
Progress = Callable[[int, int | None, str], None]

MOST_KEPT = 200
log = logging.getLogger("feedback_lab.jobs")


class Cancelled(Exception):
    """Raised in work whose job was cancelled, when it reports progress."""


class State(StrEnum):
    """Where a job is in its life."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Whether it stays so for ever."""
        return self in (State.DONE, State.FAILED, State.CANCELLED)


@dataclass(frozen=True, slots=True)
class View(Generic[T]):
    """A job at one moment.

    `done` of `total` units of its own choice, None where nobody knows how many; `result` stands when it is done,
    `error` (one sentence for a person) when it failed; `started` and `ended` are seconds of `time.monotonic`.
    """

    state: State = State.QUEUED
    done: int = 0
    total: int | None = None
    message: str = ""
    cancelling: bool = False
    result: T | None = None
    error: str | None = None
    started: float | None = None
    ended: float | None = None


class Job(Generic[T]):
    """Work in the background. All attributes may be read from any thread; `view` answers them at one moment."""

    def __init__(self, name: str, work: Callable[[JobHandle], T]) -> None:
        self.id, self.name = new_id(), name
        self._work: Callable[[JobHandle], T] | None = work
        self._view: View[T] = View()
        self._lock = threading.Lock()
        self._over = threading.Event()

    @property
    def view(self) -> View[T]:
        return self._view

    @property
    def state(self) -> State:
        return self._view.state

    @property
    def result(self) -> T | None:
        return self._view.result

    @property
    def error(self) -> str | None:
        return self._view.error

    @property
    def elapsed_s(self) -> float:
        """Seconds since it began to run; 0 before, the whole run's length afterwards."""
        seen = self._view
        return 0.0 if seen.started is None else (seen.ended or time.monotonic()) - seen.started

    @property
    def rate(self) -> float | None:
        """Units of progress a second; None in the first half second, when it would be noise."""
        elapsed = self.elapsed_s
        return self._view.done / elapsed if elapsed >= 0.5 else None

    def cancel(self) -> bool:
        """Ask for an end: at once where it waits, at the next progress where it runs. False where it has ended."""
        with self._lock:
            if self._view.state.ended:
                return False
            if self._view.state is State.QUEUED:
                self._end(State.CANCELLED)
            else:
                self._view = replace(self._view, cancelling=True)
            return True

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for the end; whether it has ended."""
        return self._over.wait(timeout_s)

    def run(self) -> None:
        """Do the work in this thread. Called by the registry, once; harmless where the job was cancelled before."""
        with self._lock:
            if self._view.state is not State.QUEUED or self._work is None:
                return
            self._view = replace(self._view, state=State.RUNNING, started=time.monotonic())
            work = self._work
        try:
            result = work(JobHandle(self))
        except Cancelled:
            self._finish(State.CANCELLED)
        except LabError as error:
            self._finish(State.FAILED, error=str(error))
        except BaseException as error:  # a thread has nobody else to tell
            log.exception("The job %s failed", self.name)
            self._finish(
                State.FAILED, error=f"Something unexpected went wrong ({type(error).__name__}): see the server's log."
            )
        else:
            self._finish(State.DONE, result=result)

    def _finish(self, state: State, **more: Any) -> None:
        with self._lock:
            self._end(state, **more)

    def _end(self, state: State, **more: Any) -> None:
        self._view = replace(self._view, state=state, ended=time.monotonic(), cancelling=False, **more)
        self._work = None  # what it holds on to may be large
        self._over.set()

    def _progress(self, done: int, total: int | None, words: str) -> None:
        with self._lock:
            if self._view.cancelling:
                raise Cancelled
            self._view = replace(self._view, done=done, total=total, message=words)


class JobHandle:
    """What the work itself sees of its job."""

    def __init__(self, job: Job[Any]) -> None:
        self._job = job

    @property
    def cancelled(self) -> bool:
        """Whether somebody asked for the end, for work that cannot report progress just then."""
        return self._job.view.cancelling

    def progress(self, done: int, total: int | None = None, words: str = "") -> None:
        """Say how far the work is. Raises Cancelled where the job was cancelled."""
        self._job._progress(done, total, words)


class Jobs:
    """The jobs of a process: at most `workers` run at once, the others wait in order."""

    def __init__(self, workers: int = 2, name: str = "job") -> None:
        self._workers, self._name = workers, name
        self._jobs: dict[str, Job[Any]] = {}
        self._waiting: deque[Job[Any]] = deque()
        self._threads: set[threading.Thread] = set()
        self._lock = threading.Lock()

    def start(self, name: str, work: Callable[[JobHandle], T]) -> Job[T]:
        """Begin work as soon as a worker is free. Its result is kept until it is dropped, or MOST_KEPT came after."""
        job = Job(name, work)
        with self._lock:
            ended = [one.id for one in self._jobs.values() if one.state.ended]
            for old in ended[: max(0, len(ended) - MOST_KEPT + 1)]:
                del self._jobs[old]
            self._jobs[job.id] = job
            self._waiting.append(job)
            if len(self._threads) < self._workers:
                thread = threading.Thread(target=self._serve, name=f"{self._name}-{len(self._threads)}", daemon=True)
                self._threads.add(thread)
                thread.start()
        return job

    def get(self, job_id: str) -> Job[Any] | None:
        """The job of this id, None where it is not kept (any more)."""
        return self._jobs.get(job_id)

    def listing(self) -> list[Job[Any]]:
        """All jobs that are kept, oldest first."""
        with self._lock:
            return list(self._jobs.values())

    def drop(self, job_id: str) -> None:
        """Forget a job and its result; one that has not ended is cancelled."""
        with self._lock:
            job = self._jobs.pop(job_id, None)
        if job is not None:
            job.cancel()

    def close(self, timeout_s: float = 5.0) -> None:
        """Cancel everything and wait for it, at most `timeout_s` in all. Jobs may be started again afterwards."""
        with self._lock:
            jobs, threads = list(self._jobs.values()), list(self._threads)
            self._waiting.clear()
        for job in jobs:
            job.cancel()
        deadline = time.monotonic() + timeout_s
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _serve(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._threads.discard(threading.current_thread())
                    return
                job = self._waiting.popleft()
            job.run()


# What pages start, and what the command line hands over: a quick command never waits behind an import.
JOBS = Jobs(workers=2)
COMMANDS = Jobs(workers=16, name="command")
