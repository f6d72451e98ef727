"""The routes that take and show records: interactions, feedback, and what is said later about a feedback."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any, TypeVar

from fastapi import APIRouter, Request
from fastapi.routing import APIRoute
from starlette.responses import Response
from starlette.routing import request_response

from feedback_lab.collector import openapi
from feedback_lab.collector.access import Caller, Gate, caller, require
from feedback_lab.collector.answers import ApiError, JsonAnswer, problem
from feedback_lab.collector.bodies import aside, read, require_json, strict_json
from feedback_lab.collector.deps import Deps
from feedback_lab.ingest.changing import Said, said_in
from feedback_lab.ingest.receiving import FeedbackChange, FeedbackItem, InteractionItem, Outcome, Status
from feedback_lab.keys import Scope

T = TypeVar("T", InteractionItem, FeedbackItem)

MAX_KEY = 200  # characters of an Idempotency-Key
# The source of what comes by a public-write key; such a key can only change what has it.
PUBLIC = "public-write"
INTERACTION = "SELECT * FROM interaction WHERE interaction_id = :name"
BY_ALIAS = """
    SELECT * FROM interaction
    WHERE interaction_id = (SELECT interaction_id FROM interaction_alias WHERE alias = :name)
"""
NAMES: dict[type[Any], frozenset[str]] = {
    kind: frozenset(field.name for field in fields(kind)) for kind in (InteractionItem, FeedbackItem)
}
CHANGEABLE = frozenset(field.name for field in fields(FeedbackChange)) - {"feedback_id", "source"}


class _Direct(APIRoute):
    """A route whose endpoint reads its request itself: FastAPI describes it, and does nothing for each request."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **more: Any) -> None:
        super().__init__(path, endpoint, **more)
        self.app = request_response(endpoint)


def routers(deps: Deps, gate: Gate) -> list[APIRouter]:
    """POST and GET of interactions and feedback, PATCH of feedback."""
    return [_posting(deps, gate), _changing(deps), _showing(deps)]


def _posting(deps: Deps, gate: Gate) -> APIRouter:
    routes = APIRouter(prefix="/v1", route_class=_Direct)

    @routes.post("/feedback", **openapi.POST_FEEDBACK)
    @require(Scope.INGEST, Scope.PUBLIC_WRITE)
    async def post_feedback(request: Request) -> Response:
        """Store one feedback or a list: 201 once what is new is on disk, 200 where all of it was there already."""
        return await _post(request, deps, gate, FeedbackItem, "feedback_id")

    @routes.post("/interactions", **openapi.POST_INTERACTIONS)
    @require(Scope.INGEST)
    async def post_interactions(request: Request) -> Response:
        """Store one interaction or a list: 201 once what is new is on disk, 200 where all of it was there already."""
        return await _post(request, deps, gate, InteractionItem, "interaction_id")

    return routes


def _changing(deps: Deps) -> APIRouter:
    routes = APIRouter(prefix="/v1")

    @routes.patch("/feedback/{feedback_id:path}", **openapi.PATCH_FEEDBACK)
    @require(Scope.INGEST, Scope.PUBLIC_WRITE)
    async def patch_feedback(request: Request, feedback_id: str) -> Response:
        """Add what the giver says later: a comment, a suggested answer, another thumb or rating. The latest wins."""
        given = await _json(request, deps)
        if not isinstance(given, dict) or given.keys() - CHANGEABLE:
            names = ", ".join(sorted(CHANGEABLE))
            raise ApiError(422, "bad_change", f"A change is one object with some of: {names}.")
        source = PUBLIC if caller(request).scope is Scope.PUBLIC_WRITE else None
        outcome = (await deps.stored([FeedbackChange(feedback_id, source=source, **given)]))[0]
        if outcome.code == "not_found":
            raise ApiError(404, "not_found", "There is no feedback with this id.")
        return _answer([outcome])

    return routes


def _showing(deps: Deps) -> APIRouter:
    routes = APIRouter(prefix="/v1")

    @routes.get("/interactions/{interaction_id:path}", **openapi.GET_INTERACTION)
    @require(Scope.READ)
    def get_interaction(request: Request, interaction_id: str) -> Response:
        """What is stored of one interaction, by its id or another name that feedback may call it by."""
        found = deps.store.rows(INTERACTION, name=interaction_id) or deps.store.rows(BY_ALIAS, name=interaction_id)
        if not found:
            raise ApiError(404, "not_found", "There is no interaction with this id.")
        return JsonAnswer(_shown(found[0]))

    @routes.get("/feedback/{feedback_id:path}", **openapi.GET_FEEDBACK)
    @require(Scope.READ)
    def get_feedback(request: Request, feedback_id: str) -> Response:
        """One feedback as it stands after all changes, and the rows that it consists of."""
        with deps.store.read() as connection:
            found = said_in(connection, feedback_id)
        if found is None:
            raise ApiError(404, "not_found", "There is no feedback with this id.")
        return JsonAnswer(_standing(found))

    return routes


async def _post(request: Request, deps: Deps, gate: Gate, kind: type[T], id_name: str) -> Response:
    who = caller(request)
    given = await _json(request, deps)
    values = given if isinstance(given, list) else [given]
    if not 1 <= len(values) <= deps.limits.items:
        raise ApiError(422 if not values else 413, "bad_length", f"Send 1 to {deps.limits.items:,} items at once.")
    gate.spend(who, len(values) - 1)
    key = _idempotency_key(request, who)
    read_items = [_item(kind, value, id_name, who, key and f"{key}{place}") for place, value in enumerate(values)]
    stored = iter(await deps.stored([item for item in read_items if not isinstance(item, Outcome)]))
    return _answer([item if isinstance(item, Outcome) else next(stored) for item in read_items])


async def _json(request: Request, deps: Deps) -> Any:
    require_json(request)
    body = await read(request, deps.limits)
    return await aside(len(body), strict_json, body, deps.limits.depth)


def _idempotency_key(request: Request, who: Caller) -> str | None:
    """What ids are derived from for items without an id, so that the same request makes the same records."""
    given = request.headers.get("idempotency-key")
    if given is None:
        return None
    if not 1 <= len(given) <= MAX_KEY:
        raise ApiError(422, "bad_idempotency_key", f"An Idempotency-Key has 1 to {MAX_KEY} characters.")
    return f"{who.key_id}\0{given}\0"


def _item(kind: type[T], value: Any, id_name: str, who: Caller, key: str | None) -> T | Outcome:
    """One element of a body as an item; its values are judged later, with those of every other way in."""
    word = id_name.removesuffix("_id")
    if not isinstance(value, dict):
        return Outcome(Status.REJECTED, word, None, None, "bad_type", f"{word} is an object")
    unknown = value.keys() - NAMES[kind]
    if unknown:
        name = min(unknown)[:100]
        reason = (
            f"there is no field of this name, put it into metadata: the fields are {', '.join(sorted(NAMES[kind]))}"
        )
        return Outcome(Status.REJECTED, word, None, name, "unknown_field", reason)
    for name in ("interaction_id", id_name):
        if not isinstance(value.get(name), str | None):
            return Outcome(Status.REJECTED, word, None, name, "bad_type", f"{name} is text")
    more: dict[str, Any] = {} if "interaction_id" in value else {"interaction_id": None}
    if key and not value.get(id_name):
        more[id_name] = hashlib.sha256(f"{word}\0{key}".encode("utf-8", "replace")).hexdigest()[:32]
    if who.scope is Scope.PUBLIC_WRITE:
        if value.get("population", "user") != "user":
            return Outcome(Status.REJECTED, word, None, "population", "forbidden", "a public key speaks for users only")
        more["source"] = PUBLIC
    return kind(**(value | more))


def _answer(outcomes: Sequence[Outcome]) -> Response:
    """201 where something is new, 200 where all was there already, 207 where some were rejected, 422 where all were."""
    counts = {status: sum(outcome.status is status for outcome in outcomes) for status in Status}
    results = [_result(place, outcome) for place, outcome in enumerate(outcomes)]
    rejected = counts[Status.REJECTED]
    if rejected == len(outcomes):
        message = "Nothing was stored: each result says why." if rejected > 1 else str(outcomes[0].reason)
        return problem(422, "rejected", message, results=results)
    status = 207 if rejected else 201 if counts[Status.NEW] else 200
    return JsonAnswer({str(name): count for name, count in counts.items()} | {"results": results}, status)


def _result(place: int, outcome: Outcome) -> dict[str, Any]:
    found: dict[str, Any] = {"index": place, "status": outcome.status, "id": outcome.id}
    if outcome.status is Status.REJECTED:
        found |= {"field": outcome.field, "code": outcome.code, "reason": outcome.reason}
    return found


def _standing(found: Said) -> dict[str, Any]:
    first = found.rows[0]
    standing = {
        "kind": found.kind,
        "value": found.value,
        "scale_min": found.scale[0] if found.scale else None,
        "scale_max": found.scale[1] if found.scale else None,
        "polarity": found.polarity,
        "comment": found.comment,
        "suggested_answer": found.suggested_answer,
    }
    return _shown(first | standing) | {"history": [_shown(row) for row in found.rows]}


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    """A stored row as JSON: times in UTC with a Z, objects as objects; the import it came with is our own affair."""
    shown = {name: f"{value.isoformat()}Z" if isinstance(value, datetime) else value for name, value in row.items()}
    for name in ("tags", "metadata"):
        if name in shown:
            value = shown[name]
            shown[name] = (json.loads(value) if isinstance(value, str) else value) or {}
    shown.pop("batch_id", None)
    return shown
