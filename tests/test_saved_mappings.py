"""A mapping is made once: saved under a name, used again for the same columns, by the command line too."""

from collections.abc import Callable
from pathlib import Path

import pytest

from feedback_lab import cli
from feedback_lab.errors import InputError
from feedback_lab.ingest.planning import saved_mappings
from feedback_lab.ingest.planning.plan import Plan
from feedback_lab.store import Store
from tests.command_line import Ask, Refuse

FIXTURES = Path(__file__).parent / "fixtures"
PLAN = Plan(
    {"value": "grade", "comment": "words", "value:stars": "stars"},
    {"value": {"gut": "up"}},
    {"scale:stars": "1:10", "model": "small-1"},
    scale=(0, 4),
    timezone="Europe/Berlin",
    source="helpdesk",
    complete=True,
    date_order="day-month",
)


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., str]:
    def make(name: str, *lines: str) -> str:
        (tmp_path / name).write_text("\n".join(lines) + "\n", "utf-8")
        return str(tmp_path / name)

    return make


def test_a_saved_plan_comes_back_whole_whatever_the_order_of_the_columns(store: Store) -> None:
    saved_mappings.save(store, " Helpdesk ", ["grade", "words", "stars"], PLAN, "ann")

    assert saved_mappings.for_header(store, ["stars", "grade", "words"]) == ("Helpdesk", PLAN)
    assert saved_mappings.for_header(store, ["stars", "grade"]) is None
    assert saved_mappings.named(store, "Helpdesk") == PLAN
    assert store.scalar("SELECT actor || action || object FROM audit") == "annsave_mappingHelpdesk"


def test_saving_again_replaces_and_the_latest_of_a_header_is_used(store: Store) -> None:
    saved_mappings.save(store, "a", ["x"], Plan({"comment": "x"}), "ann")
    saved_mappings.save(store, "b", ["x"], Plan({"input": "x"}), "ann")
    saved_mappings.save(store, "a", ["x"], Plan({"output": "x"}), "ann")

    assert [saved.name for saved in saved_mappings.listing(store)] == ["a", "b"]
    assert saved_mappings.for_header(store, ["x"]) == ("a", Plan({"output": "x"}))


def test_a_removed_mapping_is_gone_and_an_unknown_one_named(store: Store) -> None:
    saved_mappings.save(store, "a", ["x"], Plan({"comment": "x"}), "ann")
    saved_mappings.remove(store, "a", "ann")

    assert saved_mappings.listing(store) == []
    with pytest.raises(InputError, match="no saved mapping 'a': saved are none yet"):
        saved_mappings.remove(store, "a", "ann")


@pytest.mark.parametrize("name", ["", "  ", "x" * 101])
def test_a_mapping_needs_a_name(store: Store, name: str) -> None:
    with pytest.raises(InputError, match="needs a name"):
        saved_mappings.save(store, name, ["x"], PLAN, "ann")


def test_what_is_given_now_wins_over_what_was_saved() -> None:
    now = Plan({"comment": "title"}, constants={"value": "up"}, scale=(1, 5), timezone="UTC")
    plan = saved_mappings.merged(PLAN, now)

    assert plan.columns == {"comment": "title", "value:stars": "stars"}
    assert plan.constants == {"scale:stars": "1:10", "model": "small-1", "value": "up"}
    assert (plan.values, plan.scale, plan.timezone, plan.source, plan.complete) == ({}, (1, 5), "UTC", "helpdesk", True)


def test_the_next_file_with_the_same_columns_needs_no_mapping(ask: Ask, write: Callable[..., str]) -> None:
    first = ask("import", write("1.csv", "a,b", "slow,2"), "--map", "comment=a", "--map", "value=b",
                "--scale", "1:5", "--save-mapping", "shop")  # fmt: skip
    second = ask("import", write("2.csv", "b,a", "4,fine"))
    plain = ask("import", write("3.csv", "a,b", "x,3"), "--no-saved-mapping", "--set", "polarity=negative",
                "--map", "comment=a")  # fmt: skip

    assert "saved as 'shop'" in first["said"][-1]
    assert second["mapping"] == {"comment": "a", "value": "b"}
    assert any("'shop' is used again" in sentence for sentence in second["said"])
    assert plain["mapping"] == {"comment": "a"}
    assert [saved["name"] for saved in ask("mappings", "list")["mappings"]] == ["shop"]


def test_a_saved_mapping_is_used_by_name_and_forgotten(ask: Ask, refuse: Refuse, write: Callable[..., str]) -> None:
    ask("import", write("1.csv", "a,b", "slow,2"), "--map", "comment=a", "--save-mapping", "shop")
    other = ask("import", write("2.csv", "a,b,c", "bad,1,x"), "--mapping", "shop")
    assert ask("mappings", "remove", "shop") == {"removed": "shop"}

    assert other["mapping"] == {"comment": "a"}
    assert "no saved mapping 'shop'" in refuse(1, "import", write("3.csv", "a", "x"), "--mapping", "shop")
    assert "'shop'" in refuse(1, "mappings", "remove", "shop")


def test_a_dry_run_saves_no_mapping(ask: Ask, write: Callable[..., str]) -> None:
    ask("import", write("1.csv", "a", "slow"), "--map", "comment=a", "--save-mapping", "shop", "--dry-run")

    assert ask("mappings", "list")["mappings"] == []


def test_a_tools_export_is_recognised_and_can_be_read_otherwise(
    ask: Ask, refuse: Refuse, write: Callable[..., str]
) -> None:
    export = str(FIXTURES / "langfuse" / "scores.csv")
    recognised = ask("import", export, "--dry-run")
    by_hand = ask("import", export, "--map", "comment=comment", "--dry-run")
    plain = ask("import", export, "--format", "none", "--map", "comment=comment", "--dry-run")

    assert (recognised["read_as"], recognised["new"]) == ("langfuse-scores", 10)
    assert "10 records of 10 rows" in recognised["format"]
    assert any("looks like Langfuse scores" in sentence for sentence in by_hand["said"])
    assert by_hand["read_as"] == plain["read_as"] == "none"
    assert "needs no mapping" in refuse(1, "import", export, "--save-mapping", "x")
    assert "no format 'x'" in refuse(1, "import", export, "--format", "x")
    assert "does not look like Argilla" in refuse(1, "import", write("1.csv", "a", "b"), "--format", "argilla")


def test_the_formats_are_listed_with_what_they_read(ask: Ask, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = ask("formats")["formats"]
    cli.run(["--home", str(home), "formats"])

    assert {"langfuse-scores", "otlp", "open-webui", "dify-annotations"} <= {kind["name"] for kind in found}
    assert all(kind["title"] and kind["reads"] for kind in found)
    assert "LangSmith feedback" in capsys.readouterr().out


def test_dates_that_may_be_read_both_ways_wait_for_a_word(ask: Ask, write: Callable[..., str]) -> None:
    log = write("1.csv", "comment,date", "slow,05/06/2026", "bad,07/08/2026")
    asked = ask("import", log, "--dry-run")
    told = ask("import", log, "--date-order", "month-day")

    assert (asked["rejected"], asked["reasons"]) == (2, {"ambiguous_time": 2})
    assert any("--date-order" in sentence for sentence in asked["said"])
    assert told["new"] == 2


def test_thumbs_and_stars_of_one_row_are_two_feedback(ask: Ask, write: Callable[..., str], home: Path) -> None:
    ask("import", write("1.csv", "question,thumb,stars", "How?,down,4", "Why?,up,5", "When?,,2"))
    shown = ask("import", write("2.csv", "q,t,s", "How?,x,4"), "--map", "input=q", "--map", "value=t", "--map",
                "value:s=s", "--value", "value:s:4=up", "--value", "value:x=down", "--dry-run")  # fmt: skip

    assert ask("import", write("3.csv", "question,thumb,stars", "How?,down,4"))["duplicate"] == 1
    assert (shown["new"], shown["rejected"]) == (1, 0)
