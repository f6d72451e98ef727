"""One zip file with the database and the files that belong to it, at one moment, and the way back.

A restore first checks everything in the zip, keeps the present state in `home/backups`, and stages what it
read in `home/restore.pending`; that folder appears by one rename, which is its commit point. From there
`finish_restore` rolls forward, after a crash as well: whoever opens the store calls it before.
"""

import json
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from feedback_lab import __version__, atomic_file
from feedback_lab.backup_file import FORMAT, INSTRUCTIONS, KNOWLEDGE, pack, unpack
from feedback_lab.errors import InputError, StoreBusyError, StoreError
from feedback_lab.knowledge import Files
from feedback_lab.knowledge.entries_file import read_bytes
from feedback_lab.records import new_id, utc_now
from feedback_lab.settings import CONFIG_NAME
from feedback_lab.store import DATABASE_NAME, Store, copy_database, open_store

PENDING = "restore.pending"
PLAN = "plan.json"

_one_backup = threading.Lock()


@dataclass(frozen=True, slots=True)
class BackupReport:
    """What a backup holds: numbers of rows, and the number of the last commit in it."""

    file: Path
    bytes: int
    created_at: str
    acknowledged: int
    interactions: int
    feedback: int
    entries: int


@dataclass(frozen=True, slots=True)
class RestoreReport:
    """What was restored. `kept` is where the state before lies now, None where there was none."""

    file: Path
    created_at: str
    acknowledged: int
    interactions: int
    feedback: int
    entries: int
    kept: Path | None


def backup(store: Store, files: Files, target: Path) -> BackupReport:
    """Write database, knowledge file, instructions file and settings of one moment into the new zip `target`.

    Writers wait while the database is copied, not while it is packed. Raises InputError where `target` exists
    or its folder does not, DiskError where the disk refuses; there is no half-written `target`.
    """
    target = target.expanduser().absolute()
    if os.path.lexists(target):
        raise InputError(f"{target} exists already: choose another name for the backup.")
    if not target.parent.is_dir():
        raise InputError(f"The folder {target.parent} does not exist: make it, or choose another for the backup.")
    copy = store.home / "backups" / ".copy.duckdb.part"
    with _one_backup:
        try:
            with store.exclusive(), atomic_file.disk_errors(copy):
                _remove_database(copy)
                copy_database(store, copy)
                texts = _texts(store.home, files)
                manifest = _manifest(store)
            pack(target, copy, texts, manifest)
        finally:
            with suppress(OSError):  # the next backup removes it first
                _remove_database(copy)
    size = target.stat().st_size
    return BackupReport(target, size, manifest["created_at"], manifest["acknowledged"], **manifest["counts"])


def restore(home: Path, files: Files, source: Path, url: str | None = None) -> RestoreReport:
    """Put home, and the files that belong to it, back to what the backup `source` holds.

    The store must be closed in this process. Settings of home stay where it has some. Raises InputError where
    `source` is no whole backup, StoreError where it comes from a newer version, StoreBusyError where another
    process holds the database; nothing is changed then.
    """
    home, source = home.absolute(), source.expanduser().absolute()
    finish_restore(home)
    database = Path(url.removeprefix("duckdb:///")).expanduser().absolute() if url else home / DATABASE_NAME
    with atomic_file.disk_errors(home):
        (home / "backups").mkdir(parents=True, exist_ok=True)
    staging = home / ".restore.part"
    try:
        manifest = unpack(source, staging)
        with _present_state_kept(home, files, database, url) as kept:
            _commit(home, staging, manifest, files, database)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    finish_restore(home)
    counts = manifest["counts"]
    return RestoreReport(source, manifest["created_at"], manifest["acknowledged"], **counts, kept=kept)


def finish_restore(home: Path) -> bool:
    """Complete a restore that was staged in `home`; True where there was one. Call before opening the store."""
    home = home.absolute()
    pending, done = home / PENDING, home / ".restore.done"
    with atomic_file.disk_errors(home):
        shutil.rmtree(done, ignore_errors=True)
        if not pending.is_dir():
            return False
        plan = json.loads((pending / PLAN).read_text(encoding="utf-8"))
        if (pending / DATABASE_NAME).exists():
            # A log of the old database must never meet the new file.
            Path(f"{plan['places'][DATABASE_NAME]}.wal").unlink(missing_ok=True)
        for name, place in plan["places"].items():
            if (pending / name).exists():
                atomic_file.install(pending / name, Path(place))
        for place in plan["removed"]:
            Path(place).unlink(missing_ok=True)
        atomic_file.write(home / "acknowledged", plan["acknowledged"].encode())
        os.rename(pending, done)
        atomic_file.sync_folder(done.parent)
        shutil.rmtree(done, ignore_errors=True)
    return True


def _texts(home: Path, files: Files) -> dict[str, bytes]:
    places = {KNOWLEDGE: files.knowledge, INSTRUCTIONS: files.instructions, CONFIG_NAME: home / CONFIG_NAME}
    found = {name: read_bytes(path) for name, path in places.items()}
    return {name: content for name, content in found.items() if content is not None}


def _manifest(store: Store) -> dict[str, Any]:
    ledger = store.rows("SELECT database_id, acknowledged FROM ledger")[0]
    return {
        "format": FORMAT,
        "app_version": __version__,
        "schema_version": store.scalar("SELECT max(version) FROM schema_version"),
        "database_id": ledger["database_id"],
        "acknowledged": ledger["acknowledged"],
        "created_at": f"{utc_now():%Y-%m-%dT%H:%M:%SZ}",
        "counts": {
            "interactions": store.scalar("SELECT count(*) FROM interaction"),
            "feedback": store.scalar("SELECT count(*) FROM feedback"),
            "entries": store.scalar("SELECT count(DISTINCT entry_id) FROM entry_version"),
        },
    }


@contextmanager
def _present_state_kept(home: Path, files: Files, database: Path, url: str | None) -> Iterator[Path | None]:
    """Keep what is there now, and hold the database, so that no other process opens it before the commit point.

    Raises StoreBusyError where another process holds it. A database that cannot be opened is kept as it lies.
    """
    kept = home / "backups" / f"before-restore-{utc_now():%Y%m%dT%H%M%SZ}-{new_id()[-6:]}"
    try:
        store = open_store(home, url) if database.exists() else None
    except StoreBusyError:
        raise
    except StoreError:
        store = None
    if store is None:
        yield _kept_as_it_lies(home, files, database, kept)
        return
    try:
        yield backup(store, files, kept.with_name(f"{kept.name}.zip")).file
    finally:
        store.close()


def _kept_as_it_lies(home: Path, files: Files, database: Path, kept: Path) -> Path | None:
    wal, settings = Path(f"{database}.wal"), home / CONFIG_NAME
    places = (database, wal, home / "acknowledged", settings, files.knowledge, files.instructions)
    present = [path for path in places if path.is_file()]
    if not present:
        return None
    with atomic_file.disk_errors(kept):
        kept.mkdir()
        for path in present:
            shutil.copy2(path, kept / path.name)
    return kept


def _commit(home: Path, staging: Path, manifest: dict[str, Any], files: Files, database: Path) -> None:
    """Write down where everything goes, and make the staged folder count by giving it its name."""
    members = manifest["members"]
    places = {DATABASE_NAME: database, KNOWLEDGE: files.knowledge, INSTRUCTIONS: files.instructions}
    if not (home / CONFIG_NAME).exists():
        places[CONFIG_NAME] = home / CONFIG_NAME
    plan = {
        "places": {name: str(place.absolute()) for name, place in places.items() if name in members},
        # Without a knowledge file then, today's lines would come back as hand edits. Instructions may be a
        # file that people wrote, so it stays.
        "removed": [] if KNOWLEDGE in members else [str(files.knowledge.absolute())],
        "acknowledged": f"{manifest['database_id']} {manifest['acknowledged']:020d}\n",
    }
    with atomic_file.disk_errors(home):
        atomic_file.write(staging / PLAN, json.dumps(plan).encode())
        os.rename(staging, home / PENDING)
        atomic_file.sync_folder(home)


def _remove_database(path: Path) -> None:
    for one in (path, Path(f"{path}.wal")):
        one.unlink(missing_ok=True)
