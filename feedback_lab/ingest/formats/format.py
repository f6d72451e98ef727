"""A tool's export as a source of rows whose columns are our fields: what a format is, and the rows it gives."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from feedback_lab.ingest.formats.cells import Record, Values, text
from feedback_lab.ingest.formats.scores import Scores
from feedback_lab.ingest.planning.plan import FIELDS, TAG
from feedback_lab.ingest.reading.batches import Batch, Decoded, Problem, Row, Rows, batched
from feedback_lab.ingest.reading.readers import SAMPLE
from feedback_lab.records import Population

OPINIONS = ("kind", "value", "comment", "suggested_answer")
OF_CHATS = ("role", "content", "turn")  # fields of one message a row; no format needs them


@dataclass(slots=True)
class Pass:
    """What one pass over a file carries from row to row: the meaning of its scores, what was said once, and
    under which other names an interaction of the file is known. `others` counts the rows of further kinds."""

    scores: Scores
    seen: set[str] = field(default_factory=set)
    names: dict[str, str] = field(default_factory=dict)
    silent: Counter[str] = field(default_factory=Counter)
    others: Counter[str] = field(default_factory=Counter)

    def once(self, key: str) -> bool:
        """True the first time that this key comes in this pass."""
        new = key not in self.seen
        self.seen.add(key)
        return new

    def nothing(self, what: str) -> list[Record | Problem]:
        """No record: the row is `what`, which is neither a question with its answer nor feedback."""
        self.silent[what] += 1
        return []


Unpack = Callable[[Values, Pass], Iterable[Record | Problem]]


@dataclass(frozen=True, slots=True)
class Format:
    """One kind of export of one tool.

    `recognises(header, sample)` answers one sentence why this is it, or None; it looks at content alone, never at
    the file's name. `unpack(values, pass)` turns one row of the file into records keyed by our fields (what is
    keyed otherwise goes to the metadata), or into a Problem where the row cannot be understood. `holds(row)` says
    whether a single row is of this kind and of no other of its tool, so that all of them may stand in one file; None
    for the only kind of a tool. `tags` are the tags that its records may carry, `further` the names of second
    opinions. `by_name_only`: nothing in the content tells it from an ordinary file.
    """

    name: str
    title: str
    what: str
    recognises: Callable[[Sequence[str], Sequence[Values]], str | None]
    unpack: Unpack
    holds: Callable[[Values], bool] | None = None
    tags: tuple[str, ...] = ()
    further: tuple[str, ...] = ()
    by_name_only: bool = False

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that its records may have."""
        further = (f"{base}:{name}" for name in self.further for base in ("value", "scale"))
        return (*(name for name in FIELDS if name not in OF_CHATS), *further, *(TAG + name for name in self.tags))


@dataclass
class Unpacked:
    """A source of rows like that of any file, whose rows are the records of a tool's export.

    A row that is of one of the `siblings`, the other kinds of the same tool, is read as what it is. What the scores
    mean is learned from the first rows, and before `batches` (the import) from all of them. After a whole pass
    `format` says how many records the rows gave, and where all rows told otherwise than the first.
    """

    rows: Rows
    kind: Format
    scores: Scores
    siblings: Sequence[Format] = ()
    header: list[str] = field(default_factory=list)
    counted: tuple[int, int] | None = None
    silent: Counter[str] = field(default_factory=Counter)
    others: Counter[str] = field(default_factory=Counter)
    otherwise: dict[str, str] = field(default_factory=dict)
    populations: Counter[str] = field(default_factory=Counter)
    _knows_all: bool = False

    def __post_init__(self) -> None:
        sample = self.rows.sample()
        self._learn(sample)
        self._knows_all = len(sample) < SAMPLE
        self.otherwise = {}
        found = {name: None for row in islice(self, SAMPLE) for name in row.values}
        self.header = list(dict.fromkeys([*self.fields, *found]))

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that its records may have."""
        return tuple(dict.fromkeys(name for kind in (self.kind, *self.siblings) for name in kind.fields))

    @property
    def path(self) -> Path:
        return self.rows.path

    @property
    def decoding(self) -> Decoded:
        return self.rows.decoding

    @property
    def format(self) -> str:
        """What the file is, in words."""
        words = f"{self.kind.title}, {self.rows.format}"
        if self.counted is None:
            return words
        records, rows = self.counted
        words += f", {records:,} records of {rows:,} rows"
        words += "".join(f", {count:,} of them {title}" for title, count in self.others.most_common())
        if self.silent:
            words += f" ({', '.join(f'{count:,} {what}' for what, count in self.silent.most_common())})"
        return words + "".join(f"; with all rows {name!r} is {meaning}" for name, meaning in self.otherwise.items())

    def __iter__(self) -> Iterator[Row]:
        reading = Pass(self.scores)
        records = rows = 0
        for row in self.rows:
            rows += 1
            for unpacked in self._of(row, reading):
                records += 1
                yield unpacked
        self.counted, self.silent, self.others = (records, rows), reading.silent, reading.others

    def batches(self) -> Iterator[Batch]:
        """The rows in runs, column by column."""
        if not self._knows_all:
            self._learn(row.values for row in self.rows if row.problem is None)
            self._knows_all = True
        return batched(self)

    def sample(self, size: int = SAMPLE) -> list[dict[str, Any]]:
        """The values of the first readable rows."""
        return [row.values for row in islice(self, size) if row.problem is None]

    def _learn(self, rows: Iterable[Values]) -> None:
        before, self.scores.learns = self.scores.meanings(), True
        learning = Pass(self.scores)
        self.populations.clear()
        for values in rows:
            for found in self._unpack(values, learning):
                if isinstance(found, dict) and says_something(found):
                    self.populations[str(found.get("population", Population.USER))] += 1
        self.scores.learns, self.others = False, learning.others
        self.otherwise = {name: told for name, told in self.scores.meanings().items() if before.get(name) != told}

    def _of(self, row: Row, reading: Pass) -> Iterator[Row]:
        if row.problem is not None:
            yield row
            return
        for found in self._unpack(row.values, reading):
            if isinstance(found, Problem):
                yield Row(row.line, {}, found, [json.dumps(row.values, ensure_ascii=False)])
            else:
                yield Row(row.line, {name: value for name, value in found.items() if value not in (None, "", {}, [])})

    def _unpack(self, values: Values, reading: Pass) -> Iterable[Record | Problem]:
        other = sibling_of(values, self.siblings)
        if other is None:
            return self.kind.unpack(values, reading)
        reading.others[other.title] += 1
        return other.unpack(values, reading)


def says_something(record: Record) -> bool:
    """Whether the record holds feedback: a kind, a value, a comment or a suggested answer."""
    return any(text(record.get(name)) for name in OPINIONS)


def sibling_of(row: Values, siblings: Iterable[Format]) -> Format | None:
    """The first of the kinds that the row is of."""
    return next((kind for kind in siblings if kind.holds is not None and kind.holds(row)), None)
