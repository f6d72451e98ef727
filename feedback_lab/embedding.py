"""Vectors for texts, and how similar two texts are: a lexical model fitted on the corpus at hand.

Needs no download and no key. A text becomes the joined TF-IDF of its content words and of its character
n-grams, so that "children" and "child" are near each other and a slip of the finger is forgiven. An
embedding model offers the same two methods (`Embedder`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol, Self

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import normalize

from feedback_lab.tokens import content_words, words

WORD_WEIGHT = 0.7
CHUNK_ROWS = 1024


class Embedder(Protocol):
    """What similarity needs to know about a model: learn from texts, turn texts into unit vectors."""

    def fit(self, texts: Sequence[str]) -> Self: ...

    def transform(self, texts: Sequence[str]) -> sparse.csr_matrix: ...


class LexicalModel:
    """In-corpus TF-IDF of words (weight 0.7) and of character 3- and 4-grams (0.3).

    The cosine of two vectors is the weighted mean of the two views' cosines, 0 to 1.
    """

    def __init__(self) -> None:
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
        if not self._fitted or not texts:
            return sparse.csr_matrix(np.zeros((len(texts), 1), dtype=np.float32))
        parts = [np.sqrt(weight).astype(np.float32) * view.transform(texts) for weight, view in self._fitted]
        return sparse.csr_matrix(normalize(sparse.hstack(parts).tocsr()))


def similarities(rows: sparse.csr_matrix, others: sparse.csr_matrix) -> Iterator[tuple[int, np.ndarray]]:
    """Cosines of `rows` with `others`, in chunks: (number of the first row, float32 array rows x others)."""
    turned = others.T.tocsr()
    for start in range(0, rows.shape[0], CHUNK_ROWS):
        yield start, np.asarray((rows[start : start + CHUNK_ROWS] @ turned).todense())


def _terms(text: str) -> list[str]:
    """Content words, and pairs of neighbours; where a text has only function words, these."""
    found = content_words(text) or words(text)
    return found + [f"{left} {right}" for left, right in zip(found, found[1:], strict=False)]
