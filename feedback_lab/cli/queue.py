"""Commands that move work: run the rules, claim, decide, skip, undo."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer

from feedback_lab import knowledge, review
from feedback_lab.cli.output import Json, emit, moment, progress, say, table
from feedback_lab.cli.session import session
from feedback_lab.errors import InputError, LabError
from feedback_lab.records import CorrectionType, Outcome
from feedback_lab.review import Task
from feedback_lab.triggers import DEFAULT_RULES, RULES

Reviewer = Annotated[str, typer.Option("--reviewer", help="Your name, as it will stand beside the decision.")]
OnConflict = Annotated[str | None, typer.Option("--on-conflict", metavar="edit|merge|replace|add", help="Not yet.")]

RULE_HELP = "Again for more: " + "; ".join(f"{rule.name}, {rule.about}" for rule in RULES.values()) + "."


def register(app: typer.Typer) -> None:
    triggers = typer.Typer(help="Rules that propose review tasks.", rich_markup_mode=None)
    triggers.command("run")(run_rules)
    app.add_typer(triggers, name="triggers")
    queue = typer.Typer(help="The review queue.", rich_markup_mode=None)
    queue.command("list")(list_tasks)
    queue.command("claim")(claim)
    queue.command("decide")(decide)
    queue.command("skip")(skip)
    queue.command("undo")(undo)
    app.add_typer(queue, name="queue")


def run_rules(
    context: typer.Context,
    rule: Annotated[list[str] | None, typer.Option("--rule", help=RULE_HELP)] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would open; write and mark nothing.")] = False,
    no_budget: Annotated[bool, typer.Option("--no-budget", help="Open every candidate today.")] = False,
    as_json: Json = False,
) -> None:
    """Evaluate the verdicts that the rules have not seen, and open tasks within the day's budget."""
    lab = session(context).lab
    with progress(as_json, "verdicts") as step:
        report = review.run_rules(
            lab.store,
            rule or DEFAULT_RULES,
            similarity=lab.settings.similarity,
            budget=None if no_budget else lab.settings.daily_budget,
            dry_run=dry_run,
            progress=step,
        )
    would = "would be " if dry_run else ""
    emit(
        asdict(report),
        as_json,
        f"{report.evaluated:,} verdicts evaluated, {report.candidates:,} candidates: {report.opened:,} {would}opened, "
        f"{report.joined:,} {would}joined to open tasks, {report.waiting:,} {would}kept waiting for the budget.",
    )


def list_tasks(context: typer.Context, as_json: Json = False) -> None:
    """All undecided tasks, best first."""
    found = review.tasks(session(context).store)
    emit({"tasks": [_as_json(task) for task in found]}, as_json)
    if not as_json:
        _show(found, "The queue is empty: `feedback-lab triggers run` looks for patterns.")


def claim(
    context: typer.Context,
    reviewer: Reviewer,
    n: Annotated[int, typer.Option("--n", help="How many tasks.")] = 1,
    as_json: Json = False,
) -> None:
    """Hold the next tasks for a while, so that nobody else decides them."""
    lab = session(context).lab
    found = review.claim(lab.store, reviewer, n, lease_minutes=lab.settings.lease_minutes)
    emit({"tasks": [_as_json(task) for task in found]}, as_json)
    if not as_json:
        _show(found, "Nothing is open.")


def decide(
    context: typer.Context,
    task: Annotated[str, typer.Argument(metavar="TASK")],
    reviewer: Reviewer,
    outcome: Annotated[Outcome, typer.Option("--outcome")],
    text: Annotated[str | None, typer.Option("--text", help="Your better answer (outcome edit).")] = None,
    kind: Annotated[CorrectionType, typer.Option("--type", help="Where it goes.")] = CorrectionType.KNOWLEDGE,
    question: Annotated[str | None, typer.Option("--question", help="The question, where not the user's own.")] = None,
    reason: Annotated[str | None, typer.Option("--reason", help="Why, for the record.")] = None,
    on_conflict: OnConflict = None,
    entry: Annotated[str | None, typer.Option("--entry", help="Not yet.")] = None,
    as_json: Json = False,
) -> None:
    """Decide a task; it is claimed for you first. One decision closes the whole pattern."""
    if on_conflict or entry:
        raise InputError("--on-conflict and --entry are not there yet: decide without them.")
    lab = session(context).lab
    held_before = review.find(lab.store, task).locked_by is not None
    held = review.claim(lab.store, reviewer, task_id=task, lease_minutes=lab.settings.lease_minutes)[0]
    answer = review.Answer(outcome, text, kind, question, reason)
    try:
        done = knowledge.decide(lab.store, lab.files, task, reviewer, held.lease_token or "", answer)
    except LabError:
        if not held_before:  # what this command took for a moment, nobody is to wait for
            review.release(lab.store, task, reviewer, held.lease_token or "")
        raise
    written = f" Written as {done.target_id}." if done.target_id else ""
    items = "1 feedback item" if done.closed == 1 else f"{done.closed} feedback items"
    emit(asdict(done), as_json, f"Decided: {done.outcome}. This closes {items}.{written}")


def skip(
    context: typer.Context,
    task: Annotated[str, typer.Argument(metavar="TASK")],
    reviewer: Reviewer,
    as_json: Json = False,
) -> None:
    """Put a task behind the others for you."""
    review.skip(session(context).store, task, reviewer)
    emit({"task_id": task, "skipped_by": reviewer}, as_json, f"Skipped {task}.")


def undo(context: typer.Context, reviewer: Reviewer, as_json: Json = False) -> None:
    """Take your latest decision back."""
    lab = session(context).lab
    done = knowledge.undo(lab.store, lab.files, reviewer)
    emit(asdict(done), as_json, f"Undone: {done.outcome} of {done.task_id}, which is open again.")


def _as_json(task: Task) -> dict[str, Any]:
    answer = asdict(task)
    answer.pop("lease_token")  # the command line claims implicitly, and a token in a log would be a key
    return answer | {"lease_expires_at": moment(task.lease_expires_at), "created_at": moment(task.created_at)}


def _show(found: list[Task], nothing: str) -> None:
    if not found:
        say(nothing)
        return
    rows = [
        (
            task.task_id,
            f"held by {task.locked_by}" if task.locked_by else task.status,
            len(task.feedback_ids),
            task.reason,
        )
        for task in found
    ]
    table(("task", "status", "items", "why"), rows)
