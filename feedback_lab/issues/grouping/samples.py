"""Which comments stand for an issue: one that is typical and of sensible length, and three that differ."""

from __future__ import annotations

import math
from collections.abc import Sequence
from collections.abc import Set as AbstractSet

import numpy as np
import numpy.typing as npt

from feedback_lab.issues.grouping.reading import LONGEST_READ, Reader
from feedback_lab.issues.grouping.titles import IssueText
from feedback_lab.tokens import pieces

SAMPLES = 3
SENSIBLE_WORDS = (4, 30)
TOO_SHORT = 0.3
SHOWS_TITLE = 1.0
MOST_COMPARED = 200
OWN_WORDS = 0.2  # what a comment counts whose words no other one has; 1 more where others have them all
FEW_WORDS = 0.2  # of the words of two comments are in both


def typical_first(
    reader: Reader, issue: IssueText, fits: npt.NDArray[np.float64], title: AbstractSet[str]
) -> list[str]:
    """The comments of `issue`, the most typical first: strong terms, a sensible length, a clear case.

    `fits` (0 to 1, one per text of `reader`) says how clear a case each text is. What has the stems of the `title`
    shows what the title means; what is full of words that no other comment has (another language, garbled ones) is
    not typical.
    """
    low, high = SENSIBLE_WORDS
    shared = {term for term, rows in issue.rows_of.items() if len(rows) > 1}

    def typical(row: int) -> float:
        stems = [word[0] for clause in reader[row] for word in clause]
        different = set(stems)
        content = different & issue.weights.keys()
        centre = math.fsum(issue.weights[term] for term in content) / math.sqrt(len(different) + 4)
        usual = len(content & shared) / max(1, len(content))
        length = min(1.0, high / len(stems)) if len(stems) >= low else TOO_SHORT
        shows_title = len(title & different) / max(1, len(title))
        return centre * (OWN_WORDS + usual) * length * (0.5 + float(fits[row])) * (1 + SHOWS_TITLE * shows_title)

    return [reader.texts[row] for row in sorted(issue.rows, key=lambda row: (-typical(row), row))]


def three_different(ranked: Sequence[str]) -> tuple[str, str, str]:
    """The first of the more typical comments that share few words; repeats only where there are not enough texts."""
    pool = list(dict.fromkeys(ranked))
    pool = pool[: max(SAMPLES, len(pool) // 3)][:MOST_COMPARED]
    bags = {text: set(pieces(text[:LONGEST_READ])) for text in pool}
    chosen = pool[:1]
    while len(chosen) < min(SAMPLES, len(pool)):
        shared = {
            text: max(_overlap(bags[text], bags[other]) for other in chosen) for text in pool if text not in chosen
        }
        differing = (text for text in shared if shared[text] <= FEW_WORDS)
        chosen.append(next(differing, min(shared, key=lambda text: shared[text])))
    chosen += [chosen[i % len(chosen)] for i in range(SAMPLES - len(chosen))]
    return chosen[0], chosen[1], chosen[2]


def _overlap(a: set[str], b: set[str]) -> float:
    return len(a & b) / max(1, len(a | b))
