"""Columns of what rows say, put together to columns of records: interactions, their feedback, and rejected rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from feedback_lab.ingest.meaning.opinions import Said
from feedback_lab.ingest.meaning.text_columns import Flags
from feedback_lab.ingest.reading.batches import Batch, Problem, Row
from feedback_lab.ingest.staging import FEEDBACK, FEEDBACK_SCHEMA, ROWS, ROWS_SCHEMA, Rejected


@dataclass(slots=True)
class Part:
    """What the rows give to the interactions that they belong to."""

    interaction_id: Any
    turn: Any
    created_at: Any
    input: Any
    output: Any
    user_hash: Any
    metadata: Any


def interaction_rows(columns: Mapping[str, Any], fine: Flags) -> Any:
    """The rows that are fine, with null in the columns that are not given."""
    arrays = [columns.get(name, pa.nulls(len(fine), kind)) for name, kind in ROWS.items()]
    batch = pa.record_batch(arrays, schema=ROWS_SCHEMA)
    return batch if fine.all() else batch.filter(pa.array(fine))


def feedback_rows(
    said: Said, shared: Mapping[str, Any], main: Mapping[str, Any], ids: Any, fine: Flags, first: int
) -> list[Any]:
    """All feedback of the rows that are fine, that of one row together, numbered from `first`.

    `shared` are the columns of all feedback, `main` those of a row's first one alone.
    """
    parts = []
    for voice in said.voices:
        own = {"feedback_id": pc.binary_join_element_wise(ids, f"/{voice.name}", "") if voice.name else ids}
        columns = {**shared, **voice.columns, **own, **({} if voice.name else main)}
        arrays = [columns.get(name, pa.nulls(len(fine), kind)) for name, kind in FEEDBACK.items()]
        parts.append(pa.record_batch(arrays, schema=FEEDBACK_SCHEMA).filter(pa.array(voice.given & fine)))
    table = pa.Table.from_batches(parts, FEEDBACK_SCHEMA)
    if len(parts) > 1:
        table = table.sort_by([("place", "ascending"), ("feedback_id", "ascending")])
    numbers = pa.array(np.arange(first, first + table.num_rows))
    batches: list[Any] = table.set_column(0, "number", numbers).to_batches()
    return batches


def rejected_rows(batch: Batch, problems: Mapping[int, Problem], first: int) -> list[Rejected]:
    """The rows that came unreadable, and those that the mapping rejects, by line."""
    found = [Rejected(-1, row, row.problem) for row in batch.problems if row.problem is not None]
    for place, problem in problems.items():
        cells = {name: cell for name, column in batch.columns.items() if (cell := column[place]) is not None}
        found.append(Rejected(first + place, Row(batch.lines[place], cells), problem))
    return sorted(found, key=lambda one: one.row.line)
