"""Where a table's header stands and what its columns are called, judged from its first rows.

Title lines above the header are found and left out, a table without a header is recognised by its first row
looking like the rows below it, and empty or doubled names are told apart. Each of these is said in a note.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from feedback_lab.errors import InputError
from feedback_lab.ingest.reading.batches import UNSTORABLE

MAX_COLUMNS = 10_000
MAX_TITLES = 50  # rows above a header
MOST = 0.9  # share of the rows that shows a habit
KINDS = {
    "number": re.compile(r"[+-]?\d+(?:[.,]\d+)*\s?%?|👍|👎|[★☆⭐]+"),
    "time": re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:[ T,].*)?"),
    "address": re.compile(r"https?://\S+|[^\s@]+@[^\s@]+\.\w+"),
    "id": re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}|[0-9a-f]{24,}"),
}

Rows = Sequence[Sequence[str]]


class Heading(NamedTuple):
    """The columns' names, the number of rows before the first row of data, and what a human should know."""

    names: list[str]
    before: int
    notes: list[str]


def heading_of(rows: Rows, has_header: bool | None = None) -> Heading:
    """The heading of a table of which `rows` (at least one) are the first; `has_header` where a human has said it.

    Raises InputError where there are more than `MAX_COLUMNS` columns.
    """
    titles = 0 if has_header is False else titles_of(rows)
    notes = [f"{_counted(titles, 'title line')} above the header left out"] if titles else []
    lacks = not has_header if has_header is not None else not titles and _looks_like_data(rows)
    width = _usual_width(rows[titles:] if lacks else rows[titles + 1 :]) or len(rows[titles])
    if max(width, len(rows[titles])) > MAX_COLUMNS:
        raise InputError(f"The table has {width:,} columns, at most {MAX_COLUMNS:,} are taken: check its delimiter.")
    if lacks:
        said = "no header" if has_header is False else "no header was found (the first row looks like data)"
        return Heading(_numbered(width), titles, [*notes, f"{said}, so the columns are column 1 to column {width}"])
    cells = [_clean(cell) for cell in rows[titles]]
    if not any(cells[width:]) and len(cells) > width:
        notes.append(f"{_counted(len(cells) - width, 'empty name')} at the end of the header left out")
        cells = cells[:width]
    elif len(cells) < width and not any(cell.strip() for row in rows[titles + 1 :] for cell in row[len(cells) :]):
        notes.append(f"{_counted(width - len(cells), 'empty column')} behind the header's last name")
        cells += [""] * (width - len(cells))
    names, more = _told_apart(cells)
    return Heading(names, titles + 1, notes + more)


def titles_of(rows: Rows) -> int:
    """How many rows above the header are titles: mostly empty rows before a full row of names over rows as wide."""
    width = _most_common([len(row) for row in rows])
    if width < 2:
        return 0
    for number, row in enumerate(rows[: MAX_TITLES + 1]):
        if _filled(row) > max(1, width // 2):
            below = rows[number + 1 :]
            fits = sum(len(other) == width for other in below)
            named = len(row) == width and could_be_names(row)
            return number if named and fits >= max(2, 0.8 * len(below)) else 0
        if not row or not row[0].strip():
            return 0
    return 0


def could_be_names(row: Sequence[str]) -> bool:
    """Whether every cell is filled, different from the others, and neither number, time, address nor id."""
    cells = [cell.strip() for cell in row]
    return all(cells) and len(set(cells)) == len(cells) and not any(map(_kind, cells))


def _looks_like_data(rows: Rows) -> bool:
    """Whether some cells of the first row are like those below them, and none is a word above numbers or times."""
    first = rows[0]
    below = [row for row in rows[1:] if len(row) == len(first) and row != first]
    signs = {_sign(cell.strip(), [row[place].strip() for row in below]) for place, cell in enumerate(first)}
    return 1 in signs and -1 not in signs


def _sign(cell: str, below: Sequence[str]) -> int:
    """1 where a cell is of its column's kind, -1 where it is a name above a column of a kind, 0 where nothing tells."""
    filled = [other for other in below if other]
    if not cell or not filled:
        return 0
    kind = _kind(cell)
    usual, count = Counter(map(_kind, filled)).most_common(1)[0]
    if usual is not None and count >= MOST * len(filled):
        return 1 if kind == usual else -1
    # A category comes again below; a name does not, unless its column only ticks what it is called.
    again = kind is None and filled.count(cell) >= max(2, len(filled) / 50) and len(set(filled)) > 1
    return int(again)


def _kind(cell: str) -> str | None:
    if len(cell) > 200:
        return None
    return next((kind for kind, pattern in KINDS.items() if pattern.fullmatch(cell)), None)


def _usual_width(rows: Rows) -> int:
    """The width of nearly all rows, 0 where they differ."""
    widths = [len(row) for row in rows]
    width = _most_common(widths)
    return width if widths and widths.count(width) >= MOST * len(widths) else 0


def _most_common(widths: Sequence[int]) -> int:
    counts = Counter(widths)
    return max(counts, key=lambda width: (counts[width], width), default=0)


def _filled(row: Sequence[str]) -> int:
    return sum(1 for cell in row if cell.strip())


def _told_apart(cells: Sequence[str]) -> tuple[list[str], list[str]]:
    names: dict[str, None] = {}
    counts: Counter[str] = Counter()
    empty = doubled = 0
    for place, cell in enumerate(cells, 1):
        name = base = cell or f"column {place}"
        counts[base] += 1
        while name in names:
            counts[base] += name != base
            name = f"{base} ({max(2, counts[base])})"
        empty += not cell
        doubled += name != base
        names[name] = None
    notes = [f"{_counted(empty, 'column')} without a name numbered"] if empty else []
    if doubled:
        notes.append(f"{_counted(doubled, 'doubled name')} told apart by a number")
    return list(names), notes


def _numbered(width: int) -> list[str]:
    return [f"column {place}" for place in range(1, width + 1)]


def _clean(cell: str) -> str:
    return UNSTORABLE.sub("\ufffd", cell).strip()


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
