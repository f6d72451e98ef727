"""The words that find an issue again: chosen together, so that comments that have one of them are the issue's.

Single words and pairs of neighbours, taken greedily by the F1 of "has one of the chosen" against "is in the issue":
what is taken next must find what the others miss, and hardly anything else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet

FINDERS = 3
TRIED = 40
WORTH_ADDING = 0.005  # F1


def finders(candidates: Sequence[str], inside: AbstractSet[int], rows_of: Mapping[str, AbstractSet[int]]) -> list[str]:
    """At most three of `candidates` (the first 40 are tried) that together find the rows `inside` best.

    `rows_of` holds the rows of all issues that have a term. The first candidate wins where two are equal.
    """
    chosen: list[str] = []
    found: set[int] = set()
    best = 0.0
    while len(chosen) < FINDERS:
        gains = {term: f1(found | rows_of[term], inside) for term in candidates[:TRIED] if term not in chosen}
        term = max(gains, key=lambda one: gains[one], default=None)
        if term is None or gains[term] < best + WORTH_ADDING:
            break
        chosen.append(term)
        found |= rows_of[term]
        best = gains[term]
    return chosen


def f1(found: AbstractSet[int], wanted: AbstractSet[int]) -> float:
    """Harmonic mean of precision and recall, 0 to 1."""
    return 2 * len(found & wanted) / max(1, len(found) + len(wanted))


def without_repeats(terms: Iterable[str], most: int) -> list[str]:
    """The first `most` of `terms`, without words that stand in a pair before, and pairs of words that do."""
    kept: list[str] = []
    seen: set[str] = set()
    for term in terms:
        parts = set(term.split(" "))
        if not parts <= seen:
            kept.append(term)
            seen |= parts
    return kept[:most]
