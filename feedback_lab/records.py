"""The dictionary of the project: the words that every room speaks, as frozen dataclasses.

Times are UTC without a zone inside (`utc_now`), rates are 0 to 1, durations carry their unit in the
name. Nothing here touches a database, a file or the network.
"""

from __future__ import annotations

import os
import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """How feedback was given. Any other text in the `kind` column is the name of an implicit signal."""

    THUMB = "thumb"
    RATING = "rating"
    CORRECTION = "correction"
    COMMENT = "comment"
    EDIT = "edit"


class Polarity(StrEnum):
    """One opinion: was the answer good?"""

    POSITIVE = "positive"
    NEUTRAL = "neutral"
    NEGATIVE = "negative"


class Population(StrEnum):
    """Who speaks. Only users count in the product's rates; the others are populations of their own."""

    USER = "user"
    REVIEWER = "reviewer"
    TEST = "test"
    JUDGE = "judge"


class TaskStatus(StrEnum):
    """`waiting` (the budget has not promoted it yet) -> `open` -> `claimed` -> `done`."""

    WAITING = "waiting"
    OPEN = "open"
    CLAIMED = "claimed"
    DONE = "done"


class Outcome(StrEnum):
    """What a reviewer may decide. Only `accept` and `edit` write a correction."""

    ACCEPT = "accept"
    EDIT = "edit"
    REJECT = "reject"
    DECLINE = "decline"
    NEEDS_EXPERT = "needs_expert"
    PRODUCT_BUG = "product_bug"
    NOT_THE_AIS_FAULT = "not_the_ais_fault"
    CANNOT_TELL = "cannot_tell"


class CorrectionType(StrEnum):
    """Where a correction goes: a fact to the knowledge file, a behaviour to the instructions file."""

    KNOWLEDGE = "knowledge"
    BEHAVIOR = "behavior"


class EntryStatus(StrEnum):
    ACTIVE = "active"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class Interaction:
    """One request to the model and its answer.

    `created_at` is None where the source gave no time; `received_at` is always set.
    `turn` counts from 1 within `session_id`. `tags` are short named values to segment by.
    """

    interaction_id: str
    received_at: datetime
    session_id: str | None = None
    turn: int | None = None
    created_at: datetime | None = None
    input: str | None = None
    output: str | None = None
    model: str | None = None
    prompt_version: str | None = None
    knowledge_version: str | None = None
    user_hash: str | None = None
    tags: dict[str, str] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    batch_id: str | None = None


@dataclass(frozen=True, slots=True)
class Feedback:
    """One utterance about one interaction.

    `value` is 1 or -1 for a thumb, the number given for a rating (on `scale_min`..`scale_max`).
    `polarity` is derived from these, or given; None for a bare comment or correction.
    """

    feedback_id: str
    interaction_id: str
    kind: str
    received_at: datetime
    value: float | None = None
    scale_min: float | None = None
    scale_max: float | None = None
    polarity: Polarity | None = None
    comment: str | None = None
    suggested_answer: str | None = None
    created_at: datetime | None = None
    rater_hash: str | None = None
    population: Population = Population.USER
    source: str = "import"
    metadata: dict[str, Any] = field(default_factory=dict)
    batch_id: str | None = None


@dataclass(frozen=True, slots=True)
class Marker:
    """A moment that charts show: a release, a batch of published entries."""

    marker_id: str
    at: datetime
    kind: str
    label: str


@dataclass(frozen=True, slots=True)
class Exposure:
    """One moment at which recall would have shown an entry; `shown` says whether the unit's arm let it.

    `unit` is what was randomised (a session or a user hash), so both arms can be compared later.
    """

    exposure_id: str
    unit: str
    entry_id: str
    interaction_id: str
    would_have_shown: bool
    shown: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the knowledge file: a fact, with where it comes from. `version` counts from 1."""

    entry_id: str
    question: str
    answer: str
    status: EntryStatus = EntryStatus.ACTIVE
    version: int = 1
    scope: str = ""
    sources: tuple[str, ...] = ()
    decided_by: str = ""
    decided_at: str = ""


def utc_now() -> datetime:
    """The present moment in UTC, without a zone, to the microsecond."""
    return datetime.now(UTC).replace(tzinfo=None)


def new_id() -> str:
    """A fresh UUIDv7 (RFC 9562, section 5.7): unique, and sortable by the millisecond it was made in."""
    stamp = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10), "big")
    value = (stamp & (1 << 48) - 1) << 80 | 0x7 << 76 | (random >> 68) << 64 | 0b10 << 62 | random & (1 << 62) - 1
    return str(uuid.UUID(int=value))


def polarity_of_rating(value: float, lo: float, hi: float) -> Polarity:
    """The polarity of a rating on the scale `lo`..`hi`: upper 40 % positive, lower 40 % negative.

    Raises ValueError where the scale is empty or the value lies outside it.
    """
    if not lo < hi:
        raise ValueError(f"the scale {lo:g}..{hi:g} is empty")
    share = (value - lo) / (hi - lo)
    if not -1e-9 <= share <= 1 + 1e-9:
        raise ValueError(f"{value:g} is outside the scale {lo:g}..{hi:g}")
    if share >= 0.6 - 1e-9:
        return Polarity.POSITIVE
    return Polarity.NEGATIVE if share <= 0.4 + 1e-9 else Polarity.NEUTRAL
