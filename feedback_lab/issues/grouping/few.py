"""A few hundred comments or less: too few to learn meaning from; what shows is which comments share words.

Average linkage nests the comments by their likeness: the cosine of their TF-IDF (stems and character n-grams) and, with
less weight, the cosine of their rows of such cosines, which is high where both are like the same others. Where to cut
depends on how alike comments are by chance, which is read from the less alike half of all pairs: of the cuts around
that likeness the one is taken whose groups tell most about neighbours and are best recognised by their words, as for
more comments (`selection`), but recognition counts for more here. One large and some small groups are found as well as
groups of one size, and comments on one thing stay one group. Where no group is large, some hundred comments are also
clustered as more of them are, which suits many kinds of one size and only those.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy.sparse as sp
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform
from sklearn.feature_extraction.text import TfidfVectorizer

from feedback_lab.issues.grouping.comments import Comments, indicator
from feedback_lab.issues.grouping.features import Floats, as_is, fitted, spelling, unit_rows
from feedback_lab.issues.grouping.kmeans import Labels, membership, nearest_neighbours, relabelled
from feedback_lab.issues.grouping.mixture import TEMPER
from feedback_lab.issues.grouping.selection import Doubles, neighbour_graph, neighbours_information

SECOND_HAND = 0.3  # the weight of being like the same others, beside being alike
ALIKE, BY_CHANCE = 0.08, 0.75  # groups are about so alike: a constant, and the share of what chance makes
CUTS = np.geomspace(0.5, 2, 9)  # tried, as multiples of that
LIKEST = 0.3  # no cut lies above
NEIGHBOURS = 10
PSEUDO_WORDS = 60.0  # by which a group's word rates are drawn to those of all comments
ONE_GROUP = 0.3  # nats that are added to what groups tell: one group tells nothing, and may still be right
RECOGNISED = 5.0  # the weight of being recognised, against what neighbours tell
ENOUGH_TO_TRAIN = 200  # comments
LARGE = 0.35  # of all comments, for one group


def nearest_groups(comments: Comments, k: int) -> Labels:
    """`comments` in at most `k` groups, plain or not."""
    rows = _words_and_spelling(comments)
    if rows is None or len(rows) < 2:
        return np.zeros(len(comments.texts), np.int64)
    return relabelled(fcluster(_nested(_likeness(rows)), k, "maxclust"))


def plain_groups(comments: Comments, weights: Floats, most: int, trained: Callable[[int], Labels]) -> Labels:
    """The groups of `comments`, at most `most`; `weights` is how much each comment counts.

    `trained` makes about so many clusters of the same comments in the way that is meant for more of them.
    """
    rows = _words_and_spelling(comments)
    if rows is None or min(most, len(rows)) < 2:
        return np.zeros(len(comments.texts), np.int64)
    likeness = _likeness(rows)
    tree = _nested(likeness)
    graph = neighbour_graph(nearest_neighbours(rows, min(NEIGHBOURS, len(rows) - 1)))
    words = _presence(comments)

    def worth(labels: Labels) -> float:
        told = neighbours_information(graph, labels) + ONE_GROUP
        return float(np.log(told) + RECOGNISED * np.log(max(_recognised(words, labels, weights), 1e-6)))

    by_chance = np.sort(likeness[np.triu_indices(len(rows), 1)])
    usual = ALIKE + BY_CHANCE * by_chance[: max(1, len(by_chance) // 2)].mean()
    cuts = [_cut(tree, min(LIKEST, usual * factor), most) for factor in CUTS]
    best = max(cuts, key=worth)
    if len(rows) < ENOUGH_TO_TRAIN or np.bincount(best).max() > LARGE * len(rows):
        return best
    numbers = sorted({int(labels.max()) + 1 for labels in cuts})
    return max((best, *(trained(k) for k in numbers if k > 1)), key=worth)


def _cut(tree: Doubles, alike: float, most: int) -> Labels:
    """Groups that are on average at least so `alike`, at most `most`."""
    labels = relabelled(fcluster(tree, 1 - alike, "distance"))
    return labels if labels.max() < most else relabelled(fcluster(tree, most, "maxclust"))


def _recognised(words: Doubles, labels: Labels, weights: Floats) -> float:
    """The (weighted) share of comments whose group all others tell by its words."""
    copies = np.maximum(weights, 1).astype(np.float64)  # of copies of a comment, the others stay when it is left out
    sizes = np.bincount(labels, copies)
    inside = membership(labels, len(sizes)) @ (copies[:, None] * words)
    rates = inside.sum(0) / max(inside.sum(), 1)
    told = TEMPER * words @ _lift(inside, rates).T + np.log(sizes + 0.5)
    own = TEMPER * (words * _lift(inside[labels] - words, rates)).sum(1) + np.log(sizes[labels] - 0.5)
    told[np.arange(len(labels)), labels] = own
    return float(np.average(told.argmax(1) == labels, weights=weights))


def _lift(inside: Doubles, rates: Doubles) -> Doubles:
    """log p(word | group) / p(word), for the counts of words `inside` each group."""
    rates = np.maximum(rates, 1e-9)
    share = (inside + PSEUDO_WORDS * rates) / (inside.sum(1, keepdims=True) + PSEUDO_WORDS)
    return np.asarray(np.log(share / rates), np.float64)


def _presence(comments: Comments) -> Doubles:
    stems = sorted({stem for content in comments.contents for stem in content})
    return np.asarray(indicator(comments.contents, {stem: i for i, stem in enumerate(stems)}).toarray(), np.float64)


def _likeness(rows: Floats) -> Doubles:
    direct = np.clip(rows @ rows.T, 0, 1).astype(np.float64)
    np.fill_diagonal(direct, 1)
    lengths = np.sqrt((direct**2).sum(1))
    return np.asarray((1 - SECOND_HAND) * direct + SECOND_HAND * (direct @ direct) / np.outer(lengths, lengths))


def _nested(likeness: Doubles) -> Doubles:
    apart = np.clip(1 - (likeness + likeness.T) / 2, 0, 1)
    np.fill_diagonal(apart, 0)
    return np.asarray(linkage(squareform(apart, checks=False), "average"), np.float64)


def _words_and_spelling(comments: Comments) -> Floats | None:
    worded = fitted(TfidfVectorizer, comments.contents, analyzer=as_is, sublinear_tf=True)
    spelled = spelling(comments.texts)
    found = spelled if worded is None else sp.hstack([worded, spelled])
    return unit_rows(found.toarray()) if found.shape[1] else None
