"""What a human does to an issue: a bar of buttons, exact counts before each act, and a click that takes it back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

import streamlit as st

from feedback_lab.errors import LabError
from feedback_lab.issues import acts, detail, sending, undoing
from feedback_lab.issues.listing import STATUSES, IssueView
from feedback_lab.issues.stored import Event
from feedback_lab.published_text import reveal
from feedback_lab.store import Store
from feedback_lab.ui import issue_list, reviewing, state, words
from feedback_lab.ui.widgets import notice

MOST_ACTS = 20


def bar(store: Store, one: IssueView, days: int | None) -> None:
    """Status, owner and the rest of what can be done to the whole issue; the file holds the comments of `days`."""
    name = reviewing.reviewer()
    if name is None:
        with st.container(horizontal=True):
            with st.popover("Work on this issue", icon=":material/edit:"):
                reviewing.ask_name("Work on issues")
            _take_along(store, one, days)
        return
    if one.proposed:
        notice("attention", "Proposed: comments that fit no issue, and fit each other. Keep it as an issue, or not?")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if one.proposed:
            _button("Keep it", "check", lambda: acts.accept(store, one.issue_id, name), key="accept")
            _button("Dismiss it", "close", lambda: acts.dismiss(store, one.issue_id, name), key="dismiss",
                    done=lambda: f"{one.title!r} is no issue; its comments went where else they fit.")  # fmt: skip
        st.selectbox(
            "Status", STATUSES, index=STATUSES.index(one.status), key=f"status_{one.issue_id}_{one.status}", width=150,
            label_visibility="collapsed", on_change=_set_status, args=(one.issue_id, one.status, name),
        )  # fmt: skip
        with st.popover("Edit", icon=":material/edit:"):
            _edit(one, name)
        opened = st.popover("Merge, split", icon=":material/call_split:", key="open_merge", on_change="rerun")
        if opened.open:
            with opened:
                _merge_and_split(store, one, name)
        lock = acts.unlock if one.locked else acts.lock
        _button("Unlock" if one.locked else "Lock", "lock_open" if one.locked else "lock",
                lambda: lock(store, one.issue_id, name), key="lock",
                help="No refresh changes the comments of a locked issue; new ones that fit still join.")  # fmt: skip
        opened = st.popover("Send to review", icon=":material/rate_review:", key="open_send", on_change="rerun")
        if opened.open:
            with opened:
                _send(store, one, name)
        _take_along(store, one, days)


def _take_along(store: Store, one: IssueView, days: int | None) -> None:
    """What needs no name: the address of the issue, and its comments of the period as a file."""
    with st.popover("Copy link", icon=":material/link:"):
        st.code(_address(one.issue_id), language=None)
    st.download_button(
        f"Export {words.count(one.frequency, 'comment')}",
        lambda: issue_list.exported(store, [one.issue_id], days), "issue.csv", "text/csv",
        icon=":material/download:", on_click="ignore", key=f"export_{one.issue_id}",
    )  # fmt: skip


def comment_acts(store: Store, one: IssueView, ids: Sequence[str]) -> None:
    """Move, split off or take out the comments that were chosen in the table."""
    name = reviewing.reviewer()
    if name is None:
        st.caption("Give your name above (Work on this issue) to move comments.")
        return
    count = words.count(len(ids), "comment")
    titles = _titles_of_others(store, one)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        target = st.selectbox("Move to", list(titles), index=None,
                              format_func=lambda key: reveal(titles[key]), width=280,
                              key=f"to_{one.issue_id}", placeholder="Another issue",
                              label_visibility="collapsed")  # fmt: skip
        _button(f"Move {count}", "drive_file_move", lambda: acts.move(store, list(ids), target, name), key="move",
                disabled=target is None, done=lambda: f"{count} moved to {titles.get(target or '')!r}.")  # fmt: skip
        _button(f"Split {count} off", "call_split", lambda: acts.split(store, one.issue_id, name, feedback_ids=ids),
                key="split", done=lambda: f"{count} split off into an issue of their own.")  # fmt: skip
        _button(f"Take {count} out", "remove_circle", lambda: acts.unassign(store, list(ids), name), key="out",
                done=lambda: f"{count} taken out: in no issue now.")  # fmt: skip


def done_lately(store: Store) -> None:
    """What was done to all issues, newest first: also to those that are gone by it."""
    with st.popover("History", icon=":material/history:"):
        events = detail.history(store)[:MOST_ACTS]
        if not events:
            st.caption("Nobody has worked on an issue yet.")
        list_of_acts(events, "all")


def list_of_acts(events: Sequence[Event], key: str) -> None:
    """One act a line, with the button that takes it back."""
    for event in events:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            undone = f" (taken back by {event.undone_by})" if event.undone_by else ""
            st.text(reveal(f"{event.happened_at:%Y-%m-%d %H:%M}  {event.actor}: {event.says}{undone}"), width="stretch")
            if not event.undone_by and event.actor != "system":
                _undo_button(event.event_id, key)


def _undo_button(event_id: str, key: str) -> None:
    """Take one act back; where a later one rests on it, the sentence names that one."""
    name = reviewing.reviewer()
    if name:
        st.button("Undo", key=f"undo_{key}_{event_id}", type="tertiary", icon=":material/undo:", on_click=_do,
                  args=(lambda: undoing.undo(state.lab().store, name, event_id),))  # fmt: skip


def _edit(one: IssueView, name: str) -> None:
    with st.form(f"edit_{one.issue_id}", border=False):
        given = {
            "title": st.text_input("Title", one.title, max_chars=120),
            "owner": st.text_input("Owner", one.owner or "", max_chars=80),
            "link": st.text_input("Link", one.link or "", placeholder="https://"),
            "note": st.text_area("Note", one.note or ""),
        }
        if st.form_submit_button("Save", type="primary"):
            _do(lambda: _save(one, given, name))
            st.rerun()


def _save(one: IssueView, given: dict[str, str], name: str) -> None:
    store = state.lab().store
    if given["title"].strip() != one.title:
        acts.rename(store, one.issue_id, given["title"], name)
    for key, change in (("owner", acts.set_owner), ("note", acts.set_note), ("link", acts.set_link)):
        if given[key].strip() != (getattr(one, key) or ""):
            change(store, one.issue_id, given[key].strip() or None, name)


def _titles_of_others(store: Store, one: IssueView) -> dict[str, str]:
    """Every other issue by its id, whatever the period shown, in the order of the titles."""
    others = [other for other in issue_list.current_listing(store, None).known.issues if other.issue_id != one.issue_id]
    return {other.issue_id: other.title for other in sorted(others, key=lambda other: other.title.casefold())}


def _whole(store: Store, one: IssueView) -> IssueView:
    """The issue with all its comments: acts know no period."""
    everything = issue_list.current_listing(store, None).known.issues
    return next((other for other in everything if other.issue_id == one.issue_id), one)


def _merge_and_split(store: Store, one: IssueView, name: str) -> None:
    titles = _titles_of_others(store, one)
    one = _whole(store, one)
    into = st.selectbox("Merge it into", list(titles), index=None, format_func=lambda key: reveal(titles[key]),
                        key=f"into_{one.issue_id}", placeholder="Another issue")  # fmt: skip
    _button(f"Merge its {words.count(one.frequency, 'comment')}", "merge",
            lambda: _merge(store, one.issue_id, str(into), name), key="merge", disabled=into is None,
            done=lambda: f"{one.title!r} is part of {titles.get(into or '')!r} now.")  # fmt: skip
    if not one.sub_issues:
        st.caption("To split it, choose comments in the table below.")
        return
    parts = {part.sub_label: part for part in one.sub_issues}
    part = st.selectbox("Split a part off", list(parts), index=None, key=f"off_{one.issue_id}",
                        format_func=lambda key: reveal(parts[key].title), placeholder="One of its parts")  # fmt: skip
    count = words.count(parts[part].frequency, "comment") if part is not None else "it"
    _button(f"Split {count} off", "call_split", lambda: acts.split(store, one.issue_id, name, sub_label=part),
            key="split_part", disabled=part is None,
            done=lambda: f"{count} split off into an issue of their own.")  # fmt: skip


def _merge(store: Store, issue_id: str, into: str, name: str) -> None:
    acts.merge(store, issue_id, into, name)
    st.query_params["issue"] = into


def _send(store: Store, one: IssueView, name: str) -> None:
    try:
        counted = state.cached(
            "to_send", (one.issue_id, name), lambda: sending.send_to_review(store, one.issue_id, name, dry_run=True)
        )
    except LabError as error:
        notice("info", str(error))
        return
    st.markdown(
        f"{words.count(counted.complaints, 'complaint')}: {counted.sent:,} to send as one case, {counted.waiting:,} "
        f"wait in the queue already, {counted.decided:,} were decided."
    )
    count = words.count(counted.sent, "complaint")
    _button(f"Send {count}", "send", lambda: sending.send_to_review(store, one.issue_id, name), key="send",
            disabled=counted.sent == 0, done=lambda: f"{count} sent: one case in the queue.")  # fmt: skip
    st.page_link(state.page("review"), label="Go to the queue", icon=":material/rate_review:")


def _button(
    label: str, icon: str, act: Callable[[], Any], *, key: str, disabled: bool = False, help: str | None = None,
    done: Callable[[], str] | None = None,
) -> None:  # fmt: skip
    """A button of ours; `done` says what it did, where the page would not show it by itself."""
    st.button(label, key=f"act_{key}", icon=f":material/{icon}:", disabled=disabled, help=help, on_click=_do,
              args=(act, done))  # fmt: skip


def _set_status(issue_id: str, before: str, name: str) -> None:
    status = st.session_state[f"status_{issue_id}_{before}"]
    _do(lambda: acts.set_status(state.lab().store, issue_id, status, name))


def _do(act: Callable[[], Any], done: Callable[[], str] | None = None) -> None:
    try:
        act()
    except LabError as error:
        state.say("error", str(error))
    else:
        state.wrote()
        if done:
            state.say("done", done())


def _address(issue_id: str) -> str:
    parts = urlsplit(st.context.url or "")
    return f"{parts.scheme}://{parts.netloc}{parts.path}?issue={issue_id}"
