"""The engine's side of an import: staged rows into the tables, inside the caller's transaction.

What the survey finds clear goes in by one statement a table; rows whose ids others share are fetched with what is
stored, judged in Python in the order of the file, and written by the judgement. This module, `survey` and `load`
are the only rooms of `ingest` that know DuckDB.
"""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
from sqlalchemy import Connection

from feedback_lab.ingest.conflicts import Add, Beside
from feedback_lab.ingest.judged import candidates, conflicts, contents
from feedback_lab.ingest.judging import CONTENT, SAID, Judgement, Known, judge
from feedback_lab.ingest.meaning.text_columns import Flags, Numbers
from feedback_lab.ingest.memory import give_back
from feedback_lab.ingest.odd_rows import OddRows, chosen_of
from feedback_lab.ingest.staging import FEEDBACK, INTERACTION_TYPES, PROBLEMS, ROWS, Spool, Staging
from feedback_lab.ingest.survey import TEMPORARY, Marks, Survey, survey
from feedback_lab.store_engine import make_room

JUDGED_ROWS = 25_000  # at once
REGISTERED = ("incoming", "incoming_feedback", "accepted", "merged", "filled", "notes")
_I_NAMES = ", ".join(name for name in ROWS if name in INTERACTION_TYPES)
_F_NAMES = ", ".join(name for name in FEEDBACK if name not in ("number", "place"))

KNOWN_INTERACTIONS = f"""
    SELECT interaction_id, batch_id, {", ".join(CONTENT)} FROM interaction
    SEMI JOIN incoming USING (interaction_id)
"""
KNOWN_FEEDBACK = f"""
    SELECT feedback_id, {", ".join(SAID)} FROM feedback SEMI JOIN incoming_feedback USING (feedback_id)
"""
INSERT_INTERACTIONS = f"INSERT INTO interaction ({_I_NAMES}, batch_id) SELECT {_I_NAMES}, ? FROM incoming"
INSERT_FEEDBACK = f"INSERT INTO feedback ({_F_NAMES}, batch_id, source) SELECT {_F_NAMES}, ?, ? FROM incoming"
INSERT_JUDGED = f"""
    INSERT INTO feedback ({_F_NAMES}, batch_id, source)
    SELECT {_F_NAMES}, ?, ? FROM incoming_feedback SEMI JOIN accepted USING (number)
"""
INSERT_MERGED = f"""
    INSERT INTO interaction ({", ".join(CONTENT)}, interaction_id, received_at, batch_id)
    SELECT {", ".join(f"m.{name}" for name in CONTENT)}, m.interaction_id, received_at, ?
    FROM merged AS m JOIN incoming USING (place)
"""
FILL = f"""
    UPDATE interaction SET {", ".join(f"{name} = filled.{name}" for name in CONTENT)}
    FROM filled WHERE interaction.interaction_id = filled.interaction_id
"""
NOTE_FILLS = "INSERT INTO import_fill (batch_id, interaction_id, field) SELECT ?, interaction_id, field FROM notes"
INSERT_REJECTS = """
    INSERT INTO import_reject (batch_id, line, column_name, code, message, excerpt)
    SELECT ?, line, column_name, code, message, excerpt FROM incoming
"""


@dataclass(slots=True)
class Totals:
    """The rows of an import; `codes` counts the reasons of the rejected."""

    new: int = 0
    duplicate: int = 0
    undated: int = 0
    codes: Counter[str] = field(default_factory=Counter)


class Loader:
    """Loads what is staged through one connection; nothing stands until the caller commits.

    `step` is called before each statement; what it raises ends the load.
    """

    def __init__(
        self,
        connection: Connection,
        staging: Staging,
        batch_id: str,
        source: str,
        step: Callable[[], None] = lambda: None,
    ) -> None:
        raw: Any = connection.connection.driver_connection
        self._cursor = raw.cursor()
        self._staging, self._batch_id, self._source, self._step = staging, batch_id, source, step
        self._conflicts = Spool(staging.folder, PROBLEMS)
        self._shown: dict[str, _Shown] = {}

    def load(self, beside: Beside, *, dry_run: bool = False) -> Totals:
        """Judge all rows, insert what is new, fill what was empty, note what is rejected.

        `beside` reads the cells of the rows in conflict while more are judged and the others are inserted. A dry run,
        which nobody will commit, counts the same and leaves out what no count depends on.
        """
        staging, totals = self._staging, Totals()
        make_room(self._cursor, staging.rows.bytes_per_row + staging.feedback.bytes_per_row)
        found = survey(staging, self)
        self._drop()
        give_back()
        with (nullcontext if dry_run else beside)() as add:
            judged = self._judge_all(found.odd, totals, add)
            if not dry_run:
                give_back()
                self._insert(found)
        if not dry_run:
            for spool in (staging.problems, self._conflicts):
                self._execute(INSERT_REJECTS, [self._batch_id], spool)
        for spool in (staging.problems, self._conflicts):
            for batch in spool.batches(["code"]):
                totals.codes.update(batch["code"].to_pylist())
        totals.duplicate += found.duplicate
        totals.new += staging.rows.rows - judged - found.duplicate
        totals.undated += found.undated
        return totals

    def _judge_all(self, odd: Marks, totals: Totals, add: Add | None) -> int:
        """Judge the odd rows, keep those that are rejected, and `add` them; how many were judged."""
        rows, feedback = OddRows(self._staging.rows, odd), OddRows(self._staging.feedback, odd)
        judged = 0
        while (part := rows.next(JUDGED_ROWS)).num_rows:
            judged += part.num_rows
            with _without_cycles():
                late = self._judge(totals, part, feedback.until(part["place"][-1].as_py()))
            if late is not None:
                self._conflicts.add(late)
                if add is not None:
                    add(late)
        self._conflicts.finish()
        return judged

    def _insert(self, found: Survey) -> None:
        """What nobody has to judge."""
        taken, said, odd = found.taken, found.said, found.odd
        staging, batch = self._staging, self._batch_id
        self._execute(INSERT_INTERACTIONS, [batch], staging.rows, lambda rows: ~taken[rows["place"]])
        self._execute(
            INSERT_FEEDBACK,
            [batch, self._source],
            staging.feedback,
            lambda rows: ~(odd[rows["place"]] | said[rows["number"]]),
        )

    def _judge(self, totals: Totals, rows: Any, feedback: Any) -> Any:
        """Judge some rows, in order, against what is stored and what the rows before them brought: those it rejects."""
        self._register("incoming", rows)
        self._register("incoming_feedback", feedback)
        known = {
            row[0]: Known(list(row[2:]), stored=True, own=row[1] == self._batch_id)
            for row in self._fetch(KNOWN_INTERACTIONS)
        }
        said = {row[0]: row[1:] for row in self._fetch(KNOWN_FEEDBACK)}
        judgement = judge(candidates(rows, feedback), known, said)
        self._write(judgement)
        totals.new += judgement.new
        totals.duplicate += judgement.duplicate
        totals.undated += judgement.undated
        return conflicts(rows, judgement) if judgement.rejected else None

    def _write(self, judgement: Judgement) -> None:
        fresh = {key: known for key, known in judgement.interactions.items() if not known.stored}
        if fresh:
            self._register("merged", contents(fresh))
            self._fetch(INSERT_MERGED, [self._batch_id])
        self._register("accepted", pa.table({"number": pa.array(judgement.feedback, pa.int64())}))
        self._fetch(INSERT_JUDGED, [self._batch_id, self._source])
        changed = {key: known for key, known in judgement.interactions.items() if known.stored and known.changed}
        if not changed:
            return
        self._register("filled", contents(changed))
        self._fetch(FILL)
        notes = [(key, CONTENT[n]) for key, known in changed.items() if not known.own for n in sorted(known.changed)]
        ids, fields = [key for key, _ in notes], [name for _, name in notes]
        self._register(
            "notes", pa.table({"interaction_id": pa.array(ids, pa.string()), "field": pa.array(fields, pa.string())})
        )
        self._fetch(NOTE_FILLS, [self._batch_id])

    def run(self, sql: str, spool: Spool | None = None) -> None:
        """Run a statement, with `incoming` as the rows of the spool."""
        if spool is None:
            self._fetch(sql)
        else:
            self._execute(sql, [], spool)

    def column(self, sql: str, spool: Spool | None = None) -> Iterator[Numbers]:
        """The one column of whole numbers that a query gives, some at a time."""
        if spool is not None:
            self._open(sql, spool)
        for batch in self._cursor.sql(sql).to_arrow_reader(JUDGED_ROWS):
            yield batch.column(0).to_numpy()

    def _execute(self, sql: str, values: list[Any], spool: Spool, chosen: Callable[[Any], Flags] | None = None) -> None:
        """Run a statement with `incoming` as the rows of the spool, or those of them that are chosen."""
        self._step()
        self._open(sql, spool, chosen)
        self._fetch(sql, values)

    def _open(self, sql: str, spool: Spool, chosen: Callable[[Any], Flags] | None = None) -> None:
        names = [name for name in spool.schema.names if name in sql]
        batches = chosen_of(spool, chosen) if chosen else spool.batches(names)
        schema = spool.schema if chosen else pa.schema([spool.schema.field(name) for name in names])
        self._register("incoming", pa.RecordBatchReader.from_batches(schema, batches))

    def _register(self, name: str, table: Any) -> None:
        """Show the engine a table, or a reader, under a name."""
        if isinstance(table, pa.Table) and name in self._shown:
            self._shown[name].table = table
            return
        self._shown.pop(name, None)
        if isinstance(table, pa.Table):
            table = self._shown[name] = _Shown(table)
        self._cursor.execute("register", (name, table))

    def _fetch(self, sql: str, values: list[Any] | None = None) -> list[tuple[Any, ...]]:
        self._cursor.execute(sql, values or [])
        return list(self._cursor.fetchall())

    def close(self) -> None:
        """Let the rows go; the connection goes back to its pool without them."""
        self._conflicts.close()
        for name in REGISTERED:
            with suppress(Exception):
                self._cursor.unregister(name)
        with suppress(Exception):
            self._drop()

    def _drop(self) -> None:
        """What the survey looked at holds memory that the inserts need."""
        for name in TEMPORARY:
            self._fetch(f"DROP TABLE IF EXISTS import_{name}")


class _Shown:
    """A table that the engine sees under a name for as long as it stands here.

    What is registered itself stays in memory until the transaction ends, also when another takes its name.
    """

    def __init__(self, table: Any) -> None:
        self.table = table

    def __arrow_c_stream__(self, requested_schema: object = None) -> Any:
        return self.table.__arrow_c_stream__(requested_schema)


@contextmanager
def _without_cycles() -> Iterator[None]:
    """A judged row is some ten objects and no cycle: to look for cycles among them took longer than to judge them."""
    looking = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if looking:
            gc.enable()
