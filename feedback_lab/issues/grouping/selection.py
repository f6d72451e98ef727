"""How many clusters: the number at which a comment's cluster tells much and can still be told.

Two measures are multiplied. What a cluster tells is the information, in nats, that a comment's cluster gives about
those of its nearest neighbours: it grows with every split that neighbours respect, and stops where a split runs through
neighbourhoods. Whether a cluster can be told is the share of comments that a model recognises by their words
without having seen them: it sinks with every split, the faster the less it says. Either alone would choose as many
clusters or as few as it can.

Near-copies share one vote there: a sentence that a hundred people copied is not recognised a hundred times.
Partitions of every size are made by the same self-training that makes the final one, and the product is smoothed over
K, so that the luck of one start does not choose; of numbers that nearly tie, the largest is taken.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from feedback_lab.issues.grouping.features import Floats
from feedback_lab.issues.grouping.kmeans import Labels, Neighbours, membership
from feedback_lab.issues.grouping.mixture import recognised

Doubles = npt.NDArray[np.float64]

STEP = 1.7  # from one number of clusters to the next, at first
CLOSE_STEP, CLOSE_STEPS = 1.15, 4  # and around the best of them, to both sides
A_TIE = 0.01  # below the best: two issues are merged more easily than one is found inside another
READ_AT = 100  # points of the smooth course
BANDWIDTH = 0.35  # of the smoothing, in log K
SMOOTHED_FROM = 8  # numbers of clusters tried
RECOGNISED = 3.0  # the weight of being recognised, against what neighbours tell
HOPELESS = 0.4  # below the best: larger numbers of clusters are not tried after two such


@dataclass(frozen=True, slots=True)
class Evidence:
    """What partitions are judged by: the neighbours of comments, the words that they have, and how much each counts.

    With `vectors` of an embedding model, clusters may differ by more than words: how well they can be told is then the
    geometric mean of what words alone recognise (too few clusters) and what both do (too many).
    """

    graph: sp.csr_matrix
    words: sp.csr_matrix
    weights: Floats
    vectors: Floats | None = None

    def worth(self, labels: Labels) -> float:
        """The logarithm of what clusters tell times how well they can be told."""
        told = neighbours_information(self.graph, labels)
        shares = [recognised(self.words, labels, self.weights)]
        if self.vectors is not None:
            shares.append(recognised(self.words, labels, self.weights, self.vectors))
        return float(np.log(max(told, 1e-6)) + RECOGNISED * np.log(np.maximum(shares, 1e-6)).mean())


def neighbours_information(graph: sp.csr_matrix, labels: Labels) -> float:
    """Nats that the cluster at one end of an edge of the symmetric `graph` tells of the cluster at the other."""
    members = membership(labels, int(labels.max()) + 1)
    joint = (members @ graph @ members.T).toarray().astype(np.float64)
    joint /= max(float(joint.sum()), 1e-12)
    each = joint.sum(1)
    apart = np.outer(each, each)
    met = joint > 0
    return float((joint[met] * np.log(joint[met] / apart[met])).sum())


def neighbour_graph(neighbours: Neighbours) -> sp.csr_matrix:
    """The cosines between comments and their nearest, both ways."""
    indices, cosines = neighbours
    cells = (np.maximum(cosines, 0).ravel(), (np.repeat(np.arange(len(indices)), indices.shape[1]), indices.ravel()))
    graph = sp.csr_matrix(cells, shape=(len(indices), len(indices)))
    return sp.csr_matrix(graph + graph.T)


class _Course:
    """What was measured at each number of clusters tried."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self._measured: list[tuple[float, float]] = []

    def add(self, k: int, labels: Labels) -> None:
        self._measured.append((float(np.log(k)), self._evidence.worth(labels)))

    def hopeless(self) -> bool:
        """Are the last two numbers far below the best one?"""
        worth = [one for _, one in self._measured]
        return len(worth) > 2 and max(worth[-2:]) < max(worth) - HOPELESS

    def best(self) -> int:
        """The largest of the numbers whose smoothed worth is next to the highest."""
        x, worth = np.array(sorted(self._measured)).T
        finer = np.linspace(x[0], x[-1], READ_AT)
        level = smoothed(x, worth, finer)
        return round(float(np.exp(finer[level >= level.max() - A_TIE][-1])))


def best_number(clusters: Callable[[int, int], Labels], evidence: Evidence, fewest: int, most: int) -> int:
    """How many of `clusters` (a partition for a wanted number and a draw) are best: `fewest` to `most`.

    First numbers far apart are tried, then others around the best of them, from another draw.
    """
    course = _Course(evidence)
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
