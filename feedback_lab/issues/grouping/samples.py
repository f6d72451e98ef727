"""Which comments stand for an issue: one that is typical and of sensible length, and three that differ."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from feedback_lab.issues.grouping.reading import LONGEST_READ, Reader
from feedback_lab.tokens import pieces

SAMPLES = 3
SENSIBLE_WORDS = (4, 30)


def typical_first(
    reader: Reader, rows: Sequence[int], weights: Mapping[str, float], fits: npt.NDArray[np.float64]
) -> list[str]:
    """The comments `rows` of `reader`, the most typical first: strong terms, a sensible length, a clear case.

    `weights` says how typical a stem is, `fits` (0 to 1, one per text) how clear a case each text is.
    """
    low, high = SENSIBLE_WORDS

    def typical(row: int) -> float:
        stems = [word[0] for clause in reader[row] for word in clause]
        different = set(stems)
        centre = sum(weights.get(term, 0) for term in different) / math.sqrt(len(different) + 4)
        length = 1.0 if low <= len(stems) <= high else 0.5 if len(stems) > high else 0.3
        return centre * length * (0.5 + float(fits[row]))

    return [reader.texts[row] for row in sorted(rows, key=lambda row: (-typical(row), row))]


def three_different(ranked: Sequence[str]) -> tuple[str, str, str]:
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
