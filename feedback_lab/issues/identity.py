"""Which new cluster continues which issue, and what a regrouping changed. Pure: lists in, answers out.

Comments are rows; `old` and `new` say for every row where it was and where it is, None being nowhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

# A cluster takes over an issue's identity where they share at least so much of their members (Jaccard index).
SAME_ISSUE = 0.3
PART = 0.25  # of an issue's comments in a new issue: then it was split
SAME_GROUP = 0.5  # of the smaller of two groups, shared: a dismissed proposal is recognised by it


@dataclass(frozen=True, slots=True)
class Change:
    """How many comments an issue has before and after; `others` are the issues that it came from or went to."""

    issue_id: str
    title: str
    before: int
    after: int
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Changes:
    """What a regrouping does to the issues that are there. `moved` counts old comments that change their issue."""

    new: tuple[Change, ...]
    grown: tuple[Change, ...]
    shrunk: tuple[Change, ...]
    split: tuple[Change, ...]
    merged: tuple[Change, ...]
    gone: tuple[Change, ...]
    kept: int
    moved: int


def match(old: Sequence[Any], new: Sequence[int], least: float = SAME_ISSUE) -> dict[int, Any]:
    """Which new label continues which old group: best total Jaccard index, pairs under `least` dropped.

    `old` and `new` are the groups of the same rows; None in `old` and -1 in `new` are no group.
    """
    groups = [group for group in dict.fromkeys(old) if group is not None]
    labels = sorted({int(label) for label in new if label >= 0})
    if not groups or not labels:
        return {}
    place = {group: number for number, group in enumerate(groups)}
    column = np.array([place.get(group, len(groups)) for group in old])
    row = np.searchsorted(labels, np.asarray(new))
    row[np.asarray(new) < 0] = len(labels)
    shape = (len(labels) + 1, len(groups) + 1)
    both = np.bincount(row * shape[1] + column, minlength=shape[0] * shape[1]).reshape(shape).astype(float)
    shared = both[:-1, :-1]
    overlap = shared / (both.sum(1)[:-1, None] + both.sum(0)[None, :-1] - shared)
    rows, columns = linear_sum_assignment(-overlap)
    pairs = zip(rows.tolist(), columns.tolist(), strict=True)
    return {labels[row]: groups[column] for row, column in pairs if overlap[row, column] >= max(least, 1e-9)}


def same_group(one: set[str], other: set[str]) -> bool:
    """Whether two sets of comments are the same group, one of them perhaps grown since."""
    return bool(one and other) and len(one & other) >= SAME_GROUP * min(len(one), len(other))


def continued(
    ids: Sequence[str],
    placed_in: Sequence[str | None],
    labels: Sequence[int],
    root_of: Mapping[str, str],
    dismissed: Sequence[set[str]],
) -> dict[int, str | None]:
    """Of fresh clusters, those that are no news: label -> issue it continues, or None for a dismissed group.

    Clusters are matched with what issues were before humans merged them, so that each part of a merged issue leads
    to the whole; and so does a cluster most of whose comments come from a merged issue.
    """
    found: dict[int, str | None] = {
        label: root_of.get(place, place) for label, place in match(placed_in, labels).items()
    }
    wholes = {root for part, root in root_of.items() if part != root}
    members: dict[int, list[int]] = {}
    for row, label in enumerate(labels):
        if label >= 0 and label not in found:
            members.setdefault(label, []).append(row)
    for label, rows in members.items():
        origins = Counter(root_of.get(place, place) for row in rows if (place := placed_in[row]))
        origin, count = origins.most_common(1)[0] if origins else (None, 0)
        if origin in wholes and 2 * count > len(rows):
            found[label] = origin
        elif any(same_group({ids[row] for row in rows}, group) for group in dismissed):
            found[label] = None
    return found


def changes(old: Sequence[str | None], new: Sequence[str | None], titles: Mapping[str, str]) -> Changes:
    """What happened between two groupings of the same rows."""
    before, after = Counter(one for one in old if one), Counter(one for one in new if one)
    flows = Counter((left, right) for left, right in zip(old, new, strict=True) if left and right and left != right)
    moved = sum(left is not None and left != right for left, right in zip(old, new, strict=True))

    def change(issue_id: str, others: Sequence[str] = ()) -> Change:
        return Change(issue_id, titles.get(issue_id, ""), before[issue_id], after[issue_id], tuple(others))

    fresh = [one for one in after if not before[one]]
    gone = [one for one in before if not after[one]]
    parts = {origin: [one for one in fresh if flows[origin, one] >= PART * before[origin]] for origin in before}
    split = {origin: parts[origin] for origin in before if after[origin]}
    into = {one: target for one in gone for target in after if flows[one, target] > 0.5 * before[one]}
    merged = {target: [one for one in gone if into.get(one) == target] for target in set(into.values())}
    stay = [one for one in before if after[one]]
    return Changes(
        new=tuple(change(one) for one in fresh),
        grown=tuple(change(one) for one in stay if after[one] > before[one]),
        shrunk=tuple(change(one) for one in stay if after[one] < before[one]),
        split=tuple(change(origin, news) for origin, news in split.items() if news),
        merged=tuple(change(target, former) for target, former in sorted(merged.items())),
        gone=tuple(change(one) for one in gone),
        kept=len(stay),
        moved=moved,
    )
