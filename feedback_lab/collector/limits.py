"""What a sender may send at once, and how often."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from feedback_lab.keys import Scope


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one request and of the queue. `per_second` and `burst` count items of one key."""

    body_bytes: int = 8_000_000  # as sent
    unpacked_bytes: int = 32_000_000  # of a gzip body
    items: int = 1_000
    depth: int = 50  # of nested JSON
    queued_items: int = 20_000
    wait_seconds: float = 30.0


# Items a second, and how many may come at once.
RATES: dict[Scope, tuple[float, float]] = {
    Scope.INGEST: (20_000, 40_000),
    Scope.READ: (200, 400),
    Scope.PUBLIC_WRITE: (50, 200),
    Scope.OWNER: (1_000, 2_000),
}


class Buckets:
    """A token bucket a key: full at first, refilled steadily, so that a short burst passes and a flood does not."""

    def __init__(
        self, rates: dict[Scope, tuple[float, float]] | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rates = RATES if rates is None else rates
        self._clock = clock
        self._left: dict[str, tuple[float, float]] = {}

    def take(self, key_id: str, scope: Scope, count: int = 1) -> float:
        """0 where `count` items may pass now, else the seconds after which they could; what is refused costs nothing.

        More items than the bucket ever holds pass when it is full, and are paid off afterwards.
        """
        rate, burst = self._rates[scope]
        now = self._clock()
        left, since = self._left.get(key_id, (burst, now))
        left = min(burst, left + (now - since) * rate)
        needed = min(float(count), burst)
        if left < needed:
            self._left[key_id] = (left, now)
            return (needed - left) / rate
        self._left[key_id] = (left - count, now)
        return 0.0
