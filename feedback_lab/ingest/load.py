"""The one write path: a file, or records, validated, deduplicated, committed and reported.

First all rows are read, mapped and staged; then one transaction loads them with their batch and their
rejected rows. A kill at any moment leaves the whole import or nothing of it. Every row ends as new, duplicate
or rejected, and the three add up to what was read.
"""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from feedback_lab import audit, schema
from feedback_lab.errors import DiskError
from feedback_lab.ingest.bulk import Loader, Totals
from feedback_lab.ingest.conflicts import Beside, beside
from feedback_lab.ingest.habits import Habits, habits_of
from feedback_lab.ingest.memory import give_back
from feedback_lab.ingest.planning.plan import Plan
from feedback_lab.ingest.previewing import Preview, opened, preview
from feedback_lab.ingest.reading.ahead import ahead
from feedback_lab.ingest.reading.batches import UNSTORABLE, Rows
from feedback_lab.ingest.reading.readers import Hints
from feedback_lab.ingest.rejects import RejectsFile
from feedback_lab.ingest.rows import Mapper
from feedback_lab.ingest.staging import Staging, staged_records
from feedback_lab.records import Exposure, Feedback, Interaction, Marker, new_id, utc_now
from feedback_lab.store import Store

__all__ = ["ImportReport", "Preview", "Progress", "import_file", "import_records", "preview"]

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of every row: `read` = `new` + `duplicate` + `rejected`.

    `undated` counts the new rows without a time. `rejects_file` is the CSV of the rejected rows, None where there
    are none; `reasons` counts their codes. `batch_id` is None for a dry run, which stores nothing.
    """

    batch_id: str | None
    read: int
    new: int
    duplicate: int
    rejected: int
    rejects_file: str | None
    undated: int
    seconds: float
    dry_run: bool
    format: str = ""
    reasons: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Batch:
    """What an import says about itself before any row is judged."""

    batch_id: str
    started_at: datetime
    source: str
    complete: bool
    file_name: str | None = None
    file_sha256: str | None = None
    format: str = ""
    mapping: dict[str, Any] | None = None


class _DryRun(Exception):
    """Carries the totals out of a transaction that must not stand."""

    def __init__(self, totals: Totals) -> None:
        super().__init__()
        self.totals = totals


def import_file(
    store: Store,
    path: Path,
    plan: Plan,
    *,
    dry_run: bool = False,
    progress: Progress | None = None,
    file_name: str | None = None,
    format: str | None = None,
    hints: Hints | None = None,
) -> ImportReport:
    """Import the rows of a file; doing it again adds nothing.

    `format` names a tool's export, or is "none"; without it, a file is recognised by its content where the plan maps
    no columns. `progress` is told the number of rows read so far, now and then; what it raises ends the import with
    nothing stored. `file_name` is the name to remember where `path` is not the file's own. Raises InputError where
    the file or the plan cannot be used, DiskError where the disk is full.
    """
    source, plan = opened(path, plan, format, hints)
    name = UNSTORABLE.sub("\ufffd", file_name or path.name)
    mapping = json.loads(json.dumps(dataclasses.asdict(plan)))
    batch = _Batch(
        new_id(), utc_now(), plan.source, plan.complete, name, source.decoding.sha256, source.format, mapping
    )
    begun = time.monotonic()
    with _said_of_the_disk(store.home / "uploads"), ExitStack() as stack:
        staging, rejects, corrected = _mapped(stack, store, source, plan, batch, dry_run, progress)
        # A tool's export can be counted, and the first rows corrected, only once all rows were read.
        batch = dataclasses.replace(batch, format=source.format + corrected)
        give_back()
        step = partial(progress, staging.read) if progress is not None else lambda: None
        reading = beside(source, rejects, stack.enter_context(ThreadPoolExecutor(1)))
        totals = _load(store, batch, staging, dry_run, step=step, reading=reading)
        kept = rejects.keep()
    return _report(batch, staging.read, totals, kept, begun, dry_run)


def import_records(
    store: Store,
    interactions: Iterable[Interaction],
    feedback: Iterable[Feedback],
    *,
    exposures: Iterable[Exposure] = (),
    markers: Iterable[Marker] = (),
    source: str,
    complete: bool,
) -> ImportReport:
    """Import typed records by the rules of a file: each is one row, interactions first; doing it again adds nothing.

    Exposures and markers whose id is known are left as they are; they are no rows and not counted.
    """
    batch = _Batch(new_id(), utc_now(), source, complete, format="records")
    folder = store.home / "uploads"
    begun = time.monotonic()
    with _said_of_the_disk(folder), ExitStack() as stack:
        staging = stack.enter_context(closing(Staging(folder)))
        for staged in staged_records(interactions, feedback):
            staging.add(staged)
        staging.finish()
        shown = [_as_row(exposure) for exposure in exposures]
        moments = [_as_row(marker) for marker in markers]

        def more(connection: Connection) -> None:
            for table, rows in ((schema.exposure, shown), (schema.marker, moments)):
                for start in range(0, len(rows), 1_000):
                    connection.execute(insert(table).values(rows[start : start + 1_000]).on_conflict_do_nothing())

        totals = _load(store, batch, staging, False, more)
    return _report(batch, staging.read, totals, None, begun, dry_run=False)


@contextmanager
def _said_of_the_disk(folder: Path) -> Iterator[None]:
    """Turn what the disk refuses while rows are staged into a sentence; the database was not touched then."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise DiskError(f"The import needs room in {folder}, which cannot be written ({reason}): make room.") from error


def _mapped(
    stack: ExitStack,
    store: Store,
    source: Rows,
    plan: Plan,
    batch: _Batch,
    dry_run: bool,
    progress: Progress | None,
) -> tuple[Staging, RejectsFile, str]:
    """All rows of the file, mapped by the same habits; the file of the rejected ones; what was corrected, in words."""
    stage = partial(_staged, stack, store, source, plan, batch, dry_run, progress)
    habits = habits_of(plan, source.sample())
    staging, rejects, told = stage(habits)
    if told != habits:
        # The first rows misled: with what all rows tell, every row means the same as its neighbours.
        staging.close()
        rejects.close()
        staging, rejects, _ = stage(told)
    return staging, rejects, habits.otherwise(told)


def _staged(
    stack: ExitStack,
    store: Store,
    source: Rows,
    plan: Plan,
    batch: _Batch,
    dry_run: bool,
    progress: Progress | None,
    habits: Habits,
) -> tuple[Staging, RejectsFile, Habits]:
    """All rows of the file, mapped; the file of the rejected ones; what all rows tell about dates and numbers."""
    folder = store.home / "uploads"
    staging = stack.enter_context(closing(Staging(folder)))
    rejects = stack.enter_context(closing(RejectsFile(folder, batch.batch_id, source.header)))
    key = str(store.scalar("SELECT user_key FROM ledger"))
    mapper = Mapper(plan, habits, user_key=key, started_at=batch.started_at)
    batches = stack.enter_context(closing(ahead(source.batches())))
    for found in stack.enter_context(closing(ahead(map(mapper.read, batches)))):
        staged = mapper.staged(found)
        staging.add(staged)
        if not dry_run:
            for one in staged.rejected:
                rejects.add(one.row, one.problem)
        if progress is not None:
            progress(staging.read)
    staging.finish()
    return staging, rejects, mapper.habits_told()


def _load(
    store: Store,
    batch: _Batch,
    staging: Staging,
    dry_run: bool,
    more: Callable[[Connection], None] = lambda _: None,
    step: Callable[[], None] = lambda: None,
    reading: Beside = nullcontext,
) -> Totals:
    """Load the staged rows in one transaction, which a dry run takes back."""

    def work(connection: Connection) -> Totals:
        with closing(Loader(connection, staging, batch.batch_id, batch.source, step)) as loader:
            totals = loader.load(reading, dry_run=dry_run)
        if dry_run:
            raise _DryRun(totals)
        more(connection)
        _note(connection, batch, staging.read, totals)
        return totals

    try:
        return store.write(work)
    except _DryRun as done:
        return done.totals


def _note(connection: Connection, batch: _Batch, read: int, totals: Totals) -> None:
    counts = {
        "rows_read": read,
        "rows_new": totals.new,
        "rows_duplicate": totals.duplicate,
        "rows_rejected": totals.codes.total(),
        "rows_undated": totals.undated,
    }
    values = {item.name: getattr(batch, item.name) for item in dataclasses.fields(batch)}
    connection.execute(schema.import_batch.insert().values(**values, **counts, finished_at=utc_now(), status="done"))
    audit.record(connection, "import", "import", batch.batch_id, file=batch.file_name, **counts)


def _report(
    batch: _Batch, read: int, totals: Totals, rejects_file: str | None, begun: float, dry_run: bool
) -> ImportReport:
    return ImportReport(
        None if dry_run else batch.batch_id,
        read,
        totals.new,
        totals.duplicate,
        totals.codes.total(),
        rejects_file,
        totals.undated,
        round(time.monotonic() - begun, 3),
        dry_run,
        batch.format,
        dict(totals.codes),
    )


def _as_row(record: Exposure | Marker) -> dict[str, Any]:
    values = dataclasses.asdict(record)
    values["happened_at"] = values.pop("at")
    return values
