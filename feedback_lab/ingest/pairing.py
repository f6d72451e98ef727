"""Chat logs, one message a row: which message belongs to which interaction.

Within a session, in the order of the file, a user's message opens an interaction and the next assistant
message answers it. A user's message that is followed by another stays unanswered; an assistant message that
follows no open question (a greeting, a second answer) is an interaction without input.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from feedback_lab.ingest.assembly import Part
from feedback_lab.ingest.meaning.own_fields import Own, Rejections, each
from feedback_lab.ingest.meaning.text_columns import Flags, is_given, nulled
from feedback_lab.ingest.meaning.values import OTHER, USER, Unreadable, role_of


@dataclass(slots=True)
class Place:
    """The interaction that a message belongs to; `answers` says that it completes an earlier question."""

    interaction_id: str
    turn: int
    user_hash: str | None
    answers: bool = False


class Pairing:
    """The open questions of all sessions of one file. Feed it every message once, in order."""

    def __init__(self) -> None:
        self._last: dict[str | None, tuple[Place, bool]] = {}

    def place(self, session_id: str | None, role: str, interaction_id: str, user_hash: str | None) -> Place:
        """Where the message goes; `interaction_id` is used where it opens an interaction of its own."""
        last, is_open = self._last.get(session_id, (None, False))
        if role != USER and last is not None and is_open:
            self._last[session_id] = (last, False)
            return Place(last.interaction_id, last.turn, last.user_hash, answers=True)
        turn = last.turn + 1 if last else 1
        opened = Place(interaction_id, turn, user_hash or (last.user_hash if last and role != USER else None))
        self._last[session_id] = (opened, role == USER)
        return opened

    def pair(self, part: Part, own: Own, roles: Sequence[str | None], content: Any, fine: Flags) -> None:
        """Give the messages of a batch their interactions; each fills only the side that it speaks for."""
        ids, sessions = part.interaction_id.to_pylist(), own.session_id.to_pylist()
        users, turns = own.user_hash.to_pylist(), own.turn.to_pylist()
        answers = np.zeros(len(ids), np.bool_)
        for row in np.flatnonzero(fine).tolist():
            place = self.place(sessions[row], roles[row] or "", ids[row], users[row])
            ids[row], users[row], answers[row] = place.interaction_id, place.user_hash, place.answers
            if place.answers or turns[row] is None:
                turns[row] = place.turn if sessions[row] else None
        asks = np.array([role == USER for role in roles], np.bool_)
        part.interaction_id = pa.array(ids, pa.string())
        part.user_hash = pa.array(users, pa.string())
        part.turn = pa.array(turns, pa.int32())
        part.created_at = nulled(own.created_at, answers)
        part.input, part.output = nulled(content, ~asks), nulled(content, asks)
        wrapped = pc.binary_join_element_wise('{"answer": ', part.metadata, "}", "")
        part.metadata = pc.if_else(pa.array(answers), wrapped, part.metadata)


def roles_of(fields: Mapping[str, Any], rows: int, reject: Rejections) -> list[str | None]:
    """Who speaks in each message; rows of nobody who asks or answers are rejected."""
    column = fields.get("role", pa.nulls(rows, pa.string()))
    missing = Unreadable("bad_role", "the message has no role")
    reject.add("role", dict.fromkeys(np.flatnonzero(~is_given(column)).tolist(), missing))
    roles, problems = each(column, role_of, pa.string())
    reject.add("role", problems)
    found: list[str | None] = roles.to_pylist()
    other = Unreadable("role_not_stored", "system and tool messages are neither question nor answer")
    reject.add("role", {row: other for row, role in enumerate(found) if role == OTHER})
    return found
