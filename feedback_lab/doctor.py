"""Is everything in order? Each check says what was looked at and what it found; nothing is changed."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from feedback_lab import __version__
from feedback_lab.errors import LabError
from feedback_lab.knowledge import Files, entries_file
from feedback_lab.knowledge.instructions_file import instructions
from feedback_lab.store import Store
from feedback_lab.vectors import find_model

LEAST_FREE_BYTES = 100_000_000
SPARE = ": make room before the next import"
COUNTED = ("interaction", "feedback", "task", "decision", "issue")
# No key of the database keeps these ids apart, but the one writer does.
UNIQUE = {
    name: f"""
        SELECT count(*) AS ids, count(*) FILTER (WHERE times > 1) AS doubled, min(id) FILTER (WHERE times > 1) AS one
        FROM (SELECT {name}_id AS id, count(*) AS times FROM {name} GROUP BY {name}_id) AS counted
    """
    for name in ("interaction", "feedback")
}


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at; `ok` False means that somebody has to act on `found`."""

    name: str
    ok: bool
    found: str


def examine(store: Store, files: Files, embedding_model: str = "") -> list[Check]:
    """Look at the database, the acknowledged number, the outbox, both published files and the embedding model.

    Read-only.
    """
    return [*_checks(store, files), _embedding(store, embedding_model)]


def _checks(store: Store, files: Files) -> Iterator[Check]:
    packages = ", ".join(f"{name} {version(name)}" for name in ("duckdb", "streamlit", "pandas", "scikit-learn"))
    yield Check("versions", True, f"feedback-lab {__version__}, Python {platform.python_version()}, {packages}")
    yield Check("home", True, str(store.home))
    schema = store.scalar("SELECT max(version) FROM schema_version")
    yield Check("database", True, f"{store.path}, version {schema}")
    locked = bool(store.scalar("SELECT current_setting('lock_configuration')"))
    access = bool(store.scalar("SELECT current_setting('enable_external_access')"))
    yield Check("lock-down", locked and not access, "locked" if locked and not access else "open: start again")
    yield Check("acknowledged commits", store.damage is None, store.damage or "all there")
    counts = {name: store.scalar(f"SELECT count(*) FROM {name}") for name in COUNTED}
    yield Check("rows", True, ", ".join(f"{count:,} {name}" for name, count in counts.items()))
    yield _unique(store)
    free = shutil.disk_usage(store.home).free
    yield Check("disk", free >= LEAST_FREE_BYTES, f"{free // 1_000_000:,} MB free" + SPARE * (free < LEAST_FREE_BYTES))
    waiting = int(store.scalar("SELECT count(*) FROM outbox WHERE published_at IS NULL"))
    yield Check("outbox", waiting == 0, f"{waiting} decisions wait to be written" if waiting else "empty")
    yield _read("knowledge file", lambda: f"{len(entries_file.read_file(files.knowledge))} entries", files.knowledge)
    yield _read("instructions file", lambda: f"{len(instructions(files.instructions))} lines", files.instructions)


def _unique(store: Store) -> Check:
    counts = {name: store.rows(sql)[0] for name, sql in UNIQUE.items()}
    doubled = [
        f"{row['doubled']:,} of {row['ids']:,} in {name}, as {row['one'][:100]!r}"
        for name, row in counts.items()
        if row["doubled"]
    ]
    if not doubled:
        return Check(
            "ids", True, " and ".join(f"{row['ids']:,} {name}" for name, row in counts.items()) + ", no id twice"
        )
    advice = "restore a backup from before, or undo the import that brought them, and please report it"
    return Check("ids", False, f"ids stand more than once, so counts are too high: {', '.join(doubled)}; {advice}")


def _embedding(store: Store, model: str) -> Check:
    """Whether the embedding model of the settings can be used, and which one the issues came of."""
    newest = store.rows("SELECT state FROM issue_model ORDER BY created_at DESC LIMIT 1")
    used = (newest[0]["state"] or {}).get("embedding_model") if newest else None
    told = f"issues grouped with {used}" if used else "issues grouped by words alone" if newest else "no issues yet"
    if not model:
        return Check("embedding model", True, f"none set; {told}")
    try:
        find_model(model).embed(["ready"])
    except LabError as error:
        return Check("embedding model", False, f"{error} ({told})")
    return Check("embedding model", True, f"{model} is ready; {told}")


def _read(name: str, count: Callable[[], str], path: Path) -> Check:
    try:
        return Check(name, True, f"{path}, {count()}")
    except LabError as error:
        return Check(name, False, str(error))
