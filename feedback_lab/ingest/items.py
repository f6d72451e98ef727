"""What a sender gives one by one, and what becomes of it. An item is untrusted: nothing about it has been checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


@dataclass(frozen=True, slots=True)
class InteractionItem:
    """One request to the model and its answer, as a sender gives it.

    Without `interaction_id` it gets an id of its own (UUIDv7). `created_at` is a moment in UTC (or with a zone),
    its ISO text, or Unix seconds to nanoseconds. `user` is hashed before anything is stored. A known interaction's
    empty fields are filled; another value for a field that is not empty is rejected (`id_conflict`).
    """

    interaction_id: str | None = None
    session_id: str | None = None
    turn: int | None = None
    created_at: datetime | str | float | None = None
    input: str | None = None
    output: str | None = None
    model: str | None = None
    prompt_version: str | None = None
    knowledge_version: str | None = None
    user: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FeedbackItem:
    """One utterance about one interaction, as a sender gives it; an unknown interaction is made, without content.

    `value` is a thumb in any of its words (1, -1, true, "up", "👎") or a number on `scale` (lowest, highest).
    Without `kind` it is told from the rest: a thumb or rating, else a correction, else a comment. `population` is
    user, reviewer, test or judge; `source` names the way it came.
    """

    interaction_id: str
    feedback_id: str | None = None
    kind: str | None = None
    value: str | float | bool | None = None
    scale: tuple[float, float] | None = None
    polarity: str | None = None
    comment: str | None = None
    suggested_answer: str | None = None
    created_at: datetime | str | float | None = None
    user: str | None = None
    population: str = "user"
    source: str = "api"
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FeedbackChange:
    """What the giver of a stored feedback says later: a comment, a suggested answer, another thumb or rating.

    Nothing stored is overwritten: what is new becomes a further feedback of the same rater, with the id
    `<feedback_id>/patch-<n>`, and the latest thumb or rating is the verdict. What is said already changes nothing.
    With `source`, only feedback that came that way can be changed.
    """

    feedback_id: str
    value: str | float | bool | None = None
    scale: tuple[float, float] | None = None
    comment: str | None = None
    suggested_answer: str | None = None
    created_at: datetime | str | float | None = None
    source: str | None = None


Item = InteractionItem | FeedbackItem | FeedbackChange


class Status(StrEnum):
    """What became of an item: every one is exactly one of these."""

    NEW = "new"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of one item. `id` is its record's; `field`, `code` and `reason` say why it was rejected."""

    status: Status
    kind: str
    id: str | None
    field: str | None = None
    code: str | None = None
    reason: str | None = None


class Refused(Exception):
    """An item that cannot be stored: the field where one is to blame, a stable code, a sentence."""

    def __init__(self, field: str | None, code: str, reason: str) -> None:
        super().__init__(reason)
        self.field, self.code, self.reason = field, code, reason
