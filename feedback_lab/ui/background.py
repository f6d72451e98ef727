"""Figures that take seconds: made once for all sessions in the background, and shown as soon as they are there."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import streamlit as st

from feedback_lab.jobs import Job, Jobs
from feedback_lab.ui import state

T = TypeVar("T")

QUICK_S = 0.5  # a small store has its figures in the first run
FRESH_S = 10.0  # so long they are kept whatever is written, or a busy store would make them without end
LOOK_EVERY_S = 1.0
MOST_KEPT = 16

_JOBS = Jobs(workers=1, name="figures")
_lock = threading.Lock()
_kept: dict[tuple[Any, ...], Figures[Any]] = {}


@dataclass(slots=True)
class Figures(Generic[T]):
    """The newest value there is (None before the first), and the job that makes the next, if one runs."""

    value: T | None = None
    stamp: int = -1
    made_at: float = 0.0
    job: Job[T] | None = None


def figures(name: str, key: tuple[Any, ...], make: Callable[[], T]) -> Figures[T]:
    """The figures under a name and a key; made anew where something was committed since. `make` runs in a thread."""
    whole = (str(state.lab().store.path), name, *key)
    stamp = state.commits()
    with _lock:
        found: Figures[T] = _kept.pop(whole) if whole in _kept else Figures()
        _kept[whole] = found
        while len(_kept) > MOST_KEPT:
            del _kept[next(iter(_kept))]
        _take(found)
        if found.job is None and found.stamp != stamp and time.monotonic() - found.made_at > FRESH_S:
            found.stamp = stamp
            found.job = _JOBS.start(name, lambda handle: make())
        job = found.job
    if job is not None and found.value is None and job.wait(QUICK_S):
        with _lock:
            _take(found)
    return found


def _take(found: Figures[T]) -> None:
    """What the job left. Where it failed, the value before stays until something else is committed."""
    if found.job is not None and found.job.state.ended:
        found.value = found.job.result if found.job.result is not None else found.value
        found.made_at = time.monotonic()
        _JOBS.drop(found.job.id)
        found.job = None


def follow(found: Figures[Any], words: str) -> None:
    """Say that figures are still being made, and run the page again when they are there. `words` are our own."""
    job = found.job
    if job is None:
        return

    @st.fragment(run_every=LOOK_EVERY_S)
    def look() -> None:
        if job.state.ended:
            st.rerun()
        st.caption(f":material/hourglass_top: {words}")

    look()
