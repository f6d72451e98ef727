"""Rows whose ids turned out to be taken: their cells, for the file of rejected rows.

That they are rejected is known only once they were compared with what is stored, when their cells are gone; so the
file is read once more, in a thread of its own, while the rows behind them are judged and the others inserted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, wait
from contextlib import AbstractContextManager, contextmanager
from queue import SimpleQueue
from threading import Event
from typing import Any

import pyarrow as pa

from feedback_lab.ingest.meaning.text_columns import TextColumn
from feedback_lab.ingest.reading.batches import Batch, Problem, Row, Rows
from feedback_lab.ingest.rejects import RejectsFile

ROWS_AT_ONCE = 1_000
NEEDED = ["place", "column_name", "code", "message"]  # of those that wait while the file is read

Add = Callable[[Any], None]
Beside = Callable[[], AbstractContextManager[Add | None]]


def beside(source: Rows, rejects: RejectsFile, executor: Executor) -> Beside:
    """What a load does with its conflicts as it finds them: add their rows to `rejects`, each once however often it
    tries. It hands them over in batches (`staging.PROBLEMS`), in the order of the file.
    """
    start = rejects.mark()

    @contextmanager
    def added() -> Iterator[Add]:
        rejects.back_to(start)
        stopped = Event()
        found: SimpleQueue[Any] = SimpleQueue()
        adding = executor.submit(_add, source, iter(found.get, None), rejects, stopped)
        try:
            yield lambda part: found.put(part.select(NEEDED))
            found.put(None)
            adding.result()
        except BaseException:
            stopped.set()
            found.put(None)
            wait([adding])
            raise

    return added


def _add(source: Rows, conflicts: Iterable[Any], rejects: RejectsFile, stopped: Event) -> None:
    waiting = (row for part in conflicts for row in _one_by_one(part))
    found = next(waiting, None)
    if found is None:
        return
    done = 0
    for batch in source.batches():
        here: list[int] = []
        problems: list[Problem] = []
        while found is not None and found["place"] < done + len(batch.lines):
            here.append(found["place"] - done)
            problems.append(Problem(found["column_name"], found["code"], found["message"]))
            found = next(waiting, None)
        for row, problem in zip(_rows(batch, here), problems, strict=True):
            rejects.add(row, problem)
        if found is None or stopped.is_set():
            return
        done += len(batch.lines)


def _one_by_one(part: Any) -> Iterator[dict[str, Any]]:
    """The rows of a batch; as objects they take much memory, so only some of them are made at a time."""
    for start in range(0, part.num_rows, ROWS_AT_ONCE):
        yield from part.slice(start, ROWS_AT_ONCE).to_pylist()


def _rows(batch: Batch, places: list[int]) -> list[Row]:
    chosen = pa.array(places, pa.int64())
    columns = [
        cells.array.take(chosen).to_pylist() if isinstance(cells, TextColumn) else [cells[place] for place in places]
        for cells in batch.columns.values()
    ]
    return [
        Row(batch.lines[place], dict(zip(batch.columns, cells, strict=True)))
        for place, cells in zip(places, zip(*columns, strict=True), strict=True)
    ]
