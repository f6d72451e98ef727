"""How many clusters: the partition that describes the comments in the fewest bits.

score(partition) = log p(words | partition) + log p(partition). Each word's presence in a cluster is Bernoulli with
a Beta prior centred on the word's corpus rate, integrated out exactly; the prior's concentration comes from the
data (empirical Bayes). Labels cost a Dirichlet(1/2)-multinomial code, and K! orders of names carry no information.
Near-copies share one vote: a sentence that a hundred people copied is no better evidence for an issue of its own
than one that was written once. Partitions of every size are made by the same self-training that makes the final
one, and their scores are smoothed over K, so that the luck of one start does not choose.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from scipy.special import gammaln

from feedback_lab.issues.grouping.features import Floats
from feedback_lab.issues.grouping.kmeans import Labels, membership

Doubles = npt.NDArray[np.float64]

CONCENTRATIONS = tuple(2.0**power for power in range(10))
STEP = 1.4  # from one number of clusters to the next
NEAR_THE_BEST = 1.0  # nats a comment below the best: where the scores' scatter around their smooth course is measured
BANDWIDTH = 0.35  # of the smoothing, in log K
PER_COMMENT = 3.5  # nats: how much comments differ (standard deviation) in what a partition tells about them
SMOOTHED_FROM = 8  # numbers of clusters tried
HOPELESS = 0.4  # nats a comment below the best: larger numbers of clusters are not tried after two such


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


def best_number(clusters: Callable[[int], Labels], evidence: Evidence, fewest: int, most: int) -> int:
    """How many of `clusters` (a partition for a wanted number) describe the comments best: `fewest` to `most`.

    Among numbers that score the same but for chance, the largest: two issues are merged more easily than one is found
    inside another. Chance is twice the scatter of the scores around their smooth course, and
    at least the standard error of a mean over so few comments.
    """
    rates = evidence.rates
    votes = float(evidence.weights.sum())
    tried: list[int] = []
    scores: list[float] = []
    for k in _grid(fewest, most):
        tried.append(k)
        scores.append(scored(evidence, clusters(k), rates) / votes)
        if len(scores) > 2 and max(scores[-2:]) < max(scores) - HOPELESS:
            break
    level = smoothed(np.log(tried), np.array(scores))
    scatter = (np.array(scores) - level)[level > level.max() - NEAR_THE_BEST]
    chance = max(2 * float(np.sqrt((scatter**2).mean())), PER_COMMENT / votes**0.5)
    return tried[int(np.flatnonzero(level >= level.max() - chance)[-1])]


def _grid(fewest: int, most: int) -> list[int]:
    count = max(2, 1 + round(np.log(most / fewest) / np.log(STEP)))
    return sorted({round(k) for k in np.geomspace(fewest, most, count)})


def smoothed(x: Doubles, y: Doubles) -> Doubles:
    """`y` as a local quadratic in `x` sees it, at each x (Gaussian weights of standard deviation `BANDWIDTH`)."""
    if len(x) < SMOOTHED_FROM:
        return y
    values = []
    for point in x:
        weight = np.exp(-0.25 * ((x - point) / BANDWIDTH) ** 2)  # polyfit squares its weights
        values.append(np.polyfit(x - point, y, 2, w=weight)[-1])
    return np.array(values)
