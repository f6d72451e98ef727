"""What rows say for themselves, column by column: ids, session, turn, times and users; and the problems met so far."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from feedback_lab.ingest.meaning.item_values import MAX_ID
from feedback_lab.ingest.meaning.moments import MOMENT, Times
from feedback_lab.ingest.meaning.text_columns import flags, stripped, translated
from feedback_lab.ingest.meaning.values import Unreadable, turn_of
from feedback_lab.ingest.reading.batches import Problem


class Rejections:
    """The first problem of each row of a batch. `columns` names the column that each field is read from."""

    def __init__(self, rows: int, columns: Mapping[str, str]) -> None:
        self.problems: dict[int, Problem] = {}
        self.fine = np.ones(rows, np.bool_)
        self._columns = columns

    def add(self, field: str | None, found: Mapping[int, Unreadable]) -> None:
        """Reject rows by their number, unless they are rejected already."""
        for row, error in found.items():
            if self.fine[row]:
                self.fine[row] = False
                self.problems[row] = Problem(self._columns.get(field or ""), error.code, str(error))


class Own(NamedTuple):
    """Ids are null where the row has none; `rater_hash` only where it is not the interaction's user."""

    interaction_id: Any
    feedback_id: Any
    session_id: Any
    turn: Any
    created_at: Any
    rated_at: Any
    user_hash: Any
    rater_hash: Any


def own_fields(
    fields: Mapping[str, Any], rows: int, times: Times, hashed: Callable[[str], str], reject: Rejections
) -> Own:
    """Read them from the fields, which hold null where a row gives nothing."""
    nothing = pa.nulls(rows, pa.string())
    names = ("interaction_id", "feedback_id", "session_id")
    for name in names:
        if name in fields:
            reject.add(name, _too_long(fields[name]))
    interaction_id, feedback_id, session_id = (stripped(fields.get(name, nothing)) for name in names)
    moments = {}
    for name in ("created_at", "rated_at"):
        moments[name], problems = times.read(fields[name]) if name in fields else (pa.nulls(rows, MOMENT), {})
        reject.add(name, problems)
    turn, problems = each(fields["turn"], turn_of, pa.int32()) if "turn" in fields else (pa.nulls(rows, pa.int32()), {})
    reject.add("turn", problems)
    user, rater = (
        translated(stripped(fields[name]), hashed) if name in fields else nothing for name in ("user", "rater")
    )
    rated_at = pc.coalesce(moments["rated_at"], moments["created_at"])
    return Own(interaction_id, feedback_id, session_id, turn, moments["created_at"], rated_at, user, rater)


def each(array: Any, read: Callable[[str], Any], kind: Any) -> tuple[Any, dict[int, Unreadable]]:
    """What each different text means, and the rows whose text has no meaning."""
    codes = array.dictionary_encode()
    meanings: list[Any] = []
    for text in codes.dictionary.to_pylist():
        try:
            meanings.append(read(text))
        except Unreadable as error:
            meanings.append(error.kept())
    bad = {code: item for code, item in enumerate(meanings) if isinstance(item, Unreadable)}
    found = pa.array([None if code in bad else item for code, item in enumerate(meanings)], kind).take(codes.indices)
    if not bad:
        return found, {}
    return found, {row: bad[code] for row, code in enumerate(codes.indices.to_pylist()) if code in bad}


def _too_long(array: Any) -> dict[int, Unreadable]:
    if not flags(pc.greater(pc.binary_length(array), MAX_ID)).any():
        return {}
    error = Unreadable("bad_id", f"an id has at most {MAX_ID} characters")
    return dict.fromkeys(np.flatnonzero(flags(pc.greater(pc.utf8_length(array), MAX_ID))).tolist(), error)
