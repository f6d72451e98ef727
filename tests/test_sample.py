"""The sample world: is it believable, is it always the same, and can its planted truths be found in the raw log?"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from feedback_lab.records import Feedback, Interaction, Kind, Polarity
from feedback_lab.sample import World, make_world
from feedback_lab.sample.flat_file import COLUMNS, write_sample_csv
from feedback_lab.sample.truth import shows

LAST_DAY = date(2026, 10, 31)
SAMPLE_CSV = Path(__file__).resolve().parents[1] / "data" / "sample_feedback.csv"


@pytest.fixture(scope="module")
def world() -> World:
    return make_world(LAST_DAY)


@pytest.fixture(scope="module")
def verdicts(world: World) -> list[tuple[Interaction, Feedback]]:
    return resolve(world)


def resolve(world: World) -> list[tuple[Interaction, Feedback]]:
    """The latest thumb or rating of each rater on each interaction, in plain Python."""
    known = {each.interaction_id: each for each in world.interactions}
    latest: dict[tuple[str, str | None], Feedback] = {}
    for given in world.feedback:
        interaction = known[given.interaction_id]
        if given.polarity is not None:
            latest[given.interaction_id, given.rater_hash or interaction.session_id] = given
    return [(known[given.interaction_id], given) for given in latest.values()]


def positive_rate(verdicts: list[tuple[Interaction, Feedback]], belongs: Callable[[Interaction], bool]) -> float:
    counts = Counter(given.polarity for interaction, given in verdicts if belongs(interaction))
    return counts[Polarity.POSITIVE] / (counts[Polarity.POSITIVE] + counts[Polarity.NEGATIVE])


def day_of(interaction: Interaction) -> date:
    assert interaction.created_at is not None
    return interaction.created_at.date()


def change(world: World, votes: list[tuple[Interaction, Feedback]], topic: str, day: date) -> float:
    """Points by which the positive rate of `topic` differs from `day` on."""
    topic_of = world.planted.topic_of
    after = positive_rate(votes, lambda each: topic_of[each.interaction_id] == topic and day_of(each) >= day)
    before = positive_rate(votes, lambda each: topic_of[each.interaction_id] == topic and day_of(each) < day)
    return 100 * (after - before)


def effect(world: World, votes: list[tuple[Interaction, Feedback]], entry_id: str) -> float:
    """Points by which the shown arm of the entry is rated better than the other."""
    arms = {shown: set[str]() for shown in (True, False)}
    for exposure in world.exposures:
        if exposure.entry_id == entry_id:
            arms[exposure.shown].add(exposure.interaction_id)
    rates = {
        shown: positive_rate(votes, lambda each, ids=ids: each.interaction_id in ids) for shown, ids in arms.items()
    }
    return 100 * (rates[True] - rates[False])


def test_the_same_day_and_seed_give_the_same_world_and_another_seed_another(world: World) -> None:
    assert make_world(LAST_DAY) == world
    assert make_world(LAST_DAY, seed=8).interactions[0] != world.interactions[0]


def test_the_world_has_the_size_that_it_promises(world: World, verdicts: list[tuple[Interaction, Feedback]]) -> None:
    sessions = Counter(each.session_id for each in world.interactions)
    assert 19_000 <= len(world.interactions) <= 21_000
    assert len(sessions) == 7_000
    assert set(sessions.values()) == {1, 2, 3, 4, 5, 6}
    assert 4_500 <= len(verdicts) <= 5_100
    assert len(world.entries) == 30
    assert 10 <= len(world.planted.complaints) <= 12
    assert len({each.interaction_id for each in world.interactions}) == len(world.interactions)
    assert len({each.feedback_id for each in world.feedback}) == len(world.feedback)


def test_everything_happens_inside_the_ninety_days_and_arrives_after_it_happened(world: World) -> None:
    first, end = datetime(2026, 8, 3), datetime.combine(LAST_DAY + timedelta(days=1), time())
    asked = {each.interaction_id: each.created_at for each in world.interactions}
    for each in [*world.interactions, *world.feedback]:
        assert each.created_at is not None
        assert first <= each.created_at <= each.received_at < end
    assert all(given.created_at >= asked[given.interaction_id] for given in world.feedback)
    assert {day_of(each) for each in world.interactions} == {first.date() + timedelta(days=day) for day in range(90)}
    assert all(exposure.at == asked[exposure.interaction_id] for exposure in world.exposures)


def test_the_turns_of_a_session_follow_each_other_in_time_and_share_their_user_and_versions(world: World) -> None:
    sessions: dict[str | None, list[Interaction]] = {}
    for each in world.interactions:
        sessions.setdefault(each.session_id, []).append(each)
    for turns in sessions.values():
        assert [each.turn for each in turns] == list(range(1, len(turns) + 1))
        assert len({(each.user_hash, each.model, each.prompt_version) for each in turns}) == 1


def test_days_nights_and_weekends_differ(world: World) -> None:
    hours = Counter(each.created_at.hour for each in world.interactions if each.created_at)
    weekdays = Counter(day_of(each).weekday() for each in world.interactions)
    assert hours[10] > 8 * hours[3]
    assert weekdays[0] > 1.5 * weekdays[6]


def test_few_users_give_many_votes_and_most_give_none(
    world: World, verdicts: list[tuple[Interaction, Feedback]]
) -> None:
    per_user = Counter(given.rater_hash for _, given in verdicts if given.rater_hash)
    users = {each.user_hash for each in world.interactions if each.user_hash}
    assert len(per_user) < 0.6 * len(users)
    assert sum(count for _, count in per_user.most_common(20)) > 0.12 * len(verdicts)
    assert per_user.most_common(1)[0][1] >= 40


def test_thumbs_and_ratings_carry_their_values_and_silent_signals_carry_no_opinion(world: World) -> None:
    kinds = Counter(each.kind for each in world.feedback)
    assert {*Kind, "rephrase", "copy", "abandon"} == set(kinds)
    assert 0.1 < kinds[Kind.RATING] / (kinds[Kind.RATING] + kinds[Kind.THUMB]) < 0.25
    for each in world.feedback:
        if each.kind == Kind.THUMB:
            assert each.value in (1.0, -1.0)
        elif each.kind == Kind.RATING:
            assert (each.scale_min, each.scale_max) == (1.0, 5.0)
            assert each.value in (1, 2, 3, 4, 5)
        else:
            assert each.value is None
            assert each.polarity is None
            assert (each.kind in (Kind.CORRECTION, Kind.EDIT)) == bool(each.suggested_answer)


def test_questions_are_mostly_distinct_and_texts_hold_no_leftover_of_a_template(world: World) -> None:
    assert len({each.input for each in world.interactions}) > 0.75 * len(world.interactions)
    texts = [text for each in world.interactions for text in (each.input, each.output)]
    texts += [text for each in world.feedback for text in (each.comment, each.suggested_answer) if text]
    assert all(texts)
    assert not [text for text in texts if re.search(r"[\[\]{}|«»~]|  |^ | $", text or "")]


def test_nothing_planted_stands_in_the_records_themselves(world: World) -> None:
    names = {*world.planted.topics, *world.planted.complaints}
    assert {key for each in world.interactions for key in each.tags} == {"channel", "locale", "plan"}
    for each in world.interactions:
        assert not names & set(each.tags.values())
        assert set(each.metadata) == {"latency_ms"}
    assert not any(each.metadata for each in world.feedback)


def test_versions_come_one_after_the_other_and_overlap(world: World) -> None:
    assert len(world.planted.model_points) == 2
    assert len(world.planted.prompt_versions) == 3
    for name, versions in (
        ("model", tuple(world.planted.model_points)),
        ("prompt_version", world.planted.prompt_versions),
    ):
        days = {v: [day_of(each) for each in world.interactions if getattr(each, name) == v] for v in versions}
        for older, newer in pairwise(versions):
            assert min(days[older]) < min(days[newer]) < max(days[older])
    versions = [each.knowledge_version for each in world.interactions]
    assert (versions[0], versions[-1]) == ("kb-0", "kb-8")


@pytest.mark.parametrize("last_day", [LAST_DAY, date(2028, 2, 29)])
def test_both_releases_and_the_clear_entries_are_found_in_the_raw_log(last_day: date) -> None:
    world = make_world(last_day)
    votes, planted = resolve(world), world.planted
    markers = {marker.marker_id: marker for marker in world.markers}
    for release in (planted.worse_release, planted.better_release):
        assert markers[release.marker_id].at.date() == release.day
        assert change(world, votes, release.topic, release.day) == pytest.approx(release.points, abs=8)
        share = sum(topic == release.topic for topic in planted.topic_of.values()) / len(world.interactions)
        assert share >= 0.1
    assert effect(world, votes, planted.good_entry) > 15
    assert effect(world, votes, planted.harmful_entry) < -10
    assert abs(effect(world, votes, planted.neutral_entry)) < 15


def test_no_other_topic_moves_as_far_as_a_release_moved_one(
    world: World, verdicts: list[tuple[Interaction, Feedback]]
) -> None:
    planted = world.planted
    for release in (planted.worse_release, planted.better_release):
        moved = {topic: abs(change(world, verdicts, topic, release.day)) for topic in planted.topics}
        assert max(moved, key=lambda topic: moved[topic]) == release.topic


def test_the_worse_release_brings_complaints_of_its_own(world: World) -> None:
    release, known = world.planted.worse_release, {each.interaction_id: each for each in world.interactions}
    complaints = world.planted.complaint_of
    days = [
        day_of(known[each.interaction_id])
        for each in world.feedback
        if complaints.get(each.feedback_id) == release.complaint
    ]
    before = sum(day < release.day for day in days) / 61
    after = sum(day >= release.day for day in days) / 29
    assert after > 2 * before


def test_the_unlucky_topic_is_the_worst_in_its_window_only(
    world: World, verdicts: list[tuple[Interaction, Feedback]]
) -> None:
    window, topic_of = world.planted.regression, world.planted.topic_of

    def rate(topic: str, first: date, last: date) -> float:
        return positive_rate(
            verdicts, lambda each: topic_of[each.interaction_id] == topic and first <= day_of(each) <= last
        )

    inside = {topic: rate(topic, window.first_day, window.last_day) for topic in world.planted.topics}
    assert min(inside, key=lambda topic: inside[topic]) == window.topic
    base = world.planted.topics[window.topic].base_rate
    assert inside[window.topic] < base - 0.12
    assert rate(window.topic, window.last_day + timedelta(days=1), LAST_DAY) == pytest.approx(base, abs=0.12)


def test_topics_have_the_planted_share_of_the_traffic(world: World) -> None:
    counts = Counter(world.planted.topic_of[each.interaction_id] for each in world.interactions)
    for topic, plan in world.planted.topics.items():
        assert counts[topic] / len(world.interactions) == pytest.approx(plan.share, abs=0.015)


def test_entries_are_shown_to_about_half_by_a_fair_and_repeatable_coin(world: World) -> None:
    decided = {entry.entry_id: datetime.fromisoformat(entry.decided_at).replace(tzinfo=None) for entry in world.entries}
    sessions = {each.interaction_id: each.session_id for each in world.interactions}
    for exposure in world.exposures:
        assert exposure.would_have_shown
        assert exposure.unit == sessions[exposure.interaction_id]
        assert exposure.shown == shows(exposure.unit, exposure.entry_id)
        assert exposure.at > decided[exposure.entry_id]
    assert sum(each.shown for each in world.exposures) / len(world.exposures) == pytest.approx(0.5, abs=0.02)
    assert {each.entry_id for each in world.exposures} == set(world.planted.entry_points) == set(decided)


def test_the_sources_of_an_entry_are_earlier_feedback_of_the_log(world: World) -> None:
    received = {each.feedback_id: each.received_at.isoformat() for each in world.feedback}
    cited = [(source, entry) for entry in world.entries for source in entry.sources]
    assert len(cited) >= 40
    assert all(received[source] < entry.decided_at for source, entry in cited)


def test_most_entries_are_slightly_good_one_is_clearly_good_one_does_nothing_one_harms(world: World) -> None:
    planted = world.planted
    slight = [points for points in planted.entry_points.values() if 0 < points <= 10]
    assert len(slight) == 27
    assert planted.entry_points[planted.good_entry] >= 20
    assert planted.entry_points[planted.neutral_entry] == 0
    assert planted.entry_points[planted.harmful_entry] <= -20


def test_every_complaint_recurs_in_many_words_and_some_comments_say_nothing(
    world: World, verdicts: list[tuple[Interaction, Feedback]]
) -> None:
    complaint_of = world.planted.complaint_of
    negative = [given for _, given in verdicts if given.polarity == Polarity.NEGATIVE]
    comments = [given for given in negative if given.comment]
    assert 0.45 < len(comments) / len(negative) < 0.75
    assert 0.08 < sum(each.feedback_id not in complaint_of for each in comments) / len(comments) < 0.25
    for name, keywords in world.planted.complaints.items():
        texts = [each.comment or "" for each in comments if complaint_of.get(each.feedback_id) == name]
        assert len(texts) >= 20
        assert len(set(texts)) > 0.75 * len(texts)
        assert sum(any(word in text.lower() for word in keywords) for text in texts) > 0.6 * len(texts)


def test_users_propose_better_answers_where_the_assistant_had_a_fact_wrong(world: World) -> None:
    proposed = [each for each in world.feedback if each.suggested_answer and each.kind != Kind.EDIT]
    assert 150 <= len(proposed) <= 500
    assert not any(each.polarity == Polarity.POSITIVE for each in proposed)


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_csv_in_the_repository_is_the_one_that_the_code_writes(world: World, tmp_path: Path) -> None:
    write_sample_csv(world, tmp_path / "sample.csv")
    assert (tmp_path / "sample.csv").read_bytes() == SAMPLE_CSV.read_bytes()


def test_the_csv_has_the_flaws_that_it_claims_and_no_others() -> None:
    rows = read(SAMPLE_CSV)
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == 1_002
    timestamps = [row["timestamp"] for row in rows]
    assert sum(not re.fullmatch(r"2026-\d\d-\d\d \d\d:\d\d:\d\d", each) for each in timestamps) == 2
    assert sum(row["rating"] not in ("👍", "👎", "") for row in rows) == 1
    twice = [row for row, count in Counter(tuple(each.values()) for each in rows).items() if count > 1]
    assert len(twice) == 2
    assert all(row["rating"] or row["comment"] or row["correction"] for row in rows)


def test_the_csv_takes_as_many_rows_as_asked_for(world: World, tmp_path: Path) -> None:
    write_sample_csv(world, tmp_path / "few.csv", rows=50)
    assert len(read(tmp_path / "few.csv")) == 52
