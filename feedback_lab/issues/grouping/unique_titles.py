"""One title out of many candidates: one that fits, and that no other issue has."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet

Words = frozenset[str]

LONGEST_TITLE = 60


def unique_title(candidates: Iterable[str], taken: AbstractSet[Words]) -> str:
    """The first candidate that fits and whose words (`words_of`) are not taken, else a numbered one.

    Where another title says all of it and more, the first candidate that adds something to it.
    """
    fallback, contained = "", ""
    for candidate in candidates:
        title = _sentence_case(candidate)
        fallback = fallback or title[: LONGEST_TITLE - 5].rstrip()
        if len(title) > LONGEST_TITLE or words_of(title) in taken:
            continue
        if not title.startswith(contained):
            break
        if not any(words_of(title) < other for other in taken):
            return title
        contained = contained or title
    if contained:
        return contained
    fallback = fallback or "Other comments"
    number = 2
    while words_of(title := f"{fallback} ({number})") in taken:
        number += 1
    return title if words_of(fallback) in taken else fallback


def words_of(title: str) -> Words:
    """What makes two titles the same: "Flight delayed" and "Delayed flight" are."""
    return frozenset(title.casefold().split())


def _sentence_case(text: str) -> str:
    is_name = any(letter.isupper() for letter in text.split(" ")[0])  # "iPad"
    return text if is_name else text[:1].upper() + text[1:]
