"""Vectors for texts, and how similar two texts are: models fitted on the texts at hand.

No download and no key is needed. `LexicalModel` compares words and spelling, for a question against a short
list. `LatentModel` learns from many texts which words belong together, so that patterns hold together when
people say the same in other words. An embedding model offers the same two methods (`Embedder`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol, Self

import numpy as np
from scipy import sparse

from feedback_lab.tokens import content_words, words

if TYPE_CHECKING:
    from sklearn.feature_extraction.text import TfidfVectorizer

WORD_WEIGHT = 0.7
DIMENSIONS = 100
CHUNK_ROWS = 1024

Vectors = np.ndarray | sparse.csr_matrix


class Embedder(Protocol):
    """What similarity needs to know about a model: learn from texts, turn texts into unit vectors."""

    def fit(self, texts: Sequence[str]) -> Self: ...

    def transform(self, texts: Sequence[str]) -> Vectors: ...


class LexicalModel:
    """In-corpus TF-IDF of words (weight 0.7) and of character 3- and 4-grams (0.3).

    The cosine of two vectors is the weighted mean of the two views' cosines, 0 to 1. The characters make
    "children" and "child" neighbours, and forgive a slip of the finger.
    """

    def __init__(self) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer  # costs a second that most commands can save

        self._views = (
            (WORD_WEIGHT, TfidfVectorizer(analyzer=_terms, sublinear_tf=True, dtype=np.float32)),
            (
                1 - WORD_WEIGHT,
                TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 4), sublinear_tf=True, dtype=np.float32),
            ),
        )
        self._fitted: list[tuple[float, TfidfVectorizer]] = []

    def fit(self, texts: Sequence[str]) -> Self:
        """Learn the weight of every term from `texts`. Texts without a single term leave a view empty."""
        self._fitted = []
        for weight, view in self._views:
            try:
                self._fitted.append((weight, view.fit(texts)))
            except ValueError:  # scikit-learn's word for "no term in any text"
                continue
        return self

    def transform(self, texts: Sequence[str]) -> sparse.csr_matrix:
        """One row a text, of length 1; a text without a known term is a row of zeros."""
        from sklearn.preprocessing import normalize

        if not self._fitted or not texts:
            return sparse.csr_matrix(np.zeros((len(texts), 1), dtype=np.float32))
        parts = [np.sqrt(weight).astype(np.float32) * view.transform(texts) for weight, view in self._fitted]
        return sparse.csr_matrix(normalize(sparse.hstack(parts).tocsr()))


class LatentModel:
    """`LexicalModel` reduced to its 100 strongest directions (latent semantic analysis, Deerwester et al. 1990).

    With fewer than 100 distinct texts nothing is lost and the cosines are those of `LexicalModel`; with many,
    texts that share no word come near each other when their words keep the same company. Repeatable: the
    decomposition starts from a fixed seed. Meant for the texts that it was fitted on.
    """

    def __init__(self, dimensions: int = DIMENSIONS) -> None:
        self.dimensions = dimensions
        self._lexical = LexicalModel()
        self._directions: np.ndarray | None = None

    def fit(self, texts: Sequence[str]) -> Self:
        """Learn terms and directions from `texts`."""
        from sklearn.utils.extmath import randomized_svd

        vectors = self._lexical.fit(texts).transform(texts)
        self._directions = None
        if self.dimensions < min(vectors.shape):
            _, _, directions = randomized_svd(vectors, self.dimensions, n_iter=4, random_state=0)
            self._directions = directions.T
        return self

    def transform(self, texts: Sequence[str]) -> Vectors:
        """One row a text, of length 1 (zeros without a known term): dense, or sparse where nothing was reduced."""
        vectors = self._lexical.transform(texts)
        if self._directions is None:
            return vectors
        reduced = np.asarray(vectors @ self._directions, dtype=np.float32)
        lengths = np.linalg.norm(reduced, axis=1, keepdims=True)
        return reduced / np.where(lengths > 1e-6, lengths, np.inf).astype(np.float32)


def similarities(rows: Vectors, others: Vectors) -> Iterator[tuple[int, np.ndarray]]:
    """Cosines of `rows` with `others`, in chunks: (number of the first row, float32 array rows x others)."""
    turned = others.T if isinstance(others, np.ndarray) else others.T.tocsr()
    for start in range(0, rows.shape[0], CHUNK_ROWS):
        product = rows[start : start + CHUNK_ROWS] @ turned
        yield start, product if isinstance(product, np.ndarray) else np.asarray(product.todense())


def _terms(text: str) -> list[str]:
    """Content words, and pairs of neighbours; where a text has only function words, these."""
    found = content_words(text) or words(text)
    return found + [f"{left} {right}" for left, right in pairwise(found)]
