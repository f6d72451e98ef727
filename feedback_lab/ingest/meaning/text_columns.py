"""Cells of many rows at once: texts as Arrow columns, with the white space rules of Python's own `str`.

What can be decided for a whole column is decided there; only the few cells whose first or last byte might be white
space are looked at one by one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from feedback_lab.ingest.reading.batches import UNSTORABLE

Flags = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.int64]

# First and last bytes of the UTF-8 of every character that str.isspace() calls white space.
_SPACES = [chr(code) for code in range(0x3001) if chr(code).isspace()]
_MAY_START = np.isin(np.arange(256), [space.encode()[0] for space in _SPACES])
_MAY_END = np.isin(np.arange(256), [space.encode()[-1] for space in _SPACES])


class TextColumn(Sequence[str]):
    """An Arrow column of texts that reads like a list."""

    __slots__ = ("array",)

    def __init__(self, array: Any) -> None:
        self.array = array

    def __len__(self) -> int:
        return len(self.array)

    def __getitem__(self, place: Any) -> Any:
        found = self.array[place]
        return found.to_pylist() if isinstance(place, slice) else found.as_py()

    def __iter__(self) -> Iterator[str]:
        return iter(self.array.to_pylist())


def text_of(value: Any) -> str:
    """A cell as text: what JSON gives as number, truth or structure reads as it stood in the file."""
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def texts(cells: Sequence[Any]) -> Any:
    """The cells of a column as an Arrow array of texts."""
    if isinstance(cells, TextColumn):
        return cells.array
    words = [cell if type(cell) is str else text_of(cell) for cell in cells]
    try:
        return pa.array(words, pa.string())
    except UnicodeEncodeError:
        return pa.array([UNSTORABLE.sub("\ufffd", word) for word in words], pa.string())


def given(array: Any) -> Any:
    """The texts with null for what is empty or only white space."""
    starts, ends, data = _parts(array)
    blank = starts == ends
    if blank.any():
        filled = np.flatnonzero(~blank)
        suspects = filled[_MAY_START[data[starts[filled]]]]
    else:
        suspects = np.flatnonzero(_MAY_START[data[starts]])
    blank[suspects] = [text.isspace() for text in array.take(pa.array(suspects)).to_pylist()]
    return nulled(array, blank)


def stripped(array: Any) -> Any:
    """The texts without white space around them."""
    starts, ends, data = _parts(array)
    filled = np.flatnonzero(starts != ends)
    suspect = _MAY_START[data[starts[filled]]] | _MAY_END[data[ends[filled] - 1]]
    places = filled[suspect]
    if not len(places):
        return array
    found = [text.strip() for text in array.take(pa.array(places)).to_pylist()]
    mask = np.zeros(len(array), np.bool_)
    mask[places] = True
    return pc.replace_with_mask(array, pa.array(mask), pa.array(found, pa.string()))


def translated(array: Any, read: Callable[[str], str]) -> Any:
    """Every text replaced by what `read` makes of it, which is asked once for each different text."""
    codes = array.dictionary_encode()
    return pa.array([read(text) for text in codes.dictionary.to_pylist()], pa.string()).take(codes.indices)


def nulled(array: Any, mask: Flags) -> Any:
    """The array with null where the mask says so."""
    return pc.if_else(pa.array(mask), pa.scalar(None, array.type), array) if mask.any() else array


def flags(array: Any) -> Flags:
    """Arrow's truths as numpy's; null is false."""
    found = pc.fill_null(array, False) if array.null_count else array
    return np.asarray(found.to_numpy(zero_copy_only=False), np.bool_)


def is_given(array: Any) -> Flags:
    """Where the array is not null."""
    return np.ones(len(array), np.bool_) if not array.null_count else flags(pc.is_valid(array))


def distinct(arrays: Sequence[Any]) -> tuple[Numbers, list[tuple[Any, ...]]]:
    """For each row the number of its combination of values, and the combinations."""
    codes = np.zeros(len(arrays[0]), np.int64)
    for array in arrays:
        encoded = array.dictionary_encode(null_encoding="encode")
        own = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
        # Renumbered after every column, so that the product stays below rows times different values.
        codes = np.unique(codes * max(len(encoded.dictionary), 1) + own, return_inverse=True)[1]
    first = pa.array(np.unique(codes, return_index=True)[1])
    return codes, list(zip(*(array.take(first).to_pylist() for array in arrays), strict=True))


def _parts(array: Any) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.uint8]]:
    """Where each text starts and ends in the column's bytes, and those bytes; a null has no length."""
    _, offsets, content = array.buffers()
    if offsets is None:
        offsets = np.zeros(array.offset + len(array) + 1, np.int32)
    edges = np.frombuffer(offsets, np.int32)[array.offset : array.offset + len(array) + 1]
    data = np.frombuffer(content, np.uint8) if content is not None else np.zeros(0, np.uint8)
    starts, ends = edges[:-1], edges[1:]
    if array.null_count:
        nulls = flags(pc.is_null(array))
        starts = starts.copy()
        starts[nulls] = ends[nulls]
    return starts, ends, data
