"""What a cell means: times, numbers, thumbs, kinds, polarities and roles, each from the words people use for them.

Every function takes one text and answers one value; what it cannot read raises `Unreadable` with a stable code
and a sentence, and never becomes a silent default.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, tzinfo
from email.utils import parsedate_to_datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from feedback_lab.errors import InputError
from feedback_lab.records import Kind, Polarity


class Unreadable(ValueError):
    """A text that does not mean what its field needs: a stable code, and a sentence for the person."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


MAX_WORD = 64  # characters; what is longer is a text, not a value

UP = frozenset(
    "1 +1 1.0 true yes y up thumbs_up thumb_up thumbsup thumbup upvote upvoted like liked positive helpful 👍".split()
)
DOWN = frozenset(
    "-1 -1.0 false no n down thumbs_down thumb_down thumbsdown thumbdown downvote downvoted dislike disliked "
    "negative unhelpful not_helpful 👎".split()
)
KINDS = {
    Kind.THUMB: ("thumb", "thumbs", "vote", "reaction"),
    Kind.RATING: ("rating", "stars", "star", "score", "nps", "csat"),
    Kind.CORRECTION: ("correction", "corrected"),
    Kind.COMMENT: ("comment", "text", "review", "message"),
    Kind.EDIT: ("edit", "edited"),
}
KIND_OF_WORD = {word: kind for kind, words in KINDS.items() for word in words}
POLARITIES = {
    "positive": Polarity.POSITIVE,
    "pos": Polarity.POSITIVE,
    "neutral": Polarity.NEUTRAL,
    "negative": Polarity.NEGATIVE,
    "neg": Polarity.NEGATIVE,
}
USER, ASSISTANT, OTHER = "user", "assistant", "other"
ROLES = {
    USER: ("user", "human", "customer", "prompter", "client", "question"),
    ASSISTANT: ("assistant", "ai", "bot", "chatbot", "model", "llm", "agent", "gpt", "chatgpt", "answer"),
    OTHER: ("system", "developer", "tool", "function"),
}
ROLE_OF_WORD = {word: role for role, words in ROLES.items() for word in words}

SKIN_AND_STYLE = re.compile("[\U0001f3fb-\U0001f3ff\ufe0f]")
SIGNAL_NAME = re.compile(r"[a-z][a-z0-9_.:-]{0,63}")
EPOCH = re.compile(r"(?:\d{9,10}|\d{12,13}|\d{15,16}|\d{18,19})(?:\.\d+)?")
NUMERIC_DATE = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4})(?:[ ,T]+(.+))?")
ZONE = re.compile(r"\s+(?:UTC|GMT|Z)$|\s+(?=[+-]\d\d:?\d\d$)")


def word_of(text: str) -> str:
    """The text as one lower-case word: 'Thumbs Up' -> 'thumbs_up', '👍🏽' -> '👍'."""
    return re.sub(r"[\s_]+", "_", SKIN_AND_STYLE.sub("", text).strip().lower())


def thumb_of(text: str) -> float | None:
    """1.0 for a thumb up in any of its words, -1.0 for a thumb down, None for anything else."""
    return _thumb(text) if len(text) <= MAX_WORD else None


@lru_cache(4096)
def _thumb(text: str) -> float | None:
    word = word_of(text)
    return 1.0 if word in UP else -1.0 if word in DOWN else None


@lru_cache(4096)
def number_of(text: str) -> float:
    """A finite number, or stars counted ('★★★☆☆' -> 3)."""
    word = SKIN_AND_STYLE.sub("", text.strip())
    if 0 < len(word) <= MAX_WORD and not word.strip("★☆⭐"):
        return float(len(word) - word.count("☆"))
    try:
        value = float(word) if "_" not in word and len(word) <= MAX_WORD else math.nan
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise Unreadable("bad_value", f"{_short(text)} is neither a number nor a thumb: map it with --value")
    return value


@lru_cache(4096)
def kind_of(text: str) -> tuple[str, float | None]:
    """The kind and, where the word says it, the thumb's value: 'thumbs_down' -> ('thumb', -1.0)."""
    value = thumb_of(text)
    if value is not None:
        return Kind.THUMB, value
    word = word_of(text)
    if word in KIND_OF_WORD:
        return KIND_OF_WORD[word], None
    if SIGNAL_NAME.fullmatch(word):
        return word, None
    raise Unreadable("bad_kind", f"{_short(text)} is no kind of feedback: thumb, rating, correction, comment, edit")


@lru_cache(4096)
def polarity_of(text: str) -> Polarity:
    """positive, neutral or negative, in any case."""
    polarity = POLARITIES.get(word_of(text))
    if polarity is None:
        message = f"{_short(text)} is not positive, neutral or negative: map it with --value polarity:RAW=negative"
        raise Unreadable("bad_polarity", message)
    return polarity


@lru_cache(4096)
def role_of(text: str) -> str:
    """USER, ASSISTANT or OTHER (system and tool messages)."""
    role = ROLE_OF_WORD.get(word_of(text))
    if role is None:
        message = f"{_short(text)} is no known role: map it with --value role:RAW=user or role:RAW=assistant"
        raise Unreadable("bad_role", message)
    return role


def turn_of(text: str) -> int:
    """A whole number from 0."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < 2**31 or value != int(value):
        raise Unreadable("bad_turn", f"{_short(text)} is not a turn: turns are whole numbers from 0")
    return int(value)


def zone_of(name: str | None) -> tzinfo:
    """The time zone of an IANA name, UTC for None. Raises InputError for a name that does not exist."""
    if not name:
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise InputError(f"There is no time zone {name!r}: write it like Europe/Berlin or UTC.") from None


def day_comes_first(texts: Iterable[str]) -> bool | None:
    """Whether dates like 13/02/2023 in these texts start with the day; None where they do not tell, or disagree."""
    told: set[bool] = set()
    for text in texts:
        found = NUMERIC_DATE.fullmatch(text.strip())
        if found:
            first, second = int(found[1]), int(found[3])
            if (first > 12) != (second > 12):
                told.add(first > 12)
    return told.pop() if len(told) == 1 else None


def time_of(text: str, zone: tzinfo = UTC, day_first: bool | None = None) -> datetime:
    """The moment in UTC, without a zone. A time that names no zone is in `zone`.

    Reads ISO 8601 (also with a space, a `Z`, an offset), Unix seconds to nanoseconds, e-mail dates, and dates
    like 18/05/2023, whose order must be clear: a day above 12, dots (day first), or `day_first`.
    """
    text = text.strip()
    try:
        moment = _epoch(text) if EPOCH.fullmatch(text) else _calendar(text, day_first)
        if moment.tzinfo is None:
            if zone is UTC:
                return moment
            moment = moment.replace(tzinfo=zone)
        return moment.astimezone(UTC).replace(tzinfo=None)
    except (OverflowError, OSError):
        raise _no_time(text) from None


def _epoch(text: str) -> datetime:
    whole, _, fraction = text.partition(".")
    digits = len(whole)
    unit = 1 if digits <= 10 else 1_000 if digits <= 13 else 1_000_000 if digits <= 16 else 1_000_000_000
    microseconds = int(whole) * 1_000_000 // unit
    if fraction:
        microseconds += int(float(f"0.{fraction}") * 1_000_000 / unit)
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)


def _calendar(text: str, day_first: bool | None) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    if found := NUMERIC_DATE.fullmatch(text):
        return _numeric(found, day_first)
    try:
        plain = ZONE.sub("", text)
        moment = datetime.fromisoformat(plain)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    except ValueError:
        pass
    try:
        return parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        raise _no_time(text) from None


def _numeric(found: re.Match[str], day_first: bool | None) -> datetime:
    first, second = int(found[1]), int(found[3])
    if found[2] == "." or first > 12 or first == second:
        day, month = first, second
    elif second > 12:
        day, month = second, first
    elif day_first is None:
        message = f"{found[0]!r} may be day/month or month/day: write dates like 2023-05-18"
        raise Unreadable("ambiguous_time", message)
    else:
        day, month = (first, second) if day_first else (second, first)
    try:
        return datetime.fromisoformat(f"{found[4]}-{month:02}-{day:02} {_clock(found[5] or '00:00')}")
    except ValueError:
        raise _no_time(found[0]) from None


def _clock(text: str) -> str:
    """The time of day for `fromisoformat`: '9:05 PM' -> '21:05', '10:00 -0800' -> '10:00-0800'."""
    found = re.fullmatch(
        r"(\d{1,2})(:\d\d(?::\d\d(?:\.\d+)?)?)(?:\s*([AaPp])\.?[Mm]\.?)?\s*(Z|UTC|[+-]\d\d:?\d\d)?", text
    )
    if not found:
        raise ValueError(text)
    hour, half = int(found[1]), (found[3] or "").lower()
    if half:
        if not 1 <= hour <= 12:
            raise ValueError(text)
        hour = hour % 12 + (12 if half == "p" else 0)
    zone = "+00:00" if found[4] in ("Z", "UTC") else found[4] or ""
    return f"{hour:02}{found[2]}{zone}"


def _no_time(text: str) -> Unreadable:
    return Unreadable("bad_time", f"{_short(text)} is no time that can be read: write it like 2023-05-18 10:30:00")


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:39] + "…")
