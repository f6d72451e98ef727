"""How far new comments have been looked at, so that the next look costs what is new and not what is there.

A comment is new where feedback came in on its interaction since the last look: itself, or a thumb that makes it a
negative one. Feedback is stored within minutes of being received, an import's whenever that import ends.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, text

from feedback_lab.store import Store
from feedback_lab.verdicts import negative_comments

SLACK = timedelta(minutes=10)

# Negative comments as everywhere, but only on interactions that had feedback since `:since`.
RECENT = negative_comments("SELECT interaction_id FROM feedback WHERE received_at >= :since")
FRESH_SQL = (
    "SELECT c.feedback_id, c.comment FROM ("
    + RECENT
    + """) AS c WHERE NOT EXISTS (SELECT 1 FROM issue_member m WHERE m.feedback_id = c.feedback_id)
    ORDER BY c.happened_at, c.feedback_id"""
)
IMPORTED_SQL = "SELECT min(started_at) FROM import_batch WHERE finished_at >= :looked_at"


def look(store: Store, moment: datetime) -> dict[str, Any]:
    """Note, before looking, how far this look will have seen."""
    newest = store.scalar("SELECT max(received_at) FROM feedback")
    return {"seen_until": newest.isoformat() if newest else None, "looked_at": moment.isoformat()}


def looked(state: Mapping[str, Any], seen: dict[str, Any], held_up: str | None) -> dict[str, Any]:
    """The state after a look: it saw as far as `seen` says, unless something held comments up, which are looked for
    again."""
    kept = {name: value for name, value in state.items() if name != "held_up"}
    return kept | ({"held_up": held_up} if held_up else seen)


def since(store: Store, state: dict[str, Any]) -> datetime:
    """From when on received feedback may not have been looked at; the beginning of time where nobody knows."""
    if not state.get("seen_until"):
        return datetime.min
    seen = datetime.fromisoformat(state["seen_until"]) - SLACK
    imported = store.scalar(IMPORTED_SQL, looked_at=datetime.fromisoformat(state["looked_at"]) - SLACK)
    return min(seen, imported) if imported else seen


def save(connection: Connection, model_id: str, state: dict[str, Any]) -> bool:
    """Keep what has been looked at with its model; False where a refresh has put another in its place meanwhile."""
    kept = connection.execute(
        text("UPDATE issue_model SET state = :state WHERE model_id = :model RETURNING model_id"),
        {"state": json.dumps(state), "model": model_id},
    )
    return kept.first() is not None
