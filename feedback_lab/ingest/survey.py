"""Which staged rows need a look one by one: decided for all rows at once by hashes of ids and contents.

A record is *free* where its id stands in no other row and is not stored, *same* where all that it says is stored
under its id, *odd* in every other case. A row without odd records is new or a duplicate whatever the other rows
say, so only rows with an odd record are judged one by one. Ids are found by 64-bit hashes, and two ids that share one
only make a row odd: *same* asks for the id itself. Contents are compared by hashes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from feedback_lab.ingest.judging import SAID
from feedback_lab.ingest.meaning.text_columns import Flags, Numbers, flags
from feedback_lab.ingest.staging import Spool, Staging

HARD = "session_id, input, output, model, prompt_version, knowledge_version, tags::VARCHAR, metadata::VARCHAR"
INTERACTION_KEYS = """
    CREATE OR REPLACE TEMP TABLE import_interaction_key AS SELECT place, hash(interaction_id) AS id FROM incoming
"""
FEEDBACK_KEYS = """
    CREATE OR REPLACE TEMP TABLE import_feedback_key AS SELECT number, hash(feedback_id) AS id FROM incoming
"""
SHARED_INTERACTIONS = """
    SELECT place FROM import_interaction_key
    WHERE id IN (SELECT id FROM import_interaction_key GROUP BY id HAVING count(*) > 1)
"""
SHARED_FEEDBACK = """
    SELECT number FROM import_feedback_key
    WHERE id IN (SELECT id FROM import_feedback_key GROUP BY id HAVING count(*) > 1)
"""
STORED_INTERACTIONS = f"""
    CREATE OR REPLACE TEMP TABLE import_interaction_known AS
    SELECT k.place, s.* EXCLUDE (id) FROM import_interaction_key AS k
    JOIN (SELECT hash(interaction_id) AS id, interaction_id AS name, hash({HARD}) AS said, turn, created_at,
                 hash(user_hash) AS rater, user_hash IS NULL AS unknown FROM interaction) AS s USING (id)
"""
STORED_FEEDBACK = f"""
    CREATE OR REPLACE TEMP TABLE import_feedback_known AS
    SELECT k.number, s.name, s.said FROM import_feedback_key AS k
    JOIN (SELECT hash(feedback_id) AS id, feedback_id AS name, hash({", ".join(SAID)}) AS said FROM feedback) AS s
    USING (id)
"""
# What a row may say otherwise without a conflict is in `soft`; it must be stored all the same, or the row fills it.
SAME_INTERACTIONS = f"""
    SELECT s.place FROM import_interaction_known AS s JOIN (
        SELECT place, interaction_id AS name, soft, hash({HARD}) AS said, coalesce({HARD}) IS NULL AS bare, turn,
               created_at, hash(user_hash) AS rater, user_hash IS NULL AS unknown FROM incoming
    ) AS k USING (place)
    WHERE k.name = s.name AND (k.bare OR k.said = s.said)
      AND (k.turn IS NULL OR (s.turn IS NOT NULL AND (k.turn = s.turn OR contains(soft, 'turn'))))
      AND (k.created_at IS NULL
           OR (s.created_at IS NOT NULL AND (k.created_at = s.created_at OR contains(soft, 'created_at'))))
      AND (k.unknown OR (NOT s.unknown AND (k.rater = s.rater OR contains(soft, 'user_hash'))))
"""
SAME_FEEDBACK = f"""
    SELECT s.number FROM import_feedback_known AS s
    JOIN (SELECT number, feedback_id AS name, hash({", ".join(SAID)}) AS said FROM incoming) AS k USING (number)
    WHERE k.name = s.name AND k.said = s.said
"""
KNOWN_INTERACTIONS = "SELECT place FROM import_interaction_known"
KNOWN_FEEDBACK = "SELECT number FROM import_feedback_known"
TEMPORARY = ("interaction_key", "feedback_key", "interaction_known", "feedback_known")


class Marks:
    """Flags of many rows in a bit each, to be asked for some of them."""

    def __init__(self, marked: Flags) -> None:
        self._bits = np.packbits(marked, bitorder="little")

    def __getitem__(self, places: Numbers) -> Flags:
        found: Flags = (self._bits[places >> 3] >> (places & 7).astype(np.uint8) & 1).astype(np.bool_)
        return found


@dataclass(frozen=True, slots=True)
class Survey:
    """What became clear without judging. Marks are asked by place, those of feedback by number.

    `odd` are the rows to judge, `taken` these and the rows whose interaction is stored; `said` is the feedback that is
    stored or shares its id. `duplicate` and `undated` count rows that are not odd; undated ones only where they are
    new.
    """

    odd: Marks
    taken: Marks
    said: Marks
    duplicate: int
    undated: int


class _Statements(NamedTuple):
    """How one kind of record is compared: with the other rows, and with what is stored."""

    keys: str
    shared: str
    stored: str
    known: str
    same: str


_INTERACTIONS = _Statements(
    INTERACTION_KEYS, SHARED_INTERACTIONS, STORED_INTERACTIONS, KNOWN_INTERACTIONS, SAME_INTERACTIONS
)
_FEEDBACK = _Statements(FEEDBACK_KEYS, SHARED_FEEDBACK, STORED_FEEDBACK, KNOWN_FEEDBACK, SAME_FEEDBACK)


class Engine(Protocol):
    """What the survey asks of the engine; `incoming` in a statement are the rows of the spool that is given."""

    def run(self, sql: str, spool: Spool | None = None) -> None: ...

    def column(self, sql: str, spool: Spool | None = None) -> Iterator[Numbers]: ...


def survey(staging: Staging, engine: Engine) -> Survey:
    """Look at all staged rows at once."""
    known, same = _compared(staging.rows, staging.size, engine, _INTERACTIONS, staging.named)
    said, repeated = _compared(staging.feedback, staging.feedback.rows, engine, _FEEDBACK, staging.named)
    odd = known & ~same
    has_new = np.zeros(staging.size, np.bool_)
    if known.any() or said.any():
        for part in staging.feedback.batches(["number", "place"]):
            numbers, places = part["number"].to_numpy(), part["place"].to_numpy()
            odd[places[said[numbers] & ~repeated[numbers]]] = True
            has_new[places[~said[numbers]]] = True
    duplicate = known & ~odd & ~has_new
    undated, settled = 0, odd | duplicate
    for part in staging.rows.batches(["place", "undated"]):
        undated += int((flags(part["undated"]) & ~settled[part["place"].to_numpy()]).sum())
    return Survey(Marks(odd), Marks(known | odd), Marks(said), int(duplicate.sum()), undated)


def _compared(spool: Spool, size: int, engine: Engine, statements: _Statements, named: bool) -> tuple[Flags, Flags]:
    """Which records share their id with another row or a stored record, and which are stored as they are."""
    taken, same = np.zeros(size, np.bool_), np.zeros(size, np.bool_)
    engine.run(statements.keys, spool)
    if named:
        _flag(taken, engine.column(statements.shared))
    engine.run(statements.stored)
    if _flag(taken, engine.column(statements.known)):
        _flag(same, engine.column(statements.same, spool))
    return taken, same


def _flag(rows: Flags, found: Iterable[Numbers]) -> bool:
    """Set the flags of the rows that were found; whether there was one."""
    some = False
    for numbers in found:
        rows[numbers] = some = True
    return some
