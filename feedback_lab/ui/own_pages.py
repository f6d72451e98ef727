"""The dashboard is for the pages that it served itself: no other site drives it, under whatever name it reaches us.

Browsers let any page open a WebSocket to this machine, and a name of an attacker's own may lead here (DNS rebinding).
Streamlit itself lets pages of every port of this machine in, and asks the network who it is before it refuses others.
"""

from collections.abc import Collection
from functools import lru_cache
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

# What the front end asks for; numbers for machines, the agents' door and the debugging routes stay closed.
NEEDED = ("health", "host-config", "stream", "upload_file", "bidi-components")
FOLDER = "/_stcore/"


class OwnPages:
    """ASGI middleware that refuses other hosts, WebSockets of other pages, and Streamlit's routes that no page needs.

    `hosts` are the names under which the server may be asked for; empty means any.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str] = ()) -> None:
        self.app = app
        self.hosts = frozenset(host.strip("[]").lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            if not self._is_ours(Headers(scope=scope)):
                await PlainTextResponse("This server has another name.", 421)(scope, receive, send)
                return
            # Routes do not match across lines, so such a path would be answered with the dashboard's empty page.
            if not _is_needed(scope["path"]) or "\n" in scope["path"]:
                await PlainTextResponse("Not Found", 404)(scope, receive, send)
                return
        elif scope["type"] == "websocket":
            headers = Headers(scope=scope)
            if not self._is_ours(headers) or not _same_origin(headers):
                await send({"type": "websocket.close", "code": 1008})
                return
        await self.app(scope, receive, send)

    def _is_ours(self, headers: Headers) -> bool:
        named = headers.getlist("host")
        return not self.hosts or (len(named) == 1 and _host_name(named[0]) in self.hosts)


@lru_cache(256)
def _host_name(host: str) -> str | None:
    try:
        parts = urlsplit(f"//{host}")
        if parts.path or parts.query or parts.fragment or parts.username is not None:
            return None
        return parts.hostname if parts.port != 0 else None
    except ValueError:
        return None


def _same_origin(headers: Headers) -> bool:
    """Whether a page of this very server asks: browsers always send an Origin with a WebSocket."""
    return headers.get("origin", "") in (f"http://{headers.get('host')}", f"https://{headers.get('host')}")


def _is_needed(path: str) -> bool:
    if FOLDER not in f"{path}/":
        return True
    return any(path == f"{FOLDER}{name}" or path.startswith(f"{FOLDER}{name}/") for name in NEEDED)
