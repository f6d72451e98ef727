"""Words for issues: a title as on a sticky note, keywords, a representative comment and three samples.

Terms are ranked by c-TF-IDF x (1 - df)^8: frequent in the issue, rare elsewhere, and not in every other comment.
Titles are phrases that people wrote: runs of words whose stems occur together in many of the issue's comments,
shown in their commonest form.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from feedback_lab.issues.phrases import LONGEST_READ, WEAK, Forms, commonest, phrases
from feedback_lab.tokens import content_words, pieces, stem

LONGEST_TITLE = 50
KEYWORDS = 8
SAMPLES = 3
READ_PER_ISSUE = 1_000
PHRASES_TRIED = 12
WORTH_ADDING = 0.16
USUAL_SHARE = 0.3
COMMON_WORD = 0.03  # of the best term's weight
SENSIBLE_WORDS = (4, 30)


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


@dataclass(slots=True)
class _Issue:
    """The comments of one issue that were read, with their terms and phrases."""

    rows: list[int]
    size: int
    terms: Counter[str] = field(default_factory=Counter)
    phrases: dict[tuple[str, ...], _Phrase] = field(default_factory=lambda: defaultdict(_Phrase))
    weights: dict[str, float] = field(default_factory=dict)


def name_issues(
    texts: Sequence[str], labels: npt.NDArray[np.integer], scores: npt.NDArray[np.floating] | None = None
) -> dict[int, IssueName]:
    """Names for every label of `labels` that is 0 or above, titles unique.

    `scores` (0 to 1, how well a comment fits its issue) make clear cases the representatives. Where an issue has
    fewer than three distinct comments, its samples repeat.
    """
    fits = np.ones(len(texts)) if scores is None else np.asarray(scores, np.float64)
    issues = {
        int(label): _read(texts, np.flatnonzero(labels == label).tolist()) for label in np.unique(labels) if label >= 0
    }
    _weigh(issues.values())
    forms = Forms(texts[row] for issue in issues.values() for row in issue.rows)
    everywhere = _phrase_counts(issues.values())
    names: dict[int, IssueName] = {}
    titles: set[str] = set()
    for label in sorted(issues, key=lambda label: (-issues[label].size, label)):
        issue = issues[label]
        keywords = [forms.shown(term) for term in _best_terms(issue)]
        title = _unique_title(_titles(issue, everywhere, forms, keywords), titles)
        titles.add(title.casefold())
        ranked = _representatives(texts, issue, fits)
        names[label] = IssueName(title, tuple(dict.fromkeys(keywords)), ranked[0], _three_different(ranked))
    return names


def _read(texts: Sequence[str], rows: list[int]) -> _Issue:
    step = max(1, math.ceil(len(rows) / READ_PER_ISSUE))
    issue = _Issue(rows[::step], len(rows))
    for row in issue.rows:
        issue.terms.update(set(content_words(texts[row][:LONGEST_READ])))
        for key, form in phrases(texts[row]):
            issue.phrases[key].rows.add(row)
            issue.phrases[key].forms[form] += 1
    return issue


def _weigh(issues: Iterable[_Issue]) -> None:
    """Set each issue's term weights: c-TF-IDF x (1 - df)^8, the best term at 1."""
    issues = list(issues)
    read = sum(len(issue.rows) for issue in issues)
    total: Counter[str] = Counter()
    for issue in issues:
        total.update(issue.terms)
    mean = sum(total.values()) / max(1, len(issues))
    for issue in issues:
        own = sum(issue.terms.values())
        for term, count in issue.terms.items():
            rare = (1 - total[term] / read) ** 8 if len(issues) > 1 else 1.0
            weak = 0.1 if term in WEAK else 1.0
            issue.weights[term] = weak * count / own * math.log1p(mean / total[term]) * rare
        best = max(issue.weights.values(), default=0.0) or 1.0
        issue.weights = {term: weight / best for term, weight in issue.weights.items()}


def _best_terms(issue: _Issue) -> list[str]:
    usable = [term for term in issue.terms if term not in WEAK] or list(issue.terms)
    return sorted(usable, key=lambda term: (-issue.weights[term], term))[:KEYWORDS]


def _phrase_counts(issues: Iterable[_Issue]) -> Counter[tuple[str, ...]]:
    counts: Counter[tuple[str, ...]] = Counter()
    for issue in issues:
        counts.update({key: len(phrase.rows) for key, phrase in issue.phrases.items()})
    return counts


def _titles(
    issue: _Issue, everywhere: Counter[tuple[str, ...]], forms: Forms, keywords: Sequence[str]
) -> Iterator[str]:
    """Titles for an issue, the best first: a phrase and what distinguishes it, then simpler ones."""
    ranked = _ranked_phrases(issue, everywhere)[:PHRASES_TRIED]
    terms: list[tuple[str, ...]] = [(term,) for term in _best_terms(issue)]

    def shown(key: tuple[str, ...]) -> str:
        return forms.cased(commonest(issue.phrases[key].forms)) if key in issue.phrases else forms.shown(key[0])

    for key in ranked:
        phrase = _extended(issue, key)
        others = sorted(ranked + terms, key=lambda other: (-_added(issue, phrase, other), other))
        details = [other for other in others if not set(other) & set(phrase)]
        telling = [other for other in details if _added(issue, phrase, other) >= WORTH_ADDING]
        yield from (f"{shown(phrase)}, {shown(other)}" for other in telling)
        yield shown(phrase)
        yield shown(key)
        yield from (f"{shown(phrase)}, {shown(other)}" for other in details)
    for count in range(min(3, len(keywords)) or 1, len(keywords) + 1):
        yield ", ".join(keywords[:count])
    yield from keywords


def _extended(issue: _Issue, key: tuple[str, ...]) -> tuple[str, ...]:
    """The longer phrase that people mostly write where they write `key`, else `key`."""
    rows = len(issue.phrases[key].rows)
    longer = [
        other
        for other, phrase in issue.phrases.items()
        if set(key) < set(other)
        and not (set(other) - set(key)) & WEAK
        and len(phrase.rows) >= max(3, USUAL_SHARE * rows)
    ]
    return min(longer, key=lambda other: (-len(issue.phrases[other].rows), other), default=key)


def _ranked_phrases(issue: _Issue, everywhere: Counter[tuple[str, ...]]) -> list[tuple[str, ...]]:
    least = max(2, 0.01 * len(issue.rows))

    def worth(key: tuple[str, ...]) -> float:
        inside = len(issue.phrases[key].rows)
        meaning = sum(issue.weights.get(term, 0) for term in key)
        # A word that all issues share makes a poor beginning: "answer is helpful" names nothing.
        opening = 0.6 if issue.weights.get(key[0], 0) < COMMON_WORD else 1.0
        return opening * meaning * math.sqrt(inside / len(issue.rows)) * math.sqrt(inside / everywhere[key])

    frequent = [key for key, phrase in issue.phrases.items() if len(phrase.rows) >= least]
    return sorted(frequent, key=lambda key: (-worth(key), key))


def _added(issue: _Issue, key: tuple[str, ...], other: tuple[str, ...]) -> float:
    """How much `other` tells beyond the phrase `key`."""
    meaning = sum(issue.weights.get(term, 0) for term in other)
    if other not in issue.phrases:
        return 0.4 * meaning * math.sqrt(issue.terms[other[0]] / len(issue.rows))
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


def _representatives(texts: Sequence[str], issue: _Issue, fits: npt.NDArray[np.float64]) -> list[str]:
    """The issue's comments, the most typical first: strong terms, a sensible length, a clear case."""
    low, high = SENSIBLE_WORDS

    def typical(row: int) -> float:
        parts = pieces(texts[row][:LONGEST_READ])
        stems = {stem(part) for part in parts}
        centre = sum(issue.weights.get(term, 0) for term in stems) / math.sqrt(len(stems) + 4)
        length = 1.0 if low <= len(parts) <= high else 0.5 if len(parts) > high else 0.3
        return centre * length * (0.5 + float(fits[row]))

    return [texts[row] for row in sorted(issue.rows, key=lambda row: (-typical(row), row))]


def _three_different(ranked: Sequence[str]) -> tuple[str, str, str]:
    """Three of the more typical comments that share few words; repeats only where there are not enough texts."""
    pool = list(dict.fromkeys(ranked))
    pool = pool[: max(SAMPLES, len(pool) // 3)]
    chosen = pool[:1]
    bags = {text: set(pieces(text[:LONGEST_READ])) for text in pool[:200]}
    while len(chosen) < min(SAMPLES, len(bags)):
        left = [text for text in bags if text not in chosen]
        chosen.append(min(left, key=lambda text: max(_overlap(bags[text], bags[other]) for other in chosen)))
    chosen += [chosen[i % len(chosen)] for i in range(SAMPLES - len(chosen))]
    return chosen[0], chosen[1], chosen[2]


def _overlap(a: set[str], b: set[str]) -> float:
    return len(a & b) / max(1, len(a | b))
