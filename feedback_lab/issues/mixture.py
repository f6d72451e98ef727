"""The mixture model behind the clusters, and self-training: features and clusters that improve each other.

A cluster is a distribution over terms, smoothed towards the corpus. Soft EM finds the clusters; each row is then
scored by models that did not see it (cross-fitting), and these scores join the features for the next round.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from feedback_lab.issues.features import DIMENSIONS, Floats, centred, reduced, unit_rows
from feedback_lab.issues.kmeans import Labels, nearest_neighbours, relabelled, spherical_kmeans

PSEUDO_COUNT = 0.05  # per term, spread over the terms by their corpus rate
TEMPER = 0.4  # words of one comment are not independent: their joint evidence counts less than the sum
SCORE_WEIGHT = 0.7
RIDGE = 0.5
STARTS = 8
ROUNDS = 2


def log_lift(terms: sp.csr_matrix, members: npt.NDArray[np.float32], pseudo: float = PSEUDO_COUNT) -> Floats:
    """log p(term | cluster) / p(term), one row per cluster; `members` holds each row's share in each cluster."""
    rate = np.asarray(terms.sum(0), np.float64).ravel() + 1e-9
    rate /= rate.sum()
    inside = np.asarray((terms.T @ members).T, np.float64)
    prior = pseudo * terms.shape[1]
    share = (inside + prior * rate) / (inside.sum(1, keepdims=True) + prior)
    return np.asarray(np.log(share / rate), np.float32)


def one_hot(labels: Labels, k: int) -> npt.NDArray[np.float32]:
    """Rows by clusters, 1 where the row belongs."""
    members = np.zeros((len(labels), k), np.float32)
    members[np.arange(len(labels)), labels] = 1
    return members


def soft_em(terms: sp.csr_matrix, labels: Labels, iterations: int = 20) -> Labels:
    """Labels after soft EM of a multinomial mixture that starts from `labels`."""
    members = one_hot(labels, int(labels.max()) + 1)
    for _ in range(iterations):
        score = TEMPER * (terms @ log_lift(terms, members).T) + np.log(members.sum(0) + 1.0)
        score -= score.max(1, keepdims=True)
        members = np.exp(score).astype(np.float32)
        members /= members.sum(1, keepdims=True)
    return relabelled(members.argmax(1))


def projected(rows: Floats, neighbours: int) -> Floats:
    """The linear map of `rows` that keeps graph neighbours together, strong directions stretched.

    Generalised eigenvectors of the neighbours' covariance against the ridged covariance of all rows (the linear
    form of Laplacian eigenmaps: He and Niyogi 2003), each weighted by its eigenvalue squared.
    """
    n = len(rows)
    x = rows - rows.mean(0)
    indices, cosines = nearest_neighbours(rows, neighbours)
    cells = (np.maximum(cosines, 0).ravel(), (np.repeat(np.arange(n), neighbours), indices.ravel()))
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


def self_trained(rows: Floats, terms: sp.csr_matrix, k: int, seed: int) -> Labels:
    """Labels of about `k` clusters from features `rows` and term presences `terms`."""
    n = len(rows)
    base = projected(rows, int(min(n - 1, 60, max(10, n / k / 2))))
    labels = soft_em(terms, spherical_kmeans(base, k, seed, starts=STARTS))
    for turn in range(ROUNDS):
        joined = unit_rows(np.hstack([base, SCORE_WEIGHT * _cross_fitted(terms, labels, seed + turn)]))
        labels = soft_em(terms, spherical_kmeans(joined, k, seed + 50 + turn, starts=STARTS))
    return labels


def _cross_fitted(terms: sp.csr_matrix, labels: Labels, seed: int) -> Floats:
    k = int(labels.max()) + 1
    members = one_hot(labels, k)
    half = np.random.default_rng([seed, 2]).random(len(labels)) < 0.5
    scores = np.zeros((len(labels), k), np.float32)
    for held_out in (half, ~half):
        scores[held_out] = terms[held_out] @ log_lift(terms, members * ~held_out[:, None]).T
    return centred(reduced(centred(unit_rows(scores - scores.mean(1, keepdims=True))), max(2, min(k - 1, 100)), 2.0))
