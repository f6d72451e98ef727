"""Clusters of comments, without a given number of clusters, and the model that assigns new comments to them.

Learning: features (two views, a third where an embedding model gives vectors), the number of clusters by what they
tell and how well they can be told, self-training, sub-issues by prediction strength inside each cluster, and last a
small model of stems and pairs of stems, which labels what was not learned from and every comment that comes later. A
few comments are grouped by the words that they share.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from feedback_lab.issues.grouping.comments import Comments, indicator, judges_only, read
from feedback_lab.issues.grouping.copies import votes
from feedback_lab.issues.grouping.emerging import emerging
from feedback_lab.issues.grouping.features import Floats, Rows, embed, mixture_terms, spelling, word_presence
from feedback_lab.issues.grouping.few import nearest_groups, plain_groups
from feedback_lab.issues.grouping.kmeans import Labels, relabelled
from feedback_lab.issues.grouping.mixture import Trainer
from feedback_lab.issues.grouping.model import LEARNED_FROM, SMALLEST_ISSUE, UNASSIGNED, Assigned, Clustering, learned
from feedback_lab.issues.grouping.selection import Evidence, best_number, neighbour_graph
from feedback_lab.issues.grouping.sub_issues import split

__all__ = ["SMALLEST_ISSUE", "UNASSIGNED", "Assigned", "Clustering", "cluster", "emerging"]

COMMENTS_PER_ISSUE = 20  # differently worded ones, on average: fewer show no pattern
A_HANDFUL = 12  # issues may come out of few comments
A_FEW = 60  # comments, whose groups are those that share words, whatever else is known of them
A_FEW_HUNDRED = 400  # as many, where words are all that is known and the number of issues is to be found
MOST_ISSUES = 300
ENOUGH_TO_SELF_TRAIN = 200
FEWEST_VOTES = 150  # near-copies share a vote only as far as so many are left: of few comments each one is needed
LOOKED_AT = 60_000
ANOTHER_DRAW = 1_000_003  # added to the seed

Progress = Callable[[int, int, str], None]


def cluster(
    texts: Sequence[str],
    *,
    n_clusters: int | None = None,
    seed: int = 0,
    vectors: Rows | None = None,
    corpus: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> Clustering:
    """Group `texts` by what they are about.

    Without `n_clusters` the number is chosen from the data: at most one issue for 20 differently worded comments, but
    up to twelve of at least three comments. With it, at most that many come out. Clusters of fewer than three comments
    are dissolved. The same texts in the same order with the same seed give the same clusters. Above 6,000 texts a
    sample is clustered and the rest assigned. `vectors` are the texts' embeddings (one row each), `corpus` more texts
    of the same world (questions and answers) to learn from which words belong together; `progress(done, total, what)`
    may raise to cancel. Raises ValueError where `n_clusters` is below 1.
    """
    if n_clusters is not None and n_clusters < 1:
        raise ValueError(f"n_clusters must be at least 1, got {n_clusters}")
    tell = progress or (lambda done, total, what: None)
    tell(0, 4, "reading the comments")
    pool = _pool(len(texts), seed)
    read_first = read([texts[i] for i in pool])
    chosen, copies = _rows_to_learn_from(read_first, seed)
    rows, sample = pool[chosen], read_first.take(chosen)
    own = None if vectors is None else vectors[rows]
    # One thread: the order of floating-point sums, and with it the result, must not depend on the machine's cores.
    with threadpool_limits(limits=1):
        tell(1, 4, "finding the issues")
        spelled = spelling(sample.texts)
        features = embed(spelled, sample.docs, sample.contents, vectors=own, corpus=corpus or ())
        weights = votes(spelled)
        weights = np.minimum(copies, weights * max(1, FEWEST_VOTES / max(1.0, float(weights.sum()))))
        model, labels = _settled(sample, _learn(sample, features, weights, n_clusters, seed, own), copies, own)
        tell(2, 4, "finding the sub-issues")
        model = replace(model, subs=split(sample, features, labels, model.vocabulary, seed))
        tell(3, 4, "labelling every comment")
        preferred = np.full(len(texts), UNASSIGNED, np.int64)
        preferred[pool] = _like_their_copies(read_first, sample, labels)
        found = replace(model, **model.assign_all(texts, vectors, preferred=preferred)._asdict())
        return _numbered_by_size(found)


def _pool(n: int, seed: int) -> npt.NDArray[np.int64]:
    """Rows to look at for learning: all, or a sample of a very large set."""
    if n <= LOOKED_AT:
        return np.arange(n)
    return np.sort(np.random.default_rng([seed, 8]).choice(n, LOOKED_AT, replace=False))


def _rows_to_learn_from(comments: Comments, seed: int) -> tuple[npt.NDArray[np.int64], Floats]:
    """Rows that share an informative word with another row, sampled where there are too many, and what each stands for.

    n equal ones are taken 1 + log10(n) times: they count, but do not dominate.
    """
    copies = Counter(tuple(doc) for doc in comments.docs)
    known = Counter(term for content in comments.contents for term in set(content))
    seen: Counter[tuple[str, ...]] = Counter()
    rows = []
    for i, doc in enumerate(comments.docs):
        key = tuple(doc)
        seen[key] += 1
        shared = any(known[term] > 1 and not judges_only(term) for term in comments.contents[i])
        if shared and seen[key] <= 1 + math.log10(copies[key]):
            rows.append(i)
    if len(rows) > LEARNED_FROM:
        rows = sorted(np.random.default_rng([seed, 7]).choice(rows, LEARNED_FROM, replace=False).tolist())
    taken = Counter(tuple(comments.docs[i]) for i in rows)
    stand_for = [copies[key] / taken[key] for key in (tuple(comments.docs[i]) for i in rows)]
    return np.array(rows, np.int64), np.array(stand_for, np.float32)


def _like_their_copies(comments: Comments, sample: Comments, labels: Labels) -> Labels:
    """For each of `comments` the label of the same words in `sample`, -1 where they are not in it."""
    label_of = {tuple(doc): int(label) for doc, label in zip(sample.docs, labels, strict=True)}
    return np.array([label_of.get(tuple(doc), UNASSIGNED) for doc in comments.docs], np.int64)


def _learn(
    comments: Comments, features: Floats, weights: Floats, n_clusters: int | None, seed: int, vectors: Floats | None
) -> Labels:
    """The issue of each comment that is learned from."""
    n = len(comments.texts)
    different = float(weights.sum())
    few = min(A_HANDFUL, different / SMALLEST_ISSUE)
    most = n_clusters or min(MOST_ISSUES, int(max(few, different / COMMENTS_PER_ISSUE)))
    if most <= 1 or n < 3:
        return np.zeros(n, np.int64)
    if n_clusters is not None and n <= A_FEW:
        return nearest_groups(comments, most)
    trainer = Trainer(features, mixture_terms(comments.texts, word_presence(comments.contents)[0]), vectors)
    if n_clusters is not None:
        return trainer.clusters(min(most, n), seed, merged=True)
    if n <= (A_FEW_HUNDRED if vectors is None else A_FEW):
        trained = partial(trainer.clusters, seed=seed, merged=True, rounds=1, steps=8)
        return plain_groups(comments, weights, most, trained)
    tried: list[Labels] = []

    def clusters(k: int, draw: int) -> Labels:
        tried.append(trainer.clusters(k, seed + draw * ANOTHER_DRAW, rounds=1, steps=8))
        return tried[-1]

    words = _stems_present(comments.contents)
    evidence = Evidence(neighbour_graph(trainer.neighbours), words, weights, trainer.vectors)
    k = best_number(clusters, evidence, 2, most)
    if n < ENOUGH_TO_SELF_TRAIN:
        return clusters(k, 0)
    return trainer.clusters(k, seed, merged=True, tried=tried)


def _stems_present(contents: Sequence[list[str]]) -> sp.csr_matrix:
    counts = Counter(term for content in contents for term in set(content))
    index = {term: i for i, term in enumerate(sorted(term for term, count in counts.items() if count > 1))}
    return indicator(contents, index)


def _settled(comments: Comments, start: Labels, copies: Floats, vectors: Floats | None) -> tuple[Clustering, Labels]:
    """The model of the clusters `start`, and its members; clusters that keep too few comments are dissolved.

    `copies` is how many comments each stands for.
    """
    while True:
        start = _without_gaps(start)
        kept = np.flatnonzero(start >= 0)
        k = int(start.max(initial=-1)) + 1
        model = learned(comments.take(kept), start[kept], k, None if vectors is None else vectors[kept])
        labels = model.judge(comments, vectors, preferred=start).labels
        sizes = np.bincount(labels[labels >= 0], copies[labels >= 0], minlength=k) + 1e-3
        if (sizes >= SMALLEST_ISSUE).all():
            return model, labels
        start = np.where((start >= 0) & (sizes[start] >= SMALLEST_ISSUE), start, UNASSIGNED)


def _without_gaps(labels: Labels) -> Labels:
    found = np.full(len(labels), UNASSIGNED, np.int64)
    found[labels >= 0] = relabelled(labels[labels >= 0])
    return found


def _numbered_by_size(found: Clustering) -> Clustering:
    order = (-np.bincount(found.labels[found.labels >= 0], minlength=found.n_clusters)).argsort(kind="stable")
    rank = np.append(order.argsort(), UNASSIGNED)
    return replace(
        found,
        labels=rank[found.labels],
        weights=found.weights[order],
        priors=np.append(found.priors[:-1][order], found.priors[-1]),
        subs=replace(found.subs, issue_of=rank[found.subs.issue_of]),
        directions=found.directions and found.directions.reordered(order),
    )
