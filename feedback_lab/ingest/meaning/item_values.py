"""What an item means: the same meanings as a row of a file, or a reason why not.

`interaction_of` and `feedback_of` check an item, hash its user and answer the record to store, or raise `Refused` with
the field, a stable code and a sentence.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from feedback_lab.ingest.items import FeedbackItem, InteractionItem, Refused
from feedback_lab.ingest.meaning.opinion import Opinion, opinion_of
from feedback_lab.ingest.meaning.values import POPULATIONS, Unreadable, time_of
from feedback_lab.ingest.reading.batches import MAX_CELL, UNSTORABLE, storable
from feedback_lab.records import Feedback, Interaction, Population, new_id

MAX_ID = 500  # characters of an id
MAX_NAME = 500  # characters of a model, a version, a user, a source, a tag
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
MAX_TAGS = 50
MAX_METADATA = 100_000  # characters as JSON
MAX_TURN = 2**31 - 1
# The words of `opinion` speak of columns and options; a sender has fields.
WORDS = {
    "no_scale": 'a number other than 1 and -1 is a rating: send its scale with it, like "scale": [1, 5]',
    "no_value": 'a thumb or rating needs its value: 1 or -1, or a number with "scale"',
    "bad_polarity": "polarity is positive, neutral or negative",
    "bad_value": 'value is a thumb (1, -1, true, false, "up", "down", "👍"), or a number with "scale"',
    "ambiguous_time": "this time can be read in several ways: write it like 2026-11-21T09:30:00Z",
    "bad_kind": "kind is thumb, rating, correction, comment, edit, or the name of an implicit signal",
}


@lru_cache(100_000)
def user_hash(key: str, user: str) -> str:
    """The name under which a user is stored: keyed, so that it cannot be guessed from a list of users."""
    return hmac.digest(key.encode(), user.encode(), "sha256").hex()[:32]


def interaction_of(item: InteractionItem, key: str, received_at: datetime) -> Interaction:
    """The interaction to store. Raises Refused."""
    user = _name("user", item.user)
    turn = item.turn
    if turn is not None and (type(turn) is not int or not 0 <= turn <= MAX_TURN):
        raise Refused("turn", "bad_turn", "a turn is a whole number from 0")
    return Interaction(
        _id("interaction_id", item.interaction_id) or new_id(),
        received_at,
        _id("session_id", item.session_id),
        turn,
        moment_of(item.created_at),
        text_in("input", item.input),
        text_in("output", item.output),
        _name("model", item.model),
        _name("prompt_version", item.prompt_version),
        _name("knowledge_version", item.knowledge_version),
        user_hash(key, user) if user else None,
        _tags(item.tags),
        _metadata(item.metadata),
    )


def feedback_of(item: FeedbackItem, key: str, received_at: datetime) -> Feedback:
    """The feedback to store. Raises Refused."""
    interaction_id = _id("interaction_id", item.interaction_id)
    if interaction_id is None:
        raise Refused("interaction_id", "no_interaction", "feedback names the interaction that it is about")
    if not isinstance(item.population, str) or item.population not in POPULATIONS:
        raise Refused("population", "bad_population", "population is user, reviewer, test or judge")
    comment, suggested_answer = text_in("comment", item.comment), text_in("suggested_answer", item.suggested_answer)
    opinion = opinion_in(item.kind, item.value, item.scale, item.polarity, comment, suggested_answer)
    lo, hi = opinion.scale or (None, None)
    user = _name("user", item.user)
    return Feedback(
        _id("feedback_id", item.feedback_id) or new_id(),
        interaction_id,
        opinion.kind,
        received_at,
        opinion.value,
        lo,
        hi,
        opinion.polarity,
        comment,
        suggested_answer,
        moment_of(item.created_at),
        user_hash(key, user) if user else None,
        Population(item.population),
        _name("source", item.source) or "api",
        _metadata(item.metadata),
    )


def opinion_in(
    kind: object, value: object, scale: object, polarity: object, comment: str | None, suggested_answer: str | None
) -> Opinion:
    """What these fields say about the answer. Raises Refused, also where they say nothing."""
    given = {"comment": comment, "suggested_answer": suggested_answer, "value": _value(value)}
    given |= {"kind": _name("kind", kind), "polarity": _name("polarity", polarity)}
    said = {name: text for name, text in given.items() if text is not None}
    try:
        opinion = opinion_of(said, {}, scale_of(scale), numbers_are_thumbs=True)
    except Unreadable as error:
        place = {"bad_kind": "kind", "bad_polarity": "polarity"}.get(error.code, "value")
        raise Refused(place, error.code, WORDS.get(error.code, str(error))) from None
    if opinion is None:
        raise Refused(None, "empty", "feedback holds a value, a comment, a suggested answer or a polarity")
    return opinion


def text_in(name: str, value: object, most: int = MAX_CELL) -> str | None:
    """A text of at most `most` characters, without what no file can hold; None where it is empty. Raises Refused."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise Refused(name, "bad_type", f"{name} is text")
    if len(value) > most:
        code = "cell_too_large" if most == MAX_CELL else "too_long"
        raise Refused(name, code, f"{name} has {len(value):,} characters, at most {most:,} are taken")
    if not value or value.isspace():
        return None
    return value if value.isascii() and "\0" not in value else UNSTORABLE.sub("\ufffd", value)


def _name(name: str, value: object) -> str | None:
    text = text_in(name, value, MAX_NAME)
    return text.strip() if text else None


def _id(name: str, value: object) -> str | None:
    if isinstance(value, str) and len(value) > MAX_ID:
        raise Refused(name, "bad_id", f"an id has at most {MAX_ID} characters")
    if isinstance(value, str) and CONTROL.search(value):
        raise Refused(name, "bad_id", "an id is one line of text")
    text = text_in(name, value)
    return text.strip() if text else None


def moment_of(value: object) -> datetime | None:
    """The moment in UTC, without a zone, of what a sender gives as created_at; None for nothing. Raises Refused."""
    if value is None:
        return None
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise Refused("created_at", "bad_type", "created_at is a time like 2026-11-21T09:30:00Z, or Unix seconds")
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # nanoseconds, which would be written with an exponent
    text = value if isinstance(value, str) else repr(value)
    if not text.strip():
        return None
    try:
        return time_of(text[:100])
    except Unreadable as error:
        raise Refused("created_at", error.code, WORDS.get(error.code, str(error))) from None


def _value(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"{value:.17g}" if isinstance(value, float) else str(value)[:100]
    return _name("value", value)


def scale_of(scale: object) -> tuple[float, float] | None:
    """The lowest and highest rating of a scale that is sent as a pair; None for nothing. Raises Refused."""
    if scale is None:
        return None
    ends = scale if isinstance(scale, list | tuple) and len(scale) == 2 else ()
    numbers = [end for end in ends if isinstance(end, int | float) and not isinstance(end, bool)]
    if len(numbers) != 2 or not -1e15 < numbers[0] < numbers[1] < 1e15:
        raise Refused("scale", "bad_scale", "a scale is its lowest and highest number, like [1, 5]")
    return float(numbers[0]), float(numbers[1])


def _tags(tags: object) -> dict[str, str]:
    if tags is None:
        return {}
    if not isinstance(tags, Mapping) or len(tags) > MAX_TAGS:
        raise Refused("tags", "bad_tags", f"tags are at most {MAX_TAGS} names with a short text each")
    found = ((_name("tags", name), _name("tags", text)) for name, text in tags.items())
    return {name: text for name, text in found if name and text}


def _metadata(metadata: object) -> dict[str, Any]:
    if metadata is None:
        return {}
    if not isinstance(metadata, Mapping):
        raise Refused("metadata", "bad_type", "metadata is an object")
    try:
        text = json.dumps(metadata, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        raise Refused("metadata", "bad_metadata", "metadata holds something that is no JSON") from None
    if len(text) > MAX_METADATA:
        raise Refused("metadata", "too_long", f"metadata has {len(text):,} characters, at most {MAX_METADATA:,}")
    found: dict[str, Any] = dict(metadata)
    return found if text.isascii() and "\\u0000" not in text else storable(found)
