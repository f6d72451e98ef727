"""The rows that were rejected, as a CSV that an analyst can repair and import again."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from feedback_lab.ingest.meaning.text_columns import text_of
from feedback_lab.ingest.reading.batches import Batch, Problem, Row
from feedback_lab.published_text import cell, text_in_cell

HEAD = ("line", "column", "code", "reason")


class RejectsFile:
    """Collects rejected rows under a temporary name; `keep` gives the file its own, `close` without it
    removes it.

    No file is made where nothing is rejected. Cells are safe to open in a spreadsheet.
    """

    def __init__(self, folder: Path, batch_id: str, header: Sequence[str]) -> None:
        self.path = folder / f"rejected-{batch_id}.csv"
        self._young = folder / f"rejected-{batch_id}.csv.part"
        self._header = header
        self._handle: TextIO | None = None
        self._writer: Any = None

    def add(self, row: Row, problem: Problem) -> None:
        """One rejected row with its original cells."""
        if self._handle is None:
            self._handle = self._young.open("w", encoding="utf-8", errors="backslashreplace", newline="")
            self._writer = csv.writer(self._handle, quoting=csv.QUOTE_ALL)
            self._writer.writerow([*HEAD, *map(cell, self._header)])
        raw = row.raw
        if not raw:
            values = map(row.values.get, self._header)
            raw = [value if type(value) is str else text_of(value) for value in values]
        self._writer.writerow(
            [row.line, cell(problem.column or ""), problem.code, cell(problem.message), *map(cell, raw)]
        )

    def mark(self) -> int | None:
        """How far the file is written, for `back_to`; None where there is none yet."""
        return None if self._handle is None else self._handle.tell()

    def back_to(self, mark: int | None) -> None:
        """Forget the rows that came after the mark."""
        if mark is None:
            self.close()
            self._handle = None
        elif self._handle is not None:
            self._handle.truncate(self._handle.seek(mark))

    def keep(self) -> str | None:
        """Finish the file. Its path, or None where nothing was rejected."""
        if self._handle is None:
            return None
        self._handle.close()
        self._young.replace(self.path)
        return str(self.path)

    def close(self) -> None:
        """Forget the file; harmless after `keep`."""
        if self._handle is not None and not self._handle.closed:
            self._handle.close()
            self._young.unlink(missing_ok=True)


def own_names(header: Sequence[str]) -> dict[str, str] | None:
    """The columns that a file of rejected rows took from the first file, with their names there; None for others."""
    if tuple(header[: len(HEAD)]) != HEAD or len(header) == len(HEAD):
        return None
    # A reader tells a column of the first file called "line" from ours by a number behind its name.
    doubled = {f"{name} (2)": name for name in HEAD}
    return {name: doubled.get(name, text_in_cell(name)) for name in header[len(HEAD) :]}


def own_cells(batch: Batch, names: Mapping[str, str]) -> Batch:
    """The rows as the first file had them: without our columns, and without what kept them from being formulas."""
    columns = {
        own: [_own(value) for value in batch.columns[name]] for name, own in names.items() if name in batch.columns
    }
    problems = [row._replace(raw=[text_in_cell(text) for text in row.raw[len(HEAD) :]]) for row in batch.problems]
    return Batch(batch.lines, columns, problems)


def _own(value: Any) -> Any:
    return text_in_cell(value) if isinstance(value, str) else value
