"""Comments read for their wording: words by clause, misspellings put right, and how each word is commonly written."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

from feedback_lab.issues.grouping.phrases import clauses, commonest
from feedback_lab.issues.grouping.unspaced import joined
from feedback_lab.tokens import Token, language_of, misspellings, pieces, respelled, tokens

LONGEST_READ = 2_000
ODD = 0.2  # of the count of the commonest inflection

_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")

Reading = list[list[Token]]  # the words of each clause


class Reader:
    """Reads comments, each wording once, however many names are then made of it.

    What counts as a misspelling is settled by the first comments that are read.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = texts
        self.forms = Forms()
        self._fixed: dict[str, str] | None = None
        self._of_text: dict[str, Reading] = {}
        self._of_row: dict[int, Reading] = {}

    def __contains__(self, row: int) -> bool:
        return row in self._of_row

    def __getitem__(self, row: int) -> Reading:
        return self._of_row[row]

    def read(self, rows: Iterable[int]) -> None:
        """Read the comments `rows`, of each at most the first 2,000 characters."""
        new = [row for row in rows if row not in self._of_row]
        parts = {row: pieces(self.texts[row][:LONGEST_READ]) for row in new}
        if self._fixed is None:
            self._fixed = misspellings(parts.values())
        for row in new:
            text = self.texts[row]
            if text not in self._of_text:
                self._of_text[text] = self._read(text[:LONGEST_READ], parts[row], self._fixed)
            self._of_row[row] = self._of_text[text]

    def _read(self, text: str, parts: list[str], fixed: dict[str, str]) -> Reading:
        if not fixed.keys().isdisjoint(parts):
            text = respelled(text, fixed)
        written, language = clauses(text), language_of(parts)
        reading = [words for clause in written if (words := tokens(clause, language))]
        self.forms.add(chain.from_iterable(reading), written)
        return reading


class Forms:
    """How people write a word: its commonest form, with the capitals that it has inside sentences."""

    def __init__(self) -> None:
        self._words: Counter[Token] = Counter()
        self._written: Counter[str] = Counter()
        self._by_stem: dict[str, Counter[str]] = {}
        self._by_lower: dict[str, Counter[str]] = {}
        self._stem_of: dict[str, str] = {}

    def add(self, words: Iterable[Token], written: Iterable[str]) -> None:
        """Count a comment, as its words and as its clauses were written."""
        self._words.update(words)
        for clause in written:
            if clause.isupper():  # shouting tells no usual case
                continue
            self._written.update(_WORD.findall(clause)[1:])
        self._by_stem, self._by_lower = {}, {}

    def shown(self, stemmed: str) -> str:
        """The commonest form of a stem, in its usual case."""
        if not self._by_stem:
            self._sort()
        forms = self._by_stem.get(stemmed)
        return self.cased(commonest(forms)) if forms else stemmed

    def shown_pair(self, term: str) -> str:
        """`shown` for a stem, or for two with a space between them."""
        return joined([self.shown(part) for part in term.split(" ")])

    def cased(self, phrase: str) -> str:
        """A phrase in lower case with the capitals that its words usually have."""
        if not self._by_stem:
            self._sort()
        return " ".join(self._usual_case(word) for word in phrase.split(" "))

    def written(self, forms: Mapping[str, int]) -> str:
        """The commonest of a phrase's `forms`, in its usual case; those with an oddly inflected word count less."""
        if not self._by_stem:
            self._sort()
        counts = {form: count * min(map(self._usualness, form.split(" "))) for form, count in forms.items()}
        return self.cased(min(counts, key=lambda form: (-counts[form], form)))

    def _usualness(self, word: str) -> float:
        """1, or less where a word is much rarer than its commonest inflection."""
        family = self._by_stem.get(self._stem_of.get(word, word))
        return min(1.0, family[word] / (ODD * max(family.values()))) if family else 1.0

    def _sort(self) -> None:
        by_stem: defaultdict[str, Counter[str]] = defaultdict(Counter)
        by_lower: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for (stemmed, form, _), count in self._words.items():
            by_stem[stemmed][form] += count
        for word, count in self._written.items():
            by_lower[word.lower()][word] += count
        self._by_stem, self._by_lower = by_stem, by_lower
        self._stem_of = {form: stemmed for stemmed, form, _ in self._words}

    def _usual_case(self, word: str) -> str:
        if word == "i" or word.startswith("i'"):
            return "I" + word[1:]
        forms = self._by_lower.get(word, Counter())
        usual = commonest(forms) if forms else word
        is_acronym = len(forms) == 1 and len(word) > 1 and usual.isupper()
        return usual if is_acronym or forms.total() >= 3 else word
