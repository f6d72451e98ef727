"""The database: its lock-down, its one write path, what happens when it is held, damaged, full or newer."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import duckdb
import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, OperationalError

from feedback_lab import migrations, schema
from feedback_lab import store as store_module
from feedback_lab.errors import DiskError, StoreBusyError, StoreError
from feedback_lab.store import DATABASE_NAME, Store, insert_rows, open_store
from tests.builders import MONDAY

ADD = text("INSERT INTO marker VALUES (:name, :moment, 'release', 'x')")


def add(store: Store, name: str) -> None:
    store.write(lambda connection: connection.execute(ADD, {"name": name, "moment": MONDAY}))


def names(store: Store) -> set[str]:
    return {row["marker_id"] for row in store.rows("SELECT marker_id FROM marker")}


@pytest.mark.parametrize(
    "attack",
    [
        "SELECT * FROM read_text('/etc/hostname')",
        "SELECT * FROM glob('/etc/*')",
        "COPY (SELECT 1) TO '/tmp/feedback-lab-escape.csv'",
        "ATTACH '/tmp/feedback-lab-escape.duckdb' AS other",
        "SET enable_external_access = true",
        "SET lock_configuration = false",
        "INSTALL httpfs",
        "LOAD httpfs",
    ],
)
def test_the_engine_reaches_nothing_outside_home(store: Store, attack: str) -> None:
    with pytest.raises((DBAPIError, StoreError)), store.read() as connection:
        connection.execute(text(attack))


def test_a_disposed_pool_comes_back_locked(store: Store) -> None:
    store._anchor.close()
    store.engine.dispose()

    assert store.scalar("SELECT current_setting('lock_configuration')") is True
    assert store.scalar("SELECT current_setting('enable_external_access')") is False
    store._anchor = store.engine.connect()


def test_a_failed_write_leaves_nothing(store: Store) -> None:
    def half(connection: Connection) -> None:
        connection.execute(ADD, {"name": "a", "moment": MONDAY})
        raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        store.write(half)

    assert names(store) == set()


def test_eight_threads_write_without_losing_or_doubling_anything(store: Store) -> None:
    def work(number: int) -> None:
        for turn in range(20):
            add(store, f"{number}-{turn}")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert names(store) == {f"{number}-{turn}" for number in range(8) for turn in range(20)}
    assert store.scalar("SELECT acknowledged FROM ledger") == 160


def test_a_conflict_is_tried_again(store: Store) -> None:
    tries = []

    def conflicting(connection: Connection) -> str:
        tries.append(1)
        if len(tries) < 3:
            raise duckdb.TransactionException("Conflict on update!")
        return "done"

    assert store.write(conflicting) == "done"
    assert len(tries) == 3


def test_a_full_disk_is_told_apart_from_a_conflict_and_not_tried_again(store: Store) -> None:
    tries = []

    def full(connection: Connection) -> None:
        tries.append(1)
        raise duckdb.TransactionException("Failed to commit: Could not write to file: No space left on device")

    with pytest.raises(DiskError, match="make room"):
        store.write(full)
    assert len(tries) == 1


def test_many_rows_go_in_at_once_with_json_and_nulls(store: Store) -> None:
    row = {"audit_id": "a", "happened_at": MONDAY, "actor": "ada", "action": "x", "object": "y"}
    store.write(
        lambda c: insert_rows(
            c, schema.audit, [row | {"detail": {"n": [1, "ü"]}}, row | {"audit_id": "b", "detail": None}]
        )
    )

    found = store.rows("SELECT audit_id, detail FROM audit ORDER BY audit_id")
    assert found == [{"audit_id": "a", "detail": {"n": [1, "ü"]}}, {"audit_id": "b", "detail": None}]


def test_a_second_process_is_told_who_holds_the_database(store: Store, home: Path) -> None:
    code = f"from pathlib import Path; from feedback_lab.store import open_store; open_store(Path({str(home)!r}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert "StoreBusyError" in done.stderr
    assert f"PID {os.getpid()}" in done.stderr


def test_the_busy_error_is_a_store_error() -> None:
    assert issubclass(StoreBusyError, StoreError)


def test_a_database_that_is_short_of_acknowledged_commits_is_readable_but_not_written(home: Path) -> None:
    first = open_store(home)
    add(first, "kept")
    first.close()
    note = home / "acknowledged"
    database, number = note.read_text().split()
    note.write_text(f"{database} {int(number) + 2:020d}\n")

    again = open_store(home)

    assert names(again) == {"kept"}
    assert again.damage is not None
    assert "2 acknowledged commits short" in again.damage
    with pytest.raises(StoreError, match="restore the newest backup"):
        add(again, "refused")
    again.close()


def test_another_database_in_the_same_home_is_not_compared(home: Path, tmp_path: Path) -> None:
    first = open_store(home)
    for number in range(3):
        add(first, str(number))
    first.close()

    other = open_store(home, f"duckdb:///{tmp_path / 'other.duckdb'}")

    assert other.damage is None
    other.close()


def test_what_was_acknowledged_before_a_kill_is_there_after_it(home: Path) -> None:
    code = f"""
import os, signal, sys
from pathlib import Path
from feedback_lab.store import open_store
from tests.test_store import add
store = open_store(Path({str(home)!r}))
for number in range(1000):
    add(store, str(number))
    print(number, flush=True)
    if number == 37:
        os.kill(os.getpid(), signal.SIGKILL)
"""
    root = Path(__file__).resolve().parents[1]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root)
    acknowledged = set(done.stdout.split())

    assert done.returncode == -signal.SIGKILL
    again = open_store(home)
    assert again.damage is None
    assert acknowledged == {str(number) for number in range(38)}
    assert acknowledged <= names(again)
    again.close()


def test_a_kill_while_the_database_is_born_leaves_no_half_born_file(home: Path) -> None:
    code = f"""
import os, signal
from pathlib import Path
from feedback_lab import store
def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)
store.os.link = die
store.open_store(Path({str(home)!r}))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert done.returncode == -signal.SIGKILL
    assert not (home / DATABASE_NAME).exists()
    open_store(home).close()
    assert (home / DATABASE_NAME).exists()


def test_a_file_from_a_newer_version_is_refused_and_left_alone(home: Path) -> None:
    newer = [*migrations.MIGRATIONS, lambda connection: None]
    open_store(home, steps=newer).close()
    before = (home / DATABASE_NAME).read_bytes()

    with pytest.raises(StoreError, match="install the newer Feedback Lab"):
        open_store(home)
    assert (home / DATABASE_NAME).read_bytes() == before


def test_a_migration_keeps_a_backup_and_the_rows(home: Path) -> None:
    first = open_store(home)
    add(first, "old")
    first.close()

    def add_column(connection: Connection) -> None:
        connection.execute(text("ALTER TABLE marker ADD COLUMN colour TEXT"))

    migrated = open_store(home, steps=[*migrations.MIGRATIONS, add_column])

    assert migrated.rows("SELECT marker_id, colour FROM marker") == [{"marker_id": "old", "colour": None}]
    version = len(migrations.MIGRATIONS) + 1
    assert migrated.scalar("SELECT max(version) FROM schema_version") == version
    migrated.close()
    (kept,) = (home / "backups").glob(f"before-version-{version}-*.duckdb")
    with duckdb.connect(str(kept), read_only=True) as backup:
        assert backup.execute("SELECT marker_id FROM marker").fetchall() == [("old",)]


def test_a_file_whose_ids_had_an_index_keeps_its_rows_without_it(home: Path) -> None:
    before = open_store(home, steps=migrations.MIGRATIONS[:2])
    with before.engine.begin() as connection:
        for name, key in (("interaction", "interaction_id"), ("feedback", "feedback_id")):
            connection.execute(text(f"ALTER TABLE {name} ADD PRIMARY KEY ({key})"))
        connection.execute(
            text(
                "INSERT INTO interaction (interaction_id, received_at, input, tags) "
                "SELECT 'i' || i, TIMESTAMP '2026-01-01', 'question ' || i, '{\"a\": \"b\"}' FROM range(3000) AS t(i)"
            )
        )
        connection.execute(
            text(
                "INSERT INTO feedback (feedback_id, interaction_id, kind, received_at, population, source) "
                "SELECT 'f' || i, 'i' || i, 'thumb', TIMESTAMP '2026-01-01', 'user', 'log' FROM range(3000) AS t(i)"
            )
        )
    asked = "SELECT * FROM interaction JOIN feedback USING (interaction_id) ORDER BY feedback_id"
    rows = before.rows(asked)
    before.close()

    migrated = open_store(home)
    assert migrated.rows(asked) == rows
    assert len(rows) == 3000
    kept = "SELECT DISTINCT table_name FROM duckdb_constraints() WHERE constraint_type = 'PRIMARY KEY'"
    names = {row["table_name"] for row in migrated.rows(kept)}
    assert {"interaction", "feedback"}.isdisjoint(names)
    assert "task" in names
    migrated.close()


def test_a_migration_that_fails_changes_nothing(home: Path) -> None:
    open_store(home).close()

    def broken(connection: Connection) -> None:
        connection.execute(text("CREATE TABLE half (a TEXT)"))
        connection.execute(text("SELECT no_such_column FROM marker"))

    with pytest.raises(DBAPIError):
        open_store(home, steps=[*migrations.MIGRATIONS, broken])
    again = open_store(home)
    assert again.scalar("SELECT count(*) FROM information_schema.tables WHERE table_name = 'half'") == 0
    again.close()


@pytest.mark.parametrize("content", [b"not a database at all, but long enough to look at" * 100, b"x"])
def test_a_file_that_is_no_database_is_named(home: Path, content: bytes) -> None:
    home.mkdir()
    (home / DATABASE_NAME).write_bytes(content)

    with pytest.raises(StoreError, match="restore a backup"):
        open_store(home)


def test_a_home_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("I am a file")

    with pytest.raises(DiskError, match="choose another with --home"):
        open_store(tmp_path / "home")


def test_a_url_of_another_kind_is_refused(home: Path) -> None:
    with pytest.raises(StoreError, match="duckdb:///"):
        open_store(home, "mysql://somewhere")


def test_a_home_with_quotes_and_spaces_works(tmp_path: Path) -> None:
    odd = open_store(tmp_path / 'it\'s a "home", yes')
    add(odd, "a")
    store_module.copy_database(odd, odd.home / "copy's.duckdb")
    assert names(odd) == {"a"}
    odd.close()


def test_an_operational_error_of_another_kind_stays_itself(store: Store) -> None:
    with pytest.raises((OperationalError, DBAPIError), match="no_such_table"):
        store.rows("SELECT * FROM no_such_table")


@pytest.mark.skipif(sys.platform == "win32", reason="the limit on file sizes is a POSIX one")
def test_a_database_that_could_not_be_made_leaves_nothing(home: Path) -> None:
    code = (
        "import resource, sys; from pathlib import Path; from feedback_lab.store import open_store; "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536)); open_store(Path(sys.argv[1]))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(home)], capture_output=True, text=True)

    assert "DiskError" in done.stderr
    assert [path.name for path in home.iterdir()] == ["backups"]


def test_a_folder_in_the_place_of_the_database_is_said(home: Path) -> None:
    (home / DATABASE_NAME).mkdir(parents=True)

    with pytest.raises(StoreError, match="not a Feedback Lab database"):
        open_store(home)


def test_a_repeated_statement_sees_a_table_that_was_made_anew(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    seen = []
    for columns in ("1 AS a", "'one' AS a, 1.5 AS b"):
        sql = f"CREATE OR REPLACE TABLE thing AS SELECT {columns}"
        store.write(lambda connection, sql=sql: connection.exec_driver_sql(sql).close())
        seen.append(store.rows("SELECT * FROM thing"))
    store.close()
    assert seen == [[{"a": 1}], [{"a": "one", "b": 1.5}]]
