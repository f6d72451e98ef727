"""How many clusters: the partition that describes the comments in the fewest bits.

score(partition) = log p(words | partition) + log p(partition). Each word's presence in a cluster is Bernoulli with
a Beta prior centred on the word's corpus rate, integrated out exactly; the prior's concentration comes from the
data (empirical Bayes). Labels cost a Dirichlet(1/2)-multinomial code, and K! orders of names carry no information.
Near-duplicates share one vote: a sentence that a hundred people copied is no better evidence for an issue of its
own than one that was written once. A cluster stays only if it saves more bits than it costs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from scipy.special import gammaln

from feedback_lab.issues.features import Floats, unit_rows
from feedback_lab.issues.kmeans import SETTLED, Labels, membership, relabelled, spherical_kmeans

Doubles = npt.NDArray[np.float64]

CONCENTRATIONS = tuple(2.0**power for power in range(10))
GRID_POINTS = 12
FINALISTS = 2
EXTRA_STARTS = 4
MERGE_CANDIDATES = 20
TIE = 0.1  # nats a comment: as much as the score differs from one start to the next


@dataclass(frozen=True, slots=True)
class Evidence:
    """What partitions are judged by: which words each comment has, and how much the comment counts."""

    presence: sp.csr_matrix
    weights: Floats

    @property
    def rates(self) -> Doubles:
        """The (weighted) share of comments that have each word, kept away from 0 and 1."""
        return np.asarray(self.presence.T @ self.weights + 0.5, np.float64) / (float(self.weights.sum()) + 1)


def words_evidence(counts: Doubles, sizes: Doubles, rates: Doubles, concentration: float) -> Doubles:
    """Log evidence of each cluster's words, given how many of its `sizes` comments have each word."""
    a, b = concentration * rates, concentration * (1 - rates)
    fitted = (gammaln(a + counts) + gammaln(b + sizes[:, None] - counts)).sum(1)
    constant = (gammaln(a) + gammaln(b)).sum() - len(rates) * gammaln(concentration)
    return np.asarray(fitted - constant - len(rates) * gammaln(concentration + sizes), np.float64)


def partition_evidence(sizes: Doubles) -> float:
    """Log probability of a partition with these cluster sizes, names of clusters ignored."""
    return _price(len(sizes), float(sizes.sum())) + float(_half_gamma(sizes).sum())


@dataclass(frozen=True, slots=True)
class Candidate:
    """A partition, its score in nats, and the concentration that suits it."""

    score: float
    labels: Labels
    concentration: float

    @property
    def k(self) -> int:
        return int(self.labels.max()) + 1


def evaluated(evidence: Evidence, labels: Labels, rates: Doubles, near: float | None = None) -> Candidate:
    """`labels` with their score; `near` limits the search for the concentration to its neighbourhood."""
    counts, sizes = _totals(evidence, labels)
    grid = CONCENTRATIONS if near is None else (near / 2, near, near * 2)
    fit, concentration = max((float(words_evidence(counts, sizes, rates, s).sum()), s) for s in grid)
    return Candidate(fit + partition_evidence(sizes), labels, concentration)


def refined(evidence: Evidence, start: Candidate, rates: Doubles, iterations: int = 10) -> Candidate:
    """`start` after hard EM: each comment moves to the cluster that predicts its words best."""
    labels, concentration = start.labels, start.concentration
    for _ in range(iterations):
        counts, sizes = _totals(evidence, labels)
        has = np.log(concentration * rates + counts)
        lacks = np.log(concentration * (1 - rates) + sizes[:, None] - counts)
        total = np.log(concentration + sizes)[:, None]
        score = evidence.presence @ (has - lacks).T + ((lacks - total).sum(1) + np.log(sizes + 0.5))
        moved = score.argmax(1)
        share = float((moved != labels).mean())
        labels = relabelled(moved)
        if share < SETTLED:
            break
    return evaluated(evidence, labels, rates, concentration)


def merged(evidence: Evidence, rows: Floats, start: Candidate, rates: Doubles) -> Candidate:
    """`start` after greedy merges of similar clusters, for as long as the score rises."""
    counts, sizes = _totals(evidence, start.labels)
    group = np.arange(start.k)
    near = _near(unit_rows(membership(start.labels, start.k) @ rows))
    own = words_evidence(counts, sizes, rates, start.concentration)
    gain = np.full((start.k, start.k), -np.inf)

    def update(i: int) -> None:
        others = np.flatnonzero(near[i])
        if len(others) == 0:
            return
        joint = words_evidence(counts[i] + counts[others], sizes[i] + sizes[others], rates, start.concentration)
        label = _half_gamma(sizes[i] + sizes[others]) - _half_gamma(sizes[i]) - _half_gamma(sizes[others])
        gain[i, others] = gain[others, i] = joint - own[i] - own[others] + label

    for i in range(start.k):
        update(i)
    for k in range(start.k, 1, -1):
        i, j = (int(x) for x in np.unravel_index(gain.argmax(), gain.shape))
        if gain[i, j] + _price(k - 1, sizes.sum()) - _price(k, sizes.sum()) <= 0:
            break
        counts[i] += counts[j]
        sizes[i] += sizes[j]
        sizes[j], counts[j] = 0, 0
        own[i] = words_evidence(counts[i : i + 1], sizes[i : i + 1], rates, start.concentration)[0]
        near[i] |= near[j]
        near[i, i] = False
        near[:, i] = near[i]
        near[j] = near[:, j] = False
        gain[[i, j]] = gain[:, [i, j]] = -np.inf
        group[group == j] = i
        update(i)
    return evaluated(evidence, relabelled(group[start.labels]), rates, start.concentration)


def _near(centres: Floats) -> npt.NDArray[np.bool_]:
    """Which pairs of clusters have one among the 20 nearest of the other: the only ones worth trying to merge."""
    cosine = centres @ centres.T
    np.fill_diagonal(cosine, -np.inf)
    ranks = (-cosine).argsort(1).argsort(1)
    near = (ranks < MERGE_CANDIDATES) | (ranks.T < MERGE_CANDIDATES)
    np.fill_diagonal(near, False)
    return near


def _half_gamma(sizes: Doubles | float) -> Doubles:
    return np.asarray(gammaln(np.asarray(sizes) + 0.5) - gammaln(0.5))


def _price(k: int, total: float) -> float:
    """The part of a partition's log probability that depends on the number of clusters only."""
    return float(gammaln(k / 2) - gammaln(k / 2 + total) + gammaln(k + 1))


def _totals(evidence: Evidence, labels: Labels) -> tuple[Doubles, Doubles]:
    members = membership(labels, int(labels.max()) + 1) @ sp.diags(evidence.weights)
    return (members @ evidence.presence).toarray().astype(np.float64), np.asarray(members.sum(1), np.float64).ravel()


def best_partition(rows: Floats, evidence: Evidence, seed: int, fewest: int, most: int) -> Candidate:
    """The best-scoring partition into `fewest` to `most` clusters (fewer where merging or EM empties some).

    Starts from spherical k-means on `rows` over a geometric grid of K; the two best K get more starts. Among
    partitions that score the same but for chance, the one with most clusters.
    """
    rates = evidence.rates

    def candidate(k: int, start: int) -> Candidate:
        first = evaluated(evidence, spherical_kmeans(rows, k, 1000 * seed + start, iterations=12), rates)
        found = refined(evidence, first, rates)
        if found.k <= fewest:
            return found
        joined = merged(evidence, rows, found, rates)
        if joined.k < found.k:
            joined = refined(evidence, joined, rates)
        return joined if joined.score > found.score and joined.k >= fewest else found

    grid = sorted({round(k) for k in np.geomspace(fewest, most, GRID_POINTS)})
    tried = {k: candidate(k, 0) for k in grid}
    finalists = sorted(grid, key=lambda k: -tried[k].score)[:FINALISTS]
    extra = [candidate(k, 10 + start) for k in finalists for start in range(EXTRA_STARTS)]
    found = [*tried.values(), *extra]
    enough = max(one.score for one in found) - TIE * float(evidence.weights.sum())
    return max((one for one in found if one.score >= enough), key=lambda one: (one.k, one.score))
