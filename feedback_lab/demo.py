"""The sample world, brought in the way everything comes in, in a home of its own."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from feedback_lab import knowledge, review
from feedback_lab.atomic_file import disk_errors
from feedback_lab.errors import LabError, StoreBusyError
from feedback_lab.ingest.load import import_records
from feedback_lab.issues import tracking
from feedback_lab.records import utc_now
from feedback_lab.sample import make_world
from feedback_lab.settings import load_settings
from feedback_lab.store import DATABASE_NAME, open_store

MADE_NOTE = "sample-world"


@dataclass(frozen=True, slots=True)
class Made:
    """What `prepare` brought in."""

    interactions: int
    feedback: int


def prepare(home: Path, *, fresh: bool = False) -> Made | None:
    """Make the sample world in `home`, its last day yesterday; None where it stands there already.

    `fresh` makes it anew. A folder that holds anything but a sample world is never touched (LabError). What was
    cut off half-way is made anew. Raises DiskError where `home` cannot be written.
    """
    note, unfinished = home / MADE_NOTE, home / f"{MADE_NOTE}.unfinished"
    if note.exists() and not unfinished.exists() and not fresh:
        return None
    with disk_errors(home):
        home.mkdir(parents=True, exist_ok=True)
        if not note.exists() and not unfinished.exists() and any(home.iterdir()):
            raise LabError(f"{home} holds something else than the sample world: choose another home with --home.")
        _refuse_while_open(home)
        unfinished.touch()  # first, so that a kill from here on leaves a folder that is known as ours
        _clear(home, unfinished)
        made = _fill(home)
        unfinished.rename(note)
    return made


def _clear(home: Path, kept: Path) -> None:
    for path in home.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path != kept:
            path.unlink()


def _fill(home: Path) -> Made:
    settings = load_settings(home)
    world = make_world(utc_now().date() - timedelta(days=1))
    store = open_store(home)
    try:
        import_records(
            store,
            world.interactions,
            world.feedback,
            exposures=world.exposures,
            markers=world.markers,
            source="sample world",
            complete=True,
        )
        files = knowledge.Files(settings.knowledge_path, settings.instructions_path)
        knowledge.add_entries(store, files, world.entries, by="sample world")
        tracking.refresh(store, embedding_model=settings.embedding)
        review.run_rules(store, similarity=settings.similarity, budget=settings.daily_budget)
    finally:
        store.close()
    return Made(len(world.interactions), len(world.feedback))


def _refuse_while_open(home: Path) -> None:
    """Raise StoreBusyError while a dashboard shows this very world; a damaged one may be replaced."""
    if (home / DATABASE_NAME).exists():
        try:
            open_store(home).close()
        except StoreBusyError:
            raise
        except LabError:
            return
