"""What tables with types of their own hold (Parquet, Excel), as the values that JSON knows."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from feedback_lab.ingest.reading.batches import UNSTORABLE


def plain(value: Any) -> Any:
    """The value as text, number, truth, list or object; times as ISO text, decimals as written; None for nothing."""
    if isinstance(value, str):
        return UNSTORABLE.sub("\ufffd", value)
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, datetime | date | time):
        return value.isoformat(" ") if isinstance(value, datetime) else value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, bytes):
        return _text_of_bytes(value)
    if isinstance(value, Mapping):
        return {str(plain(key)): plain(item) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [plain(item) for item in value]
    return UNSTORABLE.sub("\ufffd", str(value))


def _text_of_bytes(value: bytes) -> str:
    try:
        return plain(value.decode("utf-8"))  # type: ignore[no-any-return]
    except UnicodeDecodeError:
        return base64.b64encode(value).decode("ascii")
