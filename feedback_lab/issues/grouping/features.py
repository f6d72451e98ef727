"""Comments as numbers, learned from the comments alone: two views of meaning and the terms that clusters are made of.

View A sees spelling and rare words: TF-IDF of stems and of character 3- to 5-grams, reduced by a truncated SVD.
View B sees company: word vectors from which words occur in one comment (positive pointwise mutual information
with context smoothing, Levy, Goldberg and Dagan 2015), averaged with smooth inverse frequency weights (Arora,
Liang and Ma 2017). Each is centred, so that what all comments share does not make them similar.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer, TfidfVectorizer
from sklearn.utils.extmath import randomized_svd

from feedback_lab.tokens import words

Floats = npt.NDArray[np.float32]


class Rows(Protocol):
    """Vectors of texts, one row each: an array, or what reads like one and holds them more tightly."""

    def __getitem__(self, rows: Any, /) -> Floats: ...


DIMENSIONS = 100
CHARACTER_TERMS = 60_000
CHARACTER_WEIGHT = 0.35
LONGEST_TEXT = 2_000
CORPUS_TEXTS = 4_000
SIF_WEIGHT = 1e-3
CONTEXT_SMOOTHING = 0.75

_NOISE = re.compile(r"(?:https?://|www\.)\S+|@\w+")
_SENTENCE_END = re.compile(r"[.!?。！？]+\s|\n")
_NUMBER = re.compile(r"\d+")


def folded(text: str) -> str:
    """`text` for character n-grams: lower case, without URLs and mentions, numbers as 0, at most 2,000 characters."""
    plain = unicodedata.normalize("NFKC", html.unescape(text[:LONGEST_TEXT])).lower()
    return _NUMBER.sub("0", _NOISE.sub(" ", plain))


def with_pairs(content: Sequence[str]) -> list[str]:
    """Content words and the pairs of neighbours among them, the pairs joined by a space."""
    return [*content, *(f"{a} {b}" for a, b in pairwise(content))]


def unit_rows(matrix: npt.NDArray[Any]) -> Floats:
    """`matrix` with each row scaled to length 1 (rows of zeros stay zero)."""
    rows = np.asarray(matrix, np.float32)
    lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    return np.asarray(rows / np.where(lengths > 0, lengths, 1)[:, None], np.float32)


def centred(matrix: npt.NDArray[Any]) -> Floats:
    """`matrix` without its mean row, each row scaled to length 1."""
    return unit_rows(matrix - matrix.mean(0))


def directions(vectors: npt.NDArray[Any]) -> tuple[Floats, Floats]:
    """Unit rows of an embedding model's `vectors` seen from their mean, and that mean; see `seen_from`."""
    units = unit_rows(vectors)
    known = units[units.any(1)]
    origin = np.asarray(known.mean(0) if len(known) else np.zeros(units.shape[1]), np.float32)
    return seen_from(origin, units), origin


def seen_from(origin: Floats, vectors: npt.NDArray[Any]) -> Floats:
    """Unit rows of `vectors` without `origin`; a text that the model knows nothing of keeps its row of zeros."""
    units = unit_rows(vectors)
    return unit_rows((units - origin) * units.any(1, keepdims=True))


def reduced(matrix: sp.csr_matrix | npt.NDArray[Any], dimensions: int = DIMENSIONS, power: float = 1.0) -> Floats:
    """Unit rows of a truncated SVD (U times the spectrum to `power`), always the same for the same input."""
    rank = max(1, min(dimensions, min(matrix.shape) - 1))
    u, s, _ = randomized_svd(matrix, rank, n_iter=4, random_state=0)
    return unit_rows(u * s**power)


def embed(
    spelled: sp.csr_matrix,
    docs: Sequence[list[str]],
    contents: Sequence[list[str]],
    *,
    vectors: npt.NDArray[Any] | None = None,
    corpus: Sequence[str] = (),
) -> Floats:
    """One unit row per comment from all views.

    `spelled` is what `spelling` makes of the comments, `docs` are all stems of each, `contents` without function
    words. `vectors` (one row per comment, of an embedding model) are a view of their own; the company that words
    keep is learned from `corpus` too.
    """
    views = [view for view in (spelling_view(spelled, contents), company_view(docs, corpus)) if view is not None]
    if vectors is not None:
        # As long as the lexical views together: both kinds of likeness count the same.
        views.append(np.float32(np.sqrt(max(1, len(views)))) * directions(vectors)[0])
    return unit_rows(np.hstack(views)) if views else np.zeros((len(docs), 1), np.float32)


def spelling(texts: Sequence[str]) -> sp.csr_matrix:
    """TF-IDF of the character 3- to 5-grams of `texts`; no columns where none occurs often enough."""
    counts = character_counts(texts, 3, 5)
    return TfidfTransformer(sublinear_tf=True).fit_transform(counts).tocsr() if counts.shape[1] else counts


def spelling_view(spelled: sp.csr_matrix, contents: Sequence[list[str]]) -> Floats | None:
    """View A; None where no term occurs often enough."""
    worded = fitted(TfidfVectorizer, contents, analyzer=as_is, sublinear_tf=True, **_bounds(len(contents), 2))
    found = spelled if worded is None else sp.hstack([worded, spelled]).tocsr()
    return centred(reduced(found)) if found.shape[1] else None


def company_view(docs: Sequence[list[str]], corpus: Sequence[str] = ()) -> Floats | None:
    """View B; None where no two words occur together often enough."""
    counter = CountVectorizer(analyzer=as_is, binary=True, min_df=3 if len(docs) >= 200 else 1, dtype=np.float32)
    try:
        present = counter.fit_transform(docs)
    except ValueError:  # an empty vocabulary
        return None
    if present.shape[1] < 3:
        return None
    elsewhere = [present, counter.transform(_sentences(corpus))] if len(corpus) else [present]
    ppmi = _ppmi(sp.vstack(elsewhere).tocsr())
    if ppmi.nnz == 0:
        return None
    vectors = reduced(ppmi)
    rate = np.asarray(present.sum(0)).ravel()
    weights = SIF_WEIGHT / (SIF_WEIGHT + rate / rate.sum())
    means = unit_rows(present.multiply(weights).tocsr() @ vectors)
    means = means - means.mean(0)
    _, _, axis = randomized_svd(means, 1, n_iter=4, random_state=0)
    return unit_rows(means - (means @ axis.T) @ axis)


def _sentences(corpus: Sequence[str]) -> list[list[str]]:
    """The stems of the sentences of an even sample of `corpus`: company is kept within a sentence."""
    taken = corpus[:: max(1, -(-len(corpus) // CORPUS_TEXTS))]
    return [words(sentence) for text in taken for sentence in _SENTENCE_END.split(text[:LONGEST_TEXT]) if sentence]


def _ppmi(present: sp.csr_matrix) -> sp.csr_matrix:
    lengths = np.maximum(np.asarray(present.sum(1)).ravel(), 2)
    together = (present.T @ sp.diags(1 / (lengths - 1)) @ present).tocoo()
    apart = together.row != together.col
    rows, columns, weights = together.row[apart], together.col[apart], together.data[apart]
    totals = np.bincount(rows, weights, minlength=present.shape[1])
    context = totals**CONTEXT_SMOOTHING
    context /= max(context.sum(), 1e-12)
    information = np.log(weights / (totals[rows] * context[columns]))
    positive = information > 0
    cells = (information[positive].astype(np.float32), (rows[positive], columns[positive]))
    return sp.csr_matrix(cells, shape=together.shape)


def word_presence(contents: Sequence[list[str]], lowest: int = 2) -> tuple[sp.csr_matrix, list[str]]:
    """Which content words and pairs (in at least `lowest` and at most 30 % of comments) each comment has."""
    vectorizer = CountVectorizer(analyzer=with_pairs, binary=True, dtype=np.float32, **_bounds(len(contents), lowest))
    try:
        matrix = vectorizer.fit_transform(contents)
    except ValueError:  # an empty vocabulary
        return sp.csr_matrix(np.zeros((len(contents), 0), np.float32)), []
    return matrix, vectorizer.get_feature_names_out().tolist()


def mixture_terms(texts: Sequence[str], words: sp.csr_matrix) -> sp.csr_matrix:
    """`words` beside the down-weighted presence of character 4-grams: what the mixture counts while it learns."""
    characters = character_counts(texts, 4, 4)
    characters.data[:] = CHARACTER_WEIGHT
    return sp.hstack([words, characters]).tocsr()


def character_counts(texts: Sequence[str], shortest: int, longest: int) -> sp.csr_matrix:
    """How often each character n-gram of these lengths occurs inside the words of `texts` and at their edges.

    As scikit-learn's "char_wb", but each different word is taken apart once.
    """
    by_word = CountVectorizer(analyzer=as_is, dtype=np.float32)
    in_word = CountVectorizer(analyzer="char_wb", ngram_range=(shortest, longest), lowercase=False, dtype=np.float32)
    try:
        words_of = by_word.fit_transform([folded(text).split() for text in texts])
    except ValueError:  # not one word
        return sp.csr_matrix(np.zeros((len(texts), 0), np.float32))
    counts = (words_of @ in_word.fit_transform(by_word.get_feature_names_out())).tocsc()
    bounds = _bounds(len(texts), 3)
    occurs = np.diff(counts.indptr)
    kept = np.flatnonzero((occurs >= bounds["min_df"]) & (occurs <= bounds["max_df"] * len(texts)))
    total = np.asarray(counts.sum(0)).ravel()[kept]
    kept = np.sort(kept[(-total).argsort(kind="stable")[:CHARACTER_TERMS]])
    return sp.csr_matrix(counts[:, kept])


def fitted(kind: Callable[..., Any], documents: Sequence[Any], **options: Any) -> sp.csr_matrix | None:
    """What a vectorizer of `kind` makes of `documents`; None where no term is left."""
    try:
        matrix: sp.csr_matrix = kind(dtype=np.float32, **options).fit_transform(documents)
    except ValueError:  # an empty vocabulary: every term too rare or too frequent
        return None
    return matrix


def _bounds(n: int, lowest: int) -> dict[str, float | int]:
    return {"min_df": lowest, "max_df": 0.3} if n >= 200 else {"min_df": 1, "max_df": 1.0}


def as_is(stems: list[str]) -> list[str]:
    """The analyzer of what is cut into words already."""
    return stems
