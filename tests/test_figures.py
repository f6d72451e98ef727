"""Figures of pages: counted once for all, and never shown as newer than they are."""

from collections.abc import Iterator
from threading import Event

import pytest
from streamlit.testing.v1 import AppTest

from feedback_lab import review
from feedback_lab.jobs import Jobs
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
    assert all(job.wait(20) for job in background._BEHIND.listing())

    assert words_of(AppTest.from_function(script, default_timeout=30).run()) == "value 1"


def test_who_asks_does_not_wait_behind_what_nobody_asked_for(lab: Lab) -> None:
    gates(False, True)
    background.prepare(lab.store, "other", (), make)
    background.prepare(lab.store, "tested", (), make)
    assert words_of(AppTest.from_function(script, default_timeout=30).run()) == "value 2"


def test_a_server_counts_what_its_pages_open_with_unless_there_is_nothing_to_count(lab: Lab) -> None:
    warming.prepare(lab.store)
    assert not background._BEHIND.listing()

    some_feedback(lab)
    warming.prepare(lab.store)
    begun = background._BEHIND.listing()
    assert {job.name for job in begun} == {"issues", "overview", "breakdown"}
    assert all(job.wait(20) and job.error is None for job in begun)
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
