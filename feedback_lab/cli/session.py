"""What one command works with: the lab in its home, opened when the command first needs it.

While a dashboard holds the database, the command that asked for the lab is handed over to it, and ends here with
the exit code from there. In the server, the same command works with the lab that is open.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType

import typer

from feedback_lab import server_note, serving
from feedback_lab.cli import handover
from feedback_lab.errors import InputError, StoreBusyError
from feedback_lab.knowledge import Files
from feedback_lab.settings import Settings, load_settings
from feedback_lab.store import Store

ACTOR = "command line"  # in the audit
OWNER_S = 2.0  # how long a process that holds the database may take to say where it is, or to let it go
LOOK_EVERY_S = 0.1


class Session:
    """The options before the command, and the store that it opens on first use and closes at the end.

    `name` is the command's own, `arguments` the whole command line, to be handed over where a server holds the
    database; `inside` is the server's lab, for a command that was handed over to this process.
    """

    def __init__(
        self, home: Path | None, db: str | None, name: str, arguments: Sequence[str], inside: serving.Lab | None
    ) -> None:
        self.given_home, self.given_db = home, db
        self._name, self._arguments, self._inside = name, arguments, inside
        self._opened = False

    @property
    def settings(self) -> Settings:
        """The settings of this home, without opening the database."""
        return self._inside.settings if self._inside else load_settings(self.given_home, self.given_db)

    @property
    def lab(self) -> serving.Lab:
        """The open lab. Raises typer.Exit where a running server did the command, StoreBusyError where none can."""
        if self._inside:
            return self._inside
        self._opened = True
        deadline = time.monotonic() + OWNER_S
        while True:
            try:
                return serving.open_lab(self.given_home, self.given_db)
            except StoreBusyError as busy:
                self._hand_over(busy)
                if time.monotonic() > deadline:
                    raise
            time.sleep(LOOK_EVERY_S)

    def _hand_over(self, busy: StoreBusyError) -> None:
        """Leave with the exit code of the server that holds the database; nothing where it has left no note yet.

        Raises the error itself where that server cannot do the command.
        """
        settings = self.settings
        note = server_note.read(settings.home)
        if note is None or f"PID {note.pid})" not in str(busy):
            return
        code = handover.hand_over(note, settings, self._name, self._arguments)
        if code is None:
            raise busy
        raise typer.Exit(code) from None

    @property
    def store(self) -> Store:
        return self.lab.store

    @property
    def files(self) -> Files:
        return self.lab.files

    def alone(self) -> None:
        """Raise InputError where this command, which needs a process of its own, was handed over to a server."""
        if self._inside:
            raise InputError(f"`{self._name}` cannot run inside the running dashboard: stop the dashboard first.")

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


def as_caller_wishes(lab: serving.Lab, settings: Settings) -> serving.Lab:
    """The server's lab with the settings of somebody who handed a command over: their environment counts for it."""
    wished = settings.model_copy(update={"home": lab.settings.home, "db": lab.settings.db})
    return replace(lab, settings=wished, files=Files(wished.knowledge_path, wished.instructions_path))
