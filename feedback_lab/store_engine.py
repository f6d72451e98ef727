"""The engine under the store: how it is opened and locked down, and what its errors mean in words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
from sqlalchemy import Engine, ExceptionContext, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

from feedback_lab.errors import DiskError, StoreBusyError, StoreError

CONNECT = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
    "python_enable_replacements": False,
}
DISK_SIGNS = ("could not write", "no space left", "disk full", "disk quota", "input/output error", "fsync failed")
DAMAGE_SIGNS = ("not a valid duckdb", "could not read enough bytes", "checksum", "is a directory")
RIGHTS_SIGNS = ("permission denied", "operation not permitted", "read-only file system")
CONFLICT_SIGNS = ("conflict", "duplicate key")


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
            cursor.execute(f"SET allowed_directories=[{folders}]")
            cursor.execute("SET enable_external_access=false")
            cursor.execute("SET lock_configuration=true")

    @event.listens_for(engine, "handle_error")
    def let_broken_go(context: ExceptionContext) -> None:
        # After a fatal error nothing is left to roll back, and trying to would hide what went wrong.
        context.is_disconnect = isinstance(context.original_exception, duckdb.FatalException)

    return engine


def is_conflict(error: Exception) -> bool:
    """Whether trying again can help: two writers met. A full disk raises the same class, and is none."""
    message = str(error).lower()
    return any(sign in message for sign in CONFLICT_SIGNS) and not any(sign in message for sign in DISK_SIGNS)


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
        if any(sign in low for sign in DISK_SIGNS):
            raise DiskError(f"The disk refused a write beside {path} (full?): make room and try again.") from error
        if any(sign in low for sign in DAMAGE_SIGNS):
            raise StoreError(f"{path} is damaged or not a Feedback Lab database: restore a backup.") from error
        if "newer version of duckdb" in low or "storage version" in low:
            raise StoreError(f"{path} was written by a newer database engine: install a newer Feedback Lab.") from error
        if "invalidated" in low:
            raise StoreError(f"The database {path} stopped after a fatal error: start Feedback Lab again.") from error
        if isinstance(error, PermissionError) or any(sign in low for sign in RIGHTS_SIGNS):
            raise DiskError(f"{path} cannot be opened for writing: give this user the right to write there.") from error
        raise


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
