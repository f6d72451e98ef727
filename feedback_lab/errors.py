"""Errors that a person can act on: each message says what is wrong, where, and what to do next.

Doors (pages, command line, HTTP) catch `LabError` and nothing wider.
"""


class LabError(Exception):
    """Base of every error that is meant to be shown to a person, as one sentence."""


class InputError(LabError):
    """What was handed in (a file, a column, a value) cannot be used as it is."""


class StoreError(LabError):
    """The database cannot be opened, read or written."""


class StoreBusyError(StoreError):
    """Another process holds the database file."""


class DiskError(StoreError):
    """The disk is full, or refuses to be written."""


class ReviewError(LabError):
    """A step of the review was refused: not yours, not open, stale, or incomplete."""


class KnowledgeError(LabError):
    """The knowledge file or the instructions file cannot be read or written as asked."""
