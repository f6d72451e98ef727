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
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from feedback_lab import audit, schema
from feedback_lab.errors import DiskError
from feedback_lab.ingest.batches import UNSTORABLE, Problem
from feedback_lab.ingest.bulk import Loader, Totals
from feedback_lab.ingest.plan import Plan, check
from feedback_lab.ingest.readers import RowSource, open_rows
from feedback_lab.ingest.rejects import RejectsFile
from feedback_lab.ingest.rows import Mapped, Mapper, habits_of
from feedback_lab.ingest.staging import Staging, mapped_records
from feedback_lab.records import Exposure, Feedback, Interaction, Marker, new_id, utc_now
from feedback_lab.store import Store

PROGRESS_ROWS = 5_000
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
class Preview:
    """The first rows as they would be stored (their non-empty fields, by line), and the problems of the others."""

    rows: list[dict[str, Any]]
    problems: list[tuple[int, Problem]]
    header: list[str]
    format: str


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
) -> ImportReport:
    """Import the rows of a CSV or JSON Lines file; doing it again adds nothing.

    `progress` is told the number of rows read so far, now and then; what it raises ends the import with nothing
    stored. `file_name` is the name to remember where `path` is not the file's own. Raises InputError where the
    file or the plan cannot be used, DiskError where the disk is full.
    """
    source = open_rows(path)
    check(plan, source.header)
    name = UNSTORABLE.sub("\ufffd", file_name or path.name)
    mapping = json.loads(json.dumps(dataclasses.asdict(plan)))
    batch = _Batch(
        new_id(), utc_now(), plan.source, plan.complete, name, source.decoding.sha256, source.format, mapping
    )
    folder = store.home / "uploads"
    begun = time.monotonic()
    rejects = RejectsFile(folder, batch.batch_id, source.header)
    with _said_of_the_disk(folder), closing(Staging(folder)) as staging, closing(rejects):
        _stage(source, _mapper(store, source, plan, batch), staging, None if dry_run else rejects, progress)
        totals = _load(store, batch, staging, dry_run)
        if totals.conflicts and not dry_run:
            _add_conflicts(source, totals, rejects)
        kept = rejects.keep()
    return _report(batch, staging.rows, totals, kept, begun, dry_run)


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
    with _said_of_the_disk(folder), closing(Staging(folder)) as staging:
        for mapped in mapped_records(interactions, feedback, batch.batch_id, source):
            staging.add(mapped)
        staging.finish()
        shown = [_as_row(exposure) for exposure in exposures]
        moments = [_as_row(marker) for marker in markers]

        def more(connection: Connection) -> None:
            for table, rows in ((schema.exposure, shown), (schema.marker, moments)):
                for start in range(0, len(rows), 1_000):
                    connection.execute(insert(table).values(rows[start : start + 1_000]).on_conflict_do_nothing())

        totals = _load(store, batch, staging, dry_run=False, more=more)
    return _report(batch, staging.rows, totals, None, begun, dry_run=False)


def preview(path: Path, plan: Plan, limit: int = 20) -> Preview:
    """Map the first `limit` rows of a file without a database. Raises InputError as `import_file` does."""
    source = open_rows(path)
    check(plan, source.header)
    mapper = Mapper(plan, habits_of(plan, source.sample()), user_key="preview", started_at=utc_now(), batch_id="")
    mapped = [mapper.map(row) for row in islice(source, limit)]
    rows = [_shown(row) for row in mapped if row.interaction is not None]
    problems = [(row.line, row.problem) for row in mapped if row.problem is not None]
    return Preview(rows, problems, source.header, source.format)


@contextmanager
def _said_of_the_disk(folder: Path) -> Iterator[None]:
    """Turn what the disk refuses while rows are staged into a sentence; the database was not touched then."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise DiskError(f"The import needs room in {folder}, which cannot be written ({reason}): make room.") from error


def _mapper(store: Store, source: RowSource, plan: Plan, batch: _Batch) -> Mapper:
    key = str(store.scalar("SELECT user_key FROM ledger"))
    habits = habits_of(plan, source.sample())
    return Mapper(plan, habits, user_key=key, started_at=batch.started_at, batch_id=batch.batch_id)


def _stage(
    source: RowSource, mapper: Mapper, staging: Staging, rejects: RejectsFile | None, progress: Progress | None
) -> None:
    for row in source:
        mapped = mapper.map(row)
        staging.add(mapped)
        if mapped.problem is not None and rejects is not None:
            rejects.add(row, mapped.problem)
        if progress is not None and staging.rows % PROGRESS_ROWS == 0:
            progress(staging.rows)
    staging.finish()
    if progress is not None:
        progress(staging.rows)


def _load(
    store: Store, batch: _Batch, staging: Staging, dry_run: bool, more: Callable[[Connection], None] | None = None
) -> Totals:
    """Load the staged rows in one transaction, which a dry run takes back."""

    def work(connection: Connection) -> Totals:
        loader = Loader(connection, batch.batch_id)
        try:
            for chunk in staging.chunks():
                loader.load(chunk)
        finally:
            loader.close()
        if dry_run:
            raise _DryRun(loader.totals)
        if more is not None:
            more(connection)
        _note(connection, batch, staging.rows, loader.totals)
        return loader.totals

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


def _add_conflicts(source: RowSource, totals: Totals, rejects: RejectsFile) -> None:
    """Conflicts are known only after the load, so their cells are read from the file once more."""
    for row in source:
        if problem := totals.conflicts.get(row.line):
            rejects.add(row, problem)


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


def _shown(mapped: Mapped) -> dict[str, Any]:
    """The non-empty fields of a mapped row, the interaction's first; what only the store decides is left out."""
    hidden = {"received_at", "batch_id", "user_hash", "rater_hash", "population"}
    row: dict[str, Any] = {"line": mapped.line}
    for record in (mapped.interaction, mapped.feedback):
        if record is not None:
            found = {item.name: getattr(record, item.name) for item in dataclasses.fields(record)}
            row |= {name: value for name, value in found.items() if name not in hidden and value not in (None, {}, "")}
    return row
