"""Spherical k-means and nearest neighbours on unit rows (cosine), in numpy, the same for the same seed."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from feedback_lab.issues.grouping.features import Floats, unit_rows

Labels = npt.NDArray[np.int64]
Neighbours = tuple[npt.NDArray[np.int64], Floats]  # indices and cosines, rows by neighbours

SEEDING_ROWS = 4_000
SETTLED = 2e-3
SMALL_CLUSTERS = 400  # that others are merged from, at most
ROWS_IN_SMALL = 10  # at least, on average


def relabelled(labels: npt.NDArray[np.integer]) -> Labels:
    """`labels` as 0..K-1 without gaps."""
    return np.asarray(np.unique(labels, return_inverse=True)[1], np.int64)


def membership(labels: Labels, k: int) -> sp.csr_matrix:
    """The clusters-by-rows indicator matrix of `labels`."""
    n = len(labels)
    return sp.csr_matrix((np.ones(n, np.float32), (labels, np.arange(n))), shape=(k, n))


def spherical_kmeans(rows: Floats, k: int, seed: int, iterations: int = 15, starts: int = 1) -> Labels:
    """Labels of the best of `starts` runs by mean cosine to the own centre (Dhillon and Modha 2001).

    Seeds by k-means++ on at most 4,000 rows. At most `k` clusters, numbered without gaps.
    """
    best: tuple[float, Labels] | None = None
    for start in range(starts):
        random = np.random.default_rng([seed, start, k])
        fit, labels = _one_run(rows, _seeds(rows, min(k, len(rows)), random), iterations, random)
        if best is None or fit > best[0]:
            best = (fit, labels)
    assert best is not None
    return relabelled(best[1])


def merged_kmeans(rows: Floats, k: int, seed: int) -> Labels:
    """Labels of `k` clusters that are merged from many small ones of spherical k-means.

    Ward's method (1963) with the measure of k-means: the pair is merged whose rows lose least of their cosines to their
    own centre. Clusters seldom lie across two others then, as they do where few centres are drawn at random. Where `k`
    is no fewer than the small ones would be, it is k-means itself.
    """
    small = min(SMALL_CLUSTERS, len(rows) // ROWS_IN_SMALL)
    labels = spherical_kmeans(rows, max(small, k), seed)
    sums = np.asarray(membership(labels, int(labels.max()) + 1) @ rows, np.float64)
    return relabelled(_merged(sums, k)[labels])


def _merged(sums: npt.NDArray[np.float64], k: int) -> Labels:
    """For each small cluster, given by the sum of its rows, the one of `k` clusters that it ends in; changes `sums`."""
    n = len(sums)
    cluster = np.arange(n)
    there = np.ones(n, np.bool_)
    loss = np.array([_losses(sums, one) for one in range(n)])
    for _ in range(n - k):
        kept, lost = divmod(int(loss.argmin()), n)
        cluster[cluster == lost] = kept
        sums[kept] += sums[lost]
        there[lost] = False
        loss[lost] = loss[:, lost] = np.inf
        loss[kept] = loss[:, kept] = np.where(there, _losses(sums, kept), np.inf)
    return cluster


def _losses(sums: npt.NDArray[np.float64], one: int) -> npt.NDArray[np.float64]:
    """What is lost by merging `one` with each other, infinite for itself.

    The cosines of a cluster's rows to its centre add up to the length of the sum of its rows.
    """
    lengths = np.sqrt((sums**2).sum(1))
    lost = lengths + lengths[one] - np.sqrt(((sums + sums[one]) ** 2).sum(1))
    lost[one] = np.inf
    return np.asarray(lost)


def continued_kmeans(rows: Floats, labels: Labels, iterations: int = 5) -> Labels:
    """Labels after a few more steps of spherical k-means from the centres of `labels`."""
    centres = unit_rows(membership(labels, int(labels.max()) + 1) @ rows)
    return relabelled(_one_run(rows, centres, iterations, np.random.default_rng(0))[1])


def _seeds(rows: Floats, k: int, random: np.random.Generator) -> Floats:
    pool = rows[random.choice(len(rows), SEEDING_ROWS, replace=False)] if len(rows) > SEEDING_ROWS else rows
    chosen = [int(random.integers(len(pool)))]
    distance = 1 - pool @ pool[chosen[0]]
    for _ in range(k - 1):
        weight = np.maximum(distance, 1e-9).astype(np.float64)
        chosen.append(int(random.choice(len(pool), p=weight / weight.sum())))
        distance = np.minimum(distance, 1 - pool @ pool[chosen[-1]])
    return np.ascontiguousarray(pool[chosen])


def _one_run(rows: Floats, centres: Floats, iterations: int, random: np.random.Generator) -> tuple[float, Labels]:
    labels: Labels = np.full(len(rows), -1, np.int64)
    fit = 0.0
    for _ in range(iterations):
        cosine = rows @ centres.T
        nearest = cosine.argmax(1)
        fit = float(cosine[np.arange(len(rows)), nearest].mean())
        moved = float((nearest != labels).mean())
        labels = nearest
        if moved < SETTLED:
            break
        centres = unit_rows(membership(labels, len(centres)) @ rows)
        empty = np.flatnonzero(np.bincount(labels, minlength=len(centres)) == 0)
        centres[empty] = rows[random.integers(len(rows), size=len(empty))]
    return fit, labels


def nearest_neighbours(rows: Floats, k: int, block: int = 2048) -> Neighbours:
    """Indices and cosines of the `k` most similar other rows of each row, the most similar first."""
    n = len(rows)
    indices, cosines = np.empty((n, k), np.int64), np.empty((n, k), np.float32)
    for start in range(0, n, block):
        cosine = rows[start : start + block] @ rows.T
        cosine[np.arange(len(cosine)), np.arange(start, start + len(cosine))] = -np.inf
        top = np.argpartition(-cosine, k - 1, axis=1)[:, :k]
        found = np.take_along_axis(cosine, top, 1)
        order = (-found).argsort(1, kind="stable")
        indices[start : start + block] = np.take_along_axis(top, order, 1)
        cosines[start : start + block] = np.take_along_axis(found, order, 1)
    return indices, cosines
