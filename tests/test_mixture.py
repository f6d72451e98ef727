"""What partitions agree on."""

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from feedback_lab.issues.grouping.kmeans import Labels, merged_kmeans
from feedback_lab.issues.grouping.mixture import agreement

KINDS, EACH = 12, 50


def partitions(seed: int) -> tuple[Labels, list[Labels]]:
    """The kinds of rows, and partitions in fewer and in more clusters that each err in a quarter of the rows."""
    random = np.random.default_rng(seed)
    kinds = np.repeat(np.arange(KINDS), EACH)
    found = []
    for k in (4, 6, 9, 12, 12, 20, 30):
        clusters = (
            random.integers(k, size=KINDS)[kinds]
            if k < KINDS
            else kinds + KINDS * random.integers(-(-k // KINDS), size=len(kinds))
        )
        wrong = random.random(len(kinds)) < 1 / 4
        found.append(np.where(wrong, random.permutation(clusters), clusters))
    return kinds, found


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_partitions_that_err_each_elsewhere_agree_on_the_kinds(seed: int) -> None:
    kinds, found = partitions(seed)
    together = adjusted_rand_score(kinds, merged_kmeans(agreement(found), KINDS, seed))
    alone = max(adjusted_rand_score(kinds, one) for one in found)
    assert together > alone + 0.2


def test_rows_that_no_partition_tells_apart_are_in_one_place() -> None:
    view = agreement([np.array([0, 0, 0, 1, 1]), np.array([1, 1, 0, 2, 2]), np.zeros(5, np.int64)])
    assert view[0] == pytest.approx(view[1])
    assert view[3] == pytest.approx(view[4])
    assert view[0] @ view[2] > view[0] @ view[3]
