"""Which comments are nearly the same, found without comparing every comment with every other.

Near-copies are comments whose TF-IDF of character 3- to 5-grams has a cosine of at least 0.7. Two such comments must
share one of the rare n-grams that make up the first half of their length (prefix filtering, after Bayardo, Ma and
Srikant 2007), so only comments that share a rare n-gram are compared.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from feedback_lab.issues.grouping.features import Floats

NEARLY_THE_SAME = 0.7
BLOCK = 1_000
PAIRS_AT_A_TIME = 50_000

Pairs = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]


def votes(spelled: sp.csr_matrix) -> Floats:
    """What each text counts: 1 / (how many are nearly the same, itself included), 0 to 1. `spelled`: see `spelling`."""
    n = spelled.shape[0]
    copies = np.ones(n, np.float32)
    for left, right in near_pairs(spelled, NEARLY_THE_SAME):
        copies += np.bincount(left, minlength=n) + np.bincount(right, minlength=n)
    return np.reciprocal(copies)


def near_pairs(rows: sp.csr_matrix, least: float) -> Iterator[Pairs]:
    """Pairs (left < right) of the unit `rows` with a cosine of at least `least`, in chunks."""
    frequency = np.bincount(rows.indices, minlength=rows.shape[1])
    rank = frequency.argsort(kind="stable").argsort()
    ordered = sp.csr_matrix((rows.data.copy(), rank[rows.indices], rows.indptr.copy()), shape=rows.shape)
    ordered.sort_indices()  # the rarest first
    rare = _prefixes(ordered, least)
    columns = rare.T.tocsr()
    for start in range(0, rows.shape[0], BLOCK):
        sharing = sp.triu(rare[start : start + BLOCK] @ columns, k=start + 1).tocoo()
        for first in range(0, sharing.nnz, PAIRS_AT_A_TIME):
            left = sharing.row[first : first + PAIRS_AT_A_TIME].astype(np.int64) + start
            right = sharing.col[first : first + PAIRS_AT_A_TIME].astype(np.int64)
            near = np.asarray(ordered[left].multiply(ordered[right]).sum(1)).ravel() >= least
            yield left[near], right[near]


def _prefixes(ordered: sp.csr_matrix, least: float) -> sp.csr_matrix:
    """The entries of each row before which so much of its length is left that a cosine of `least` is possible."""
    squares = np.cumsum(ordered.data.astype(np.float64) ** 2)
    up_to = np.concatenate([[0.0], squares])
    before = up_to[:-1] - np.repeat(up_to[ordered.indptr[:-1]], np.diff(ordered.indptr))
    kept = ordered.copy()
    kept.data = (1 - before >= least * least - 1e-6).astype(np.float32)
    kept.eliminate_zeros()
    return kept
