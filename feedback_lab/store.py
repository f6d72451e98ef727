"""The database: one file, one connection a thread, one way to write.

Every write goes through `Store.write`, which lets writers go one after another, retries conflicts, tells a
full disk from a conflict, and numbers the commit in the database and in the file `acknowledged` beside it:
a damaged log can open silently short, and then the two differ (`Store.damage`).
"""

from __future__ import annotations

import json
import os
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import pandas as pd
import pyarrow as pa
from sqlalchemy import Connection, Engine, Table, column, insert, select, text
from sqlalchemy.exc import DBAPIError

from feedback_lab import migrations
from feedback_lab.atomic_file import sync_folder
from feedback_lab.errors import DiskError, StoreError
from feedback_lab.store_engine import identifier, is_conflict, is_fatal, literal, make_engine, path_of, translated

T = TypeVar("T")

DATABASE_NAME = "feedback.duckdb"
MAX_TRIES = 30


class Store:
    """An open database. Share one per process; every thread may read and write through it."""

    def __init__(self, engine: Engine, path: Path, home: Path) -> None:
        self.engine, self.path, self.home = engine, path, home
        self.damage: str | None = None
        self.on_fatal: Callable[[str], None] | None = None
        self.commits = 0  # the number of the last commit of this process, for who wants to know whether others wrote
        self.changes = 0  # of the last that changed what figures count
        self._invalid = False
        self._writing = threading.RLock()
        # Held open so that the engine, its lock-down and its caches live as long as the store.
        self._anchor = engine.connect()
        self._acknowledged = _Acknowledged(home / "acknowledged")

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection of one's own for reading, given back at the end."""
        if self._invalid:
            self._reopen()
        with self._watched(), self.engine.connect() as connection:
            yield connection

    def rows(self, sql: str, **values: Any) -> list[dict[str, Any]]:
        """All rows of a query, as dictionaries; JSON columns come decoded."""
        with self.read() as connection:
            return [dict(row) for row in connection.execute(text(sql), values).mappings()]

    def scalar(self, sql: str, **values: Any) -> Any:
        """The first column of the first row, or None."""
        with self.read() as connection:
            return connection.execute(text(sql), values).scalar()

    def frame(self, sql: str, **values: Any) -> pd.DataFrame:
        """All rows of a query as a data frame with the query's column names, also when it is empty."""
        with self.read() as connection:
            result = connection.execute(text(sql), values)
            return pd.DataFrame(result.fetchall(), columns=list(result.keys()))

    def write(self, work: Callable[[Connection], T], *, changes_figures: bool = True) -> T:
        """Run `work` in one transaction and commit it; everything that it did stands, or nothing.

        `work` may run more than once (a conflict rolls it back), so it must have no effect outside the
        connection. `changes_figures` is False for what no figure counts, such as who holds a task. Raises DiskError
        where the disk refused, StoreError where the database is not writable. After a fatal error of the engine nothing
        is written any more: `damage` says why, and `on_fatal` is told once.
        """
        with self._writing, self._watched():
            if self.damage:  # asked with the lock held: the writer before may have met the fatal error
                raise StoreError(self.damage)
            for attempt in range(1, MAX_TRIES + 1):
                try:
                    with self.engine.begin() as connection:
                        result = work(connection)
                        number, database = _next_number(connection)
                except (DBAPIError, duckdb.Error) as error:
                    if attempt == MAX_TRIES or not is_conflict(error):
                        raise
                    time.sleep(random.uniform(0, 0.002 * attempt))
                else:
                    self.commits = number
                    self.changes = number if changes_figures else self.changes
                    self._acknowledged.put(database, number)
                    return result
        raise AssertionError("unreachable: the last attempt returns or raises")

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Errors in words; a fatal one ends all writing."""
        try:
            with translated(self.path):
                yield
        except StoreError as error:
            if is_fatal(error.__cause__):
                self._stop_writing(str(error))
            raise

    def _stop_writing(self, reason: str) -> None:
        self._invalid = True
        if self.damage is None:
            self.damage = f"{reason} Nothing is written before that."
            if self.on_fatal is not None:
                self.on_fatal(reason)

    def _reopen(self) -> None:
        """Let the invalidated engine go and open the file anew, to be read; its log is replayed as after a crash.

        While other threads still hold connections of the old engine this has no effect, and is tried again.
        """
        with self._writing, translated(self.path):
            if not self._invalid:
                return
            with suppress(DBAPIError, duckdb.Error):
                self._anchor.close()
            self.engine.dispose()
            self._anchor = self.engine.connect()
            self._invalid = False

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Keep every writer out, for a backup that must see files and database at one moment."""
        with self._writing:
            yield

    def close(self) -> None:
        """Checkpoint, so that normally no log is left to be damaged, and let the file go."""
        with self._writing:
            with suppress(DBAPIError, duckdb.Error):
                self._anchor.exec_driver_sql("CHECKPOINT")
            with suppress(DBAPIError, duckdb.Error):
                self._anchor.close()
            self.engine.dispose()
            self._acknowledged.close()


def open_store(home: Path, url: str | None = None, steps: Sequence[migrations.Step] = migrations.MIGRATIONS) -> Store:
    """Open the database in `home` (or at a `duckdb:///` URL), made or migrated where needed.

    Raises StoreBusyError where another process holds it, StoreError where it cannot be used, DiskError where
    home cannot be written. An existing file is backed up into `home/backups` before a migration.
    """
    home = home.absolute()
    path = path_of(url) if url else home / DATABASE_NAME
    for folder in (home, home / "backups", path.parent):
        _make_folder(folder)
    if not path.exists():
        _create(path, home, steps)
    with translated(path):
        store = Store(make_engine(path, home), path, home)
        try:
            _migrate(store, steps)
            store.damage = store._acknowledged.compare(*_last_number(store))
        except BaseException:
            store.close()
            raise
    return store


def insert_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert many rows at once (some 70,000 a second; row by row it would be 500), in the caller's transaction.

    Every row has the same keys; dictionaries and lists become JSON.
    """
    if not rows:
        return
    names = list(rows[0])
    columns = {name: [_plain(row[name]) for row in rows] for name in names}
    incoming: Any = select(*(column(name) for name in names)).select_from(text("incoming_rows"))
    cursor: Any = connection.connection.cursor()
    cursor.execute("register", ("incoming_rows", pa.table(columns)))
    try:
        connection.execute(insert(table).from_select(names, incoming))
    finally:
        cursor.unregister("incoming_rows")


def copy_database(store: Store, target: Path) -> None:
    """Write a consistent copy of the database to `target`, a new file inside home (the lock-down allows no other)."""
    with store.read() as connection:
        source = connection.exec_driver_sql("SELECT current_database()").scalar_one()
        connection.commit()
        connection.exec_driver_sql(f"ATTACH {literal(str(target))} AS lab_copy")
        try:
            connection.exec_driver_sql(f"COPY FROM DATABASE {identifier(source)} TO lab_copy")
        finally:
            connection.commit()
            connection.exec_driver_sql("DETACH lab_copy")


class _Acknowledged:
    """The file that repeats the number of the last acknowledged commit, outside the database."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)

    def put(self, database: str, number: int) -> None:
        os.pwrite(self._descriptor, f"{database} {number:020d}\n".encode(), 0)

    def compare(self, database: str, number: int) -> str | None:
        """A sentence where this very database holds fewer commits than were acknowledged; None where all is well."""
        words = os.pread(self._descriptor, 200, 0).decode("ascii", "replace").split()
        if len(words) == 2 and words[0] == database and words[1].isdigit() and int(words[1]) > number:
            return (
                f"The database is {int(words[1]) - number} acknowledged commits short (it holds {number}, "
                f"{int(words[1])} were acknowledged), so nothing is written to it: restore the newest backup, "
                "or delete the file `acknowledged` in home to go on without what is missing."
            )
        self.put(database, number)
        return None

    def close(self) -> None:
        os.close(self._descriptor)


def _create(path: Path, home: Path, steps: Sequence[migrations.Step]) -> None:
    """Make the file under a temporary name and link it into place: a crash leaves no half-born database."""
    for stale in path.parent.glob(f"{path.name}.new-*"):
        if time.time() - stale.stat().st_mtime > 3600:
            stale.unlink(missing_ok=True)
    young = path.with_name(f"{path.name}.new-{os.getpid()}")
    engine = make_engine(young, home)
    try:
        with translated(path):
            with engine.begin() as connection:
                for version in range(len(steps)):
                    migrations.apply(connection, version, steps)
            with engine.connect() as connection:
                connection.exec_driver_sql("CHECKPOINT")
            engine.dispose()
            with suppress(FileExistsError):
                os.link(young, path)
            sync_folder(path.parent)
    finally:
        engine.dispose()
        _remove_database(young)


def _migrate(store: Store, steps: Sequence[migrations.Step]) -> None:
    with store.read() as connection:
        version = migrations.current_version(connection)
    migrations.refuse_newer(version, steps)
    if version == len(steps):
        return
    kept = store.home / "backups" / f"before-version-{len(steps)}-{time.time_ns()}.duckdb"
    try:
        copy_database(store, kept)
    except BaseException:
        _remove_database(kept)
        raise
    for step in range(version, len(steps)):
        with store.engine.begin() as connection:
            migrations.apply(connection, step, steps)


def _remove_database(path: Path) -> None:
    """Remove what was not finished; where the disk refuses even that, it stays, and harms nobody."""
    for one in (path, path.with_name(f"{path.name}.wal")):
        with suppress(OSError):
            one.unlink(missing_ok=True)


def _next_number(connection: Connection) -> tuple[int, str]:
    row = connection.exec_driver_sql(
        "UPDATE ledger SET acknowledged = acknowledged + 1 RETURNING acknowledged, database_id"
    ).one()
    return int(row[0]), str(row[1])


def _last_number(store: Store) -> tuple[str, int]:
    row = store.rows("SELECT database_id, acknowledged FROM ledger")[0]
    return str(row["database_id"]), int(row["acknowledged"])


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DiskError(f"The folder {folder} cannot be made ({error.strerror}): choose another with --home.") from None
    if not os.access(folder, os.W_OK):
        raise DiskError(f"The folder {folder} cannot be written: choose another with --home.")


def _plain(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list | tuple) else value
