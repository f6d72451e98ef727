"""What a column holds, judged from a sample of its cells: times, thumbs, ratings with their scale, roles, long text."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from feedback_lab.ingest.meaning.numbers import Scale, WordScale, rating_of, word_scale_of
from feedback_lab.ingest.meaning.times import time_of
from feedback_lab.ingest.meaning.unreadable import Unreadable
from feedback_lab.ingest.meaning.values import POLARITIES, ROLE_OF_WORD, thumb_of, word_of

ENOUGH = 0.9  # share of the non-empty cells that must fit
RATING_NAME = re.compile("star|rating|nps|csat")
NOTHING = frozenset("none null nan n/a na nil undefined -".split())  # how programs and people write an empty cell
MOST_WORDS = 12  # different cells; a column with more holds no scale of words


@dataclass(frozen=True, slots=True)
class Profile:
    """The content of one column: what at least nine in ten of its non-empty cells are.

    `thumbs` are thumbs in words, signs, or 1 and -1; `zero_one` is a column of 0 and 1; `scale` the lowest and
    highest rating where the cells leave one choice; `words` what a column of words like Good and Poor could mean,
    which only a human may confirm; `objects` are blocks of JSON; `opinions` are
    thumbs, ratings or polarities once cells like None and N/A are left out.
    """

    filled: int
    times: bool = False
    thumbs: bool = False
    zero_one: bool = False
    numbers: bool = False
    scale: Scale | None = None
    polarities: bool = False
    roles: bool = False
    mean_length: float = 0.0
    words: WordScale | None = None
    objects: bool = False
    opinions: bool = False


def named_for_ratings(name: str) -> bool:
    """Whether the name of a column or score says that it is rated: stars, rating, NPS, CSAT."""
    return RATING_NAME.search(name.lower()) is not None


def is_rating(cell: str) -> bool:
    """Whether the cell is a number, or names one with its scale."""
    return _rating(cell) is not None


def profile_of(cells: Sequence[str], name: str = "") -> Profile:
    """Look at the cells of a column; `name` helps where numbers alone leave two scales (nps, stars)."""
    filled = [cell.strip() for cell in cells if cell.strip()]
    if not filled:
        return Profile(0)
    ratings = [rating for rating in map(_rating, filled) if rating is not None]
    enough = len(ratings) >= ENOUGH * len(filled)
    distinct = {value for value, _ in ratings} if enough else set()
    bare = enough and all(scale is None for _, scale in ratings)
    words = [word_of(cell) for cell in filled]
    different = set(filled)
    return Profile(
        len(filled),
        times=_share(filled, _is_time),
        thumbs=_share(filled, lambda cell: thumb_of(cell) is not None),
        zero_one=bare and distinct == {0.0, 1.0},
        numbers=enough,
        scale=_scale(distinct, {scale for _, scale in ratings}, name) if enough else None,
        polarities=_share(words, lambda word: word in POLARITIES),
        roles=_share(words, lambda word: word in ROLE_OF_WORD) and len(set(words)) > 1,
        mean_length=sum(map(len, filled)) / len(filled),
        objects=_share(filled, lambda cell: (cell[0], cell[-1]) == ("{", "}")),
        opinions=_are_opinions(filled),
        words=word_scale_of(different) if len(different) <= MOST_WORDS and not enough else None,
    )


def _scale(numbers: set[float], named: set[Scale | None], name: str) -> Scale | None:
    """The scale that the cells name, else the one that only their numbers fit; None where two would fit.

    1 to 5 for whole or half stars; 0 to 10 where a zero and something above 5 occur; 0 to 100 where a zero and
    something above 50 do; 0 to 1 for fractions; -1 to 1 for -1, 0 and 1.
    """
    low, high = min(numbers), max(numbers)
    if named != {None}:
        scale = named.pop() if len(named) == 1 else None
        return scale if scale is not None and scale[0] <= low and high <= scale[1] else None
    if "nps" in name and low >= 0 and high <= 10:
        return 0.0, 10.0
    if low >= 1 and high <= 5 and numbers & {2.0, 3.0, 4.0, 5.0}:
        return 1.0, 5.0
    if numbers == {-1.0, 0.0, 1.0}:
        return -1.0, 1.0
    if low == 0 and 5 < high <= 10:
        return 0.0, 10.0
    if low == 0 and 50 < high <= 100:
        return 0.0, 100.0
    if low >= 0 and high <= 1 and any(0 < number < 1 for number in numbers):
        return 0.0, 1.0
    return None


def _are_opinions(filled: Sequence[str]) -> bool:
    said = [cell for cell in filled if word_of(cell) not in NOTHING]
    return bool(said) and _share(
        said, lambda cell: thumb_of(cell) is not None or is_rating(cell) or word_of(cell) in POLARITIES
    )


def _share(items: Sequence[str], holds: Callable[[str], bool]) -> bool:
    return sum(map(holds, items)) >= ENOUGH * len(items)


def _rating(text: str) -> tuple[float, Scale | None] | None:
    try:
        return rating_of(text)
    except Unreadable:
        return None


def _is_time(text: str) -> bool:
    try:
        time_of(text, day_first=True)
    except Unreadable:
        return False
    # Digits alone may as well be ids: only what looks like seconds of this century counts.
    digits, _, fraction = text.partition(".")
    return not (digits + fraction).isdigit() or (digits[:1] in ("1", "2") and len(digits) in (8, 10, 13, 14, 16, 19))
