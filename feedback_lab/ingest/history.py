"""What came in so far, batch by batch."""

from typing import Any

from feedback_lab.store import Store


def history(store: Store) -> list[dict[str, Any]]:
    """All imports, newest first, with their counts; `status` is done or undone."""
    return store.rows(
        """
        SELECT batch_id, source, file_name, file_sha256, format, mapping, started_at, finished_at, status,
               rows_read, rows_new, rows_duplicate, rows_rejected, rows_undated, complete
        FROM import_batch ORDER BY started_at DESC, batch_id DESC
        """
    )


def other_imports_of(store: Store, batch_id: str) -> list[str]:
    """Earlier imports of the very same file that stand and brought rows, newest first: read with another mapping,
    rows without ids of their own are other rows, and count again.
    """
    rows = store.rows(
        """
        SELECT other.batch_id FROM import_batch AS other JOIN import_batch AS this ON this.batch_id = :batch
        WHERE other.file_sha256 = this.file_sha256 AND other.batch_id <> this.batch_id
          AND other.status = 'done' AND other.rows_new > 0
        ORDER BY other.started_at DESC
        """,
        batch=batch_id,
    )
    return [str(row["batch_id"]) for row in rows]


def rejects(store: Store, batch_id: str, limit: int = 100) -> list[dict[str, Any]]:
    """The first rejected rows of a batch by line: line, column_name, code, message, excerpt."""
    return store.rows(
        """
        SELECT line, column_name, code, message, excerpt FROM import_reject
        WHERE batch_id = :batch ORDER BY line LIMIT :limit
        """,
        batch=batch_id,
        limit=limit,
    )
