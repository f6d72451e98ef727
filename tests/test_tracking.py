"""Issues: clusters are computed, issues are kept."""

import itertools
from datetime import timedelta

import pytest

from feedback_lab.errors import InputError
from feedback_lab.issues import tracking
from feedback_lab.store import Store
from tests.builders import MONDAY, interaction, put, thumb
from tests.issue_builders import refreshed

WHO = ("today", "again", "since monday", "for my mother", "on my phone", "twice", "in Berlin", "with the app")
COMPLAINTS = {
    "card": "my new card has not arrived in the mail {}",
    "rate": "the exchange rate for the foreign payment was wrong {}",
    "login": "I cannot log in because the password reset fails {}",
}


def complain(store: Store, kind: str, count: int, start: int = 0) -> list[str]:
    names = [f"f-{kind}-{number}" for number in range(start, start + count)]
    for number, name in enumerate(names, start):
        text = COMPLAINTS[kind].format(WHO[number % len(WHO)]) + f" {'!' * (number % 3)}"
        put(store, [interaction(f"i-{name}"), thumb(name, False, on=f"i-{name}", comment=text)])
    return names


@pytest.fixture
def complained(store: Store) -> Store:
    for kind in COMPLAINTS:
        complain(store, kind, 12)
    return store


def test_every_negative_comment_is_assigned_or_unassigned(complained: Store) -> None:
    put(complained, [interaction("i-odd"), thumb("f-odd", False, on="i-odd", comment="👎")])
    found = refreshed(complained)

    assert found.total_comments == 37 == found.assigned + found.unassigned
    assert found.assigned == sum(issue.frequency for issue in found.issues)
    assert found.assigned >= 30


def test_an_issue_can_be_read(complained: Store) -> None:
    found = refreshed(complained)

    texts = set(complained.frame("SELECT comment FROM feedback")["comment"])
    titles = [issue.title for issue in found.issues]
    assert len(titles) == len(set(titles))
    for issue in found.issues:
        assert issue.title
        assert issue.keywords
        assert len(issue.sample_comments) == 3
        assert {issue.representative, *issue.sample_comments} <= texts


def test_a_second_refresh_on_the_same_comments_changes_nothing(complained: Store) -> None:
    assert refreshed(complained) == refreshed(complained)


def test_ids_and_human_titles_survive_new_comments(complained: Store) -> None:
    before = refreshed(complained)
    chosen = before.issues[0]
    tracking.rename(complained, chosen.issue_id, "What people said first", "ada")
    for kind in COMPLAINTS:
        complain(complained, kind, 2, start=12)
    after = refreshed(complained)

    assert {issue.issue_id for issue in before.issues} <= {issue.issue_id for issue in after.issues}
    kept = next(issue for issue in after.issues if issue.issue_id == chosen.issue_id)
    assert kept.title == "What people said first"


def test_new_comments_join_the_issues_there_are_without_clustering(complained: Store) -> None:
    before = refreshed(complained)
    fresh = complain(complained, "card", 3, start=12)
    assert tracking.listing(complained).unassigned == before.unassigned + 3

    assert tracking.assign_new(complained) == 3
    assert tracking.assign_new(complained) == 0
    pairs = dict(tracking.members(complained).itertuples(index=False))
    assert {pairs.get(name) for name in fresh} == {pairs["f-card-0"]}


def test_before_the_first_refresh_nothing_is_assigned(complained: Store) -> None:
    assert tracking.assign_new(complained) == 0
    assert tracking.listing(complained).issues == []


def test_no_comment_at_all_is_an_empty_list(store: Store) -> None:
    found = refreshed(store)

    assert (found.total_comments, found.assigned, found.unassigned, found.issues) == (0, 0, 0, [])


def test_a_comment_whose_rater_changed_his_mind_is_no_complaint_any_more(complained: Store) -> None:
    before = refreshed(complained)
    put(complained, [thumb("f-later", True, on="i-f-card-0", created_at=MONDAY + timedelta(days=1))])

    assert tracking.listing(complained).total_comments == before.total_comments - 1


def test_a_period_counts_only_its_own_comments(complained: Store) -> None:
    tracking.refresh(complained)
    moment = complained.scalar("SELECT max(created_at) FROM feedback")

    assert tracking.listing(complained, since=moment).total_comments == 36
    assert tracking.listing(complained, until=moment).total_comments == 0


def test_an_issue_with_a_humans_title_stays_when_no_cluster_continues_it(complained: Store) -> None:
    issue = refreshed(complained).issues[0]
    tracking.rename(complained, issue.issue_id, "Kept by a human", "ada")
    complained.write(lambda c: c.exec_driver_sql("UPDATE feedback SET comment = NULL"))
    tracking.refresh(complained)

    assert complained.rows("SELECT title FROM issue") == [{"title": "Kept by a human"}]


@pytest.mark.parametrize("title", ["", "  ", "x" * 121])
def test_a_title_that_nobody_could_read_is_refused(complained: Store, title: str) -> None:
    with pytest.raises(InputError, match="1 to 120"):
        tracking.rename(complained, "any", title, "ada")


def test_renaming_an_issue_that_is_not_there_says_so(store: Store) -> None:
    with pytest.raises(InputError, match="no issue 'nowhere'"):
        tracking.rename(store, "nowhere", "Title", "ada")


def test_identity_goes_to_the_cluster_with_most_shared_members() -> None:
    old = ["a"] * 6 + ["b"] * 4 + [None] * 2
    new = [1] * 5 + [0] * 5 + [2, 2]

    assert tracking.match(old, new) == {1: "a", 0: "b"}


def test_a_cluster_that_shares_little_gets_a_new_identity() -> None:
    assert tracking.match(["a"] * 10, list(itertools.repeat(0, 2)) + list(range(1, 9))) == {}


def test_a_store_that_takes_no_writes_still_shows_its_issues(complained: Store) -> None:
    tracking.refresh(complained)
    complain(complained, "card", 1, start=50)
    complained.damage = "short"

    assert tracking.assign_new(complained) == 0
    assert tracking.listing(complained).unassigned == 1
