"""Issues with an embedding model: what is meant alike comes together, vectors are kept, and nothing is mixed."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from feedback_lab import cli, migrations
from feedback_lab.errors import InputError
from feedback_lab.issues import acts, comment_vectors, refreshing, tracking
from feedback_lab.jobs import JOBS
from feedback_lab.serving import Lab
from feedback_lab.store import Store, open_store
from feedback_lab.vectors import find_model
from tests.builders import MONDAY, interaction, put, thumb
from tests.embedding_builders import MEANINGS, static_model
from tests.issue_builders import WHO, complain
from tests.page_builders import page, press, words_of

EACH = 70  # complaints of a kind: below some 200 in all, words alone make the issues
ALL = 3 * EACH


@pytest.fixture
def model(tmp_path: Path) -> str:
    return str(static_model(tmp_path / "model"))


def say(store: Store, kind: str, count: int, start: int = 0) -> list[str]:
    """`count` people complain about the same thing in five words for it; their feedback ids."""
    words = MEANINGS[kind].split()[:5]
    names, records = [f"f-{kind}-{number}" for number in range(start, start + count)], []
    for number, name in enumerate(names, start):
        comment = f"trouble with {words[number % len(words)]} number {number} {WHO[number % len(WHO)]}"
        records += [
            interaction(f"i-{name}", created_at=MONDAY),
            thumb(name, False, on=f"i-{name}", comment=comment, created_at=MONDAY, rater_hash=f"u-{name}"),
        ]
    put(store, records)
    return names


def fill(store: Store) -> None:
    for kind in ("card", "rate", "login"):
        say(store, kind, EACH)


def kinds(store: Store) -> list[list[str]]:
    """The kinds of the complaints in each issue, the most frequent issue first."""
    rows = store.rows("SELECT issue_id, feedback_id FROM issue_member WHERE issue_id IS NOT NULL ORDER BY feedback_id")
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(row["issue_id"], []).append(row["feedback_id"].split("-")[1])
    return [found[one.issue_id] for one in tracking.listing(store).issues]


def kept(store: Store) -> int:
    return int(store.scalar("SELECT count(*) FROM embedding"))


def heard(store: Store, model: str, **more: bool) -> list[str]:
    """What a refresh tells while it goes."""
    told: list[str] = []
    refreshing.refresh(store, embedding_model=model, progress=lambda done, total, words: told.append(words), **more)
    return [words for words in told if words.startswith("Vectors")]


def test_what_is_meant_alike_is_one_issue_whatever_the_words(store: Store, model: str) -> None:
    fill(store)
    refreshing.refresh(store)
    assert max(len(set(one)) for one in kinds(store)) == 3
    plan = refreshing.refresh(store, embedding_model=model, cold=True)

    assert [len(set(one)) for one in kinds(store)] == [1] * len(kinds(store))
    assert sum(map(len, kinds(store))) == ALL
    assert (plan.embedding_model, plan.cold, plan.other_model) == (model, True, True)


def test_each_text_is_embedded_once_and_later_only_what_is_new(store: Store, model: str) -> None:
    fill(store)
    again = store.scalar("SELECT comment FROM feedback WHERE feedback_id = 'f-card-0'")
    put(store, [thumb("f-again", False, on="i-f-card-0", comment=again, rater_hash="u-again")])
    assert heard(store, model) == [f"Vectors: 0 of {ALL} different comments"]
    assert kept(store) == ALL
    say(store, "card", 3, start=EACH)

    assert heard(store, model) == ["Vectors: 0 of 3 different comments"]
    assert heard(store, model, cold=True) == []
    assert kept(store) == ALL + 3


def test_a_refresh_of_an_empty_store_spoils_no_later_one(store: Store, model: str) -> None:
    tracking.refresh(store, embedding_model=model)
    for kind in ("card", "rate", "login"):
        complain(store, kind, 30)
    tracking.assign_new(store)

    tracking.refresh(store, embedding_model=model)

    assert [one.frequency for one in tracking.listing(store).issues] == [30, 30, 30]


def test_kept_vectors_are_those_of_the_model_to_half_precision(store: Store, model: str) -> None:
    texts = ["the visa today", "a pin", "the visa today", "unknown"]
    embedding = find_model(model)
    found = comment_vectors.vectors_of(store, texts, embedding)

    assert found[:].dtype == np.float32
    assert np.abs(found[:] - embedding.embed(texts)).max() < 1e-3
    assert np.array_equal(found.take([3, 1])[:], found[np.array([3, 1])])
    assert np.array_equal(comment_vectors.vectors_of(store, texts[1:], embedding)[:], found[1:])


def test_a_stopped_refresh_keeps_the_vectors_that_it_has(
    store: Store, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comment_vectors, "EMBEDDED_AT_ONCE", 16)
    fill(store)

    def stop(done: int, total: int, words: str) -> None:
        if words.startswith("Vectors: 32"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        refreshing.refresh(store, embedding_model=model, progress=stop)
    assert (kept(store), store.scalar("SELECT count(*) FROM issue")) == (32, 0)
    assert heard(store, model)[0] == f"Vectors: 0 of {ALL - 32} different comments"


def test_a_new_comment_finds_its_issue_by_its_meaning(store: Store, model: str) -> None:
    fill(store)
    refreshing.refresh(store, embedding_model=model)
    said = "AMEX, amex, AMEX"  # a word that nobody used before
    put(store, [interaction("i-x"), thumb("f-card-x", False, on="i-x", comment=said, rater_hash="u-x")])

    assert tracking.assign_new(store) == 1
    assert ["card"] * (EACH + 1) in kinds(store)
    assert kept(store) == ALL + 1


def test_without_the_setting_no_vector_is_made_and_no_library_imported(home: Path) -> None:
    code = """
import sys
from pathlib import Path
from feedback_lab.issues import tracking
from feedback_lab.store import open_store
from tests.test_issue_vectors import fill
sys.modules["model2vec"] = sys.modules["sentence_transformers"] = None
store = open_store(Path(sys.argv[1]))
fill(store)
tracking.refresh(store)
print(store.scalar("SELECT count(*) FROM issue_member"), store.scalar("SELECT count(*) FROM embedding"))
"""
    root = Path(__file__).resolve().parents[1]
    ran = subprocess.run([sys.executable, "-c", code, str(home)], cwd=root, capture_output=True, text=True, check=True)
    assert ran.stdout.split() == [str(ALL), "0"]


def test_another_model_is_a_change_that_the_next_refresh_takes_in(store: Store, model: str, tmp_path: Path) -> None:
    fill(store)
    refreshing.refresh(store)
    assert refreshing.plan_refresh(store).unchanged
    plan = refreshing.refresh(store, embedding_model=model)
    assert (plan.unchanged, plan.other_model, plan.cold) == (False, True, False)
    assert refreshing.plan_refresh(store, embedding_model=model).unchanged

    other = str(static_model(tmp_path / "other", seed=1))
    assert refreshing.refresh(store, embedding_model=other).other_model
    versions = store.rows("SELECT DISTINCT model_version FROM embedding")
    assert versions == [{"model_version": find_model(other).version}]
    assert refreshing.refresh(store).other_model
    assert kept(store) == 0


def test_vectors_of_comments_that_are_gone_are_gone_with_the_next_refresh(store: Store, model: str) -> None:
    fill(store)
    refreshing.refresh(store, embedding_model=model)
    store.write(lambda connection: connection.exec_driver_sql("DELETE FROM feedback WHERE feedback_id = 'f-card-0'"))
    refreshing.refresh(store, embedding_model=model)

    assert kept(store) == ALL - 1


def test_new_comments_wait_while_the_model_is_away_and_are_not_put_in_by_words_alone(
    store: Store, model: str, tmp_path: Path
) -> None:
    fill(store)
    refreshing.refresh(store, embedding_model=model)
    Path(model).rename(tmp_path / "away")
    say(store, "card", 2, start=EACH)

    assert tracking.assign_new(store) == tracking.assign_new(store) == 0
    found = tracking.listing(store)
    assert (found.total_comments, found.assigned) == (ALL + 2, ALL)
    assert found.held_up is not None
    assert found.held_up.startswith("2 new comments wait to be put into issues. The embedding model's folder")
    assert "is not there" in found.held_up

    (tmp_path / "away").rename(model)
    assert tracking.assign_new(store) == 2
    assert tracking.listing(store).held_up is None


def test_a_refresh_without_the_model_takes_waiting_comments_in_by_their_words(store: Store, model: str) -> None:
    fill(store)
    refreshing.refresh(store, embedding_model=model)
    (Path(model) / "tokenizer.json").unlink()
    say(store, "card", 2, start=EACH)
    tracking.assign_new(store)
    assert "was changed after the issues were grouped" in str(tracking.listing(store).held_up)

    refreshing.refresh(store)
    found = tracking.listing(store)
    assert (found.held_up, found.total_comments) == (None, ALL + 2)
    assert tracking.assign_new(store) == 0


def test_looks_take_in_many_new_comments_part_by_part(
    store: Store, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(store)
    refreshing.refresh(store, embedding_model=model)
    monkeypatch.setattr(comment_vectors, "EMBEDDED_AT_ONCE", 4)
    monkeypatch.setattr("feedback_lab.issues.arriving.PATIENCE_S", 0.0)
    say(store, "card", 10, start=EACH)

    assert tracking.assign_new(store) == 4
    assert str(tracking.listing(store).held_up).startswith("6 new comments wait for their vectors")
    assert [tracking.assign_new(store) for _ in range(3)] == [4, 2, 0]
    assert tracking.listing(store).held_up is None


def test_what_is_new_by_its_meaning_is_proposed_and_can_be_dismissed(store: Store, model: str) -> None:
    fill(store)
    refreshing.refresh(store, embedding_model=model)
    say(store, "voice", 20)
    tracking.assign_new(store)

    [proposed] = [one for one in tracking.listing(store).issues if one.proposed]
    assert ["voice"] * 20 in kinds(store)
    acts.dismiss(store, proposed.issue_id, "ada")
    assert not any(one.proposed for one in tracking.listing(store).issues)


def test_a_model_that_cannot_be_used_is_told_before_anything_changes(
    store: Store, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(store)
    monkeypatch.setitem(sys.modules, "model2vec", None)
    with pytest.raises(InputError, match="needs the library model2vec"):
        refreshing.refresh(store, embedding_model=model)
    with pytest.raises(InputError, match="is not there"):
        refreshing.refresh(store, embedding_model=f"{model}-gone")
    assert store.scalar("SELECT count(*) FROM issue") == 0


def test_an_older_database_gets_its_place_for_vectors(home: Path, model: str) -> None:
    open_store(home, steps=migrations.MIGRATIONS[:-1]).close()
    store = open_store(home)
    fill(store)
    refreshing.refresh(store, embedding_model=model)
    assert kept(store) == ALL
    store.close()


def ask(home: Path, capfd: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    assert cli.run(["--home", str(home), *arguments]) == code
    said = capfd.readouterr()
    return said.err if code else said.out


def checked(home: Path, capfd: pytest.CaptureFixture[str]) -> tuple[bool, str]:
    """What `doctor` says of the embedding model."""
    [found] = [
        one for one in json.loads(ask(home, capfd, "doctor", "--json"))["checks"] if one["name"] == "embedding model"
    ]
    return found["ok"], found["found"]


def test_the_command_line_says_which_model_compared(
    home: Path, model: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(home)
    fill(store)
    store.close()
    assert json.loads(ask(home, capfd, "issues", "refresh", "--json"))["changes"]["embedding_model"] is None
    (home / "feedback_lab.toml").write_text(f'embedding_model = "{model}"\n')
    plan = json.loads(ask(home, capfd, "issues", "refresh", "--dry-run", "--json"))
    assert (plan["embedding_model"], plan["other_model"]) == (model, True)
    assert f"words and vectors of {model}" in ask(home, capfd, "issues", "refresh")
    assert checked(home, capfd) == (True, f"{model} is ready; issues grouped with {model}")

    monkeypatch.setenv("FEEDBACK_LAB_EMBEDDING_MODEL", f"{model}-gone")
    assert "is not there: correct the setting embedding_model" in ask(home, capfd, "issues", "refresh", code=1)
    assert checked(home, capfd)[0] is False
    monkeypatch.setenv("FEEDBACK_LAB_EMBEDDING_MODEL", "")
    assert checked(home, capfd) == (True, f"none set; issues grouped with {model}")


def test_the_list_on_the_command_line_says_what_waits(
    home: Path, model: str, capfd: pytest.CaptureFixture[str]
) -> None:
    store = open_store(home)
    fill(store)
    refreshing.refresh(store, embedding_model=model)
    say(store, "card", 2, start=EACH)
    store.close()
    Path(model).rename(f"{model}-away")

    assert "2 new comments wait" in json.loads(ask(home, capfd, "issues", "list", "--json"))["held_up"]
    assert "2 new comments wait" in ask(home, capfd, "issues", "list")


def settled(app: AppTest) -> AppTest:
    """The page after its job has ended."""
    for job in JOBS.listing():
        assert job.wait(60)
    return app.run()


def test_the_page_says_which_model_compared_and_what_waits(
    home: Path, model: str, request: pytest.FixtureRequest
) -> None:
    home.mkdir()
    (home / "feedback_lab.toml").write_text(f'embedding_model = "{model}"\n')
    lab: Lab = request.getfixturevalue("lab")
    fill(lab.store)
    refreshing.refresh(lab.store)
    app = page("issues", reviewer="Ana")
    app = settled(press(app, "Take in what came since"))
    assert f"Compared by words and by the vectors of {model}." in words_of(app)
    assert "Grouping everything from nothing makes new ones." in words_of(app)
    app = press(app, "Apply")
    assert kept(lab.store) == ALL

    Path(model).rename(f"{model}-away")
    say(lab.store, "card", 2, start=EACH)
    app = app.run()
    assert "2 new comments wait to be put into issues." in words_of(app)
    app = settled(press(app, "Take in what came since"))
    assert "is not there: correct the setting embedding_model" in words_of(app)
