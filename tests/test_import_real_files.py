"""The four real files, each with the mapping that a person would choose: every row is accounted for."""

from pathlib import Path

import pytest

from feedback_lab.ingest.load import import_file
from feedback_lab.ingest.planning.mapping import complete_plan
from feedback_lab.ingest.planning.plan import Plan
from feedback_lab.ingest.reading.readers import open_rows
from feedback_lab.store import Store

WORDS = {"Bad": "negative", "Could be Improved": "negative", "Acceptable": "positive", "Excellent": "positive"}
PLANS = {
    "feedbackqa.csv": (
        9_843,
        Plan(
            {"comment": "text", "input": "question", "output": "answer", "polarity": "label", "tag:region": "region"},
            {"polarity": WORDS},
        ),
        {"positive": 4_760, "negative": 5_083},
    ),
    "chatgpt_appstore_reviews.csv": (
        2_058,
        Plan({"comment": "text", "value": "rating", "created_at": "date"}, scale=(1, 5), source="app store"),
        {"positive": 1_353, "neutral": 199, "negative": 506},
    ),
    "airline_negative.csv": (
        9_178,
        Plan(
            {"feedback_id": "tweet_id", "comment": "text", "created_at": "tweet_created", "tag:airline": "airline"},
            constants={"polarity": "negative"},
        ),
        {"negative": 9_089},  # 89 tweets stand in the file twice, word for word
    ),
    "banking77.csv": (13_083, Plan({"input": "text", "tag:label": "label"}), {}),
}


@pytest.mark.parametrize("name", PLANS)
def test_a_real_file_comes_in_whole_and_only_once(store: Store, shared_data: Path, name: str) -> None:
    rows, plan, polarities = PLANS[name]
    first = import_file(store, shared_data / name, plan)
    again = import_file(store, shared_data / name, plan)

    different = sum(polarities.values()) or rows
    assert (first.read, first.new, first.duplicate, first.rejected) == (rows, different, rows - different, 0)
    assert (again.new, again.duplicate, again.rejected) == (0, rows, 0)
    assert store.scalar("SELECT count(*) FROM interaction") == different
    counted = store.rows("SELECT polarity, count(*) AS n FROM feedback GROUP BY polarity")
    assert {row["polarity"]: row["n"] for row in counted} == polarities


def test_what_the_files_make_clear_is_suggested(shared_data: Path) -> None:
    def suggested(name: str) -> tuple[Plan, list[str]]:
        source = open_rows(shared_data / name)
        return complete_plan(Plan(), source.header, source.sample(), only_exact=False)

    answers, _ = suggested("feedbackqa.csv")
    reviews, said = suggested("chatgpt_appstore_reviews.csv")
    tweets, _ = suggested("airline_negative.csv")

    assert answers.columns == {"comment": "text", "input": "question", "output": "answer"}
    assert (reviews.columns, reviews.scale) == ({"created_at": "date", "value": "rating"}, (1.0, 5.0))
    assert any("--map comment=text or --map comment=review" in sentence for sentence in said)
    assert tweets.columns == {"comment": "text", "created_at": "tweet_created"}
