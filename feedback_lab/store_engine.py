"""The engine under the store: how it is opened and locked down, and what its errors mean in words."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from duckdb_engine import Dialect
from sqlalchemy import Connection, Engine, ExceptionContext, create_engine, event
from sqlalchemy.dialects import registry
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

from feedback_lab.errors import DiskError, StoreBusyError, StoreError

# A connection that a fatal error left cannot even be rolled back; what went wrong is said once, by `translated`.
logging.getLogger("sqlalchemy").addHandler(logging.NullHandler())

CONNECT = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
    "python_enable_replacements": False,
}
# What the engine may hold in memory: enough for an import of any size; the indexes of a file come on top, because a
# primary key that is being written cannot leave memory. Sorts and joins that need more use the folder `temporary`.
MEMORY = 128 << 20
ROWS_AT_ONCE = 2_048  # that the engine works on in one piece
SERVER_MEMORY = 1 << 30  # of a running dashboard, which asks questions of a database that grows after it was opened
STATEMENTS = duckdb.StatementType
PARSED_ONCE = (STATEMENTS.SELECT, STATEMENTS.INSERT, STATEMENTS.UPDATE, STATEMENTS.DELETE)
MOST_PARSED = 500  # statements whose form is kept
UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")
FULL_SIGNS = ("no space left", "disk full", "disk quota", "file too large")
DISK_SIGNS = (*FULL_SIGNS, "could not write", "input/output error", "fsync failed")
DAMAGE_SIGNS = (
    "not a valid duckdb",
    "could not read enough bytes",
    "checksum",
    "is a directory",
    "failure while replaying wal",
)
RIGHTS_SIGNS = ("permission denied", "operation not permitted", "read-only file system")
CONFLICT_SIGNS = ("conflict", "duplicate key")


class ParsesOnce(Dialect):
    """duckdb-engine's dialect, for which each statement is compiled and parsed once, not each time it is executed.

    To parse is up to a third of the time of a short statement.
    """

    supports_statement_cache = True

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._parsed: dict[str, Any] = {}

    def do_execute(self, cursor: Any, statement: str, parameters: Any, context: Any = None) -> None:
        """Execute a query or a change of rows in its parsed form, anything else as text."""
        parsed = self._parsed.get(statement)
        if parsed is None:
            found = cursor.connection.extract_statements(statement)
            if len(found) != 1 or found[0].type not in PARSED_ONCE:
                cursor.execute(statement, parameters)
                return
            if len(self._parsed) >= MOST_PARSED:
                self._parsed.clear()
            self._parsed[statement] = parsed = found[0]
        cursor.connection.execute(parsed, parameters)


registry.register("duckdb", __name__, ParsesOnce.__name__)


def make_engine(path: Path, home: Path) -> Engine:
    """Connections to the file at `path` that reach no other file than those in `home` and beside it."""
    engine = create_engine(
        f"duckdb:///{path}", poolclass=QueuePool, pool_size=8, max_overflow=56, connect_args={"config": dict(CONNECT)}
    )

    @event.listens_for(engine, "connect")
    def lock_down(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        cursor.execute("SELECT current_setting('lock_configuration')")
        if not cursor.fetchone()[0]:
            folders = ", ".join(literal(f"{folder}/") for folder in sorted({str(home), str(path.parent)}))
            cursor.execute(f"SET temp_directory={literal(str(home / 'temporary'))}")
            cursor.execute(f"SET memory_limit='{MEMORY + path.stat().st_size} bytes'")
            cursor.execute("SET allowed_configs=['memory_limit']")
            # Who needs an order says so; then an import is inserted on all cores, whatever memory there is.
            cursor.execute("SET preserve_insertion_order=false")
            cursor.execute(f"SET allowed_directories=[{folders}]")
            cursor.execute("SET enable_external_access=false")
            cursor.execute("SET lock_configuration=true")

    @event.listens_for(engine, "handle_error")
    def let_broken_go(context: ExceptionContext) -> None:
        # After a fatal error nothing is left to roll back, and trying to would hide what went wrong.
        context.is_disconnect = isinstance(context.original_exception, duckdb.FatalException)

    return engine


def make_room(cursor: Any, bytes_per_row: float) -> None:
    """Let the engine take the memory that rows of so many bytes each need, where it may take less now."""
    at_least(cursor, MEMORY + int(ROWS_AT_ONCE * bytes_per_row))


def at_least(cursor: Any, wanted: int) -> None:
    """Let the engine take so many bytes of memory, where it may take less now."""
    cursor.execute("SELECT current_setting('memory_limit')")
    number, unit = cursor.fetchall()[0][0].split()
    if wanted > float(number) * 1024 ** UNITS.index(unit):
        cursor.execute(f"SET memory_limit='{wanted} bytes'")


def is_conflict(error: Exception) -> bool:
    """Whether trying again can help: two writers met. A full disk raises the same class, and is none."""
    message = str(error).lower()
    return any(sign in message for sign in CONFLICT_SIGNS) and not any(sign in message for sign in DISK_SIGNS)


def is_fatal(error: BaseException | None) -> bool:
    """Whether the engine gave up: it then refuses every statement, reading too, until the file is opened anew."""
    original = getattr(error, "orig", None) or error
    return isinstance(original, duckdb.FatalException) or "database has been invalidated" in str(original).lower()


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn the engine's errors into sentences; what is a programming error stays as it is."""
    try:
        yield
    except (DBAPIError, duckdb.Error, OSError) as error:
        message = str(getattr(error, "orig", None) or error)
        low = message.lower()
        if "could not set lock" in low or "conflicting lock" in low:
            holder = message.split("(PID ", 1)[1].split(")", 1)[0] if "(PID " in message else "unknown"
            raise StoreBusyError(
                f"Another process (PID {holder}) holds the database {path}: use its dashboard, or stop it first."
            ) from error
        if is_fatal(error):
            full = any(sign in low for sign in FULL_SIGNS)
            raise (DiskError if full else StoreError)(
                f"The database {path} stopped after a fatal error ({_first_line(message)}): "
                f"{'make room' if full else 'look after the disk'}, then start Feedback Lab again."
            ) from error
        if any(sign in low for sign in DISK_SIGNS):
            raise DiskError(f"The disk refused a write beside {path} (full?): make room and try again.") from error
        if any(sign in low for sign in DAMAGE_SIGNS):
            raise StoreError(f"{path} is damaged or not a Feedback Lab database: restore a backup.") from error
        if "newer version of duckdb" in low or "storage version" in low:
            raise StoreError(f"{path} was written by a newer database engine: install a newer Feedback Lab.") from error
        if isinstance(error, PermissionError) or any(sign in low for sign in RIGHTS_SIGNS):
            raise DiskError(f"{path} cannot be opened for writing: give this user the right to write there.") from error
        raise


def _first_line(message: str) -> str:
    """What happened first: the engine repeats it in every refusal after a fatal error."""
    return message.split("Original error:")[-1].strip().splitlines()[0].removeprefix("FATAL Error: ").strip('"')


def path_of(url: str) -> Path:
    """The file of a `duckdb:///` URL. Raises StoreError for another kind of URL."""
    prefix = "duckdb:///"
    if not url.startswith(prefix) or len(url) == len(prefix):
        raise StoreError(f"The database URL {url!r} cannot be used: it must read duckdb:///PATH/TO/FILE.duckdb.")
    return Path(url.removeprefix(prefix)).expanduser().absolute()


def literal(value: str) -> str:
    """`value` as a text constant, for the few statements (SET, ATTACH) that take no bound value."""
    return "'" + value.replace("'", "''") + "'"


def identifier(value: str) -> str:
    """`value` as a quoted name."""
    return '"' + value.replace('"', '""') + '"'


def arrow_table(connection: Connection, sql: str) -> pa.Table:
    """All rows of a query without parameters as an Arrow table, fetched without a Python object for each value."""
    cursor: Any = connection.connection.cursor()
    return cursor.sql(sql).to_arrow_table()
