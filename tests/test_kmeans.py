"""Clusters of unit rows: merged from small ones, they lie where the rows lie."""

from __future__ import annotations

import numpy as np
import pytest

from feedback_lab.issues.grouping.features import Floats, unit_rows
from feedback_lab.issues.grouping.kmeans import Labels, merged_kmeans

KINDS, EACH = 12, 60


def heaps(seed: int) -> tuple[Floats, Labels]:
    """Rows in `KINDS` plain heaps, and the heap of each."""
    random = np.random.default_rng(seed)
    truth = np.repeat(np.arange(KINDS), EACH)
    centres = random.normal(size=(KINDS, 30))
    return unit_rows(centres[truth] + 0.25 * random.normal(size=(len(truth), 30))), truth


@pytest.mark.parametrize("seed", range(5))
def test_plain_heaps_are_found_whatever_the_seed(seed: int) -> None:
    rows, truth = heaps(seed)
    labels = merged_kmeans(rows, KINDS, seed)
    assert len(set(labels.tolist())) == len(set(zip(labels.tolist(), truth.tolist(), strict=True))) == KINDS


@pytest.mark.parametrize("k", [1, 2, 7, 71, 72, 73, 200])
def test_as_many_clusters_come_out_as_are_wanted_also_more_than_there_are_small_ones(k: int) -> None:
    rows, _ = heaps(0)
    labels = merged_kmeans(rows, k, 0)
    assert sorted(set(labels.tolist())) == list(range(labels.max() + 1))
    assert labels.max() + 1 == k


def test_fewer_clusters_consist_of_whole_ones_of_more() -> None:
    rows, _ = heaps(3)
    fine, coarse = merged_kmeans(rows, 9, 1), merged_kmeans(rows, 4, 1)
    assert len(set(zip(fine.tolist(), coarse.tolist(), strict=True))) == 9


def test_the_same_seed_gives_the_same_clusters() -> None:
    rows, _ = heaps(4)
    assert (merged_kmeans(rows, 5, 2) == merged_kmeans(rows, 5, 2)).all()
