"""Vectors of comments: computed once for each text and embedding model, and kept in the store.

Which model the issues were grouped with stands in the state of their own model, so that new comments meet vectors of
the same kind, whatever the settings say by then.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, text

from feedback_lab import schema
from feedback_lab.errors import InputError
from feedback_lab.store import Store, insert_rows
from feedback_lab.vectors import EmbeddingModel, Floats, find_model

COMMENT = "comment"
EMBEDDED_AT_ONCE = 256  # texts; then they are written, which outlives a cancel
READ_AT_ONCE = 50_000

KNOWN_SQL = """
    SELECT id, vector FROM embedding WHERE kind = :kind AND model_version = :version
    AND id IN (SELECT unnest(CAST(:ids AS VARCHAR[])))
"""
GONE_SQL = """
    DELETE FROM embedding WHERE kind = :kind AND (model_version <> :version
    OR id NOT IN (SELECT md5(comment) FROM feedback WHERE comment IS NOT NULL))
"""

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, eq=False)
class TextVectors:
    """Unit vectors of texts, one row each, read by row numbers or a slice as from an array.

    Kept in half precision, and once for equal texts: those of a million comments fit in memory beside the grouping.
    """

    matrix: npt.NDArray[np.float16]
    row_of: npt.NDArray[np.int64]

    def __getitem__(self, rows: slice | npt.NDArray[np.int64] | Sequence[int]) -> Floats:
        return self.matrix[self.row_of[rows]].astype(np.float32)

    def take(self, rows: Sequence[int]) -> TextVectors:
        """The vectors of the texts in `rows`."""
        return TextVectors(self.matrix, self.row_of[np.array(rows, np.int64)])


def noted(model: EmbeddingModel | None) -> dict[str, str]:
    """What the state of an issues' model says of the embedding model that it learned with; nothing of words alone."""
    return {"embedding_model": model.name, "embedding_version": model.version} if model else {}


def alike(state: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether both learned with vectors of the same kind, or both from words alone."""
    return state.get("embedding_version") == other.get("embedding_version")


def vectors_of(
    store: Store, texts: Sequence[str], model: EmbeddingModel, progress: Progress | None = None
) -> TextVectors:
    """The vectors of `texts`; what the store lacks is computed and kept.

    `progress(done, total)` counts the distinct texts that were lacking, and may raise to cancel. Raises InputError
    where the model cannot be used.
    """
    _keep_missing(store, texts, model.version, lambda: model, progress or (lambda done, total: None))
    return _stored(store, texts, model.version)


def learned_with(store: Store, state: Mapping[str, Any], texts: Sequence[str]) -> TextVectors | None:
    """The vectors of `texts` for the issues' model with this `state`; None where it learned from words alone,
    or there are no texts.

    Raises InputError where some have to be computed and the embedding model is not to be had as it was.
    """
    if not texts or not state.get("embedding_version"):
        return None
    catch_up(store, state, texts)
    return _stored(store, texts, state["embedding_version"])


def catch_up(
    store: Store, state: Mapping[str, Any], texts: Sequence[str], patience_s: float = float("inf")
) -> list[bool]:
    """Compute the vectors of `texts` that the issues' model needs, for about so long; which texts have theirs then.

    Raises InputError as `learned_with` does.
    """
    version = state.get("embedding_version")
    if not version:
        return [True] * len(texts)
    begun = time.monotonic()

    def look(done: int, total: int) -> None:
        if done and time.monotonic() - begun > patience_s:
            raise _LongEnoughError

    try:
        _keep_missing(store, texts, version, lambda: _as_it_was(state), look)
    except _LongEnoughError:
        missing = _missing(store, texts, version)
        return [_key(one) not in missing for one in texts]
    return [True] * len(texts)


def forget_others(connection: Connection, version: str | None) -> None:
    """Delete what the embedding model `version` does not need: vectors of others, and of texts that are gone."""
    if connection.execute(text("SELECT 1 FROM embedding LIMIT 1")).first():
        connection.execute(text(GONE_SQL), {"kind": COMMENT, "version": version or ""})


class _LongEnoughError(Exception):
    """The time that somebody wanted to wait is over."""


def _as_it_was(state: Mapping[str, Any]) -> EmbeddingModel:
    model = find_model(state["embedding_model"])
    if model.version != state["embedding_version"]:
        raise InputError(
            f"The embedding model {model.name} was changed after the issues were grouped with it: refresh the issues."
        )
    return model


def _keep_missing(
    store: Store, texts: Sequence[str], version: str, model: Callable[[], EmbeddingModel], progress: Progress
) -> None:
    missing = _missing(store, texts, version)
    ids = sorted(missing, key=lambda one: (len(missing[one]), one))  # a model is fastest with texts alike in length
    for start in range(0, len(ids), EMBEDDED_AT_ONCE):
        progress(start, len(ids))
        some = ids[start : start + EMBEDDED_AT_ONCE]
        vectors = model().embed([missing[one] for one in some]).astype(np.float16)
        rows = [
            {"kind": COMMENT, "id": one, "model_version": version, "vector": vector.tobytes()}
            for one, vector in zip(some, vectors, strict=True)
        ]
        store.write(partial(insert_rows, table=schema.embedding, rows=rows))


def _missing(store: Store, texts: Sequence[str], version: str) -> dict[str, str]:
    """The texts without a vector, by their ids."""
    found = {_key(one): one for one in texts}
    for ids, _ in _known(store, list(found), version):
        for one in ids:
            found.pop(one, None)
    return found


def _stored(store: Store, texts: Sequence[str], version: str) -> TextVectors:
    row_of: dict[str, int] = {}
    rows = np.array([row_of.setdefault(_key(one), len(row_of)) for one in texts], np.int64)
    matrix = np.zeros((0, 0), np.float16)
    for ids, vectors in _known(store, list(row_of), version):
        if not matrix.size:
            matrix = np.zeros((len(row_of), vectors.shape[1]), np.float16)
        matrix[[row_of[one] for one in ids]] = vectors
    return TextVectors(matrix, rows)


def _known(store: Store, ids: Sequence[str], version: str) -> Iterator[tuple[list[str], npt.NDArray[np.float16]]]:
    """Those of `ids` that have a vector, and the vectors, part by part."""
    for start in range(0, len(ids), READ_AT_ONCE):
        with store.read() as connection:
            some = list(ids[start : start + READ_AT_ONCE])
            found = connection.execute(text(KNOWN_SQL), {"kind": COMMENT, "version": version, "ids": some}).fetchall()
        if found:
            vectors = np.frombuffer(b"".join(row[1] for row in found), np.float16)
            yield [row[0] for row in found], vectors.reshape(len(found), -1)


def _key(comment: str) -> str:
    return hashlib.md5(comment.encode(), usedforsecurity=False).hexdigest()  # as the engine's md5()
