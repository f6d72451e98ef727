"""Many 64-bit numbers in little memory, to be asked whether one is among them while more are added."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from feedback_lab.ingest.meaning.text_columns import Flags

Shorts = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class _Run:
    keys: Shorts
    values: npt.NDArray[np.int32]


class SortedRuns:
    """Numbers with a value each, as a few sorted runs, each at least twice as long as the next: 12 bytes a number."""

    def __init__(self) -> None:
        self._runs: list[_Run] = []

    def __len__(self) -> int:
        return sum(len(run.keys) for run in self._runs)

    def find(self, keys: Shorts) -> tuple[Flags, npt.NDArray[np.int32]]:
        """Which of the numbers were added before, and their values (0 for the others)."""
        known, values = np.zeros(len(keys), np.bool_), np.zeros(len(keys), np.int32)
        for run in self._runs:
            places = np.searchsorted(run.keys, keys)
            places[places == len(run.keys)] = 0
            here = run.keys[places] == keys
            known |= here
            values[here] = run.values[places[here]]
        return known, values

    def add(self, keys: Shorts, values: npt.NDArray[np.int32]) -> None:
        """Keep these numbers, in any order, each with its value."""
        if not len(keys):
            return
        while self._runs and len(self._runs[-1].keys) < 2 * len(keys):
            run = self._runs.pop()
            keys, values = np.concatenate((run.keys, keys)), np.concatenate((run.values, values))
        order = np.argsort(keys)
        self._runs.append(_Run(keys[order], values[order]))

    def take(self, other: SortedRuns) -> None:
        """Keep all numbers of another."""
        for run in other._runs:
            self.add(run.keys, run.values)
