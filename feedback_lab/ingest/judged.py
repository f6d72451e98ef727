"""Between tables and the judge: odd rows as it wants them, and what it decided as tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from feedback_lab.ingest.judging import CONTENT, SAID, Candidate, Judgement, Known, Voice
from feedback_lab.ingest.staging import INTERACTION_TYPES, PROBLEMS

ROWS_AT_ONCE = 2_000


def candidates(rows: Any, feedback: Any) -> Iterator[Candidate]:
    """The rows as the judge wants them, with their feedback; both tables are in the order of places.

    Objects take ten times the memory of a table, so only some rows are made at a time: the judge keeps half of them.
    """
    owners = feedback["place"].to_numpy()
    for start in range(0, rows.num_rows, ROWS_AT_ONCE):
        part = rows.slice(start, ROWS_AT_ONCE)
        first, last = np.searchsorted(owners, part["place"].to_numpy()[[0, -1]] + [0, 1]).tolist()
        yield from _candidates(part, feedback.slice(first, last - first))


def _candidates(rows: Any, feedback: Any) -> Iterator[Candidate]:
    voices: dict[int, list[Voice]] = {}
    heads = _columns(feedback, ("place", "number", "feedback_id"))
    for (place, number, name), said in zip(heads, _columns(feedback, SAID), strict=True):
        voices.setdefault(place, []).append(Voice(number, name, said))
    heads = _columns(rows, ("place", "soft", "undated", "interaction_id"))
    for (place, soft, undated, name), content in zip(heads, _columns(rows, CONTENT), strict=True):
        yield Candidate(place, soft, undated, name, content, voices.get(place, ()))


def _columns(table: Any, names: Iterable[str]) -> Iterator[tuple[Any, ...]]:
    """Some columns of a table row by row."""
    return zip(*(_values(table[name]) for name in names), strict=True)


def _values(column: Any) -> list[Any]:
    # Moments by way of numpy take a thirtieth of the time.
    found: list[Any] = column.to_numpy().tolist() if pa.types.is_timestamp(column.type) else column.to_pylist()
    return found


def contents(interactions: dict[str, Known]) -> Any:
    """Judged interactions as a table: id, place of the row that brought them, content."""
    columns = {"interaction_id": pa.array(interactions, pa.string())}
    columns["place"] = pa.array([known.place for known in interactions.values()], pa.int64())
    for number, name in enumerate(CONTENT):
        values = [known.content[number] for known in interactions.values()]
        columns[name] = pa.array(values, INTERACTION_TYPES[name])
    return pa.table(columns)


def conflicts(rows: Any, judgement: Judgement) -> Any:
    """The rows that the judgement rejects, as the spool of problems wants them."""
    late = rows.filter(pa.array(np.isin(rows["place"].to_numpy(), list(judgement.rejected))))
    starts = zip(late["input"].to_pylist(), late["output"].to_pylist(), strict=True)
    excerpts = [" | ".join(filter(None, pair))[:500] for pair in starts]
    problems = list(zip(*judgement.rejected.values(), strict=True))
    columns = [late["place"].to_pylist(), late["line"].to_pylist(), *problems, excerpts]
    arrays = [pa.array(column, kind) for column, kind in zip(columns, PROBLEMS.values(), strict=True)]
    return pa.record_batch(arrays, schema=pa.schema(list(PROBLEMS.items())))
