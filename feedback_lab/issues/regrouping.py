"""One regrouping of all comments under what humans decided. Computes; writes nothing.

Warm: the stored model learns on from the issues as they are. Cold: everything is clustered from nothing, and the
clusters continue issues. Fixed comments (moved by a human, or in a locked issue) stay where they are either way,
and the model learns from them there, so a split stays split and a merge stays merged. The comments of a dismissed
proposal stay in no issue when warm, unless a new group takes them; cold, a cluster that continues an issue may.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from feedback_lab.issues.comment_vectors import TextVectors
from feedback_lab.issues.grouping.clustering import Clustering
from feedback_lab.issues.grouping.emerging import emerging
from feedback_lab.issues.identity import continued, same_group
from feedback_lab.issues.stored import Comments, roots
from feedback_lab.records import new_id

Labels = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Regrouping:
    """Where every comment belongs: `placed_in` an issue or nowhere, `homes` the issue that this one was merged into.

    `label_of` gives each issue's number in `model`, `proposed` are the issues that emerged now.
    """

    model: Clustering
    placed_in: list[str | None]
    homes: list[str | None]
    scores: list[float]
    sub_labels: list[int | None]
    low_information: list[bool]
    label_of: dict[str, int]
    proposed: frozenset[str]


@dataclass(frozen=True, eq=False)
class _Start:
    """The comments as they are grouped now; `fixed` ones must stay. `label_of` are the model's numbers of issues."""

    comments: Comments
    vectors: TextVectors | None
    root_of: dict[str, str]
    locked: set[str]
    homes: list[str | None]
    fixed: npt.NDArray[np.bool_]
    label_of: dict[str, int]


def regroup(
    comments: Comments,
    issues: Mapping[str, Mapping[str, Any]],
    model: Clustering | None,
    dismissed: Sequence[set[str]],
    learn: Callable[[Sequence[str]], Clustering],
    vectors: TextVectors | None = None,
) -> Regrouping:
    """Group `comments` again: on from `model`, or from nothing by `learn` where that is None.

    `vectors` are those of the comments where they are grouped by more than their words; `model` holds no others.
    """
    root_of = roots(issues)
    locked = {issue_id for issue_id, row in issues.items() if row["locked"]}
    homes = [root_of.get(place) if place else None for place in comments.placed_in]
    fixed = np.array([moved or home in locked for moved, home in zip(comments.moved, homes, strict=True)], np.bool_)
    # A part that was split off goes by the number of its whole until the model learns it.
    label_of = {one: row["label"] for one, row in issues.items() if row["label"] >= 0 and row["sub_label"] is None}
    start = _Start(comments, vectors, root_of, locked, homes, fixed, label_of)
    if model is None:
        return _cold(start, learn(comments.texts), dismissed)
    return _warm(start, model, dismissed)


def proposals(
    ids: Sequence[str],
    texts: Sequence[str],
    model: Clustering,
    dismissed: Sequence[set[str]],
    vectors: TextVectors | None,
) -> list[list[int]]:
    """Groups of comments that fit each other better than any issue, as rows; none that a human dismissed before."""
    groups = emerging(texts, model, vectors=vectors)
    return [group for group in groups if not any(same_group({ids[row] for row in group}, old) for old in dismissed)]


def _warm(start: _Start, model: Clustering, dismissed: Sequence[set[str]]) -> Regrouping:
    homes = list(start.homes)
    placed_in, fresh = start.comments.placed_in, start.comments.fresh
    loose = [
        row
        for row, home in enumerate(homes)
        if (home is None or (fresh[row] and placed_in[row] in start.label_of)) and not start.fixed[row]
    ]
    proposed = set()
    ids, texts = ([column[row] for row in loose] for column in (start.comments.ids, start.comments.texts))
    vectors = start.vectors.take(loose) if start.vectors else None
    for group in proposals(ids, texts, model, dismissed, vectors):
        proposed.add(issue_id := new_id())
        for one in group:
            homes[loose[one]] = issue_id
    known = {label: start.root_of[issue_id] for issue_id, label in start.label_of.items()}
    refused = set().union(*dismissed)
    out = [row for row in loose if homes[row] is None and start.comments.ids[row] in refused]
    start.fixed[out] = _in_no_dismissed_group(start, model, out, known)
    return _fitted(start, model, homes, known, start.label_of, frozenset(proposed))


def _in_no_dismissed_group(
    start: _Start, model: Clustering, rows: list[int], known: Mapping[int, str]
) -> npt.NDArray[np.bool_]:
    """Which of these comments the model would put into an issue or nowhere: only these have to be held back.

    Others it would put into a group that it learned before a human dismissed that; there they are in no issue anyway.
    """
    texts = [start.comments.texts[row] for row in rows]
    said = model.assign(texts, start.vectors.take(rows) if start.vectors else None)
    return np.isin(said, [-1, *known])


def _cold(start: _Start, model: Clustering, dismissed: Sequence[set[str]]) -> Regrouping:
    comments = start.comments
    labels = model.labels.tolist()
    news = continued(comments.ids, _established(comments, dismissed), labels, start.root_of, dismissed)
    issue_of = {label: news[label] if label in news else new_id() for label in sorted({*labels} - {-1})}
    known = {label: issue_id for label, issue_id in issue_of.items() if issue_id}
    if not start.fixed.any() and len(set(known.values())) == len(issue_of):
        return _placed(start, model, known, {issue_id: label for label, issue_id in known.items()}, frozenset())
    homes = [known.get(label) for label in labels]
    for row in np.flatnonzero(start.fixed):
        homes[row] = start.homes[row]
    return _fitted(start, model, homes, known, {}, frozenset())


def _established(comments: Comments, dismissed: Sequence[set[str]]) -> list[str | None]:
    """The places that say what an issue is: not those where the model alone put a new or a dismissed comment."""
    refused = set().union(*dismissed)
    loose = [fresh or one in refused for fresh, one in zip(comments.fresh, comments.ids, strict=True)]
    unsure = [is_loose and not moved for is_loose, moved in zip(loose, comments.moved, strict=True)]
    sure = [None if is_unsure else place for is_unsure, place in zip(unsure, comments.placed_in, strict=True)]
    return sure if any(sure) else comments.placed_in


def _fitted(
    start: _Start,
    model: Clustering,
    homes: Sequence[str | None],
    known: Mapping[int, str],
    label_of: Mapping[str, int],
    proposed: frozenset[str],
) -> Regrouping:
    """Let the model learn the groups `homes`, and place every comment by what it then says.

    `known` says which issues the model's numbers stand for (several for one, after a merge), `label_of` which of
    them belongs to which part; other issues get new numbers.
    """
    issue_of = dict(known)
    number: dict[str, int] = {}
    for label, issue_id in known.items():
        number[issue_id] = label if label_of.get(issue_id) == label else number.get(issue_id, label)
    for issue_id in dict.fromkeys(home for home in homes if home and home not in number):
        number[issue_id] = max(model.n_clusters, *(label + 1 for label in issue_of), 0)
        issue_of[number[issue_id]] = issue_id
    labels = np.array([number[home] if home else -1 for home in homes], np.int64)
    fitted = model.refit(start.comments.texts, labels, start.fixed, vectors=start.vectors)
    return _placed(start, fitted, issue_of, {**label_of, **number}, proposed)


def _placed(
    start: _Start,
    model: Clustering,
    issue_of: Mapping[int, str],
    label_of: dict[str, int],
    proposed: frozenset[str],
) -> Regrouping:
    comments = start.comments
    placed_in: list[str | None] = []
    sub_labels: list[int | None] = []
    for row, label in enumerate(model.labels.tolist()):
        target, home = issue_of.get(label), start.homes[row]
        stays = start.fixed[row] or target == home or (target in start.locked and comments.known[row])
        placed_in.append(comments.placed_in[row] if stays else target)
        sub = int(model.sub_labels[row])
        sub_labels.append(sub if sub >= 0 and target is not None and target == (home if stays else target) else None)
    homes = [start.root_of.get(place, place) if place else None for place in placed_in]
    return Regrouping(
        model=model,
        placed_in=placed_in,
        homes=homes,
        scores=[float(score) for score in model.scores],
        sub_labels=sub_labels,
        low_information=[bool(low) and not home for low, home in zip(model.low_information, homes, strict=True)],
        label_of=label_of,
        proposed=proposed & {home for home in homes if home},
    )
