"""The append-only trail: who did what to which object, written in the same transaction as the deed."""

import json
from typing import Any

from sqlalchemy import Connection

from feedback_lab import schema
from feedback_lab.records import new_id, utc_now


def record(connection: Connection, actor: str, action: str, target: str, **detail: Any) -> None:
    """Add one line to the trail. `detail` must be JSON-serialisable; nothing is ever updated or removed."""
    connection.execute(
        schema.audit.insert().values(
            audit_id=new_id(),
            happened_at=utc_now(),
            actor=actor,
            action=action,
            object=target,
            detail=json.loads(json.dumps(detail, default=str)),
        )
    )
