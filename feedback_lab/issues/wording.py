"""Titles, keywords and quotes for the issues of a regrouping and for their sub-issues."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from feedback_lab.issues.grouping.clustering import SMALLEST_ISSUE
from feedback_lab.issues.grouping.naming import IssueName, name_issues
from feedback_lab.issues.grouping.reading import Reader


def words_of(
    texts: Sequence[str], homes: Sequence[str | None], scores: Sequence[float], reader: Reader | None = None
) -> dict[str, IssueName]:
    """A name for every issue in `homes` (one element a comment; None is no issue)."""
    number = {home: place for place, home in enumerate(dict.fromkeys(home for home in homes if home))}
    labels = np.array([number[home] if home else -1 for home in homes], np.int64)
    names = name_issues(texts, labels, np.array(scores), reader=reader)
    return {home: names[place] for home, place in number.items()}


def sub_issues_of(
    texts: Sequence[str],
    homes: Sequence[str | None],
    subs: Sequence[int | None],
    scores: Sequence[float],
    reader: Reader | None = None,
) -> dict[str, list[dict[str, Any]]]:
    """For every issue its sub-issues, the largest first: sub_label, title, keywords, representative, comments."""
    pairs = [(home, sub) if home and sub is not None else None for home, sub in zip(homes, subs, strict=True)]
    sizes = Counter(pair for pair in pairs if pair)
    number = {pair: place for place, pair in enumerate(sizes) if sizes[pair] >= SMALLEST_ISSUE}
    labels = np.array([number.get(pair, -1) if pair else -1 for pair in pairs], np.int64)
    names = name_issues(texts, labels, np.array(scores), reader=reader) if number else {}
    found: dict[str, list[dict[str, Any]]] = {}
    for (home, sub), place in sorted(number.items(), key=lambda item: (-sizes[item[0]], item[1])):
        name = names[place]
        found.setdefault(home, []).append(
            {
                "sub_label": sub,
                "title": name.title,
                "keywords": list(name.keywords),
                "representative": name.representative,
                "comments": sizes[home, sub],
            }
        )
    return found


def unique_title(name: IssueName, taken: set[str]) -> str:
    """The computed title, with its first keyword that tells it from a kept issue of the same title; adds it to `taken`.

    `taken` holds titles in lower case (`str.casefold`).
    """
    choices = [name.title, *(f"{name.title} ({keyword})" for keyword in name.keywords)]
    choices += [f"{name.title} ({number})" for number in range(2, len(taken) + 3)]
    title = next(choice for choice in choices if choice.casefold() not in taken)
    taken.add(title.casefold())
    return title


def titles_taken(issues: Mapping[str, Mapping[str, Any]]) -> set[str]:
    """The titles that listed issues have, in lower case."""
    return {row["title"].casefold() for row in issues.values() if not row["merged_into"]}
