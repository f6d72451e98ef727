"""What a column holds, judged from a sample of its cells: times, thumbs, ratings with their scale, roles, long text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from feedback_lab.ingest.values import POLARITIES, ROLE_OF_WORD, Unreadable, number_of, thumb_of, time_of, word_of

ENOUGH = 0.9  # share of the non-empty cells that must fit


@dataclass(frozen=True, slots=True)
class Profile:
    """The content of one column: what at least nine in ten of its non-empty cells are.

    `thumbs` are thumbs in words, signs, or 1 and -1; `zero_one` is a column of 0 and 1; `scale` the lowest and
    highest rating where the numbers leave one choice.
    """

    filled: int
    times: bool = False
    thumbs: bool = False
    zero_one: bool = False
    numbers: bool = False
    scale: tuple[float, float] | None = None
    polarities: bool = False
    roles: bool = False
    kinds: bool = False
    mean_length: float = 0.0


def profile_of(cells: Sequence[str], name: str = "") -> Profile:
    """Look at the cells of a column; `name` helps where numbers alone leave two scales (nps, stars)."""
    filled = [cell.strip() for cell in cells if cell.strip()]
    if not filled:
        return Profile(0)
    numbers = [number for number in map(_number, filled) if number is not None]
    enough = len(numbers) >= ENOUGH * len(filled)
    distinct = set(numbers) if enough else set()
    words = [word_of(cell) for cell in filled]
    return Profile(
        len(filled),
        times=_share(filled, _is_time),
        thumbs=_share(filled, lambda cell: thumb_of(cell) is not None),
        zero_one=distinct == {0.0, 1.0},
        numbers=enough,
        scale=_scale(distinct, name) if enough else None,
        polarities=_share(words, lambda word: word in POLARITIES),
        roles=_share(words, lambda word: word in ROLE_OF_WORD) and len(set(words)) > 1,
        mean_length=sum(map(len, filled)) / len(filled),
    )


def _scale(numbers: set[float], name: str) -> tuple[float, float] | None:
    """1..5 for whole or half stars, 0..10 where a zero and something above 5 occur; None where two would fit."""
    low, high = min(numbers), max(numbers)
    if "nps" in name and low >= 0 and high <= 10:
        return 0.0, 10.0
    if low >= 1 and high <= 5 and numbers & {2.0, 3.0, 4.0, 5.0}:
        return 1.0, 5.0
    if low == 0 and 5 < high <= 10:
        return 0.0, 10.0
    return None


def _share(items: Sequence[str], holds: object) -> bool:
    assert callable(holds)
    return sum(map(bool, map(holds, items))) >= ENOUGH * len(items)


def _number(text: str) -> float | None:
    try:
        return number_of(text)
    except Unreadable:
        return None


def _is_time(text: str) -> bool:
    try:
        time_of(text, day_first=True)
    except Unreadable:
        return False
    # Digits alone may as well be ids: only what looks like seconds of this century counts.
    digits = text.partition(".")[0]
    return not text.replace(".", "").isdigit() or (digits[:1] in ("1", "2") and len(digits) in (8, 10, 13, 16, 19))
