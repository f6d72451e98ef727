"""Vectors of an embedding model, where one is set: the optional third view of clustering.

A model is a folder on this machine, or a name that its library finds in its own cache or downloads: of
sentence-transformers, or of model2vec (a table of word vectors, hundreds of times faster). Libraries are imported
only here, and only when the first text is embedded: model2vec comes with `pip install "feedback-lab[embeddings]"`,
sentence-transformers (with torch) by its own name.
"""

from __future__ import annotations

import hashlib
import importlib
import json
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from feedback_lab.errors import InputError

TEXTS_AT_A_TIME = 64
LONGEST_TEXT = 2_000
STATIC, TRANSFORMER = ("model2vec", "StaticModel"), ("sentence_transformers", "SentenceTransformer")
HOW_TO_INSTALL = {"model2vec": 'pip install "feedback-lab[embeddings]"'}
STATIC_FAMILIES = ("minishlab/", "model2vec/")

Floats = npt.NDArray[np.float32]


class _Encoder(Protocol):
    def encode(self, sentences: list[str], /, **options: Any) -> Any: ...


class EmbeddingModel:
    """An embedding model under the name that it was asked for.

    `version` tells vectors of one model from those of another: a folder is known by its content, wherever it lies; a
    name is taken to mean the same model for ever.
    """

    def __init__(self, name: str, version: str) -> None:
        self.name, self.version = name, version
        self._encoder: _Encoder | None = None

    def embed(self, texts: Sequence[str]) -> Floats:
        """One unit row per text (of zeros where the model knows none of it); of long texts the beginning.

        Raises InputError where the library is not installed or the model cannot be loaded.
        """
        if not texts:
            return np.zeros((0, 0), np.float32)
        self._encoder = encoder = self._encoder or _encoder(self.name)
        short = [text[:LONGEST_TEXT] for text in texts]
        vectors = np.asarray(encoder.encode(short, batch_size=TEXTS_AT_A_TIME, show_progress_bar=False), np.float32)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.asarray(vectors / np.where(lengths > 0, lengths, 1), np.float32)


def find_model(name: str) -> EmbeddingModel:
    """The embedding model in the folder `name`, else of that name; loaded when it first embeds, and kept for the next.

    Raises InputError where the folder is not there or cannot be read.
    """
    folder = Path(name)
    if not folder.is_dir():
        if folder.is_absolute():
            raise InputError(f"The embedding model's folder {name} is not there: correct the setting embedding_model.")
        return _kept(name, ())
    try:
        return _kept(name, tuple(_stamp(path) for path in _files(folder)))
    except OSError as error:
        raise InputError(f"The embedding model {name} cannot be read ({error.strerror}): make it readable.") from None


@lru_cache(maxsize=2)
def _kept(name: str, files: tuple[tuple[str, int, int], ...]) -> EmbeddingModel:
    """One model as long as size and time of its `files` stay the same; there are none where it is known by name."""
    if not files:
        return EmbeddingModel(name, name)
    digest = hashlib.sha256()
    for path in _files(Path(name)):
        with path.open("rb") as handle:
            content = hashlib.file_digest(handle, "sha256").hexdigest()
        digest.update(f"{path.relative_to(name).as_posix()}\0{content}\n".encode())
    return EmbeddingModel(name, f"sha256:{digest.hexdigest()[:32]}")


def _stamp(path: Path) -> tuple[str, int, int]:
    found = path.stat()
    return str(path), found.st_size, found.st_mtime_ns


def _files(folder: Path) -> Iterator[Path]:
    """What makes up a model: everything but its description and hidden files."""
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.is_file() and not hidden and path.suffix != ".md":
            yield path


def _encoder(name: str) -> _Encoder:
    static = _is_static(name)
    library, kind = STATIC if static else TRANSFORMER
    try:
        found = getattr(importlib.import_module(library), kind)
    except ImportError as error:
        raise InputError(
            f"The embedding model {name} needs the library {library}: install it with "
            f"`{HOW_TO_INSTALL.get(library, 'pip install sentence-transformers')}`, or leave the setting "
            "embedding_model empty."
        ) from error
    try:
        loaded: _Encoder = found.from_pretrained(name) if static else found(name, device="cpu")
    except Exception as error:  # each library has its own errors for a missing or broken model
        raise InputError(
            f"The embedding model {name} cannot be loaded ({type(error).__name__}): set embedding_model to a folder "
            "that holds one, or to a name that the library can find."
        ) from error
    return loaded


def _is_static(name: str) -> bool:
    """Is this a model2vec model? Its folder says so in one of two files; a name by the families that are published."""
    folder = Path(name)
    if not folder.is_dir():
        return name.casefold().startswith(STATIC_FAMILIES)
    kinds = [one.get("type") for one in _objects(folder / "modules.json")]
    return kinds[:1] == ["sentence_transformers.models.StaticEmbedding"] or any(
        one.get("model_type") == "model2vec" for one in _objects(folder / "config.json")
    )


def _objects(path: Path) -> list[dict[str, Any]]:
    """The JSON object in a file, or those of its list; none where it holds anything else."""
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return []
    return [one for one in (found if isinstance(found, list) else [found]) if isinstance(one, dict)]
