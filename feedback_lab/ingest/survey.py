"""Which staged rows need a look one by one: decided for all rows at once by hashes of ids and contents.

A record is *free* where its id stands in no other row and is not stored, *same* where all that it says is stored
under its id, *odd* in every other case. A row without odd records is new or a duplicate whatever the other rows
say, so only rows with an odd record are judged one by one. Ids are found by 64-bit hashes, and two ids that share one
only make a row odd: *same* asks for the id itself. Contents are compared by hashes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from feedback_lab.ingest.judging import SAID
from feedback_lab.ingest.meaning.text_columns import Flags, Numbers
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


@dataclass(frozen=True, slots=True)
class Survey:
    """What became clear without judging. Flags are indexed by place, those of feedback by number.

    `odd` are the rows to judge, `taken` these and the rows whose interaction is stored; `said` is the feedback that is
    stored or shares its id. `duplicate` and `undated` count rows that are not odd; undated ones only where they are
    new.
    """

    odd: Flags
    taken: Flags
    said: Flags
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

    def column(self, sql: str, spool: Spool | None = None) -> Numbers: ...


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
    undated = staging.undated & ~odd & ~duplicate
    return Survey(odd, np.logical_or(known, odd, out=known), said, int(duplicate.sum()), int(undated.sum()))


def _compared(spool: Spool, size: int, engine: Engine, statements: _Statements, named: bool) -> tuple[Flags, Flags]:
    """Which records share their id with another row or a stored record, and which are stored as they are."""
    taken, same = np.zeros(size, np.bool_), np.zeros(size, np.bool_)
    engine.run(statements.keys, spool)
    if named:
        taken[engine.column(statements.shared)] = True
    engine.run(statements.stored)
    known = engine.column(statements.known)
    if len(known):
        taken[known] = True
        same[engine.column(statements.same, spool)] = True
    return taken, same
