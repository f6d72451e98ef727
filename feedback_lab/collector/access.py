"""Who may call which route: nobody, unless the route says so and the caller's key allows it.

Every route is wrapped, whoever declared it; what declares nothing stays closed. The check comes before the body is
read. Pages elsewhere may only use public-write keys, from exactly the origins that the key was made for.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from typing import TypeVar

from fastapi import FastAPI, Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as AsgiScope

from feedback_lab.collector.answers import ApiError, problem
from feedback_lab.collector.deps import Deps
from feedback_lab.collector.limits import Buckets
from feedback_lab.errors import LabError
from feedback_lab.keys import Scope

F = TypeVar("F", bound=Callable[..., object])

OWNER = "server.json"
_DECLARED = "__feedback_lab_scopes__"
_CALLER = "feedback_lab.caller"
PREFLIGHT = {
    "Access-Control-Allow-Methods": "POST, PATCH",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Content-Encoding, Idempotency-Key",
    "Access-Control-Max-Age": "600",
    "Vary": "Origin",
}


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose key a request carries."""

    key_id: str
    scope: Scope


def require(*scopes: Scope) -> Callable[[F], F]:
    """Declare that an endpoint is open to keys with one of these scopes (put it below the route's own line)."""

    def declare(endpoint: F) -> F:
        setattr(endpoint, _DECLARED, frozenset(scopes))
        return endpoint

    return declare


def public(endpoint: F) -> F:
    """Declare that an endpoint is open to everyone."""
    setattr(endpoint, _DECLARED, None)
    return endpoint


def caller(request: Request) -> Caller:
    """Whose key the request carries; only on routes that require one."""
    found = request.scope[_CALLER]
    assert isinstance(found, Caller)
    return found


class Gate:
    """Decides about requests, and counts them."""

    def __init__(self, deps: Deps, buckets: Buckets | None = None) -> None:
        self._deps = deps
        self._buckets = buckets or Buckets()

    def spend(self, who: Caller, count: int) -> None:
        """Count `count` more items of this caller. Raises ApiError (429) where they are too many."""
        wait = self._buckets.take(who.key_id, who.scope, count)
        if wait:
            message = "This key sends more than it may: send the same again later."
            raise ApiError(429, "too_many_requests", message, headers={"Retry-After": str(ceil(wait))})

    def let_in(self, headers: Headers, scopes: frozenset[Scope]) -> Caller:
        """The caller, where the key in the headers opens one of `scopes`. Raises ApiError (401, 403, 429)."""
        scheme, _, given = headers.get("authorization", "").partition(" ")
        secret = given.strip() if scheme.lower() == "bearer" else ""
        who, origins = self._known(secret) if secret else (None, ())
        if who is None:
            message = (
                "This key is not known, or it was revoked: feedback-lab keys list shows those that open something."
                if secret
                else "This needs a key: send the header Authorization: Bearer fl_... (feedback-lab keys add)."
            )
            raise ApiError(401, "unauthorized", message, headers={"WWW-Authenticate": "Bearer"})
        if who.scope not in scopes:
            others = " or ".join(sorted(scopes - {Scope.OWNER}))
            needed = f", which needs {others}" if others else ""
            raise ApiError(403, "forbidden", f"A key with the scope {who.scope} does not open this{needed}.")
        if who.scope is Scope.PUBLIC_WRITE and headers.get("origin") not in origins:
            raise ApiError(403, "origin_not_allowed", "This key is for other pages: make one with --origin.")
        return who

    def _known(self, secret: str) -> tuple[Caller | None, tuple[str, ...]]:
        token = self._deps.owner_token()
        if token and hmac.compare_digest(token.encode(), secret.encode()):
            return Caller(OWNER, Scope.OWNER), ()
        info = self._deps.keyring.check(secret)
        return (Caller(info.key_id, info.scope), info.origins) if info else (None, ())

    def page_may_ask(self, origin: str | None) -> bool:
        """Whether some public-write key is for pages of this origin."""
        return bool(origin) and origin in self._deps.keyring.origins()


class _Guarded:
    """A route behind the gate."""

    def __init__(self, app: ASGIApp, gate: Gate, scopes: frozenset[Scope] | None) -> None:
        self.app, self.gate, self.scopes = app, gate, scopes

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        if self.scopes is not None:
            if scope["type"] != "http":
                await send({"type": "websocket.close", "code": 1008})
                return
            headers = Headers(scope=scope)
            who = self.gate.let_in(headers, self.scopes)
            scope[_CALLER] = who
            if who.scope is Scope.PUBLIC_WRITE:
                send = _for_page(send, headers["origin"])
            self.gate.spend(who, 1)
        await self.app(scope, receive, send)


def _for_page(send: Send, origin: str) -> Send:
    """Let the page that asked read the answer, and only this page."""

    async def send_to_page(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["Access-Control-Allow-Origin"] = origin
            headers["Access-Control-Expose-Headers"] = "Retry-After"
            headers.add_vary_header("Origin")
        await send(message)

    return send_to_page


class Preflights:
    """ASGI middleware that answers a browser's question whether a page elsewhere may write."""

    def __init__(self, app: ASGIApp, *, api: FastAPI, gate: Gate) -> None:
        self.app, self.api, self.gate = app, api, gate

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "OPTIONS":
            headers = Headers(scope=scope)
            method = headers.get("access-control-request-method")
            if method and "origin" in headers:
                await self._answer(scope, headers["origin"], method)(scope, receive, send)
                return
        await self.app(scope, receive, send)

    def _answer(self, scope: AsgiScope, origin: str, method: str) -> Response:
        open_to_pages = any(
            isinstance(route.app, _Guarded)
            and Scope.PUBLIC_WRITE in (route.app.scopes or ())
            and route.matches({**scope, "method": method})[0] is Match.FULL
            for route in self.api.routes
            if isinstance(route, Route)
        )
        try:
            allowed = open_to_pages and self.gate.page_may_ask(origin)
        except LabError:
            allowed = False
        if not allowed:
            return problem(403, "origin_not_allowed", "Pages of this origin may not ask this.", {"Vary": "Origin"})
        return Response(status_code=204, headers=PREFLIGHT | {"Access-Control-Allow-Origin": origin})


def close(api: FastAPI, gate: Gate) -> None:
    """Put every route of the API behind the gate. Call it once, after the last route was added."""
    for route in api.routes:
        app: ASGIApp | None = getattr(route, "app", None)
        if app is None:
            raise TypeError(f"{route!r} cannot be put behind the gate")
        endpoint = getattr(route, "endpoint", None)
        scopes: frozenset[Scope] | None = getattr(endpoint, _DECLARED, frozenset())
        route.app = _Guarded(app, gate, scopes)  # type: ignore[attr-defined]
    api.add_middleware(Preflights, api=api, gate=gate)
