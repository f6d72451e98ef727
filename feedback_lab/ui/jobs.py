"""Long work of a page: started in the background, followed with progress and a button that stops it.

A session holds at most one job under a name. Small work is over before the page is drawn again, so nothing flickers.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

import streamlit as st

from feedback_lab.jobs import JOBS, Job, JobHandle, View

T = TypeVar("T")

QUICK_S = 0.5
LOOK_EVERY_S = 0.5
STILL_S = 1.5


def start(key: str, name: str, work: Callable[[JobHandle], T]) -> Job[T]:
    """Begin the job of this session under `key`, in place of the one before. For a button's callback."""
    before = current(key)
    if before is not None:
        JOBS.drop(before.id)
    st.session_state.pop(f"stopped_{key}", None)
    job = JOBS.start(name, work)
    st.session_state[f"job_{key}"] = job.id
    job.wait(QUICK_S)
    return job


def current(key: str) -> Job[Any] | None:
    """The job of this session under `key`, running or ended, until `take` or the next `start`."""
    return JOBS.get(st.session_state.get(f"job_{key}", ""))


def take(key: str) -> Job[Any] | None:
    """The job under `key` if it has ended, once: its result or error is the page's from here on."""
    job = current(key)
    if job is None or not job.state.ended:
        return None
    del st.session_state[f"job_{key}"]
    JOBS.drop(job.id)
    return job


def running(name: str) -> list[Job[Any]]:
    """The jobs of this name that have not ended, of whatever session."""
    return [job for job in JOBS.listing() if job.name == name and not job.state.ended]


def was_stopped(key: str) -> bool:
    """Whether this session pressed the Stop of the job it started last under `key`."""
    return bool(st.session_state.get(f"stopped_{key}"))


def job_panel(job: Job[Any], unit: str, key: str, still: str = "") -> None:
    """How far a job is, and the button that stops it; the page runs again when it has ended.

    `unit`, `still`, which is said where the number stands still for a moment, and the job's message are our own words.
    """
    last = [-1, time.monotonic()]

    @st.fragment(run_every=LOOK_EVERY_S)
    def follow() -> None:
        seen = job.view
        if seen.state.ended:
            st.rerun()
        if seen.done != last[0]:
            last[:] = [seen.done, time.monotonic()]
        stands = bool(still and seen.done and time.monotonic() - last[1] > STILL_S)
        far = f"{seen.done:,} {unit}, {still}" if stands else how_far(seen, job.rate, unit)
        with st.container(horizontal=True, vertical_alignment="center"):
            if seen.total:
                st.progress(min(seen.done / seen.total, 1.0), far, width="stretch")
            else:
                st.markdown(f":material/hourglass_top: {far}", width="stretch")
            st.button("Stopping" if seen.cancelling else "Stop", key=f"stop_{key}", disabled=seen.cancelling,
                      icon=":material/stop_circle:", on_click=_cancel, args=(job, key))  # fmt: skip

    follow()


def _cancel(job: Job[Any], key: str) -> None:
    st.session_state[f"stopped_{key}"] = True
    job.cancel()


def how_far(seen: View[Any], rate: float | None, unit: str) -> str:
    """Progress in words, as `12,000 of 40,000 rows, 9,000 a second`."""
    if not seen.done and not seen.total:
        return "Beginning"
    done = f"{seen.done:,} of {seen.total:,} {unit}" if seen.total else f"{seen.done:,} {unit}"
    rate_in_words = f", {rate:,.0f} a second" if rate and not seen.total else ""
    return done + rate_in_words + (f": {seen.message}" if seen.message else "")
