"""What the routes of the API work with."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from feedback_lab.collector.answers import ApiError
from feedback_lab.collector.limits import Limits
from feedback_lab.collector.writer import Writer
from feedback_lab.ingest.receiving import Item, Outcome
from feedback_lab.keys import Keyring
from feedback_lab.knowledge import Files
from feedback_lab.serving import Lab
from feedback_lab.settings import Settings
from feedback_lab.store import Store


@dataclass
class Deps:
    """The lab behind the API, opened on first use, and the one thread that writes to it.

    `owner_token` answers the token of server.json while there is one. Each property raises LabError where the lab
    cannot be opened.
    """

    lab_of: Callable[[], Lab]
    writer: Writer
    owner_token: Callable[[], str | None]
    limits: Limits = field(default_factory=Limits)
    _keyring: Keyring | None = None

    @property
    def store(self) -> Store:
        return self.lab_of().store

    @property
    def settings(self) -> Settings:
        return self.lab_of().settings

    @property
    def files(self) -> Files:
        return self.lab_of().files

    @property
    def keyring(self) -> Keyring:
        store = self.store
        if self._keyring is None or not self._keyring.is_of(store):
            self._keyring = Keyring(store)
        return self._keyring

    async def stored(self, items: Sequence[Item]) -> list[Outcome]:
        """One outcome an item, once they are on disk; more than may come at once go into several commits.

        Raises LabError where a commit failed, ApiError (503) where it took too long.
        """
        outcomes: list[Outcome] = []
        for start in range(0, len(items), self.limits.items):
            answer = self.writer.submit(items[start : start + self.limits.items])
            # A timer of its own, because `asyncio.wait_for` costs a tenth of the whole request.
            timer = answer.get_loop().call_later(self.limits.wait_seconds, _give_up, answer)
            try:
                outcomes += await answer
            finally:
                timer.cancel()
        return outcomes


def _give_up(answer: asyncio.Future[list[Outcome]]) -> None:
    if not answer.done():
        message = "Storing takes too long now: send the same again, with the same ids or Idempotency-Key."
        answer.set_exception(ApiError(503, "too_slow", message, headers={"Retry-After": "5"}))
