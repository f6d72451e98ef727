import sys
from pathlib import Path

import numpy as np
import pytest

from feedback_lab.errors import InputError
from feedback_lab.settings import Settings
from feedback_lab.vectors import find_model
from tests.embedding_builders import DIMENSIONS, static_model


def test_words_of_one_meaning_get_vectors_that_lie_together(tmp_path: Path) -> None:
    vectors = find_model(str(static_model(tmp_path / "m"))).embed(["my visa", "PLASTIC!", "a passcode", "", "zzz"])

    assert vectors.dtype == np.float32
    assert vectors.shape == (5, DIMENSIONS)
    assert np.linalg.norm(vectors, axis=1).tolist() == pytest.approx([1, 1, 1, 0, 0], abs=1e-6)
    assert vectors[0] @ vectors[1] > 0.8 > vectors[0] @ vectors[2]


def test_no_text_needs_no_model(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    assert find_model(str(tmp_path / "m")).embed([]).shape[0] == 0


def test_a_folder_is_known_by_its_content_wherever_it_lies(tmp_path: Path) -> None:
    here, there = static_model(tmp_path / "here"), static_model(tmp_path / "there")
    version = find_model(str(here)).version
    assert find_model(str(there)).version == version

    (there / "README.md").write_text("What this is.")
    assert find_model(str(there)).version == version
    static_model(there, seed=1)
    assert find_model(str(there)).version != version


def test_a_loaded_model_is_kept_for_the_next_time(tmp_path: Path) -> None:
    folder = static_model(tmp_path / "m")
    find_model(str(folder)).embed(["card"])
    assert find_model(str(folder)) is find_model(str(folder))


@pytest.mark.parametrize(
    ("static", "library", "advice"),
    [(True, "model2vec", r"feedback-lab\[embeddings\]"), (False, "sentence_transformers", "sentence-transformers`")],
)
def test_a_missing_library_says_what_to_install(
    static: bool, library: str, advice: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    folder = static_model(tmp_path / "m")
    if not static:
        (folder / "modules.json").write_text('[{"idx": 0, "type": "sentence_transformers.models.Transformer"}]')
    with pytest.raises(InputError, match=f"needs the library {library}.*{advice}"):
        find_model(str(folder)).embed(["a"])


def test_published_static_models_are_known_by_their_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "model2vec", None)
    with pytest.raises(InputError, match="library model2vec"):
        find_model("minishlab/potion-base-8M").embed(["a"])


def test_a_published_static_model_says_what_it_is_in_its_config(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "model2vec"}')
    monkeypatch.setitem(sys.modules, "model2vec", None)
    with pytest.raises(InputError, match="library model2vec"):
        find_model(str(tmp_path)).embed(["a"])


def test_a_model_that_cannot_be_loaded_is_named(tmp_path: Path) -> None:
    folder = static_model(tmp_path / "m")
    (folder / "model.safetensors").write_bytes(b"cut off")
    with pytest.raises(InputError, match=f"{folder} cannot be loaded"):
        find_model(str(folder)).embed(["a"])


def test_a_folder_that_is_not_there_is_named_before_anything_is_loaded(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"{tmp_path / 'nothing'} is not there: correct the setting"):
        find_model(str(tmp_path / "nothing"))


def test_the_setting_names_a_folder_from_home_or_from_here_or_a_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for folder in ("home/models/a", "models/b"):
        (tmp_path / folder).mkdir(parents=True)

    def asked(given: str) -> str:
        return Settings(home=tmp_path / "home", embedding_model=given).embedding

    assert asked("models/a") == str(tmp_path / "home" / "models" / "a")
    assert asked("models/b") == str(tmp_path / "models" / "b")
    assert asked("~/models/b") == str(tmp_path / "models" / "b")
    assert asked("~/nothing") == str(tmp_path / "nothing")
    assert asked("minishlab/potion-base-8M") == "minishlab/potion-base-8M"
    assert asked(" ") == ""
