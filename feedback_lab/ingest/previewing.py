"""A first look at a file: its rows as a plan reads them, without a database."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from feedback_lab.ingest import formats
from feedback_lab.ingest.habits import habits_of
from feedback_lab.ingest.planning.plan import Plan, check
from feedback_lab.ingest.reading import nested
from feedback_lab.ingest.reading.batches import Problem, Rows, batched
from feedback_lab.ingest.reading.readers import Hints, open_rows
from feedback_lab.ingest.rows import Mapper
from feedback_lab.ingest.staging import Staged
from feedback_lab.records import utc_now


@dataclass(frozen=True, slots=True)
class Preview:
    """The first rows as they would be stored (their non-empty fields, by line), and the problems of the others."""

    rows: list[dict[str, Any]]
    problems: list[tuple[int, Problem]]
    header: list[str]
    format: str


def opened(path: Path, plan: Plan, format: str | None, hints: Hints | None) -> tuple[Rows, Plan]:
    """The rows of the file, or of the tool's export that it is, with a plan that fits them."""
    rows = open_rows(path, hints)
    source, plan = formats.resolve(rows, plan, format)
    if source is rows:
        source = nested.with_columns(rows, plan.columns.values())
    check(plan, source.header)
    return source, plan


def preview(
    path: Path, plan: Plan, limit: int = 20, *, format: str | None = None, hints: Hints | None = None
) -> Preview:
    """Map the first `limit` rows of a file without a database. Raises InputError as `import_file` does."""
    source, plan = opened(path, plan, format, hints)
    mapper = Mapper(plan, habits_of(plan, source.sample()), user_key="preview", started_at=utc_now())
    rows: list[dict[str, Any]] = []
    problems: list[tuple[int, Problem]] = []
    for batch in batched(islice(source, limit)):
        staged = mapper.map(batch)
        rows += _shown(staged)
        problems += [(one.row.line, one.problem) for one in staged.rejected]
    return Preview(rows, problems, source.header, source.format)


def _shown(staged: Staged) -> list[dict[str, Any]]:
    """The non-empty fields of mapped rows, the interaction's first; what only the store decides is left out."""
    hidden = {"place", "number", "soft", "received_at", "user_hash", "rater_hash", "population"}
    rows = {row["place"]: row for row in staged.rows.to_pylist()}
    for part in staged.feedback:
        for said in part.to_pylist():
            rows[said["place"]] |= {name: value for name, value in said.items() if value is not None}
    return [
        {name: _read(name, value) for name, value in row.items() if name not in hidden and value not in (None, "")}
        for row in rows.values()
    ]


def _read(name: str, value: Any) -> Any:
    return json.loads(value) if name in ("tags", "metadata") else value
