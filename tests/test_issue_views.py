"""What lists and pages show of issues: shares, changes, flags, where and when, and the ways out."""

import csv
import json
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from scipy import stats
from sqlalchemy import text

from feedback_lab import review, schema
from feedback_lab.errors import InputError
from feedback_lab.insights import issues as figures_of_issues
from feedback_lab.issues import acts, breakdown, detail, flags, regressions, sending, tracking
from feedback_lab.records import Entry, EntryStatus, new_id
from feedback_lab.store import Store
from tests.builders import interaction, put, said, thumb
from tests.vote_builders import keep_issue

JUNE = datetime(2026, 6, 1, 9)  # a Monday, with time for ten weeks
HOSTILE = '=HYPERLINK("http://evil.example","x")'


def complain_on(store: Store, name: str, day: float, **more: object) -> str:
    """One complaint, `day` days after the Monday; the id of its feedback."""
    moment = JUNE + timedelta(days=day)
    about = {key: more.pop(key) for key in ("question", "model", "tags") if key in more}
    question = about.pop("question", "How do I pay?")
    given = {"comment": f"the payment failed {name}", "created_at": moment, "rater_hash": f"u-{name}"} | more
    records = [interaction(f"i-{name}", question, created_at=moment, **about)]
    put(store, [*records, thumb(name, False, on=f"i-{name}", **given)])
    return name


@pytest.fixture
def history(store: Store) -> Store:
    """Issue `steady` with 2 comments a week for ten weeks, issue `surge` with 1 a week and 12 in the last."""
    steady = [complain_on(store, f"s{week}-{n}", 7 * week + n) for week in range(10) for n in range(2)]
    surge = [complain_on(store, f"g{week}", 7 * week + 3) for week in range(9)]
    surge += [complain_on(store, f"g9-{n}", 63 + n / 2) for n in range(13)]
    keep_issue(store, "steady", "Payment failed", steady)
    keep_issue(store, "surge", "Card declined", surge)
    return store


def test_the_list_counts_shares_changes_and_weeks(history: Store) -> None:
    found = tracking.listing(history)
    surge, steady = found.issues

    assert (surge.issue_id, surge.frequency, steady.frequency, found.total_comments) == ("surge", 22, 20, 42)
    assert surge.share == 22 / 42
    assert (surge.recent, surge.previous, surge.change) == (16, 4, 12)
    assert surge.weekly == [0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 13]
    assert sum(steady.weekly) == 20
    assert found.as_of == datetime(2026, 6, 1) + timedelta(days=70)


def test_an_issue_that_grows_beyond_its_own_history_is_flagged_with_its_numbers(history: Store) -> None:
    surge, steady = tracking.listing(history).issues

    assert surge.flags == ["growing"]
    assert surge.growth
    assert (surge.growth.recent, round(surge.growth.expected, 2)) == (13, 1.06)
    assert surge.growth.p_value < 0.001
    assert steady.flags == []


def test_a_period_is_compared_with_as_many_days_before_it(history: Store) -> None:
    since, until = JUNE + timedelta(days=56), JUNE + timedelta(days=70)
    surge = tracking.listing(history, since, until).issues[0]

    assert (surge.frequency, surge.recent, surge.previous) == (14, 14, 2)


def test_a_change_and_a_new_issue_need_a_history_to_be_told_by(store: Store) -> None:
    keep_issue(store, "old", "Old", [complain_on(store, f"o{day}", day) for day in range(10)])
    keep_issue(store, "late", "Late", [complain_on(store, f"l{day}", day) for day in (8, 9)])
    found = tracking.listing(store)
    assert not found.is_compared  # there were no 28 days before
    assert {one.issue_id: one.flags for one in found.issues} == {"old": [], "late": []}

    complain_on(store, "before", -60)
    found = tracking.listing(store)
    assert found.is_compared
    assert all("new" in one.flags for one in found.issues)


def test_undated_comments_count_but_make_no_week_and_no_flag(history: Store) -> None:
    put(history, [interaction("i-u"), thumb("u", False, on="i-u", comment="no date", created_at=None, batch_id="b")])
    member = {"feedback_id": "u", "issue_id": "steady", "score": 1.0}
    history.write(lambda connection: connection.execute(schema.issue_member.insert().values(**member)))

    steady = next(one for one in tracking.listing(history).issues if one.issue_id == "steady")
    assert (steady.frequency, sum(steady.weekly)) == (21, 20)


def test_the_list_can_be_searched_filtered_and_sorted(history: Store) -> None:
    acts.set_owner(history, "steady", "Ada", "ada")
    views = tracking.listing(history).issues

    assert [one.issue_id for one in tracking.select(views, search="CARD declined")] == ["surge"]
    assert [one.issue_id for one in tracking.select(views, owner="ada")] == ["steady"]
    assert [one.issue_id for one in tracking.select(views, flag="growing")] == ["surge"]
    assert [one.issue_id for one in tracking.select(views, sort="title")] == ["surge", "steady"]
    assert tracking.select(views, statuses=["fixing"]) == []
    with pytest.raises(InputError, match="no flag 'hot'"):
        tracking.select(views, flag="hot")


def test_growth_is_judged_against_the_scatter_of_the_weeks() -> None:
    calm = {str(n): [10, 9, 11, 10, 10, 9, 11, 10, 22] for n in range(5)}
    wild = {str(n): [2, 25, 1, 18, 3, 20, 1, 12, 22] for n in range(5)}

    assert flags.growing(calm).keys() == calm.keys()
    assert flags.growing(wild) == {}


def test_growth_of_a_calm_history_has_the_p_value_of_a_negative_binomial() -> None:
    found = flags.growth({"one": [4, 4, 4, 4, 4, 4, 4, 4, 9]})["one"]
    mean = 32.5 / 8
    size = mean**2 / (mean * 9 / 8 - mean)

    assert found.expected == mean
    assert found.p_value == pytest.approx(1 - stats.nbinom.cdf(8, size, size / (size + mean)))


def test_nothing_is_said_about_growth_without_a_history() -> None:
    assert flags.growing({"one": [1, 1, 30]}) == {}
    assert flags.growing({}) == {}


@pytest.mark.parametrize(
    ("returned", "days", "usual", "expected"),
    [(2, 7, 0.1, False), (3, 7, 0.01, True), (5, 7, 2.0, False), (14, 7, 2.0, True), (3, 0, 5.0, True)],
)
def test_an_issue_regresses_where_more_comes_back_than_a_fix_leaves(
    returned: int, days: float, usual: float, expected: bool
) -> None:
    assert flags.has_regressed(returned, days, usual) is expected


def test_the_detail_shows_comments_weeks_questions_and_history(history: Store) -> None:
    history.write(
        lambda c: c.execute(
            schema.marker.insert().values(
                marker_id=new_id(), happened_at=JUNE + timedelta(days=20), kind="release", label="2.0"
            )
        )
    )
    acts.rename(history, "surge", "Card declined abroad", "ada")
    found = detail.detail(history, "surge", limit=5, offset=20)

    assert (found.comments.total, len(found.comments.comments)) == (22, 2)
    assert [n for _, n in found.timeline.weeks] == [1] * 9 + [13]
    assert [marker[2] for marker in found.timeline.markers] == ["2.0"]
    assert found.questions == [("How do I pay?", 22)]
    assert [event.says for event in found.history] == ["Renamed “Card declined” to “Card declined abroad”"]
    assert detail.comments(history, "surge", offset=500).total == 22
    with pytest.raises(InputError, match="no issue 'nowhere'"):
        detail.detail(history, "nowhere")


def test_where_an_issue_is_a_greater_part_of_the_complaints_is_told_apart_from_chance(store: Store) -> None:
    for n in range(60):
        complain_on(store, f"a{n}", n / 10, model="old" if n % 2 else "new", tags={"plan": "free"})
        complain_on(store, f"b{n}", n / 10, model="new" if n < 54 else "old", tags={"plan": "free"})
    keep_issue(store, "even", "Even", [f"a{n}" for n in range(60)])
    keep_issue(store, "new", "New", [f"b{n}" for n in range(60)])

    by_value = {one.value: one for one in breakdown.breakdown(store).where("new")}
    assert by_value.keys() == {"new", "old"}  # the one plan that all have says nothing
    new = by_value["new"]
    assert (new.comments, new.of_all, new.share, new.rest_share) == (54, 84, 54 / 84, 6 / 36)
    assert new.low < new.share < new.high
    assert new.differs


def test_one_pass_tells_the_weeks_questions_and_tags_of_each_issue_apart(history: Store) -> None:
    for n in range(3):
        complain_on(history, f"t{n}", 7 * n, question="Where is my card?", tags={"plan": "gold" if n else "free"})
    keep_issue(history, "tagged", "Card lost", [f"t{n}" for n in range(3)])
    found = breakdown.breakdown(history)

    assert found.weeks("tagged") == [(datetime(2026, 6, 1) + timedelta(weeks=n), 1) for n in range(3)]
    assert sum(n for _, n in found.weeks("steady")) == 20
    assert (found.questions("tagged"), found.questions("steady")) == (
        [("Where is my card?", 3)],
        [("How do I pay?", 20)],
    )
    tags = {one.value: (one.comments, one.of_all) for one in found.where("tagged")}
    assert tags == {"gold": (2, 2), "free": (1, 1), breakdown.NOT_GIVEN: (0, 42)}
    assert found.where("steady") == []  # none of its comments has the tag
    since = JUNE + timedelta(days=7)
    assert breakdown.breakdown(history, since).questions("tagged") == [("Where is my card?", 2)]
    assert breakdown.breakdown(history).weeks("nowhere") == []


def test_of_several_resolved_issues_those_regress_whose_complaints_came_back(history: Store) -> None:
    for name, day in (("surge", 60), ("steady", 60)):
        values = {"issue": name, "moment": JUNE + timedelta(days=day)}
        history.write(
            lambda c, values=values: c.execute(
                text("UPDATE issue SET status = 'resolved', resolved_at = :moment WHERE issue_id = :issue"), values
            )
        )
    assert regressions.regressed(history, JUNE + timedelta(days=70)) == {"surge"}
    assert regressions.regressed(history, JUNE + timedelta(days=61)) == set()


def test_wilsons_interval_of_a_segment_agrees_with_scipy() -> None:
    one = breakdown.segments("model", {"a": (7, 20), "b": (3, 40)}, 10, 60)[0]
    expected = stats.binomtest(7, 20).proportion_ci(method="wilson")

    assert (one.low, one.high) == pytest.approx((expected.low, expected.high))


def test_sending_an_issue_to_review_says_the_exact_counts_first(history: Store) -> None:
    dry = sending.send_to_review(history, "surge", "ada", dry_run=True)
    assert dry == sending.Sent(complaints=22, sent=22, waiting=0, decided=0, task_id=None)
    assert review.tasks(history) == []

    sent = sending.send_to_review(history, "surge", "ada")
    [task] = review.tasks(history)
    assert (task.task_id, task.rule, len(task.feedback_ids)) == (sent.task_id, "issue", 22)
    assert task.reason == "ada sent the issue “Card declined”: 22 complaints of 22 people"
    assert review.case(history, task.task_id).task == task

    complain_on(history, "late", 69)
    member = {"feedback_id": "late", "issue_id": "surge", "score": 0.9}
    history.write(lambda connection: connection.execute(schema.issue_member.insert().values(**member)))
    again = sending.send_to_review(history, "surge", "ada")
    assert (again.complaints, again.sent, again.waiting) == (23, 1, 22)
    assert sending.send_to_review(history, "surge", "ada").task_id is None
    assert len(review.tasks(history)) == 2


def test_a_comment_that_is_not_the_verdict_itself_goes_by_its_verdict(store: Store) -> None:
    put(
        store,
        [
            interaction("i"),
            thumb("thumb", False, on="i", rater_hash="u"),
            thumb("other", False, on="i", rater_hash="v"),
            said("said", "comment", on="i", rater_hash="u", comment="wrong card"),
        ],
    )
    keep_issue(store, "one", "Card", ["said"])
    sending.send_to_review(store, "one", "ada")

    assert store.rows("SELECT feedback_id FROM task_feedback") == [{"feedback_id": "thumb"}]


def test_an_exported_cell_cannot_become_a_formula(history: Store, tmp_path: Path) -> None:
    complain_on(history, "bad", 1, comment=HOSTILE, question="two\nlines")
    keep_issue(history, "hostile", "+1", ["bad"])
    target = tmp_path / "comments.csv"

    assert sending.export(history, target, issue_ids=["hostile"]) == 1
    with target.open(newline="", encoding="utf-8") as handle:
        [row] = csv.DictReader(handle)
    assert (row["comment"], row["issue"], row["question"]) == (f"'{HOSTILE}", "'+1", "two\nlines")

    lines = tmp_path / "comments.jsonl"
    assert sending.export(history, lines) == 43
    texts = [json.loads(line)["comment"] for line in lines.read_text("utf-8").splitlines()]
    assert HOSTILE in texts
    with pytest.raises(InputError, match="'xlsx'"):
        sending.export(history, tmp_path / "comments.xlsx")


def test_an_issue_has_the_rate_of_what_it_touches_and_the_share_that_is_answered(store: Store) -> None:
    asked = "How do I reset my password?"
    bad = [complain_on(store, f"p{n}", n / 10, question=asked) for n in range(4)]
    bad += [complain_on(store, "q", 0, question="What does a transfer to Brazil cost?")]
    for n in range(8):
        good = thumb(f"good{n}", True, on=f"i-good{n}", rater_hash=f"g{n}", created_at=JUNE)
        put(store, [interaction(f"i-good{n}", asked), good])
    keep_issue(store, "reset", "Reset", bad)
    entries = [Entry("K-1", asked, "In the menu."), Entry("K-2", "Transfer to Brazil cost", "9 €", EntryStatus.RETIRED)]
    found = figures_of_issues.figures(
        store, entries, date(2026, 6, 1), date(2026, 6, 30), similarity=0.5, touch_similarity=0.7
    )["reset"]

    assert (found.questions, found.answered, found.answered_share) == (5, 4, 0.8)
    assert found.touched
    assert (found.touched.n_uncapped, found.touched.rate) == (12, 8 / 12)


def test_figures_of_issues_without_questions_are_none(store: Store) -> None:
    keep_issue(store, "mute", "Mute", [complain_on(store, "m", 0, question=None)])
    days = (date(2026, 6, 1), date(2026, 6, 30))

    assert figures_of_issues.figures(store, [], *days, similarity=0.5, touch_similarity=0.7) == {}
    assert not figures_of_issues.are_answered([], ["anything"], 0.5).any()
