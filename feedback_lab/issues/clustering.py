"""Clusters of comments, without a given number of clusters, and the model that assigns new comments to them.

Learning: features (two views), the number of clusters by description length, self-training, and last a small
model of stems and pairs of stems. That model alone labels every comment, those it learned from too, so a stored
model always says the same. What says nothing ("bad") or fits nowhere gets -1.
"""

from __future__ import annotations

import io
import json
import math
from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from feedback_lab.issues.features import (
    LONGEST_TEXT,
    Floats,
    distinctness,
    embed,
    mixture_terms,
    with_pairs,
    word_presence,
)
from feedback_lab.issues.kmeans import Labels, relabelled
from feedback_lab.issues.mixture import TEMPER, log_lift, one_hot, self_trained
from feedback_lab.issues.selection import Evidence, best_partition
from feedback_lab.tokens import stem, tokens

UNASSIGNED = -1
SMALLEST_ISSUE = 3  # every issue shows three sample comments
MOST_ISSUES = 60  # a list that a person can read
COMMENTS_PER_ISSUE = 4
LEARNED_FROM = 10_000
ENOUGH_TO_SELF_TRAIN = 150
FEWEST_VOTES = 150  # near-duplicates share a vote only as far as so many are left: of few comments each one is needed
# Both chosen on comments of one data set under the model of another: of foreign comments 60 to 70 % are refused by a
# model of 60 issues (few by one of ten), of its own about 5 %.
BACKGROUND = 0.05  # weight of "none of the issues", in issues of average size
DOUBTFUL = 0.25  # a comment whose best cluster is less probable fits none
ASSIGNED_AT_A_TIME = 50_000

# A comment made of these alone judges without saying what is wrong.
_SAYS_NOTHING = frozenset(
    stem(word)
    for word in """
    bad good no not yes nope nah ok okay never none nothing very too so more most less only still again please thanks
    thank sorry wrong poor terrible awful horrible worst worse best better great nice useless hate sucks suck crap shit
    fuck fucking damn lol wtf hmm meh ugh what why how who when where which off on up down out over under before after
    isn't don't doesn't didn't can't cannot won't wasn't aren't really totally absolutely completely extremely like
    love dislike disappointed disappointing fail really bullshit garbage trash rubbish
    schlecht gut nein nicht ja danke leider sehr mies falsch mal malo mala bien bueno no nada mauvais nul non oui
    bon merci pas male buono grazie ruim bom não sim slecht goed niet 悪い 良い 最悪 残念 だめ ダメ 违法 不好 很差 差评
    """.split()
)


@dataclass(frozen=True, slots=True)
class _Comments:
    """Comments as the model reads them: all stems, and the stems that are not function words."""

    texts: list[str]
    docs: list[list[str]]
    contents: list[list[str]]

    def take(self, rows: npt.NDArray[np.int64]) -> _Comments:
        return _Comments([self.texts[i] for i in rows], [self.docs[i] for i in rows], [self.contents[i] for i in rows])


def _read(texts: Sequence[str]) -> _Comments:
    short = [text[:LONGEST_TEXT] for text in texts]
    found = [tokens(text) for text in short]
    docs = [[stemmed for stemmed, _, _ in words] for words in found]
    contents = [[stemmed for stemmed, _, is_function in words if not is_function] for words in found]
    return _Comments(short, docs, contents)


@dataclass(frozen=True, eq=False)
class Clustering:
    """A grouping of comments and the model behind it.

    `labels` holds one number per comment that it was made from: 0 is the largest cluster, -1 is unassigned.
    `scores` is the probability (0 to 1) of the best cluster for each comment, against all others and none.
    `vocabulary` are the model's terms, `weights` (clusters by terms) how much each term speaks for a cluster,
    `priors` the log size of each cluster, the last one that of "none".
    """

    labels: Labels
    scores: Floats
    vocabulary: tuple[str, ...]
    weights: npt.NDArray[np.float32]
    priors: npt.NDArray[np.float64]

    @property
    def n_clusters(self) -> int:
        """How many clusters the model knows."""
        return len(self.priors) - 1

    def assign(self, texts: Sequence[str]) -> Labels:
        """The cluster of each of `texts`, -1 where none fits. Nothing is re-clustered."""
        return self.assign_scored(texts)[0]

    def assign_scored(self, texts: Sequence[str]) -> tuple[Labels, Floats]:
        """`assign`, and for each text the probability (0 to 1) of its best cluster."""
        parts = [
            self._assign_part(texts[start : start + ASSIGNED_AT_A_TIME])
            for start in range(0, len(texts), ASSIGNED_AT_A_TIME)
        ]
        if not parts:
            return np.zeros(0, np.int64), np.zeros(0, np.float32)
        return np.concatenate([labels for labels, _ in parts]), np.concatenate([scores for _, scores in parts])

    def _assign_part(self, texts: Sequence[str]) -> tuple[Labels, Floats]:
        if self.n_clusters == 0:
            return np.full(len(texts), UNASSIGNED, np.int64), np.zeros(len(texts), np.float32)
        presence, informative = _presence(_read(texts).contents, {t: i for i, t in enumerate(self.vocabulary)})
        return _decide(presence, informative, self.weights, self.priors)

    def to_bytes(self) -> bytes:
        """The grouping and its model as an .npz archive of plain arrays and one JSON text, without pickle."""
        vocabulary = np.frombuffer(json.dumps(self.vocabulary).encode(), np.uint8)
        buffer = io.BytesIO()
        np.savez_compressed(
            buffer,
            labels=self.labels,
            scores=self.scores,
            vocabulary=vocabulary,
            weights=self.weights.astype(np.float16),  # exact: `_fitted` rounds the weights to half precision
            priors=self.priors,
        )
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> Clustering:
        """What `to_bytes` wrote. Raises ValueError where `data` is something else."""
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as stored:
                return cls(
                    labels=stored["labels"],
                    scores=stored["scores"],
                    vocabulary=tuple(json.loads(stored["vocabulary"].tobytes())),
                    weights=stored["weights"].astype(np.float32),
                    priors=stored["priors"],
                )
        except (KeyError, OSError, EOFError, ValueError, BadZipFile) as error:
            raise ValueError("these bytes do not hold a stored clustering") from error


def cluster(texts: Sequence[str], *, n_clusters: int | None = None, seed: int = 0) -> Clustering:
    """Group `texts` by what they are about.

    Without `n_clusters` the number is chosen from the data: at most 60, and at least four comments each. With it,
    at most that many come out. Clusters of fewer than three comments are dissolved. The same texts in the same
    order with the same seed give the same clusters. Above 10,000 distinct texts a sample is clustered and the rest
    assigned. Raises ValueError where `n_clusters` is below 1.
    """
    if n_clusters is not None and n_clusters < 1:
        raise ValueError(f"n_clusters must be at least 1, got {n_clusters}")
    comments = _read(texts)
    learned = comments.take(_rows_to_learn_from(comments, seed))
    # One thread: the order of floating-point sums, and with it the result, must not depend on the machine's cores.
    with threadpool_limits(limits=1):
        start = _learn(learned, n_clusters, seed)
        return _fitted(comments, learned, start)


def _rows_to_learn_from(comments: _Comments, seed: int) -> npt.NDArray[np.int64]:
    """Rows that share an informative word with another row, sampled where there are too many.

    n equal ones are taken 1 + log10(n) times: they count, but do not dominate.
    """
    copies = Counter(tuple(doc) for doc in comments.docs)
    known = Counter(term for content in comments.contents for term in set(content))
    seen: Counter[tuple[str, ...]] = Counter()
    rows = []
    for i, doc in enumerate(comments.docs):
        key = tuple(doc)
        seen[key] += 1
        shared = any(known[term] > 1 and term not in _SAYS_NOTHING for term in comments.contents[i])
        if shared and seen[key] <= 1 + math.log10(copies[key]):
            rows.append(i)
    if len(rows) > LEARNED_FROM:
        rows = sorted(np.random.default_rng([seed, 7]).choice(rows, LEARNED_FROM, replace=False).tolist())
    return np.array(rows, np.int64)


def _learn(comments: _Comments, n_clusters: int | None, seed: int) -> Labels:
    n = len(comments.texts)
    most = n_clusters or min(MOST_ISSUES, n // COMMENTS_PER_ISSUE)
    if most <= 1:
        return np.zeros(n, np.int64)
    rows = embed(comments.texts, comments.docs, comments.contents)
    words, _ = word_presence(comments.contents)
    labels = np.zeros(n, np.int64)
    k = min(most, n)
    if n_clusters is None:
        fewest = 1 if n < 20 else 2 if n < 500 else 4
        votes = distinctness(comments.texts)
        votes = np.minimum(1, votes * max(1, FEWEST_VOTES / votes.sum()))
        evidence = Evidence(_stems_present(comments.docs), votes)
        best = best_partition(rows, evidence, seed, fewest, most)
        labels, k = best.labels, best.k
    if k < 2 or (n < ENOUGH_TO_SELF_TRAIN and n_clusters is None):
        return labels
    return self_trained(rows, mixture_terms(comments.texts, words), k, seed)


def _stems_present(docs: Sequence[list[str]]) -> sp.csr_matrix:
    counts = Counter(term for doc in docs for term in set(doc))
    index = {term: i for i, term in enumerate(sorted(term for term, count in counts.items() if count > 1))}
    return _indicator(docs, index)


def _fitted(comments: _Comments, learned: _Comments, start: Labels) -> Clustering:
    """The final model, fitted to the groups of `learned`; clusters that attract too few of `comments` dissolve."""
    words, vocabulary = word_presence(learned.contents)
    index = {term: i for i, term in enumerate(vocabulary)}
    presence, informative = _presence(comments.contents, index)
    nothing = np.zeros((0, len(vocabulary)), np.float32)
    weights, sizes = nothing, np.zeros(0)
    if vocabulary:
        start = relabelled(start)
        weights = log_lift(words, one_hot(start, int(start.max()) + 1))
        weights = weights.astype(np.float16).astype(np.float32)
        sizes = np.bincount(start).astype(np.float64)
    while True:
        priors = np.log(np.append(sizes, BACKGROUND * sizes.mean() if len(sizes) else 1.0))
        labels, scores = _decide(presence, informative, weights, priors)
        members = np.bincount(labels[labels >= 0], minlength=len(sizes))
        if (members >= SMALLEST_ISSUE).all():
            break
        weights, sizes = weights[members >= SMALLEST_ISSUE], sizes[members >= SMALLEST_ISSUE]
    order = (-members).argsort(kind="stable")
    rank = np.append(order.argsort(), UNASSIGNED)
    priors = np.append(priors[:-1][order], priors[-1])
    return Clustering(rank[labels], scores, tuple(vocabulary), weights[order], priors)


def _presence(contents: Sequence[list[str]], index: dict[str, int]) -> tuple[sp.csr_matrix, npt.NDArray[np.bool_]]:
    """Which terms of `index` each comment has, and whether one of them says more than "good" or "bad"."""
    informative = [any(word in index and word not in _SAYS_NOTHING for word in content) for content in contents]
    return _indicator(map(with_pairs, contents), index), np.array(informative, np.bool_)


def _indicator(docs: Iterable[list[str]], index: dict[str, int]) -> sp.csr_matrix:
    columns, ends = array("q"), array("q", [0])
    for doc in docs:
        columns.extend(sorted({index[term] for term in doc if term in index}))
        ends.append(len(columns))
    shape = (len(ends) - 1, len(index))
    return sp.csr_matrix((np.ones(len(columns), np.float32), np.array(columns), np.array(ends)), shape=shape)


def _decide(
    presence: sp.csr_matrix,
    informative: npt.NDArray[np.bool_],
    weights: npt.NDArray[np.float32],
    priors: npt.NDArray[np.float64],
) -> tuple[Labels, Floats]:
    """Best cluster and its posterior; -1 where nothing informative is known, or no cluster is probable enough."""
    n = presence.shape[0]
    if len(weights) == 0:
        return np.full(n, UNASSIGNED, np.int64), np.zeros(n, np.float32)
    evidence = np.hstack([TEMPER * np.asarray(presence @ weights.T, np.float64), np.zeros((n, 1))]) + priors
    evidence -= evidence.max(1, keepdims=True)
    posterior = np.exp(evidence)
    posterior /= posterior.sum(1, keepdims=True)
    best = posterior[:, :-1].argmax(1)
    score = posterior[np.arange(n), best]
    fits = informative & (score > posterior[:, -1]) & (score >= DOUBTFUL)
    return np.where(fits, best, UNASSIGNED).astype(np.int64), np.where(informative, score, 0).astype(np.float32)
