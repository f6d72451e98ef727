"""Comments as the model reads them, and which of them say nothing.

A comment says nothing where none of its words tells what it is about: only function words and judgements ("bad",
"not good"), emoji, punctuation, or words that the corpus itself shows to be empty, because they occur in all
issues alike ("airline" among complaints to airlines).
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from feedback_lab.issues.grouping.features import LONGEST_TEXT
from feedback_lab.tokens import stem, tokens

OFTEN_ENOUGH = 30  # comments with a word, before the corpus can show that it is empty
SAYS_LITTLE = 0.1  # nats that an empty word tells about the issue, above what chance makes of small counts
_STRETCHED = re.compile(r"(.)\1{2,}")

# What the corpus cannot show: words that judge without saying what is wrong.
_JUDGEMENTS = frozenset(
    stem(word)
    for word in """
    bad good no not yes nope nah ok okay never none nothing very too so more most less only still again please thanks
    thank sorry wrong poor terrible awful horrible worst worse best better great nice useless hate sucks suck crap shit
    fuck fucking damn lol wtf hmm meh ugh what why how who when where which off on up down out over under before after
    isn't don't doesn't didn't can't cannot won't wasn't aren't really totally absolutely completely extremely like
    love dislike disappointed disappointing fail really bullshit garbage trash rubbish idk dunno whatever nvm hi hello
    hey cool fine yep yeah yup stupid pathetic ridiculous boo wow omg smh
    schlecht gut nein nicht ja danke leider sehr mies falsch super blöd doof quatsch mist scheiße
    mal malo mala bien bueno buena no nada pésimo pésima terrible gracias sí
    mauvais nul nulle non oui bon merci pas bof
    male buono grazie sì ruim bom não sim péssimo obrigado slecht goed niet nee bedankt
    悪い 良い 最悪 残念 だめ ダメ 違う いいえ はい 不好 很差 差评 不行 垃圾 没用 별로 나쁨 плохо ужасно нет да
    """.split()
)


@dataclass(frozen=True, slots=True)
class Comments:
    """Comments with the stems of all their words, and of those that are not function words."""

    texts: list[str]
    docs: list[list[str]]
    contents: list[list[str]]

    def take(self, rows: npt.NDArray[np.integer]) -> Comments:
        """The comments of these rows."""
        return Comments([self.texts[i] for i in rows], [self.docs[i] for i in rows], [self.contents[i] for i in rows])


def read(texts: Sequence[str]) -> Comments:
    """`texts`, of each at most the first 2,000 characters, cut into words."""
    short = [text[:LONGEST_TEXT] for text in texts]
    found = [tokens(text) for text in short]
    docs = [[stemmed for stemmed, _, _ in words] for words in found]
    contents = [[stemmed for stemmed, _, is_function in words if not is_function] for words in found]
    return Comments(short, docs, contents)


def judges_only(word: str) -> bool:
    """Is this stem a judgement that does not say what is wrong? "baaad" is "bad"."""
    if word in _JUDGEMENTS:
        return True
    if not _STRETCHED.search(word):
        return False
    return _STRETCHED.sub(r"\1", word) in _JUDGEMENTS or _STRETCHED.sub(r"\1\1", word) in _JUDGEMENTS


def says_nothing(contents: Sequence[list[str]], empty: AbstractSet[str] = frozenset()) -> npt.NDArray[np.bool_]:
    """For each comment: are all its content words judgements or `empty`? True where it has none."""
    hollow: dict[str, bool] = {}

    def is_hollow(word: str) -> bool:
        known = hollow.get(word)
        if known is None:
            known = hollow[word] = word in empty or judges_only(word)
        return known

    return np.array([all(is_hollow(word) for word in content) for content in contents], np.bool_)


def empty_words(presence: sp.csr_matrix, vocabulary: Sequence[str], labels: npt.NDArray[np.int64]) -> frozenset[str]:
    """The words of `vocabulary` that occur in all clusters alike.

    A word tells D(clusters given the word || clusters) nats about its comment's cluster (Kullback-Leibler); chance
    alone makes about (K - 1) / 2n of it in n comments.
    """
    k = int(labels.max(initial=-1)) + 1
    if k < 2:
        return frozenset()
    known = labels >= 0
    members = sp.csr_matrix((np.ones(int(known.sum())), (labels[known], np.flatnonzero(known))), shape=(k, len(labels)))
    counts = np.asarray((members @ presence).todense(), np.float64).T
    usual = np.bincount(labels[known], minlength=k) / max(1, known.sum())
    often = np.flatnonzero(counts.sum(1) >= OFTEN_ENOUGH)
    share = counts[often] / counts[often].sum(1, keepdims=True)
    told = (share * np.log(np.maximum(share, 1e-12) / np.maximum(usual, 1e-12))).sum(1)
    told -= (k - 1) / (2 * counts[often].sum(1))
    return frozenset(vocabulary[i] for i in often[told < SAYS_LITTLE] if " " not in vocabulary[i])


def indicator(docs: Iterable[Iterable[str]], index: Mapping[str, int]) -> sp.csr_matrix:
    """Which terms of `index` (term to column) each of `docs` has: 1 or nothing."""
    columns, ends = array("q"), array("q", [0])
    for doc in docs:
        columns.extend(sorted({index[term] for term in doc if term in index}))
        ends.append(len(columns))
    shape = (len(ends) - 1, len(index))
    return sp.csr_matrix((np.ones(len(columns), np.float32), np.array(columns), np.array(ends)), shape=shape)
