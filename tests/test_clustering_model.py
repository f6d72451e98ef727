"""What the stored model does after the clustering: levels, empty comments, growth, and what is new."""

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import adjusted_rand_score

from feedback_lab.issues.grouping.clustering import Clustering, cluster, emerging
from feedback_lab.issues.grouping.comments import judges_only, read, says_nothing
from feedback_lab.issues.grouping.copies import near_pairs, votes
from feedback_lab.issues.grouping.features import spelling
from feedback_lab.issues.grouping.keywords import f1, finders, without_repeats

SUBJECTS = {
    "refund": [
        "the refund for my order never came",
        "still waiting for the refund of a returned parcel",
        "refund promised last week and nothing arrived",
        "you owe me a refund for the broken kettle",
        "where is my refund for order 4431",
        "support confirmed the refund but no money came back",
    ],
    "crash": [
        "the app crashes when I open the camera",
        "camera screen freezes and the app crashes",
        "app crashes every time a photo is taken",
        "crashes on start since the update",
        "the application crashes while uploading a photo",
        "photo upload makes the app crash again",
    ],
    "delivery": [
        "courier left the parcel at the wrong house",
        "parcel delivered to a neighbour without a note",
        "delivery came two days late and the box was wet",
        "the driver never rang, parcel went back to the depot",
        "late delivery again, courier could not find the street",
        "delivery slot ignored by the courier",
    ],
}
ENDINGS = ["", " please help", " since Monday", " in Leeds", " as usual", " for the second time", " on my phone"]
PASSWORD = [
    "the password reset mail never arrives",
    "password reset link is expired at once",
    "cannot reset my password, link expired",
    "reset link for the password leads nowhere",
    "no password reset mail in my inbox or spam",
    "asked for a password reset five times, no mail",
    "expired link when I reset the password",
    "the reset mail for my password contains a dead link",
]


def world() -> tuple[list[str], list[str]]:
    pairs = [(text + end, name) for name, texts in SUBJECTS.items() for text in texts for end in ENDINGS]
    return [text for text, _ in pairs], [name for _, name in pairs]


@pytest.fixture(scope="module")
def model() -> Clustering:
    return cluster(world()[0])


@pytest.fixture(scope="module")
def banking(request: pytest.FixtureRequest) -> pd.DataFrame:
    folder: Path = request.getfixturevalue("shared_data")
    rows = pd.read_csv(folder / "banking77.csv", usecols=["text", "label"]).dropna()
    chosen = sorted(rows["label"].unique())[:12]
    return rows[rows["label"].isin(chosen)].groupby("label").head(60).sample(frac=1, random_state=1)


def test_comments_that_say_nothing_are_one_group_in_several_languages() -> None:
    empty = [
        "bad",
        "👎",
        "no",
        "",
        "...",
        "it is what it is",
        "baaaad!!!",
        "schlecht",
        "muy mal",
        "最悪",
        "nul",
        "not good",
    ]
    telling = ["refund late", "Rückerstattung fehlt", "返金が届かない", "reembolso", "noise"]
    found = cluster([*world()[0], *empty, *telling])
    n = len(world()[0])
    assert found.low_information[:n].sum() == 0
    assert found.low_information[n : n + len(empty)].all()
    assert not found.low_information[n + len(empty) :].any()
    assert (found.labels[found.low_information] == -1).all()


def test_a_word_of_all_issues_says_nothing_after_learning_that_it_is_everywhere() -> None:
    texts = [f"airline {text}" for text in world()[0]]
    found = cluster(texts)
    assert found.assign_all(["airline", "bad airline", "airline refund"]).low_information.tolist() == [
        True,
        True,
        False,
    ]
    assert says_nothing(read(["airline"]).contents).tolist() == [False]


def test_stretched_judgements_are_judgements() -> None:
    assert judges_only("baaaad")
    assert judges_only("goooood")
    assert not judges_only("refund")


def test_near_copies_share_one_vote() -> None:
    copies = ["your bank refused the transfer to my landlord", "your bank refused the transfer to my landlady"]
    different = ["the app crashes at start", "invoice total is wrong", "no code arrived by text message"]
    counted = votes(spelling([*copies, *different] * 40))
    assert counted.max() == pytest.approx(1 / 40)
    assert votes(spelling([*copies, *different])).tolist() == pytest.approx([0.5, 0.5, 1, 1, 1])


def test_near_copies_are_those_that_comparing_all_pairs_finds(banking: pd.DataFrame) -> None:
    texts = banking["text"].tolist()[:400]
    rows = spelling(texts)
    left, right = np.nonzero(np.triu((rows @ rows.T).toarray() >= 0.7, k=1))
    found = {pair for some in near_pairs(rows, 0.7) for pair in zip(*(part.tolist() for part in some), strict=True)}
    assert found == set(zip(left.tolist(), right.tolist(), strict=True))
    assert found


def test_an_issue_of_several_subjects_has_sub_issues_and_a_stored_model_knows_them(banking: pd.DataFrame) -> None:
    texts = banking["text"].tolist()
    found = cluster(texts, n_clusters=3)
    assert len(set(found.labels.tolist()) - {-1}) == 3
    fine = [f"{issue}/{sub}" for issue, sub in zip(found.labels, found.sub_labels, strict=True)]
    coarse = adjusted_rand_score(banking["label"], found.labels)
    assert adjusted_rand_score(banking["label"], fine) > coarse + 0.1
    for issue in set(found.labels.tolist()) - {-1}:
        parts = np.bincount(found.sub_labels[(found.labels == issue) & (found.sub_labels >= 0)])
        assert len(parts) != 1
        assert (parts >= 3).all()
    assert (found.sub_labels[found.labels < 0] == -1).all()
    again, loaded = found.assign_all(texts), Clustering.from_bytes(found.to_bytes()).assign_all(texts)
    for ours, theirs in zip(again, loaded, strict=True):
        assert ours.tolist() == theirs.tolist()


def test_an_issue_about_one_thing_stays_whole() -> None:
    texts = [text + end for text in SUBJECTS["refund"][:2] for end in ENDINGS] * 2
    found = cluster(texts, n_clusters=1)
    assert (found.sub_labels == -1).all()


def test_learning_on_keeps_numbers_and_hardly_moves_a_comment(banking: pd.DataFrame) -> None:
    texts, old = banking["text"].tolist(), len(banking) * 10 // 11
    before = cluster(texts[:old])
    labels = np.append(before.labels, np.full(len(texts) - old, -1))
    after = before.refit(texts, labels, np.zeros(len(texts), np.bool_))
    assert adjusted_rand_score(before.labels, after.labels[:old]) >= 0.97
    assert set(before.labels.tolist()) <= set(after.labels.tolist()) | {-1}
    assert after.n_clusters == before.n_clusters
    assert (after.labels[old:] >= 0).mean() > 0.8
    assert len(after.labels) == len(after.scores) == len(after.sub_labels) == len(after.low_information) == len(texts)


def test_what_a_human_fixed_stays_and_a_new_number_is_learned(model: Clustering) -> None:
    texts, _ = world()
    labels, fixed = model.labels.copy(), np.zeros(len(texts), np.bool_)
    split = [i for i, text in enumerate(texts) if "courier" in text]
    labels[split], fixed[split] = model.n_clusters, True
    nowhere = next(i for i in range(len(texts)) if not fixed[i])
    labels[nowhere], fixed[nowhere] = -1, True
    after = model.refit(texts, labels, fixed)
    assert after.labels[split].tolist() == [model.n_clusters] * len(split)
    assert after.labels[nowhere] == -1
    assert after.assign(["the courier again"]).tolist() == [model.n_clusters]


def test_a_new_kind_of_complaint_is_proposed(model: Clustering) -> None:
    old = [f"{text} today" for texts in SUBJECTS.values() for text in texts]
    stream = [text for pair in zip(old, [*PASSWORD, *PASSWORD, *PASSWORD], strict=False) for text in pair]
    groups = emerging(stream, model)
    assert groups
    assert {stream[row] for row in groups[0]} <= set(PASSWORD)
    assert len(groups) == 1


def test_nothing_is_proposed_from_what_is_known_or_too_little(model: Clustering) -> None:
    assert emerging([f"{text} today" for texts in SUBJECTS.values() for text in texts], model) == []
    assert emerging(PASSWORD[:4], model) == []
    assert emerging([PASSWORD[0]] * 50, model) == []
    assert emerging([], model) == []
    assert emerging(PASSWORD, cluster([])) != []


def test_few_groups_are_proposed_of_many_comments_that_share_words_by_chance(shared_data: Path) -> None:
    rows = pd.read_csv(shared_data / "airline_negative.csv", usecols=["text"]).dropna()["text"]
    texts = rows.sample(4_000, random_state=7).tolist()
    assert len(emerging(texts[3_000:], cluster(texts[:3_000]))) <= 4


def test_vectors_of_a_model_join_the_words() -> None:
    texts, truth = world()
    random = np.random.default_rng(0)
    centre = {name: random.normal(size=16) for name in SUBJECTS}
    vectors = np.array([centre[name] + 0.3 * random.normal(size=16) for name in truth], np.float32)
    found = cluster(texts, n_clusters=3, vectors=vectors)
    assert adjusted_rand_score(truth, found.labels) > 0.9
    fresh = np.array([centre["crash"]], np.float32)
    assert found.assign(["zzz qqq"], fresh).tolist() == [found.labels[truth.index("crash")]]
    assert found.assign(["zzz qqq"]).tolist() == [-1]
    loaded = Clustering.from_bytes(found.to_bytes())
    assert loaded.assign(texts, vectors).tolist() == found.assign(texts, vectors).tolist()


def test_texts_of_the_same_world_may_teach_words() -> None:
    texts, _ = world()
    assert len(cluster(texts, corpus=[f"How do I get a refund? {text}" for text in texts]).labels) == len(texts)


def test_progress_is_told_and_may_cancel() -> None:
    told: list[str] = []
    cluster(world()[0][:30], progress=lambda done, total, what: told.append(what))
    assert len(told) == 4

    def cancel(done: int, total: int, what: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cluster(world()[0], progress=cancel)


def test_a_model_of_the_first_release_still_loads(model: Clustering) -> None:
    import json

    old = io.BytesIO()
    vocabulary = np.frombuffer(json.dumps(model.vocabulary).encode(), np.uint8)
    weights = model.weights.astype(np.float16)
    np.savez_compressed(
        old, labels=model.labels, scores=model.scores, vocabulary=vocabulary, weights=weights, priors=model.priors
    )
    loaded = Clustering.from_bytes(old.getvalue())
    assert loaded.assign(world()[0]).tolist() == model.assign(world()[0]).tolist()


def test_keywords_are_chosen_together() -> None:
    rows = {"card": {1, 2, 3, 7, 8, 9}, "lost": {1, 2}, "stolen": {3}, "refund": {9}, "lost card": {1}}
    candidates = ["card", "lost", "refund", "stolen", "lost card"]
    assert finders(candidates, {1, 2, 3}, rows) == ["lost", "stolen", "lost card"]
    rows = {"pin": {1, 2, 3, 4}, "new pin": {1, 2}, "new": {1}, "mine": {2}}
    assert finders(list(rows), {1, 2}, rows) == ["new pin", "new", "mine"]
    assert without_repeats(["exchange rate"], ["rate", "wrong", "exchange"], 8) == ["exchange rate", "wrong"]
    assert f1({1, 2}, {2, 3}) == 0.5
