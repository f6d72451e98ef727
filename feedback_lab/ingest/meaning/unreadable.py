"""The one way in which a text can fail to mean what its field needs."""

from __future__ import annotations

MAX_WORD = 64  # characters; what is longer is a text, not a value


class Unreadable(ValueError):
    """A text that does not mean what its field needs: a stable code, and a sentence for the person."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code

    def kept(self) -> Unreadable:
        """The same, to be kept: without the traceback, which holds the whole batch in whose reading it was raised."""
        self.__context__ = None
        return self.with_traceback(None)


def shown(text: str) -> str:
    """The text in quotes, short enough for a sentence."""
    return repr(text if len(text) <= 40 else text[:39] + "…")
