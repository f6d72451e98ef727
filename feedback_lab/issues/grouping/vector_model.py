"""Where the issues lie among the vectors of an embedding model: a direction each, seen from the mean of all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from feedback_lab.issues.grouping.features import Floats, directions, seen_from, unit_rows
from feedback_lab.issues.grouping.kmeans import Labels
from feedback_lab.issues.grouping.mixture import VECTOR_NATS


@dataclass(frozen=True, eq=False)
class VectorModel:
    """`centres` (issues by dimensions) seen from `origin`. A cosine above `level` speaks for an issue, one below for
    "none of them"."""

    centres: Floats
    origin: Floats
    level: float

    def evidence(self, vectors: Floats) -> Floats:
        """Log weight of each issue against none for each vector; nothing speaks where the embedding knows nothing."""
        units = seen_from(self.origin, vectors)
        return self.weighed(units @ self.centres.T, units)

    def weighed(self, cosines: Floats, units: Floats) -> Floats:
        """What the `cosines` of each of `units` (rows) with issues (columns) say in nats."""
        return np.asarray(VECTOR_NATS * (cosines - self.level) * units.any(1, keepdims=True), np.float32)

    def reordered(self, order: npt.NDArray[np.int64]) -> VectorModel:
        """The issues in another order."""
        return replace(self, centres=self.centres[order])

    @classmethod
    def restored(cls, stored: Mapping[str, npt.NDArray[Any]]) -> VectorModel | None:
        """From arrays that are named as the fields; None where there are none."""
        return cls(stored["centres"], stored["origin"], float(stored["level"])) if "level" in stored else None


def learned_directions(vectors: Floats, members: Floats, labels: Labels, refused: float) -> VectorModel:
    """The model of the issues whose `members` (one-hot `labels`) have these vectors.

    The share `refused` of them that fit their own issue least lies below `level`: about as near to some issue as
    comments of another world come.
    """
    found, origin = directions(vectors)
    centres = unit_rows(members.T @ found)
    cosines = (found * centres[labels]).sum(1)
    return VectorModel(centres, origin, float(np.quantile(cosines, refused)) if len(cosines) else 0.0)
