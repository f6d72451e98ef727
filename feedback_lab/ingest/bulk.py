"""The engine's side of an import: chunks of staged rows into the tables, inside the caller's transaction.

Rows whose ids nobody has seen go in by one statement; the others are fetched, judged in Python in the order of
the file, and written by the judgement. This module and `load` are the only rooms of `ingest` that know DuckDB.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection

from feedback_lab.ingest.batches import Problem
from feedback_lab.ingest.judging import CONTENT, SAID, Candidate, Judgement, Known, judge
from feedback_lab.ingest.staging import FEEDBACK_TYPES, INTERACTION_TYPES

REGISTERED = (
    "incoming",
    "known_interaction",
    "known_feedback",
    "touched",
    "accepted",
    "merged",
    "filled",
    "notes",
    "rejects",
)
_I_NAMES = ", ".join(INTERACTION_TYPES)
_I_STAGED = ", ".join(f"i_{name}" for name in INTERACTION_TYPES)
_F_NAMES = ", ".join(FEEDBACK_TYPES)
_F_STAGED = ", ".join(f"f_{name}" for name in FEEDBACK_TYPES)

KNOWN_INTERACTIONS = f"""
    SELECT interaction_id, batch_id, {", ".join(CONTENT)} FROM interaction
    SEMI JOIN incoming ON interaction_id = i_interaction_id
"""
KNOWN_FEEDBACK = f"""
    SELECT feedback_id, {", ".join(SAID)} FROM feedback SEMI JOIN incoming ON feedback_id = f_feedback_id
"""
# Rows that share an id with another row of the chunk, or with a stored record.
TOUCHED = """
    SELECT place FROM incoming
    WHERE i_interaction_id IN (SELECT i_interaction_id FROM incoming GROUP BY 1 HAVING count(*) > 1)
       OR f_feedback_id IN (SELECT f_feedback_id FROM incoming GROUP BY 1 HAVING count(*) > 1)
       OR i_interaction_id IN (SELECT id FROM known_interaction)
       OR f_feedback_id IN (SELECT id FROM known_feedback)
    ORDER BY place
"""
INSERT_INTERACTIONS = f"""
    INSERT INTO interaction ({_I_NAMES}) SELECT {_I_STAGED} FROM incoming
    WHERE code IS NULL AND place NOT IN (SELECT place FROM touched)
"""
INSERT_FEEDBACK = f"""
    INSERT INTO feedback ({_F_NAMES}) SELECT {_F_STAGED} FROM incoming
    WHERE f_feedback_id IS NOT NULL
      AND (place NOT IN (SELECT place FROM touched) OR place IN (SELECT place FROM accepted))
"""
INSERT_MERGED = f"""
    INSERT INTO interaction ({_I_NAMES})
    SELECT interaction_id, session_id, turn, m.created_at, i_received_at, input, output, model, prompt_version,
           knowledge_version, user_hash, tags, metadata, i_batch_id
    FROM merged AS m JOIN incoming ON incoming.place = m.place
"""
FILL = f"""
    UPDATE interaction SET {", ".join(f"{name} = filled.{name}" for name in CONTENT)}
    FROM filled WHERE interaction.interaction_id = filled.interaction_id
"""
NOTE_FILLS = "INSERT INTO import_fill (batch_id, interaction_id, field) SELECT ?, interaction_id, field FROM notes"
INSERT_REJECTS = """
    INSERT INTO import_reject (batch_id, line, column_name, code, message, excerpt)
    SELECT ?, line, column_name, code, message, excerpt FROM rejects
"""


@dataclass(slots=True)
class Totals:
    """The rows of an import so far; `codes` counts the reasons of the rejected, `conflicts` are found only here."""

    new: int = 0
    duplicate: int = 0
    undated: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    conflicts: dict[int, Problem] = field(default_factory=dict)


class Loader:
    """Loads the chunks of one batch through one connection; nothing stands until the caller commits."""

    def __init__(self, connection: Connection, batch_id: str) -> None:
        raw: Any = connection.connection.driver_connection
        self._cursor = raw.cursor()
        self._batch_id = batch_id
        self.totals = Totals()

    def load(self, chunk: Any) -> None:
        """Judge one chunk, insert what is new, fill what was empty, note what is rejected."""
        readable = chunk.filter(pc.is_null(chunk["code"]))
        self._register("incoming", readable)
        known = {
            row[0]: Known(list(row[2:]), stored=True, own=row[1] == self._batch_id)
            for row in self._fetch(KNOWN_INTERACTIONS)
        }
        said = {row[0]: row[1:] for row in self._fetch(KNOWN_FEEDBACK)}
        self._register("known_interaction", pa.table({"id": pa.array(known, pa.string())}))
        self._register("known_feedback", pa.table({"id": pa.array(said, pa.string())}))
        places = pa.array([row[0] for row in self._fetch(TOUCHED)], pa.int64())
        is_touched = pc.is_in(readable["place"], places)
        judgement = judge(_candidates(readable.filter(is_touched)), known, said)
        self._register("touched", pa.table({"place": places}))
        self._write(judgement)
        untouched = readable.filter(pc.invert(is_touched))
        self.totals.new += judgement.new + untouched.num_rows
        self.totals.duplicate += judgement.duplicate
        self.totals.undated += judgement.undated + (pc.sum(untouched["undated"]).as_py() or 0)
        self._reject(chunk, judgement.rejected)

    def _write(self, judgement: Judgement) -> None:
        self._register("accepted", pa.table({"place": pa.array(judgement.feedback, pa.int64())}))
        self._execute(INSERT_INTERACTIONS)
        self._execute(INSERT_FEEDBACK)
        fresh = {key: known for key, known in judgement.interactions.items() if not known.stored}
        if fresh:
            self._register("merged", _contents(fresh))
            self._execute(INSERT_MERGED)
        changed = {key: known for key, known in judgement.interactions.items() if known.stored and known.changed}
        if not changed:
            return
        self._register("filled", _contents(changed))
        self._execute(FILL)
        notes = [(key, CONTENT[n]) for key, known in changed.items() if not known.own for n in sorted(known.changed)]
        ids, fields = [key for key, _ in notes], [name for _, name in notes]
        self._register(
            "notes", pa.table({"interaction_id": pa.array(ids, pa.string()), "field": pa.array(fields, pa.string())})
        )
        self._execute(NOTE_FILLS, [self._batch_id])

    def _reject(self, chunk: Any, conflicts: dict[int, Problem]) -> None:
        """Note the rows that came unreadable and those that conflict; both with their line."""
        rejected = chunk.filter(pc.is_valid(chunk["code"]))
        self.totals.codes.update(rejected["code"].to_pylist())
        if rejected.num_rows:
            self._register("rejects", rejected)
            self._execute(INSERT_REJECTS, [self._batch_id])
        if conflicts:
            late = chunk.filter(pc.is_in(chunk["place"], pa.array(conflicts, pa.int64())))
            lines = late["line"].to_pylist()
            self.totals.conflicts.update(zip(lines, conflicts.values(), strict=True))
            self.totals.codes.update(problem.code for problem in conflicts.values())
            for name in ("code", "column_name", "message"):
                values = [getattr(problem, name.removesuffix("_name")) for problem in conflicts.values()]
                late = late.set_column(late.schema.get_field_index(name), name, pa.array(values, pa.string()))
            self._register("rejects", late)
            self._execute(INSERT_REJECTS, [self._batch_id])

    def _register(self, name: str, table: Any) -> None:
        self._cursor.execute("register", (name, table))

    def _execute(self, sql: str, values: list[Any] | None = None) -> None:
        self._fetch(sql, values)

    def _fetch(self, sql: str, values: list[Any] | None = None) -> list[tuple[Any, ...]]:
        self._cursor.execute(sql, values or [])
        return list(self._cursor.fetchall())

    def close(self) -> None:
        """Let the chunks go; the connection goes back to its pool without them."""
        for name in REGISTERED:
            with suppress(Exception):
                self._cursor.unregister(name)


def _candidates(touched: Any) -> Iterator[Candidate]:
    """The rows of a chunk as the judge wants them."""

    def columns(prefix: str, names: Iterable[str]) -> Iterator[tuple[Any, ...]]:
        return zip(*(touched[f"{prefix}{name}"].to_pylist() for name in names), strict=True)

    heads = columns("", ("place", "soft", "undated", "i_interaction_id"))
    feedback_ids = touched["f_feedback_id"].to_pylist()
    contents, sayings = columns("i_", CONTENT), columns("f_", SAID)
    for head, content, feedback_id, said in zip(heads, contents, feedback_ids, sayings, strict=True):
        place, soft, undated, interaction_id = head
        yield Candidate(place, soft, undated, interaction_id, content, feedback_id, said)


def _contents(interactions: dict[str, Known]) -> Any:
    """Judged interactions as a table: id, place of the row that brought them, content."""
    columns = {"interaction_id": pa.array(interactions, pa.string())}
    columns["place"] = pa.array([known.place for known in interactions.values()], pa.int64())
    for number, name in enumerate(CONTENT):
        values = [known.content[number] for known in interactions.values()]
        columns[name] = pa.array(values, INTERACTION_TYPES[name])
    return pa.table(columns)
