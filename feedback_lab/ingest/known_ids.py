"""Which ids are stored, in the memory of the one writer, so that a new id costs no look-up in the database.

The tables have no index on their ids: keeping one up was most of an import's time and memory. Instead the writer
keeps 64 bits of a hash of each stored id and the two minutes of its arrival, 12 bytes. A hash that is not there is a
new id; one that is there is looked up by the id itself, among the rows of those minutes only: the engine knows the
first and last moment of each block of rows. Hashes are MD5 with a beginning that is drawn anew in each process, so
nobody can prepare ids that share one.

Other writers are noticed by counts: when imports, undone imports or rows are not as many as this memory says, the ids
of new imports are read; where that does not explain the counts (an import was undone), all are read again, half a CPU
second for each million rows.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, text

from feedback_lab.ingest.sorted_runs import SortedRuns

EPOCH, SPAN = datetime(1970, 1, 1), timedelta(minutes=2)  # counted in 32 bits, beyond the last moment that there is
EVER = datetime(1, 1, 1), datetime(9999, 12, 31)

COUNTS = text("""
    SELECT (SELECT count(*) FROM interaction), (SELECT count(*) FROM feedback),
           (SELECT count(*) FROM import_batch), (SELECT count(*) FROM import_batch WHERE status = 'undone'),
           (SELECT count(*) FROM interaction_alias)
""")
IMPORTS = text("SELECT batch_id FROM import_batch")
STORED_INTERACTIONS = """
    SELECT md5_number_lower(? || interaction_id) AS hash, CAST(floor(epoch(received_at) / 120) AS INTEGER) AS span
    FROM interaction
"""
STORED_FEEDBACK = """
    SELECT md5_number_lower(? || feedback_id) AS hash, CAST(floor(epoch(received_at) / 120) AS INTEGER) AS span
    FROM feedback
"""
OF_IMPORTS = " WHERE batch_id IN (SELECT unnest(CAST(? AS VARCHAR[])))"


class Found(NamedTuple):
    """Ids that are stored (but for an accident of equal hashes), and between which moments their rows arrived."""

    names: list[str]
    first: datetime
    last: datetime


class _Counts(NamedTuple):
    interactions: int
    feedback: int
    imports: int
    undone: int
    aliases: int


@dataclass(slots=True)
class _Ids:
    """The ids of one table: those that stand, and those that the transaction which runs now has added."""

    stored: SortedRuns = field(default_factory=SortedRuns)
    added: SortedRuns = field(default_factory=SortedRuns)


class KnownIds:
    """Belongs to the one writer of one database; every call is made within its transaction.

    The writer sets `certain` where its last transaction was committed and nobody else has written since: then the
    next one need not ask the tables.
    """

    def __init__(self) -> None:
        self.certain = False
        self._added_aliases = 0
        self._salt = secrets.token_hex(8)
        self._counts: _Counts | None = None
        self._imports: frozenset[str] = frozenset()
        self._interactions, self._feedback = _Ids(), _Ids()

    def begin(self, connection: Connection) -> None:
        """Make sure of what is stored, as the first step of a transaction: here it is seen what became of the last."""
        counts = (self._with_added() if self.certain else None) or _Counts(*connection.execute(COUNTS).one())
        self.certain = False
        if counts == self._with_added():
            self._take_added()
        elif counts != self._counts:
            self._catch_up(connection, counts)
        self._interactions.added, self._feedback.added = SortedRuns(), SortedRuns()
        self._added_aliases = 0
        self._counts = counts

    @property
    def any_alias(self) -> bool:
        """Whether an interaction has another name."""
        return self._counts is None or self._counts.aliases + self._added_aliases > 0

    def add_aliases(self, count: int) -> None:
        """Note that the transaction stores so many other names of interactions."""
        self._added_aliases += count

    def interactions(self, names: Collection[str]) -> Found:
        """Those of the interaction ids that are stored."""
        return self._find(self._interactions, names)

    def feedback(self, names: Collection[str]) -> Found:
        """Those of the feedback ids that are stored."""
        return self._find(self._feedback, names)

    def add(self, interactions: Mapping[str, datetime], feedback: Mapping[str, datetime]) -> None:
        """Note ids that the transaction stores, with the arrival of each in UTC; none of them is stored yet."""
        for ids, arrivals in ((self._interactions, interactions), (self._feedback, feedback)):
            spans = np.array([(at - EPOCH) // SPAN for at in arrivals.values()], np.int32)
            ids.added.add(self._hashes(arrivals), spans)

    def _with_added(self) -> _Counts | None:
        return self._counts and self._counts._replace(
            interactions=self._counts.interactions + len(self._interactions.added),
            feedback=self._counts.feedback + len(self._feedback.added),
            aliases=self._counts.aliases + self._added_aliases,
        )

    def _take_added(self) -> None:
        for ids in (self._interactions, self._feedback):
            ids.stored.take(ids.added)

    def _catch_up(self, connection: Connection, counts: _Counts) -> None:
        """Read the ids of the imports that came since; all ids where there is more to these counts."""
        imports = frozenset(connection.execute(IMPORTS).scalars())
        new = sorted(imports - self._imports)
        self._imports = imports
        if self._counts is not None and new:
            interactions = self._read(connection, STORED_INTERACTIONS + OF_IMPORTS, new)
            feedback = self._read(connection, STORED_FEEDBACK + OF_IMPORTS, new)
            before = counts._replace(
                interactions=counts.interactions - len(interactions),
                feedback=counts.feedback - len(feedback),
                imports=counts.imports - len(new),
            )
            if before in (self._with_added(), self._counts):
                if before != self._counts:
                    self._take_added()
                self._interactions.stored.take(interactions)
                self._feedback.stored.take(feedback)
                return
        self._interactions = _Ids(self._read(connection, STORED_INTERACTIONS))
        self._feedback = _Ids(self._read(connection, STORED_FEEDBACK))

    def _read(self, connection: Connection, sql: str, *values: Any) -> SortedRuns:
        cursor: Any = connection.connection.cursor()
        cursor.execute(sql, [self._salt, *values])
        columns = cursor.fetchnumpy()
        runs = SortedRuns()
        runs.add(np.asarray(columns["hash"], np.uint64), np.asarray(columns["span"], np.int32))
        return runs

    def _find(self, ids: _Ids, names: Collection[str]) -> Found:
        hashes = self._hashes(names)
        stored, at_first = ids.stored.find(hashes)
        added, at_last = ids.added.find(hashes)
        known = stored | added
        if not known.any():
            return Found([], *EVER)
        spans = np.where(stored, at_first, at_last)[known]
        first, last = EPOCH + int(spans.min()) * SPAN, EPOCH + int(spans.max()) * SPAN + SPAN
        return Found([name for name, here in zip(names, known.tolist(), strict=True) if here], first, last)

    def _hashes(self, names: Collection[str]) -> npt.NDArray[np.uint64]:
        """The same as `md5_number_lower` of the engine: the last eight bytes of the MD5."""
        digests = (hashlib.md5((self._salt + name).encode(), usedforsecurity=False).digest()[8:] for name in names)
        return np.frombuffer(b"".join(digests), "<u8").astype(np.uint64)
