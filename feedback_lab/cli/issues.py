"""Commands for issues: look at them, refresh them, act on them, take them elsewhere.

The issues' rooms need scikit-learn and are imported inside the commands: that costs a second, which `--help` and the
other commands need not pay.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from feedback_lab.cli import issue_acts
from feedback_lab.cli.issue_acts import By, Issue, event_as_json
from feedback_lab.cli.output import Json, emit, moment, progress, table
from feedback_lab.cli.session import session
from feedback_lab.errors import InputError
from feedback_lab.numerals import count, interval, more_or_fewer, percent

if TYPE_CHECKING:
    from feedback_lab.issues.listing import IssueList, IssueView
    from feedback_lab.issues.refreshing import RefreshPlan

Since = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First day, UTC.")]
Until = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last day, UTC, inclusive.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would happen; write nothing.")]


def register(app: typer.Typer) -> None:
    issues = typer.Typer(help="What people complain about.", rich_markup_mode=None)
    for name, command in COMMANDS.items():
        issues.command(name)(command)
    app.add_typer(issues, name="issues")


def refresh(
    context: typer.Context,
    dry_run: DryRun = False,
    cold: Annotated[bool, typer.Option("--cold", help="Group from nothing, instead of learning on.")] = False,
    as_json: Json = False,
) -> None:
    """Group all negative comments again; issues that are still there keep their ids, and what people did stands."""
    from feedback_lab.issues import refreshing, tracking

    lab = session(context).lab
    store, embedding_model = lab.store, lab.settings.embedding
    with progress(as_json, "steps") as step:
        if dry_run:
            plan = refreshing.plan_refresh(store, cold=cold, embedding_model=embedding_model, progress=step)
        else:
            plan = refreshing.refresh(store, cold=cold, embedding_model=embedding_model, progress=step)
    if dry_run:
        emit(plan.as_dict(), as_json, *_what_changes(plan))
        return
    _show_issues(tracking.listing(store), None, as_json, {"changes": plan.as_dict()}, _what_changes(plan))


def list_issues(
    context: typer.Context,
    status: Annotated[list[str] | None, typer.Option("--status", help="Only these; again for more.")] = None,
    flag: Annotated[str | None, typer.Option("--flag", help="new, growing, regressed or proposed.")] = None,
    owner: Annotated[str | None, typer.Option("--owner", help="Only this person's.")] = None,
    search: Annotated[str, typer.Option("--search", help="Words in title, keywords and quotes.")] = "",
    sort: Annotated[str, typer.Option("--sort", help="frequency, recent, change, title, last ...")] = "frequency",
    since: Since = None,
    until: Until = None,
    everything: Annotated[bool, typer.Option("--all", help="Ignored ones too.")] = False,
    as_json: Json = False,
) -> None:
    """The issues, most frequent first; new comments are put into them first."""
    from feedback_lab.issues import tracking

    store = session(context).store
    tracking.assign_new(store)
    found = tracking.listing(store, since, _after(until))
    shown = tracking.select(
        found.issues,
        search=search,
        statuses=status or (),
        flag=flag,
        owner=owner,
        sort=sort,
        ignored=everything,
    )
    _show_issues(found, shown, as_json)


def members(
    context: typer.Context,
    target: Annotated[Path, typer.Option("--csv", metavar="FILE", help="Where to write feedback_id,issue_id.")],
    as_json: Json = False,
) -> None:
    """Write which comment belongs to which issue."""
    from feedback_lab.issues import tracking

    store = session(context).store
    tracking.assign_new(store)
    found = tracking.members(store)
    try:
        with target.open("w", newline="", encoding="utf-8") as handle:
            writer = csv.writer(handle)
            writer.writerow(found.columns)
            writer.writerows(found.itertuples(index=False))
    except OSError as error:
        raise InputError(f"{target} cannot be written ({error.strerror}): choose another file.") from None
    emit({"file": str(target), "rows": len(found)}, as_json, f"{len(found):,} rows written to {target}.")


def show(
    context: typer.Context,
    issue_id: Issue,
    since: Since = None,
    until: Until = None,
    offset: Annotated[int, typer.Option("--offset", min=0, help="Comments to skip.")] = 0,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="Comments to show.")] = 20,
    as_json: Json = False,
) -> None:
    """One issue: what people say, when, where, on which questions, and what was done to it."""
    from feedback_lab.issues import detail, tracking

    store = session(context).store
    tracking.assign_new(store)
    found = detail.detail(store, issue_id, since, _after(until), offset=offset, limit=limit)
    view = next((one for one in tracking.listing(store, since, _after(until)).issues if one.issue_id == issue_id), None)
    answer = {"issue": _issue_as_json(view) if view else None, **asdict(found)}
    head = _headline(view) if view else ["No comment of this issue lies in the period."]
    asked = [f"  asked {n:,} x: {question}" for question, n in found.questions[:5]]
    apart = [
        f"  {part.dimension} {part.value}: {percent(part.share)} of its complaints ({interval(part.low, part.high)}), "
        f"elsewhere {percent(part.rest_share)}"
        for part in found.where
        if part.differs
    ]
    emit(answer, as_json, *head, *asked, *apart)
    if not as_json:
        rows = [(f"{one.score:.2f}", one.comment, one.feedback_id) for one in found.comments.comments]
        table(("fits", "comment", "id"), rows)


def history(
    context: typer.Context,
    issue_id: Annotated[str | None, typer.Argument(metavar="[ISSUE]", help="One issue's; else all.")] = None,
    as_json: Json = False,
) -> None:
    """What people did to issues, newest first."""
    from feedback_lab.issues import detail

    events = detail.history(session(context).store, issue_id)
    lines = [
        f"{moment(one.happened_at)}  {one.event_id}  {one.actor}: {one.says}"
        + (f" (taken back by {one.undone_by})" if one.undone_by else "")
        for one in events
    ]
    emit({"events": [event_as_json(event) for event in events]}, as_json, *(lines or ["Nothing yet."]))


def send(context: typer.Context, issue_id: Issue, by: By, dry_run: DryRun = False, as_json: Json = False) -> None:
    """Open one review task with the complaints of an issue that no task holds yet."""
    from feedback_lab.issues import sending

    sent = sending.send_to_review(session(context).store, issue_id, by, dry_run=dry_run)
    verb = "would be sent" if dry_run else "sent"
    emit(
        asdict(sent),
        as_json,
        f"{sent.sent:,} of {sent.complaints:,} complaints {verb} to review; {sent.waiting:,} wait there already, "
        f"{sent.decided:,} were decided before.",
    )


def export(
    context: typer.Context,
    target: Annotated[Path, typer.Argument(metavar="FILE", help="A .csv or .jsonl file.")],
    issue: Annotated[list[str] | None, typer.Option("--issue", help="An issue's id; again for more; else all.")] = None,
    format: Annotated[str | None, typer.Option("--format", help="csv or jsonl; by the file's ending.")] = None,
    since: Since = None,
    until: Until = None,
    as_json: Json = False,
) -> None:
    """Write comments with their issues to a file; a spreadsheet runs none of them as a formula."""
    from feedback_lab.issues import sending, tracking

    store = session(context).store
    tracking.assign_new(store)
    rows = sending.export(store, target, issue_ids=issue, since=since, until=_after(until), format=format)
    emit({"file": str(target), "rows": rows}, as_json, f"{rows:,} comments written to {target}.")


COMMANDS: dict[str, Callable[..., None]] = {
    "refresh": refresh,
    "list": list_issues,
    "members": members,
    "show": show,
    **issue_acts.COMMANDS,
    "history": history,
    "send": send,
    "export": export,
}


def _after(until: datetime | None) -> datetime | None:
    """The first moment after an inclusive last day."""
    return until + timedelta(days=1) if until else None


def _issue_as_json(view: IssueView) -> dict[str, Any]:
    return asdict(view) | {"change": view.change}


def _what_changes(plan: RefreshPlan) -> list[str]:
    if plan.unchanged:
        return ["Nothing came since the last refresh, so nothing changes."]
    compared = f"words and vectors of {plan.embedding_model}" if plan.embedding_model else "words alone"
    switched = plan.other_model and not plan.cold
    parts = [(len(getattr(plan.changes, name)), name) for name in ("new", "grown", "shrunk", "split", "merged", "gone")]
    told = ", ".join(f"{number:,} {name}" for number, name in parts if number) or "no issue changes"
    return [
        f"Stay: {count(plan.changes.kept, 'issue')} ({told}). Change their issue: "
        f"{count(plan.changes.moved, 'comment')}. Unassigned {plan.unassigned_before:,} -> {plan.unassigned_after:,}.",
        f"Compared by {compared}"
        + (", not as at the last refresh: `--cold` makes new groups by that." if switched else "."),
    ]


def _show_issues(
    found: IssueList,
    shown: Sequence[IssueView] | None,
    as_json: bool,
    more: dict[str, Any] | None = None,
    first: Sequence[str] = (),
) -> None:
    views = found.issues if shown is None else shown
    change = more_or_fewer if found.is_compared else lambda number: ""
    answer = {
        "total_comments": found.total_comments,
        "assigned": found.assigned,
        "unassigned": found.unassigned,
        "low_information": found.low_information,
        "as_of": found.as_of,
        "held_up": found.held_up,
        "is_compared": found.is_compared,
        "issues": [_issue_as_json(view) for view in views],
    }
    fits_none = found.unassigned - found.low_information
    emit(
        answer | (more or {}),
        as_json,
        *first,
        f"{count(found.total_comments, 'negative comment')} = {found.assigned:,} in "
        f"{count(len(found.issues), 'issue')} "
        f"+ {found.low_information:,} that say nothing + {fits_none:,} that fit none.",
        *([found.held_up] if found.held_up else []),
    )
    if not as_json and views:
        rows = [
            (one.frequency, change(one.change), one.title, ", ".join([one.status, *one.flags]), one.issue_id)
            for one in views
        ]
        table(("n", "change", "issue", "status", "id"), rows)


def _headline(view: IssueView) -> list[str]:
    parts = [f"  part: {sub.title} ({sub.frequency:,})" for sub in view.sub_issues]
    return [
        f"{view.title} - {count(view.frequency, 'comment')} ({percent(view.share)} of all), {view.status}"
        + (f", {', '.join(view.flags)}" if view.flags else "")
        + (f", {view.owner}" if view.owner else ""),
        *([f"  {view.note}"] if view.note else []),
        *([f"  {view.link}"] if view.link else []),
        *parts,
    ]
