"""Heavy computing in processes of their own, so that it never keeps the interpreter from those who wait for an answer.

A server calls `begin`; from then on `call` hands pure functions to processes of low priority, which start when first
needed. Everywhere else `call` computes on the spot. What is handed over is pickled, large tables and arrays without
being copied; functions are named, so they stand in a module.
"""

from __future__ import annotations

import logging
import os
import pickle
import signal
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import IO, Any, ParamSpec, TypeVar, cast

from feedback_lab.errors import LabError

P = ParamSpec("P")
T = TypeVar("T")

MOST = 2  # the rules, and beside them what a page waits for
NICENESS = 10
ONE_CORE = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")}
log = logging.getLogger("feedback_lab.workers")


class WorkerLost(LabError):
    """A process ended in the middle of a call, or the workers are closed: nothing was computed."""


class _Process:
    """A process that computes one call after the other. It ends with whoever holds the other end of its pipe."""

    def __init__(self) -> None:
        paths = os.pathsep.join(os.path.abspath(path) for path in sys.path)
        self._running = subprocess.Popen(
            [sys.executable, "-c", "from feedback_lab.workers import serve; serve()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | ONE_CORE | {"PYTHONPATH": paths},
        )

    def call(self, function: Callable[..., Any], given: Sequence[Any], named: dict[str, Any]) -> tuple[bool, Any]:
        """Whether the function answered, and its answer, or else its error. EOFError, OSError: the process ended."""
        _send(cast(IO[bytes], self._running.stdin), (function, given, named))
        return cast(tuple[bool, Any], _receive(cast(IO[bytes], self._running.stdout)))

    def end(self) -> None:
        """Stop it, also in the middle of a call."""
        self._running.kill()
        self._running.wait()
        for pipe in (self._running.stdin, self._running.stdout):
            with suppress(OSError):
                cast(IO[bytes], pipe).close()


class Workers:
    """At most `most` processes, each computing one call at a time; who finds none free waits."""

    def __init__(self, most: int = MOST) -> None:
        self._free = threading.Semaphore(most)
        self._lock = threading.Lock()
        self._idle: list[_Process] = []
        self._all: set[_Process] = set()
        self._closed = False

    def call(self, function: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
        """What `function` answers, computed in another process; raises what it raises.

        Raises WorkerLost where two processes in turn ended in the middle of it, or the workers are closed.
        """
        with self._free:
            for last in (False, True):
                process = self._take()
                try:
                    good, answer = process.call(function, given, named)
                except (EOFError, OSError) as error:
                    self._drop(process)
                    if last or self._closed:
                        raise WorkerLost("The computing process ended before it had an answer: try again.") from error
                    log.error("The computing process ended; another one tries again")
                    continue
                self._give_back(process)
                if not good:
                    raise answer
                return cast(T, answer)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def close(self) -> None:
        """End all processes at once; calls under way raise WorkerLost. Harmless when called twice."""
        with self._lock:
            self._closed = True
            processes = list(self._all)
            self._idle.clear()
        for process in processes:
            self._drop(process)

    def _take(self) -> _Process:
        with self._lock:
            if self._closed:
                raise WorkerLost("Feedback Lab is stopping: try again in a moment.")
            if self._idle:
                return self._idle.pop()
            process = _Process()
            self._all.add(process)
            return process

    def _give_back(self, process: _Process) -> None:
        with self._lock:
            if not self._closed:
                self._idle.append(process)

    def _drop(self, process: _Process) -> None:
        with self._lock:
            self._all.discard(process)
        process.end()


_workers: Workers | None = None


def begin() -> None:
    """From now on, `call` computes in other processes."""
    global _workers
    _workers = Workers()


def end() -> None:
    """End the processes, also those in the middle of a call, for good. Harmless where none were begun."""
    if _workers is not None:
        _workers.close()


def call(function: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
    """What `function` answers: computed by the workers where they were begun, else right here. See `Workers.call`."""
    workers = _workers
    return function(*given, **named) if workers is None else workers.call(function, *given, **named)


def serve() -> None:
    """What such a process does: compute what comes, until the pipe is closed."""
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the server, which ends this one
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not stand between the answers
    with suppress(EOFError, OSError):
        while True:
            function, given, named = _receive(sys.stdin.buffer)
            try:
                answer = True, function(*given, **named)
            except Exception as error:
                answer = False, error
            _send(answers, answer)


def _send(pipe: IO[bytes], value: Any) -> None:
    """A value as its length and pickle, then each large buffer of it."""
    buffers: list[pickle.PickleBuffer] = []
    parts: list[Any] = [pickle.dumps(value, protocol=5, buffer_callback=buffers.append)]
    parts += [buffer.raw() for buffer in buffers]
    pipe.write(struct.pack(f"<{1 + len(parts)}Q", len(parts), *map(len, parts)))
    for part in parts:
        pipe.write(part)
    pipe.flush()


def _receive(pipe: IO[bytes]) -> Any:
    (count,) = struct.unpack("<Q", _exactly(pipe, 8))
    first, *rest = [_exactly(pipe, size) for size in struct.unpack(f"<{count}Q", _exactly(pipe, 8 * count))]
    return pickle.loads(first, buffers=rest)


def _exactly(pipe: IO[bytes], size: int) -> bytes:
    found = pipe.read(size)
    if len(found) < size:
        raise EOFError
    return found
