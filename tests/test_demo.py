"""The home of the sample world: made once, opened as it is, and never made over what belongs to somebody."""

from pathlib import Path

import pytest

from feedback_lab import demo
from feedback_lab.errors import DiskError, LabError
from feedback_lab.sample import World
from feedback_lab.store import DATABASE_NAME, open_store
from tests.builders import MONDAY, interaction, thumb
from tests.embedding_builders import static_model


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home for the sample world, which is a database without rows here."""

    def fill(home: Path) -> demo.Made:
        open_store(home).close()
        return demo.Made(0, 0)

    monkeypatch.setattr(demo, "_fill", fill)
    return tmp_path / "demo"


def test_a_second_demo_opens_the_world_as_it_is(world: Path) -> None:
    assert demo.prepare(world) is not None
    (world / "knowledge.jsonl").write_text("decided\n", "utf-8")

    assert demo.prepare(world) is None
    assert (world / "knowledge.jsonl").read_text("utf-8") == "decided\n"


def test_a_fresh_demo_leaves_nothing_of_the_old_one(world: Path) -> None:
    demo.prepare(world)
    (world / "knowledge.jsonl").write_text("decided\n", "utf-8")
    demo.prepare(world, fresh=True)

    assert not (world / "knowledge.jsonl").exists()
    assert (world / DATABASE_NAME).is_file()


@pytest.mark.parametrize("fresh", [False, True])
def test_a_folder_of_somebodys_own_is_never_touched(world: Path, fresh: bool) -> None:
    world.mkdir()
    (world / "thesis.txt").write_text("years of work", "utf-8")

    with pytest.raises(LabError, match="choose another home"):
        demo.prepare(world, fresh=fresh)
    assert [path.name for path in world.iterdir()] == ["thesis.txt"]


def test_a_world_that_was_cut_off_while_made_anew_is_made_anew(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(_: Path) -> demo.Made:
        raise KeyboardInterrupt

    demo.prepare(world)
    with monkeypatch.context() as patch:
        patch.setattr(demo, "_fill", killed)
        with pytest.raises(KeyboardInterrupt):
            demo.prepare(world, fresh=True)

    assert demo.prepare(world) is not None
    assert (world / DATABASE_NAME).is_file()


def test_a_home_that_cannot_be_made_is_said(tmp_path: Path, world: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(DiskError, match="cannot be written"):
        demo.prepare(tmp_path / "file" / "demo")
    world.touch()
    with pytest.raises(DiskError, match="cannot be written"):
        demo.prepare(world)


def test_the_sample_world_is_grouped_by_the_embedding_model_of_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = str(static_model(tmp_path / "model"))
    log = [interaction(f"i{number}", created_at=MONDAY) for number in range(6)]
    votes = [thumb(f"f{number}", False, on=f"i{number}", comment=f"card lost {number}") for number in range(6)]
    planted = World(log, votes, [], [], [], None)  # type: ignore[arg-type]
    monkeypatch.setattr(demo, "make_world", lambda last_day: planted)
    monkeypatch.setenv("FEEDBACK_LAB_EMBEDDING_MODEL", model)
    demo.prepare(tmp_path / "demo")

    store = open_store(tmp_path / "demo")
    assert store.scalar("SELECT state FROM issue_model")["embedding_model"] == model
    store.close()
