"""The engine's memory: bounded, and what does not fit goes into home."""

from pathlib import Path

import pytest
from sqlalchemy import text

from feedback_lab import store_engine
from feedback_lab.ingest.load import import_file
from feedback_lab.ingest.planning.plan import Plan
from feedback_lab.store import Store, open_store
from tests.import_builders import write

LIMIT = "SELECT current_setting('memory_limit')"


def mebibytes(store: Store) -> float:
    number, unit = str(store.scalar(LIMIT)).split()
    return float(number) * float(1024 ** (store_engine.UNITS.index(unit) - 2))


def test_an_import_of_more_than_the_engine_may_hold_asks_for_no_more(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_engine, "MEMORY", 24 << 20)
    store = open_store(home)
    before = mebibytes(store)
    rows = (f"{number} {'how do I reset my card ' * 12}" for number in range(150_000))
    import_file(store, write(tmp_path / "a.csv", "q", *rows), Plan({"input": "q"}))

    assert store.scalar("SELECT count(DISTINCT interaction_id) FROM interaction") == 150_000
    assert before <= mebibytes(store) < 32
    store.close()


def test_rows_of_huge_cells_get_the_memory_that_they_need(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_engine, "MEMORY", 24 << 20)
    store = open_store(home)
    rows = (f"{number} {hex(number) * 12_000}" for number in range(800))
    report = import_file(store, write(tmp_path / "a.csv", "q", *rows), Plan({"input": "q"}))

    assert report.new == 800
    store.close()


def test_a_question_larger_than_memory_is_answered_beside_the_database(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_engine, "MEMORY", 32 << 20)
    store = open_store(home)
    with store.read() as connection:
        many = "SELECT md5(range::VARCHAR) AS a, md5((range + 1)::VARCHAR) AS b FROM range(800000)"
        connection.execute(text(f"CREATE TEMP TABLE many AS {many}"))
        assert connection.execute(text("SELECT count(*) FROM many")).scalar_one() == 800_000
        assert list((home / "temporary").iterdir())
    store.close()
