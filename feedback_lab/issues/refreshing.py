"""Refresh: group all negative comments again, show what would change, and change it on one's word.

Warm, the usual way, lets the stored model learn from the comments that came; cold groups from nothing
(`regrouping`). What humans did stands either way: titles, merges, splits, moved comments, locks, status.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from feedback_lab import audit, schema
from feedback_lab.errors import InputError
from feedback_lab.issues import stored, watching
from feedback_lab.issues.grouping.clustering import Clustering, cluster
from feedback_lab.issues.grouping.reading import Reader
from feedback_lab.issues.identity import Changes, changes
from feedback_lab.issues.regrouping import Regrouping, regroup
from feedback_lab.issues.stored import SYSTEM, Comments
from feedback_lab.issues.wording import sub_issues_of, titles_taken, unique_title, words_of
from feedback_lab.records import new_id, utc_now
from feedback_lab.store import Store, insert_rows

Progress = Callable[[int, int, str], None]  # done, total, what is done now; raising cancels
STEPS = ("Reading the comments", "Grouping them", "Finding titles")
WRITTEN_AT_ONCE = 50_000  # members, so that a million of them need little memory
TRIES = 3  # of a refresh in one go, where people act in the same moment


class StalePlanError(InputError):
    """People acted on issues, or somebody refreshed them, after this plan was made."""


@dataclass(frozen=True, eq=False)
class RefreshPlan:
    """What a refresh would change, to be shown first; `apply_refresh` does it, `as_dict` gives plain numbers.

    `unchanged`: no comment came and nobody acted since the last refresh, so that there is nothing to do.
    `unassigned_*` count comments in no issue, `low_information` those of them (after) that say nothing.
    """

    cold: bool
    unchanged: bool
    total_comments: int
    unassigned_before: int
    unassigned_after: int
    low_information: int
    changes: Changes
    outcome: Outcome | None = field(repr=False, default=None)

    def as_dict(self) -> dict[str, Any]:
        """The plan for JSON; its lists hold issue_id, title, `before` and `after` (comments) and `others`."""
        names = ("cold", "unchanged", "total_comments", "unassigned_before", "unassigned_after", "low_information")
        return {name: getattr(self, name) for name in names} | asdict(self.changes)


@dataclass(frozen=True, eq=False)
class Outcome:
    """All that `apply_refresh` writes, and the state of the store that it was computed from."""

    comments: Comments
    grouping: Regrouping
    issues: list[dict[str, Any]]
    state: dict[str, Any]
    model_id: str | None
    human: str
    moment: datetime


def plan_refresh(
    store: Store, *, seed: int = 0, cold: bool = False, progress: Progress | None = None, now: datetime | None = None
) -> RefreshPlan:
    """Compute what a refresh would change. Read-only; the same comments and acts give the same grouping.

    The first refresh is cold by nature. `progress` is called before each of three steps and may raise to cancel.
    """
    tell = progress or (lambda done, total, words: None)
    tell(0, len(STEPS), STEPS[0])
    moment = now or utc_now()
    state = watching.look(store, moment)
    human, before, events = stored.human_state(store), stored.model(store), stored.events(store)
    issues, comments = stored.issue_rows(store), stored.comments(store)
    state["made_of"] = stored.fingerprint(comments.ids, human)
    cold = cold or before is None
    if before and not cold and before.state.get("made_of") == state["made_of"]:
        return _unchanged(comments)
    tell(1, len(STEPS), STEPS[1])
    start = None if cold or before is None else before.clustering

    def learn(texts: Sequence[str]) -> Clustering:
        corpus = stored.conversations(store)
        return cluster(texts, seed=seed, corpus=corpus, progress=lambda done, total, words: tell(1, len(STEPS), words))

    grouping = regroup(comments, issues, start, stored.dismissed(events), learn)
    tell(2, len(STEPS), STEPS[2])
    rows = _issue_rows(comments, grouping, issues, stored.touched(events), moment)
    titles = {row["issue_id"]: row["title"] for row in [*issues.values(), *rows]}
    outcome = Outcome(comments, grouping, rows, state, before.model_id if before else None, human, moment)
    return RefreshPlan(
        cold=cold,
        unchanged=False,
        total_comments=len(comments.ids),
        unassigned_before=sum(home is None for home in comments.issue_ids),
        unassigned_after=sum(home is None for home in grouping.homes),
        low_information=sum(grouping.low_information),
        changes=changes(comments.issue_ids, grouping.homes, titles),
        outcome=outcome,
    )


def apply_refresh(store: Store, plan: RefreshPlan, actor: str) -> None:
    """Do what the plan says, in one transaction.

    Raises StalePlanError where a human acted on issues, or another refresh ran, since it was made. Comments that
    came since are no obstacle: the next `assign_new` puts them into the issues of the new model.
    """
    outcome = plan.outcome
    if outcome is not None:
        store.write(lambda connection: _write(connection, outcome, plan, actor))


def refresh(
    store: Store,
    *,
    seed: int = 0,
    cold: bool = False,
    actor: str = SYSTEM,
    progress: Progress | None = None,
    now: datetime | None = None,
) -> RefreshPlan:
    """Plan and apply in one go; what was done. Plans again where somebody acted in between."""
    for _ in range(TRIES - 1):
        plan = plan_refresh(store, seed=seed, cold=cold, progress=progress, now=now)
        try:
            apply_refresh(store, plan, actor)
        except StalePlanError:
            continue
        return plan
    plan = plan_refresh(store, seed=seed, cold=cold, progress=progress, now=now)
    apply_refresh(store, plan, actor)
    return plan


def _unchanged(comments: Comments) -> RefreshPlan:
    homes = comments.issue_ids
    loose = sum(home is None for home in homes)
    low = sum(comments.low_information)
    return RefreshPlan(False, True, len(homes), loose, loose, low, changes(homes, homes, {}))


def _issue_rows(
    comments: Comments,
    grouping: Regrouping,
    issues: Mapping[str, Mapping[str, Any]],
    touched: set[str],
    moment: datetime,
) -> list[dict[str, Any]]:
    """The rows of `issue` after the refresh: those with comments, and those that humans had a hand in."""
    reader = Reader(comments.texts)
    names = words_of(comments.texts, grouping.homes, grouping.scores, reader)
    subs = sub_issues_of(comments.texts, grouping.homes, grouping.sub_labels, grouping.scores, reader)
    taken = titles_taken({issue_id: row for issue_id, row in issues.items() if issue_id in names})
    rows = []
    for issue_id, name in names.items():
        row = dict(issues.get(issue_id) or ())
        if not row:
            title = unique_title(name, taken)
            row = stored.new_issue(issue_id, title, moment, proposed=issue_id in grouping.proposed)
        if not row["locked"]:
            row |= stored.worded(name) | {"sub_issues": subs.get(issue_id, [])}
        rows.append(row | {"label": grouping.label_of.get(issue_id, -1), "sub_label": None})
    empty = [row for issue_id, row in issues.items() if issue_id not in names]
    by_human = {row["issue_id"] for row in empty if row["merged_into"] or row["title_by"] != stored.COMPUTED}
    kept = [row for row in empty if row["issue_id"] in by_human | touched]
    return rows + [dict(row) | {"label": grouping.label_of.get(row["issue_id"], -1), "sub_label": None} for row in kept]


def _write(connection: Connection, outcome: Outcome, plan: RefreshPlan, actor: str) -> None:
    newest = connection.execute(text("SELECT model_id FROM issue_model ORDER BY created_at DESC LIMIT 1")).scalar()
    if newest != outcome.model_id or stored.human_state(connection) != outcome.human:
        raise StalePlanError("The issues were changed after this plan was made: look at the changes again.")
    for table in (schema.issue, schema.issue_model):
        connection.execute(table.delete())
    insert_rows(connection, schema.issue, outcome.issues)
    _write_members(connection, outcome)
    model_id, content = new_id(), outcome.grouping.model.to_bytes()
    connection.execute(
        schema.issue_model.insert().values(
            model_id=model_id, created_at=outcome.moment, content=content, state=outcome.state
        )
    )
    told = {name: len(value) if isinstance(value, list | tuple) else value for name, value in plan.as_dict().items()}
    audit.record(connection, actor, "refresh issues", model_id, **told)


def _write_members(connection: Connection, outcome: Outcome) -> None:
    """Write the place of every comment, except where a human put it.

    Comments that came while the plan was made are forgotten, so that the new model looks at them again.
    """
    grouping, ids = outcome.grouping, outcome.comments.ids
    connection.execute(text("DELETE FROM issue_member WHERE moved_by IS NULL"))
    moved = {row[0] for row in connection.execute(text("UPDATE issue_member SET fresh = FALSE RETURNING feedback_id"))}
    for start in range(0, len(ids), WRITTEN_AT_ONCE):
        rows = [
            {
                "feedback_id": ids[row],
                "issue_id": grouping.homes[row],
                "placed_in": grouping.placed_in[row],
                "score": grouping.scores[row],
                "moved_by": None,
                "sub_label": grouping.sub_labels[row],
                "low_information": grouping.low_information[row],
                "fresh": False,
            }
            for row in range(start, min(start + WRITTEN_AT_ONCE, len(ids)))
            if ids[row] not in moved
        ]
        insert_rows(connection, schema.issue_member, rows)
