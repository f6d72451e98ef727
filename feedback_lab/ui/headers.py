"""Headers on every answer: the browser runs, loads and connects to nothing that is not ours."""

import secrets

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# 'unsafe-eval', blob workers and inline styles are what Streamlit's own front end needs (charts, tables).
POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-eval' 'wasm-unsafe-eval' blob:",
        "worker-src 'self' blob:",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "frame-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'self'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_RAW = {name.lower().encode(): value.encode() for name, value in HEADERS.items()}
_PAIRS = list(_RAW.items())


# Tells one browser from another while it is open, for the reviewer's name after a reload; it opens no door.
BROWSER_COOKIE = "feedback_lab_browser"


class SecurityHeaders:
    """ASGI middleware that sets HEADERS on every HTTP answer, also those of /api, and a cookie beside each page."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [pair for pair in message["headers"] if pair[0] not in _RAW] + _PAIRS
                headers = MutableHeaders(scope=message)
                if headers.get("content-type", "").startswith("text/html") and not _has_cookie(scope):
                    cookie = f"{BROWSER_COOKIE}={secrets.token_urlsafe(16)}; Path=/; HttpOnly; SameSite=Strict"
                    headers.append("set-cookie", cookie)
            await send(message)

        await self.app(scope, receive, send_with_headers if scope["type"] == "http" else send)


def _has_cookie(scope: Scope) -> bool:
    return f"{BROWSER_COOKIE}=" in Headers(scope=scope).get("cookie", "")
