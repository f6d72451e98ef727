"""Commands that answer questions: issues, knowledge, recall, insights.

The rooms that need scikit-learn are imported inside their commands: that costs a second, which the other
commands need not pay.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from feedback_lab import knowledge
from feedback_lab.cli.output import Json, emit, table
from feedback_lab.cli.session import Session, session
from feedback_lab.errors import InputError
from feedback_lab.recall import recall as most_similar
from feedback_lab.records import Entry

if TYPE_CHECKING:
    from feedback_lab.issues.tracking import IssueList


def register(app: typer.Typer) -> None:
    issues = typer.Typer(help="What people complain about.", rich_markup_mode=None)
    issues.command("refresh")(refresh)
    issues.command("list")(list_issues)
    issues.command("members")(members)
    app.add_typer(issues, name="issues")
    entries = typer.Typer(help="What has been decided.", rich_markup_mode=None)
    entries.command("list")(list_entries)
    app.add_typer(entries, name="knowledge")
    app.command("recall")(recall)
    app.command("insights")(insights)


def refresh(context: typer.Context, as_json: Json = False) -> None:
    """Cluster all negative comments; issues that are still there keep their ids."""
    from feedback_lab.issues import tracking

    _show_issues(tracking.refresh(session(context).store), as_json)


def list_issues(context: typer.Context, as_json: Json = False) -> None:
    """The issues, most frequent first; new comments are put into them first."""
    from feedback_lab.issues import tracking

    store = session(context).store
    tracking.assign_new(store)
    _show_issues(tracking.listing(store), as_json)


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


def list_entries(context: typer.Context, as_json: Json = False) -> None:
    """All entries of the knowledge file, in order of creation."""
    found = [(entry, None) for entry in _entries(session(context))]
    _show_entries(found, as_json, "No entry yet: decide a task with accept or edit.")


def recall(
    context: typer.Context,
    query: Annotated[str, typer.Argument(metavar="QUERY")],
    k: Annotated[int, typer.Option("--k", min=1, help="How many.")] = 5,
    as_json: Json = False,
) -> None:
    """The active entries most similar to a question, best first."""
    hits = most_similar(_entries(session(context)), query, k)
    _show_entries([(hit.entry, hit.score) for hit in hits], as_json, "There is no active entry yet.")


def insights(
    context: typer.Context,
    days: Annotated[int, typer.Option("--days", min=1, max=100_000, help="How many days back.")] = 30,
    until: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last day, UTC, inclusive.")] = None,
    as_json: Json = False,
) -> None:
    """The numbers of the last days: positive rate with its interval, issues, what to fix first."""
    from feedback_lab.insights.summary import insights as summarise
    from feedback_lab.issues import tracking

    lab = session(context).lab
    tracking.assign_new(lab.store)
    found = summarise(
        lab.store, days=days, until=until.date() if until else None, similarity=lab.settings.touch_similarity
    ).as_dict()
    emit(found, as_json, *([] if as_json else _sentences(found)))


def _entries(current: Session) -> list[Entry]:
    lab = current.lab
    return knowledge.entries(lab.store, lab.files)


def _show_issues(found: IssueList, as_json: bool) -> None:
    answer = asdict(found)
    emit(
        answer,
        as_json,
        f"{found.total_comments:,} negative comments = {found.assigned:,} in {len(found.issues)} issues "
        f"+ {found.unassigned:,} unassigned.",
    )
    if not as_json and found.issues:
        rows = [(issue.frequency, issue.title, ", ".join(issue.keywords[:5]), issue.issue_id) for issue in found.issues]
        table(("comments", "issue", "keywords", "id"), rows)


def _show_entries(found: Sequence[tuple[Entry, float | None]], as_json: bool, nothing: str) -> None:
    answer = [asdict(entry) | {"score": score} for entry, score in found]
    emit({"entries": answer}, as_json, *([] if found else [nothing]))
    if not as_json and found:
        rows = [
            (f"{score:.2f}" if score is not None else "", entry.status, entry.question, entry.answer, entry.entry_id)
            for entry, score in found
        ]
        table(("score", "status", "question", "answer", "entry"), rows)


def _sentences(found: dict[str, Any]) -> list[str]:
    if found["positive_rate"] is None:
        first = f"No verdict in this period; {found['total_feedback']:,} feedback items."
    else:
        few = " - too few to judge" if found["too_few"] else ""
        first = (
            f"Positive rate {found['positive_rate']:.1%} ({found['positive_rate_low']:.1%} to "
            f"{found['positive_rate_high']:.1%}; {found['verdicts']:,} verdicts of {found['users']:,} users){few}."
        )
    fix = [
        f"  fix first: {row['title']} ({row['gain'] * 100:+.1f} points to win, {row['touched']:,} touched)"
        for row in found["improvement_opportunities"][:5]
    ]
    said = [f"  {row['frequency']:,} x {row['issue']}" for row in found["common_issues"][:10]]
    return [first, f"{found['total_feedback']:,} feedback items in the period.", *said, *fix]
