"""Words for issues: a title as on a sticky note, keywords, a representative comment and three samples.

Terms are ranked by c-TF-IDF x (1 - df)^8: frequent in the issue, rare elsewhere, and not in every other comment. The
first keywords are those that together find the issue's comments (`keywords`).
Titles are phrases that people wrote: runs of words whose stems occur together in many of the issue's comments,
shown in their commonest form.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from feedback_lab.issues.grouping.keywords import f1, finders, without_repeats
from feedback_lab.issues.grouping.phrases import LONGEST_READ, NEGATION, PRAISE, WEAK, Forms, commonest, phrases
from feedback_lab.issues.grouping.samples import three_different, typical_first
from feedback_lab.tokens import content_words, misspellings, respelled

LONGEST_TITLE = 50
KEYWORDS = 8
READ_PER_ISSUE = 1_000
PHRASES_WEIGHED = 50
PHRASES_TRIED = 12
WORTH_ADDING = 0.16
COVERS_LITTLE, COVERS_WELL = 0.2, 0.5  # of the issue's comments: then one phrase is enough
SEVERAL = 3  # comments that share a word, before it may stand for the issue
USUAL_SHARE = 0.3
COMPLETING_SHARE = 0.1
COMMON_WORD = 0.03  # of the best term's weight


@dataclass(frozen=True, slots=True)
class IssueName:
    """What is shown of an issue. `representative` and `samples` are comments as they were written."""

    title: str
    keywords: tuple[str, ...]
    representative: str
    samples: tuple[str, str, str]


@dataclass(slots=True)
class _Phrase:
    rows: set[int] = field(default_factory=set)
    forms: Counter[str] = field(default_factory=Counter)
    whole: set[int] = field(default_factory=set)  # where it is a clause of its own

    @property
    def wholeness(self) -> float:
        """How often it is a clause of its own, 0 to 1."""
        return len(self.whole) / len(self.rows)


@dataclass(slots=True)
class _Issue:
    """The comments of one issue that were read, with their terms and phrases."""

    rows: list[int]
    size: int
    rows_of: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    pairs_of: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    phrases: dict[tuple[str, ...], _Phrase] = field(default_factory=lambda: defaultdict(_Phrase))
    weights: dict[str, float] = field(default_factory=dict)

    @property
    def terms(self) -> dict[str, int]:
        """In how many comments each term occurs."""
        return {term: len(rows) for term, rows in self.rows_of.items()}


def name_issues(
    texts: Sequence[str], labels: npt.NDArray[np.integer], scores: npt.NDArray[np.floating] | None = None
) -> dict[int, IssueName]:
    """Names for every label of `labels` that is 0 or above, titles unique.

    `scores` (0 to 1, how well a comment fits its issue) make clear cases the representatives. Where an issue has
    fewer than three distinct comments, its samples repeat.
    """
    fits = np.ones(len(texts)) if scores is None else np.asarray(scores, np.float64)
    issues = {
        int(label): _Issue(*_rows_to_read(np.flatnonzero(labels == label).tolist()))
        for label in np.unique(labels)
        if label >= 0
    }
    read = [row for issue in issues.values() for row in issue.rows]
    fixed = misspellings(texts[row][:LONGEST_READ] for row in read)
    spelled = {row: respelled(texts[row][:LONGEST_READ], fixed) for row in read}
    for issue in issues.values():
        _read(issue, spelled)
    _weigh(issues.values())
    forms = Forms(spelled.values())
    everywhere = _phrase_counts(issues.values())
    postings = _postings(issues.values())
    names: dict[int, IssueName] = {}
    titles: set[str] = set()
    for label in sorted(issues, key=lambda label: (-issues[label].size, label)):
        issue = issues[label]
        keywords = [forms.shown_pair(term) for term in _keywords(issue, postings)]
        title = _unique_title(
            _titles(issue, everywhere, forms, [forms.shown(term) for term in _best_terms(issue)]), titles
        )
        titles.add(title.casefold())
        ranked = typical_first(texts, issue.rows, issue.weights, fits)
        names[label] = IssueName(title, tuple(dict.fromkeys(keywords)), ranked[0], three_different(ranked))
    return names


def _rows_to_read(rows: list[int]) -> tuple[list[int], int]:
    return rows[:: max(1, math.ceil(len(rows) / READ_PER_ISSUE))], len(rows)


def _read(issue: _Issue, spelled: Mapping[int, str]) -> None:
    for row in issue.rows:
        content = content_words(spelled[row])
        for term in content:
            issue.rows_of[term].add(row)
        for pair in pairwise(content):
            issue.pairs_of[" ".join(pair)].add(row)
        for key, form, is_whole in phrases(spelled[row]):
            phrase = issue.phrases[key]
            phrase.rows.add(row)
            phrase.forms[form] += 1
            if is_whole:
                phrase.whole.add(row)


def _weigh(issues: Iterable[_Issue]) -> None:
    """Set each issue's term weights: c-TF-IDF x (1 - df)^8, the best term at 1."""
    issues = list(issues)
    read = sum(len(issue.rows) for issue in issues)
    total: Counter[str] = Counter()
    counts = [issue.terms for issue in issues]
    for terms in counts:
        total.update(terms)
    mean = sum(total.values()) / max(1, len(issues))
    for issue, terms in zip(issues, counts, strict=True):
        own = sum(terms.values())
        for term, count in terms.items():
            rare = (1 - total[term] / read) ** 8 if len(issues) > 1 else 1.0
            weak = 0.1 if term in WEAK else 1.0
            issue.weights[term] = weak * count / own * math.log1p(mean / total[term]) * rare
        best = max(issue.weights.values(), default=0.0) or 1.0
        issue.weights = {term: weight / best for term, weight in issue.weights.items()}


def _postings(issues: Iterable[_Issue]) -> dict[str, set[int]]:
    """The rows of all issues that have a term or a pair of neighbours."""
    found: defaultdict[str, set[int]] = defaultdict(set)
    for issue in issues:
        for part in (issue.rows_of, issue.pairs_of):
            for term, rows in part.items():
                found[term] |= rows
    return found


def _keywords(issue: _Issue, postings: Mapping[str, set[int]]) -> list[str]:
    """Words and pairs that find the issue, then others that are typical of it."""
    usual = _best_terms(issue)
    pairs = {pair: len(rows) for pair, rows in issue.pairs_of.items() if len(rows) >= SEVERAL}
    told = [pair for pair in pairs if not set(pair.split(" ")) <= WEAK and len(set(pair.split(" "))) == 2]
    own = set(issue.rows)
    telling = sorted((*usual, *told), key=lambda term: (-f1(postings[term], own), term))
    return without_repeats((*finders(telling, own, postings), *usual), KEYWORDS)


def _best_terms(issue: _Issue) -> list[str]:
    """Terms that several comments share, without weak words, as far as there are such; the best first."""
    terms = issue.terms
    shared = [term for term in terms if terms[term] >= SEVERAL] or [term for term in terms if terms[term] > 1]
    usable = [term for term in shared if term not in WEAK] or [term for term in terms if term not in WEAK]
    return sorted(usable or terms, key=lambda term: (-issue.weights[term], term))[:KEYWORDS]


def _phrase_counts(issues: Iterable[_Issue]) -> Counter[tuple[str, ...]]:
    counts: Counter[tuple[str, ...]] = Counter()
    for issue in issues:
        counts.update({key: len(phrase.rows) for key, phrase in issue.phrases.items()})
    return counts


def _titles(
    issue: _Issue, everywhere: Counter[tuple[str, ...]], forms: Forms, keywords: Sequence[str]
) -> Iterator[str]:
    """Titles for an issue, the best first: a phrase, with what else people say where it covers too little."""
    ranked = _ranked_phrases(issue, everywhere)

    def shown(key: tuple[str, ...]) -> str:
        return forms.cased(commonest(issue.phrases[key].forms))

    for key in ranked:
        phrase = _extended(issue, key)
        details = [other for other in ranked if not set(other) & set(phrase)]
        details.sort(key=lambda other: (-_added(issue, phrase, other), other))
        coverage = _coverage(issue, phrase)
        if coverage < COVERS_WELL:
            least = WORTH_ADDING if coverage > COVERS_LITTLE else 0
            telling = [other for other in details if _added(issue, phrase, other) >= least]
            yield from (f"{shown(phrase)}, {shown(_extended(issue, other))}" for other in telling)
        yield shown(phrase)
        yield shown(key)
        yield from (f"{shown(phrase)}, {shown(other)}" for other in details)
    for count in range(min(3, len(keywords)) or 1, len(keywords) + 1):
        yield ", ".join(keywords[:count])
    yield from keywords


def _extended(issue: _Issue, key: tuple[str, ...]) -> tuple[str, ...]:
    """The longer phrase that people often write where they write `key`, else `key`.

    A fragment ("price list") rather becomes a clause ("price list has changed") than a clause a longer one.
    """
    short = issue.phrases[key]

    def is_usual(phrase: _Phrase) -> bool:
        completes = short.wholeness < 0.3 and phrase.wholeness >= 0.5
        share = COMPLETING_SHARE if completes else USUAL_SHARE
        return len(phrase.rows) >= max(SEVERAL, share * len(short.rows))

    longer = [
        other
        for other, phrase in issue.phrases.items()
        if set(key) < set(other) and not (set(other) - set(key) - {NEGATION}) & WEAK and is_usual(phrase)
    ]
    return min(longer, key=lambda other: (-len(issue.phrases[other].rows), other), default=key)


def _ranked_phrases(issue: _Issue, everywhere: Counter[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """The best phrases for a title, the best first: common ones as far as there are such."""
    least = max(2, 0.6 * math.sqrt(len(issue.rows)))
    frequent = [key for key, phrase in issue.phrases.items() if len(phrase.rows) >= least]
    frequent = frequent or [key for key, phrase in issue.phrases.items() if len(phrase.rows) > 1]
    worths = {key: _worth(issue, key, everywhere[key]) for key in frequent}
    ranked = sorted(worths, key=lambda key: (-worths[key], key))[:PHRASES_WEIGHED]
    covering = {key: worths[key] * _coverage(issue, key) ** 0.25 for key in ranked}
    return sorted(ranked, key=lambda key: (-covering[key], key))[:PHRASES_TRIED]


def _worth(issue: _Issue, key: tuple[str, ...], everywhere: int) -> float:
    phrase = issue.phrases[key]
    inside = len(phrase.rows)
    meaning = sum(issue.weights.get(term, 0) for term in key)
    # A word that all issues share makes a poor beginning: "answer is helpful" names nothing.
    opening = 0.6 if key[0] != NEGATION and issue.weights.get(key[0], 0) < COMMON_WORD else 1.0
    # What people write as a clause of its own is not cut out of the middle of a thought.
    whole = 0.4 + 0.6 * phrase.wholeness
    full = 1.0 if len(set(key) - WEAK) > 1 else 0.4
    # "Answer is helpful" is no complaint, unless it is not.
    complaint = 0.05 if not PRAISE.isdisjoint(key) and NEGATION not in key else 1.0
    specific = (inside / everywhere) * math.sqrt(inside / everywhere)
    return complaint * opening * whole * full * meaning * specific * math.sqrt(inside / len(issue.rows))


def _coverage(issue: _Issue, key: tuple[str, ...]) -> float:
    """The share of the issue's comments that have at least half of what `key` means."""
    weights = {term: issue.weights.get(term, 0) for term in key}
    half = sum(weights.values()) / 2
    meant: defaultdict[int, float] = defaultdict(float)
    for term, weight in weights.items():
        for row in issue.rows_of.get(term, ()):
            meant[row] += weight
    return sum(weight >= half for weight in meant.values()) / len(issue.rows)


def _added(issue: _Issue, key: tuple[str, ...], other: tuple[str, ...]) -> float:
    """How much the phrase `other` tells beyond the phrase `key`."""
    meaning = sum(issue.weights.get(term, 0) for term in other)
    return meaning * math.sqrt(len(issue.phrases[other].rows - issue.phrases[key].rows) / len(issue.rows))


def _unique_title(candidates: Iterable[str], taken: set[str]) -> str:
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
