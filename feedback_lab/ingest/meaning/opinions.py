"""The opinions of many rows at once: each different combination of cells is asked once what it says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from feedback_lab.ingest.habits import Habits, number_in, opinion_fields
from feedback_lab.ingest.meaning.opinion import TEXTS, Opinion, opinion_of
from feedback_lab.ingest.meaning.text_columns import Flags, distinct, is_given
from feedback_lab.ingest.meaning.values import Unreadable, population_of
from feedback_lab.ingest.planning.plan import Plan
from feedback_lab.records import Population

MOST_KEPT = 100_000  # different combinations whose meaning is remembered
MOST_NUMBERS = 100  # different numbers of a field that are remembered: more than two are no thumbs
CULPRITS = {"bad_kind": "kind", "bad_polarity": "polarity", "bad_scale": "scale"}
JUDGED = ("kind", "value", "scale", "polarity")

Reject = Callable[[str, Mapping[int, Unreadable]], None]


@dataclass(frozen=True, slots=True)
class Voice:
    """One opinion of each row that gives it; `name` is empty for the first one, NAME for that of value:NAME."""

    name: str
    given: Flags
    columns: Mapping[str, Any]


@dataclass(slots=True)
class Said:
    """What the rows say: their first opinion, and further ones."""

    any: Flags
    main: Flags
    population: Any
    voices: list[Voice] = field(default_factory=list)


class Opinions:
    """Reads the opinions of one file. `numbers` collects the numbers that stand for thumbs or ratings, by field."""

    def __init__(self, plan: Plan, habits: Habits) -> None:
        self._plan, self._habits = plan, habits
        self._known: dict[tuple[Any, ...], Opinion | Unreadable | None] = {}
        self.numbers: dict[str, set[float]] = {name: set() for name in opinion_fields(plan)}

    def read(self, fields: Mapping[str, Any], rows: int, reject: Reject) -> Said:
        """The opinions in the fields, which hold null where a row gives nothing; problems go to `reject`."""
        said = Said(np.zeros(rows, np.bool_), np.zeros(rows, np.bool_), pa.repeat(Population.USER.value, rows))
        for name in ("", *self._plan.further):
            own = {base: fields[full] for base in JUDGED if (full := f"{base}:{name}" if name else base) in fields}
            if name and "value" not in own:
                continue
            texts = {base: fields[base] for base in TEXTS if base in fields} if not name else {}
            if own or texts:
                voice = self._voice(name, own, texts, reject)
                said.voices.append(voice)
                said.any |= voice.given
        if said.voices and not said.voices[0].name:
            said.main = said.voices[0].given
        if "population" in fields:
            said.population = self._population(fields["population"], reject)
        return said

    def _voice(self, name: str, own: Mapping[str, Any], texts: Mapping[str, Any], reject: Reject) -> Voice:
        keys = [*own.values(), *(pa.array(is_given(column)) for column in texts.values())]
        codes, combinations = distinct(keys)
        meanings = [self._meaning(name, tuple(own), tuple(texts), cells) for cells in combinations]
        for code, meaning in enumerate(meanings):
            if isinstance(meaning, Unreadable):
                culprit = CULPRITS.get(meaning.code, "value")
                places = np.flatnonzero(codes == code).tolist()
                reject(f"{culprit}:{name}" if name else culprit, dict.fromkeys(places, meaning))
        found = [meaning if isinstance(meaning, Opinion) else None for meaning in meanings]
        taken = pa.array(codes)
        columns = {
            "kind": pa.array([one and one.kind for one in found], pa.string()).take(taken),
            "value": pa.array([one and one.value for one in found], pa.float64()).take(taken),
            "scale_min": pa.array([one.scale[0] if one and one.scale else None for one in found], pa.float64()).take(
                taken
            ),
            "scale_max": pa.array([one.scale[1] if one and one.scale else None for one in found], pa.float64()).take(
                taken
            ),
            "polarity": pa.array([one and one.polarity for one in found], pa.string()).take(taken),
        }
        return Voice(name, np.array([one is not None for one in found], np.bool_)[codes], columns)

    def _meaning(
        self, name: str, own: tuple[str, ...], texts: tuple[str, ...], cells: tuple[Any, ...]
    ) -> Opinion | Unreadable | None:
        key = (name, own, texts, cells)
        if key in self._known:
            return self._known[key]
        filled = {base: cell for base, cell in zip((*own, *texts), cells, strict=True) if cell not in (None, False)}
        constants = {base: "" for base in filled if (f"{base}:{name}" if name else base) in self._plan.constants}
        value = f"value:{name}" if name else "value"
        if (number := number_in(filled.get("value", ""))) is not None and len(self.numbers[value]) < MOST_NUMBERS:
            self.numbers[value].add(number)
        found: Opinion | Unreadable | None
        try:
            thumbs = self._habits.numbers_are_thumbs[value]
            found = None if name and "value" not in filled else opinion_of(filled, constants, self._plan.scale, thumbs)
        except Unreadable as error:
            found = error.kept()
        if len(self._known) >= MOST_KEPT:
            self._known.clear()
        self._known[key] = found
        return found

    def _population(self, column: Any, reject: Reject) -> Any:
        codes, combinations = distinct([column])
        meanings: list[str | None] = []
        for code, (text,) in enumerate(combinations):
            try:
                meanings.append(Population.USER.value if text is None else population_of(text).value)
            except Unreadable as error:
                meanings.append(None)
                reject("population", dict.fromkeys(np.flatnonzero(codes == code).tolist(), error.kept()))
        return pa.array(meanings, pa.string()).take(pa.array(codes))
