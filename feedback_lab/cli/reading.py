"""Commands that answer questions: knowledge, recall, insights.

The rooms that need scikit-learn are imported inside their commands: that costs a second, which the other
commands need not pay.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

import typer

from feedback_lab import knowledge
from feedback_lab.cli.output import Json, emit, table
from feedback_lab.cli.session import Session, session
from feedback_lab.errors import StoreBusyError
from feedback_lab.knowledge import entries_file
from feedback_lab.numerals import interval, percent
from feedback_lab.recall import recall as most_similar
from feedback_lab.records import Entry


def register(app: typer.Typer) -> None:
    entries = typer.Typer(help="What has been decided.", rich_markup_mode=None)
    entries.command("list")(list_entries)
    app.add_typer(entries, name="knowledge")
    app.command("recall")(recall)
    app.command("insights")(insights)


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
    try:
        lab = current.lab
    except StoreBusyError:  # nobody answers who has the database: the file is the truth, and can be read alone
        return entries_file.read_file(current.settings.knowledge_path)
    return knowledge.entries(lab.store, lab.files)


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
            f"Positive rate {percent(found['positive_rate'])} "
            f"({interval(found['positive_rate_low'], found['positive_rate_high'])}; "
            f"{found['verdicts']:,} verdicts of {found['users']:,} users){few}."
        )
    fix = [
        f"  fix first: {row['title']} ({row['gain'] * 100:+.1f} points to win, {row['touched']:,} touched)"
        for row in found["improvement_opportunities"][:5]
    ]
    said = [f"  {row['frequency']:,} x {row['issue']}" for row in found["common_issues"][:10]]
    return [first, f"{found['total_feedback']:,} feedback items in the period.", *said, *fix]
