"""From a row of cells to records: the one place that knows what a mapped row means.

Ids are the file's own where it has them. Otherwise they are a hash of the mapped row and of its running number
among identical mapped rows, so that the same file with the same mapping says the same thing twice, and two
people who both wrote just a thumb stay two people.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from feedback_lab.ingest.batches import Problem, Row
from feedback_lab.ingest.opinion import Opinion, opinion_of
from feedback_lab.ingest.pairing import Pairing
from feedback_lab.ingest.plan import TAG, Plan
from feedback_lab.ingest.values import OTHER, USER, Unreadable, day_comes_first, role_of, time_of, turn_of, zone_of
from feedback_lab.records import Feedback, Interaction

MAX_ID = 500  # characters
# Fields that a row gives about its feedback or its message rather than about the interaction: they fill what
# is empty there, and are no conflict (two people rate one answer at two times).
SOFT_OF_FEEDBACK = "created_at user_hash"
SOFT_OF_CHAT = "created_at user_hash turn"
NUMBERS_OF_THUMBS = frozenset((1.0, -1.0))
RATING_NAME = re.compile("star|rating|nps|csat")


class Mapped(NamedTuple):
    """One row as records, or its problem. `soft` names the interaction's fields that may not conflict."""

    line: int
    interaction: Interaction | None = None
    feedback: Feedback | None = None
    soft: str = ""
    undated: bool = False
    problem: Problem | None = None
    excerpt: str = ""


class _Own(NamedTuple):
    """What the row says for itself: its ids (empty where it has none), its place, its time, its user."""

    interaction_id: str
    feedback_id: str
    session_id: str | None
    turn: int | None
    created_at: datetime | None
    user_hash: str | None


class _Part(NamedTuple):
    """What the row gives to the interaction that it belongs to."""

    interaction_id: str
    turn: int | None
    created_at: datetime | None
    input: str | None
    output: str | None
    user_hash: str | None
    metadata: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Habits:
    """What only the look at many rows tells: the order of day and month, and whether 1 and -1 are thumbs."""

    day_first: bool | None = None
    numbers_are_thumbs: bool = True


def habits_of(plan: Plan, sample: Sequence[Mapping[str, Any]]) -> Habits:
    """What the first rows of a file settle for the rest of it."""
    times = (text_of(values.get(plan.columns.get("created_at", ""))) for values in sample)
    words = plan.values.get("value", {})
    numbers: set[float] = set()
    for values in sample:
        text = text_of(values.get(plan.columns.get("value", ""))).strip()
        try:
            numbers.add(float(words.get(text, text)))
        except ValueError:
            continue
    # A file of nothing but 1 in a column of stars holds the worst ratings, not thumbs up.
    rated = RATING_NAME.search(plan.columns.get("value", "").lower()) is not None and -1.0 not in numbers
    return Habits(day_comes_first(times), numbers <= NUMBERS_OF_THUMBS and not rated)


class Mapper:
    """Maps the rows of one file, in order: running numbers and open questions are counted on the way."""

    def __init__(self, plan: Plan, habits: Habits, *, user_key: str, started_at: datetime, batch_id: str) -> None:
        self._plan, self._habits = plan, habits
        self._started_at, self._batch_id = started_at, batch_id
        self._zone = zone_of(plan.timezone)
        # In one fixed order, because the order is part of the hash.
        names = sorted(plan.columns.keys() | plan.constants.keys())
        self._order = [
            (name, plan.columns.get(name), plan.constants.get(name, ""), plan.values.get(name)) for name in names
        ]
        self._tags = [(name, name[len(TAG) :]) for name in names if name.startswith(TAG)]
        self._mapped_columns = frozenset(plan.columns.values())
        self._pairing = Pairing()
        self._seen: set[int] = set()
        self._repeats: dict[int, int] = {}
        key = user_key.encode()
        self.user_hash = lru_cache(100_000)(lambda user: hmac.digest(key, user.encode(), "sha256").hex()[:32])

    def map(self, row: Row) -> Mapped:
        """The records of the row, or its problem; never raises for what a file may hold."""
        if row.problem is not None:
            return Mapped(row.line, problem=row.problem, excerpt=excerpt_of(row.raw))
        fields: dict[str, str] = {}
        for name, column, text, translate in self._order:
            if column is not None:
                raw = row.values.get(column)
                text = raw if type(raw) is str else text_of(raw)
                if translate is not None:
                    text = translate.get(text.strip(), text)
            if text and not text.isspace():
                fields[name] = text
        try:
            return self._records(row, fields)
        except _At as error:
            problem = Problem(self._plan.columns.get(error.field), error.cause.code, str(error.cause))
        except Unreadable as error:
            problem = Problem(None, error.code, str(error))
        return Mapped(row.line, problem=problem, excerpt=excerpt_of([text_of(value) for value in row.values.values()]))

    def _records(self, row: Row, fields: dict[str, str]) -> Mapped:
        plan = self._plan
        opinion = _at("value", opinion_of, fields, plan.constants, plan.scale, self._habits.numbers_are_thumbs)
        if opinion is None and not self._has_content(fields):
            raise Unreadable("empty_row", "every mapped cell of the row is empty")
        own = self._own(fields)
        minted = self._minted(fields)
        unmapped = self._unmapped(row.values)
        part = self._part(fields, own, own.interaction_id or f"i-{minted}", {} if opinion else unmapped)
        received_at = self._started_at + timedelta(microseconds=row.line)
        interaction = Interaction(
            part.interaction_id,
            received_at,
            own.session_id,
            part.turn,
            part.created_at,
            part.input,
            part.output,
            fields.get("model"),
            fields.get("prompt_version"),
            None,
            part.user_hash,
            {name: fields[field] for field, name in self._tags if field in fields},
            part.metadata,
            self._batch_id,
        )
        undated = own.created_at is None
        soft = SOFT_OF_CHAT if plan.is_chat else SOFT_OF_FEEDBACK if opinion else ""
        if opinion is None:
            return Mapped(row.line, interaction, None, soft, undated)
        feedback = self._feedback(fields, opinion, own, own.feedback_id or f"f-{minted}", part, received_at, unmapped)
        return Mapped(row.line, interaction, feedback, soft, undated)

    def _feedback(
        self,
        fields: Mapping[str, str],
        opinion: Opinion,
        own: _Own,
        feedback_id: str,
        part: _Part,
        received_at: datetime,
        metadata: dict[str, Any],
    ) -> Feedback:
        lo, hi = opinion.scale or (None, None)
        return Feedback(
            feedback_id,
            part.interaction_id,
            opinion.kind,
            received_at,
            opinion.value,
            lo,
            hi,
            opinion.polarity,
            fields.get("comment"),
            fields.get("suggested_answer"),
            own.created_at,
            part.user_hash,
            source=self._plan.source,
            metadata=metadata,
            batch_id=self._batch_id,
        )

    def _has_content(self, fields: Mapping[str, str]) -> bool:
        """Whether columns (not constants) give a text, or something about an interaction that they name."""
        if not self._plan.constants.keys().isdisjoint(fields):
            fields = {name: text for name, text in fields.items() if name not in self._plan.constants}
        named = "interaction_id" in fields and len(fields) > 1
        return named or "input" in fields or "output" in fields or "content" in fields

    def _own(self, fields: Mapping[str, str]) -> _Own:
        for name in ("interaction_id", "feedback_id", "session_id"):
            if len(fields.get(name, "")) > MAX_ID:
                raise _At(name, Unreadable("bad_id", f"an id has at most {MAX_ID} characters"))
        created_at = None
        if "created_at" in fields:
            created_at = _at("created_at", time_of, fields["created_at"], self._zone, self._habits.day_first)
        return _Own(
            fields.get("interaction_id", "").strip(),
            fields.get("feedback_id", "").strip(),
            fields["session_id"].strip() if "session_id" in fields else None,
            _at("turn", turn_of, fields["turn"]) if "turn" in fields else None,
            created_at,
            self.user_hash(fields["user"].strip()) if "user" in fields else None,
        )

    def _part(self, fields: Mapping[str, str], own: _Own, interaction_id: str, metadata: dict[str, Any]) -> _Part:
        """What the row gives to its interaction; of a chat message's, only the side that it speaks for."""
        if not self._plan.is_chat:
            question, answer = fields.get("input"), fields.get("output")
            return _Part(interaction_id, own.turn, own.created_at, question, answer, own.user_hash, metadata)
        if "role" not in fields:
            raise _At("role", Unreadable("bad_role", "the message has no role"))
        role = _at("role", role_of, fields["role"])
        if role == OTHER:
            raise _At("role", Unreadable("role_not_stored", "system and tool messages are neither question nor answer"))
        place = self._pairing.place(own.session_id, role, interaction_id, own.user_hash)
        said = fields.get("content")
        turn = place.turn if own.session_id else None
        if place.answers:
            metadata = {"answer": metadata} if metadata else {}
            return _Part(place.interaction_id, turn, None, None, said, place.user_hash, metadata)
        question, answer = (said, None) if role == USER else (None, said)
        turn = turn if own.turn is None else own.turn
        return _Part(place.interaction_id, turn, own.created_at, question, answer, place.user_hash, metadata)

    def _minted(self, fields: Mapping[str, str]) -> str:
        """The hash of the mapped row and, from its second appearance on, of its running number.

        A row that names its feedback is the same row when it comes again, so it has no running number.
        """
        # NUL never occurs in a stored text, so the parts cannot run into one another.
        digest = hashlib.sha256("\0".join(f"{name}\0{text}" for name, text in fields.items()).encode()).digest()
        short = int.from_bytes(digest[:8], "big")
        if "feedback_id" in fields or short not in self._seen:
            self._seen.add(short)
            return digest[:16].hex()
        number = self._repeats[short] = self._repeats.get(short, 0) + 1
        return hashlib.sha256(digest + number.to_bytes(8, "big")).hexdigest()[:32]

    def _unmapped(self, values: Mapping[str, Any]) -> dict[str, Any]:
        taken = self._mapped_columns
        return {
            name: value for name, value in values.items() if name not in taken and value is not None and value != ""
        }


class _At(Exception):
    """An unreadable value, with the field that it stands in."""

    def __init__(self, field: str, cause: Unreadable) -> None:
        super().__init__(field)
        self.field, self.cause = field, cause


def _at(field: str, read: Any, *arguments: Any) -> Any:
    try:
        return read(*arguments)
    except Unreadable as error:
        raise _At(_culprit(field, error), error) from None


def _culprit(field: str, error: Unreadable) -> str:
    return {"bad_kind": "kind", "bad_polarity": "polarity"}.get(error.code, field)


def text_of(value: Any) -> str:
    """A cell as text: what JSON gives as number, truth or structure reads as it stood in the file."""
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def excerpt_of(cells: Sequence[str]) -> str:
    """The start of a row, to recognise it by."""
    return " | ".join(cells)[:500]
