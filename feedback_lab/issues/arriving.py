"""New comments: put into the issues that are there as they arrive, or together into a proposed one.

Nothing that is there is grouped again: `refreshing` does that, on request.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, text

from feedback_lab import schema
from feedback_lab.errors import InputError
from feedback_lab.issues import comment_vectors, stored, watching
from feedback_lab.issues.grouping.model import Assigned
from feedback_lab.issues.regressions import note_regressions
from feedback_lab.issues.regrouping import proposals
from feedback_lab.issues.stored import SYSTEM, StoredModel
from feedback_lab.issues.wording import titles_taken, unique_title, words_of
from feedback_lab.numerals import count
from feedback_lab.records import new_id, utc_now
from feedback_lab.store import Store, insert_rows

WORTH_LOOKING = 5  # new comments before proposals are looked for again ...
POOL_SHARE = 0.05  # ... and at least this share of those looked at
MOST_LOOKED_AT = 3_000  # comments, the newest
PATIENCE_S = 2.0  # for the vectors of new comments: somebody waits for a page or a list
MOST_CONTRAST = 2_000  # comments of other issues, so that a proposal's title says what is special about it

# What may belong to something new: what fits no issue, what came after the model last learned (a new kind of
# complaint often resembles an old one), and what is proposed already but unknown to the model.
POOL_SQL = """
    SELECT f.feedback_id, f.comment, part.issue_id AS placed_in, part.label < 0 AS unlearned
    FROM issue_member m JOIN feedback f ON f.feedback_id = m.feedback_id
    LEFT JOIN issue i ON i.issue_id = m.issue_id
    LEFT JOIN issue part ON part.issue_id = coalesce(m.placed_in, m.issue_id)
    WHERE m.moved_by IS NULL AND NOT coalesce(m.low_information, FALSE) AND NOT coalesce(i.locked, FALSE)
      AND (m.issue_id IS NULL OR m.fresh OR part.label < 0) AND trim(f.comment) <> ''
    ORDER BY f.received_at DESC, f.feedback_id LIMIT :most
"""
CONTRAST_SQL = """
    SELECT f.feedback_id, m.issue_id, f.comment FROM issue_member m JOIN feedback f ON f.feedback_id = m.feedback_id
    WHERE m.issue_id IS NOT NULL AND trim(f.comment) <> '' ORDER BY md5(f.feedback_id) LIMIT :most
"""
_looking = threading.Lock()  # two looks side by side would propose the same group twice

JOIN_SQL = """
    UPDATE issue_member SET issue_id = :whole, placed_in = :issue, sub_label = NULL
    WHERE moved_by IS NULL AND feedback_id IN (SELECT unnest(CAST(:ids AS VARCHAR[])))
"""


def assign_new(store: Store) -> int:
    """Put comments that came after the last look into the issues of the stored model; how many were new.

    Does nothing before the first refresh, nor where the store takes no writes any more: readers call this first.
    What fits no issue is remembered as looked at; enough of that which fits each other becomes a proposed issue.
    The cost grows with what is new, not with what is stored. Where the issues were grouped with vectors, a comment
    waits for its own: for a later look while many have to be computed, for a refresh where the embedding model is not
    to be had any more; `listing` says so.
    """
    with _looking:
        return _assign_new(store)


def _assign_new(store: Store) -> int:
    model = None if store.damage else stored.model(store)
    if model is None:
        return 0
    seen = watching.look(store, utc_now())
    fresh, held_up = _ready(
        store, model.state, store.rows(watching.FRESH_SQL, since=watching.since(store, model.state))
    )
    state = watching.looked(model.state, seen, held_up)
    if not fresh:
        if any(state.get(name) != model.state.get(name) for name in ("seen_until", "held_up")):
            store.write(lambda connection: watching.save(connection, model.model_id, state))
        return 0
    texts = [row["comment"] for row in fresh]
    found = _judged(store, model, texts)
    state["waiting"] = state.get("waiting", 0) + int((~found.low_information).sum())
    ids = [row["feedback_id"] for row in fresh]
    homes = store.write(lambda connection: _add(connection, model.model_id, state, ids, found))
    note_regressions(store, homes)
    _propose(store)
    return len(ids)


def _ready(
    store: Store, state: Mapping[str, Any], fresh: list[dict[str, Any]]
) -> tuple[list[dict[str, Any]], str | None]:
    """Those of the `fresh` comments that can be placed now, and in words why others have to wait."""
    try:
        there = comment_vectors.catch_up(store, state, [row["comment"] for row in fresh], PATIENCE_S)
    except InputError as error:
        wait = f"{_new_comments(len(fresh))} to be put into issues. {error}"
        return [], f"{wait} A refresh takes in what waits, by the settings of then."
    ready = [row for row, is_there in zip(fresh, there, strict=True) if is_there]
    if len(ready) == len(fresh):
        return ready, None
    wait = f"{_new_comments(len(fresh) - len(ready))} for their vectors"
    return ready, f"{wait}: every look takes some in, a refresh all of them."


def _new_comments(number: int) -> str:
    return count(number, "new comment waits", "new comments wait")


def _propose(store: Store) -> None:
    """Make proposed issues of comments that fit each other better than any issue.

    Looks only where enough comments came since it last looked. Takes comments that fit nowhere or came after the last
    refresh: nothing that was grouped before, put by a human, or in a locked issue. A proposed issue that the model does
    not know yet gets what fits it. A group that a human dismissed is not proposed again. Where the model learned no
    issue at all, everything would look like one group: that is a refresh's to sort out.
    """
    model = stored.model(store)
    if model is None or not model.clustering.n_clusters or int(model.state.get("waiting", 0)) < WORTH_LOOKING:
        return
    pool = store.rows(POOL_SQL, most=MOST_LOOKED_AT)
    if int(model.state["waiting"]) < min(POOL_SHARE * len(pool), WORTH_LOOKING * 20):
        return
    events, issues = stored.events(store), stored.issue_rows(store)
    ids, texts = [row["feedback_id"] for row in pool], [row["comment"] for row in pool]
    try:
        vectors = comment_vectors.learned_with(store, model.state, texts)
    except InputError:  # the list says so, where comments wait for it
        return
    groups = proposals(ids, texts, model.clustering, stored.dismissed(events), vectors)
    joining = _joining(groups, pool)
    rows = _proposed(store, ids, texts, joining, issues) if joining.keys() - issues.keys() else []
    state, root_of = model.state | {"waiting": 0}, stored.roots(issues)

    def work(connection: Connection) -> None:
        if not watching.save(connection, model.model_id, state):
            return
        insert_rows(connection, schema.issue, rows)
        for issue_id, members in joining.items():
            whole = root_of.get(issue_id, issue_id)
            connection.execute(text(JOIN_SQL), {"issue": issue_id, "whole": whole, "ids": members})
        for row in rows:
            many = count(len(joining[row["issue_id"]]), "new comment")
            says = f"Proposed “{row['title']}”: {many} fit each other and no issue"
            stored.record_event(connection, SYSTEM, "propose", row["issue_id"], {"says": says})

    store.write(work)


def _judged(store: Store, model: StoredModel, texts: Sequence[str]) -> Assigned:
    """What the stored model says of comments, by their vectors too where it learned with some.

    Raises InputError where it needs vectors that the store lacks and its embedding model is not to be had.
    """
    return model.clustering.assign_all(texts, comment_vectors.learned_with(store, model.state, texts))


def _places(ids: Sequence[str], found: Assigned, issues: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows of `issue_member` for comments as the model alone would have them."""
    root_of = stored.roots(issues)
    place_of = {(row["label"], row["sub_label"]): issue_id for issue_id, row in issues.items() if row["label"] >= 0}
    rows = []
    for feedback_id, label, score, sub, low in zip(ids, *found, strict=True):
        whole = place_of.get((int(label), None))
        place = place_of.get((int(label), int(sub)), whole)
        rows.append(
            {
                "feedback_id": feedback_id,
                "issue_id": root_of[place] if place else None,
                "placed_in": place,
                "score": float(score),
                "moved_by": None,
                "sub_label": int(sub) if sub >= 0 and place and place == whole == root_of[place] else None,
                "low_information": bool(low) and place is None,
                "fresh": True,
            }
        )
    return rows


def _add(connection: Connection, model_id: str, state: dict[str, Any], ids: Sequence[str], found: Assigned) -> set[str]:
    """Add members, and say in which issues; nothing where a refresh was faster, which makes them new once more."""
    if not watching.save(connection, model_id, state):
        return set()
    rows = _places(ids, found, stored.issue_rows(connection))
    known = connection.execute(
        text("SELECT feedback_id FROM issue_member WHERE feedback_id IN (SELECT unnest(CAST(:ids AS VARCHAR[])))"),
        {"ids": list(ids)},
    )
    there = {row[0] for row in known}
    insert_rows(connection, schema.issue_member, [row for row in rows if row["feedback_id"] not in there])
    return {row["issue_id"] for row in rows if row["issue_id"]}


def _joining(groups: Sequence[Sequence[int]], pool: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """What each proposed issue gets: a group that holds comments of one joins it, another becomes a new one."""
    joining: dict[str, list[str]] = {}
    for group in groups:
        there = [pool[row]["placed_in"] for row in group if pool[row]["unlearned"]]
        home = max(sorted(set(there)), key=there.count) if there else new_id()
        new = [pool[row]["feedback_id"] for row in group if not pool[row]["unlearned"]]
        if new:
            joining.setdefault(home, []).extend(new)
    return joining


def _proposed(
    store: Store,
    ids: Sequence[str],
    texts: Sequence[str],
    joining: Mapping[str, Sequence[str]],
    issues: Mapping[str, Mapping[str, Any]],
) -> list[dict[str, Any]]:
    """Rows for the proposed issues, named against a sample of the comments in other issues."""
    home_of = {one: issue_id for issue_id, members in joining.items() for one in members}
    others = [row for row in store.rows(CONTRAST_SQL, most=MOST_CONTRAST) if row["feedback_id"] not in home_of]
    homes = [home_of.get(one) for one in ids] + [row["issue_id"] for row in others]
    together = [*texts, *(row["comment"] for row in others)]
    names = words_of(together, homes, [1.0] * len(together))
    taken = titles_taken(issues)
    moment = utc_now()
    return [
        stored.new_issue(issue_id, unique_title(names[issue_id], taken), moment, proposed=True)
        | stored.worded(names[issue_id])
        for issue_id in sorted(joining.keys() - issues.keys())
    ]
