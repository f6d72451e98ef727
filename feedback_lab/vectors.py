"""Vectors of an embedding model, where one is installed: the optional third view of clustering.

A model is a folder on this machine, or a name that the library finds in its own cache or downloads: of
sentence-transformers, or of model2vec (a table of word vectors, hundreds of times faster). The libraries come with
`pip install "feedback-lab[embeddings]"` and are imported only here, and only when they are asked for.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from feedback_lab.errors import InputError

TEXTS_AT_A_TIME = 64
LONGEST_TEXT = 2_000


class _Model(Protocol):
    def encode(self, sentences: list[str], /, **options: Any) -> Any: ...


def embed_texts(model: str, texts: Sequence[str]) -> npt.NDArray[np.float32]:
    """One unit row per text by the embedding model `model` (a folder or a name); of long texts the beginning.

    Raises InputError where the library is not installed or the model cannot be loaded.
    """
    loaded = _loaded(model)
    short = [text[:LONGEST_TEXT] for text in texts]
    if not short:
        return np.zeros((0, 0), np.float32)
    vectors = np.asarray(loaded.encode(short, batch_size=TEXTS_AT_A_TIME, show_progress_bar=False), np.float32)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1), np.float32)


def _loaded(model: str) -> _Model:
    static = _is_static(model)
    library, kind = ("model2vec", "StaticModel") if static else ("sentence_transformers", "SentenceTransformer")
    try:
        found = getattr(importlib.import_module(library), kind)
    except ImportError as error:
        raise InputError(
            f"The embedding model {model!r} needs the library {library}: install it with "
            '`pip install "feedback-lab[embeddings]"`, or leave the setting embedding_model empty.'
        ) from error
    try:
        loaded: _Model = found.from_pretrained(model) if static else found(model, device="cpu")
    except Exception as error:  # each library has its own errors for a missing or broken model
        raise InputError(
            f"The embedding model {model!r} cannot be loaded ({type(error).__name__}): name a folder that holds one, "
            "or a model that the library can find."
        ) from error
    return loaded


def _is_static(model: str) -> bool:
    """Is this a model2vec model? Its folder says so in config.json; a name by the families that are published."""
    try:
        config = json.loads((Path(model) / "config.json").read_text("utf-8"))
    except (OSError, ValueError):
        return model.casefold().startswith(("minishlab/", "model2vec/"))
    return isinstance(config, dict) and config.get("model_type") == "model2vec"
