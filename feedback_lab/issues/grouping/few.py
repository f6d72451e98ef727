"""A few comments on plainly different things.

Below a few hundred comments there is too little to learn meaning from; what shows is which comments share words.
Average linkage of their TF-IDF (stems, and character n-grams) nests the comments, and the cut with the highest
modularity (Newman 2004) of the graph of all pairs, weighted by their cosine, gives the groups.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform
from sklearn.feature_extraction.text import TfidfVectorizer

from feedback_lab.issues.grouping.comments import Comments
from feedback_lab.issues.grouping.features import Floats, as_is, fitted, spelling, unit_rows
from feedback_lab.issues.grouping.kmeans import Labels, relabelled
from feedback_lab.issues.grouping.selection import Doubles, modularity

PLAIN = 0.2  # modularity: comments on one thing reach 0.15 by chance


def nearest_groups(comments: Comments, k: int) -> Labels:
    """`comments` in at most `k` groups, plain or not."""
    rows = _words_and_spelling(comments)
    if rows is None or len(rows) < 2:
        return np.zeros(len(comments.texts), np.int64)
    return relabelled(fcluster(_nested(_likeness(rows)), k, "maxclust"))


def plain_groups(comments: Comments, counts: Floats, most: int) -> Labels | None:
    """The groups of `comments`, at most `most`; None where no grouping is plain.

    `counts` is how many people each comment speaks for.
    """
    rows = _words_and_spelling(comments)
    if rows is None or min(most, len(rows)) < 2:
        return None
    likeness = _likeness(rows)
    tree = _nested(likeness)
    pairs = likeness * np.outer(counts, counts)
    np.fill_diagonal(pairs, counts * np.maximum(counts - 1, 0))
    graph = sp.csr_matrix(pairs)
    cuts = [relabelled(fcluster(tree, k, "maxclust")) for k in range(2, min(most, len(rows)) + 1)]
    best = max(cuts, key=lambda labels: modularity(graph, labels))
    return best if modularity(graph, best) >= PLAIN else None


def _likeness(rows: Floats) -> Doubles:
    return np.asarray(np.clip(rows @ rows.T, 0, 1), np.float64)


def _nested(likeness: Doubles) -> Doubles:
    return np.asarray(linkage(squareform(1 - likeness, checks=False), "average"), np.float64)


def _words_and_spelling(comments: Comments) -> Floats | None:
    worded = fitted(TfidfVectorizer, comments.contents, analyzer=as_is, sublinear_tf=True)
    spelled = spelling(comments.texts)
    found = spelled if worded is None else sp.hstack([worded, spelled])
    return unit_rows(found.toarray()) if found.shape[1] else None
