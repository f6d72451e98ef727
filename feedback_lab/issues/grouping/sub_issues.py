"""The second level: what an issue consists of, where it is worth saying.

Each issue is split into as many parts as a model that has not seen a comment can still tell apart: prediction
strength (Tibshirani and Walther 2005) with their threshold of 0.8. Otherwise the issue stays whole.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from feedback_lab.issues.grouping.comments import Comments, indicator
from feedback_lab.issues.grouping.features import Floats, centred, with_pairs
from feedback_lab.issues.grouping.kmeans import Labels, spherical_kmeans
from feedback_lab.issues.grouping.mixture import log_lift, one_hot, recognised, soft_em
from feedback_lab.issues.grouping.sub_model import NONE, SubModel

WORTH_SPLITTING = 30  # comments
SMALLEST_SUB_ISSUE = 5
COMMENTS_PER_SUB_ISSUE = 12  # on average
PREDICTION_STRENGTH = 0.8
MOST_SUB_ISSUES = 8
STARTS, STEPS = 2, 5


def split(comments: Comments, rows: Floats, labels: Labels, vocabulary: tuple[str, ...], seed: int) -> SubModel:
    """The sub-issues of every issue in `labels`; `rows` are the comments' features."""
    index = {term: i for i, term in enumerate(vocabulary)}
    presence = indicator(map(with_pairs, comments.contents), index)
    issue_of: list[int] = []
    lifts: list[sp.csr_matrix] = []
    sizes: list[npt.NDArray[np.float64]] = []
    for issue in range(int(labels.max(initial=-1)) + 1):
        members = np.flatnonzero(labels == issue)
        if len(members) < WORTH_SPLITTING:
            continue
        own = presence[members]
        parts = _parts(rows[members], own, seed)
        count = int(parts.max()) + 1
        if count < 2:
            continue
        kept = parts >= 0
        issue_of += [issue] * count
        lifts.append(_lifts(own[kept], parts[kept]))
        sizes.append(np.bincount(parts[kept]).astype(np.float64))
    if not issue_of:
        return SubModel()
    return SubModel(np.array(issue_of, np.int64), sp.vstack(lifts).tocsr(), np.log(np.concatenate(sizes)))


def _parts(rows: Floats, terms: sp.csr_matrix, seed: int) -> Labels:
    """The parts of one issue, the largest first; all zeros where it is better left whole, -1 in no sensible part."""
    counted = terms[:, np.asarray(terms.sum(0)).ravel() >= 2]
    parts = np.zeros(len(rows), np.int64)
    local = centred(rows)
    for k in range(2, min(MOST_SUB_ISSUES, len(rows) // COMMENTS_PER_SUB_ISSUE) + 1):
        labels = soft_em(counted, spherical_kmeans(local, k, seed, starts=STARTS), STEPS)
        if labels.max() == 0 or recognised(counted, labels, seed=seed) < PREDICTION_STRENGTH:
            break
        parts = labels
    sizes = np.bincount(parts)
    rank = (-sizes).argsort(kind="stable").argsort()
    return np.where(sizes[parts] >= SMALLEST_SUB_ISSUE, rank[parts], NONE)


def _lifts(terms: sp.csr_matrix, parts: Labels) -> sp.csr_matrix:
    """How much the terms that occur in an issue speak for each of its parts."""
    occur = np.flatnonzero(np.asarray(terms.sum(0)).ravel())
    lift = log_lift(terms[:, occur], one_hot(parts, int(parts.max()) + 1)).astype(np.float16).astype(np.float32)
    cells = (lift.ravel(), (np.repeat(np.arange(len(lift)), len(occur)), np.tile(occur, len(lift))))
    return sp.csr_matrix(cells, shape=(len(lift), terms.shape[1]))
