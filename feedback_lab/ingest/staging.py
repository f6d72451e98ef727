"""Mapped rows on their way to the database: columnar chunks in a file without a name.

The rows are parsed before the transaction and read from here inside it, as often as it is tried, so a slow
file never holds other writers up and memory stays flat. The file has no name and is gone when the process is.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from operator import attrgetter
from pathlib import Path
from typing import Any

import pyarrow as pa

from feedback_lab.ingest.rows import Mapped
from feedback_lab.records import Feedback, Interaction

CHUNK_ROWS = 50_000
CHUNK_CHARACTERS = 32_000_000

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
ROW_TYPES: dict[str, Any] = {
    "place": pa.int64(),
    "line": pa.int64(),
    "code": pa.string(),
    "column_name": pa.string(),
    "message": pa.string(),
    "excerpt": pa.string(),
    "soft": pa.string(),
    "undated": pa.bool_(),
}
SCHEMA = pa.schema(
    [*ROW_TYPES.items()]
    + [(f"i_{name}", kind) for name, kind in INTERACTION_TYPES.items()]
    + [(f"f_{name}", kind) for name, kind in FEEDBACK_TYPES.items()]
)
_ENCODE = json.JSONEncoder(ensure_ascii=False, sort_keys=True).encode
_INTERACTION = attrgetter(*INTERACTION_TYPES)
_FEEDBACK = attrgetter(*FEEDBACK_TYPES)
_NO_INTERACTION = (None,) * len(INTERACTION_TYPES)
_NO_FEEDBACK = (None,) * len(FEEDBACK_TYPES)
_TAGS = list(INTERACTION_TYPES).index("tags")
_METADATA = list(FEEDBACK_TYPES).index("metadata")
# Where a row may be long; everything else in it is bounded.
_LONG_NAMES = "i_input i_output i_model i_prompt_version i_tags i_metadata f_comment f_suggested_answer f_metadata"
_LONG = [SCHEMA.get_field_index(name) for name in _LONG_NAMES.split()]


class Staging:
    """A spool of mapped rows. Fill it once, read its chunks as often as needed, close it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 (closed by `close`)
        self._writer: Any = pa.ipc.new_file(self._file, SCHEMA)
        self._buffer: list[tuple[Any, ...]] = []
        self._characters = 0
        self.rows = 0

    def add(self, mapped: Mapped) -> None:
        """Keep one row, in order."""
        row = _flat(self.rows, mapped)
        self._buffer.append(row)
        self.rows += 1
        self._characters += sum([len(row[place]) for place in _LONG if row[place]])
        if len(self._buffer) >= CHUNK_ROWS or self._characters >= CHUNK_CHARACTERS:
            self._flush()

    def finish(self) -> None:
        """No row comes any more; from here on `chunks` may be read."""
        self._flush()
        self._writer.close()

    def chunks(self) -> Iterator[Any]:
        """The rows as Arrow tables of bounded size, in order."""
        self._file.seek(0)
        reader = pa.ipc.open_file(self._file)
        for number in range(reader.num_record_batches):
            yield pa.Table.from_batches([reader.get_batch(number)])

    def close(self) -> None:
        self._file.close()

    def _flush(self) -> None:
        if self._buffer:
            columns = zip(*self._buffer, strict=True)
            arrays = [pa.array(column, field.type) for column, field in zip(columns, SCHEMA, strict=True)]
            self._writer.write_batch(pa.record_batch(arrays, schema=SCHEMA))
            self._buffer.clear()
            self._characters = 0


def mapped_records(
    interactions: Iterable[Interaction], feedback: Iterable[Feedback], batch_id: str, source: str
) -> Iterator[Mapped]:
    """Typed records as rows, one each, numbered from 1. Feedback brings a bare interaction where there is none."""
    line = 0
    for interaction in interactions:
        line += 1
        yield Mapped(line, replace(interaction, batch_id=batch_id), undated=interaction.created_at is None)
    for said in feedback:
        line += 1
        bare = Interaction(said.interaction_id, said.received_at, batch_id=batch_id)
        own = replace(said, batch_id=batch_id, source=source)
        yield Mapped(line, bare, own, undated=said.created_at is None)


def _flat(place: int, mapped: Mapped) -> tuple[Any, ...]:
    problem = mapped.problem
    head = (
        place,
        mapped.line,
        problem.code if problem else None,
        problem.column if problem else None,
        problem.message if problem else None,
        mapped.excerpt,
        mapped.soft,
        mapped.undated,
    )
    if mapped.interaction is None:
        return head + _NO_INTERACTION + _NO_FEEDBACK
    interaction = list(_INTERACTION(mapped.interaction))
    interaction[_TAGS] = _json(interaction[_TAGS])
    interaction[_TAGS + 1] = _json(interaction[_TAGS + 1])
    if mapped.feedback is None:
        return (*head, *interaction, *_NO_FEEDBACK)
    feedback = list(_FEEDBACK(mapped.feedback))
    feedback[_METADATA] = _json(feedback[_METADATA])
    return (*head, *interaction, *feedback)


def _json(value: dict[str, Any]) -> str | None:
    return _ENCODE(value) if value else None
