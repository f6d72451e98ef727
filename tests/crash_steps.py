"""Die at a chosen step of writing a file: each call that changes the disk is a step, each commit is two."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from feedback_lab import atomic_file, backup, backup_file, knowledge
from feedback_lab.store import Store, open_store

DISK_CALLS = ("open", "fsync", "replace", "rename")


class Killed(BaseException):
    """Stands for the end of the process: nothing in the product catches it."""


class _WatchedOs:
    def __init__(self, step: Callable[[str], None]) -> None:
        self._step = step

    def __getattr__(self, name: str) -> Any:
        real = getattr(os, name)
        if name not in DISK_CALLS:
            return real

        def watched(*given: Any, **named: Any) -> Any:
            self._step(name)
            return real(*given, **named)

        return watched


@contextmanager
def watched(step: Callable[[str], None], store: Store | None = None) -> Iterator[None]:
    """Call `step` with a name before every change of the disk, and before and after every commit."""

    def write(work: Any) -> Any:
        step("commit")
        result = Store.write(store, work)  # type: ignore[arg-type]
        step("committed")
        return result

    with ExitStack() as patches:
        for module in (atomic_file, backup, backup_file):
            patches.enter_context(patch.object(module, "os", _WatchedOs(step)))
        if store is not None:
            patches.enter_context(patch.object(store, "write", write))
        yield


def killed_at(number: int) -> Callable[[str], None]:
    """A step function that raises Killed at the step with this number, counted from 0."""
    passed = iter(range(number))

    def step(name: str) -> None:
        if next(passed, None) is None:
            raise Killed(name)

    return step


def names_of_steps(work: Callable[[], object], store: Store | None = None) -> list[str]:
    """Do the work to its end; the names of the steps that it took."""
    names: list[str] = []
    with watched(names.append, store):
        work()
    return names


def main() -> None:
    """Publish what is pending in a home, and die by SIGKILL at the step with the number given."""
    home, number = Path(sys.argv[1]), int(sys.argv[2])
    passed = iter(range(number))

    def step(_name: str) -> None:
        if next(passed, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)

    store = open_store(home)
    with watched(step, store):
        knowledge.publish(store, knowledge.Files(home / "knowledge.jsonl", home / "instructions.md"))


if __name__ == "__main__":
    main()
