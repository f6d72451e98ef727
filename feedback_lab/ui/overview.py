"""What the Overview page says and draws: the sentence, the cards, the chart, what to fix first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import pandas as pd
import streamlit as st

from feedback_lab import review
from feedback_lab.insights import periods, summary
from feedback_lab.insights.opportunities import Opportunity
from feedback_lab.insights.periods import Comparison, Period
from feedback_lab.insights.rates import Rate
from feedback_lab.insights.summary import CommonIssue, Insights, Wins
from feedback_lab.published_text import reveal
from feedback_lab.records import utc_now
from feedback_lab.store import Store
from feedback_lab.ui import background, charts, state, words
from feedback_lab.ui.background import Figures, counted, say_how_old
from feedback_lab.ui.theme import palette
from feedback_lab.ui.widgets import marker_list, pick_list
from feedback_lab.verdicts import OPINIONS

PERIODS = (7, 30, 90, 365)
USUAL_DAYS = 30
WEEKLY_FROM = 60  # days: a longer period is drawn by week
LATEST_SQL = f"SELECT max(happened_at) FROM ({OPINIONS}) AS opinion"
MARKERS_SQL = """
    SELECT happened_at, label FROM marker WHERE happened_at >= :since AND happened_at < :until ORDER BY happened_at
"""
TASKS_SQL = "SELECT count(*) AS n, min(created_at) AS oldest FROM task WHERE status IN ('open', 'claimed')"
COUNTED = ("positive_rate", "interval", "positive_rate_uncapped", "positive_share", "response_rate", "undated")
MOST_MARKERS = 12
CARD_HEIGHT = 176  # px
MOST_ROWS = 12


@dataclass(frozen=True, slots=True)
class Numbers:
    """All numbers of one period but what there is to win, which takes longest."""

    insights: Insights
    feedback_before: int
    feedback_by_day: pd.DataFrame
    markers: list[tuple[datetime, str]]


def latest_day(store: Store) -> date | None:
    """The day of the newest opinion; None where there is none. An old log is shown by its own last days."""
    latest: datetime | None = store.scalar(LATEST_SQL)
    return latest.date() if latest else None


def last_day(latest: date) -> date:
    """The day with which the page's periods end, unless another is chosen."""
    return min(latest, utc_now().date())


def current_numbers(store: Store, period: Period) -> Figures[Numbers]:
    """The numbers of a period, counted once for all sessions."""
    return counted(*_numbers_of(store, period), meanwhile=charts.show_empty)


def prepare(store: Store) -> None:
    """Count the period that the page opens with, before somebody opens it."""
    if latest := latest_day(store):
        background.prepare(store, *_numbers_of(store, periods.last_days(USUAL_DAYS, last_day(latest))))


def _numbers_of(store: Store, period: Period) -> tuple[str, tuple[Any, ...], Callable[[], Numbers]]:
    return "overview", (period,), lambda: numbers(store, period)


def numbers(store: Store, period: Period) -> Numbers:
    """Everything that the page shows of a period, except the split and what there is to win."""
    before = period.previous()
    step = _step(period)
    return Numbers(
        insights=summary.counted(store, period, step),
        feedback_before=int(periods.feedback_over_time(store, before.since, before.until)["feedback"].sum()),
        feedback_by_day=periods.feedback_over_time(store, period.since, period.until, step=step),
        markers=[(row["happened_at"], row["label"]) for row in store.rows(MARKERS_SQL, **period.bounds)][:MOST_MARKERS],
    )


def sentence(found: Comparison, days: int) -> str:
    """The page's answer: the figure with its interval, n and users, and the change to the period before."""
    rate, change = found.current, found.change
    if rate.rate is None:
        return f"Nobody has judged an answer in these {days} days"
    head = (
        f"Positive rate is {words.percent(rate.rate)} ({words.interval(rate.low, rate.high)}, n {rate.n:,}, "
        f"{words.count(rate.raters, 'user')})"
    )
    if rate.too_few:
        return f"{head}: too few to conclude"
    if change is None:
        return head
    if abs(change) < 0.0005:
        return f"{head}, as in the {days} days before"
    by_chance = found.low is not None and found.high is not None and found.low <= 0 <= found.high
    side = "above" if change > 0 else "below"
    return f"{head}, {100 * abs(change):.1f} points {side} the {days} days before" + (
        ", which may be chance" if by_chance else ""
    )


def cards(found: Numbers) -> None:
    """The four figures with their change and a small history."""
    insights, headline = found.insights, found.insights.headline
    rate, answered, total = insights.rate, insights.response_rate, insights.total_feedback
    before = insights.response_rate_before
    more = answered - before if answered is not None and before is not None else None
    with st.grid(4, min_column_width=300, gap="small"):
        st.metric(
            "Positive rate", words.percent(rate.rate), **_change_of_rate(headline.comparison.change, is_good=True),
            border=True, height=CARD_HEIGHT, chart_data=_history(headline.over_time, "rate"),
            help=_versions(rate, insights),
            delta_description=f"n {rate.n:,}",
        )  # fmt: skip
        st.metric(
            "Feedback", f"{total:,}", words.change(total, found.feedback_before), delta_color="off", border=True,
            height=CARD_HEIGHT, chart_data=_history(found.feedback_by_day, "feedback"), chart_type="bar",
        )  # fmt: skip
        st.metric(
            "Response rate", words.percent(answered), border=True, height=CARD_HEIGHT,
            **_change_of_rate(more, is_good=False),
            delta_description=None if answered is not None else "no log with unrated answers",
            help="Interactions with a verdict, of all interactions in logs that hold unrated ones too.",
        )  # fmt: skip
        _task_card()


def split(store: Store, period: Period, by: str) -> pd.DataFrame:
    """The positive rate over time of each segment, the one with most verdicts first."""
    frame = periods.rate_over_time(store, period.since, period.until, by=by, step=_step(period))
    return frame.assign(size=frame.groupby("segment")["n"].transform("sum")).sort_values(
        ["size", "segment", "start"], ascending=[False, True, True]
    )


def chart(found: Numbers, frame: pd.DataFrame, period: Period, by: str | None) -> None:
    """Positive rate over time, split where asked, with its notes. `frame` is the whole, or the split of it."""
    step, undated = _step(period), found.insights.headline.beside.undated
    if frame.empty:
        more = f"; {words.count(undated, 'undated one')} cannot be drawn" if undated else ""
        st.caption(f"No verdict with a date in this period{more}.")
        return
    charts.show(
        charts.rate_over_time(frame, found.markers, palette()), f"rate_{by}",
        f"Positive rate by {step}, with its interval and the number of verdicts",
    )  # fmt: skip
    marker_list(found.markers, "overview")
    notes = [f"{words.count(undated, 'undated verdict')} left out of the chart"] if undated else []
    left_out = frame["segment"].nunique() - charts.MOST_SEGMENTS
    notes += [f"{words.count(left_out, 'smaller segment')} not drawn"] if left_out > 0 else []
    if notes:
        st.caption(". ".join(notes) + ".")


def fix_first(issues: Sequence[CommonIssue], made: Figures[Wins]) -> None:
    """Issues by what there is to win, then by how often they were said; choosing one opens it."""
    wins = {one.issue_id: one for one in made.value.opportunities} if made.value else {}
    common = {one.issue_id: one for one in issues}
    ids = list(dict.fromkeys([*wins, *common]))[:MOST_ROWS]
    if not ids:
        grouped = bool(state.lab().store.scalar("SELECT count(*) FROM issue"))
        st.caption(
            "No negative comment in this period."
            if grouped
            else "No issue yet: on the Issues page, group the negative comments first."
        )
        st.page_link(
            state.page("issues"), label="All issues" if grouped else "Group the comments",
            icon=":material/arrow_forward:",
        )  # fmt: skip
        return
    frame = pd.DataFrame(
        {
            "Issue": [reveal(wins[one].title if one in wins else common[one].title) for one in ids],
            "Comments": [common[one].frequency if one in common else 0 for one in ids],
            "Points to win": [_gain(wins.get(one)) for one in ids],
        }
    )
    pick_list(
        frame, "fix_first", ids, None, _open_issue, height="content",
        columns={"Issue": st.column_config.TextColumn(width=320),
                 "Comments": st.column_config.NumberColumn(width=80, format="localized"),
                 "Points to win": st.column_config.TextColumn(width=150, help="Of positive rate, if the issue were "
                                                              "as good as the rest; its interval beside it")},
    )  # fmt: skip
    say_how_old(made, "What there is to win by mending each is being worked out.")
    for note in made.value.notes if made.value else ():
        st.caption(note)
    if opened := st.session_state.pop("open_issue", None):
        st.switch_page(state.page("issues"), query_params={"issue": opened})


def corrections(rows: Sequence[dict[str, Any]]) -> None:
    """What users proposed instead, newest first."""
    if not rows:
        st.caption("No user proposed a better answer in this period.")
        return
    st.dataframe(
        pd.DataFrame(
            {
                "Question": [reveal(row["question"] or "")[:500] for row in rows],
                "Suggested answer": [reveal(row["suggested_answer"] or "")[:500] for row in rows],
            }
        ),
        hide_index=True, row_height=34, key="corrections", height=min(36 + 35 * len(rows), 460),
    )  # fmt: skip


def _step(period: Period) -> periods.Step:
    return "week" if period.days >= WEEKLY_FROM else "day"


def _history(frame: pd.DataFrame, column: str) -> list[float] | None:
    values = frame[column].dropna().tolist()
    return values if len(values) > 1 else None


def _change_of_rate(change: float | None, *, is_good: bool) -> dict[str, Any]:
    """The delta of a metric: coloured where more of it is good, without colour and arrow where it rounds to nothing."""
    shown = words.points(change)
    if shown == words.points(0.0):
        return {"delta": shown, "delta_color": "off", "delta_arrow": "off"}
    return {"delta": shown, "delta_color": "normal" if is_good else "off"}


def _versions(rate: Rate, insights: Insights) -> str:
    return (
        f"At most 3 verdicts a user. Uncapped: {words.percent(rate.uncapped)}, n {rate.n_uncapped:,}. "
        f"Positive share of all feedback: {words.percent(insights.positive_share)}."
    )


def _task_card() -> None:
    store, now = state.lab().store, utc_now()
    row = store.rows(TASKS_SQL)[0]
    week = review.decided_since(store, now - timedelta(days=7))
    oldest = f"oldest {words.ago(row['oldest'], now)}" if row["n"] else "nothing waits"
    with st.container(border=True, height=CARD_HEIGHT, gap="xsmall"):
        st.metric("Open tasks", f"{row['n']:,}")
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(f"{oldest}, {week:,} decided in 7 days")
            st.page_link(state.page("review"), label="Review", icon=":material/arrow_forward:")


def _gain(one: Opportunity | None) -> str:
    if one is None:
        return ""
    gain, low, high = (words.signed(100 * number) for number in (one.gain, one.low, one.high))
    return f"{gain} ({low} to {high})"


def _open_issue(issue_id: str) -> None:
    st.session_state["open_issue"] = issue_id
