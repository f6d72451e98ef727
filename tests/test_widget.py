"""The thumbs for web pages, in a real Chromium, on a page that another server serves."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, Request, Route, expect

from tests.chromium import open_chromium
from tests.live_server import Live, start_live

pytestmark = pytest.mark.browser

PAGE = """<!doctype html><html lang="en"><title>A product</title>
<p>In the post.</p>
<div data-feedback-lab="answer-1" data-user="ann"></div>
<script src="{url}/api/v1/widget.js" data-key="{key}" {more} defer></script></html>"""
# A careful product lets its pages load and ask nothing but what they need.
POLICY = "default-src 'none'; script-src {url}; connect-src {url}; style-src 'none'"


@contextmanager
def page_server(page: Callable[[], tuple[str, dict[str, str]]]) -> Iterator[str]:
    """The origin of a server that answers every request with the page."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            words, headers = page()
            self.send_response(200)
            for name, value in {"Content-Type": "text/html; charset=utf-8", **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(words.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


class Product:
    """A product's web pages: one origin that the key allows, and one that it does not."""

    def __init__(self) -> None:
        self.live: Live | None = None
        self.own = self.foreign = ""
        self.more = ""

    def page(self) -> tuple[str, dict[str, str]]:
        assert self.live is not None
        words = PAGE.format(url=self.live.url, key=self.live.secrets["public"], more=self.more)
        return words, {"Content-Security-Policy": POLICY.format(url=self.live.url)}


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    made = Product()
    with page_server(made.page) as own, page_server(made.page) as foreign:
        made.own, made.foreign = own, foreign
        made.live = start_live(tmp_path_factory.mktemp("widget") / "home", (own,))
        yield made
        made.live.server.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_chromium() as opened:
        yield opened


@pytest.fixture
def tab(browser: Browser, product: Product) -> Iterator[Page]:
    product.more = ""
    context = browser.new_context()
    context.set_default_timeout(30_000)
    expect.set_options(timeout=30_000)
    yield context.new_page()
    context.close()


def sent(tab: Page) -> list[dict[str, Any]]:
    """The bodies of what the page sends from now on."""
    bodies: list[dict[str, Any]] = []

    def note(request: Request) -> None:
        if request.method in ("POST", "PATCH"):
            bodies.append(json.loads(request.post_data or "{}"))

    tab.on("request", note)
    return bodies


def stored(product: Product, name: str) -> dict[str, Any]:
    assert product.live is not None
    found = product.live.stored("feedback", name)
    assert found is not None
    return found


def test_a_thumb_and_a_comment_by_mouse_are_one_feedback(product: Product, tab: Page) -> None:
    bodies = sent(tab)
    tab.goto(product.own)
    tab.get_by_role("button", name="Not helpful").click()
    expect(tab.get_by_role("status")).to_have_text("Thank you.")
    expect(tab.get_by_role("button", name="Not helpful")).to_have_attribute("aria-pressed", "true")
    tab.get_by_label("What could be better?").fill("Which post? <b>Ours?</b>")
    with tab.expect_response("**/api/v1/feedback/**") as answer:
        tab.get_by_role("button", name="Send").click()
    assert answer.value.status == 201
    expect(tab.get_by_role("status")).to_have_text("Thank you.")

    found = stored(product, bodies[0]["feedback_id"])
    assert (found["interaction_id"], found["kind"], found["value"]) == ("answer-1", "thumb", -1)
    assert (found["comment"], found["population"], found["source"]) == (
        "Which post? <b>Ours?</b>",
        "user",
        "public-write",
    )
    assert found["rater_hash"]
    assert len(bodies) == 2
    assert tab.context.cookies() == []


def test_everything_works_by_keyboard_and_has_a_name(product: Product, tab: Page) -> None:
    bodies = sent(tab)
    tab.goto(product.own)
    expect(tab.get_by_role("group", name="Was this answer helpful?")).to_be_visible()
    tab.keyboard.press("Tab")
    expect(tab.get_by_role("button", name="Helpful", exact=True)).to_be_focused()
    tab.keyboard.press("Space")
    expect(tab.get_by_role("status")).to_have_text("Thank you.")
    tab.keyboard.press("Tab")
    tab.keyboard.press("Tab")
    tab.keyboard.type("Quick")
    tab.keyboard.press("Tab")
    with tab.expect_response("**/api/v1/feedback/**"):
        tab.keyboard.press("Enter")
    expect(tab.get_by_role("status")).to_have_text("Thank you.")

    found = stored(product, bodies[0]["feedback_id"])
    assert (found["value"], found["comment"]) == (1, "Quick")


def test_another_thumb_replaces_the_first_and_the_same_one_sends_nothing(product: Product, tab: Page) -> None:
    bodies = sent(tab)
    tab.goto(product.own)
    up, down = (tab.get_by_role("button", name=name, exact=True) for name in ("Helpful", "Not helpful"))
    up.click()
    expect(tab.get_by_role("status")).to_have_text("Thank you.")
    up.click()
    with tab.expect_response("**/api/v1/feedback/**"):
        down.click()
    expect(up).to_have_attribute("aria-pressed", "false")
    expect(tab.get_by_role("status")).to_have_text("Thank you.")

    assert len(bodies) == 2
    assert stored(product, bodies[0]["feedback_id"])["value"] == -1


def test_a_page_of_a_foreign_origin_is_refused(product: Product, tab: Page) -> None:
    bodies = sent(tab)
    tab.goto(product.foreign)
    tab.get_by_role("button", name="Not helpful").click()
    expect(tab.get_by_role("status")).to_have_text("That could not be sent. Press again to retry.")

    assert product.live is not None
    assert {product.live.stored("feedback", body["feedback_id"]) for body in bodies} == {None}
    key = {"Authorization": f"Bearer {product.live.secrets['public']}"}
    forged = {"interaction_id": "answer-1", "feedback_id": "forged", "value": -1}
    for origin in (product.foreign, "null", ""):
        headers = key | ({"Origin": origin} if origin else {})
        answer = httpx.post(f"{product.live.url}/api/v1/feedback", json=forged, headers=headers)
        assert (answer.status_code, "access-control-allow-origin" in answer.headers) == (403, False)
    assert product.live.stored("feedback", "forged") is None


def fail_first(tab: Page, times: int, how: Callable[[Route], None]) -> list[str]:
    """Let the first requests to store feedback fail; the ids that were tried."""
    tried: list[str] = []

    def handle(route: Route) -> None:
        if route.request.method == "POST":
            tried.append(json.loads(route.request.post_data or "{}")["feedback_id"])
            if len(tried) <= times:
                how(route)
                return
        route.continue_()

    tab.route("**/api/v1/feedback", handle)
    return tried


def test_a_request_that_is_lost_is_sent_once_more_with_the_same_id(product: Product, tab: Page) -> None:
    tried = fail_first(tab, 1, lambda route: route.abort())
    tab.goto(product.own)
    tab.get_by_role("button", name="Not helpful").click()
    expect(tab.get_by_role("status")).to_have_text("Thank you.")

    assert len(tried) == 2
    assert len(set(tried)) == 1
    assert stored(product, tried[0])["value"] == -1


def test_what_could_not_be_sent_waits_in_memory_for_the_next_press(product: Product, tab: Page) -> None:
    headers = {"Access-Control-Allow-Origin": product.own}
    tried = fail_first(tab, 2, lambda route: route.fulfill(status=503, headers=headers))
    tab.goto(product.own)
    down = tab.get_by_role("button", name="Not helpful")
    down.click()
    expect(tab.get_by_role("status")).to_have_text("That could not be sent. Press again to retry.")
    assert tab.evaluate("localStorage.length + sessionStorage.length") == 0
    down.click()
    expect(tab.get_by_role("status")).to_have_text("Thank you.")

    assert len(tried) == 3
    assert stored(product, tried[0])["value"] == -1


def test_a_refusal_for_good_is_not_repeated(product: Product, tab: Page) -> None:
    headers = {"Access-Control-Allow-Origin": product.own}
    tried = fail_first(tab, 9, lambda route: route.fulfill(status=422, headers=headers))
    tab.goto(product.own)
    tab.get_by_role("button", name="Not helpful").click()
    expect(tab.get_by_role("status")).to_have_text("That could not be sent.")

    assert len(tried) == 1


def test_answers_that_come_later_get_their_thumbs(product: Product, tab: Page) -> None:
    bodies = sent(tab)
    tab.goto(product.own)
    tab.evaluate("""() => {
        const place = document.createElement("div");
        place.dataset.feedbackLab = "answer-2";
        document.body.append(place);
    }""")
    tab.get_by_role("button", name="Helpful", exact=True).nth(1).click()
    expect(tab.get_by_role("status").nth(1)).to_have_text("Thank you.")

    found = stored(product, bodies[0]["feedback_id"])
    assert (found["interaction_id"], found["rater_hash"]) == ("answer-2", None)


def test_words_of_ones_own_are_shown_as_text(product: Product, tab: Page) -> None:
    product.more = """data-texts='{"up": "Gut <img src=x onerror=alert(1)>"}'"""
    tab.goto(product.own)

    expect(tab.get_by_role("button", name="Gut <img src=x onerror=alert(1)>")).to_be_visible()
    assert tab.locator("img").count() == 0


def test_the_script_is_public_and_may_be_loaded_elsewhere(product: Product) -> None:
    assert product.live is not None
    answer = httpx.get(f"{product.live.url}/api/v1/widget.js")

    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/javascript; charset=utf-8")
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert "innerHTML" not in answer.text
