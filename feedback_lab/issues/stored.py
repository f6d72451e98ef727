"""What the store holds of issues: their rows, their comments, the model behind them, what was done to them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, text

from feedback_lab import audit, schema
from feedback_lab.errors import InputError
from feedback_lab.issues.grouping.clustering import Clustering
from feedback_lab.issues.grouping.naming import IssueName
from feedback_lab.records import new_id, utc_now
from feedback_lab.store import Store
from feedback_lab.verdicts import NEGATIVE_COMMENTS, negative_comments

SYSTEM = "system"  # who acts when nobody does: regressions, proposals
COMPUTED = "computed"  # who named an issue that no human named
MOST_CONVERSATIONS = 2_000
MOST_CHARACTERS = 2_000

# The interactions of one issue (:issue), and negative comments as everywhere, but only on these.
ABOUT_ISSUE = """
    SELECT about.interaction_id FROM feedback about
    JOIN issue_member part ON part.feedback_id = about.feedback_id WHERE part.issue_id = :issue
"""
OF_ISSUE = negative_comments(ABOUT_ISSUE)
COMMENTS_SQL = (
    """
    SELECT c.feedback_id, c.comment, m.feedback_id IS NOT NULL AS known, m.issue_id,
           coalesce(m.placed_in, m.issue_id) AS placed_in, m.moved_by IS NOT NULL AS moved,
           coalesce(m.low_information AND m.issue_id IS NULL, FALSE) AS low_information,
           coalesce(m.fresh, TRUE) AS fresh
    FROM ("""
    + NEGATIVE_COMMENTS
    + """) AS c LEFT JOIN issue_member m ON m.feedback_id = c.feedback_id
    ORDER BY c.happened_at, c.feedback_id"""
)
CONVERSATIONS_SQL = """
    SELECT substr(input, 1, :characters) AS question, substr(output, 1, :characters) AS answer FROM interaction
    WHERE input IS NOT NULL OR output IS NOT NULL ORDER BY md5(interaction_id), interaction_id LIMIT :most
"""
EVENTS_SQL = "SELECT * FROM issue_event ORDER BY happened_at, event_id"
HUMAN_STATE_SQL = "SELECT max(event_id) AS last, count(undone_by) AS undone FROM issue_event WHERE actor <> :system"


@dataclass(frozen=True, slots=True)
class Comments:
    """All negative comments in order of time, column by column, with where each one is placed.

    `placed_in` is where model or human put it, `issue_ids` the issue that this one was merged into (mostly the
    same); both None where it fits no issue. `moved` says that a human put it there, `fresh` that it came after the
    model last learned.
    """

    ids: list[str]
    texts: list[str]
    known: list[bool]
    issue_ids: list[str | None]
    placed_in: list[str | None]
    moved: list[bool]
    low_information: list[bool]
    fresh: list[bool]


@dataclass(frozen=True, slots=True)
class StoredModel:
    """The model that assigns comments now. `state` says what it was made from and what has been looked at since."""

    model_id: str
    created_at: datetime
    clustering: Clustering
    state: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that was done to issues, by a person or by `system`; `undone_by` names who took it back.

    `detail` holds `says` (a sentence), `issues` (all that it is about), and what undoing it needs.
    """

    event_id: str
    happened_at: datetime
    actor: str
    action: str
    issue_id: str
    detail: dict[str, Any]
    undone_by: str | None

    @property
    def says(self) -> str:
        return str(self.detail.get("says", self.action))

    @property
    def issue_ids(self) -> tuple[str, ...]:
        return tuple(self.detail.get("issues", [self.issue_id]))


def comments(store: Store) -> Comments:
    """Every negative comment with its place. Read-only."""
    with store.read() as connection:
        rows = connection.execute(text(COMMENTS_SQL)).fetchall()
    columns: list[list[Any]] = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in fields(Comments)]
    return Comments(*columns)


def conversations(store: Store) -> list[str]:
    """Questions and answers of a repeatable sample of all interactions: from them a clustering learns words."""
    rows = store.rows(CONVERSATIONS_SQL, most=MOST_CONVERSATIONS, characters=MOST_CHARACTERS)
    return [text for row in rows for text in (row["question"], row["answer"]) if text]


def issue_rows(source: Store | Connection) -> dict[str, dict[str, Any]]:
    """Every row of `issue` by its id, merged ones too."""
    sql = "SELECT * FROM issue ORDER BY created_at, issue_id"
    if isinstance(source, Store):
        return {row["issue_id"]: row for row in source.rows(sql)}
    return {row["issue_id"]: dict(row) for row in source.execute(text(sql)).mappings()}


def roots(issues: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """For every issue the one that it is part of after all merges: itself, where nobody merged it."""
    found = {}
    for issue_id in issues:
        root = issue_id
        while (into := issues[root]["merged_into"]) in issues:
            root = into
        found[issue_id] = root
    return found


def model(store: Store) -> StoredModel | None:
    """The newest model, or None before the first refresh."""
    rows = store.rows("SELECT model_id, created_at, state FROM issue_model ORDER BY created_at DESC LIMIT 1")
    if not rows:
        return None
    row = rows[0]
    return StoredModel(row["model_id"], row["created_at"], _clustering(store, row["model_id"]), row["state"] or {})


def held_up(store: Store) -> str | None:
    """A sentence where comments that came wait to be put into issues, None where none does."""
    rows = store.rows("SELECT state FROM issue_model ORDER BY created_at DESC LIMIT 1")
    return (rows[0]["state"] or {}).get("held_up") if rows else None


@lru_cache(maxsize=2)
def _clustering(store: Store, model_id: str) -> Clustering:
    return Clustering.from_bytes(
        bytes(store.scalar("SELECT content FROM issue_model WHERE model_id = :model", model=model_id))
    )


def find(connection: Connection, issue_id: str) -> dict[str, Any]:
    """A listed issue's row. Raises InputError where there is none, or where it was merged into another."""
    found = connection.execute(text("SELECT * FROM issue WHERE issue_id = :issue"), {"issue": issue_id})
    row = found.mappings().first()
    if row is None:
        raise InputError(f"There is no issue {issue_id!r}: `feedback-lab issues list` shows those that there are.")
    if row["merged_into"]:
        raise InputError(f"The issue {issue_id!r} was merged into {row['merged_into']!r}: act on that one.")
    return dict(row)


def events(source: Store | Connection) -> list[Event]:
    """Everything that was done, oldest first."""
    if isinstance(source, Store):
        return [Event(**row) for row in source.rows(EVENTS_SQL)]
    return [Event(**dict(row)) for row in source.execute(text(EVENTS_SQL)).mappings()]


def touched(events: Iterable[Event]) -> set[str]:
    """The issues that humans had a hand in, as far as they did not take it back: no refresh removes these."""
    return {one for event in events if event.actor != SYSTEM and not event.undone_by for one in event.issue_ids}


def dismissed(events: Iterable[Event]) -> list[set[str]]:
    """The groups of comments that humans refused as an issue, by feedback id."""
    return [set(event.detail["group"]) for event in events if event.action == "dismiss" and not event.undone_by]


def person(actor: str) -> str:
    """A person's name as it stands in the history. Raises InputError for none, and for the one that is nobody's."""
    name = " ".join(actor.split())
    if not name or name == SYSTEM:
        raise InputError("Say who you are: the history of issues keeps a name with every act.")
    return name


def record_event(connection: Connection, actor: str, action: str, issue_id: str, detail: dict[str, Any]) -> Event:
    """Add an event, and its line to the audit trail, in the caller's transaction."""
    event = Event(new_id(), utc_now(), actor, action, issue_id, detail, None)
    values = {name: getattr(event, name) for name in Event.__slots__}
    connection.execute(schema.issue_event.insert().values(**values))
    audit.record(connection, actor, f"issue {action}", issue_id, says=event.says, event_id=event.event_id)
    return event


def human_state(source: Store | Connection) -> str:
    """A text that changes whenever a human does something to an issue, or takes it back."""
    values = {"system": SYSTEM}
    if isinstance(source, Store):
        row = source.rows(HUMAN_STATE_SQL, **values)[0]
    else:
        row = dict(source.execute(text(HUMAN_STATE_SQL), values).mappings().one())
    return f"{row['last']}/{row['undone']}"


def fingerprint(ids: Iterable[str], human: str) -> str:
    """What a grouping was made from, as a short text: these comments, after these human acts."""
    digest = hashlib.sha256(human.encode())
    for one in ids:
        digest.update(b"\0" + one.encode())
    return digest.hexdigest()


def new_issue(issue_id: str, title: str, moment: datetime, **more: Any) -> dict[str, Any]:
    """A row of `issue` with every column, open and without an owner."""
    empty: dict[str, Any] = {column.name: None for column in schema.issue.columns}
    return (
        empty
        | {
            "issue_id": issue_id,
            "title": title,
            "title_by": COMPUTED,
            "keywords": [],
            "representative": "",
            "samples": [],
            "status": "open",
            "locked": False,
            "proposed": False,
            "sub_issues": [],
            "label": -1,
            "created_at": moment,
        }
        | more
    )


def worded(name: IssueName) -> dict[str, Any]:
    """The columns of `issue` that hold what was read out of its comments."""
    return {
        "keywords": list(name.keywords),
        "representative": name.representative,
        "samples": list(name.samples),
    }


def resettle(connection: Connection, issue_ids: Sequence[str] | None = None) -> None:
    """Make `issue_id` of every member follow the merges again; of members placed in `issue_ids`, where given."""
    root_of = roots(issue_rows(connection))
    chosen = list(root_of) if issue_ids is None else [one for one in issue_ids if one in root_of]
    connection.execute(
        text(
            """UPDATE issue_member SET issue_id = place.root, placed_in = place.placed_in
               FROM (SELECT unnest(CAST(:places AS VARCHAR[])) AS placed_in,
                            unnest(CAST(:roots AS VARCHAR[])) AS root) AS place
               WHERE coalesce(issue_member.placed_in, issue_member.issue_id) = place.placed_in"""
        ),
        {"places": chosen, "roots": [root_of[one] for one in chosen]},
    )
