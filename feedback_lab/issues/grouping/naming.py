"""Words for issues: a title as on a sticky note, keywords, a representative comment and three samples.

Terms are ranked by c-TF-IDF x (1 - df)^8: frequent in the issue, rare elsewhere, and not in every other comment. The
first keywords are those that together find the issue's comments (`keywords`).
Titles are phrases that people wrote: runs of words whose stems occur together in many of the issue's comments,
shown in their commonest form.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from feedback_lab.issues.grouping.keywords import f1, finders, without_repeats
from feedback_lab.issues.grouping.phrases import ALSO, NEGATION, WEAK, commonest, phrases
from feedback_lab.issues.grouping.reading import Reader
from feedback_lab.issues.grouping.samples import three_different, typical_first
from feedback_lab.issues.grouping.titles import SEVERAL, IssueText, titles
from feedback_lab.issues.grouping.unique_titles import Words, unique_title, words_of
from feedback_lab.issues.grouping.unspaced import end_of_form, is_unspaced, joined, whole_word, without_particle
from feedback_lab.tokens import language_of, tokens

KEYWORDS = 8
LONGEST_KEYWORD = 30
FORMS_COUNTED = 100  # comments
MOSTLY_IN, LONGEST_WORD = 0.6, 8  # share of a piece's occurrences; characters of an unspaced script
LONG_WORD, MUCH_COMMONER = 6, 3  # letters; times
TELL_LANGUAGE = 50  # comments
READ_IN_ALL = 12_000  # comments; of each issue ...
LEAST_READ_PER_ISSUE, MOST_READ_PER_ISSUE = 100, 1_000
SAME_NUMBER = 0.6  # of a phrase's occurrences

_NUMBER = re.compile(r" \d+(?:[.,]\d+)*(?= |$)")


@dataclass(frozen=True, slots=True)
class IssueName:
    """What is shown of an issue. `representative` and `samples` are comments as they were written."""

    title: str
    keywords: tuple[str, ...]
    representative: str
    samples: tuple[str, str, str]


def name_issues(
    texts: Sequence[str],
    labels: npt.NDArray[np.integer],
    scores: npt.NDArray[np.floating] | None = None,
    *,
    reader: Reader | None = None,
) -> dict[int, IssueName]:
    """Names for every label of `labels` that is 0 or above, titles unique.

    `scores` (0 to 1, how well a comment fits its issue) make clear cases the representatives. Where an issue has
    fewer than three distinct comments, its samples repeat. Of large issues a part is read. A `reader` of the same
    texts, where they are named twice, reads them once.
    """
    reader = reader or Reader(texts)
    fits = np.ones(len(texts)) if scores is None else np.asarray(scores, np.float64)
    issues = _issues(labels, reader)
    reader.read(row for issue in issues.values() for row in issue.rows)
    for issue in issues.values():
        _read(issue, reader)
    _weigh(issues.values())
    everywhere = _phrase_counts(issues.values())
    postings = _postings(issues.values())
    names: dict[int, IssueName] = {}
    taken: set[Words] = set()
    for label in sorted(issues, key=lambda label: (-issues[label].size, label)):
        issue, forms = issues[label], reader.forms
        keywords = [_shown(term, issue, reader) for term in _keywords(issue, postings)]
        title = unique_title(
            titles(issue, everywhere, forms, [forms.shown(term) for term in _best_terms(issue)[:KEYWORDS]]), taken
        )
        taken.add(words_of(title))
        ranked = typical_first(reader, issue, fits, _shown_stems(title))
        names[label] = IssueName(title, tuple(dict.fromkeys(keywords)), ranked[0], three_different(ranked))
    return names


def _shown_stems(title: str) -> set[str]:
    """The stems that carry a title; kana too, which deny or inflect (ログインできない)."""
    return {stemmed for stemmed, form, is_function in tokens(title) if not is_function or is_unspaced(form)}


def _issues(labels: npt.NDArray[np.integer], reader: Reader) -> dict[int, IssueText]:
    """The issues with the rows to read: an even part of the large ones, preferably of what was read before."""
    order = np.argsort(labels, kind="stable")
    known, starts = np.unique(labels[order], return_index=True)
    ends = [*starts[1:], len(order)]
    members = {int(k): order[a:b] for k, a, b in zip(known, starts, ends, strict=True) if k >= 0} if len(known) else {}
    most = min(MOST_READ_PER_ISSUE, max(LEAST_READ_PER_ISSUE, READ_IN_ALL // max(1, len(members))))
    issues = {}
    for label, own in members.items():
        rows = own.tolist()
        if len(rows) > LEAST_READ_PER_ISSUE:
            before = [row for row in rows if row in reader]
            rows = before if len(before) >= LEAST_READ_PER_ISSUE else rows
        read = min(most, len(rows))
        issues[label] = IssueText([rows[place * len(rows) // read] for place in range(read)], len(own))
    return issues


def _read(issue: IssueText, reader: Reader) -> None:
    foreign = _foreign_function_words(issue, reader)
    for row in issue.rows:
        words = (word for clause in reader[row] for word in clause)
        content = [stemmed for stemmed, form, is_function in words if not is_function and form not in foreign]
        for term in content:
            issue.rows_of[term].add(row)
        for one, other in pairwise(content):
            issue.pairs_of[f"{one} {other}"].add(row)
    often = {term for term, rows in issue.rows_of.items() if len(rows) >= SEVERAL}
    usual = often if issue.is_large else None
    for row in issue.rows:
        for clause in reader[row]:
            for key, form, closed, is_denied in phrases(clause, usual):
                phrase = issue.phrases[key]
                phrase.rows.add(row)
                phrase.forms[form] += 1
                phrase.closings += closed
                if is_denied:
                    phrase.denied.add(row)
                    issue.phrases[tuple(sorted({*key, NEGATION}))].rows.add(row)
    for phrase in issue.phrases.values():
        if len(phrase.forms) > 1:
            _leave_numbers_out(phrase.forms)


def _leave_numbers_out(forms: Counter[str]) -> None:
    """A number is part of a phrase where most write the same ("no GPT 4"), not where each writes another."""
    for form in [form for form in forms if _NUMBER.search(form)]:
        if forms[form] < SAME_NUMBER * forms.total():
            forms[_NUMBER.sub("", form)] += forms.pop(form)


def _foreign_function_words(issue: IssueText, reader: Reader) -> set[str]:
    """Function words of the issue's language, where that is not English.

    A short comment does not tell its language ("mi pedido") and was read as English; many together do.
    """
    known = {form for row in issue.rows[:TELL_LANGUAGE] for clause in reader[row] for _, form, _ in clause}
    language = language_of(known - {"no"})  # which is not English alone
    return {form for form in known if language != "en" and any(word[2] for word in tokens(form, language))}


def _phrase_counts(issues: Iterable[IssueText]) -> Counter[tuple[str, ...]]:
    counts: Counter[tuple[str, ...]] = Counter()
    for issue in issues:
        counts.update({key: len(phrase.rows) for key, phrase in issue.phrases.items()})
    return counts


def _weigh(issues: Iterable[IssueText]) -> None:
    """Set each issue's garbled terms and term weights: c-TF-IDF x (1 - df)^8, the best term at 1."""
    issues = list(issues)
    read = sum(len(issue.rows) for issue in issues)
    total: Counter[str] = Counter()
    counts = [issue.terms for issue in issues]
    for terms in counts:
        total.update(terms)
    mean = sum(total.values()) / max(1, len(issues))
    for issue, terms in zip(issues, counts, strict=True):
        own = sum(terms.values())
        issue.garbled = {term for term in terms if _is_garbled(term, total)}
        for term, count in terms.items():
            rare = (1 - total[term] / read) ** 8 if len(issues) > 1 else 1.0
            weak = 0.1 if term in WEAK or term in issue.garbled else 1.0
            issue.weights[term] = weak * count / own * math.log1p(mean / total[term]) * rare
        best = max(issue.weights.values(), default=0.0) or 1.0
        issue.weights = {term: weight / best for term, weight in issue.weights.items()}


def _is_garbled(term: str, total: Mapping[str, int]) -> bool:
    """Does the term look like a much commoner word with something stuck to it ("flightled")?"""
    beginnings = (term[:end] for end in range(LONG_WORD, len(term)))
    return any(total.get(beginning, 0) > MUCH_COMMONER * total[term] for beginning in beginnings)


def _postings(issues: Iterable[IssueText]) -> dict[str, set[int]]:
    """The rows of all issues that have a term or a pair of neighbours."""
    found: defaultdict[str, set[int]] = defaultdict(set)
    for issue in issues:
        for part in (issue.rows_of, issue.pairs_of):
            for term, rows in part.items():
                found[term] |= rows
    return found


def _keywords(issue: IssueText, postings: Mapping[str, set[int]]) -> list[str]:
    """Words and pairs that find the issue, then others that are typical of it."""
    usual = _best_terms(issue)
    own = set(issue.rows)
    telling = {term: f1(postings[term], own) for term in (*usual, *_told_again(issue))}
    ranked = sorted(telling, key=lambda term: (-telling[term], term))
    return without_repeats(finders(ranked, own, postings), usual[:KEYWORDS], KEYWORDS)


def _shown(term: str, issue: IssueText, reader: Reader) -> str:
    """A word, or a pair as people write it: "waiting for my refund"."""
    if " " not in term:
        return _shown_word(term, issue, reader)
    forms: Counter[str] = Counter()
    for row in sorted(issue.pairs_of[term])[:FORMS_COUNTED]:
        for clause in reader[row]:
            content = [i for i, (_, _, is_function) in enumerate(clause) if not is_function]
            for i, j in pairwise(content):
                between = {form for _, form, _ in clause[i:j]}
                if f"{clause[i][0]} {clause[j][0]}" == term and ALSO.isdisjoint(between):
                    shown = joined([form for _, form, _ in clause[i : end_of_form(clause, j)]])
                    forms[without_particle(shown)] += 1
    _leave_numbers_out(forms)
    written = reader.forms.cased(commonest(forms)) if forms else ""
    return written if 0 < len(written) <= LONGEST_KEYWORD else reader.forms.shown_pair(term)


def _shown_word(term: str, issue: IssueText, reader: Reader) -> str:
    """A word; of an unspaced script the one that a piece of it mostly stands in."""
    if not is_unspaced(term):
        return reader.forms.shown(term)
    clauses = [clause for row in sorted(issue.rows_of[term])[:FORMS_COUNTED] for clause in reader[row]]
    forms = Counter(whole_word(clause, i) for clause in clauses for i, word in enumerate(clause) if word[0] == term)
    whole = commonest(forms) if forms else term
    return whole if forms[whole] >= MOSTLY_IN * forms.total() and len(whole) <= LONGEST_WORD else term


def _told_again(issue: IssueText) -> list[str]:
    """Pairs of different neighbours that several comments share; two common words may tell much ("how long")."""
    several = SEVERAL if issue.is_large else 2
    pairs = [pair for pair, rows in issue.pairs_of.items() if len(rows) >= several]
    return [pair for pair in pairs if len(set(pair.split(" "))) == 2]


def _best_terms(issue: IssueText) -> list[str]:
    """Terms that several comments share, without weak words, as far as there are such; the best first."""
    terms = issue.terms
    several = SEVERAL if issue.is_large else 2
    shared = [term for term in terms if terms[term] >= several] or [term for term in terms if terms[term] > 1]
    usable = [term for term in shared if term not in WEAK] or [term for term in terms if term not in WEAK]
    return sorted(usable or terms, key=lambda term: (-issue.weights[term], term))
