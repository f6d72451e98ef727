"""Files as strangers send them, for the tests of the readers."""

import gzip
import io
import zipfile
from pathlib import Path
from typing import Any

from feedback_lab.ingest.reading.batches import Row
from feedback_lab.ingest.reading.readers import Hints, RowSource, open_rows


def written(folder: Path, content: str | bytes, name: str = "rows") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def opened(folder: Path, content: str | bytes, **hints: Any) -> RowSource:
    """The rows of a file of its own."""
    return open_rows(written(folder, content, f"rows-{len(list(folder.iterdir()))}"), Hints(**hints))


def codes(rows: list[Row]) -> list[tuple[int, str | None]]:
    return [(row.line, row.problem.code if row.problem else None) for row in rows]


def values(source: RowSource) -> list[dict[str, Any]]:
    return [row.values for row in source]


def zipped(members: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


def gzipped(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)
