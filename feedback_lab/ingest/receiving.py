"""Records that come one by one: validated, deduplicated and stored in the caller's transaction, by the rules of a file.

What is stored under an id is read only where `KnownIds` says that the id is stored, and only among the rows that
arrived when it did.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, TextClause, text

from feedback_lab import schema
from feedback_lab.ingest.aliases import resolve
from feedback_lab.ingest.changing import change
from feedback_lab.ingest.items import (
    FeedbackChange,
    FeedbackItem,
    InteractionItem,
    Item,
    Outcome,
    Refused,
    Status,
)
from feedback_lab.ingest.judging import CONTENT, METADATA, SAID
from feedback_lab.ingest.known_ids import Found, KnownIds
from feedback_lab.ingest.meaning.item_values import feedback_of, interaction_of
from feedback_lab.records import Feedback, Interaction

__all__ = [
    "FeedbackChange", "FeedbackItem", "InteractionItem", "Item", "KnownIds", "Outcome", "Status", "receive",
]  # fmt: skip

SQL_TYPES = {"TEXT": "VARCHAR", "JSON": "VARCHAR", "INTEGER": "INTEGER", "DOUBLE": "DOUBLE", "DATETIME": "TIMESTAMP"}
INTERACTION_TYPES = {column.name: SQL_TYPES[str(column.type)] for column in schema.interaction.columns}
FEEDBACK_TYPES = {column.name: SQL_TYPES[str(column.type)] for column in schema.feedback.columns}

KNOWN_INTERACTIONS = text(f"""
    SELECT interaction_id, {", ".join(CONTENT)} FROM interaction
    WHERE interaction_id IN (SELECT unnest(CAST(:names AS VARCHAR[]))) AND received_at BETWEEN :first AND :last
""")
KNOWN_FEEDBACK = text(f"""
    SELECT feedback_id, {", ".join(SAID)} FROM feedback
    WHERE feedback_id IN (SELECT unnest(CAST(:names AS VARCHAR[]))) AND received_at BETWEEN :first AND :last
""")


def _unnested(types: dict[str, str]) -> str:
    return ", ".join(f"unnest(CAST(:{name} AS {kind}[])) AS {name}" for name, kind in types.items())


_FILLED = {name: INTERACTION_TYPES[name] for name in ("interaction_id", *CONTENT)}
FILL = text(f"""
    UPDATE interaction SET {", ".join(f"{name} = filled.{name}" for name in CONTENT)}
    FROM (SELECT {_unnested(_FILLED)}) AS filled
    WHERE interaction.interaction_id = filled.interaction_id AND interaction.received_at BETWEEN :first AND :last
""")
# "collector" stands where an import's id would, so that undoing the import leaves what the collector filled in.
NOTE_FILLS = text(
    "INSERT INTO import_fill (batch_id, interaction_id, field) "
    "SELECT 'collector', unnest(CAST(:interaction_id AS VARCHAR[])), unnest(CAST(:field AS VARCHAR[]))"
)

_ENCODE = json.JSONEncoder(ensure_ascii=False, sort_keys=True).encode
_CONTENT = attrgetter(*CONTENT)
_SAID = attrgetter(*SAID)
_TAGS = CONTENT.index("tags")


@dataclass(slots=True)
class _Known:
    """An interaction as it stands; `made_at` only where it is not in the database yet."""

    content: list[Any]
    made_at: datetime | None = None
    changed: set[int] = field(default_factory=set)


def receive(
    connection: Connection,
    items: Sequence[Item],
    *,
    key: str,
    received_at: datetime,
    known: KnownIds | None = None,
) -> list[Outcome]:
    """Store what is new of `items`, in order, in the caller's transaction; one outcome an item.

    An item is new when it adds a record or fills an empty field of a known interaction, duplicate when all that it
    says is stored, rejected when it cannot be read or its id is stored with other content. Feedback about an unknown
    interaction makes it, without content. `key` is the ledger's, for hashing users; `received_at` is the moment of
    the first item, each following one comes a microsecond later. A rejected item leaves no trace and stops no other.
    `known` belongs to a writer who comes again and again; without it, all stored ids are read for this one call.
    """
    known = known or KnownIds()
    known.begin(connection)
    outcomes: list[Outcome] = []
    run: list[Interaction | Feedback | Outcome] = []
    minted: set[str] = set()
    for place, item in enumerate(resolve(connection, items, known)):
        moment = received_at + timedelta(microseconds=place)
        if isinstance(item, FeedbackChange):
            outcomes += _Run(connection, run, minted, known).outcomes
            outcomes.append(_changed(connection, item, moment, known))
            run, minted = [], set()
        else:
            run.append(_read(item, key, moment, minted))
    return outcomes + _Run(connection, run, minted, known).outcomes


def _read(item: Item, key: str, moment: datetime, minted: set[str]) -> Interaction | Feedback | Outcome:
    kind = "interaction" if isinstance(item, InteractionItem) else "feedback"
    given = item.interaction_id if isinstance(item, InteractionItem) else item.feedback_id
    try:
        if isinstance(item, InteractionItem):
            interaction = interaction_of(item, key, moment)
            if not given:
                minted.add(interaction.interaction_id)
            return interaction
        assert isinstance(item, FeedbackItem)
        said = feedback_of(item, key, moment)
        if not given:
            minted.add(said.feedback_id)
        return said
    except Refused as why:
        return Outcome(
            Status.REJECTED, kind, given if isinstance(given, str) else None, why.field, why.code, why.reason
        )


def _changed(connection: Connection, item: FeedbackChange, moment: datetime, known: KnownIds) -> Outcome:
    try:
        said = change(connection, item, moment, known)
    except Refused as why:
        return Outcome(Status.REJECTED, "feedback", str(item.feedback_id), why.field, why.code, why.reason)
    if said is None:
        return Outcome(Status.DUPLICATE, "feedback", item.feedback_id)
    _insert(connection, "feedback", FEEDBACK_TYPES, [said])
    known.add({}, {said.feedback_id: moment})
    return Outcome(Status.NEW, "feedback", item.feedback_id)


class _Run:
    """Records that are looked up together, judged in order, and written together."""

    def __init__(
        self,
        connection: Connection,
        records: Sequence[Interaction | Feedback | Outcome],
        minted: Collection[str],
        ids: KnownIds,
    ) -> None:
        self._connection, self._ids = connection, ids
        self._new: list[Feedback] = []
        given = {one.interaction_id for one in records if isinstance(one, Interaction)}
        named = {one.interaction_id for one in records if isinstance(one, Feedback)}
        said = {one.feedback_id for one in records if isinstance(one, Feedback)}
        self._look_up(given.difference(minted), named - given, said.difference(minted))
        self.outcomes = [self._judge(one) for one in records]
        self._write()

    def _look_up(self, given: set[str], named: set[str], said: set[str]) -> None:
        # What feedback names only has to be there, so its hash will do: looking all of them up costs a scan a commit.
        self._known = {name: _Known([None] * len(CONTENT)) for name in self._ids.interactions(named).names}
        self._filled_within = self._ids.interactions(given)
        for row in self._fetch(KNOWN_INTERACTIONS, self._filled_within):
            self._known[row[0]] = _Known(_sorted_json(row[1:]))
        found = self._ids.feedback(said)
        self._said = {row[0]: tuple(row[1:]) for row in self._fetch(KNOWN_FEEDBACK, found)}

    def _judge(self, record: Interaction | Feedback | Outcome) -> Outcome:
        if isinstance(record, Outcome):
            return record
        if isinstance(record, Interaction):
            return self._judge_interaction(record)
        said, before = _SAID(record), self._said.get(record.feedback_id)
        if before is not None:
            name = next((name for name, old, new in zip(SAID, before, said, strict=True) if old != new), None)
            return _outcome("feedback", record.feedback_id, name, adds=False)
        self._said[record.feedback_id] = said
        self._new.append(record)
        if record.interaction_id not in self._known:
            self._known[record.interaction_id] = _Known([None] * len(CONTENT), record.received_at)
        return _outcome("feedback", record.feedback_id, None, adds=True)

    def _judge_interaction(self, record: Interaction) -> Outcome:
        content = _sorted_json(_CONTENT(record))
        known = self._known.get(record.interaction_id)
        if known is None:
            self._known[record.interaction_id] = _Known(content, record.received_at)
            return _outcome("interaction", record.interaction_id, None, adds=True)
        merged = _merged(known.content[METADATA], content[METADATA])
        if merged is None:
            return _outcome("interaction", record.interaction_id, "metadata", adds=False)
        content[METADATA] = merged or None
        pairs = list(zip(known.content, content, strict=True))
        for place, (old, new) in enumerate(pairs):
            if place != METADATA and old is not None and new is not None and old != new:
                return _outcome("interaction", record.interaction_id, CONTENT[place], adds=False)
        filled = {place for place, (old, new) in enumerate(pairs) if new is not None and new != old}
        for place in filled:
            known.content[place] = content[place]
        known.changed |= filled
        return _outcome("interaction", record.interaction_id, None, adds=bool(filled))

    def _write(self) -> None:
        made = [
            Interaction(name, known.made_at, *known.content)
            for name, known in self._known.items()
            if known.made_at is not None
        ]
        _insert(self._connection, "interaction", INTERACTION_TYPES, made)
        _insert(self._connection, "feedback", FEEDBACK_TYPES, self._new)
        self._ids.add(
            {one.interaction_id: one.received_at for one in made},
            {one.feedback_id: one.received_at for one in self._new},
        )
        changed = [(name, known) for name, known in self._known.items() if known.changed and known.made_at is None]
        if not changed:
            return
        _, first, last = self._filled_within
        columns = map(list, zip(*((name, *known.content) for name, known in changed), strict=True))
        filled = dict(zip(_FILLED, columns, strict=True))
        self._connection.execute(FILL, {**filled, "first": first, "last": last})
        notes = [(name, CONTENT[place]) for name, known in changed for place in sorted(known.changed)]
        names, fields = zip(*notes, strict=True)
        self._connection.execute(NOTE_FILLS, {"interaction_id": list(names), "field": list(fields)})

    def _fetch(self, statement: TextClause, found: Found) -> Iterable[Any]:
        return self._connection.execute(statement, found._asdict()).fetchall() if found.names else ()


def _insert(
    connection: Connection, table: str, types: Mapping[str, str], records: Sequence[Interaction | Feedback]
) -> None:
    """Insert records whose ids are new. The statement names the columns that hold anything: each one costs it time."""
    if not records:
        return
    columns = {name: [_stored(getattr(record, name)) for record in records] for name in types}
    filled = {name: values for name, values in columns.items() if values.count(None) < len(values)}
    arrays = ", ".join(f"unnest(CAST(${place} AS {types[name]}[]))" for place, name in enumerate(filled, 1))
    connection.exec_driver_sql(f"INSERT INTO {table} ({', '.join(filled)}) SELECT {arrays}", tuple(filled.values()))


def _stored(value: Any) -> Any:
    return (_ENCODE(value) if value else None) if isinstance(value, dict) else value


def _sorted_json(content: Sequence[Any]) -> list[Any]:
    """Content with tags and metadata as text that is the same for the same values."""
    found = list(content)
    for place in (_TAGS, METADATA):
        value = found[place]
        value = json.loads(value) if isinstance(value, str) else value
        found[place] = _ENCODE(value) if value else None
    return found


def _merged(stored: str | None, given: str | None) -> str | None:
    """Both objects in one, "" where both are empty; None where they give one name two values."""
    if given is None or stored is None or given == stored:
        return given or stored or ""
    old, new = json.loads(stored), json.loads(given)
    if any(name in old and old[name] != value for name, value in new.items()):
        return None
    return _ENCODE(old | new)


def _outcome(kind: str, name: str, differs: str | None, *, adds: bool) -> Outcome:
    if differs is None:
        return Outcome(Status.NEW if adds else Status.DUPLICATE, kind, name)
    reason = f"this id is stored with another {differs}: send it under an id of its own"
    return Outcome(Status.REJECTED, kind, name, differs, "id_conflict", reason)
