"""What a cell means: times, numbers, thumbs, kinds, polarities and roles, each from the words people use for them.

Every function takes one text and answers one value; what it cannot read raises `Unreadable` with a stable code
and a sentence, and never becomes a silent default.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TypeVar

from feedback_lab.ingest.meaning.numbers import number_of, rating_of, word_scale_of
from feedback_lab.ingest.meaning.times import day_comes_first, time_of, zone_of
from feedback_lab.ingest.meaning.unreadable import MAX_WORD, Unreadable, shown
from feedback_lab.records import Kind, Polarity, Population

__all__ = [
    "ASSISTANT",
    "DOWN",
    "OTHER",
    "POLARITIES",
    "POPULATIONS",
    "ROLE_OF_WORD",
    "SKIN_AND_STYLE",
    "UP",
    "USER",
    "Unreadable",
    "day_comes_first",
    "kind_of",
    "number_of",
    "polarity_of",
    "population_of",
    "rating_of",
    "role_of",
    "thumb_of",
    "time_of",
    "turn_of",
    "word_of",
    "word_scale_of",
    "zone_of",
]

UP_NAMES = frozenset(
    "1 +1 1.0 true yes y up thumbs_up thumb_up thumbsup thumbup upvote upvoted like liked positive helpful 👍".split()
)
DOWN_NAMES = frozenset(
    "-1 -1.0 false no n down thumbs_down thumb_down thumbsdown thumbdown downvote downvoted dislike disliked "
    "negative unhelpful not_helpful 👎".split()
)
# Yes and no, good and bad, in the languages where the word means nothing else. None of them names a kind.
UP = UP_NAMES | frozenset(
    "t good useful correct ✅ ❤ ja gut hilfreich daumen_hoch richtig gefällt_mir oui bon utile sí si bueno útil "
    "correcto sim bom buono goed nuttig tak dobry да хорошо полезно evet iyi はい 良い 役に立った 是 好 有用 赞 讚 네 "
    "예 좋아요 نعم جيد".split()
)
DOWN = DOWN_NAMES | frozenset(
    "f bad useless not_useful incorrect wrong ❌ 💔 nein schlecht nicht_hilfreich daumen_runter falsch "
    "gefällt_mir_nicht non mauvais inutile malo inútil incorrecto não ruim cattivo nee slecht nie нет плохо hayır "
    "kötü いいえ 悪い 役に立たなかった 否 不好 没用 沒用 踩 아니요 아니오 싫어요 لا سيئ".split()
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
    word: polarity
    for polarity, words in {
        Polarity.POSITIVE: "positive pos positiv positif positivo",
        Polarity.NEUTRAL: "neutral neutre neutro",
        Polarity.NEGATIVE: "negative neg negativ négatif negativo",
    }.items()
    for word in words.split()
}
POPULATIONS = {str(population): population for population in Population}
USER, ASSISTANT, OTHER = "user", "assistant", "other"
ROLES = {
    USER: ("user", "human", "customer", "prompter", "client", "question"),
    ASSISTANT: ("assistant", "ai", "bot", "chatbot", "model", "llm", "agent", "gpt", "chatgpt", "answer"),
    OTHER: ("system", "developer", "tool", "function"),
}
ROLE_OF_WORD = {word: role for role, words in ROLES.items() for word in words}

T = TypeVar("T")

SKIN_AND_STYLE = re.compile("[\U0001f3fb-\U0001f3ff\ufe0f]")
SIGNAL_NAME = re.compile(r"[a-z][a-z0-9_.:-]{0,63}")


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
def kind_of(text: str) -> tuple[str, float | None]:
    """The kind and, where the word says it, the thumb's value: 'thumbs_down' -> ('thumb', -1.0)."""
    word = word_of(text) if len(text) <= 2 * MAX_WORD else ""
    if word in UP_NAMES or word in DOWN_NAMES:
        return Kind.THUMB, 1.0 if word in UP_NAMES else -1.0
    if word in KIND_OF_WORD:
        return KIND_OF_WORD[word], None
    if SIGNAL_NAME.fullmatch(word):
        return word, None
    raise Unreadable("bad_kind", f"{shown(text)} is no kind of feedback: thumb, rating, correction, comment, edit")


@lru_cache(4096)
def polarity_of(text: str) -> Polarity:
    """positive, neutral or negative, in any case."""
    what = "is not positive, neutral or negative: map it with --value polarity:RAW=negative"
    return _meaning(text, POLARITIES, "bad_polarity", what)


@lru_cache(4096)
def population_of(text: str) -> Population:
    """Who speaks: user, reviewer, test or judge."""
    what = "is no population: user, reviewer, test or judge; map it with --value population:RAW=user"
    return _meaning(text, POPULATIONS, "bad_population", what)


@lru_cache(4096)
def role_of(text: str) -> str:
    """USER, ASSISTANT or OTHER (system and tool messages)."""
    what = "is no known role: map it with --value role:RAW=user or role:RAW=assistant"
    return _meaning(text, ROLE_OF_WORD, "bad_role", what)


def _meaning(text: str, meanings: Mapping[str, T], code: str, what: str) -> T:
    found = meanings.get(word_of(text))
    if found is None:
        raise Unreadable(code, f"{shown(text)} {what}")
    return found


def turn_of(text: str) -> int:
    """A whole number from 0."""
    try:
        value = float(text) if len(text) <= MAX_WORD else -1.0
    except ValueError:
        value = -1.0
    if not 0 <= value < 2**31 or value != int(value):
        raise Unreadable("bad_turn", f"{shown(text)} is not a turn: turns are whole numbers from 0")
    return int(value)
