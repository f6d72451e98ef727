"""Titles for an issue: phrases that several people wrote, weighed by what they tell about it."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from feedback_lab.issues.grouping.phrases import NEGATION, PRAISE, WEAK, commonest
from feedback_lab.issues.grouping.reading import Forms
from feedback_lab.tokens import stem

LONGEST_TITLE = 50
PHRASES_WEIGHED = 50
PHRASES_TRIED = 12
WORTH_ADDING = 0.16
COVERS_LITTLE, COVERS_WELL = 0.2, 0.5  # of the issue's comments: then one phrase is enough
SEVERAL = 3  # comments that share a word, before it may stand for the issue
USUAL_SHARE = 0.3
COMPLETING_SHARE = 0.1
JUDGING_SHARE = 0.02
COMMON_WORD = 0.03  # of the best term's weight
TELLING_WORD = 0.15
SAME_BEGINNING = 5  # letters, from which on two words are too much alike for one title
NO_TITLE = 0.02
DENIED_BY_MANY = 1 / 3  # of those who write a phrase

# What a subject alone ("customer service") leaves out.
_JUDGING = frozenset(
    stem(word)
    for word in """
    terrible awful horrible worst poor rude slow broken wrong missing incorrect outdated expensive confusing useless
    vague unhelpful irrelevant damaged lost late delayed
    """.split()
)


@dataclass(slots=True)
class PhraseCount:
    """In which comments of an issue a phrase occurs, and how it is written."""

    rows: set[int] = field(default_factory=set)
    forms: Counter[str] = field(default_factory=Counter)
    whole: set[int] = field(default_factory=set)  # where it is a clause of its own
    denied: set[int] = field(default_factory=set)  # where it follows a negation that is not part of it

    @property
    def wholeness(self) -> float:
        """How often it is a clause of its own, 0 to 1."""
        return len(self.whole) / len(self.rows)


@dataclass(slots=True)
class IssueText:
    """The comments of one issue that were read, with their terms and phrases."""

    rows: list[int]
    size: int
    rows_of: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    pairs_of: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    phrases: dict[tuple[str, ...], PhraseCount] = field(default_factory=lambda: defaultdict(PhraseCount))
    weights: dict[str, float] = field(default_factory=dict)
    garbled: set[str] = field(default_factory=set)

    @property
    def terms(self) -> dict[str, int]:
        """In how many comments each term occurs."""
        return {term: len(rows) for term, rows in self.rows_of.items()}


def titles(
    issue: IssueText, everywhere: Counter[tuple[str, ...]], forms: Forms, keywords: Sequence[str]
) -> Iterator[str]:
    """Titles for an issue, the best first: a phrase, with what else people say where it covers too little."""
    ranked = _ranked_phrases(issue, everywhere)
    sound = [key for key in ranked if _is_sound(issue, key)]
    specific = [key for key in sound if max(issue.weights.get(term, 0) for term in key) >= TELLING_WORD]

    def shown(key: tuple[str, ...]) -> str:
        return forms.cased(commonest(issue.phrases[key].forms))

    for key in ranked:
        phrase = _extended(issue, key)
        details = [other for other in specific if not _alike(phrase, other)]
        details.sort(key=lambda other: (-_added(issue, phrase, other), other))
        coverage = _coverage(issue, phrase)
        if coverage < COVERS_WELL:
            least = WORTH_ADDING if coverage > COVERS_LITTLE else 0
            telling = [other for other in details if _added(issue, phrase, other) >= least]
            yield from (f"{shown(phrase)}, {shown(_extended(issue, other))}" for other in telling)
        yield shown(phrase)
        yield shown(key)
        yield from (f"{shown(phrase)}, {shown(other)}" for other in details)
    for key in ranked[:1]:
        yield from (f"{shown(key)}, {word}" for word in keywords if word.lower() not in shown(key).lower())
    for count in range(min(3, len(keywords)) or 1, len(keywords) + 1):
        yield ", ".join(keywords[:count])
    yield from keywords


def _extended(issue: IssueText, key: tuple[str, ...]) -> tuple[str, ...]:
    """The longer phrase that people often write where they write `key`, else `key`.

    A fragment ("price list") rather becomes a clause ("price list has changed") than a clause a longer one.
    """
    short = issue.phrases[key]

    def is_usual(phrase: PhraseCount) -> bool:
        completes = short.wholeness < 0.3 and phrase.wholeness >= 0.5
        share = COMPLETING_SHARE if completes else USUAL_SHARE
        return len(phrase.rows) >= max(SEVERAL, share * len(short.rows))

    longer = [other for other in issue.phrases if set(key) < set(other) and _is_sound(issue, other)]
    usual = [
        other for other in longer if not (set(other) - set(key) - {NEGATION}) & WEAK and is_usual(issue.phrases[other])
    ]
    if not usual and not {NEGATION, *_JUDGING} & set(key):
        least = max(SEVERAL, JUDGING_SHARE * len(short.rows))
        judging = [other for other in longer if len(other) == len(key) + 1 and set(other) - set(key) <= _JUDGING]
        usual = [other for other in judging if len(issue.phrases[other].rows) >= least]
    return min(usual, key=lambda other: (-len(issue.phrases[other].rows), other), default=key)


def _is_sound(issue: IssueText, key: tuple[str, ...]) -> bool:
    """Does a phrase say what its comments say? Not where many deny it, nor praise alone, nor a word and its double."""
    phrase = issue.phrases[key]
    praises = not PRAISE.isdisjoint(key) and NEGATION not in key
    doubled = any(a != b and _begin_alike(a, b) for a in key for b in key) or not issue.garbled.isdisjoint(key)
    return not praises and not doubled and DENIED_BY_MANY * len(phrase.rows) >= len(phrase.denied)


def _alike(key: tuple[str, ...], other: tuple[str, ...]) -> bool:
    return any(a == b or _begin_alike(a, b) for a in key for b in other)


def _begin_alike(a: str, b: str) -> bool:
    return min(len(a), len(b)) >= SAME_BEGINNING and a[:SAME_BEGINNING] == b[:SAME_BEGINNING]


def _ranked_phrases(issue: IssueText, everywhere: Counter[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """The best phrases for a title, the best first: common ones as far as there are such."""
    least = max(2, 0.6 * math.sqrt(len(issue.rows)))
    frequent = [key for key, phrase in issue.phrases.items() if len(phrase.rows) >= least]
    frequent = frequent or [key for key, phrase in issue.phrases.items() if len(phrase.rows) > 1]
    worths = {key: _worth(issue, key, everywhere[key]) for key in frequent}
    ranked = sorted(worths, key=lambda key: (-worths[key], key))[:PHRASES_WEIGHED]
    covering = {key: worths[key] * _coverage(issue, key) ** 0.25 for key in ranked}
    return sorted(ranked, key=lambda key: (-covering[key], key))[:PHRASES_TRIED]


def _worth(issue: IssueText, key: tuple[str, ...], everywhere: int) -> float:
    phrase = issue.phrases[key]
    inside = len(phrase.rows)
    meaning = sum(issue.weights.get(term, 0) for term in key)
    # A word that all issues share makes a poor beginning: "answer is helpful" names nothing.
    opening = 0.6 if key[0] != NEGATION and issue.weights.get(key[0], 0) < COMMON_WORD else 1.0
    # What people write as a clause of its own is not cut out of the middle of a thought.
    whole = 0.4 + 0.6 * phrase.wholeness
    full = 1.0 if len(set(key) - WEAK) > 1 else 0.4
    sound = 1.0 if _is_sound(issue, key) else NO_TITLE
    specific = (inside / everywhere) * math.sqrt(inside / everywhere)
    return sound * opening * whole * full * meaning * specific * math.sqrt(inside / len(issue.rows))


def _coverage(issue: IssueText, key: tuple[str, ...]) -> float:
    """The share of the issue's comments that have at least half of what `key` means."""
    weights = {term: issue.weights.get(term, 0) for term in key}
    half = sum(weights.values()) / 2
    meant: defaultdict[int, float] = defaultdict(float)
    for term, weight in weights.items():
        for row in issue.rows_of.get(term, ()):
            meant[row] += weight
    return sum(weight >= half for weight in meant.values()) / len(issue.rows)


def _added(issue: IssueText, key: tuple[str, ...], other: tuple[str, ...]) -> float:
    """How much the phrase `other` tells beyond the phrase `key`."""
    meaning = sum(issue.weights.get(term, 0) for term in other)
    return meaning * math.sqrt(len(issue.phrases[other].rows - issue.phrases[key].rows) / len(issue.rows))


def unique_title(candidates: Iterable[str], taken: set[str]) -> str:
    """The first candidate that fits and is free, else a numbered one."""
    fallback = ""
    for candidate in candidates:
        title = _sentence_case(candidate)
        fallback = fallback or title[: LONGEST_TITLE - 5].rstrip()
        if len(title) <= LONGEST_TITLE and title.casefold() not in taken:
            return title
    fallback = fallback or "Other comments"
    number = 2
    while (title := f"{fallback} ({number})").casefold() in taken:
        number += 1
    return title if fallback.casefold() in taken else fallback


def _sentence_case(text: str) -> str:
    return text[:1].upper() + text[1:]
