"""Figures that take a moment: made once for all sessions, kept, and never shown as newer than they are.

A page either cannot do without them (`counted`, which waits), or stands without them and takes them in when they are
there (`figures`). `say_how_old` tells how old they are. What nobody asked for yet (`prepare`) is made while nobody
waits.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import streamlit as st

from feedback_lab.errors import LabError
from feedback_lab.jobs import Job, JobHandle, Jobs
from feedback_lab.store import Store
from feedback_lab.ui import state

T = TypeVar("T")

QUICK_S = 0.5  # that a run waits in all: a small store has its figures in the first one
KEPT_TIMES = 10  # as long as it took to make them, or a busy store would be counted without end
LOOK_EVERY_S = 1.0
CALM_S = 1.0  # without a page that asks for anything
MOST_KEPT = 64

_AWAITED = Jobs(workers=2, name="counting")
_BEHIND = Jobs(workers=1, name="figures")  # nobody waits for these: one at a time, so that others find the engine free
_AHEAD = Jobs(workers=1, name="ahead")
_lock = threading.Lock()
_kept: dict[tuple[Any, ...], Figures[Any]] = {}
_asked_at = -CALM_S  # when a page last asked for figures


@dataclass(slots=True)
class Figures(Generic[T]):
    """The newest value there is (None before the first), and the job that makes the next, if one runs.

    `stamp` is the commit that the value counts up to, `tried` the one for which a value was last begun. The value was
    there at `made_at` and took `cost_s`. `error` says why the last one failed.
    """

    value: T | None = None
    stamp: int = -1
    tried: int = -1
    made_at: float = 0.0
    cost_s: float = 0.0
    job: Job[tuple[int, T]] | None = None
    error: str | None = None

    def lacks(self, stamp: int) -> bool:
        """Whether something was committed up to `stamp` that the value does not count."""
        return self.value is None or self.stamp < stamp

    @property
    def known(self) -> T:
        """The value. Raises LabError where it could not be made."""
        if self.value is None:
            raise LabError(self.error or "Nothing could be counted: load the page again.")
        return self.value

    @property
    def is_due(self) -> bool:
        """Whether it is time to look for something newer: always where that is quick."""
        return self.cost_s < QUICK_S or time.monotonic() - self.made_at > KEPT_TIMES * self.cost_s


def begin_run() -> None:
    """A page begins to be drawn, and is patient again."""
    st.session_state["patience_s"] = QUICK_S


def figures(
    name: str,
    key: tuple[Any, ...],
    make: Callable[[], T],
    *,
    first: Callable[[], object] | None = None,
    awaited: bool = False,
) -> Figures[T]:
    """The figures under a name and a key, being made anew where something was committed since. Waits only a moment, and
    not at all where the run has waited for others already.

    `first` and `make` run in a thread, one after the other; what `first` commits is counted in.
    """
    global _asked_at
    _asked_at, store = time.monotonic(), state.lab().store
    newest, own = state.changes(), state.last_own_commit()
    with _lock:
        found: Figures[T] = _figures_of(store, name, key)
        if found.job is None and found.tried < newest and (found.is_due or found.tried < own):
            _begin(found, store, name, make, first, _AWAITED if awaited else _BEHIND)
        job = found.job
    if job is not None and (found.cost_s < QUICK_S or found.lacks(own)) and _waits_for(job):
        with _lock:
            _take(found)
    return found


def counted(
    name: str,
    key: tuple[Any, ...],
    make: Callable[[], T],
    *,
    first: Callable[[], object] | None = None,
    meanwhile: Callable[[], object] | None = None,
) -> Figures[T]:
    """Such figures with a `known` value: waits where there is none, or none since this session wrote something.

    `meanwhile` draws something empty of the kind that will show the first value: a browser needs as long to load what
    draws tables or charts as the figures need to be made.
    """
    place, coming, begun = st.empty(), st.empty(), time.monotonic()
    found = figures(name, key, make, first=first, awaited=True)
    if meanwhile is not None and found.job is not None and found.value is None:
        with coming:
            meanwhile()
    while (job := found.job) is not None and found.lacks(state.last_own_commit()):
        if job.wait(LOOK_EVERY_S):
            found = figures(name, key, make, first=first, awaited=True)
        else:  # to write is also to leave, where the reader has gone on to another page
            place.caption(f":material/hourglass_top: Counting, {time.monotonic() - begun:,.0f} s")
    place.empty()
    coming.empty()
    return found


def prepare(
    store: Store, name: str, key: tuple[Any, ...], make: Callable[[], T], *, first: Callable[[], object] | None = None
) -> None:
    """Have figures made that nobody asked for yet, as soon as nobody waits for others. Does not wait."""

    def ahead(handle: JobHandle) -> None:
        _wait_for_calm(handle)
        with _lock:
            found: Figures[T] = _figures_of(store, name, key)
            if found.job is None and found.value is None and not handle.cancelled:
                _begin(found, store, name, make, first, _BEHIND)

    _AHEAD.start(name, ahead)


def close() -> None:
    """Begin nothing more that waits, and let what is being made come to its end, for two seconds each."""
    for jobs in (_AHEAD, _AWAITED, _BEHIND):
        jobs.close(timeout_s=2.0)


def say_how_old(found: Figures[Any], coming: str = "Being counted.") -> None:
    """Where something was committed that the value does not count: how old it is, and what becomes of it; the page runs
    again when the next value is there. `coming`, our own words, stands where there is no value yet."""
    if not found.lacks(state.changes()):
        return
    age = f"Counted {time.monotonic() - found.made_at:,.0f} s ago." if found.value is not None else ""
    if found.job is not None:
        _follow(found.job, f"{age} What came since is being counted." if age else coming)
    elif found.error:
        st.caption(f"{age} What came since could not be counted: the server's log says why.")
    else:
        st.caption(f"{age} What came since is counted when the page is loaded again.")


def _follow(job: Job[Any], words: str) -> None:
    @st.fragment(run_every=LOOK_EVERY_S)
    def look() -> None:
        if job.state.ended:
            st.rerun()
        st.caption(f":material/hourglass_top: {words}")

    look()


def _figures_of(store: Store, name: str, key: tuple[Any, ...]) -> Figures[Any]:
    """What is kept under a name and a key, with what its job left. The lock is held."""
    whole = (str(store.path), name, *key)
    found: Figures[Any] = _kept.pop(whole) if whole in _kept else Figures()
    _kept[whole] = found
    while len(_kept) > MOST_KEPT:
        del _kept[next(iter(_kept))]
    _take(found)
    return found


def _begin(
    found: Figures[T],
    store: Store,
    name: str,
    make: Callable[[], T],
    first: Callable[[], object] | None,
    jobs: Jobs,
) -> None:
    found.tried = state.changes(store)
    found.job = jobs.start(name, lambda handle: _made(store, make, first))


def _waits_for(job: Job[Any]) -> bool:
    """Wait for a job as long as this run is patient; whether it has ended."""
    begun, patience = time.monotonic(), st.session_state.get("patience_s", QUICK_S)
    has_ended = job.wait(max(0.0, patience))
    st.session_state["patience_s"] = patience - (time.monotonic() - begun)
    return has_ended


def _wait_for_calm(handle: JobHandle) -> None:
    """Wait until no figures are being made, and no page has just asked for some: it may ask for more."""
    while not handle.cancelled:
        made_now = [job for jobs in (_AWAITED, _BEHIND) for job in jobs.listing() if not job.state.ended]
        still = CALM_S - (time.monotonic() - _asked_at)
        if made_now:
            made_now[0].wait(LOOK_EVERY_S)
        elif still > 0:
            time.sleep(still)
        else:
            return


def _made(store: Store, make: Callable[[], T], first: Callable[[], object] | None) -> tuple[int, T]:
    if first is not None:
        first()
    return state.changes(store), make()


def _take(found: Figures[T]) -> None:
    """What the job left. Where it failed, the value before stays until something else is committed."""
    job = found.job
    if job is None or not job.state.ended:
        return
    found.error = job.error
    if job.result is not None:
        found.stamp, found.value = job.result
        found.tried = max(found.tried, found.stamp)
    found.made_at, found.cost_s = time.monotonic(), job.elapsed_s
    _AWAITED.drop(job.id)
    _BEHIND.drop(job.id)
    found.job = None
