"""Some rows of a spool: those that must be judged one by one, or those that need no judging."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from feedback_lab.ingest.meaning.text_columns import Flags
from feedback_lab.ingest.staging import Spool
from feedback_lab.ingest.survey import Marks


class OddRows:
    """The rows of a spool whose place is flagged in `odd`, in order, some at a time."""

    def __init__(self, spool: Spool, odd: Marks) -> None:
        self._batches = chosen_of(spool, lambda rows: odd[rows["place"]])
        self._held = spool.schema.empty_table()

    def next(self, count: int) -> Any:
        """The next rows, `count` of them where there are so many."""
        while self._held.num_rows < count and self._more():
            pass
        return self._cut(count)

    def until(self, place: int) -> Any:
        """The next rows up to those of a place."""
        while (not self._held.num_rows or self._held["place"][-1].as_py() <= place) and self._more():
            pass
        return self._cut(int(np.searchsorted(self._held["place"].to_numpy(), place, "right")))

    def _more(self) -> bool:
        batch = next(self._batches, None)
        if batch is not None:
            self._held = pa.concat_tables([self._held, pa.Table.from_batches([batch])])
        return batch is not None

    def _cut(self, count: int) -> Any:
        cut, self._held = self._held.slice(0, count), self._held.slice(count)
        return cut.combine_chunks()


def chosen_of(spool: Spool, chosen: Callable[[Any], Flags]) -> Iterator[Any]:
    """The record batches of a spool with the chosen rows alone; `chosen` is told the places and numbers of a batch."""
    for batch in spool.batches():
        own = {name: batch[name].to_numpy() for name in ("place", "number") if name in batch.schema.names}
        mask = chosen(own)
        if mask.all():
            yield batch
        elif mask.any():
            yield batch.filter(pa.array(mask))
