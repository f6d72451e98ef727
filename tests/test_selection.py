"""What a number of clusters is judged by."""

import numpy as np
import pytest
import scipy.sparse as sp

from feedback_lab.issues.grouping.mixture import recognised
from feedback_lab.issues.grouping.selection import Evidence, best_number, neighbours_information

KINDS, EACH, WORDS = 6, 60, 12


def world(kinds: int = KINDS) -> tuple[np.ndarray, sp.csr_matrix, sp.csr_matrix]:
    """Labels of `kinds`, a graph of neighbours of the same kind, and words of which each kind has its own."""
    random = np.random.default_rng(1)
    labels = np.repeat(np.arange(kinds), EACH)
    n = len(labels)
    near = [random.choice(np.flatnonzero(labels == label), 20) for label in labels]
    graph = sp.csr_matrix((np.ones(n * 20), (np.repeat(np.arange(n), 20), np.concatenate(near))), shape=(n, n))
    words = [label * WORDS + random.choice(WORDS, 4, replace=False) for label in labels]
    cells = (np.ones(n * 4, np.float32), (np.repeat(np.arange(n), 4), np.concatenate(words)))
    return labels, sp.csr_matrix(graph + graph.T), sp.csr_matrix(cells, shape=(n, kinds * WORDS))


def test_clusters_that_neighbours_respect_tell_all_and_those_by_chance_nothing() -> None:
    labels, graph, _ = world()
    assert neighbours_information(graph, labels) == pytest.approx(np.log(KINDS), abs=0.01)
    by_chance = np.random.default_rng(2).permutation(labels)
    assert neighbours_information(graph, by_chance) < 0.02


def test_clusters_of_words_are_recognised_and_those_by_chance_are_not() -> None:
    labels, _, words = world()
    assert recognised(words, labels) == 1
    assert recognised(words, np.random.default_rng(2).permutation(labels)) < 0.3


def test_what_does_not_count_is_not_recognised() -> None:
    labels, _, words = world()
    wrong = labels.copy()
    wrong[::2] = np.random.default_rng(3).integers(KINDS, size=len(wrong[::2]))
    only_right = np.where(wrong == labels, 1, 0).astype(np.float32)
    assert recognised(words, wrong, only_right) > recognised(words, wrong) + 0.1


@pytest.mark.parametrize("kinds", [3, 6, 20])
def test_the_best_number_is_near_that_of_the_kinds(kinds: int) -> None:
    labels, graph, words = world(kinds)
    evidence = Evidence(graph, words, np.ones(len(labels), np.float32))

    def cut(k: int, draw: int) -> np.ndarray:
        if k <= kinds:
            return labels * k // kinds
        random = np.random.default_rng([k, draw])
        return labels + kinds * random.integers(-(-k // kinds), size=len(labels))

    assert kinds / 1.5 <= best_number(cut, evidence, 2, 60) <= kinds * 1.5
