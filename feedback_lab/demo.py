"""The sample world, brought in the way everything comes in, in a home of its own."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from feedback_lab import knowledge, review
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

    `fresh` makes it anew. A home that holds anything but a sample world is never touched (LabError). What was
    cut off half-way is made anew.
    """
    note = home / MADE_NOTE
    if note.exists() and not fresh:
        return None
    if home.exists():
        if not note.exists() and (home / DATABASE_NAME).exists() and not (home / f"{MADE_NOTE}.unfinished").exists():
            raise LabError(f"{home} holds a database that is not the sample world: choose another home with --home.")
        _refuse_while_open(home)
        shutil.rmtree(home)
    home.mkdir(parents=True)
    (home / f"{MADE_NOTE}.unfinished").touch()
    made = _fill(home)
    (home / f"{MADE_NOTE}.unfinished").rename(note)
    return made


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
        tracking.refresh(store)
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
