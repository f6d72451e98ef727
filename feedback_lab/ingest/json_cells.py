"""JSON objects of many rows at once: what the mapping leaves over, and tags."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from feedback_lab.ingest.meaning.text_columns import TextColumn, flags, nulled

ENCODE = json.JSONEncoder(ensure_ascii=False, sort_keys=True).encode
ESCAPED = r'["\\\x00-\x1f]'


def objects(columns: Mapping[str, Any], rows: int) -> Any:
    """One JSON object a row, its names sorted; null where no column has a value. The columns hold JSON, or null."""
    parts = []
    for name in sorted(columns):
        column = columns[name]
        if column.null_count < rows:
            parts.append(pc.binary_join_element_wise(ENCODE(name) + ": ", column, ""))
    if not parts:
        return pa.nulls(rows, pa.string())
    # The empty text in front keeps the rows without any value, which the join would leave out altogether.
    joined = pc.binary_join_element_wise("", *parts, ", ", null_handling="skip")
    found = nulled(joined, flags(pc.equal(pc.binary_length(joined), 0)))
    return pc.binary_join_element_wise(pc.binary_replace_slice(found, 0, 2, "{"), "}", "")


def values(cells: Sequence[Any]) -> Any:
    """Each cell as JSON; null for what is missing or an empty text."""
    if isinstance(cells, TextColumn):
        return quoted(nulled(cells.array, flags(pc.equal(pc.binary_length(cells.array), 0))))
    return pa.array([None if cell is None or cell == "" else ENCODE(cell) for cell in cells], pa.string())


def quoted(array: Any) -> Any:
    """Texts as JSON strings."""
    special = flags(pc.match_substring_regex(array, ESCAPED))
    plain = pc.binary_join_element_wise('"', array, '"', "")
    if not special.any():
        return plain
    escaped = [ENCODE(text) for text in array.take(pa.array(np.flatnonzero(special))).to_pylist()]
    return pc.replace_with_mask(plain, pa.array(special), pa.array(escaped, pa.string()))
