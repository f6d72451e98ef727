"""Phrases that people wrote: runs of words that can stand alone, and how words are commonly written."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

from feedback_lab.tokens import stem, tokens

LONGEST_READ = 2_000
SPAN = 8  # words of a phrase, function words included
PHRASE_STEMS = 4

_CLAUSE_END = re.compile(r"[.,;:!?…]+(?=\s|$)|[()\[\]{}\"“”<>|/\\\n。、，！？；：]+|\s[-–—]+\s")
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
# Words that carry meaning inside a phrase but say nothing alone, and must not stand at its end.
WEAK = frozenset(
    stem(word)
    for word in """
    no not never none nothing very too more most less only still again on over under before after how why when where
    what who which between against through while until same get got gets getting give gives gave given giving go
    goes going went gone make makes made making take took taking put know want wanted wants need needs needed see
    say says said saying tell told telling like really way thing things back one two first last next good bad great
    well now new use used using please thanks thank able else instead keep keeps kept let lets come comes came guy
    guys look talk talks talking mention mentions mentioned don't doesn't didn't can't cannot isn't wasn't won't
    aren't haven't hasn't wouldn't couldn't without out dont cant didnt doesnt isnt try tried trying find found
    actual actually seem seems think sure im i'm coming start started anything does doing done feel felt enough lot
    bit sort kind type mean means looking looks basically directly provide provides provided providing contain
    contains discuss discusses discussed state states stated specific specifically today yesterday tomorrow tonight
    morning day days week weeks month months year years hour hours minute minutes ago few couple recent recently soon
    long time times already different happen happened happens hi hello hey sorry honestly unfortunately hmm pls maybe
    dear probably obviously apparently completely totally absolutely
    ask asks asked asking relate relates related relating refer refers referring reference referencing pertain pertains
    regard regards concern concerns address addresses addressed addressing
    """.split()
)
# Words that name a complaint only where they are denied.
PRAISE = frozenset(
    stem(word) for word in "helpful useful accurate correct relevant informative excellent perfect fine better".split()
)
NEGATION = "not"
# Counted as one word in phrases, with and without an apostrophe.
_NEGATIONS = frozenset(
    stem(word)
    for word in """
    no not never cannot can't cant won't wont don't dont doesn't doesnt didn't didnt isn't isnt wasn't wasnt
    aren't arent
    """.split()
)
_MAY_BEGIN = frozenset({"on", "without", *_NEGATIONS})
_MAY_END = frozenset({stem(word) for word in "out back again us different anything".split()})
_AUXILIARIES = frozenset("do does did is are was were am has have had can could will would should".split())
_PARTICLES = frozenset({"up", "out", "off", "back", "down"})


def phrases(text: str) -> Iterator[tuple[tuple[str, ...], str, bool]]:
    """Every phrase of `text` within its clauses: key, form in lower case, and whether it is the whole clause.

    The key holds the stems without function words; every negation is "not".
    """
    for clause in _CLAUSE_END.split(text[:LONGEST_READ]):
        yield from _spans(tokens(clause))


def _spans(words: Sequence[tuple[str, str, bool]]) -> Iterator[tuple[tuple[str, ...], str, bool]]:
    content = [i for i, (_, _, is_function) in enumerate(words) if not is_function]
    for start in content:
        first = words[start][0]
        if first in _PARTICLES or (first in WEAK and first not in _MAY_BEGIN):
            continue
        if start > 0 and words[start - 1][0] in _PARTICLES:  # "off topic" does not begin with "topic"
            continue
        key: tuple[str, ...] = ()
        for end in content:
            if not start <= end < start + SPAN:
                continue
            stemmed = words[end][0]
            key = (*key, NEGATION if stemmed in _NEGATIONS else stemmed)
            if len(key) > PHRASE_STEMS:
                break
            if len(key) > 1 and len(set(key)) == len(key) and _may_end(words, end):
                opening = start - int(start > 0 and words[start][1] == NEGATION and words[start - 1][1] in _AUXILIARIES)
                form = _joined([form for _, form, _ in words[opening : _end_of_form(words, end)]])
                yield key, form, start == content[0] and end == content[-1]


def _may_end(words: Sequence[tuple[str, str, bool]], end: int) -> bool:
    stemmed = words[end][0]
    particle_follows = end + 1 < len(words) and words[end + 1][0] in _PARTICLES
    return (stemmed not in WEAK or stemmed in _MAY_END) and not particle_follows


def _end_of_form(words: Sequence[tuple[str, str, bool]], end: int) -> int:
    """Past the kana that inflect a kanji, which belong to the word that is shown."""
    end += 1
    while end < len(words) and _is_unspaced(words[end - 1][1]) and words[end][2] and _is_unspaced(words[end][1]):
        end += 1
    return end


def _is_unspaced(form: str) -> bool:
    return "\u2e80" <= form[0] <= "\u9fff" or "\u0e00" <= form[0] <= "\u0eff"


def _joined(forms: Sequence[str]) -> str:
    """Words with spaces; overlapping pairs of an unspaced script put together again."""
    text = forms[0]
    for before, form in pairwise(forms):
        if not (_is_unspaced(before) and _is_unspaced(form)):
            text += f" {form}"
        else:
            text += form[1:] if len(before) == len(form) == 2 and before[1] == form[0] else form
    return text


class Forms:
    """How people write a word: its commonest form, with the capitals that it has inside sentences."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._by_stem: dict[str, Counter[str]] = defaultdict(Counter)
        self._by_lower: dict[str, Counter[str]] = defaultdict(Counter)
        for text in texts:
            for stemmed, form, _ in tokens(text[:LONGEST_READ]):
                self._by_stem[stemmed][form] += 1
            for clause in _CLAUSE_END.split(text[:LONGEST_READ]):
                for word in _WORD.findall(clause)[1:]:
                    self._by_lower[word.lower()][word] += 1

    def shown(self, stemmed: str) -> str:
        """The commonest form of a stem, in its usual case."""
        forms = self._by_stem.get(stemmed)
        return self.cased(commonest(forms)) if forms else stemmed

    def shown_pair(self, term: str) -> str:
        """`shown` for a stem, or for two with a space between them."""
        return _joined([self.shown(part) for part in term.split(" ")])

    def cased(self, phrase: str) -> str:
        """A phrase in lower case with the capitals that its words usually have."""
        return " ".join(self._usual_case(word) for word in phrase.split(" "))

    def _usual_case(self, word: str) -> str:
        if word == "i" or word.startswith("i'"):
            return "I" + word[1:]
        forms = self._by_lower.get(word, Counter())
        usual = commonest(forms) if forms else word
        is_acronym = len(forms) == 1 and len(word) > 1 and usual.isupper()
        return usual if is_acronym or forms.total() >= 3 else word


def commonest(forms: Mapping[str, int]) -> str:
    """The most frequent of `forms`, the first in the alphabet where tied."""
    return min(forms, key=lambda form: (-forms[form], form))
