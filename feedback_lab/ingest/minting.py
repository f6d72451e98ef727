"""Ids for rows that name none: a hash of the mapped row, and of its running number among identical mapped rows."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from feedback_lab.ingest.meaning.text_columns import Flags
from feedback_lab.ingest.sorted_runs import Shorts

ID_BYTES = 16


class Minter:
    """Mints the ids of one file's rows, which come in order."""

    def __init__(self) -> None:
        self._seen = _Seen()
        self._repeats: dict[int, int] = {}

    def mint(self, fields: Mapping[str, Any], wanted: Flags, numbered: Flags) -> Any:
        """32 hexadecimal digits for each wanted row: 128 bits of the SHA-256 of its non-empty fields, in their order.

        From its second appearance on, a numbered row is hashed with its running number.
        """
        places = np.flatnonzero(wanted)
        if not len(places):
            return pa.array([], pa.string())
        rows = _joined(fields, None if len(places) == len(wanted) else pa.array(places))
        digests = [hashlib.sha256(row).digest() for row in rows]
        shorts = np.frombuffer(b"".join(digests), np.uint64)[::4]
        again = np.flatnonzero(self._seen.add(shorts) & numbered[places]).tolist()
        for place in again:
            short = int(shorts[place])
            number = self._repeats[short] = self._repeats.get(short, 0) + 1
            digests[place] = hashlib.sha256(digests[place] + number.to_bytes(8, "big")).digest()
        return _hexadecimal(digests)


class _Seen:
    """The hashes so far, as a few sorted runs, each at least twice as long as the next: eight bytes a row."""

    def __init__(self) -> None:
        self._runs: list[Shorts] = []

    def add(self, shorts: Shorts) -> Flags:
        """Keep these hashes; where one was there before, or stands earlier among these."""
        ordered = np.sort(shorts)
        known = np.zeros(len(shorts), np.bool_)
        for run in self._runs:
            places = np.searchsorted(run, ordered)
            places[places == len(run)] = 0
            known |= run[places] == ordered
        first = np.concatenate(([True], ordered[1:] != ordered[:-1]))
        again = np.zeros(len(shorts), np.bool_)
        if known.any() or not first.all():
            order = np.argsort(shorts, kind="stable")
            again[order] = known | ~first
        new = ordered[first & ~known]
        while self._runs and len(self._runs[-1]) < 2 * len(new):
            new = np.concatenate((self._runs.pop(), new))
            new.sort(kind="stable")
        if len(new):
            self._runs.append(new)
        return again


def or_minted(own: Any, prefix: str, minted: Any, wanted: Flags) -> Any:
    """The row's own id where it has one, else the minted one; `minted` are those of the wanted rows."""
    if not len(minted):
        return own
    ids = pc.binary_join_element_wise(prefix, minted, "")
    if len(ids) < len(wanted):
        ids = ids.take(pa.array(np.cumsum(wanted) - 1, mask=~wanted))
    return ids if own.null_count == len(own) else pc.coalesce(own, ids)


def _joined(fields: Mapping[str, Any], places: Any) -> list[bytes]:
    """The rows as bytes: the names and texts of their non-empty fields, in order.

    NUL never occurs in a stored text, so the parts cannot run into one another.
    """
    parts: list[Any] = []
    for name, array in fields.items():
        chosen = array if places is None else array.take(places)
        if chosen.null_count < len(chosen):
            parts += [pc.if_else(pc.is_valid(chosen), name, None) if chosen.null_count else name, chosen]
    rows = pc.binary_join_element_wise(*parts, "\0", null_handling="skip")
    found: list[bytes] = rows.cast(pa.binary()).to_pylist()
    return found


def _hexadecimal(digests: list[bytes]) -> Any:
    """The first bytes of each digest as a column of hexadecimal digits, in one go."""
    count = len(digests)
    taken = np.frombuffer(b"".join(digests), np.uint8).reshape(count, -1)[:, :ID_BYTES]
    offsets = np.arange(count + 1, dtype=np.int32) * (2 * ID_BYTES)
    digits = taken.tobytes().hex().encode()
    return pa.Array.from_buffers(pa.string(), count, [None, pa.py_buffer(offsets), pa.py_buffer(digits)])
