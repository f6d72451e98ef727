"""One shape for every error that the API answers: {"error": code, "message": sentence, "details": {...}}."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from feedback_lab.collector.writer import QueueFull, place_of
from feedback_lab.errors import DiskError, InputError, LabError, StoreError

log = logging.getLogger("feedback_lab.collector")

RETRY_SECONDS = 1
# Without the paths that the errors' own sentences hold; `feedback-lab doctor` says more.
UNAVAILABLE: tuple[tuple[type[LabError], str, str], ...] = (
    (QueueFull, "queue_full", "Too much waits to be stored: send the same again in a moment."),
    (
        DiskError,
        "disk_refuses",
        "The disk takes nothing (full?): nothing of this is acknowledged, send it again later.",
    ),
    (StoreError, "store_unavailable", "The store takes nothing now: nothing of this is acknowledged, send it again."),
)
CODES = {404: "not_found", 405: "method_not_allowed", 413: "too_large"}


class ApiError(Exception):
    """An answer other than success: a status, a stable code, a sentence."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        headers: Mapping[str, str] | None = None,
        **details: Any,
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.headers, self.details = status, code, message, headers, details


class JsonAnswer(Response):
    """JSON in ASCII, so that no text in it can break a line or a terminal; never kept by a cache."""

    media_type = "application/json"

    def __init__(self, content: Any, status_code: int = 200, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(content, status_code, {"Cache-Control": "no-store"} | dict(headers or {}))

    def render(self, content: Any) -> bytes:
        return json.dumps(content, allow_nan=False, separators=(",", ":"), default=str).encode("ascii")


def problem(status: int, code: str, message: str, headers: Mapping[str, str] | None = None, **details: Any) -> Response:
    """The one shape of an error."""
    return JsonAnswer({"error": code, "message": message, "details": details}, status, headers)


def unavailable(code: str, message: str) -> Response:
    """503: nothing of the request is stored, and the same request may be sent again."""
    return problem(503, code, message, {"Retry-After": str(RETRY_SECONDS)})


def register(api: FastAPI) -> None:
    """Give every foreseen error of the API its shape."""

    @api.exception_handler(ApiError)
    async def refused(_request: Request, error: ApiError) -> Response:
        return problem(error.status, error.code, error.message, error.headers, **error.details)

    @api.exception_handler(LabError)
    async def lab_error(_request: Request, error: LabError) -> Response:
        for kind, code, message in UNAVAILABLE:
            if isinstance(error, kind):
                log.error("A request met %s", type(error).__name__)
                return unavailable(code, message)
        return problem(422 if isinstance(error, InputError) else 409, "refused", str(error))

    @api.exception_handler(HTTPException)
    async def http_error(_request: Request, error: HTTPException) -> Response:
        message = str(error.detail)
        if error.status_code in (404, 405):
            message += ": GET /api/v1/openapi.json, with a read key, says what there is."
        return problem(error.status_code, CODES.get(error.status_code, "refused"), message, error.headers)

    @api.exception_handler(RequestValidationError)
    async def invalid(_request: Request, error: RequestValidationError) -> Response:
        found = {".".join(str(part) for part in one["loc"][1:]): str(one["msg"]) for one in error.errors()}
        reasons = "; ".join(f"{name}: {reason[:1].lower()}{reason[1:]}" for name, reason in found.items())
        return problem(422, "bad_parameter", f"A parameter cannot be used as it is ({reasons}).", fields=list(found))


class Unforeseen:
    """ASGI middleware: what nobody foresaw is a 500 without details, and a sender that has left is no error.

    Nothing is raised to the server, whose log would show the error's words, and these may be a user's.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answering = False

        async def watched(message: Message) -> None:
            nonlocal answering
            answering = True
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except ClientDisconnect:
            return
        except Exception as error:
            log.error("A request failed (%s)", place_of(error))
            if not answering:
                message = "Something unexpected went wrong; nothing of this request is acknowledged."
                await problem(500, "internal", message)(scope, receive, send)
