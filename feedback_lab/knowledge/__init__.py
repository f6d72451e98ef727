"""The knowledge file and the instructions file: what has been decided, written exactly once.

The file is the truth for content, the database for history.
"""

from feedback_lab.knowledge.entries_file import read_file
from feedback_lab.knowledge.instructions_file import Instruction
from feedback_lab.knowledge.publishing import (
    Files,
    Published,
    add_entries,
    decide,
    entries,
    instructions,
    publish,
    undo,
    versions,
)

__all__ = [
    "Files",
    "Instruction",
    "Published",
    "add_entries",
    "decide",
    "entries",
    "instructions",
    "publish",
    "read_file",
    "undo",
    "versions",
]
