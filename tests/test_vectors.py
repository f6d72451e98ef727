import json
import sys
import types
from pathlib import Path

import numpy as np
import pytest

from feedback_lab.errors import InputError
from feedback_lab.vectors import embed_texts


class Fake:
    """Stands where an embedding library would: three numbers a text."""

    def __init__(self, name: str, **options: object) -> None:
        if name == "broken":
            raise OSError("no such model")

    @classmethod
    def from_pretrained(cls, name: str) -> "Fake":
        return cls(name)

    def encode(self, texts: list[str], **options: object) -> np.ndarray:
        return np.array([[len(text), 1, 0] if text else [0, 0, 0] for text in texts])


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, kind in (("sentence_transformers", "SentenceTransformer"), ("model2vec", "StaticModel")):
        module = types.ModuleType(name)
        setattr(module, kind, Fake)
        monkeypatch.setitem(sys.modules, name, module)


@pytest.mark.usefixtures("library")
def test_vectors_have_length_one_and_an_empty_text_none() -> None:
    vectors = embed_texts("some-model", ["a refund", ""])
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1).tolist() == pytest.approx([1, 0])
    assert embed_texts("some-model", []).shape[0] == 0


def test_a_missing_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(InputError, match=r"feedback-lab\[embeddings\]"):
        embed_texts("some-model", ["a"])


def test_a_folder_of_static_vectors_asks_for_their_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "model2vec"}))
    monkeypatch.setitem(sys.modules, "model2vec", None)
    with pytest.raises(InputError, match="library model2vec"):
        embed_texts(str(tmp_path), ["a"])


@pytest.mark.usefixtures("library")
def test_a_model_that_cannot_be_loaded_is_named() -> None:
    with pytest.raises(InputError, match="'broken' cannot be loaded"):
        embed_texts("broken", ["a"])
