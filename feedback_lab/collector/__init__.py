"""The HTTP door, mounted under /api beside the dashboard: what products send, and what they fetch.

Nothing is acknowledged before it is on disk, and nothing is open that does not say for whom.
"""

from __future__ import annotations

from collections.abc import Callable

from fastapi import FastAPI, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as AsgiScope

from feedback_lab import __version__, server_note
from feedback_lab.collector import access, answers, commands, openapi, otlp, recalling, records, uploads, widget
from feedback_lab.collector.access import Gate, public, require
from feedback_lab.collector.answers import JsonAnswer
from feedback_lab.collector.background import Evaluation, evaluate, left_over
from feedback_lab.collector.deps import Deps
from feedback_lab.collector.limits import Buckets, Limits
from feedback_lab.collector.writer import Writer
from feedback_lab.errors import LabError
from feedback_lab.keys import Scope
from feedback_lab.serving import Lab


class Collector:
    """The API of one process with its two threads: the writer, and the one that runs the rules."""

    def __init__(
        self,
        lab_of: Callable[[], Lab],
        *,
        owner_token: Callable[[], str | None] = server_note.owner_token,
        limits: Limits | None = None,
        buckets: Buckets | None = None,
    ) -> None:
        """`lab_of` answers the open lab, or raises LabError where there is none."""
        limits = limits or Limits()
        self.evaluation = Evaluation(lambda: evaluate(lab_of()))
        self.writer = Writer(lambda: lab_of().store, most_waiting=limits.queued_items, stored=self.evaluation.ask)
        self.deps = Deps(lab_of, self.writer, owner_token, limits)
        self.api = create_api(self.deps, Gate(self.deps, buckets))

    def begin(self) -> None:
        """Let the rules look at what came before the last stop and after their last run, where there is any of it."""
        if left_over(self.deps.store):
            self.evaluation.ask()

    def close(self) -> None:
        """Store and answer what waits, then end both threads. The lab stays open; close it afterwards."""
        self.writer.close()
        self.evaluation.close()


class Mounted:
    """ASGI middleware: what asks for /api is the collector's, all else goes on to the dashboard.

    As one of the dashboard's routes the API would come after its sessions and its compression, which nobody needs here
    and which take a quarter of the time of a request.
    """

    def __init__(self, app: ASGIApp, api: ASGIApp) -> None:
        self.app, self.api = app, api

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket") and scope["path"].startswith("/api/"):
            await self.api({**scope, "root_path": f"{scope.get('root_path', '')}/api"}, receive, send)
        else:
            await self.app(scope, receive, send)


def create_api(deps: Deps, gate: Gate) -> FastAPI:
    """All routes of the API, each behind the gate."""
    api = FastAPI(
        title="Feedback Lab",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # else asked about for each request
    )

    @api.get("/v1/health", **openapi.HEALTHY)
    @public
    def health() -> Response:
        """200 while the lab can be read and written, 503 with the reason where it cannot."""
        return _health(deps)

    @api.get("/v1/openapi.json", include_in_schema=False)
    @require(Scope.READ)
    def described(request: Request) -> Response:
        """This API in the words of OpenAPI."""
        return JsonAnswer(openapi.describe(api))

    # The first one is asked for most, and routes are tried in order.
    routers = [*records.routers(deps, gate), recalling.router(deps), otlp.router(deps), widget.router(deps)]
    routers += [commands.router(deps), uploads.router(deps)]
    api.router.routes[:0] = [route for router in routers for route in router.routes]
    answers.register(api)
    access.close(api, gate)
    api.add_middleware(answers.Unforeseen)
    return api


def _health(deps: Deps) -> Response:
    answer: dict[str, object] = {"status": "ok", "version": __version__}
    try:
        store = deps.store
        answer["database_id"] = store.scalar("SELECT database_id FROM ledger")  # the command line asks for it
        if store.damage is None:
            answer["commits"] = store.scalar("SELECT acknowledged FROM ledger")
            answer["queued"] = deps.writer.queued
            return JsonAnswer(answer)
        reason = "The database is read, but nothing is written to it"
    except LabError:
        reason = "The lab cannot be opened or read"
    # Everyone may ask, so it names no path and no file.
    reason += ": `feedback-lab doctor` says why."
    return JsonAnswer(answer | {"status": "error", "reason": reason}, 503)
