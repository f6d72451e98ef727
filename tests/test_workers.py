"""Heavy computing in processes of their own: the same answers, no harm where a process ends, none left behind."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from feedback_lab import review, workers
from feedback_lab.store import Store
from feedback_lab.workers import WorkerLost, Workers
from tests.builders import pattern

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def pool() -> Iterator[Workers]:
    made = Workers()
    yield made
    made.close()


def doubled(table: pa.Table, numbers: np.ndarray) -> tuple[pa.Table, np.ndarray]:
    print("what a library prints stands in nobody's way")
    return pa.concat_tables([table, table]), numbers * 2


def refuse(words: str) -> None:
    raise FileNotFoundError(words)


def end_once(left: Path) -> int:
    if not left.exists():
        left.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return os.getpid()


def end_always() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def begin_and_wait(begun: Path) -> None:
    begun.write_text("")
    threading.Event().wait()


def test_a_call_is_computed_in_another_process(pool: Workers) -> None:
    assert pool.call(os.getpid) != os.getpid()


def test_tables_and_arrays_cross_as_they_are(pool: Workers) -> None:
    table, numbers = pa.table({"text": ["a", None, "c" * 100_000]}), np.arange(200_000.0)
    twice, more = pool.call(doubled, table, numbers)
    assert twice.equals(pa.concat_tables([table, table]))
    assert np.array_equal(more, numbers * 2)


def test_what_the_function_raises_is_raised_here_and_the_process_goes_on(pool: Workers) -> None:
    before = pool.call(os.getpid)
    with pytest.raises(FileNotFoundError, match="no such thing"):
        pool.call(refuse, "no such thing")
    assert pool.call(os.getpid) == before


def test_a_process_that_ends_is_replaced_and_the_call_made_again(
    pool: Workers, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    before = pool.call(os.getpid)
    assert pool.call(end_once, tmp_path / "ended") != before
    assert "another one tries again" in caplog.text


def test_a_call_that_ends_every_process_is_given_up_and_the_next_one_works(pool: Workers) -> None:
    with pytest.raises(WorkerLost):
        pool.call(end_always)
    assert pool.call(len, "abc") == 3


def test_closing_ends_a_call_under_way_and_takes_no_more(tmp_path: Path) -> None:
    pool, begun, ends = Workers(), tmp_path / "begun", list[Exception]()
    os.mkfifo(begun)

    def ask() -> None:
        try:
            pool.call(begin_and_wait, begun)
        except WorkerLost as lost:
            ends.append(lost)

    asking = threading.Thread(target=ask)
    asking.start()
    begun.read_text()  # comes back when the process has opened its end
    pool.close()
    asking.join(30)
    assert len(ends) == 1
    with pytest.raises(WorkerLost):
        pool.call(len, "abc")


def test_no_process_outlives_a_server_that_was_killed() -> None:
    code = """
import os, signal
from feedback_lab import workers
workers.begin()
assert workers.call(os.getpid) != os.getpid()
os.kill(os.getpid(), signal.SIGKILL)
"""
    killed = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, stderr=subprocess.PIPE, timeout=60, check=False
    )  # comes back when nobody holds the other end of the pipe any more
    assert killed.returncode == -signal.SIGKILL


def test_without_workers_a_call_is_computed_on_the_spot() -> None:
    assert workers.call(os.getpid) == os.getpid()


def test_the_rules_propose_the_same_in_another_process(
    store: Store, pool: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    pattern(store, "How do I reset my password?", negative=6, positive=2)
    pattern(store, "Where is my invoice?", negative=4, positive=1, start=8)
    here = review.run_rules(store, ("seed", "above_base"), similarity=0.3, budget=None, dry_run=True)

    monkeypatch.setattr(workers, "_workers", pool)
    there = review.run_rules(store, ("seed", "above_base"), similarity=0.3, budget=None, dry_run=True)

    assert here.candidates > 0
    assert there == here
