"""Times of many rows at once: the plain ISO forms by Arrow, everything else text by text through `values.time_of`."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from feedback_lab.ingest.meaning.text_columns import Numbers, flags, is_given
from feedback_lab.ingest.meaning.values import Unreadable, day_comes_first, time_of

MOMENT = pa.timestamp("us")
MOST_KEPT = 100_000  # different texts whose meaning is remembered
# What Python's and Arrow's ISO readers agree on: days that exist in every year, up to microseconds.
ISO = (
    r"^[1-9]\d{3}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"
    r"(?:[ T](?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{3}(?:\d{3})?)?)?Z?)?$"
)


class Times:
    """Reads the times of one file. `orders` collects what its dates tell: does the day come first?"""

    def __init__(self, zone: tzinfo, day_first: bool | None) -> None:
        self._zone, self._day_first = zone, day_first
        self._known: dict[str, datetime | Unreadable] = {}
        self.orders: set[bool] = set()

    def read(self, array: Any) -> tuple[Any, dict[int, Unreadable]]:
        """The moments in UTC, null where there is none, and the rows whose text cannot be read."""
        filled = is_given(array)
        plain = flags(pc.match_substring_regex(array, ISO)) if self._zone is UTC else np.zeros(len(array), np.bool_)
        if plain.all():
            return pc.utf8_rtrim(array, "Z").cast(MOMENT), {}
        moments = pc.utf8_rtrim(pc.if_else(pa.array(plain), array, None), "Z").cast(MOMENT)
        rest = np.flatnonzero(filled & ~plain)
        if not len(rest):
            return moments, {}
        found, problems = self._one_by_one(array.take(pa.array(rest)), rest)
        mask = np.zeros(len(array), np.bool_)
        mask[rest] = True
        return pc.replace_with_mask(moments, pa.array(mask), found), problems

    def _one_by_one(self, array: Any, places: Numbers) -> tuple[Any, dict[int, Unreadable]]:
        codes = array.dictionary_encode()
        meanings = [self._meaning(text) for text in codes.dictionary.to_pylist()]
        found = pa.array([item if isinstance(item, datetime) else None for item in meanings], MOMENT)
        problems: dict[int, Unreadable] = {}
        if any(isinstance(item, Unreadable) for item in meanings):
            for place, code in zip(places.tolist(), codes.indices.to_pylist(), strict=True):
                if isinstance(item := meanings[code], Unreadable):
                    problems[place] = item
        return found.take(codes.indices), problems

    def _meaning(self, text: str) -> datetime | Unreadable:
        found = self._known.get(text)
        if found is None:
            order = day_comes_first([text])
            if order is not None:
                self.orders.add(order)
            try:
                found = time_of(text, self._zone, self._day_first)
            except Unreadable as error:
                found = error.kept()
            if len(self._known) >= MOST_KEPT:
                self._known.clear()
            self._known[text] = found
        return found
