"""Refresh: group all negative comments again, show what would change, and change it on one's word.

Warm, the usual way, lets the stored model learn from the comments that came; cold groups from nothing
(`regrouping`). What humans did stands either way: titles, merges, splits, moved comments, locks, status.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from feedback_lab import audit, schema
from feedback_lab.errors import InputError
from feedback_lab.issues import comment_vectors, stored, watching
from feedback_lab.issues.grouping.clustering import Clustering, cluster
from feedback_lab.issues.grouping.reading import Reader
from feedback_lab.issues.identity import Changes, changes
from feedback_lab.issues.regressions import note_regressions
from feedback_lab.issues.regrouping import Regrouping, regroup
from feedback_lab.issues.stored import SYSTEM, Comments
from feedback_lab.issues.wording import sub_issues_of, titles_taken, unique_title, words_of
from feedback_lab.records import new_id, utc_now
from feedback_lab.store import Store, insert_rows
from feedback_lab.vectors import EmbeddingModel, find_model

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
    `embedding_model` names the model whose vectors joined the words, None where words alone were compared;
    `other_model` says that the issues as they stand came of another one, or of words alone.
    """

    cold: bool
    unchanged: bool
    total_comments: int
    unassigned_before: int
    unassigned_after: int
    low_information: int
    changes: Changes
    embedding_model: str | None = None
    other_model: bool = False
    outcome: Outcome | None = field(repr=False, default=None)

    def as_dict(self) -> dict[str, Any]:
        """The plan for JSON; its lists hold issue_id, title, `before` and `after` (comments) and `others`."""
        left_out = ("changes", "outcome")
        plain = {one.name: getattr(self, one.name) for one in fields(self) if one.name not in left_out}
        return plain | asdict(self.changes)


@dataclass(frozen=True, eq=False)
class Found:
    """What a refresh starts from: what the store holds at one moment, and the `state` that the next model will have."""

    moment: datetime
    comments: Comments
    issues: dict[str, dict[str, Any]]
    events: list[stored.Event]
    human: str
    before: stored.StoredModel | None
    state: dict[str, Any]

    @property
    def is_known(self) -> bool:
        """Whether the last refresh saw the same comments and acts, with the same embedding model."""
        return self.before is not None and self.before.state.get("made_of") == self.state["made_of"]

    @property
    def other_model(self) -> bool:
        """Whether the last refresh compared with other vectors, or with vectors where this does not."""
        return self.before is not None and not comment_vectors.alike(self.before.state, self.state)

    def start(self) -> Clustering | None:
        """The model that learns on, without vectors of another kind; none where most comments came after it learned."""
        if self.before is None or 2 * sum(self.comments.fresh) > len(self.comments.fresh):
            return None
        return self.before.clustering.without_vectors() if self.other_model else self.before.clustering


@dataclass(frozen=True, eq=False)
class Outcome:
    """All that `apply_refresh` writes, and what it was computed from."""

    found: Found
    grouping: Regrouping
    issues: list[dict[str, Any]]


def plan_refresh(
    store: Store,
    *,
    seed: int = 0,
    cold: bool = False,
    embedding_model: str = "",
    progress: Progress | None = None,
    now: datetime | None = None,
) -> RefreshPlan:
    """Compute what a refresh would change. The same comments, acts and embedding model give the same grouping.

    Writes nothing but vectors: with an `embedding_model` (a folder or a name) each comment that has none yet gets one,
    which joins its words. The first refresh is cold by nature, and so is one at which most comments are new.
    `progress` is called before each of three steps and between vectors, and may raise to cancel. Raises InputError
    where the embedding model cannot be used.
    """
    tell = progress or (lambda done, total, words: None)
    tell(0, len(STEPS), STEPS[0])
    model = find_model(embedding_model) if embedding_model else None
    found = _look(store, now or utc_now(), model)
    if not cold and found.is_known:
        return _unchanged(found.comments, embedding_model)
    vectors = _vectors(store, found.comments.texts, model, tell)
    tell(1, len(STEPS), STEPS[1])

    def learn(texts: Sequence[str]) -> Clustering:
        return cluster(
            texts,
            seed=seed,
            vectors=vectors,
            corpus=stored.conversations(store),
            progress=lambda done, total, words: tell(1, len(STEPS), words),
        )

    start = None if cold else found.start()
    grouping = regroup(found.comments, found.issues, start, stored.dismissed(found.events), learn, vectors)
    tell(2, len(STEPS), STEPS[2])
    outcome = Outcome(found, grouping, _issue_rows(found, grouping))
    return _plan(outcome, cold=start is None, embedding_model=embedding_model or None)


def apply_refresh(store: Store, plan: RefreshPlan, actor: str) -> None:
    """Do what the plan says, in one transaction; then resolved issues that drew complaints again are reopened.

    Raises StalePlanError where a human acted on issues, or another refresh ran, since it was made. Comments that
    came since are no obstacle: the next `assign_new` puts them into the issues of the new model.
    """
    outcome = plan.outcome
    if outcome is not None:
        store.write(lambda connection: _write(connection, outcome, plan, actor))
        note_regressions(store, [row["issue_id"] for row in outcome.issues])


def refresh(
    store: Store,
    *,
    seed: int = 0,
    cold: bool = False,
    embedding_model: str = "",
    actor: str = SYSTEM,
    progress: Progress | None = None,
    now: datetime | None = None,
) -> RefreshPlan:
    """Plan and apply in one go; what was done. Plans again where somebody acted in between."""

    def plan() -> RefreshPlan:
        return plan_refresh(store, seed=seed, cold=cold, embedding_model=embedding_model, progress=progress, now=now)

    for _ in range(TRIES - 1):
        wanted = plan()
        try:
            apply_refresh(store, wanted, actor)
        except StalePlanError:
            continue
        return wanted
    wanted = plan()
    apply_refresh(store, wanted, actor)
    return wanted


def _look(store: Store, moment: datetime, model: EmbeddingModel | None) -> Found:
    state = watching.look(store, moment) | comment_vectors.noted(model)
    human, before, events = stored.human_state(store), stored.model(store), stored.events(store)
    issues, comments = stored.issue_rows(store), stored.comments(store)
    state["made_of"] = stored.fingerprint(comments.ids, human + (model.version if model else ""))
    return Found(moment, comments, issues, events, human, before, state)


def _plan(outcome: Outcome, *, cold: bool, embedding_model: str | None) -> RefreshPlan:
    found, grouping = outcome.found, outcome.grouping
    homes = found.comments.issue_ids
    titles = {row["issue_id"]: row["title"] for row in [*found.issues.values(), *outcome.issues]}
    return RefreshPlan(
        cold=cold,
        unchanged=False,
        total_comments=len(homes),
        unassigned_before=sum(home is None for home in homes),
        unassigned_after=sum(home is None for home in grouping.homes),
        low_information=sum(grouping.low_information),
        changes=changes(homes, grouping.homes, titles),
        embedding_model=embedding_model,
        other_model=found.other_model,
        outcome=outcome,
    )


def _unchanged(comments: Comments, embedding_model: str) -> RefreshPlan:
    homes = comments.issue_ids
    loose = sum(home is None for home in homes)
    low = sum(comments.low_information)
    return RefreshPlan(False, True, len(homes), loose, loose, low, changes(homes, homes, {}), embedding_model or None)


def _vectors(
    store: Store, texts: Sequence[str], model: EmbeddingModel | None, tell: Progress
) -> comment_vectors.TextVectors | None:
    if model is None or not texts:
        return None

    def say(done: int, total: int) -> None:
        tell(0, len(STEPS), f"Vectors: {done:,} of {total:,} different comments")

    return comment_vectors.vectors_of(store, texts, model, say)


def _issue_rows(found: Found, grouping: Regrouping) -> list[dict[str, Any]]:
    """The rows of `issue` after the refresh: those with comments, and those that humans had a hand in."""
    comments, issues = found.comments, found.issues
    reader = Reader(comments.texts)
    names = words_of(comments.texts, grouping.homes, grouping.scores, reader)
    subs = sub_issues_of(comments.texts, grouping.homes, grouping.sub_labels, grouping.scores, reader)
    taken = titles_taken({issue_id: row for issue_id, row in issues.items() if issue_id in names})
    rows = []
    for issue_id, name in names.items():
        row = dict(issues.get(issue_id) or ())
        if not row:
            title = unique_title(name, taken)
            row = stored.new_issue(issue_id, title, found.moment, proposed=issue_id in grouping.proposed)
        if not row["locked"]:
            row |= stored.worded(name) | {"sub_issues": subs.get(issue_id, [])}
        rows.append(row | {"label": grouping.label_of.get(issue_id, -1), "sub_label": None})
    empty = [row for issue_id, row in issues.items() if issue_id not in names]
    by_human = {row["issue_id"] for row in empty if row["merged_into"] or row["title_by"] != stored.COMPUTED}
    kept = [row for row in empty if row["issue_id"] in by_human | stored.touched(found.events)]
    return rows + [dict(row) | {"label": grouping.label_of.get(row["issue_id"], -1), "sub_label": None} for row in kept]


def _write(connection: Connection, outcome: Outcome, plan: RefreshPlan, actor: str) -> None:
    newest = connection.execute(text("SELECT model_id FROM issue_model ORDER BY created_at DESC LIMIT 1")).scalar()
    found = outcome.found
    model_before = found.before.model_id if found.before else None
    if newest != model_before or stored.human_state(connection) != found.human:
        raise StalePlanError("The issues were changed after this plan was made: look at the changes again.")
    for table in (schema.issue, schema.issue_model):
        connection.execute(table.delete())
    comment_vectors.forget_others(connection, found.state.get("embedding_version"))
    insert_rows(connection, schema.issue, outcome.issues)
    _write_members(connection, outcome)
    model_id, content = new_id(), outcome.grouping.model.to_bytes()
    connection.execute(
        schema.issue_model.insert().values(
            model_id=model_id, created_at=found.moment, content=content, state=found.state
        )
    )
    told = {name: len(value) if isinstance(value, list | tuple) else value for name, value in plan.as_dict().items()}
    audit.record(connection, actor, "refresh issues", model_id, **told)


def _write_members(connection: Connection, outcome: Outcome) -> None:
    """Write the place of every comment, except where a human put it.

    Comments that came while the plan was made are forgotten, so that the new model looks at them again.
    """
    grouping, ids = outcome.grouping, outcome.found.comments.ids
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
