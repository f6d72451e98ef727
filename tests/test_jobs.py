"""Background work: its states, progress, cancel and errors, from many threads."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from feedback_lab.errors import InputError
from feedback_lab.jobs import MOST_KEPT, Job, JobHandle, Jobs, State

PATIENCE_S = 30


class Gate:
    """Work that stands still until it is told what to do next, so that a test decides what happens when."""

    def __init__(self) -> None:
        self.entered, self._told, self._taken = threading.Event(), threading.Event(), threading.Event()
        self._order: tuple[str, Any] = ("", None)

    def tell(self, what: str, value: Any = None) -> None:
        self._order = (what, value)
        self._taken.clear()
        self._told.set()
        assert self._taken.wait(PATIENCE_S)

    def __call__(self, handle: JobHandle) -> Any:
        self.entered.set()
        while True:
            assert self._told.wait(PATIENCE_S)
            self._told.clear()
            what, value = self._order
            try:
                if what == "progress":
                    handle.progress(value, 100, f"row {value}")
                elif what == "fail":
                    raise InputError(value)
                elif what == "break":
                    raise ZeroDivisionError(value)
                elif what == "return":
                    return value
            finally:
                self._taken.set()


def test_work_that_ends_leaves_its_result() -> None:
    job = Jobs().start("sum", lambda handle: sum(range(4)))

    assert job.wait(PATIENCE_S)
    assert (job.state, job.result, job.error) == (State.DONE, 6, None)


def test_progress_is_seen_while_it_runs_and_its_rate_counts_units_a_second() -> None:
    gate = Gate()
    job = Jobs().start("import", gate)
    gate.tell("progress", 40)

    assert (job.view.done, job.view.total, job.view.message) == (40, 100, "row 40")
    assert job.elapsed_s > 0
    gate.tell("return")
    assert job.wait(PATIENCE_S)
    assert job.elapsed_s == pytest.approx(job.view.ended - job.view.started)
    assert job.rate is None or job.rate == pytest.approx(40 / job.elapsed_s)


def test_a_cancelled_job_hears_it_at_its_next_progress_and_has_no_result() -> None:
    gate = Gate()
    job = Jobs().start("import", gate)
    gate.tell("progress", 1)
    assert job.cancel()
    assert job.state is State.RUNNING
    gate.tell("progress", 2)

    assert job.wait(PATIENCE_S)
    assert (job.state, job.result, job.view.done) == (State.CANCELLED, None, 1)
    assert not job.cancel()


def test_work_past_its_last_progress_ends_as_done_although_it_was_cancelled() -> None:
    gate = Gate()
    job = Jobs().start("import", gate)
    gate.tell("progress", 1)
    job.cancel()
    gate.tell("return", "stored")

    assert job.wait(PATIENCE_S)
    assert (job.state, job.result) == (State.DONE, "stored")


def test_an_error_for_people_is_kept_as_it_is_and_another_is_a_sentence_without_details() -> None:
    jobs, said, foreign = Jobs(), Gate(), Gate()
    first, second = jobs.start("a", said), jobs.start("b", foreign)
    said.tell("fail", "The file x.csv is empty: choose another.")
    foreign.tell("break", "secret")

    assert first.wait(PATIENCE_S)
    assert second.wait(PATIENCE_S)
    assert (first.state, first.error) == (State.FAILED, "The file x.csv is empty: choose another.")
    assert second.state is State.FAILED
    assert second.error is not None
    assert "ZeroDivisionError" in second.error
    assert "secret" not in second.error


def test_only_so_many_run_at_once_and_the_others_wait_in_order() -> None:
    jobs, gates = Jobs(workers=1), [Gate() for _ in range(3)]
    started = [jobs.start(str(number), gate) for number, gate in enumerate(gates)]
    assert gates[0].entered.wait(PATIENCE_S)
    assert [job.state for job in started] == [State.RUNNING, State.QUEUED, State.QUEUED]

    started[1].cancel()
    gates[0].tell("return")
    gates[2].tell("return")

    assert all(job.wait(PATIENCE_S) for job in started)
    assert [job.state for job in started] == [State.DONE, State.CANCELLED, State.DONE]
    assert not gates[1].entered.is_set()


def test_ended_jobs_do_not_pile_up() -> None:
    jobs = Jobs()
    for number in range(MOST_KEPT + 20):
        jobs.start(str(number), lambda handle: None).wait(PATIENCE_S)

    assert len(jobs.listing()) <= MOST_KEPT
    assert jobs.listing()[-1].name == str(MOST_KEPT + 19)


def test_closing_cancels_what_runs_and_what_waits() -> None:
    jobs, ready = Jobs(workers=1), threading.Event()

    def endless(handle: JobHandle) -> None:
        while True:
            ready.set()
            handle.progress(1)

    running, waiting = jobs.start("a", endless), jobs.start("b", endless)
    assert ready.wait(PATIENCE_S)
    jobs.close(PATIENCE_S)

    assert (running.state, waiting.state) == (State.CANCELLED, State.CANCELLED)


def test_eight_threads_start_cancel_and_drop_without_a_job_left_behind() -> None:
    jobs = Jobs(workers=3)
    kept: list[Job[int]] = []

    def work(handle: JobHandle) -> int:
        for step in range(50):
            handle.progress(step)
        return 50

    def start_some(number: int) -> None:
        for turn in range(25):
            job = jobs.start(f"{number}-{turn}", work)
            kept.append(job)
            if turn % 3 == 1:
                job.cancel()
            if turn % 3 == 2:
                jobs.drop(job.id)

    threads = [threading.Thread(target=start_some, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert all(job.wait(PATIENCE_S) for job in kept)
    assert all(job.result == 50 for job in kept if job.state is State.DONE)
    assert {job.state for job in kept} <= {State.DONE, State.CANCELLED}
    assert all(job.state is State.DONE for job in kept if job.name.split("-")[1] in ("0", "3", "6"))


class JobLife(RuleBasedStateMachine):
    """The same steps on jobs and on a plain model of them; no state is ever left that is an end."""

    jobs = Bundle("jobs")

    @initialize()
    def begin(self) -> None:
        self.registry = Jobs(workers=50)
        self.model: dict[str, dict[str, Any]] = {}
        self.gates: list[tuple[Job[Any], Gate]] = []

    @rule(target=jobs)
    def start(self) -> tuple[Job[Any], Gate]:
        gate = Gate()
        job = self.registry.start("work", gate)
        assert gate.entered.wait(PATIENCE_S)
        self.model[job.id] = {"state": State.RUNNING, "done": 0, "cancelling": False, "result": None}
        self.gates.append((job, gate))
        return job, gate

    @rule(pair=jobs, done=st.integers(0, 100))
    def progress(self, pair: tuple[Job[Any], Gate], done: int) -> None:
        job, gate = pair
        known = self.model[job.id]
        if known["state"] is State.RUNNING:
            gate.tell("progress", done)
            if known["cancelling"]:
                known["state"] = State.CANCELLED
                assert job.wait(PATIENCE_S)
            else:
                known["done"] = done

    @rule(pair=jobs, how=st.sampled_from(["return", "fail", "break"]))
    def end(self, pair: tuple[Job[Any], Gate], how: str) -> None:
        job, gate = pair
        known = self.model[job.id]
        if known["state"] is State.RUNNING:
            gate.tell(how, "x")
            assert job.wait(PATIENCE_S)
            known["state"] = State.DONE if how == "return" else State.FAILED
            known["result"] = "x" if how == "return" else None

    @rule(pair=jobs)
    def cancel(self, pair: tuple[Job[Any], Gate]) -> None:
        known = self.model[pair[0].id]
        running = known["state"] is State.RUNNING
        assert pair[0].cancel() is running
        known["cancelling"] = known["cancelling"] or running

    @rule(pair=jobs)
    def drop(self, pair: tuple[Job[Any], Gate]) -> None:
        known = self.model[pair[0].id]
        if self.registry.get(pair[0].id) is not None:
            self.registry.drop(pair[0].id)
            known["cancelling"] = known["cancelling"] or known["state"] is State.RUNNING
        assert self.registry.get(pair[0].id) is None

    @invariant()
    def the_jobs_are_as_the_model_says(self) -> None:
        for job in self.registry.listing() if self.model else ():
            known, seen = self.model[job.id], job.view
            assert (seen.state, seen.done, seen.result) == (known["state"], known["done"], known["result"])
            assert (seen.error is not None) == (known["state"] is State.FAILED)
            assert seen.state.ended == (seen.ended is not None)

    def teardown(self) -> None:
        for job, gate in self.gates:
            if not job.state.ended:
                gate.tell("return")
                assert job.wait(PATIENCE_S)


TestJobLife = JobLife.TestCase
TestJobLife.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
