"""How many clusters: the number at which the partition tells much and still keeps neighbours together.

What a partition tells is its description length: log p(words | partition) + log p(partition), compared with one heap.
Each word's presence in a cluster is Bernoulli with a Beta prior centred on the word's corpus rate, integrated out
exactly; the prior's concentration comes from the data (empirical Bayes). Labels cost a Dirichlet(1/2)-multinomial
code, and K! orders of names carry no information. Near-copies share one vote: a sentence that a hundred people copied
is no better evidence for an issue of its own than one that was written once.

Description length alone cuts large classes into pieces, because every habit of wording is worth telling; modularity of
the neighbour graph alone merges what is small (Fortunato and Barthelemy 2007). Each as a share of its best, they are
added. Partitions of every size are made by the same self-training that makes the final one, and both measures are
smoothed over K, so that the luck of one start does not choose; of numbers that tie, the largest is taken.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from scipy.special import gammaln

from feedback_lab.issues.grouping.features import Floats
from feedback_lab.issues.grouping.kmeans import Labels, Neighbours, membership

Doubles = npt.NDArray[np.float64]

CONCENTRATIONS = tuple(2.0**power for power in range(10))
STEP = 1.7  # from one number of clusters to the next, at first
CLOSE_STEP, CLOSE_STEPS = 1.2, 3  # and around the best of them, to both sides
A_TIE = 0.004  # below the best: two issues are merged more easily than one is found inside another
READ_AT = 100  # points of the smooth course
BANDWIDTH = 0.5  # of the smoothing, in log K
SMOOTHED_FROM = 8  # numbers of clusters tried
NEIGHBOURS = 15
LITTLE_TOLD = 2.0  # nats a comment: where no partition tells as much, what it tells counts less than neighbours do
TOGETHER = 1.5  # the weight of neighbours staying together, against the description's
HOPELESS = 0.3  # below the best: larger numbers of clusters are not tried after two such


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
    k = len(sizes)
    price = float(gammaln(k / 2) - gammaln(k / 2 + sizes.sum()) + gammaln(k + 1))
    return price + float((gammaln(sizes + 0.5) - gammaln(0.5)).sum())


def scored(evidence: Evidence, labels: Labels, rates: Doubles) -> float:
    """The score of `labels` in nats, at the concentration that suits them best."""
    members = membership(labels, int(labels.max()) + 1) @ sp.diags(evidence.weights)
    counts = (members @ evidence.presence).toarray().astype(np.float64)
    sizes = np.asarray(members.sum(1), np.float64).ravel()
    fit = max(float(words_evidence(counts, sizes, rates, one).sum()) for one in CONCENTRATIONS)
    return fit + partition_evidence(sizes)


def modularity(graph: sp.csr_matrix, labels: Labels) -> float:
    """The share of `graph` inside clusters beyond what nodes of these degrees would have by chance (Newman 2004)."""
    members = membership(labels, int(labels.max()) + 1)
    inside = float((members @ graph @ members.T).diagonal().sum())
    degrees = np.asarray(members @ np.asarray(graph.sum(1)), np.float64)
    total = max(float(degrees.sum()), 1e-12)
    return inside / total - float(((degrees / total) ** 2).sum())


def neighbour_graph(neighbours: Neighbours) -> sp.csr_matrix:
    """The cosines between comments of which one is among the other's nearest."""
    indices, cosines = neighbours[0][:, :NEIGHBOURS], neighbours[1][:, :NEIGHBOURS]
    cells = (np.maximum(cosines, 0).ravel(), (np.repeat(np.arange(len(indices)), indices.shape[1]), indices.ravel()))
    graph = sp.csr_matrix(cells, shape=(len(indices), len(indices)))
    return graph.maximum(graph.T)


class _Course:
    """What was measured at each number of clusters tried."""

    def __init__(self, evidence: Evidence, graph: sp.csr_matrix) -> None:
        self._evidence, self._graph, self._rates = evidence, graph, evidence.rates
        self._votes = float(evidence.weights.sum())
        self._heap = scored(evidence, np.zeros(evidence.presence.shape[0], np.int64), self._rates)
        self._measured: list[tuple[float, float, float]] = []

    def add(self, k: int, labels: Labels) -> None:
        told = (scored(self._evidence, labels, self._rates) - self._heap) / self._votes
        self._measured.append((float(np.log(k)), told, modularity(self._graph, labels)))

    def hopeless(self) -> bool:
        """Are the last two numbers far below the best one?"""
        _, told, together = np.array(self._measured).T
        level = _worth(told, together)
        return len(level) > 2 and bool(level[-2:].max() < level.max() - HOPELESS)

    def best(self) -> int:
        """The largest of the numbers whose smoothed worth is next to the highest."""
        x, told, together = np.array(sorted(self._measured)).T
        finer = np.linspace(x[0], x[-1], READ_AT)
        level = _worth(smoothed(x, told, finer), smoothed(x, together, finer))
        return round(float(np.exp(finer[level >= level.max() - A_TIE][-1])))


def best_number(
    clusters: Callable[[int, int], Labels], evidence: Evidence, graph: sp.csr_matrix, fewest: int, most: int
) -> int:
    """How many of `clusters` (a partition for a wanted number and a draw) are best: `fewest` to `most`.

    First numbers far apart are tried, then others around the best of them, from another draw.
    """
    course = _Course(evidence, graph)
    for k in _grid(fewest, most):
        course.add(k, clusters(k, 0))
        if course.hopeless():
            break
    about = course.best()
    closer = {round(about * CLOSE_STEP**power) for power in range(-CLOSE_STEPS, CLOSE_STEPS + 1)}
    for k in sorted(closer):
        if fewest <= k <= most:
            course.add(k, clusters(k, 1))
    return course.best()


def _worth(told: Doubles, together: Doubles) -> Doubles:
    """Both measures as one, each as a share of its best."""
    best = max(float(told.max()), LITTLE_TOLD)
    return told / best + TOGETHER * together / max(float(together.max()), 1e-12)


def _grid(fewest: int, most: int) -> list[int]:
    count = max(2, 1 + round(np.log(most / fewest) / np.log(STEP)))
    return sorted({round(k) for k in np.geomspace(fewest, most, count)})


def smoothed(x: Doubles, y: Doubles, at: Doubles) -> Doubles:
    """`y` as a local quadratic in `x` sees it, `at` each point (Gaussian weights of deviation `BANDWIDTH`)."""
    if len(x) < SMOOTHED_FROM:
        return np.interp(at, x, y)
    values = []
    for point in at:
        weight = np.exp(-0.25 * ((x - point) / BANDWIDTH) ** 2)  # polyfit squares its weights
        values.append(np.polyfit(x - point, y, 2, w=weight)[-1])
    return np.array(values)
