"""What the routes of the API work with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from feedback_lab.collector.limits import Limits
from feedback_lab.collector.writer import Writer
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
