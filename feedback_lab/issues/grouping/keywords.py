"""The words that find an issue again: chosen together, so that comments that have one of them are the issue's.

Single words and pairs of neighbours, taken greedily by the F1 of "has one of the chosen" against "is in the issue":
what is taken next finds what the others miss, and hardly anything else. Each is then exchanged while that helps.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet

FINDERS = 3
TRIED = 60
ROUNDS = 3


def finders(candidates: Sequence[str], inside: AbstractSet[int], rows_of: Mapping[str, AbstractSet[int]]) -> list[str]:
    """Three of `candidates` (the first 60 are tried) that together find the rows `inside` best.

    `rows_of` holds the rows of all issues that have a term. The first candidate wins where two are equal. Where one
    word says it all, what follows are the pairs that it is commonly in, which find nothing else.
    """
    tried = list(candidates[:TRIED])
    chosen = _greedy(tried, inside, rows_of)
    best = _together(chosen, inside, rows_of)
    for _ in range(ROUNDS):
        before = best
        for place in range(len(chosen)):
            others = chosen[:place] + chosen[place + 1 :]
            term, gain = _best_beside(others, tried, inside, rows_of)
            if gain > best:
                chosen[place], best = term, gain
        if best == before:
            break
    return chosen


def _greedy(tried: list[str], inside: AbstractSet[int], rows_of: Mapping[str, AbstractSet[int]]) -> list[str]:
    chosen: list[str] = []
    found: set[int] = set()
    best = 0.0
    while len(chosen) < FINDERS:
        gains = {term: f1(found | rows_of[term], inside) for term in tried if term not in chosen}
        term = max(gains, key=lambda one: gains[one], default=None)
        if term is None:
            break
        covered = [one for one in chosen if term in one.split(" ")]  # a word finds all that its pairs do
        if covered and gains[term] <= best:
            tried = [one for one in tried if one != term]
            continue
        chosen = [one for one in chosen if one not in covered] + [term]
        tried = [one for one in tried if one not in covered]
        found |= rows_of[term]
        best = gains[term]
    return chosen


def _together(chosen: Sequence[str], inside: AbstractSet[int], rows_of: Mapping[str, AbstractSet[int]]) -> float:
    return f1(set().union(*(rows_of[term] for term in chosen)), inside)


def _best_beside(
    others: Sequence[str], tried: Sequence[str], inside: AbstractSet[int], rows_of: Mapping[str, AbstractSet[int]]
) -> tuple[str, float]:
    """The term that finds most with `others`, and their F1; none of which one is part of the other."""
    found: set[int] = set().union(*(rows_of[term] for term in others))
    shown = {word for term in others for word in term.split(" ")}
    free = [term for term in tried if term not in shown and not set(term.split(" ")) & set(others)]
    gains = {term: f1(found | rows_of[term], inside) for term in free if term not in others}
    term = max(gains, key=lambda one: gains[one], default="")
    return term, gains.get(term, 0.0)


def f1(found: AbstractSet[int], wanted: AbstractSet[int]) -> float:
    """Harmonic mean of precision and recall, 0 to 1."""
    return 2 * len(found & wanted) / max(1, len(found) + len(wanted))


def without_repeats(chosen: Sequence[str], others: Iterable[str], most: int) -> list[str]:
    """`chosen`, and of `others` those with a word that is not shown yet; at most so many together."""
    kept = list(chosen)
    seen = {part for term in kept for part in term.split(" ")}
    for term in others:
        if not set(term.split(" ")) <= seen:
            kept.append(term)
            seen |= {*term.split(" ")}
    return kept[:most]
