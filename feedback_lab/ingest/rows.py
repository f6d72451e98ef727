"""From columns of cells to records: the one place that knows what a mapped row means.

A batch is mapped column by column: what a text means is asked once for each different text or combination, ids are
hashes of the mapped row (see `minting`). A row's first problem rejects it; everything else in it is then ignored.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from feedback_lab.ingest import json_cells
from feedback_lab.ingest.assembly import Part, feedback_rows, interaction_rows, rejected_rows
from feedback_lab.ingest.habits import Habits, day_first, numbers_are_thumbs
from feedback_lab.ingest.meaning.moments import MOMENT, Times
from feedback_lab.ingest.meaning.numbers import scale_words
from feedback_lab.ingest.meaning.opinions import Opinions, Said
from feedback_lab.ingest.meaning.own_fields import Own, Rejections, own_fields
from feedback_lab.ingest.meaning.text_columns import given, is_given, nulled, text_of, texts, translated
from feedback_lab.ingest.meaning.values import Unreadable, zone_of
from feedback_lab.ingest.minting import Minter, or_minted
from feedback_lab.ingest.pairing import Pairing, roles_of
from feedback_lab.ingest.planning.plan import TAG, Plan
from feedback_lab.ingest.reading.batches import Batch
from feedback_lab.ingest.staging import Staged

__all__ = ["Mapper", "text_of"]

# Fields that a row gives about its feedback or its message rather than about the interaction: they fill what
# is empty there, and are no conflict (two people rate one answer at two times).
SOFT_OF_FEEDBACK = "created_at user_hash"
SOFT_OF_CHAT = "created_at user_hash turn"
NAMES = frozenset(("interaction_id", "feedback_id"))
OF_THE_PART = ("turn", "created_at", "input", "output", "user_hash", "metadata")


class Read(NamedTuple):
    """What the cells of a batch mean, before its rows have ids; `rest` is what no field takes, as JSON."""

    batch: Batch
    fields: Mapping[str, Any]
    said: Said
    own: Own
    roles: list[str | None] | None
    rest: Any
    reject: Rejections


class Mapper:
    """Maps the batches of one file, in order: running numbers and open questions are counted on the way."""

    def __init__(self, plan: Plan, habits: Habits, *, user_key: str, started_at: datetime) -> None:
        self._plan, self._habits = plan, habits
        self._started_at = np.datetime64(started_at, "us").astype(np.int64)
        # In one fixed order, because the order is part of the hash.
        self._names = sorted(plan.columns.keys() | plan.constants.keys())
        self._mapped_columns = frozenset(plan.columns.values())
        self._times = Times(zone_of(plan.timezone), habits.day_first)
        self._opinions = Opinions(plan, habits)
        self._minter = Minter()
        self._pairing = Pairing()
        self._rows = self._feedback = 0
        key = user_key.encode()
        self.user_hash = lru_cache(100_000)(lambda user: hmac.digest(key, user.encode(), "sha256").hex()[:32])

    def habits_told(self) -> Habits:
        """What all rows mapped so far tell; where it is not what this mapper was made with, map them anew."""
        plan = self._plan
        thumbs = {name: numbers_are_thumbs(plan, name, found) for name, found in self._opinions.numbers.items()}
        return Habits(day_first(plan, self._times.orders), thumbs)

    def map(self, batch: Batch) -> Staged:
        """The records of the rows, and the problems of the others; never raises for what a file may hold."""
        return self.staged(self.read(batch))

    def read(self, batch: Batch) -> Read:
        """What the cells mean: the first half of `map`, which may run in another thread than the second."""
        rows = len(batch.lines)
        fields = {name: column for name in self._names if (column := self._texts(batch, name)).null_count < rows}
        reject = Rejections(rows, self._plan.columns)
        said = self._opinions.read(fields, rows, reject.add)
        reject.add(None, self._empty(fields, said))
        own = own_fields(fields, rows, self._times, self.user_hash, reject)
        roles = roles_of(fields, rows, reject) if self._plan.is_chat else None
        return Read(batch, fields, said, own, roles, self._rest(batch), reject)

    def _texts(self, batch: Batch, name: str) -> Any:
        """The texts of a field, after the replacements of the plan; null where a row gives none."""
        rows = len(batch.lines)
        column = self._plan.columns.get(name)
        if column is None:
            return given(pa.repeat(self._plan.constants[name], rows))
        cells = batch.columns.get(column)
        array = pa.repeat("", rows) if cells is None else texts(cells)
        if meanings := self._plan.values.get(name):
            array = translated(array, lambda text: meanings.get(text.strip(), text))
        return given(array)

    def _empty(self, fields: Mapping[str, Any], said: Said) -> dict[int, Unreadable]:
        """Rows without feedback, a text, or something about an interaction that they name."""
        own = {name: is_given(column) for name, column in fields.items() if name not in self._plan.constants}
        filled = said.any.copy()
        for name in ("input", "output", "content"):
            filled |= own.get(name, False)
        if "interaction_id" in own:
            filled |= own["interaction_id"] & (np.sum(list(own.values()), axis=0) > 1)
        error = Unreadable("empty_row", "the row holds neither a question, nor an answer, nor feedback")
        return dict.fromkeys(np.flatnonzero(~filled).tolist(), error)

    def staged(self, read: Read) -> Staged:
        """What was read, as records with their ids: the second half of `map`, in the same order."""
        batch, fields, said, own, roles, rest, reject = read
        rows, fine = len(batch.lines), reject.fine
        nothing = pa.nulls(rows, pa.string())
        has_feedback_id = is_given(own.feedback_id)
        wanted = fine & (~is_given(own.interaction_id) | (~has_feedback_id & said.any))
        minted = self._minter.mint(self._identity(fields, said), wanted, ~has_feedback_id)
        ids = or_minted(own.interaction_id, "i-", minted, wanted)
        question, answer = fields.get("input", nothing), fields.get("output", nothing)
        part = Part(ids, own.turn, own.created_at, question, answer, own.user_hash, nulled(rest, said.main))
        if roles is not None:
            self._pairing.pair(part, own, roles, fields.get("content", nothing), fine)
        arrived = self._arrived(batch, part)
        columns = arrived | {
            "soft": self._soft(said),
            "undated": pa.array(np.where(said.any, ~is_given(own.rated_at), ~is_given(own.created_at))),
            "session_id": own.session_id,
            "tags": self._tags(fields, rows),
            **{name: getattr(part, name) for name in OF_THE_PART},
            **{name: fields[name] for name in ("model", "prompt_version") if name in fields},
        }
        shared = arrived | {
            "created_at": own.rated_at,
            "rater_hash": pc.coalesce(own.rater_hash, part.user_hash),
            "population": said.population,
        }
        main = {name: fields[name] for name in ("comment", "suggested_answer") if name in fields} | {"metadata": rest}
        names = or_minted(own.feedback_id, "f-", minted, wanted)
        feedback = feedback_rows(said, shared, main, names, fine, self._feedback)
        rejected = rejected_rows(batch, reject.problems, self._rows)
        named = self._plan.is_chat or not NAMES.isdisjoint(fields)
        self._rows += rows
        self._feedback += sum(part.num_rows for part in feedback)
        return Staged(interaction_rows(columns, fine), feedback, rejected, rows, named)

    def _arrived(self, batch: Batch, part: Part) -> dict[str, Any]:
        """Where and when the rows came in: the line in microseconds keeps the order of the file."""
        lines = np.asarray(batch.lines, np.int64)
        return {
            "place": pa.array(np.arange(self._rows, self._rows + len(lines))),
            "line": pa.array(lines),
            "received_at": pa.array(self._started_at + lines).cast(MOMENT),
            "interaction_id": part.interaction_id,
        }

    def _identity(self, fields: Mapping[str, Any], said: Said) -> Mapping[str, Any]:
        """What a row's id is made from: its fields, and the plan's scale as if a rated row had given it itself.

        So a file that is read on another scale says something else, and does not contradict what is stored.
        """
        rated = np.any([is_given(voice.columns["scale_min"]) for voice in said.voices], axis=0)
        if self._plan.scale is None or not np.any(rated):
            return fields
        meant = nulled(pa.repeat(scale_words(self._plan.scale), len(rated)), ~rated)
        if "scale" in fields:
            meant = pc.coalesce(fields["scale"], meant)
        return dict(sorted({**fields, "scale": meant}.items()))

    def _soft(self, said: Said) -> Any:
        if self._plan.is_chat:
            return pa.repeat(SOFT_OF_CHAT, len(said.any))
        return pc.if_else(pa.array(said.any), SOFT_OF_FEEDBACK, "")

    def _tags(self, fields: Mapping[str, Any], rows: int) -> Any:
        tags = {name[len(TAG) :]: json_cells.quoted(column) for name, column in fields.items() if name.startswith(TAG)}
        return json_cells.objects(tags, rows)

    def _rest(self, batch: Batch) -> Any:
        """The columns that nothing is mapped to, as one JSON object a row."""
        left = {name: cells for name, cells in batch.columns.items() if name not in self._mapped_columns}
        return json_cells.objects({name: json_cells.values(cells) for name, cells in left.items()}, len(batch.lines))
