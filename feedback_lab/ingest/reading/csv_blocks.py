"""The structure of a stretch of CSV, found without reading its cells: where records start, and on which line.

Quoting by the book (RFC 4180) means that every quote opens a cell, doubles another, or closes a cell. Up to the
first quote that does none of these, all readers of CSV see the same records; what is behind it is not for here.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv

Offsets = npt.NDArray[np.int64]

QUOTE, NEWLINE, RETURN = b'"\n\r'


class Plain(NamedTuple):
    """Records by the book: their first and last byte, their line counted from 0, and what they take of the text."""

    starts: Offsets
    ends: Offsets
    lines: Offsets
    size: int
    newlines: int


def has_lone_return(data: bytes) -> bool:
    """Whether a return stands without a newline behind it (four times as fast as counting both in bytes)."""
    content = np.frombuffer(data + b" ", np.uint8)
    return bool((content[np.flatnonzero(content == RETURN) + 1] != NEWLINE).any())


def plain_records(data: bytes, delimiter: int) -> Plain:
    """The complete records at the start of the text, up to the first that is not by the book.

    `data` is UTF-8 without lone returns, `delimiter` the one byte that divides its cells.
    """
    content = np.frombuffer(data, np.uint8)
    quotes = np.flatnonzero(content == QUOTE)
    newlines = np.flatnonzero(content == NEWLINE)
    if len(quotes):
        wrong = _out_of_place(content, quotes, delimiter)
        if wrong < len(data):
            newlines = newlines[: np.searchsorted(newlines, wrong)]
        outside = np.flatnonzero(np.searchsorted(quotes, newlines) % 2 == 0)
    else:
        outside = np.arange(len(newlines))
    ends = newlines[outside]
    if not len(ends):
        return Plain(ends, ends, ends, 0, 0)
    starts = np.concatenate(([0], ends[:-1] + 1))
    lines = np.concatenate(([0], outside[:-1] + 1))
    filled = (ends > starts) & ~((ends == starts + 1) & (content[starts] == RETURN))
    return Plain(starts[filled], ends[filled], lines[filled], int(ends[-1]) + 1, int(outside[-1]) + 1)


def _out_of_place(content: npt.NDArray[np.uint8], quotes: Offsets, delimiter: int) -> int:
    """The place of the first quote that neither opens, nor doubles, nor closes; the end of the text where none is."""
    opening, closing = quotes[::2], quotes[1::2]
    before = content[opening - 1]
    fits = (before == delimiter) | (before == NEWLINE) | (before == QUOTE)
    if opening[0] == 0:
        fits[0] = True
    wrong = opening[~fits][:1].tolist()
    closing = closing[:-1] if len(closing) and closing[-1] == len(content) - 1 else closing
    after = content[closing + 1]
    fits = (after == delimiter) | (after == NEWLINE) | (after == QUOTE) | (after == RETURN)
    return int(min([*wrong, *closing[~fits][:1].tolist(), len(content)]))


def cells_of(data: bytes, header: list[str], delimiter: str) -> tuple[Any, list[int]]:
    """The cells of records by the book as a table, and the numbers of the records that are not as wide as it."""
    ragged: list[int] = []

    def skip(row: Any) -> str:
        ragged.append(row.number - 1)
        return "skip"

    table = pyarrow.csv.read_csv(
        pa.BufferReader(data),
        read_options=pyarrow.csv.ReadOptions(column_names=header, use_threads=False, block_size=len(data) + 1),
        parse_options=pyarrow.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True, invalid_row_handler=skip),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(header, pa.string()), strings_can_be_null=False, check_utf8=False
        ),
    )
    return table.combine_chunks(), ragged
