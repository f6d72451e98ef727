"""The words that find an issue again: chosen together, so that comments that have one of them are the issue's.

A set of single words and pairs of neighbours is judged by the F1 of "has one of them" against "is in the issue": what
is taken beside a word finds what that word misses, and hardly anything else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

FINDERS = 3
TRIED = 80
SETS_KEPT = 40  # of each size, to be made larger


def finders(candidates: Sequence[str], inside: AbstractSet[int], rows_of: Mapping[str, AbstractSet[int]]) -> list[str]:
    """Three of `candidates` (the first 80 are tried) that together find the rows `inside` best, in their order.

    `rows_of` holds the rows of all issues that have a term. Earlier candidates win where sets are equal. A beam search:
    every pair is tried, and every third term beside the best pairs.
    """
    tried = list(candidates[:TRIED])
    if len(tried) <= FINDERS:
        return tried
    everywhere = _presence([rows_of[term] for term in tried])
    own = _presence([rows_of[term] & inside for term in tried])
    sets = sp.identity(len(tried), np.float32, "csr")
    for _ in range(FINDERS - 1):
        gains = 2 * _found(own, sets) / (_found(everywhere, sets) + len(inside))
        gains[sets.nonzero()] = 0
        best = (-gains).argsort(axis=None, kind="stable")[:SETS_KEPT]
        old, added = np.unravel_index(best, gains.shape)
        sets = (sets[old] + sp.identity(len(tried), np.float32, "csr")[added]).tocsr()
    return [tried[i] for i in sorted(sets[0].indices)]


def _presence(rows: Sequence[AbstractSet[int]]) -> sp.csr_matrix:
    """One row for each of `rows`, 1 in the columns that stand for its members."""
    members = np.concatenate([np.fromiter(some, np.int64, len(some)) for some in rows])
    known, columns = np.unique(members, return_inverse=True)
    ends = np.cumsum([0, *map(len, rows)])
    return sp.csr_matrix((np.ones(len(members), np.float32), columns, ends), shape=(len(rows), len(known)))


def _found(terms: sp.csr_matrix, sets: sp.csr_matrix) -> npt.NDArray[np.float32]:
    """How many comments have a term of a set or one more term: a row for each of `sets`, a column for that term."""
    united = (sets @ terms).sign()
    counts = [np.asarray(matrix.sum(1), np.float32).ravel() for matrix in (united, terms)]
    return np.asarray(counts[0][:, None] + counts[1] - (united @ terms.T).toarray(), np.float32)


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
