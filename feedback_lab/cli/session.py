"""What one command works with: the lab in its home, opened when the command first needs it."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

import typer

from feedback_lab import serving
from feedback_lab.knowledge import Files
from feedback_lab.settings import Settings, load_settings
from feedback_lab.store import Store


class Session:
    """The options before the command, and the store that it opens on first use and closes at the end."""

    def __init__(self, home: Path | None, db: str | None) -> None:
        self.given_home, self.given_db = home, db
        self._opened = False

    @property
    def settings(self) -> Settings:
        """The settings of this home, without opening the database."""
        return load_settings(self.given_home, self.given_db)

    @property
    def lab(self) -> serving.Lab:
        self._opened = True
        return serving.open_lab(self.given_home, self.given_db)

    @property
    def store(self) -> Store:
        return self.lab.store

    @property
    def files(self) -> Files:
        return self.lab.files

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._opened:
            serving.close_lab()


def session(context: typer.Context) -> Session:
    """The session of the running command."""
    found = context.find_object(Session)
    assert found is not None, "the root callback makes it"
    return found
