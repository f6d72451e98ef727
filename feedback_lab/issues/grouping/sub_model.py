"""The model of sub-issues: which part of its issue a comment belongs to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from feedback_lab.issues.grouping.kmeans import Labels
from feedback_lab.issues.grouping.mixture import TEMPER

NONE = -1


@dataclass(frozen=True, eq=False)
class SubModel:
    """Sub-issues of all issues, one row each: the issue it belongs to, and what each term speaks for it there."""

    issue_of: Labels = field(default_factory=lambda: np.zeros(0, np.int64))
    weights: sp.csr_matrix = field(default_factory=lambda: sp.csr_matrix(np.zeros((0, 0), np.float32)))
    priors: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))

    def assign(self, presence: sp.csr_matrix, labels: Labels) -> Labels:
        """The sub-issue of comments which are in issues `labels`: -1 where the issue has none or none fits."""
        found = np.full(len(labels), NONE, np.int64)
        for issue in np.unique(self.issue_of):
            own = np.flatnonzero(self.issue_of == issue)
            rows = np.flatnonzero(labels == issue)
            evidence = TEMPER * (presence[rows] @ self.weights[own].T).toarray() + self.priors[own]
            best = evidence.argmax(1)
            found[rows] = np.where(evidence[np.arange(len(rows)), best] > self.priors[own][best], best, NONE)
        return found

    def over(self, vocabulary: Sequence[str], index: Mapping[str, int]) -> SubModel:
        """The same sub-issues with their terms in the columns of `index`; terms that it lacks are forgotten."""
        kept = [(i, index[term]) for i, term in enumerate(vocabulary) if term in index]
        old, new = np.array(kept, np.int64).reshape(-1, 2).T
        mapping = sp.csr_matrix((np.ones(len(old), np.float32), (old, new)), shape=(len(vocabulary), len(index)))
        return replace(self, weights=self.weights @ mapping) if len(self.issue_of) else self
