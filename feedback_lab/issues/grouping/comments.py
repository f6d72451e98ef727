"""Comments as the model reads them, and which of them say nothing.

A comment says nothing where none of its words tells what it is about: only function words and judgements ("bad",
"not good"), emoji, punctuation, or words that the corpus itself shows to be empty, because they occur in all
issues alike ("airline" among complaints to airlines).
"""

from __future__ import annotations

import re
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from feedback_lab.issues.grouping.features import LONGEST_TEXT
from feedback_lab.tokens import content_words, stem, tokens

OFTEN_ENOUGH = 30  # comments with a word, before the corpus can show that it is empty
READINGS_KEPT = 50_000
SAYS_LITTLE = 0.1  # nats that an empty word tells about the issue, above what chance makes of small counts ...
LITTLE_OF_ALL = 0.1  # ... and at most this share of what there is to tell
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


@dataclass(frozen=True, slots=True)
class Coded:
    """The content words of many comments as numbers, for speed.

    Comment i has the stems `stems[codes[j]]` for j from `starts[i]` to before `starts[i + 1]`.
    """

    stems: list[str]
    codes: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.starts) - 1

    def parts(self, most: int) -> Iterator[Coded]:
        """The same comments, at most so many at a time; one part without comments where there are none."""
        for first in range(0, max(1, len(self)), most):
            starts = self.starts[first : first + most + 1]
            yield Coded(self.stems, self.codes[starts[0] : starts[-1]], starts - starts[0])

    def presence(self, index: Mapping[str, int]) -> sp.csr_matrix:
        """Which terms of `index` (term to column) each comment has: 1 or nothing. Pairs are "one other"."""
        rows = np.repeat(np.arange(len(self)), np.diff(self.starts))
        singles = np.array([index.get(stemmed, -1) for stemmed in self.stems], np.int64)[self.codes]
        pairs = self._pairs(rows, index)
        columns = np.concatenate([singles, pairs])
        rows = np.concatenate([rows, rows[: len(pairs)]])
        known = columns >= 0
        cells = (np.ones(int(known.sum()), np.float32), (rows[known], columns[known]))
        found = sp.csr_matrix(cells, shape=(len(self), len(index)))  # adds up what occurs twice
        found.data[:] = 1
        return found

    def _pairs(self, rows: npt.NDArray[np.int64], index: Mapping[str, int]) -> npt.NDArray[np.int64]:
        """For each word but the last the column of the pair that it begins, -1 where there is none."""
        number = {stemmed: code for code, stemmed in enumerate(self.stems)}
        split = ((term.split(" "), column) for term, column in index.items() if " " in term)
        known = [
            (number[one] * len(number) + number[other], column)
            for (one, other), column in split
            if one in number and other in number
        ]
        keys, columns = np.array(sorted(known) or [(-1, -1)], np.int64).T
        wanted = self.codes[:-1] * len(number) + self.codes[1:]
        place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        return np.where((keys[place] == wanted) & (rows[:-1] == rows[1:]), columns[place], -1)

    def says_nothing(self, empty: AbstractSet[str] = frozenset()) -> npt.NDArray[np.bool_]:
        """For each comment: are all its content words judgements or `empty`? True where it has none."""
        tells = np.array([stemmed not in empty and not judges_only(stemmed) for stemmed in self.stems], np.bool_)
        total = np.append(0, tells[self.codes].cumsum())
        return np.asarray(total[self.starts[1:]] == total[self.starts[:-1]])


def coded(contents: Iterable[Sequence[str]]) -> Coded:
    """Comments given as their content words, in order."""
    number: defaultdict[str, int] = defaultdict()
    number.default_factory = number.__len__
    codes, starts = array("q"), array("q", [0])
    for content in contents:
        codes.extend([number[stemmed] for stemmed in content])
        starts.append(len(codes))
    return Coded([*number], np.array(codes, np.int64), np.array(starts, np.int64))


def read_coded(texts: Iterable[str]) -> Coded:
    """As `read`, but the content words alone, for many texts; equal ones are read once."""
    known: dict[str, list[str]] = {}

    def content(text: str) -> list[str]:
        found = known.get(text)
        if found is None:
            if len(known) >= READINGS_KEPT:
                known.clear()
            found = known[text] = content_words(text[:LONGEST_TEXT])
        return found

    return coded(map(content, texts))


def judges_only(word: str) -> bool:
    """Is this stem a judgement that does not say what is wrong? "baaad" is "bad"."""
    if word in _JUDGEMENTS:
        return True
    if not _STRETCHED.search(word):
        return False
    return _STRETCHED.sub(r"\1", word) in _JUDGEMENTS or _STRETCHED.sub(r"\1\1", word) in _JUDGEMENTS


def says_nothing(contents: Sequence[list[str]], empty: AbstractSet[str] = frozenset()) -> npt.NDArray[np.bool_]:
    """For each comment: are all its content words judgements or `empty`? True where it has none."""
    return coded(contents).says_nothing(empty)


def empty_words(presence: sp.csr_matrix, vocabulary: Sequence[str], labels: npt.NDArray[np.int64]) -> frozenset[str]:
    """The words of `vocabulary` that occur in all clusters alike.

    A word tells D(clusters given the word || clusters) nats about its comment's cluster (Kullback-Leibler); chance
    alone makes about (K - 1) / 2n of it in n comments. Where one cluster has nearly all comments there is little to
    tell (the entropy of the sizes): a word that it alone has is not empty.
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
    unsaid = -(usual * np.log(np.maximum(usual, 1e-12))).sum()
    little = min(SAYS_LITTLE, LITTLE_OF_ALL * unsaid)
    return frozenset(vocabulary[i] for i in often[told < little] if " " not in vocabulary[i])


def indicator(docs: Iterable[Iterable[str]], index: Mapping[str, int]) -> sp.csr_matrix:
    """Which terms of `index` (term to column) each of `docs` has: 1 or nothing."""
    columns, ends = array("q"), array("q", [0])
    for doc in docs:
        columns.extend(sorted({index[term] for term in doc if term in index}))
        ends.append(len(columns))
    shape = (len(ends) - 1, len(index))
    return sp.csr_matrix((np.ones(len(columns), np.float32), np.array(columns), np.array(ends)), shape=shape)
