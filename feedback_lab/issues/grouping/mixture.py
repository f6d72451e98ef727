"""The mixture model behind the clusters, and self-training: features and clusters that improve each other.

A cluster is a distribution over terms, smoothed towards the corpus. Soft EM finds the clusters; each row is then
scored by models that did not see it (cross-fitting), and these scores join the features for the next round. What
earlier partitions agree on, of whatever number of clusters, joins them too, and shows better neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from feedback_lab.issues.grouping.features import DIMENSIONS, Floats, centred, directions, reduced, unit_rows
from feedback_lab.issues.grouping.kmeans import (
    SETTLED,
    Labels,
    Neighbours,
    continued_kmeans,
    membership,
    merged_kmeans,
    nearest_neighbours,
    relabelled,
    spherical_kmeans,
)

PSEUDO_COUNT = 0.05  # per term, spread over the terms by their corpus rate
TEMPER = 0.4  # words of one comment are not independent: their joint evidence counts less than the sum
VECTOR_NATS = 20.0  # for a cosine of 1
SCORE_WEIGHT = 0.7
AGREEMENT_WEIGHT = 0.7
RIDGE = 0.5
MOST_NEIGHBOURS = 64
ROUNDS = 2


def log_lift(terms: sp.csr_matrix, members: npt.NDArray[np.float32], pseudo: float = PSEUDO_COUNT) -> Floats:
    """log p(term | cluster) / p(term), one row per cluster; `members` holds each row's share in each cluster."""
    rate = np.asarray(terms.sum(0), np.float32).ravel() + np.float32(1e-9)
    rate /= rate.sum()
    prior = np.float32(pseudo * terms.shape[1])
    lift = np.asarray(terms.T @ members, np.float32)  # terms by clusters: the fast way round for all that follows
    weight = 1 / (lift.sum(0) + prior)
    lift /= rate[:, None]
    lift += prior
    lift *= weight
    return np.asarray(np.log(lift, out=lift).T)


def one_hot(labels: Labels, k: int) -> npt.NDArray[np.float32]:
    """Rows by clusters, 1 where the row belongs."""
    members = np.zeros((len(labels), k), np.float32)
    members[np.arange(len(labels)), labels] = 1
    return members


def soft_em(terms: sp.csr_matrix, labels: Labels, iterations: int = 20, vectors: Floats | None = None) -> Labels:
    """Labels after soft EM of a multinomial mixture that starts from `labels`, until hardly a row moves.

    With unit `vectors` a cluster is a direction too (von Mises-Fisher with a fixed concentration).
    """
    members = one_hot(labels, int(labels.max()) + 1)
    for _ in range(iterations):
        score = TEMPER * (terms @ log_lift(terms, members).T) + np.log(members.sum(0) + 1.0)
        if vectors is not None:
            score += VECTOR_NATS * (vectors @ unit_rows(members.T @ vectors).T)
        score -= score.max(1, keepdims=True)
        members = np.exp(score, dtype=np.float32)
        members /= members.sum(1, keepdims=True)
        best = members.argmax(1)
        moved = float((best != labels).mean())
        labels = best
        if moved < SETTLED:
            break
    return relabelled(labels)


def projected(rows: Floats, neighbours: Neighbours) -> Floats:
    """The linear map of `rows` that keeps graph neighbours together, strong directions stretched.

    Generalised eigenvectors of the neighbours' covariance against the ridged covariance of all rows (the linear
    form of Laplacian eigenmaps: He and Niyogi 2003), each weighted by its eigenvalue squared.
    """
    n = len(rows)
    x = rows - rows.mean(0)
    indices, cosines = neighbours
    cells = (np.maximum(cosines, 0).ravel(), (np.repeat(np.arange(n), indices.shape[1]), indices.ravel()))
    graph = sp.csr_matrix(cells, shape=(n, n))
    graph = graph.maximum(graph.T)
    scale = sp.diags((np.asarray(graph.sum(1)).ravel() + 1e-6) ** -0.5)
    covariance = (x.T @ x).astype(np.float64) / n
    between = (x.T @ (scale @ graph @ scale @ x)).astype(np.float64)
    ridge = RIDGE * np.trace(covariance) / len(covariance)
    values, vectors = np.linalg.eigh(covariance + ridge * np.eye(len(covariance)))
    whiten = vectors * values**-0.5
    values, vectors = np.linalg.eigh(whiten.T @ (between + between.T) @ whiten / 2)
    strongest = values.argsort()[::-1][:DIMENSIONS]
    directions = whiten @ vectors[:, strongest] * np.maximum(values[strongest], 0) ** 2
    return centred(unit_rows(x @ directions))


class Trainer:
    """Clusters of the same comments for any number of clusters; what does not depend on it is computed once."""

    def __init__(self, rows: Floats, terms: sp.csr_matrix, vectors: Floats | None = None) -> None:
        self.rows, self.terms = rows, terms
        self.vectors = None if vectors is None else directions(vectors)[0]
        self.neighbours = nearest_neighbours(rows, min(MOST_NEIGHBOURS, len(rows) - 1))
        self._projected: dict[int, Floats] = {}

    def clusters(
        self,
        k: int,
        seed: int,
        *,
        merged: bool = False,
        rounds: int = ROUNDS,
        steps: int = 20,
        tried: Sequence[Labels] = (),
    ) -> Labels:
        """Labels of about `k` clusters: k-means, EM, and `rounds` of self-training.

        K-means starts from `k` rows, or from many, `merged` until `k` clusters are left. Partitions that were `tried`
        before count by what they agree on.
        """
        base = self._agreed(k, tried) if tried else self._base(k)
        start = merged_kmeans if merged else spherical_kmeans
        labels = soft_em(self.terms, start(base, k, seed), steps, self.vectors)
        for turn in range(rounds):
            view = SCORE_WEIGHT * _cross_fitted(self.terms, labels, seed + turn)
            joined = unit_rows(np.hstack([base, view]))
            labels = soft_em(self.terms, continued_kmeans(joined, labels), steps, self.vectors)
        return labels

    def _base(self, k: int) -> Floats:
        count = self._neighbourhood(k)
        if count not in self._projected:
            indices, cosines = self.neighbours
            self._projected[count] = projected(self.rows, (indices[:, :count], cosines[:, :count]))
        return self._projected[count]

    def _agreed(self, k: int, tried: Sequence[Labels]) -> Floats:
        view = AGREEMENT_WEIGHT * agreement(tried)
        near = nearest_neighbours(unit_rows(np.hstack([self._base(k), view])), self._neighbourhood(k))
        return unit_rows(np.hstack([projected(self.rows, near), view]))

    def _neighbourhood(self, k: int) -> int:
        """About half a cluster, rounded to a power of two so that few projections are made."""
        wanted = len(self.rows) / k / 2
        return int(min(self.neighbours[0].shape[1], max(10, 2 ** round(np.log2(wanted)))))


def agreement(partitions: Sequence[Labels]) -> Floats:
    """Rows that lie near each other where many `partitions` have them in one cluster, small clusters telling more.

    Each partition gives the same rows a label from 0 on; answered is an array (rows, directions).

    The spectral form of evidence accumulation (Strehl and Ghosh 2002; Fred and Jain 2005).
    """
    members = [membership(labels, int(labels.max()) + 1) for labels in partitions]
    together = sp.vstack([sp.diags((np.diff(one.indptr) + 1.0) ** -0.5) @ one for one in members])
    return centred(reduced(together.T.tocsr()))


def recognised(
    terms: sp.csr_matrix, labels: Labels, weights: Floats | None = None, vectors: Floats | None = None, seed: int = 0
) -> float:
    """The (weighted) share of rows whose cluster a model that did not see them tells by their terms (and `vectors`)."""
    members = one_hot(labels, int(labels.max()) + 1)
    half = np.random.default_rng([seed, 3]).random(len(labels)) < 0.5
    right = np.zeros(len(labels), np.bool_)
    for held_out in (half, ~half):
        known = members * ~held_out[:, None]
        told = TEMPER * (terms[held_out] @ log_lift(terms, known).T) + np.log(known.sum(0) + 0.5)
        if vectors is not None:
            told += VECTOR_NATS * (vectors[held_out] @ unit_rows(known.T @ vectors).T)
        right[held_out] = told.argmax(1) == labels[held_out]
    return float(np.average(right, weights=weights))


def _cross_fitted(terms: sp.csr_matrix, labels: Labels, seed: int) -> Floats:
    k = int(labels.max()) + 1
    members = one_hot(labels, k)
    half = np.random.default_rng([seed, 2]).random(len(labels)) < 0.5
    scores = np.zeros((len(labels), k), np.float32)
    for held_out in (half, ~half):
        scores[held_out] = terms[held_out] @ log_lift(terms, members * ~held_out[:, None]).T
    return centred(reduced(centred(unit_rows(scores - scores.mean(1, keepdims=True))), max(2, min(k - 1, 100)), 2.0))
