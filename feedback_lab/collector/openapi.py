"""What the description of the API says beyond the routes themselves: bodies, answers, examples."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

Schema = dict[str, Any]

EXAMPLE_INTERACTION = {
    "interaction_id": "req-7f3a",
    "session_id": "chat-12",
    "turn": 1,
    "created_at": "2026-11-21T09:30:00Z",
    "input": "How do I reset my password?",
    "output": "Call us between 9 and 5.",
    "model": "heron-1",
    "prompt_version": "2026-11",
    "user": "user-4711",
    "tags": {"channel": "web"},
    "metadata": {"latency_ms": 840},
}
EXAMPLE_FEEDBACK = {
    "interaction_id": "req-7f3a",
    "feedback_id": "req-7f3a-thumb",
    "value": -1,
    "comment": "The hotline is closed at night.",
    "suggested_answer": "Use the link Forgot password below the login.",
    "user": "user-4711",
}


def _text(most: int, *, null: bool = True, least: int = 0) -> Schema:
    return {"type": ["string", "null"] if null else "string", "maxLength": most, "minLength": least}


TIME: Schema = {
    "type": ["string", "number", "null"],
    "description": "ISO 8601 (UTC unless it names a zone), or Unix seconds to nanoseconds.",
}
VALUE: Schema = {
    "type": ["number", "string", "boolean", "null"],
    "description": 'A thumb (1, -1, true, false, "up", "down", "👍") or a number on `scale`.',
}
SCALE: Schema = {
    "type": ["array", "null"],
    "items": {"type": "number"},
    "minItems": 2,
    "maxItems": 2,
    "description": "Lowest and highest rating; a number other than 1 and -1 needs it.",
}
METADATA: Schema = {"type": "object", "description": "Whatever else belongs to it; at most 100,000 characters of JSON."}
INTERACTION: Schema = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "interaction_id": _text(500),
        "session_id": _text(500),
        "turn": {"type": ["integer", "null"], "minimum": 0, "maximum": 2**31 - 1},
        "created_at": TIME,
        "input": _text(1_000_000),
        "output": _text(1_000_000),
        "model": _text(500),
        "prompt_version": _text(500),
        "knowledge_version": _text(500),
        "user": _text(500) | {"description": "Stored only as a keyed hash."},
        "tags": {"type": "object", "maxProperties": 50, "additionalProperties": _text(500)},
        "metadata": METADATA,
    },
}
FEEDBACK: Schema = {
    "type": "object",
    "additionalProperties": False,
    "required": ["interaction_id"],
    "properties": {
        "interaction_id": _text(500, null=False, least=1),
        "feedback_id": _text(500),
        "kind": _text(64) | {"description": "thumb, rating, correction, comment, edit, or an implicit signal's name."},
        "value": VALUE,
        "scale": SCALE,
        "polarity": {"type": ["string", "null"], "enum": ["positive", "neutral", "negative", None]},
        "comment": _text(1_000_000),
        "suggested_answer": _text(1_000_000),
        "created_at": TIME,
        "user": _text(500) | {"description": "Stored only as a keyed hash."},
        "population": {"type": "string", "enum": ["user", "reviewer", "test", "judge"]},
        "source": _text(500),
        "metadata": METADATA,
    },
}
CHANGE: Schema = {
    "type": "object",
    "additionalProperties": False,
    "minProperties": 1,
    "properties": {name: FEEDBACK["properties"][name] for name in ("value", "scale", "comment", "suggested_answer")}
    | {"created_at": TIME},
}
RESULT: Schema = {
    "type": "object",
    "required": ["index", "status", "id"],
    "properties": {
        "index": {"type": "integer"},
        "status": {"enum": ["new", "duplicate", "rejected"]},
        "id": {"type": ["string", "null"]},
        "field": {"type": ["string", "null"]},
        "code": {"type": ["string", "null"]},
        "reason": {"type": ["string", "null"]},
    },
}
RESULTS: Schema = {
    "type": "object",
    "required": ["new", "duplicate", "rejected", "results"],
    "properties": {name: {"type": "integer"} for name in ("new", "duplicate", "rejected")}
    | {"results": {"type": "array", "items": RESULT}},
}
ERROR: Schema = {
    "type": "object",
    "required": ["error", "message", "details"],
    "properties": {"error": {"type": "string"}, "message": {"type": "string"}, "details": {"type": "object"}},
}
RECORD: Schema = {"type": "object"}
RECALLED: Schema = {
    "type": "object",
    "required": ["query", "notice", "hits"],
    "properties": {
        "query": {"type": "string"},
        "notice": {"type": "string"},
        "hits": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["entry_id", "question", "answer", "score", "truncated"],
                "properties": {
                    "entry_id": {"type": "string"},
                    "question": {"type": "string"},
                    "answer": {"type": "string"},
                    "score": {"type": "number"},
                    "truncated": {"type": "boolean"},
                },
            },
        },
    },
}
HEALTH: Schema = {"type": "object", "required": ["status", "version"]}
ERRORS = {
    400: "The request is broken.",
    401: "There is no key, or it is unknown or revoked.",
    403: "The key does not open this, or not from this page.",
    404: "There is no record with this id.",
    413: "The body is too large: send it in several requests.",
    415: "The body is not JSON, or not gzip.",
    422: "Nothing was stored: `message` or each of `details.results` says why.",
    429: "This key sends more than it may: wait as long as Retry-After says.",
    503: "Nothing is acknowledged: wait as long as Retry-After says, and send the same again.",
}


def _json(schema: Schema, **more: Any) -> Schema:
    return {"application/json": {"schema": schema} | more}


def _answers(good: dict[int, tuple[str, Schema]], *errors: int) -> dict[str, Any]:
    answers: dict[int | str, Any] = {
        status: {"description": words, "content": _json(schema)} for status, (words, schema) in good.items()
    }
    bad = {status: {"description": ERRORS[status], "content": _json(ERROR)} for status in (401, 403, 429, *errors, 503)}
    return {"responses": answers | bad, "status_code": next(iter(good)), "response_model": None}


def _post(word: str, schema: Schema, example: Schema) -> dict[str, Any]:
    either = {"oneOf": [schema, {"type": "array", "items": schema, "minItems": 1, "maxItems": 1000}]}
    good = {
        201: ("What is new is on disk.", RESULTS),
        200: ("All of it was stored before.", RESULTS),
        207: ("Some is on disk, some was rejected: see each result.", RESULTS),
    }
    body = {
        "required": True,
        "content": _json(either, examples={word: {"value": example}, "list": {"value": [example]}}),
    }
    header = {
        "name": "Idempotency-Key",
        "in": "header",
        "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"},
        "description": "Makes ids for items without one, so that the same request can be sent again.",
    }
    return _answers(good, 413, 415, 422) | {"openapi_extra": {"requestBody": body, "parameters": [header]}}


POST_INTERACTIONS = _post("interaction", INTERACTION, EXAMPLE_INTERACTION)
POST_FEEDBACK = _post("feedback", FEEDBACK, EXAMPLE_FEEDBACK)
PATCH_FEEDBACK = _answers(
    {201: ("What is new is on disk.", RESULTS), 200: ("This was said already.", RESULTS)}, 404, 413, 415, 422
) | {
    "openapi_extra": {
        "requestBody": {
            "required": True,
            "content": _json(CHANGE, examples={"comment": {"value": {"comment": "It is open at night now."}}}),
        }
    }
}
GET_INTERACTION = _answers({200: ("The interaction.", RECORD)}, 404, 422)
GET_FEEDBACK = _answers({200: ("The feedback.", RECORD)}, 404, 422)
RECALL = _answers({200: ("The entries most similar to the question, best first.", RECALLED)}, 422)
HEALTHY: dict[str, Any] = {
    "responses": {
        200: {"description": "The lab can be read and written.", "content": _json(HEALTH)},
        503: {"description": "It cannot: `reason` says what fails, and where to look.", "content": _json(HEALTH)},
    },
    "response_model": None,
}


def describe(api: FastAPI) -> Schema:
    """The OpenAPI document of the API as it is mounted, with its keys."""
    document = get_openapi(
        title="Feedback Lab",
        version=api.version,
        description="Send interactions and feedback, fetch what was learned. What is acknowledged is on disk.",
        routes=api.routes,
        servers=[{"url": "/api"}],
    )
    document.setdefault("components", {})["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    for path, methods in document["paths"].items():
        for operation in methods.values():
            if path != "/v1/health":
                operation["security"] = [{"key": []}]
    return document
