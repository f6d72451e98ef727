"""The rows that were rejected, as a CSV that an analyst can repair and import again."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

from feedback_lab.ingest.batches import Problem, Row
from feedback_lab.ingest.text_columns import text_of
from feedback_lab.published_text import cell

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
        raw = row.raw or [text_of(row.values.get(name)) for name in self._header]
        self._writer.writerow(
            [row.line, cell(problem.column or ""), problem.code, cell(problem.message), *map(cell, raw)]
        )

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
