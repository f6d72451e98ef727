"""Chat logs, one message a row: which message belongs to which interaction.

Within a session, in the order of the file, a user's message opens an interaction and the next assistant
message answers it. A user's message that is followed by another stays unanswered; an assistant message that
follows no open question (a greeting, a second answer) is an interaction without input.
"""

from __future__ import annotations

from dataclasses import dataclass

from feedback_lab.ingest.values import USER


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
