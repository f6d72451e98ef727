"""Does the product find what was planted in the sample world? The truth stands in `World.planted` alone."""

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from feedback_lab.ingest.load import import_records
from feedback_lab.insights.opportunities import opportunities
from feedback_lab.insights.rates import rate
from feedback_lab.insights.summary import insights
from feedback_lab.issues import tracking
from feedback_lab.review import run_rules, tasks
from feedback_lab.sample import World, make_world
from feedback_lab.settings import Settings
from feedback_lab.store import Store, open_store
from feedback_lab.verdicts import VERDICTS

LAST_DAY = date(2026, 10, 31)
VOTES = f"""
    SELECT i.model, v.feedback_id, v.rater, v.polarity = 'positive' AS positive
    FROM ({VERDICTS}) AS v JOIN interaction i ON i.interaction_id = v.interaction_id WHERE v.polarity <> 'neutral'
"""
MEMBERS = "SELECT m.issue_id, m.feedback_id, f.interaction_id FROM issue_member m JOIN feedback f USING (feedback_id)"


@pytest.fixture(scope="module")
def world() -> World:
    return make_world(LAST_DAY)


@pytest.fixture(scope="module")
def lab(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    store = open_store(tmp_path_factory.mktemp("planted"))
    records = {"exposures": world.exposures, "markers": world.markers}
    import_records(store, world.interactions, world.feedback, source="sample", complete=True, **records)
    tracking.refresh(store)
    yield store
    store.close()


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(home=Path(tmp_path_factory.mktemp("home")))


def test_everything_planted_comes_in(lab: Store, world: World) -> None:
    assert lab.scalar("SELECT count(*) FROM interaction") == len(world.interactions)
    assert lab.scalar("SELECT count(*) FROM feedback") == len(world.feedback)
    assert lab.scalar("SELECT count(*) FROM exposure") == len(world.exposures)


def test_the_issues_are_the_planted_complaints(lab: Store, world: World) -> None:
    groups: dict[str, Counter[str]] = {}
    for row in lab.rows(MEMBERS):
        if row["issue_id"] and (complaint := world.planted.complaint_of.get(row["feedback_id"])):
            groups.setdefault(row["issue_id"], Counter())[complaint] += 1
    main = {group.most_common(1)[0][0] for group in groups.values() if group}
    right = sum(group.most_common(1)[0][1] for group in groups.values())

    assert len(main) >= 10
    assert right / sum(group.total() for group in groups.values()) >= 0.7


def test_fix_first_holds_the_topic_that_a_release_made_worse(lab: Store, world: World, settings: Settings) -> None:
    topics: dict[str, Counter[str]] = {}
    for row in lab.rows(MEMBERS):
        if row["issue_id"]:
            topics.setdefault(row["issue_id"], Counter())[world.planted.topic_of[row["interaction_id"]]] += 1
    first = LAST_DAY - timedelta(days=29)
    found = opportunities(lab, first, LAST_DAY, similarity=settings.touch_similarity)[:5]

    assert world.planted.worse_release.topic in {topics[one.issue_id].most_common(1)[0][0] for one in found}


def test_the_better_model_is_not_shown_as_worse(lab: Store, world: World) -> None:
    rates = {model: rate(votes) for model, votes in lab.frame(VOTES).groupby("model")}
    (better,) = (name for name, points in world.planted.model_points.items() if points > 0)

    assert rates.keys() == world.planted.model_points.keys()
    assert (rates.pop(better).high or 0.0) > max(one.rate or 0.0 for one in rates.values())


def test_the_response_rate_is_known_because_unrated_answers_are_there_too(lab: Store) -> None:
    found = insights(lab, days=90, until=LAST_DAY).as_dict()

    assert found["response_rate"] == pytest.approx(found["verdicts"] / 20_000, abs=0.03)
    assert found["implicit_signals"].keys() == {"rephrase", "copy", "abandon"}


def test_the_patterns_that_open_are_about_topics_that_are_really_bad(
    lab: Store, world: World, settings: Settings
) -> None:
    report = run_rules(lab, ["above_base"], similarity=settings.similarity, budget=None)
    asked = {
        row["feedback_id"]: row["interaction_id"]
        for row in lab.rows("SELECT feedback_id, interaction_id FROM feedback")
    }
    topics = Counter(
        Counter(world.planted.topic_of[asked[one]] for one in task.feedback_ids).most_common(1)[0][0]
        for task in tasks(lab)
    )

    assert report.candidates >= 2
    assert topics[world.planted.worse_release.topic] or topics[world.planted.better_release.topic]
