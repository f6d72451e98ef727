"""`GET /v1/widget.js`: thumbs with a comment for web pages; the script itself says how a page uses it."""

from __future__ import annotations

from importlib.resources import files

from fastapi import APIRouter
from starlette.responses import Response

from feedback_lab.collector.access import public
from feedback_lab.collector.deps import Deps

# Pages elsewhere load it, also those that ask every resource for its consent.
HEADERS = {"Cache-Control": "public, max-age=3600", "Cross-Origin-Resource-Policy": "cross-origin"}


def router(deps: Deps) -> APIRouter:
    """The one script, the same for everyone; what it sends needs a key of the page's own."""
    routes = APIRouter(prefix="/v1", include_in_schema=False)
    script = files("feedback_lab.collector").joinpath("widget.js").read_bytes()

    @routes.get("/widget.js")
    @public
    def widget() -> Response:
        """Thumbs with a comment."""
        return Response(script, media_type="text/javascript", headers=HEADERS)

    return routes
