"""The knowledge file: JSON Lines, one entry a line, in order of creation, keys always in the same order.

People read and edit it, and keep it in git, so all text is written as it is; only what some tool would take
for the end of a line, and what UTF-8 cannot hold, is escaped. Reading is strict: a line that does not say
exactly what an entry is, is refused with its number, because guessing here would publish a wrong fact.
"""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NoReturn

from feedback_lab import atomic_file
from feedback_lab.errors import KnowledgeError
from feedback_lab.published_text import clean
from feedback_lab.records import Entry, EntryStatus

KEYS = ("entry_id", "question", "answer", "status", "version", "scope", "sources", "decided_by", "decided_at")
MAX_VERSION = 2**31 - 1
_TO_ESCAPE = re.compile(r"[\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff]")


def read_file(path: Path) -> list[Entry]:
    """The entries of the file at `path` in its order, retired ones too; none where there is no file. Read-only.

    An entry that a person added without an id has the id "" until it is taken in (`knowledge.entries`).
    Raises KnowledgeError with the number of the line that cannot be read.
    """
    return [entry for _, entry in parse(read_bytes(path) or b"", path)]


def read_bytes(path: Path) -> bytes | None:
    """The bytes of a file; None where there is none. Raises KnowledgeError where it cannot be read."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise KnowledgeError(f"{path} cannot be read ({error.strerror}): correct the path or its rights.") from None


def save(path: Path, before: bytes | None, after: bytes) -> None:
    """Write `after` where the file still holds `before`; the same bytes are not written again.

    Raises KnowledgeError where someone saved the file meanwhile, so that no hand edit is overwritten.
    """
    if before == after:
        return
    if read_bytes(path) != before:
        raise KnowledgeError(f"{path} was saved by someone else at this very moment: try again.")
    atomic_file.write(path, after)


def dump(entries: Iterable[Entry]) -> bytes:
    """The bytes of a knowledge file that holds `entries`; `parse` gives the same entries back."""
    return b"".join(_line(entry) for entry in entries)


def parse(content: bytes, path: Path) -> list[tuple[int, Entry]]:
    """Each entry in `content` with the number of its line, counted from 1. Blank lines are skipped.

    Raises KnowledgeError, naming `path` and the line, where a line is no entry or repeats an id.
    """
    found: list[tuple[int, Entry]] = []
    line_of: dict[str, int] = {}
    for number, line in enumerate(content.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        if not line.strip():
            continue
        entry = _entry(_object(line, path, number), path, number)
        if entry.entry_id and entry.entry_id in line_of:
            first = line_of[entry.entry_id]
            _refuse(path, number, f"has the same entry_id as line {first}: remove one of the two, or the id of one")
        line_of[entry.entry_id] = number
        found.append((number, entry))
    return found


def _line(entry: Entry) -> bytes:
    values = {key: getattr(entry, key) for key in KEYS}
    text = json.dumps(values, ensure_ascii=False)
    return _TO_ESCAPE.sub(lambda match: f"\\u{ord(match[0]):04x}", text).encode() + b"\n"


def _object(line: bytes, path: Path, number: int) -> dict[str, Any]:
    try:
        values = json.loads(line.decode())
    except UnicodeDecodeError:
        _refuse(path, number, "is not UTF-8: save the file as UTF-8")
    except (ValueError, RecursionError):
        _refuse(path, number, "is not one whole JSON object: correct or remove it")
    if not isinstance(values, dict):
        _refuse(path, number, "is not a JSON object: write an entry as one object a line")
    unknown = sorted(values.keys() - set(KEYS))
    if unknown:
        _refuse(path, number, f"holds the unknown key {unknown[0]!r}: an entry has only {', '.join(KEYS)}")
    return values


def _entry(values: dict[str, Any], path: Path, number: int) -> Entry:
    for key in ("question", "answer"):
        if not isinstance(values.get(key), str) or not clean(values[key]):
            _refuse(path, number, f"has no {key}: write it as a text in quotes")
    for key in ("entry_id", "scope", "decided_by", "decided_at"):
        if not isinstance(values.get(key) or "", str):
            _refuse(path, number, f"has a {key} that is no text: write it in quotes")
    version, sources = values.get("version", 1), values.get("sources") or []
    if type(version) is not int or not 1 <= version <= MAX_VERSION:
        _refuse(path, number, "has a version that is no whole number from 1: correct it")
    if not isinstance(sources, list) or not all(isinstance(source, str) for source in sources):
        _refuse(path, number, "has sources that are no list of texts: correct them")
    if values.get("status", "active") not in list(EntryStatus):
        _refuse(path, number, "has an unknown status: write active or retired")
    return Entry(
        entry_id=values.get("entry_id") or "",
        question=values["question"],
        answer=values["answer"],
        status=EntryStatus(values.get("status", "active")),
        version=version,
        scope=values.get("scope") or "",
        sources=tuple(sources),
        decided_by=values.get("decided_by") or "",
        decided_at=values.get("decided_at") or "",
    )


def _refuse(path: Path, number: int, what: str) -> NoReturn:
    raise KnowledgeError(f"Line {number} of {path} {what}. Nothing was changed.")
