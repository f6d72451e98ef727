"""The small model that outlives a clustering: stems and pairs of stems, how much each speaks for each issue.

It labels comments as they arrive, says which of an issue's sub-issues they belong to, and follows its issues as
they grow (`refit`) without ever clustering anew. What says nothing ("bad") or fits nowhere gets -1.
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from feedback_lab.issues.grouping.comments import Coded, Comments, coded, empty_words, read, read_coded
from feedback_lab.issues.grouping.features import Floats, Rows, word_presence
from feedback_lab.issues.grouping.kmeans import Labels
from feedback_lab.issues.grouping.mixture import TEMPER, log_lift, one_hot
from feedback_lab.issues.grouping.sub_model import SubModel
from feedback_lab.issues.grouping.vector_model import VectorModel, learned_directions

UNASSIGNED = -1
SMALLEST_ISSUE = 3  # every issue shows three sample comments
# The share of comments that "none of the issues" is expected to have. With 0.05, models of about 100 issues refuse 5 %
# of new comments of their own world and 70 % of those of another.
BACKGROUND = 0.05
CLEARLY_BETTER = 5.0  # nats by which another issue must fit better, before a comment leaves its own
BETTER_THAN_NONE = 0.5  # nats by which an issue must fit better than none, before a comment that fitted none joins it
LEARNED_FROM = 6_000
REFIT_ROUNDS = 3
AT_A_TIME = 50_000

Bools = npt.NDArray[np.bool_]


class Assigned(NamedTuple):
    """What the model says of comments, one entry each.

    `labels`: the issue, -1 none. `scores`: probability (0 to 1) of the best issue, against all others and none.
    `sub_labels`: the sub-issue, numbered from 0 within each issue, -1 none. `low_information`: says nothing.
    """

    labels: Labels
    scores: Floats
    sub_labels: Labels
    low_information: Bools


@dataclass(frozen=True, eq=False)
class Clustering:
    """A grouping of comments and the model behind it.

    `labels`, `scores`, `sub_labels` and `low_information` hold one entry per comment that it was made from (see
    `Assigned`); after `cluster`, issue 0 is the largest. `vocabulary` are the model's terms, `weights` (issues by
    terms) how much each term speaks for an issue, `priors` the log size of each issue, the last one that of "none".
    `rates` are the terms' shares of all terms, `empty` are words that occur in all issues alike. `directions` are
    there where vectors were given.
    """

    labels: Labels
    scores: Floats
    vocabulary: tuple[str, ...]
    weights: npt.NDArray[np.float32]
    priors: npt.NDArray[np.float64]
    rates: Floats
    sub_labels: Labels
    low_information: Bools
    empty: frozenset[str] = frozenset()
    subs: SubModel = field(default_factory=SubModel)
    directions: VectorModel | None = None

    def without_vectors(self) -> Clustering:
        """The model by its words alone, to learn on with vectors of another kind."""
        return replace(self, directions=None)

    @property
    def n_clusters(self) -> int:
        """How many clusters the model knows."""
        return len(self.priors) - 1

    def assign(self, texts: Sequence[str], vectors: Rows | None = None) -> Labels:
        """The cluster of each of `texts`, -1 where none fits. Nothing is re-clustered."""
        return self.assign_all(texts, vectors).labels

    def assign_all(
        self, texts: Sequence[str], vectors: Rows | None = None, *, preferred: Labels | None = None
    ) -> Assigned:
        """Everything that the model says of `texts`; `vectors` of the kind that it was learned with, if any.

        A text with a `preferred` issue (0 or above) stays there, unless it fits none or says nothing.
        """
        return self.judge(read_coded(texts), vectors, preferred=preferred)

    def judge(
        self,
        comments: Comments | Coded,
        vectors: Rows | None = None,
        *,
        preferred: Labels | None = None,
        placed: Labels | None = None,
    ) -> Assigned:
        """`assign_all` for comments that were read before; sub-issues are those of the issues `placed`, where given."""
        parts: list[Assigned] = []
        start = 0
        for part in _coded(comments).parts(AT_A_TIME):
            some = slice(start, start + len(part))
            start += len(part)
            own = None if vectors is None else vectors[some]
            presence, nothing = self.presence(part), part.says_nothing(self.empty)
            kept = None if preferred is None else preferred[some]
            labels, scores = decide(self.evidence(presence, own), nothing, self.known(presence, own), kept)
            subs = self.subs.assign(presence, labels if placed is None else placed[some])
            parts.append(Assigned(labels, scores, subs, nothing))
        return Assigned(*(np.concatenate(column) for column in zip(*parts, strict=True)))

    def presence(self, comments: Comments | Coded) -> sp.csr_matrix:
        """Which terms of the vocabulary each comment has."""
        return _coded(comments).presence({term: i for i, term in enumerate(self.vocabulary)})

    def known(self, presence: sp.csr_matrix, vectors: Floats | None) -> Bools:
        """Which comments have anything that the model can judge by."""
        told = np.asarray(np.diff(presence.indptr) > 0)
        return told if vectors is None or self.directions is None else told | vectors.any(1)

    def evidence(self, presence: sp.csr_matrix, vectors: Floats | None = None) -> npt.NDArray[np.float64]:
        """Log weight of each cluster, and last of none, for each comment."""
        told = TEMPER * np.asarray(presence @ self.weights.T, np.float64)
        if vectors is not None and self.directions is not None:
            told += self.directions.evidence(vectors)
        return np.hstack([told, np.zeros((presence.shape[0], 1))]) + self.priors

    def to_bytes(self) -> bytes:
        """The grouping and its model as an .npz archive of plain arrays and one JSON text, without pickle."""
        words = json.dumps({"vocabulary": self.vocabulary, "empty": sorted(self.empty)})
        arrays = {
            "labels": self.labels,
            "scores": self.scores,
            "sub_labels": self.sub_labels,
            "low_information": self.low_information,
            "words": np.frombuffer(words.encode(), np.uint8),
            "weights": self.weights.astype(np.float16),  # exact: `fitted` rounds the weights to half precision
            "priors": self.priors,
            "rates": self.rates,
            "sub_issue_of": self.subs.issue_of,
            "sub_priors": self.subs.priors,
            "sub_data": self.subs.weights.data.astype(np.float16),
            "sub_indices": self.subs.weights.indices,
            "sub_indptr": self.subs.weights.indptr,
        }
        if self.directions is not None:
            arrays |= {name: np.array(value) for name, value in vars(self.directions).items()}
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> Clustering:
        """What `to_bytes` wrote. Raises ValueError where `data` is something else."""
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as stored:
                return _restored({name: stored[name] for name in stored.files})
        except (KeyError, OSError, EOFError, ValueError, BadZipFile) as error:
            raise ValueError("these bytes do not hold a stored clustering") from error

    def refit(
        self, texts: Sequence[str], labels: Labels, fixed: Bools, *, vectors: Rows | None = None, seed: int = 0
    ) -> Clustering:
        """The model after a few rounds of learning from `texts`, which start in the issues `labels`.

        `labels` uses this model's numbers, which stay as they are; a number that is new is a new issue, -1 is a
        comment that has none yet. Rows where `fixed` is true keep what they have, -1 too. Another comment leaves
        its issue only for one that fits clearly better. Sub-issues keep their numbers.
        """
        comments = read_coded(texts)
        first = self.judge(comments, vectors)
        current = np.where((labels < 0) & ~fixed, first.labels, labels)
        k = max(self.n_clusters, int(current.max(initial=-1)) + 1)
        rows = _some(np.flatnonzero(current >= 0), seed)
        sample = read([texts[row] for row in rows])
        model = self
        for _ in range(REFIT_ROUNDS if len(rows) else 0):
            model = learned(sample, current[rows], k, None if vectors is None else vectors[rows])
            current = np.where(fixed, labels, model.settled(comments, current, vectors))
        index = {term: i for i, term in enumerate(model.vocabulary)}
        model = replace(model, subs=self.subs.over(self.vocabulary, index))
        judged = model.judge(comments, vectors, placed=current)
        return replace(
            model,
            labels=current,
            scores=judged.scores,
            sub_labels=judged.sub_labels,
            low_information=judged.low_information,
        )

    def settled(self, comments: Comments | Coded, labels: Labels, vectors: Rows | None = None) -> Labels:
        """Where comments go that are in `labels` now: elsewhere only where they clearly fit better."""
        found: list[Labels] = []
        start = 0
        for part in _coded(comments).parts(AT_A_TIME):
            some = slice(start, start + len(part))
            start += len(part)
            own = None if vectors is None else vectors[some]
            presence = self.presence(part)
            evidence = self.evidence(presence, own)
            now, each = labels[some], np.arange(len(part))
            best, _ = decide(evidence, part.says_nothing(self.empty), self.known(presence, own))
            gain = evidence[each, best] - evidence[each, now]  # of those without an issue: the weight of none
            least = np.where(now < 0, BETTER_THAN_NONE, CLEARLY_BETTER)
            found.append(np.where((best >= 0) & (gain > least), best, now))
        return np.concatenate(found)


def _coded(comments: Comments | Coded) -> Coded:
    return comments if isinstance(comments, Coded) else coded(comments.contents)


def learned(comments: Comments, labels: Labels, k: int, vectors: Floats | None = None) -> Clustering:
    """The model of `k` issues whose members among `comments` are `labels` (0 and above); nothing is labelled yet."""
    words, vocabulary = word_presence(comments.contents)
    members = one_hot(labels, k)
    sizes = np.maximum(members.sum(0), 0.5).astype(np.float64)
    weights = log_lift(words, members) if vocabulary else np.zeros((k, 0), np.float32)
    none = np.zeros(0, np.int64)
    return Clustering(
        labels=none,
        scores=np.zeros(0, np.float32),
        vocabulary=tuple(vocabulary),
        weights=weights.astype(np.float16).astype(np.float32),
        priors=np.log(np.append(sizes, BACKGROUND * sizes.sum() if k else 1.0)),
        rates=np.asarray(words.sum(0) / max(1, words.nnz), np.float32).ravel(),
        sub_labels=none,
        low_information=np.zeros(0, np.bool_),
        empty=empty_words(words, vocabulary, labels),
        directions=None if vectors is None else learned_directions(vectors, members, labels, BACKGROUND),
    )


def decide(
    evidence: npt.NDArray[np.float64], nothing: Bools, known: Bools, preferred: Labels | None = None
) -> tuple[Labels, Floats]:
    """Best cluster (where none is `preferred`) and its posterior.

    -1 where a comment says nothing, or "none" is more probable than any cluster.
    """
    n, k = evidence.shape[0], evidence.shape[1] - 1
    if k == 0:
        return np.full(n, UNASSIGNED, np.int64), np.zeros(n, np.float32)
    posterior = np.exp(evidence - evidence.max(1, keepdims=True))
    posterior /= posterior.sum(1, keepdims=True)
    best = posterior[:, :-1].argmax(1)
    tells = known & ~nothing
    fits = tells & (posterior[np.arange(n), best] > posterior[:, -1])
    if preferred is not None:
        best = np.where(preferred >= 0, preferred, best)
    score = posterior[np.arange(n), best]
    return np.where(fits, best, UNASSIGNED).astype(np.int64), np.where(tells, score, 0).astype(np.float32)


def _some(rows: npt.NDArray[np.int64], seed: int) -> npt.NDArray[np.int64]:
    if len(rows) <= LEARNED_FROM:
        return rows
    return np.sort(np.random.default_rng([seed, 7]).choice(rows, LEARNED_FROM, replace=False))


def _restored(stored: dict[str, npt.NDArray[Any]]) -> Clustering:
    n = len(stored["labels"])
    if "words" in stored:
        words = json.loads(stored["words"].tobytes())
    else:  # models of the first release had one level only
        words = {"vocabulary": json.loads(stored["vocabulary"].tobytes()), "empty": []}
    subs = SubModel()
    if "sub_indptr" in stored:
        cells = (stored["sub_data"].astype(np.float32), stored["sub_indices"], stored["sub_indptr"])
        shape = (len(stored["sub_issue_of"]), len(words["vocabulary"]))
        subs = SubModel(stored["sub_issue_of"], sp.csr_matrix(cells, shape=shape), stored["sub_priors"])
    return Clustering(
        labels=stored["labels"],
        scores=stored["scores"],
        vocabulary=tuple(words["vocabulary"]),
        weights=stored["weights"].astype(np.float32),
        priors=stored["priors"],
        rates=stored.get("rates", np.full(len(words["vocabulary"]), 1e-4, np.float32)),
        sub_labels=stored.get("sub_labels", np.full(n, UNASSIGNED, np.int64)),
        low_information=stored.get("low_information", np.zeros(n, np.bool_)),
        empty=frozenset(words["empty"]),
        subs=subs,
        directions=VectorModel.restored(stored),
    )
