"""Who may do what: a table of all routes, and what other sites can never do."""

import asyncio
import socket
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.websockets import WebSocket
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from feedback_lab import keys
from feedback_lab.collector.access import Gate, close, public, require
from feedback_lab.collector.answers import register
from feedback_lab.keys import Scope
from feedback_lab.store import Store
from feedback_lab.ui.own_pages import OwnPages
from tests.collector_server import OWNER_TOKEN, PAGE, Api, serving_collector
from tests.server import Server, start_server

EVERYONE = None
SENDERS = {"ingest"}
READERS = {"read"}
WRITERS = {"ingest", "public-write"}
OWNERS = {"owner"}
# Uploads are opened by a ticket of their own, which the page of the dashboard gives to its browser.
TABLE: dict[tuple[str, str], set[str] | None] = {
    ("GET", "/v1/health"): EVERYONE,
    ("GET", "/v1/widget.js"): EVERYONE,
    ("GET", "/v1/openapi.json"): READERS,
    ("GET", "/v1/recall"): READERS,
    ("GET", "/v1/interactions/{interaction_id:path}"): READERS,
    ("GET", "/v1/feedback/{feedback_id:path}"): READERS,
    ("POST", "/v1/interactions"): SENDERS,
    ("POST", "/v1/feedback"): WRITERS,
    ("PATCH", "/v1/feedback/{feedback_id:path}"): WRITERS,
    ("POST", "/otlp/v1/traces"): SENDERS,
    ("POST", "/otlp/v1/logs"): SENDERS,
    ("POST", "/v1/commands"): OWNERS,
    ("DELETE", "/v1/commands/{command_id}"): OWNERS,
    ("PUT", "/v1/uploads/{upload_id}"): EVERYONE,
}
CALLERS = ("ingest", "read", "public-write", "owner")


@pytest.fixture
def api(store: Store) -> Iterator[Api]:
    with serving_collector(store) as running:
        yield running


def walked(api: FastAPI) -> list[tuple[str, str]]:
    found = []
    for route in api.routes:
        assert isinstance(route, Route), f"{route!r} is of a kind that this test does not know"
        found += [(method, route.path) for method in route.methods or () if method != "HEAD"]
    return found


def test_every_route_stands_in_the_table(api: Api) -> None:
    assert sorted(walked(api.collector.api)) == sorted(TABLE)


def test_every_route_is_open_to_those_in_the_table_and_to_nobody_else(api: Api) -> None:
    _, revoked = keys.add(api.store, "old", "ingest")
    keys.revoke(api.store, "old")
    strangers: list[dict[str, str]] = [
        {},
        {"Authorization": f"Bearer {revoked}"},
        {"Authorization": f"Bearer {api.secrets['ingest']}x"},
        {"Authorization": "Bearer"},
        {"Authorization": f"Basic {api.secrets['ingest']}"},
        {"Authorization": api.secrets["ingest"]},
        {"Cookie": f"key={api.secrets['ingest']}"},
    ]
    for (method, path), scopes in TABLE.items():
        if scopes is EVERYONE:
            continue
        address = (
            path.replace("{interaction_id:path}", "x").replace("{feedback_id:path}", "x").replace("{command_id}", "x")
        )
        for headers in strangers:
            answer = api.call(method, address, None, headers=headers)
            assert (answer.status_code, answer.json()["error"]) == (401, "unauthorized"), (method, path, headers)
        for scope in CALLERS:
            answer = api.call(method, address, scope)
            refused = answer.status_code in (401, 403)
            assert refused == (scope not in scopes), (method, path, scope, answer.status_code)
    assert api.count("feedback") == api.count("interaction") == 0


def test_a_revoked_key_is_refused_at_the_next_request(api: Api) -> None:
    sent = {"interaction_id": "i", "value": 1}
    assert api.post("/v1/feedback", sent).status_code == 201
    keys.revoke(api.store, "ingest")
    assert api.post("/v1/feedback", sent).status_code == 401


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json", "/v1/docs", "/v1/nothing", "/v1/feedback/", "/"])
def test_what_is_not_in_the_table_is_not_there(api: Api, path: str) -> None:
    assert api.call("GET", path, None).status_code in (401, 404)


@pytest.mark.parametrize("host", ["x/../api", "evil.example", "127.0.0.1/v1/health?", "a@b"])
def test_a_strange_host_header_opens_nothing(api: Api, host: str) -> None:
    answer = api.call("POST", "/v1/feedback", None, headers={"Host": host}, json={"interaction_id": "i", "value": 1})
    assert answer.status_code in (400, 401)


def test_a_route_that_declares_nothing_stays_closed(api: Api) -> None:
    forgetful = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)

    @forgetful.get("/forgotten")
    async def forgotten() -> Response:
        return Response("secret")

    @forgetful.get("/known")
    @require(Scope.READ)
    async def known(request: Request) -> Response:
        return Response("known")

    @forgetful.get("/open")
    @public
    async def everyone() -> Response:
        return Response("open")

    @forgetful.websocket("/socket")
    async def socket(websocket: WebSocket) -> None:
        await websocket.accept()

    register(forgetful)
    close(forgetful, Gate(api.collector.deps))

    async def codes() -> list[int]:
        transport = httpx.ASGITransport(forgetful)
        async with httpx.AsyncClient(transport=transport, base_url="http://lab") as client:
            headers = {"Authorization": f"Bearer {api.secrets['read']}"}
            return [
                (await client.get(f"/{path}", headers=headers)).status_code for path in ("forgotten", "known", "open")
            ]

    assert asyncio.run(codes()) == [403, 200, 200]

    sent: list[Any] = []

    async def dial() -> None:
        async def receive() -> dict[str, Any]:
            return {"type": "websocket.connect"}

        async def send(message: Any) -> None:
            sent.append(message)

        headers = [(b"authorization", f"Bearer {api.secrets['read']}".encode())]
        scope = {"type": "websocket", "path": "/socket", "headers": headers, "query_string": b"", "subprotocols": []}
        await forgetful(scope, receive, send)

    asyncio.run(dial())
    assert [message["type"] for message in sent] == ["websocket.close"]


# What other sites can do


def preflight(api: Api, origin: str, path: str = "/v1/feedback", method: str = "POST") -> httpx.Response:
    headers = {"Origin": origin, "Access-Control-Request-Method": method,
               "Access-Control-Request-Headers": "authorization,content-type"}  # fmt: skip
    return api.call("OPTIONS", path, None, headers=headers)


def test_the_page_of_a_public_key_may_write_feedback_and_nothing_else(api: Api) -> None:
    for path, method in (("/v1/feedback", "POST"), ("/v1/feedback/f1", "PATCH")):
        answer = preflight(api, PAGE, path, method)
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (204, PAGE)
        assert "Authorization" in answer.headers["access-control-allow-headers"]
    for path, method in (("/v1/interactions", "POST"), ("/v1/feedback/f1", "GET"), ("/v1/commands", "POST")):
        answer = preflight(api, PAGE, path, method)
        assert answer.status_code == 403
        assert "access-control-allow-origin" not in answer.headers

    answer = api.post("/v1/feedback", {"interaction_id": "i", "value": 1}, "public-write")
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (201, PAGE)
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize(
    "origin",
    ["null", "*", "https://shop.example.evil.test", "https://evilshop.example", "http://shop.example",
     "https://shop.example:444", "https://SHOP.example", "https://shop.example/", "https://shop.example,https://x", ""],
)  # fmt: skip
def test_a_page_of_any_other_origin_may_not(api: Api, origin: str) -> None:
    answer = preflight(api, origin)
    assert answer.status_code in (403, 405)
    assert "access-control-allow-origin" not in answer.headers
    answer = api.post("/v1/feedback", {"interaction_id": "i", "value": 1}, "public-write", Origin=origin)
    assert (answer.status_code, answer.json()["error"]) == (403, "origin_not_allowed")
    assert api.count("feedback") == 0


def test_a_public_key_without_any_origin_is_refused(api: Api) -> None:
    headers = {"Authorization": f"Bearer {api.secrets['public-write']}"}
    assert api.call("POST", "/v1/feedback", None, headers=headers, json={}).status_code == 403


def test_the_origin_of_a_revoked_key_is_forgotten(api: Api) -> None:
    keys.revoke(api.store, "page")
    assert preflight(api, PAGE).status_code == 403


def test_other_keys_let_no_page_read_the_answer(api: Api) -> None:
    answer = api.call("GET", "/v1/recall", "read", params={"query": "x"}, headers={"Origin": PAGE})
    assert "access-control-allow-origin" not in answer.headers


def test_a_public_key_speaks_for_users_and_changes_only_what_came_by_such_a_key(api: Api) -> None:
    sent = {"interaction_id": "i", "feedback_id": "own", "value": 1}
    assert api.post("/v1/feedback", sent | {"source": "forged"}, "public-write").status_code == 201
    assert api.call("GET", "/v1/feedback/own", "read").json()["source"] == "public-write"
    assert api.post("/v1/feedback", sent | {"population": "reviewer"}, "public-write").status_code == 422

    api.post("/v1/feedback", {"interaction_id": "i", "feedback_id": "other", "value": 1})
    assert api.call("PATCH", "/v1/feedback/other", "public-write", json={"value": -1}).status_code == 404
    assert api.call("PATCH", "/v1/feedback/own", "public-write", json={"value": -1}).status_code == 201


def test_the_owner_token_is_no_key_for_data(api: Api) -> None:
    headers = {"Authorization": f"Bearer {OWNER_TOKEN}"}
    assert api.call("POST", "/v1/feedback", None, headers=headers, json={}).status_code == 403


# The dashboard beside it


PROXY = "lab.example.com"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("served") / "home"
    home.mkdir()
    (home / "feedback_lab.toml").write_text(f'allowed_hosts = ["{PROXY}"]\n')
    running = start_server(home)
    yield running
    running.stop()


@pytest.mark.parametrize(
    "path",
    ["/_stcore/metrics", "/_stcore/script-health-check", "/_stcore/agent/interact", "/_stcore/agent/mcp",
     "/_stcore/agent/openapi.json", "/_stcore/nothing", "/_stcore", "/review/_stcore/metrics"],
)  # fmt: skip
def test_routes_that_no_page_needs_are_closed(server: Server, path: str) -> None:
    for method in ("GET", "POST"):
        assert httpx.request(method, server.url + path).status_code == 404


@pytest.mark.parametrize("path", ["/_stcore/health", "/_stcore/host-config", "/"])
def test_what_the_pages_need_is_there(server: Server, path: str) -> None:
    assert httpx.get(server.url + path).status_code == 200


@pytest.mark.parametrize("path", ["/docs", "/openapi.json", "/api/docs", "/api/openapi.json", "/api/v1/openapi.json"])
def test_the_description_of_the_api_is_shown_to_nobody_without_a_key(server: Server, path: str) -> None:
    assert "paths" not in httpx.get(server.url + path).text


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.test", "127.0.0.1@evil.example", "x/../api", ""])
@pytest.mark.parametrize("path", ["/", "/api/v1/health", "/_stcore/health"])
def test_under_another_name_the_server_answers_nothing(server: Server, host: str, path: str) -> None:
    assert httpx.get(server.url + path, headers={"Host": host}).status_code in (400, 421)


def dial(server: Server, origin: str | None, host: str | None = None) -> int:
    """The status with which the dashboard's WebSocket answers: 101 where it opens."""
    address = f"ws://127.0.0.1:{server.port}/_stcore/stream"
    headers = {"Host": host} if host else {}
    try:
        with connect(address, origin=origin, additional_headers=headers, proxy=None):  # type: ignore[arg-type]
            return 101
    except InvalidStatus as refused:
        return refused.response.status_code


@pytest.mark.parametrize(
    "origin",
    [
        None,
        "null",
        "https://evil.example",
        "http://localhost:3000",
        "http://127.0.0.1",
        "http://127.0.0.1.evil.test",
        "file://",
    ],
)
def test_no_other_page_opens_the_dashboards_websocket(server: Server, origin: str | None) -> None:
    assert dial(server, origin) == 403


@pytest.mark.parametrize("path", ["/", "/api/v1/health", "/_stcore/health"])
def test_a_proxy_may_ask_under_the_name_that_the_settings_allow(server: Server, path: str) -> None:
    for host in (PROXY, f"{PROXY.upper()}:443"):
        assert httpx.get(server.url + path, headers={"Host": host}).status_code == 200
    for host in (f"www.{PROXY}", f"{PROXY}.evil.test"):
        assert httpx.get(server.url + path, headers={"Host": host}).status_code == 421


@pytest.mark.parametrize(("origin", "status"), [(f"https://{PROXY}", 101), ("https://evil.example", 403), (None, 403)])
def test_behind_a_proxy_its_own_page_opens_the_websocket(server: Server, origin: str | None, status: int) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as through:
        try:
            with connect(f"ws://{PROXY}/_stcore/stream", sock=through, origin=origin):  # type: ignore[arg-type]
                found = 101
        except InvalidStatus as refused:
            found = refused.response.status_code
    assert found == status


def test_its_own_page_does(server: Server) -> None:
    assert dial(server, server.url) == 101


def test_a_name_of_the_attackers_own_does_not_help() -> None:
    sent: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError("it was let in")

    async def run() -> None:
        async def send(message: Any) -> None:
            sent.append(message)

        headers = [(b"host", b"evil.example:8501"), (b"origin", b"http://evil.example:8501")]
        scope = {"type": "websocket", "path": "/_stcore/stream", "headers": headers}
        await OwnPages(app, ["localhost", "127.0.0.1", "[::1]"])(scope, None, send)  # type: ignore[arg-type]

    asyncio.run(run())
    assert sent == [{"type": "websocket.close", "code": 1008}]
