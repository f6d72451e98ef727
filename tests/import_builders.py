"""Small files to import, and the four counts of a report."""

from pathlib import Path

from feedback_lab.ingest.load import ImportReport


def write(path: Path, header: str, *rows: str) -> Path:
    path.write_text("\n".join([header, *rows]) + "\n", "utf-8")
    return path


def counts(report: ImportReport) -> tuple[int, int, int, int]:
    """Read, new, duplicate, rejected."""
    return report.read, report.new, report.duplicate, report.rejected
