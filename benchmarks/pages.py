"""How long does a page take to open with a million comments? Prints a table of seconds in a headless Chromium.

    python benchmarks/pages.py [--home DIR] [--comments 1000000] [--opens 5] [--up 0] [--data DIR] [PAGE]...

A home without a database is filled first: so many negative comments in varied words of real ones, as many content
answers beside them, over a year; then the comments are grouped. Given with `--home` it is kept for the next run.
Times are from following the address: "seen" is when the page's answer and its content are in view, "stands" when its
script has come to an end then. "First" is the first visit to a server that was started `--up` seconds before, in a
browser that was just started; "again" is a new session in this browser: the median of `--opens`. "CPU s" is what the
server took for one of them, "load" the machine's of the minute before. "Later" says how long after opening the page
stands still for good: figures that come behind it.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from playwright.sync_api import Page, expect, sync_playwright
from sqlalchemy import Connection, text

from feedback_lab import schema
from feedback_lab.issues import sending, tracking
from feedback_lab.records import utc_now
from feedback_lab.store import DATABASE_NAME, Store, insert_rows, open_store
from feedback_lab.store_engine import at_least

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.browsing import settled
from tests.chromium import ARGUMENTS
from tests.server import start_server

DAYS = 400
CASES = 40  # in the queue
CHART = ".js-plotly-plot .main-svg"
TABLE = "[data-testid=stDataFrame] canvas"
WAITING = "text=/being counted|being made/"
# page -> its address, what is in view once it stands, and words of its answer, which no page has before it was counted
PAGES = {
    "overview": ("/", CHART, "Positive rate is"),
    "overview, a year": ("/?days=365", CHART, "Positive rate is"),
    "overview, by model": ("/?by=model", CHART, "Positive rate is"),
    "issues": ("/issues", TABLE, "negative comments;"),
    "issues, a month": ("/issues?period=30+days", TABLE, "negative comments;"),
    "issues, searched": ("/issues?q=card", TABLE, "negative comments;"),
    "issue": ("/issues?issue={issue}", f".st-key-issue_comments {TABLE}", "negative comments;"),
    "review": ("/review", "text=Your name", "cases open"),
    "knowledge": ("/knowledge", "text=No entry yet", "No entry yet"),
}
WORDS_SQL = """
    INSERT INTO word SELECT unnest(CAST(:kind AS TEXT[])), unnest(CAST(:place AS BIGINT[])),
                            unnest(CAST(:words AS TEXT[]))
"""
# Each comment is a real one with a word of its own before and a word of another behind it.
MAKE_SQL = """
    CREATE TEMP TABLE made AS
    SELECT x, x % 2 = 0 AS negative, md5('i' || x) AS id, CAST(:first AS TIMESTAMP) + to_seconds(x * :step) AS moment,
           asked.words AS question, split_part(said.words, ' ', 2) || ' ' || said.words || ' '
           || split_part(other.words, ' ', CAST(1 + x % 5 AS INTEGER)) AS comment
    FROM range(:rows) AS t(x)
    JOIN word asked ON asked.kind = 'question' AND asked.place = x * 7919 % :questions
    JOIN word said ON said.kind = 'comment' AND said.place = (x // 2) * 104729 % :comments
    JOIN word other ON other.kind = 'comment' AND other.place = (x // 2) * 15485863 % :comments
"""
FILL_SQL = (
    """INSERT INTO interaction (interaction_id, session_id, turn, created_at, received_at, input, output, model,
                                prompt_version, tags, metadata, batch_id)
       SELECT 'i' || id, 's' || (x // 3), x % 3, moment, moment, question, 'An answer to: ' || question,
              'model ' || (x % 3), 'v' || (x * 8 // :rows),
              '{"region": "region ' || (x % 5) || '", "channel": "channel ' || (x % 2) || '"}', '{}', 'made'
       FROM made""",
    """INSERT INTO feedback (feedback_id, interaction_id, kind, value, polarity, comment, created_at, received_at,
                             rater_hash, population, source, metadata, batch_id)
       SELECT 'f' || id, 'i' || id, 'thumb', if(negative, -1, 1), if(negative, 'negative', 'positive'),
              if(negative, comment, NULL), moment, moment, 'u' || (x * 31 % 300007), 'user', 'benchmark', '{}', 'made'
       FROM made""",
    """INSERT INTO feedback (feedback_id, interaction_id, kind, value, polarity, suggested_answer, created_at,
                             received_at, rater_hash, population, source, metadata, batch_id)
       SELECT 'g' || id, 'i' || id, 'correction', NULL, NULL, 'Rather: ' || question, moment, moment,
              'u' || (x * 31 % 300007), 'user', 'benchmark', '{}', 'made' FROM made WHERE x % 40 = 0""",
)


def fill(store: Store, folder: Path, comments: int) -> None:
    """Store the made world, group its comments, and put some issues into the queue."""
    asked = pd.read_csv(folder / "banking77.csv")["text"]
    heard = pd.read_csv(folder / "feedbackqa.csv").query("label in ['Bad', 'Could be Improved']")["text"]
    said = pd.concat([pd.read_csv(folder / "airline_negative.csv")["text"], heard, asked]).dropna()
    words = [
        {"kind": kind, "place": place, "words": one[:600]}
        for kind, some in (("question", asked), ("comment", said))
        for place, one in enumerate(some)
    ]
    first = pd.Timestamp(utc_now()) - pd.Timedelta(days=DAYS)
    values = {"rows": 2 * comments, "step": DAYS * 86400 / (2 * comments), "first": first.to_pydatetime()}

    def work(connection: Connection) -> None:
        at_least(connection.connection.cursor(), 4 << 30)
        connection.execute(text("CREATE TEMP TABLE word (kind TEXT, place BIGINT, words TEXT)"))
        connection.execute(text(WORDS_SQL), {name: [row[name] for row in words] for name in words[0]})
        connection.execute(text(MAKE_SQL), values | {"questions": len(asked), "comments": len(said)})
        for sql in FILL_SQL:
            connection.execute(text(sql), {"rows": 2 * comments} if ":rows" in sql else {})
        insert_rows(connection, schema.import_batch, [_batch(comments)])
        connection.execute(text("DROP TABLE made"))
        connection.execute(text("DROP TABLE word"))

    store.write(work)
    tracking.refresh(store)
    for one in tracking.listing(store).issues[-CASES:]:
        sending.send_to_review(store, one.issue_id, "benchmark")


def _batch(comments: int) -> dict[str, object]:
    moment = utc_now()
    counts = {"rows_read": 2 * comments, "rows_new": 2 * comments}
    none = dict.fromkeys(("rows_duplicate", "rows_rejected", "rows_undated"), 0)
    about = {"batch_id": "made", "source": "benchmark", "status": "done", "complete": True}
    return {**about, "started_at": moment, "finished_at": moment, **counts, **none}


def opened(tab: Page, address: str, content: str, answer: str) -> tuple[float, float, float]:
    """Seconds until answer and content are in view, until the page stands with them, and until nothing is being worked
    out behind it."""
    begun = time.perf_counter()
    tab.goto(address, wait_until="commit")
    tab.get_by_text(answer).first.wait_for(state="visible")
    tab.locator(content).first.wait_for(state="visible")
    seen = time.perf_counter() - begun
    settled(tab)
    stands = time.perf_counter() - begun
    expect(tab.locator(WAITING)).to_have_count(0)
    settled(tab)
    return seen, stands, time.perf_counter() - begun


def cpu_seconds(pid: int) -> float:
    """What a process and those that it started have taken so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    started = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    own = sum(int(field) for field in fields[11:15]) / os.sysconf("SC_CLK_TCK")
    return own + sum(cpu_seconds(int(child)) for child in started)


def measure(home: Path, pages: Sequence[str], opens: int, up: float, issue: str) -> None:
    print("| page | first: seen s | stands s | again: seen s | stands s | later s | CPU s | load |")
    print("|---|---|---|---|---|---|---|---|")
    for name in pages:
        address, content, answer = PAGES[name]
        server = start_server(home)
        time.sleep(up)
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(
                    executable_path="/usr/bin/chromium", headless=True, args=list(ARGUMENTS)
                )
                context = browser.new_context(viewport={"width": 1440, "height": 900})
                context.set_default_timeout(120_000)
                expect.set_options(timeout=120_000)
                taken, cpu = [], 0.0
                for number in range(opens + 1):
                    tab = context.new_page()
                    cpu = cpu_seconds(server.process.pid) if number == 1 else cpu
                    taken.append(opened(tab, server.url + address.format(issue=issue), content, answer))
                    tab.close()
                cpu = (cpu_seconds(server.process.pid) - cpu) / opens
                browser.close()
        finally:
            server.stop()
        first, again = taken[0], taken[1:]
        seen, stands = (statistics.median(one[place] for one in again) for place in (0, 1))
        later = max(later for *_, later in taken)
        print(
            f"| {name} | {first[0]:.2f} | {first[1]:.2f} | {seen:.2f} | {stands:.2f} | {later:.1f} | {cpu:.2f} "
            f"| {os.getloadavg()[0]:.1f} |",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(__file__).resolve().parents[2] / "shared" / "data")
    parser.add_argument("--home", type=Path)
    parser.add_argument("--comments", type=int, default=1_000_000)
    parser.add_argument("--opens", type=int, default=5)
    parser.add_argument("--up", type=float, default=0.0, help="seconds from the server's start to the first visit")
    parser.add_argument("pages", nargs="*", choices=[*PAGES, []])
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home: Path = given.home or Path(folder) / "home"
        is_new = not (home / DATABASE_NAME).exists()
        store = open_store(home)
        if is_new:
            begun = time.process_time()
            fill(store, given.data, given.comments)
            print(f"{given.comments:,} comments stored and grouped in {time.process_time() - begun:.0f} CPU s")
        found = tracking.listing(store)
        store.close()
        print(f"{found.total_comments:,} negative comments in {len(found.issues)} issues\n")
        measure(home, (given.pages or list(PAGES)), given.opens, given.up, found.issues[0].issue_id)


if __name__ == "__main__":
    main()
