"""Memory that is free but still held for the next use, given back to the system between two phases of an import."""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress

import pyarrow as pa


def give_back() -> None:
    """What Arrow keeps, and on Linux with glibc what its allocator keeps; a few milliseconds."""
    pa.default_memory_pool().release_unused()
    if sys.platform == "linux":
        with suppress(AttributeError, OSError):
            ctypes.CDLL(None).malloc_trim(0)
