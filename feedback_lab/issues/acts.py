"""What people do to issues. Every act stands over all later refreshes, is recorded, and can be undone (`undoing`).

The state lives in the rows themselves (`issue.title_by`, `merged_into`, `locked`, `issue_member.moved_by`), which
refreshes respect; the event beside it says who did it and keeps what was there before.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from feedback_lab import schema
from feedback_lab.errors import InputError
from feedback_lab.issues import stored
from feedback_lab.issues.grouping.naming import IssueName
from feedback_lab.issues.listing import STATUSES
from feedback_lab.issues.stored import OF_ISSUE, Event
from feedback_lab.issues.wording import titles_taken, unique_title, words_of
from feedback_lab.numerals import count
from feedback_lab.records import new_id, utc_now
from feedback_lab.store import Store, insert_rows

LONGEST_TITLE = 120
LONGEST_OWNER = 200
LONGEST_NOTE = 10_000
LONGEST_LINK = 2_000

MEMBERS_SQL = """
    SELECT f.feedback_id, m.feedback_id IS NOT NULL AS known, m.issue_id, m.moved_by, m.sub_label,
           coalesce(m.placed_in, m.issue_id) AS placed_in
    FROM feedback f LEFT JOIN issue_member m ON m.feedback_id = f.feedback_id
    WHERE trim(f.comment) <> '' AND f.feedback_id IN (SELECT unnest(CAST(:ids AS VARCHAR[])))
    ORDER BY f.feedback_id
"""
MOVE_SQL = """
    UPDATE issue_member SET issue_id = :issue, placed_in = :issue, moved_by = :actor, sub_label = NULL
    WHERE feedback_id IN (SELECT unnest(CAST(:ids AS VARCHAR[])))
"""
LEAVE_SQL = """
    UPDATE issue_member SET issue_id = NULL, placed_in = NULL, moved_by = NULL, sub_label = NULL
    WHERE issue_id = :issue
"""
PART_SQL = (
    "SELECT c.feedback_id, c.comment, m.sub_label FROM ("
    + OF_ISSUE
    + ") AS c JOIN issue_member m ON m.feedback_id = c.feedback_id WHERE m.issue_id = :issue ORDER BY c.feedback_id"
)


def rename(store: Store, issue_id: str, title: str, actor: str) -> Event | None:
    """Give an issue a human's title. Raises InputError unless it has 1 to 120 characters."""
    wording = _title(title)
    values = {"title": wording, "title_by": stored.person(actor)}
    return _set(store, issue_id, actor, "rename", values, "Renamed", f"to “{wording}”")


def set_status(store: Store, issue_id: str, status: str, actor: str) -> Event | None:
    """Set open, acknowledged, fixing, watching, resolved or ignored. Resolving starts the watch for regressions."""
    if status not in STATUSES:
        raise InputError(f"There is no status {status!r}: choose from {', '.join(STATUSES)}.")
    values = {"status": status, "resolved_at": utc_now() if status == "resolved" else None}
    return _set(store, issue_id, actor, "status", values, "Set", f"to {status}")


def ignore(store: Store, issue_id: str, actor: str) -> Event | None:
    """Keep an issue and its comments, but out of the way: no flags, and not listed unless asked for."""
    return set_status(store, issue_id, "ignored", actor)


def set_owner(store: Store, issue_id: str, owner: str | None, actor: str) -> Event | None:
    """Say who takes care of it; None or an empty name for nobody."""
    name = _short(owner, LONGEST_OWNER, "owner")
    says = ("Gave", f"to {name}") if name else ("Took the owner of", "away")
    return _set(store, issue_id, actor, "owner", {"owner": name}, *says)


def set_note(store: Store, issue_id: str, note: str | None, actor: str) -> Event | None:
    """Keep a note with an issue; None or empty text for none."""
    values = {"note": _short(note, LONGEST_NOTE, "note")}
    return _set(store, issue_id, actor, "note", values, "Changed the note of")


def set_link(store: Store, issue_id: str, link: str | None, actor: str) -> Event | None:
    """Point to where the work is tracked: an http or https address, None or empty text for none."""
    address = _short(link, LONGEST_LINK, "link")
    if address and not address.lower().startswith(("https://", "http://")):
        raise InputError("A link must begin with https:// or http://.")
    says = ("Linked", f"to {address}") if address else ("Took the link of", "away")
    return _set(store, issue_id, actor, "link", {"link": address}, *says)


def lock(store: Store, issue_id: str, actor: str) -> Event | None:
    """Let no refresh change its comments, keywords and quotes. New comments that fit still join."""
    return _set(store, issue_id, actor, "lock", {"locked": True}, "Locked")


def unlock(store: Store, issue_id: str, actor: str) -> Event | None:
    """Let refreshes regroup its comments again."""
    return _set(store, issue_id, actor, "lock", {"locked": False}, "Unlocked")


def accept(store: Store, issue_id: str, actor: str) -> Event | None:
    """Take a proposed issue into the list. Raises InputError where it is no proposal."""
    return _set(store, issue_id, actor, "accept", {"proposed": False}, "Accepted the proposal")


def dismiss(store: Store, issue_id: str, actor: str) -> Event:
    """Refuse a proposed issue: its comments are in none, also after refreshes that learn on, and nobody is asked again.

    Raises InputError where it is no proposal, or where issues were merged into it.
    """

    def work(connection: Connection) -> Event:
        row = _proposal(connection, issue_id)
        if any(one["merged_into"] == issue_id for one in stored.issue_rows(connection).values()):
            raise InputError("Issues were merged into this proposal: accept it, or undo the merge first.")
        sql = "SELECT feedback_id FROM issue_member WHERE issue_id = :issue"
        members = _members(connection, connection.execute(text(sql), {"issue": issue_id}).scalars().all())
        connection.execute(text(LEAVE_SQL), {"issue": issue_id})
        connection.execute(text("DELETE FROM issue WHERE issue_id = :issue"), {"issue": issue_id})
        detail = _detail([issue_id], f"Dismissed the proposal “{row['title']}”", [f"exists:{issue_id}"], [issue_id])
        detail |= {"removed": [_plain(row)], "members": _members_before(members)}
        detail["group"] = [one["feedback_id"] for one in members if not one["moved_by"]]
        return stored.record_event(connection, stored.person(actor), "dismiss", issue_id, detail)

    return store.write(work)


def merge(store: Store, issue_id: str, into_id: str, actor: str) -> Event:
    """Make `issue_id` a part of `into_id`: its comments, and those that would join it, count there from now on."""

    def work(connection: Connection) -> Event:
        row, into = stored.find(connection, issue_id), stored.find(connection, into_id)
        if issue_id == into_id:
            raise InputError("An issue cannot be merged into itself: name two issues.")
        parts = [one for one, root in stored.roots(stored.issue_rows(connection)).items() if root == issue_id]
        _change(connection, issue_id, {"merged_into": into_id})
        stored.resettle(connection, parts)
        says = f"Merged “{row['title']}” into “{into['title']}”"
        detail = _detail([into_id, issue_id], says, [f"merge:{issue_id}"], [issue_id, into_id])
        detail["before"] = {issue_id: {"merged_into": None}}
        return stored.record_event(connection, stored.person(actor), "merge", issue_id, detail)

    return store.write(work)


def split(
    store: Store,
    issue_id: str,
    actor: str,
    *,
    feedback_ids: Collection[str] = (),
    sub_label: int | None = None,
    title: str | None = None,
) -> str:
    """Make a new issue of some of an issue's comments, or of one of its sub-issues; the new issue's id.

    A sub-issue takes along the comments that come later. Raises InputError where nothing or everything would leave.
    """
    name, wording = stored.person(actor), _title(title) if title and title.strip() else ""
    with store.read() as connection:
        stored.find(connection, issue_id)
    comments = {row["feedback_id"]: row for row in store.rows(PART_SQL, issue=issue_id)}
    of_sub = {one for one, row in comments.items() if sub_label is not None and row["sub_label"] == sub_label}
    part = of_sub.union(feedback_ids)
    if missing := sorted(part - comments.keys()):
        raise InputError(f"The comment {missing[0]!r} is not in the issue {issue_id!r}: choose among its own.")
    if not 0 < len(part) < len(comments):
        raise InputError("A split must take some of the issue's comments and leave some: choose others.")
    fresh = new_id()
    homes = [fresh if one in part else issue_id for one in comments]
    words = words_of([row["comment"] for row in comments.values()], homes, [1.0] * len(homes))[fresh]
    issue = stored.new_issue(fresh, wording, utc_now(), parent_id=issue_id) | stored.worded(words)
    issue |= {"title_by": name} if wording else {}
    issue |= {"sub_label": sub_label} if not feedback_ids else {}
    store.write(lambda connection: _split_off(connection, issue, words, sorted(part), name))
    return fresh


def move(store: Store, feedback_ids: Sequence[str], into_id: str | None, actor: str) -> Event:
    """Put comments into an issue, or with None into none, where they stay. Raises InputError for unknown ones."""
    ids = list(dict.fromkeys(feedback_ids))

    def work(connection: Connection) -> Event:
        into = stored.find(connection, into_id) if into_id else None
        rows = _members(connection, ids)
        if missing := sorted(set(ids) - {row["feedback_id"] for row in rows}) or (not ids and [""]):
            raise InputError(f"There is no comment {missing[0]!r}: give the feedback ids of comments.")
        unknown = [row["feedback_id"] for row in rows if not row["known"]]
        empty = {"issue_id": None, "placed_in": None, "score": 0.0, "moved_by": None, "sub_label": None}
        insert_rows(connection, schema.issue_member, [{"feedback_id": one} | empty for one in unknown])
        _move(connection, ids, into_id, stored.person(actor))
        from_ids = sorted({row["issue_id"] for row in rows if row["issue_id"]} - {into_id})
        some = count(len(ids), "comment")
        says = f"Moved {some} into “{into['title']}”" if into else f"Took {some} out{_of(connection, from_ids)}"
        needs = [into_id] if into_id else []
        detail = _detail([*needs, *from_ids], says, [], needs) | {"members": _members_before(rows)}
        return stored.record_event(connection, stored.person(actor), "move", (needs or from_ids or [""])[0], detail)

    return store.write(work)


def unassign(store: Store, feedback_ids: Sequence[str], actor: str) -> Event:
    """Say that comments fit no issue; no refresh puts them into one."""
    return move(store, feedback_ids, None, actor)


def _of(connection: Connection, issue_ids: Sequence[str]) -> str:
    if len(issue_ids) == 1:
        return f" of “{stored.find(connection, issue_ids[0])['title']}”"
    return f" of {len(issue_ids):,} issues" if issue_ids else ""


def _split_off(connection: Connection, issue: dict[str, Any], words: IssueName, part: list[str], actor: str) -> Event:
    whole, members = stored.find(connection, issue["parent_id"]), _members(connection, part)
    if len(members) < len(part) or any(one["issue_id"] != whole["issue_id"] for one in members):
        raise InputError("Some of these comments were moved or taken back meanwhile: look at the issue again.")
    title = issue["title"] or unique_title(words, titles_taken(stored.issue_rows(connection)))
    label = -1 if issue["sub_label"] is None else whole["label"]
    insert_rows(connection, schema.issue, [issue | {"title": title, "label": label}])
    made, says = issue["issue_id"], f"Split “{title}” off with {count(len(part), 'comment')}"
    detail = _detail([whole["issue_id"], made], says, [f"exists:{made}"], [whole["issue_id"]])
    detail |= {"made": made, "members": _members_before(members)}
    _move(connection, part, made, actor)
    return stored.record_event(connection, actor, "split", whole["issue_id"], detail)


def _set(
    store: Store, issue_id: str, actor: str, action: str, values: Mapping[str, Any], verb: str, rest: str = ""
) -> Event | None:
    """Change columns of an issue; None where they hold these values already, and nothing is recorded.

    The history says the `verb`, the title that the issue had before, and the `rest`.
    """

    def work(connection: Connection) -> Event | None:
        row = (_proposal if action == "accept" else stored.find)(connection, issue_id)
        if all(row[name] == value for name, value in values.items() if name not in ("resolved_at", "title_by")):
            return None
        _change(connection, issue_id, values)
        says = f"{verb} “{row['title']}” {rest}".strip()
        detail = _detail([issue_id], says, [f"{action}:{issue_id}"], [issue_id])
        detail["before"] = {issue_id: _plain({name: row[name] for name in values})}
        return stored.record_event(connection, stored.person(actor), action, issue_id, detail)

    return store.write(work)


def _detail(issues: Sequence[str], says: str, keys: Sequence[str], needs: Sequence[str]) -> dict[str, Any]:
    """What undoing looks at: the `keys` that an act changed, and the issues that it needs to be there."""
    return {"says": says, "issues": list(issues), "keys": list(keys), "needs": [f"exists:{one}" for one in needs]}


def _change(connection: Connection, issue_id: str, values: Mapping[str, Any]) -> None:
    connection.execute(schema.issue.update().where(schema.issue.c.issue_id == issue_id).values(**values))


def _move(connection: Connection, ids: Sequence[str], into_id: str | None, actor: str) -> None:
    connection.execute(text(MOVE_SQL), {"ids": list(ids), "issue": into_id, "actor": actor})


def _members(connection: Connection, ids: Sequence[str]) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(text(MEMBERS_SQL), {"ids": list(ids)}).mappings()]


def _members_before(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Where comments were, those of one place together."""
    places: dict[tuple[Any, ...], list[str]] = {}
    for row in rows:
        places.setdefault((row["placed_in"], row["moved_by"], row["sub_label"]), []).append(row["feedback_id"])
    return [{"placed_in": key[0], "moved_by": key[1], "sub_label": key[2], "ids": ids} for key, ids in places.items()]


def _proposal(connection: Connection, issue_id: str) -> dict[str, Any]:
    row = stored.find(connection, issue_id)
    if not row["proposed"]:
        raise InputError(f"The issue {issue_id!r} is no proposal: it is in the list already.")
    return row


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in row.items()}


def _title(given: str) -> str:
    wording = " ".join(given.split())
    if not wording or len(wording) > LONGEST_TITLE:
        raise InputError(f"An issue's title must have 1 to {LONGEST_TITLE} characters.")
    return wording


def _short(given: str | None, longest: int, what: str) -> str | None:
    wording = (given or "").strip()
    if len(wording) > longest:
        raise InputError(f"The {what} of an issue must have at most {longest:,} characters.")
    return wording or None
