"""New, duplicate or rejected: the decision for rows whose ids are known already. Pure, in the order of the file.

A row is new when it adds a record or fills an empty field of a known interaction, duplicate when all that it
says is stored, rejected when an id is stored with other content; a rejected row leaves no trace.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from feedback_lab.ingest.reading.batches import Problem

# What an interaction says; its id, arrival and batch are no content. The unmapped rest never conflicts.
CONTENT = (
    "session_id",
    "turn",
    "created_at",
    "input",
    "output",
    "model",
    "prompt_version",
    "knowledge_version",
    "user_hash",
    "tags",
    "metadata",
)
SAID = (
    "interaction_id",
    "kind",
    "value",
    "scale_min",
    "scale_max",
    "polarity",
    "comment",
    "suggested_answer",
    "created_at",
    "rater_hash",
)
METADATA = CONTENT.index("metadata")
REMEDY = "give the row an id of its own, or undo the import that brought the stored one"


class Voice(NamedTuple):
    """One feedback of a row: its number among all, its id, what it says."""

    number: int
    feedback_id: str
    said: tuple[Any, ...]


class Candidate(NamedTuple):
    """One mapped row: its place, its interaction's id and content, and its feedback."""

    place: int
    soft: str
    undated: bool
    interaction_id: str
    content: tuple[Any, ...]
    voices: Sequence[Voice] = ()


@dataclass(slots=True)
class Known:
    """An interaction as it stands: `stored` in the database or only seen in this chunk; `own`: of this batch."""

    content: list[Any]
    stored: bool
    own: bool
    place: int = -1
    changed: frozenset[int] = frozenset()


@dataclass(slots=True)
class Judgement:
    """What to do with a chunk's candidates. `rejected` is asked by place, `feedback` are numbers to insert."""

    rejected: dict[int, Problem] = field(default_factory=dict)
    new: int = 0
    duplicate: int = 0
    undated: int = 0
    interactions: dict[str, Known] = field(default_factory=dict)
    feedback: list[int] = field(default_factory=list)


def judge(candidates: Iterable[Candidate], known: dict[str, Known], said: dict[str, tuple[Any, ...]]) -> Judgement:
    """Judge rows in order against what is known; `known` and `said` are carried on and belong to the judge."""
    result = Judgement(interactions=known)
    for row in candidates:
        before = known.get(row.interaction_id)
        problem = _conflict(row, before, said)
        if problem is not None:
            result.rejected[row.place] = problem
            continue
        adds = False
        if before is None:
            known[row.interaction_id] = Known(list(row.content), stored=False, own=True, place=row.place)
            adds = True
        elif _fill(before, row.content):
            adds = True
        for voice in row.voices:
            if voice.feedback_id not in said:
                said[voice.feedback_id] = voice.said
                result.feedback.append(voice.number)
                adds = True
        result.new += adds
        result.duplicate += not adds
        result.undated += adds and row.undated
    return result


def _conflict(row: Candidate, before: Known | None, said: dict[str, tuple[Any, ...]]) -> Problem | None:
    for voice in row.voices:
        stored = said.get(voice.feedback_id, voice.said)
        if stored != voice.said:
            name = next(name for name, old, new in zip(SAID, stored, voice.said, strict=True) if old != new)
            message = f"feedback {voice.feedback_id} is stored with another {name}: {REMEDY}"
            return Problem(None, "id_conflict", message)
    if before is None:
        return None
    soft = row.soft.split()
    for name, old, new in zip(CONTENT[:METADATA], before.content, row.content, strict=False):
        if new is not None and old is not None and new != old and name not in soft:
            message = f"interaction {row.interaction_id} is stored with another {name}: {REMEDY}"
            return Problem(None, "id_conflict", message)
    return None


def _fill(known: Known, content: tuple[Any, ...]) -> bool:
    """Take over what is empty so far. True where that adds more than an unmapped column."""
    adds = False
    for place, new in enumerate(content):
        if new is None:
            continue
        if known.content[place] is None:
            known.content[place] = new
            known.changed |= {place}
            adds = adds or place != METADATA or not known.own
        elif place == METADATA and known.own and new != known.content[place]:
            known.content[place] = _merged(known.content[place], new)
            known.changed |= {place}
    return adds


def _merged(first: str, second: str) -> str:
    return json.dumps({**json.loads(second), **json.loads(first)}, ensure_ascii=False, sort_keys=True)
