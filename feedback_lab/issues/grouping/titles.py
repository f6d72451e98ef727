"""Titles for an issue: phrases that several people wrote, weighed by what they tell about it.

A title says the complaint. Where the best phrase is a subject only ("face masks"), the complaint that the issue's
comments share is put beside it; where they share none, the subject stands alone.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from feedback_lab.issues.grouping.phrases import NEGATION, PRAISE, WEAK, Key, commonest, complains, is_hollow
from feedback_lab.issues.grouping.reading import Forms

PHRASES_WEIGHED = 60
PHRASES_TRIED = 12
SEVERAL = 3  # comments that share a word, before it may stand for an issue that is not tiny
FEW_ROWS = 30
FEW = 3  # comments: so many elsewhere are allowed for before a phrase is called specific
# Shares of the issue's comments
SHARED_COMPLAINT, SHARED_SUBJECT, SHARED_DETAIL = 0.15, 0.05, 0.02
OWN_COMPLAINT = 0.05  # say it in just these words
HARDLY_COVERS, COVERS_LITTLE, COVERS_WELL = 0.05, 0.2, 0.5  # from the last on one phrase is enough
# Shares of the comments that have a phrase
USUAL_SHARE, COMPLETING_SHARE, JUDGING_SHARE = 0.4, 0.15, 0.1
DENIED_BY_MANY = 0.3
MOSTLY = 0.5
FRAGMENT, CLAUSE = 0.4, 0.5  # how closed a phrase is
WORTH_ADDING = 0.16
WORTH_BESIDE, WORTH_INSTEAD = 0.1, 0.4  # of the best phrase's worth
TELLING_WORD = 0.15  # of the best term's weight
SAME_BEGINNING = 5  # letters, from which on two words are too much alike for one title
NO_TITLE = 0.02
SAYS_LITTLE, DENIES_LITTLE = 0.4, 0.75
COMPLAINS = 1.8
SHARE_COUNTS = 0.85


@dataclass(slots=True)
class PhraseCount:
    """In which comments of an issue a phrase occurs, and how it is written."""

    rows: set[int] = field(default_factory=set)
    forms: Counter[str] = field(default_factory=Counter)
    closings: float = 0.0
    denied: set[int] = field(default_factory=set)  # where a negation precedes that is not part of it

    @property
    def closed(self) -> float:
        """How often it is a clause of its own rather than cut out of one, 0 to 1."""
        return self.closings / max(1, self.forms.total())


@dataclass(slots=True)
class IssueText:
    """The comments of one issue that were read, with their terms and phrases."""

    rows: list[int]
    size: int
    rows_of: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    pairs_of: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    phrases: dict[Key, PhraseCount] = field(default_factory=lambda: defaultdict(PhraseCount))
    weights: dict[str, float] = field(default_factory=dict)
    garbled: set[str] = field(default_factory=set)

    @property
    def is_large(self) -> bool:
        """Are there enough comments to ask that several say the same?"""
        return len(self.rows) > FEW_ROWS

    @property
    def terms(self) -> dict[str, int]:
        """In how many comments each term occurs."""
        return {term: len(rows) for term, rows in self.rows_of.items()}


def titles(issue: IssueText, everywhere: Mapping[Key, int], forms: Forms, keywords: Sequence[str]) -> Iterator[str]:
    """Titles for an issue, the best first: a phrase, with what else people say where it says too little."""
    worth = _ranked_phrases(issue, everywhere)

    def shown(key: Key) -> str:
        return forms.written(issue.phrases[key].forms)

    for key in _most_telling_first(issue, worth)[:PHRASES_TRIED]:
        phrase = _extended(issue, key)
        yield from (f"{shown(one)}: {shown(two)}" for one, two in _with_complaint(issue, phrase, worth, everywhere))
        telling, others = _details(issue, phrase, worth)
        yield from (f"{shown(phrase)}, {shown(other)}" for other in telling)
        yield shown(phrase)
        yield shown(key)
        yield from (f"{shown(phrase)}, {shown(other)}" for other in others)
    for key in list(worth)[:1]:
        yield from (f"{shown(key)}, {word}" for word in keywords if word.lower() not in shown(key).lower())
    for count in range(min(3, len(keywords)) or 1, len(keywords) + 1):
        yield ", ".join(keywords[:count])
    yield from keywords


def _most_telling_first(issue: IssueText, worth: Mapping[Key, float]) -> list[Key]:
    """The phrases, best first by `worth`; where that is a subject of hardly any comment, good complaints before it."""
    keys = list(worth)
    if not keys or complains(keys[0]) or _coverage(issue, keys[0]) >= HARDLY_COVERS:
        return keys
    return sorted(keys, key=lambda key: not (complains(key) and worth[key] >= WORTH_INSTEAD * worth[keys[0]]))


def _with_complaint(
    issue: IssueText, phrase: Key, worth: Mapping[Key, float], everywhere: Mapping[Key, int]
) -> Iterator[tuple[Key, Key]]:
    """Subjects and complaints that make a title with `phrase`: what it lacks, where many of the comments share it."""
    if not complains(phrase):
        shorter = [key for key in worth if set(key) < set(phrase) and _stands_alone(issue, key, phrase)]
        for complaint in _shared_complaints(issue):
            if not _alike(phrase, complaint):
                yield from ((subject, complaint) for subject in (phrase, *shorter))
    elif len(issue.phrases[phrase].rows) < MOSTLY * everywhere[phrase]:  # what people say of many things
        least = max(SEVERAL, SHARED_SUBJECT * len(issue.rows))
        for key in worth:
            sound = not complains(key) and not _alike(key, phrase) and _is_sound(issue, key)
            if sound and len(issue.phrases[key].rows) >= least and _is_specific(issue, key):
                yield key, phrase


def _stands_alone(issue: IssueText, part: Key, phrase: Key) -> bool:
    """Is the part of a phrase a thing of its own: said alone, or what it ends with ("supplementary payment")?"""
    closed = issue.phrases[part].closed >= FRAGMENT
    return closed or commonest(issue.phrases[phrase].forms).endswith(f" {commonest(issue.phrases[part].forms)}")


def _shared_complaints(issue: IssueText) -> list[Key]:
    """The complaints that many of the issue's comments share, the commonest first, in their fullest wording.

    Who says "irrelevant to the question" shares "does not answer the question".
    """
    said_of: defaultdict[str, set[int]] = defaultdict(set)
    for key, phrase in issue.phrases.items():
        if complains(key):
            for term in set(key) - WEAK:
                said_of[term] |= phrase.rows
    many = [
        key
        for key, phrase in issue.phrases.items()
        if phrase.closed >= CLAUSE
        and complains(key)
        and len(phrase.rows) >= max(SEVERAL, OWN_COMPLAINT * len(issue.rows))
        and len(set().union(*(said_of[term] for term in set(key) - WEAK))) >= SHARED_COMPLAINT * len(issue.rows)
    ]
    sound = [key for key in many if _is_sound(issue, key) and set(key) - WEAK]
    parts = {key for key in sound for other in sound if set(key) < set(other) and _mostly(issue, key, other)}
    return sorted(set(sound) - parts, key=lambda key: (is_hollow(key), -len(issue.phrases[key].rows), key))


def _mostly(issue: IssueText, key: Key, other: Key) -> bool:
    """Do most of those who write `key` write `other`?"""
    return len(issue.phrases[other].rows) >= MOSTLY * len(issue.phrases[key].rows)


def _details(issue: IssueText, phrase: Key, worth: Mapping[Key, float]) -> tuple[list[Key], list[Key]]:
    """What stands beside a phrase that covers too little, the best first; and what else could, for want of a title."""
    least = WORTH_BESIDE * max(worth.values())
    several = max(SEVERAL, SHARED_DETAIL * len(issue.rows))
    specific = [key for key in worth if _is_specific(issue, key) and _is_sound(issue, key) and not _alike(phrase, key)]
    added = {key: _added(issue, phrase, key) for key in specific}
    others = sorted(added, key=lambda key: (-added[key] * math.sqrt(worth[key]), key))
    coverage = _coverage(issue, phrase)
    if coverage >= COVERS_WELL:
        return [], others
    telling = [key for key in others if worth[key] >= least and len(issue.phrases[key].rows) >= several]
    if complains(phrase):
        telling = [key for key in telling if not (complains(key) and is_hollow(key))]
    if coverage > COVERS_LITTLE:
        is_complaint = complains(phrase)  # which says enough, but for another
        telling = [key for key in telling if added[key] >= WORTH_ADDING and complains(key) >= is_complaint]
    fuller = dict.fromkeys(_extended(issue, key) for key in telling)
    return [key for key in fuller if not _alike(phrase, key)], others


def _extended(issue: IssueText, key: Key) -> Key:
    """The longer phrase that people often write where they write `key`, else `key`.

    A fragment ("price list") rather becomes a clause ("price list has changed") than a clause a longer one, and a
    subject becomes a complaint where several judge it ("terrible customer service").
    """
    short = issue.phrases[key]
    longer = {
        other: phrase
        for other, phrase in issue.phrases.items()
        if set(key) < set(other) and phrase.closed >= 0.8 * min(CLAUSE, short.closed) and _is_sound(issue, other)
    }
    usual = [
        other
        for other, phrase in longer.items()
        if _completes(phrase, short) and (complains(other) or not (set(other) - set(key)) & WEAK)
    ]
    if not usual and not complains(key):
        judging = [other for other in longer if len(other) == len(key) + 1 and complains(other)]
        judged = set().union(*(longer[other].rows for other in judging))
        usual = judging if len(judged) >= max(SEVERAL, JUDGING_SHARE * len(short.rows)) else []
    return min(usual, key=lambda other: (-len(issue.phrases[other].rows), other), default=key)


def _completes(phrase: PhraseCount, short: PhraseCount) -> bool:
    share = COMPLETING_SHARE if short.closed < FRAGMENT and phrase.closed >= CLAUSE else USUAL_SHARE
    return len(phrase.rows) >= max(SEVERAL, share * len(short.rows))


def _is_specific(issue: IssueText, key: Key) -> bool:
    return max(issue.weights.get(term, 0) for term in key) >= TELLING_WORD


def _is_sound(issue: IssueText, key: Key) -> bool:
    """Does a phrase say what its comments say? Not where many deny it, nor what few deny, nor praise alone."""
    phrase = issue.phrases[key]
    praises = not PRAISE.isdisjoint(key) and NEGATION not in key
    bare = tuple(term for term in key if term != NEGATION)
    plain = issue.phrases[bare].rows if len(bare) < len(key) and bare in issue.phrases else ()
    affirmed = len(plain) * DENIED_BY_MANY > len(phrase.rows)
    doubled = any(a != b and _begin_alike(a, b) for a in key for b in key) or not issue.garbled.isdisjoint(key)
    denied = len(phrase.denied) > DENIED_BY_MANY * (len(phrase.rows) + 1)
    return not (praises or doubled or affirmed or denied)


def _alike(key: Key, other: Key) -> bool:
    return any(a == b or _begin_alike(a, b) for a in key for b in other)


def _begin_alike(a: str, b: str) -> bool:
    return min(len(a), len(b)) >= SAME_BEGINNING and a[:SAME_BEGINNING] == b[:SAME_BEGINNING]


def _ranked_phrases(issue: IssueText, everywhere: Mapping[Key, int]) -> dict[Key, float]:
    """The best phrases for a title with their worth, the best first: common ones as far as there are such."""
    least = max(2, 0.3 * math.sqrt(len(issue.rows)))
    frequent = [key for key, phrase in issue.phrases.items() if len(phrase.rows) >= least and phrase.forms]
    frequent = frequent or [key for key, phrase in issue.phrases.items() if phrase.forms]
    worth = {key: _worth(issue, key, everywhere[key]) for key in frequent}
    return {key: worth[key] for key in sorted(worth, key=lambda key: (-worth[key], key))[:PHRASES_WEIGHED]}


def _worth(issue: IssueText, key: Key, everywhere: int) -> float:
    phrase = issue.phrases[key]
    inside = len(phrase.rows)
    meaning = math.sqrt(sum(issue.weights.get(term, 0) for term in key))
    whole = 0.3 + 0.7 * phrase.closed
    # "never received" wants its object, "not available" says it all
    denies = DENIES_LITTLE if phrase.closed < FRAGMENT else 1.0
    is_full = len(set(key) - WEAK) > 1 and not is_hollow(key)
    full = 1.0 if is_full else SAYS_LITTLE if is_hollow(key) or not complains(key) else denies
    sound = 1.0 if _is_sound(issue, key) else NO_TITLE
    bonus = COMPLAINS if complains(key) else 1.0
    specific = inside / (everywhere + FEW)
    shared = inside / len(issue.rows)
    return sound * whole * full * bonus * meaning * specific * math.pow(specific * shared, SHARE_COUNTS)


def _coverage(issue: IssueText, key: Key) -> float:
    """The share of the issue's comments that have at least half of what `key` means."""
    weights = {term: issue.weights.get(term, 0) for term in key}
    half = sum(weights.values()) / 2
    meant: defaultdict[int, float] = defaultdict(float)
    for term, weight in weights.items():
        for row in issue.rows_of.get(term, ()):
            meant[row] += weight
    return sum(weight >= half for weight in meant.values()) / len(issue.rows)


def _added(issue: IssueText, key: Key, other: Key) -> float:
    """How much the phrase `other` tells beyond the phrase `key`."""
    meaning = sum(issue.weights.get(term, 0) for term in other) * (COMPLAINS if complains(other) else 1.0)
    return meaning * math.sqrt(len(issue.phrases[other].rows - issue.phrases[key].rows) / len(issue.rows))
