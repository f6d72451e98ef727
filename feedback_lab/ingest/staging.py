"""Mapped rows on their way to the database: columns in files without a name.

The rows are parsed before the transaction and read from here inside it, as often as it is tried, so a slow
file never holds other writers up and memory stays flat. The files have no name and are gone when the process is.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from feedback_lab.ingest.json_cells import ENCODE
from feedback_lab.ingest.meaning.text_columns import text_of
from feedback_lab.ingest.reading.batches import UNSTORABLE, Problem, Row
from feedback_lab.records import Feedback, Interaction

RECORDS_AT_ONCE = 20_000

_MOMENT = pa.timestamp("us")
INTERACTION_TYPES: dict[str, Any] = {
    "interaction_id": pa.string(),
    "session_id": pa.string(),
    "turn": pa.int32(),
    "created_at": _MOMENT,
    "received_at": _MOMENT,
    "input": pa.string(),
    "output": pa.string(),
    "model": pa.string(),
    "prompt_version": pa.string(),
    "knowledge_version": pa.string(),
    "user_hash": pa.string(),
    "tags": pa.string(),
    "metadata": pa.string(),
    "batch_id": pa.string(),
}
FEEDBACK_TYPES: dict[str, Any] = {
    "feedback_id": pa.string(),
    "interaction_id": pa.string(),
    "kind": pa.string(),
    "value": pa.float64(),
    "scale_min": pa.float64(),
    "scale_max": pa.float64(),
    "polarity": pa.string(),
    "comment": pa.string(),
    "suggested_answer": pa.string(),
    "created_at": _MOMENT,
    "received_at": _MOMENT,
    "rater_hash": pa.string(),
    "population": pa.string(),
    "source": pa.string(),
    "metadata": pa.string(),
    "batch_id": pa.string(),
}
# `place` counts the readable rows of the file from 0, `number` the feedback; `undated` says that the row is stored
# without a time. What holds for the whole import (batch, source) is not repeated in every row.
ROWS: dict[str, Any] = {
    "place": pa.int64(),
    "line": pa.int64(),
    "soft": pa.string(),
    "undated": pa.bool_(),
    **INTERACTION_TYPES,
}
FEEDBACK: dict[str, Any] = {"number": pa.int64(), "place": pa.int64(), **FEEDBACK_TYPES}
del ROWS["batch_id"], FEEDBACK["batch_id"], FEEDBACK["source"]
ROWS_SCHEMA, FEEDBACK_SCHEMA = pa.schema(list(ROWS.items())), pa.schema(list(FEEDBACK.items()))
PROBLEMS: dict[str, Any] = {
    "place": pa.int64(),
    "line": pa.int64(),
    "column_name": pa.string(),
    "code": pa.string(),
    "message": pa.string(),
    "excerpt": pa.string(),
}


class Rejected(NamedTuple):
    """A row that cannot be stored, with its problem, and its place among the readable rows (-1: unreadable)."""

    place: int
    row: Row
    problem: Problem


class Staged(NamedTuple):
    """A batch of mapped rows, `size` of them readable.

    `named` says that rows give ids, so that one may stand in several rows; minted ids are all different.
    """

    rows: Any
    feedback: Sequence[Any]
    rejected: Sequence[Rejected]
    size: int
    named: bool


class Spool:
    """Record batches of one kind in a file without a name: written once, read as often as needed."""

    def __init__(self, folder: Path, types: Mapping[str, Any]) -> None:
        self.schema = pa.schema(list(types.items()))
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 (closed by `close`)
        self._writer: Any = pa.ipc.new_file(self._file, self.schema)
        self.rows = 0
        self.bytes_per_row = 0.0  # of the heaviest batch

    def add(self, batch: Any) -> None:
        """Keep the rows of a record batch."""
        if batch.num_rows:
            self._writer.write_batch(batch)
            self.rows += batch.num_rows
            self.bytes_per_row = max(self.bytes_per_row, batch.nbytes / batch.num_rows)

    def finish(self) -> None:
        """Nothing comes any more; from here on it may be read."""
        self._writer.close()

    def batches(self, names: Sequence[str] | None = None) -> Iterator[Any]:
        """The record batches in order, only the named columns where they are named."""
        self._file.seek(0)
        chosen = None if names is None else sorted(self.schema.get_field_index(name) for name in names)
        reader = pa.ipc.open_file(self._file, options=pa.ipc.IpcReadOptions(included_fields=chosen))
        for number in range(reader.num_record_batches):
            yield reader.get_batch(number)

    def close(self) -> None:
        self._file.close()


class Staging:
    """The mapped rows of one import. Fill it once, read it as often as needed, close it.

    `read` counts all rows, `size` the readable ones; `named` is true where ids may stand in several rows.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.rows, self.feedback, self.problems = Spool(folder, ROWS), Spool(folder, FEEDBACK), Spool(folder, PROBLEMS)
        self.read = self.size = 0
        self.named = False

    def add(self, staged: Staged) -> None:
        """Keep one batch, in order."""
        self.rows.add(staged.rows)
        for part in staged.feedback:
            self.feedback.add(part)
        if staged.rejected:
            self.problems.add(problems_batch(staged.rejected))
        self.size += staged.size
        self.named = self.named or staged.named
        self.read += staged.size + sum(one.place < 0 for one in staged.rejected)

    def finish(self) -> None:
        """No row comes any more; from here on the spools may be read."""
        for spool in (self.rows, self.feedback, self.problems):
            spool.finish()

    def close(self) -> None:
        for spool in (self.rows, self.feedback, self.problems):
            spool.close()


def problems_batch(rejected: Iterable[Rejected]) -> Any:
    """Rejected rows as a record batch."""
    found = [
        (place, row.line, *(text and UNSTORABLE.sub("\ufffd", text) for text in (*problem, excerpt_of(row))))
        for place, row, problem in rejected
    ]
    columns = zip(zip(*found, strict=True), PROBLEMS.values(), strict=True)
    return pa.record_batch([pa.array(*column) for column in columns], schema=pa.schema(list(PROBLEMS.items())))


def excerpt_of(row: Row) -> str:
    """The start of a row, to recognise it by."""
    return " | ".join(row.raw or map(text_of, row.values.values()))[:500]


def staged_records(interactions: Iterable[Interaction], feedback: Iterable[Feedback]) -> Iterator[Staged]:
    """Typed records as rows, one each, numbered from 1. Feedback brings a bare interaction where there is none."""
    pending: list[tuple[Interaction, Feedback | None]] = []
    done = said = 0
    for pair in _pairs(interactions, feedback):
        pending.append(pair)
        if len(pending) == RECORDS_AT_ONCE:
            yield _staged(pending, done, said)
            done, said = done + len(pending), said + sum(two is not None for _, two in pending)
            pending = []
    if pending:
        yield _staged(pending, done, said)


def _pairs(
    interactions: Iterable[Interaction], feedback: Iterable[Feedback]
) -> Iterator[tuple[Interaction, Feedback | None]]:
    for interaction in interactions:
        yield interaction, None
    for said in feedback:
        yield Interaction(said.interaction_id, said.received_at), said


def _staged(pairs: Sequence[tuple[Interaction, Feedback | None]], done: int, said: int) -> Staged:
    places = range(done, done + len(pairs))
    undated = [(two or one).created_at is None for one, two in pairs]
    heads: list[list[Any]] = [list(places), [place + 1 for place in places], [""] * len(pairs), undated]
    rows = _table(ROWS, [one for one, _ in pairs], heads)
    own = [place for place, (_, two) in zip(places, pairs, strict=True) if two is not None]
    numbers = list(range(said, said + len(own)))
    told = _table(FEEDBACK, [two for _, two in pairs if two is not None], [numbers, own])
    return Staged(rows, [told], [], len(pairs), named=True)


def _table(types: Mapping[str, Any], records: Sequence[Any], heads: list[list[Any]]) -> Any:
    names = list(types)[len(heads) :]
    found = zip(*map(attrgetter(*names), records), strict=True) if records else ((),) * len(names)
    columns = [*heads, *([_plain(value) for value in column] for column in found)]
    arrays = [pa.array(column, kind) for column, kind in zip(columns, types.values(), strict=True)]
    return pa.record_batch(arrays, schema=pa.schema(list(types.items())))


def _plain(value: Any) -> Any:
    return (ENCODE(value) if value else None) if isinstance(value, dict) else value
