"""What is new: comments that fit each other better than they fit any issue.

A group starts from a comment and those most like it, and grows by hard EM against the stored model: a comment
joins where the group, learned from its other members only, predicts the comment's words better than every issue
and "none" do. Judging each member by the others keeps a group from explaining itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from sklearn.preprocessing import normalize

from feedback_lab.issues.grouping.comments import indicator, read, says_nothing
from feedback_lab.issues.grouping.features import Floats, Rows, seen_from, unit_rows, with_pairs
from feedback_lab.issues.grouping.mixture import TEMPER
from feedback_lab.issues.grouping.model import Clustering
from feedback_lab.issues.grouping.vector_model import VectorModel

SMALLEST_GROUP = 6
FIRST_MEMBERS = 8
ROUNDS = 5
PSEUDO_WORDS = 60.0  # by which a group's word rates are drawn to those of the corpus
CLEARLY_NEW = 1.0  # nats a member, on average, by which a group must beat the issues ...
CHOSEN_FROM = 100  # ... among so many comments; log(n / 100) more among n, where more groups fit by chance
MOST_SEEDS = 300

Doubles = npt.NDArray[np.float64]


def emerging(
    texts: Sequence[str], model: Clustering, *, vectors: Rows | None = None, smallest: int = SMALLEST_GROUP
) -> list[list[int]]:
    """Groups of row numbers of `texts` that fit each other and no issue of `model`, the largest first.

    `texts` are the comments to look among: those that the model left unassigned, or all that came since it was
    learned (better: a new kind of complaint often resembles an old one enough to be assigned to it). A group has
    at least `smallest` differently worded comments. `vectors` (one row per text) are of the kind that the model was
    learned with, if any. Read-only; the same input gives the same groups.
    """
    comments = read(texts)
    tells = np.flatnonzero(~says_nothing(comments.contents, model.empty))
    counts = Counter(term for row in tells for term in set(with_pairs(comments.contents[row])))
    terms = sorted(term for term, count in counts.items() if count > 1)
    if len(tells) < smallest or not terms:
        return []
    told = comments.take(tells)
    presence = indicator(map(with_pairs, told.contents), {term: i for i, term in enumerate(terms)})
    own = None if vectors is None else vectors[tells]
    rivals = model.evidence(model.presence(told), own).max(1)
    near = None if own is None or model.directions is None else _Near(model.directions, own)
    search = _Search(presence, _rates(terms, model), rivals, smallest, near)
    wordings = np.unique([" ".join(sorted(set(content))) for content in told.contents], return_inverse=True)[1]
    groups = [group for group in search.groups() if len(set(wordings[group].tolist())) >= smallest]
    return sorted((tells[group].tolist() for group in groups), key=lambda group: (-len(group), group))


def _rates(terms: Sequence[str], model: Clustering) -> Doubles:
    """How usual each term is by the model; one that it does not know counts as its rarest."""
    known = dict(zip(model.vocabulary, model.rates.tolist(), strict=True))
    rarest = float(model.rates.min(initial=1e-4)) or 1e-4
    return np.array([known.get(term, rarest) for term in terms], np.float64)


class _Near:
    """How near comments are to a group by their vectors."""

    def __init__(self, model: VectorModel, vectors: Floats) -> None:
        self.model, self.units = model, seen_from(model.origin, vectors)

    def evidence(self, group: npt.NDArray[np.int64]) -> Floats:
        """Nats for `group`, as the model weighs its issues; members are compared with the other members."""
        members = self.units[group]
        centre = members.sum(0)
        cosines = self.units @ unit_rows(centre[None])[0]
        cosines[group] = (members * unit_rows(centre - members)).sum(1)
        return self.model.weighed(cosines[:, None], self.units)[:, 0]


class _Search:
    """Groups among comments with the terms `presence`, whose best explanation so far weighs `rivals` (log)."""

    def __init__(
        self, presence: sp.csr_matrix, rates: Doubles, rivals: Doubles, smallest: int, near: _Near | None
    ) -> None:
        self.presence, self.rates, self.rivals, self.smallest = presence, rates, rivals, smallest
        self.near = near
        rarity = sp.diags(np.log1p(1 / rates))
        self.rows = normalize(presence @ rarity)
        self.free = np.ones(presence.shape[0], np.bool_)

    def groups(self) -> list[npt.NDArray[np.int64]]:
        """Groups found greedily, each comment in at most one."""
        found: list[npt.NDArray[np.int64]] = []
        least = CLEARLY_NEW + np.log(max(1.0, len(self.rivals) / CHOSEN_FROM))
        crowded = np.asarray((self.rows @ self.rows.T).sum(1)).ravel()  # comments with many like them come first
        for seed in (-crowded).argsort(kind="stable")[:MOST_SEEDS]:
            if self.free[seed]:
                group = self._grown(int(seed))
                if len(group) >= self.smallest and self._gain(group).mean() >= least:
                    self.free[group] = False
                    found.append(group)
        return found

    def _grown(self, seed: int) -> npt.NDArray[np.int64]:
        likeness = (self.rows @ self.rows[seed].T).toarray().ravel() * self.free
        group: npt.NDArray[np.int64] = np.sort((-likeness).argsort(kind="stable")[:FIRST_MEMBERS])
        group = group[likeness[group] > 0]
        for _ in range(ROUNDS):
            if len(group) < 2:
                return group[:0]
            joined: npt.NDArray[np.int64] = np.flatnonzero(self.free & (self._gain_of_all(group) > 0))
            if np.array_equal(joined, group):
                break
            group = joined
        return group

    def _gain(self, group: npt.NDArray[np.int64]) -> Doubles:
        return np.asarray(self._gain_of_all(group)[group])

    def _gain_of_all(self, group: npt.NDArray[np.int64]) -> Doubles:
        """How much better than its rivals `group` explains each comment; members are judged by the others."""
        own = self.presence[group].tocoo()
        inside = np.bincount(own.col, minlength=self.presence.shape[1]).astype(np.float64)
        total = inside.sum()
        lift = np.log((inside + PSEUDO_WORDS * self.rates) / (total + PSEUDO_WORDS) / self.rates)
        told = np.asarray(self.presence @ lift, np.float64)
        lengths = np.bincount(own.row, minlength=len(group))
        left = (inside[own.col] - 1 + PSEUDO_WORDS * self.rates[own.col]) / (total - lengths[own.row] + PSEUDO_WORDS)
        told[group] = np.bincount(own.row, np.log(left / self.rates[own.col]), minlength=len(group))
        near = self.near.evidence(group) if self.near else 0.0
        return np.asarray(TEMPER * told + near + np.log(len(group)) - self.rivals)
