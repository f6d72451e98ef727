"""The engine's memory: bounded, larger where keys need it, and what does not fit goes into home."""

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


def test_an_import_asks_for_the_memory_of_its_keys_and_gives_none_back(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(home)
    before = mebibytes(store)
    monkeypatch.setattr(store_engine, "KEYS_WITHIN", 0)
    monkeypatch.setattr(store_engine, "MEMORY_PER_KEY", 10 << 20)
    import_file(store, write(tmp_path / "a.csv", "q", *map(str, range(20))), Plan({"input": "q"}))
    after = mebibytes(store)
    import_file(store, write(tmp_path / "b.csv", "q", "x"), Plan({"input": "q"}))

    assert 250 < before < 300
    assert 450 < after < 520
    assert mebibytes(store) == after
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
