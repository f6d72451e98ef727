"""The summary of a period: the keys of the contract, and that each figure counts what it says."""

import json
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from feedback_lab.errors import InputError
from feedback_lab.insights.summary import HOW_COUNTED, insights
from feedback_lab.store import Store
from tests.vote_builders import NOON, keep, keep_batch, keep_issue, unrated, vote

CONTRACT = {
    "total_feedback", "positive_rate", "positive_rate_low", "positive_rate_high", "positive_rate_uncapped", "verdicts",
    "users", "positive_share", "response_rate", "common_issues", "improvement_opportunities", "user_corrections",
}  # fmt: skip
BESIDE = {"since", "until", "too_few", "neutral", "undated", "implicit_signals", "notes"}


def of_june(store: Store, **more: Any) -> dict[str, Any]:
    return insights(store, until=date(2026, 6, 30), **more).as_dict()


def test_an_empty_store_has_every_key_and_no_invented_number(store: Store) -> None:
    found = of_june(store)

    assert set(found) == CONTRACT | BESIDE
    assert found["total_feedback"] == found["verdicts"] == found["users"] == 0
    for name in ("positive_rate", "positive_rate_low", "positive_rate_high", "positive_rate_uncapped"):
        assert found[name] is None
    assert (found["positive_share"], found["response_rate"]) == (None, None)
    assert found["common_issues"] == found["improvement_opportunities"] == found["user_corrections"] == []
    assert found["notes"] == []


def test_the_period_is_the_last_thirty_days_with_today(store: Store) -> None:
    found = insights(store, now=NOON).as_dict()

    assert (found["since"], found["until"]) == ("2026-05-17", "2026-06-15")


def test_an_impossible_period_is_an_error_for_people(store: Store) -> None:
    with pytest.raises(InputError):
        insights(store, days=0)


def test_every_figure_counts_what_it_says(store: Store) -> None:
    up = [vote(n) for n in range(30)]
    down = [vote(n, "negative", comment="No.") for n in range(100, 110)]
    heavy = [vote(n, "negative", rater="heavy") for n in range(200, 220)]
    other = [
        vote(300, "neutral"),
        vote(301, None, kind="comment", comment="Just so you know"),
        vote(302, None, kind="rephrase"),
        vote(303, None, kind="rephrase"),
        vote(304, population="reviewer"),
        vote(305, at=NOON - timedelta(days=90)),
    ]
    keep(store, up + down + heavy + other)

    found = of_june(store)
    assert found["total_feedback"] == 62
    assert (found["verdicts"], found["users"], found["neutral"]) == (60, 41, 1)
    assert found["positive_rate"] == pytest.approx(30 / 43)
    assert found["positive_rate_uncapped"] == pytest.approx(0.5)
    assert found["positive_share"] == pytest.approx(30 / 62)
    assert found["positive_rate_low"] < found["positive_rate"] < found["positive_rate_high"]
    assert found["too_few"] is False
    assert found["implicit_signals"] == {"rephrase": 2}


def test_a_correction_beside_a_thumb_changes_the_share_but_not_the_rate(store: Store) -> None:
    keep(store, [vote(n, "positive" if n < 20 else "negative") for n in range(40)])
    before = of_june(store)
    fixes = [vote(n, None, kind="correction", suggested_answer="Better")[1] for n in range(20, 40)]
    keep(store, [[replace(fix, feedback_id=f"second {fix.feedback_id}") for fix in fixes]])

    after = of_june(store)
    assert (before["positive_rate"], after["positive_rate"]) == (0.5, 0.5)
    assert (before["positive_share"], after["positive_share"]) == (0.5, pytest.approx(1 / 3))


def test_few_verdicts_are_shown_and_said_to_be_few(store: Store) -> None:
    keep(store, [vote(n) for n in range(5)])

    found = of_june(store)
    assert (found["positive_rate"], found["too_few"]) == (1.0, True)
    assert found["notes"] == ["Too few to conclude: 5 verdicts of 5 people count."]


def test_undated_feedback_is_counted_when_received_and_said(store: Store) -> None:
    keep(store, [vote(n, at=None, batch_id="b") if n < 3 else vote(n) for n in range(40)])

    found = of_june(store)
    assert (found["total_feedback"], found["undated"]) == (40, 3)
    assert "3 undated, counted at import time." in found["notes"]
    assert of_june(store, days=5)["total_feedback"] == 0


def test_user_corrections_come_newest_first_with_their_question(store: Store) -> None:
    keep(
        store,
        [
            vote(1, "negative", suggested_answer="It is 2 %.", input="What is the fee?"),
            vote(2, "negative", suggested_answer="Monday.", at=NOON + timedelta(hours=1)),
            vote(3, "negative", suggested_answer=" "),
            vote(4, "negative", suggested_answer="Reviewer's own", population="reviewer"),
            vote(5, "negative", suggested_answer="Long ago", at=NOON - timedelta(days=60)),
        ],
    )

    assert of_june(store)["user_corrections"] == [
        {"feedback_id": "f00002", "question": None, "suggested_answer": "Monday."},
        {"feedback_id": "f00001", "question": "What is the fee?", "suggested_answer": "It is 2 %."},
    ]


def test_common_issues_are_counted_within_the_period(store: Store) -> None:
    recent = [vote(n, "negative", comment=f"outdated {n}") for n in range(4)]
    old = [vote(n, "negative", comment=f"slow {n}", at=NOON - timedelta(days=60)) for n in range(10, 16)]
    keep(store, recent + old)
    keep_issue(store, "outdated", "Outdated", [one.feedback_id for _, one in recent])
    keep_issue(store, "slow", "Slow", [one.feedback_id for _, one in old])

    (issue,) = of_june(store)["common_issues"]
    assert set(issue) == {"issue_id", "issue", "frequency", "sample_comments"}
    assert (issue["issue_id"], issue["issue"], issue["frequency"]) == ("outdated", "Outdated", 4)
    assert len(issue["sample_comments"]) == 3


def test_opportunities_carry_the_keys_of_the_contract(store: Store) -> None:
    bad = [vote(n, "negative", comment="old", input="What is the fee abroad?") for n in range(30)]
    keep(store, bad + [vote(n, input="When does my card arrive?") for n in range(100, 160)])
    keep_issue(store, "fees", "Fees", [one.feedback_id for _, one in bad])

    (only,) = of_june(store)["improvement_opportunities"]
    assert set(only) == {"issue_id", "title", "gain", "low", "high", "touched"}
    assert (only["issue_id"], only["title"], only["touched"]) == ("fees", "Fees", 30)
    assert 0 < only["low"] < only["gain"] < only["high"] < 1


def test_issues_of_comments_without_questions_are_said_to_have_no_opportunity(store: Store) -> None:
    bad = [vote(n, "negative", comment="slow") for n in range(40)]
    keep(store, bad)
    keep_issue(store, "slow", "Slow", [one.feedback_id for _, one in bad])

    found = of_june(store)
    assert found["improvement_opportunities"] == []
    assert any("without a question" in note for note in found["notes"])


def test_the_response_rate_is_known_where_an_import_holds_unrated_interactions(store: Store) -> None:
    keep_batch(store, "logs", complete=True)
    keep(store, [vote(1, batch_id="logs"), *(unrated(n, "logs") for n in range(10, 13))])

    assert of_june(store)["response_rate"] == 0.25


def test_the_dictionary_is_ready_for_json_also_with_strange_text(store: Store) -> None:
    strange = "<script>alert(1)</script> \u202e 日本 \u2028 =1+1"
    keep(store, [vote(1, "negative", comment=strange, suggested_answer=strange, input=strange)])
    keep_issue(store, "odd", strange, ["f00001"])

    found = of_june(store)
    assert json.loads(json.dumps(found)) == found
    assert found["user_corrections"][0]["question"] == strange
    assert found["common_issues"][0]["issue"] == strange


def test_every_figure_of_the_contract_has_a_sentence_on_how_it_is_counted(store: Store) -> None:
    explained = CONTRACT - {"positive_rate_low", "positive_rate_high"} | {"interval", "implicit_signals", "undated"}

    assert set(HOW_COUNTED) == explained
    assert all(text.endswith((".", ").")) for text in HOW_COUNTED.values())


def test_asking_twice_gives_the_same_answer(store: Store) -> None:
    keep(store, [vote(n, "negative" if n % 3 else "positive", rater=f"user {n % 9}") for n in range(90)])

    once, again = (insights(store, until=NOON.date()).as_dict() for _ in range(2))
    assert once == again
