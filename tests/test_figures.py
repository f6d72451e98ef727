"""Figures of pages: counted once for all, and never shown as newer than they are."""

from collections.abc import Iterator
from threading import Event
from time import sleep
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from feedback_lab import review
from feedback_lab.jobs import Job, Jobs
from feedback_lab.serving import Lab
from feedback_lab.ui import background, warming
from tests.builders import interaction, put
from tests.page_builders import open_tasks, page, some_feedback, words_of

SAYS: list[str] = []
GATES: list[Event] = []


@pytest.fixture(autouse=True)
def slow_figures(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every figure counts as one that takes long, and is looked for at once."""
    monkeypatch.setattr(background, "QUICK_S", 0.0)
    monkeypatch.setattr(background, "LOOK_EVERY_S", 0.01)
    monkeypatch.setattr(background, "KEPT_TIMES", 0)
    monkeypatch.setattr(background, "_AWAITED", Jobs(workers=2))
    monkeypatch.setattr(background, "_BEHIND", Jobs(workers=1))
    monkeypatch.setattr(background, "_AHEAD", Jobs(workers=1))
    monkeypatch.setattr(background, "CALM_S", 0.0)
    SAYS[:], GATES[:] = [], []
    yield
    for gate in GATES:
        gate.set()


def script() -> None:
    import streamlit as st

    from feedback_lab.ui import background
    from tests.test_figures import make

    found = background.counted("tested", (), make)
    st.text(f"value {found.known}")
    background.say_how_old(found)


def acting() -> None:
    import streamlit as st

    from feedback_lab.ui import background, state
    from tests.test_figures import make

    st.button("Act", on_click=state.wrote)
    st.text(f"value {background.counted('tested', (), make).known}")


def make() -> int:
    """How often it was made; each one waits for its gate."""
    SAYS.append("made")
    number = len(SAYS)
    GATES[number - 1].wait(20)
    return number


def gates(*are_open: bool) -> None:
    for is_open in are_open:
        GATES.append(Event())
        if is_open:
            GATES[-1].set()


def made_ahead() -> list[Job[Any]]:
    """What was made before somebody asked for it, when all of it is."""
    assert all(job.wait(20) for job in background._AHEAD.listing())
    jobs = background._BEHIND.listing()
    assert all(job.wait(20) for job in jobs)
    return jobs


def something_comes(lab: Lab, name: str) -> None:
    put(lab.store, [interaction(name)])


def test_a_second_session_takes_what_the_first_had_counted(lab: Lab) -> None:
    gates(True)
    for _ in range(2):
        app = AppTest.from_function(script, default_timeout=30).run()
        assert words_of(app) == "value 1"


def test_what_others_wrote_meanwhile_is_said_to_be_missing_until_it_is_counted(lab: Lab) -> None:
    gates(True, False)
    AppTest.from_function(script, default_timeout=30).run()
    something_comes(lab, "i1")
    app = AppTest.from_function(script, default_timeout=30).run()
    assert "value 1" in words_of(app)
    assert "What came since is being counted." in words_of(app)

    GATES[1].set()
    job = next(iter(background._AWAITED.listing()))
    assert job.wait(20)
    app.run()
    assert words_of(app) == "value 2"


def test_who_holds_a_task_makes_no_figure_old(lab: Lab) -> None:
    some_feedback(lab)
    open_tasks(lab)
    gates(True)
    AppTest.from_function(script, default_timeout=30).run()
    [task] = review.claim(lab.store, "ada")
    review.release(lab.store, task.task_id, "ada", str(task.lease_token))
    review.skip(lab.store, task.task_id, "ada")

    assert words_of(AppTest.from_function(script, default_timeout=30).run()) == "value 1"


def test_what_was_prepared_is_there_for_the_first_visitor(lab: Lab) -> None:
    gates(True)
    background.prepare(lab.store, "tested", (), make)
    background.prepare(lab.store, "tested", (), make)  # it is made once
    assert all(job.error is None for job in made_ahead())

    assert words_of(AppTest.from_function(script, default_timeout=30).run()) == "value 1"


def test_who_asks_does_not_wait_behind_what_nobody_asked_for(lab: Lab) -> None:
    gates(False, True)
    background.prepare(lab.store, "other", (), make)
    assert background._AHEAD.listing()[0].wait(20)
    background.prepare(lab.store, "tested", (), make)
    assert words_of(AppTest.from_function(script, default_timeout=30).run()) == "value 2"


def test_nothing_is_made_ahead_while_somebody_waits(lab: Lab) -> None:
    gates(False, True)
    background.figures("asked for", (), make, awaited=True)
    background.prepare(lab.store, "other", (), make)
    assert not background._AHEAD.listing()[0].wait(0.2)
    assert not background._BEHIND.listing()

    GATES[0].set()
    assert [job.name for job in made_ahead()] == ["other"]


def test_who_asks_for_what_is_being_made_ahead_takes_that(lab: Lab) -> None:
    gates(False)
    background.prepare(lab.store, "tested", (), make)
    assert background._AHEAD.listing()[0].wait(20)
    assert background.figures("tested", (), make, awaited=True).job is background._BEHIND.listing()[0]


def test_a_run_waits_in_all_only_a_moment_for_what_it_can_do_without(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    gates(*[False] * 3)
    monkeypatch.setattr(background, "QUICK_S", 0.1)
    waited: list[float] = []

    def wait(_job: Job[Any], at_most: float) -> bool:
        waited.append(at_most)
        sleep(at_most)
        return False

    monkeypatch.setattr(Job, "wait", wait)
    background.begin_run()
    for name in ("a", "b", "c"):
        background.figures(name, (), make)
    assert waited == [0.1, 0.0, 0.0]


def test_a_server_counts_what_its_pages_open_with_unless_there_is_nothing_to_count(lab: Lab) -> None:
    warming.prepare(lab.store)
    assert not background._AHEAD.listing()

    some_feedback(lab)
    warming.prepare(lab.store)
    begun = made_ahead()
    assert [job.name for job in begun] == ["issues", "overview", "breakdown"]
    assert all(job.error is None for job in begun)
    for name in ("overview", "issues"):
        assert not page(name).exception
    assert not background._AWAITED.listing()  # nothing was counted again


def test_a_session_that_wrote_something_waits_until_that_is_counted(lab: Lab) -> None:
    gates(True, True)
    app = AppTest.from_function(acting, default_timeout=30).run()
    something_comes(lab, "i1")
    app.button[0].click().run()
    assert words_of(app) == "value 2"


def test_what_cannot_be_counted_is_named_and_the_last_value_kept(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    gates(True)
    app = AppTest.from_function(script, default_timeout=30).run()
    something_comes(lab, "i1")  # there is no second gate, so that making fails
    app.run()
    for job in background._AWAITED.listing():
        job.wait(20)
    app.run()
    assert "value 1" in words_of(app)
    assert "could not be counted: the server's log says why" in words_of(app)
