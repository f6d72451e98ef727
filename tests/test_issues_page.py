"""The Issues page: the list, its filters in the address, and what a human does to one issue."""

import os
from datetime import timedelta

import pyarrow as pa
from sqlalchemy import text
from streamlit.testing.v1 import AppTest

from feedback_lab import review, schema
from feedback_lab.issues import acts, listing, tracking
from feedback_lab.records import utc_now
from feedback_lab.serving import Lab
from feedback_lab.ui import issue_list
from tests.builders import pattern
from tests.issue_builders import complain, refreshed
from tests.page_builders import ENTRY_POINT, ROOT, press, unfold, words_of


def complaints(lab: Lab) -> list[str]:
    """Issues of twelve comments about a card, eight about a rate, six about logging in: their ids, largest first."""
    complain(lab.store, "card", 12)
    complain(lab.store, "rate", 8)
    complain(lab.store, "login", 6)
    return [one.issue_id for one in refreshed(lab.store).issues]


def issues(reviewer: str | None = "Ana", **address: str) -> AppTest:
    app = AppTest.from_file(str(ENTRY_POINT), default_timeout=60)
    for name, value in address.items():
        app.query_params[name] = value
    app.run()
    if reviewer:
        app.session_state["reviewer"] = reviewer
    return app.switch_page(os.path.relpath(ROOT / "pages" / "issues.py", ENTRY_POINT.parent)).run()


def table(app: AppTest) -> list[str]:
    return list(app.dataframe[0].value["Issue"])


def test_the_list_answers_with_what_fits_none_and_what_says_nothing(lab: Lab) -> None:
    assert len(complaints(lab)) == 3
    app = issues()
    assert not app.exception
    assert "3 issues in 26 negative comments; 0 (0.0 %) fit none, 0 (0.0 %) say nothing" in words_of(app)
    assert list(app.dataframe[0].value["Comments"]) == [12, 8, 6]
    assert "Export these 26 comments" in [one.label for one in app.get("download_button")]


def test_filters_and_columns_come_from_the_address_and_the_export_obeys_them(lab: Lab) -> None:
    _, rate, _ = complaints(lab)
    app = issues(q="rate", cols="Share")
    assert table(app) == [one.title for one in listing.listing(lab.store).issues if one.issue_id == rate]
    assert list(app.dataframe[0].value.columns) == ["Issue", "Comments", "Share"]
    assert "Export these 8 comments" in [one.label for one in app.get("download_button")]
    assert "No issue fits these filters." in words_of(issues(q="parcel"))


def test_an_address_opens_its_issue_and_that_of_a_merged_one_leads_on(lab: Lab) -> None:
    first, second, _ = complaints(lab)
    app = issues(issue=second)
    assert "exchange rate" in words_of(app)
    acts.merge(lab.store, second, first, "Bob")
    merged = issues(issue=second)
    assert "was merged into the one below" in words_of(merged)
    assert "2 issues in 26 negative comments" in words_of(merged)


def test_nobody_works_on_an_issue_without_a_name(lab: Lab) -> None:
    complaints(lab)
    app = issues(reviewer=None)
    assert "Work on issues" in [button.label for button in app.button]
    assert "Lock" not in [button.label for button in app.button]


def test_status_lock_and_title_are_kept_recorded_and_taken_back(lab: Lab) -> None:
    first, *_ = complaints(lab)
    app = issues(issue=first)
    next(box for box in app.selectbox if box.label == "Status").select("fixing").run()
    press(app, "Lock")
    app.text_input[[box.label for box in app.text_input].index("Title")].input("Dead link in the mail")
    press(app, "Save")
    one = next(one for one in listing.listing(lab.store).issues if one.issue_id == first)
    assert (one.status, one.locked, one.title, one.title_by) == ("fixing", True, "Dead link in the mail", "Ana")
    assert "Dead link in the mail" in table(app)

    newest = next(button for button in app.button if button.label == "Undo" and first in str(button.key))
    newest.click().run()
    one = next(one for one in listing.listing(lab.store).issues if one.issue_id == first)
    assert one.title != "Dead link in the mail"
    assert "taken back by Ana" in words_of(app)


def test_an_issue_is_sent_to_review_with_its_exact_count_first(lab: Lab) -> None:
    first, *_ = complaints(lab)
    app = unfold(issues(issue=first), "open_send")
    assert "12 complaints: 12 to send as one case" in words_of(app)
    press(app, "Send 12 complaints")
    (task,) = review.tasks(lab.store)
    assert len(task.feedback_ids) == 12
    assert "0 to send as one case, 12 wait in the queue already" in words_of(app)


def exports(app: AppTest) -> list[str]:
    return [one.label for one in app.get("download_button")]


def test_an_issue_is_exported_with_its_exact_count_and_in_the_period_shown(lab: Lab) -> None:
    complain(lab.store, "card", 12, at=utc_now() - timedelta(days=40))
    complain(lab.store, "card", 5, start=12, at=utc_now() - timedelta(days=2))
    (card,) = (one.issue_id for one in refreshed(lab.store).issues)
    assert "Export 17 comments" in exports(issues(issue=card))
    assert "Export 5 comments" in exports(issues(issue=card, period="30 days"))
    since = issue_list.since_days(30)
    assert since is not None
    assert len(issue_list.exported(lab.store, [card], 30).splitlines()) == 1 + 5


def test_an_issue_of_undated_comments_has_no_first_and_last_day(lab: Lab) -> None:
    complaints(lab)
    lab.store.write(lambda c: c.execute(text("UPDATE feedback SET created_at = NULL, batch_id = 'b'")))
    app = issues()
    assert not app.exception
    assert "None of these comments has a date" in words_of(app)
    assert "irst 20" not in words_of(app)
    assert table(issues(sort="Said last")) == table(app)


def test_changes_are_shown_with_their_sign_and_none_as_a_plain_zero(lab: Lab) -> None:
    long_ago, lately = utc_now() - timedelta(days=40), utc_now() - timedelta(days=2)
    complain(lab.store, "card", 6, at=long_ago)
    complain(lab.store, "card", 6, start=6, at=lately)
    complain(lab.store, "rate", 2, at=long_ago)
    complain(lab.store, "rate", 7, start=2, at=lately)
    complain(lab.store, "login", 1, at=utc_now() - timedelta(days=80))
    refreshed(lab.store)
    shown = issues().dataframe[0].proto.arrow_data.styler.display_values
    cells = pa.ipc.open_stream(shown).read_all().to_pandas()
    assert {"0", "+5"} <= set(cells.to_numpy().ravel())


def test_the_pages_of_a_part_are_as_many_as_it_fills(lab: Lab) -> None:
    complain(lab.store, "card", 12)
    complain(lab.store, "rate", 60)
    one = refreshed(lab.store).issues[0]
    part = {"sub_label": 0, "title": "A part", "keywords": [], "representative": "", "comments": 3}
    lab.store.write(lambda c: c.execute(schema.issue.update().values(sub_issues=[part])))
    some = "UPDATE issue_member SET sub_label = 0 WHERE feedback_id IN ('f-rate-1', 'f-rate-2', 'f-rate-3')"
    lab.store.write(lambda c: c.execute(text(some)))
    app = issues(issue=one.issue_id)
    assert app.get("pagination")
    next(box for box in app.selectbox if box.label == "Part").select_index(0).run()
    assert "1 to 3 of 3" in words_of(app)
    assert not app.get("pagination")


def test_a_refresh_is_shown_before_it_changes_anything(lab: Lab) -> None:
    before = complaints(lab)
    complain(lab.store, "voice", 9)
    app = press(issues(), "Group everything from nothing")
    assert "This would change" in words_of(app)
    assert "35 negative comments" in words_of(app)
    with lab.store.read():
        assert len([one for one in listing.listing(lab.store).issues if not one.proposed]) == 3
    press(app, "Apply")
    after = {one.issue_id for one in listing.listing(lab.store).issues}
    assert set(before) < after


def test_what_fits_none_and_what_says_nothing_can_be_opened(lab: Lab) -> None:
    complaints(lab)
    pattern(lab.store, "Which parcel?", negative=2, start=90, comment="bad")
    tracking.assign_new(lab.store)
    app = issues()
    assert "2 (7.1 %) say nothing" in words_of(app)
    unfold(app, "open_loose_True")
    low = next(frame.value for frame in app.dataframe if list(frame.value.get("Comment", [])) == ["bad", "bad"])
    assert list(low["Question"]) == ["Which parcel?"] * 2


def test_issues_without_a_comment_in_the_period_are_found_on_request(lab: Lab) -> None:
    long_ago = utc_now() - timedelta(days=200)
    complain(lab.store, "card", 12, at=utc_now() - timedelta(days=1))
    complain(lab.store, "rate", 8, at=long_ago)
    recent, old = (one.issue_id for one in refreshed(lab.store).issues)

    app = issues(period="30 days")
    assert list(app.dataframe[0].value["Comments"]) == [12]
    assert "1 issue of 2 shown" in words_of(app)
    switch = next(one for one in app.toggle if one.label == "Show 1 more without a comment in this period")
    assert list(switch.set_value(True).run().dataframe[0].value["Comments"]) == [12, 0]

    opened = words_of(issues(period="30 days", issue=old))
    assert "exchange rate" in opened
    assert "0 comments" in opened
    assert "Show 1 more" not in "".join(one.label for one in issues(issue=recent).toggle)
