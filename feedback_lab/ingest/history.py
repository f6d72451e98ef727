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
