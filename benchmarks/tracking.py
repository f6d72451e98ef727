"""Do issues live? Prints tables for five questions; run all, or name some.

    python benchmarks/tracking.py [--data DIR] [stability] [emerging] [arriving] [page] [flags]

stability   what a refresh keeps when 10 % new rows came (ARI of old and new grouping over the shared rows, ids kept)
emerging    one topic held out that arrives later: after how many of its comments it is proposed, and how pure that is
arriving    seconds for 1,000 new comments with 100,000 stored
page        seconds of the Issues list with 1 million comments
flags       how often "growing" is said where nothing grows, and how often where something does
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import adjusted_rand_score
from sqlalchemy import text

from feedback_lab import schema
from feedback_lab.issues import arriving as arriving_room
from feedback_lab.issues import flags, refreshing, stored, tracking
from feedback_lab.store import Store, insert_rows, open_store

START = datetime(2026, 1, 5)
HELD_OUT = ("card_swallowed", "passcode_forgotten", "verify_top_up", "age_limit")
FIRST = 4_000  # comments that the first model learns from
MIXED_WITH = 5  # other comments for each one of the held-out topic
ARRIVING_AT_ONCE = 12
PLACES = "SELECT feedback_id, issue_id FROM issue_member ORDER BY feedback_id"


def keep(store: Store, texts: Sequence[str], first: int = 0) -> None:
    """Store complaints, one a minute, without a detour through a file."""
    moments = [START + timedelta(minutes=first + place) for place in range(len(texts))]
    interactions = [
        {"interaction_id": f"i{first + place:07}", "received_at": at, "created_at": at, "tags": {}, "metadata": {}}
        for place, at in enumerate(moments)
    ]
    feedback = [
        {
            "feedback_id": f"f{first + place:07}",
            "interaction_id": f"i{first + place:07}",
            "kind": "thumb",
            "value": -1.0,
            "polarity": "negative",
            "comment": comment,
            "created_at": at,
            "received_at": at,
            "rater_hash": f"u{first + place}",
            "population": "user",
            "source": "benchmark",
            "metadata": {},
        }
        for place, (comment, at) in enumerate(zip(texts, moments, strict=True))
    ]
    store.write(
        lambda connection: (
            insert_rows(connection, schema.interaction, interactions),
            insert_rows(connection, schema.feedback, feedback),
        )
    )


def places(store: Store) -> dict[str, str]:
    return {row["feedback_id"]: row["issue_id"] or "" for row in store.rows(PLACES)}


def read(folder: Path, name: str) -> pd.DataFrame:
    table = pd.read_csv(folder / f"{name}.csv", usecols=["text", "label"]).dropna()
    return table.sample(frac=1, random_state=7).reset_index(drop=True)


def stability(folder: Path, store: Callable[[], Store]) -> None:
    print("| set, refresh | shared ARI | ids kept | old comments moved | issues before, after | seconds |")
    print("|---|---|---|---|---|---|")
    for name in ("banking77", "airline_negative"):
        table = read(folder, name)
        old = round(len(table) / 1.1)
        for kind in ("warm", "cold"):
            lab = store()
            keep(lab, table["text"][:old].tolist())
            tracking.refresh(lab)
            before, ids = places(lab), {one.issue_id for one in tracking.listing(lab).issues}
            keep(lab, table["text"][old:].tolist(), old)
            begun = time.perf_counter()
            plan = refreshing.refresh(lab, cold=kind == "cold")
            seconds = time.perf_counter() - begun
            after, now = places(lab), {one.issue_id for one in tracking.listing(lab).issues}
            shared = adjusted_rand_score(list(before.values()), [after[one] for one in before])
            kept = len(ids & now) / len(ids)
            print(
                f"| {name}, {kind} | {shared:.3f} | {kept:.0%} | {plan.changes.moved:,} of {old:,} "
                f"| {len(ids)}, {len(now)} | {seconds:.1f} |"
            )
            lab.close()


def emerging(folder: Path, store: Callable[[], Store]) -> None:
    print("| held out | its comments when proposed | its share of the proposal | of its comments there, at the end |")
    print("|---|---|---|---|")
    table = read(folder, "banking77")
    for topic in HELD_OUT:
        lab = store()
        new, others = table[table["label"] == topic], table[table["label"] != topic]
        keep(lab, others["text"][:FIRST].tolist())
        tracking.refresh(lab)
        asked, stream = FIRST, others["text"][FIRST:].tolist()
        topic_of: dict[str, bool] = {}
        proposed_after, purity, proposals = None, 0.0, set[str]()
        for start in range(0, len(new), ARRIVING_AT_ONCE // (MIXED_WITH + 1)):
            part = new["text"][start : start + ARRIVING_AT_ONCE // (MIXED_WITH + 1)].tolist()
            mixed = part + [stream.pop() for _ in range(min(len(stream), MIXED_WITH * len(part)))]
            keep(lab, mixed, asked)
            topic_of |= {f"f{asked + place:07}": place < len(part) for place in range(len(mixed))}
            asked += len(mixed)
            tracking.assign_new(lab)
            proposals = {row["issue_id"] for row in lab.rows("SELECT issue_id FROM issue WHERE proposed")}
            shares = _shares(places(lab), proposals, topic_of)
            if proposed_after is None and shares and max(shares.values()) >= 0.5:
                proposed_after, purity = sum(topic_of.values()), max(shares.values())
        at_end = places(lab)
        right = {one for one, share in _shares(at_end, proposals, topic_of).items() if share >= 0.5}
        inside = sum(at_end[one] in right for one, is_new in topic_of.items() if is_new)
        print(
            f"| {topic} | {proposed_after or 'never'} | {purity:.0%} | {inside} of {len(new)} in {len(right)}; "
            f"{len(proposals) - len(right)} other proposals |"
        )
        lab.close()


def _shares(place_of: dict[str, str], proposals: set[str], topic_of: dict[str, bool]) -> dict[str, float]:
    """What part of each proposal's comments belongs to the topic that was held out."""
    members = {one: [topic_of.get(name, False) for name, at in place_of.items() if at == one] for one in proposals}
    return {one: sum(inside) / len(inside) for one, inside in members.items() if inside}


def arriving(folder: Path, store: Callable[[], Store]) -> None:
    table = read(folder, "banking77")
    texts = (table["text"].tolist() * 8)[:101_000]
    lab, stored_now = store(), 100_000
    keep(lab, texts[:stored_now])
    begun = time.perf_counter()
    tracking.refresh(lab)
    print(f"first refresh of {stored_now:,}: {time.perf_counter() - begun:.1f} s")
    look = arriving_room._propose
    for name, looks in (("assigned", lambda lab: None), ("assigned, and looked at for proposals", look)):
        arriving_room._propose = looks
        for _ in range(3):
            keep(lab, [f"{comment} {stored_now}" for comment in texts[100_000:]], stored_now)
            begun, cpu = time.perf_counter(), time.process_time()
            count = tracking.assign_new(lab)
            seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
            print(f"{count:,} new with {stored_now:,} stored {name}: {seconds:.2f} s ({cpu:.2f} CPU s)")
            stored_now += count
    begun = time.perf_counter()
    tracking.assign_new(lab)
    print(f"nothing new: {time.perf_counter() - begun:.3f} s")
    lab.close()


def page(folder: Path, store: Callable[[], Store]) -> None:
    lab, n, issues = store(), 1_000_000, 60
    rows = [
        stored.new_issue(f"issue{number}", f"Issue {number}", START) | {"label": number} for number in range(issues)
    ]
    lab.write(lambda connection: insert_rows(connection, schema.issue, rows))
    for sql in (
        """INSERT INTO interaction (interaction_id, session_id, created_at, received_at, input, model, tags, metadata)
           SELECT 'i' || x, 's' || (x // 3), TIMESTAMP '2026-01-05' + to_seconds(x * 15), TIMESTAMP '2026-01-05',
                  'question ' || (x % 5000), 'model ' || (x % 3), '{}', '{}' FROM range(:n) AS t(x)""",
        """INSERT INTO feedback (feedback_id, interaction_id, kind, value, polarity, comment, created_at, received_at,
                                 rater_hash, population, source, metadata)
           SELECT 'f' || x, 'i' || x, 'thumb', -1, 'negative', 'the card was declined again ' || (x % 997),
                  TIMESTAMP '2026-01-05' + to_seconds(x * 15), TIMESTAMP '2026-01-05', 'u' || (x % 40000), 'user', 'b',
                  '{}' FROM range(:n) AS t(x)""",
        """INSERT INTO issue_member (feedback_id, issue_id, placed_in, score, sub_label)
           SELECT 'f' || x, issue_id, issue_id, 0.5, x % 4
           FROM (SELECT x, 'issue' || (x * 7 % 61) AS issue_id FROM range(:n) AS t(x)) AS numbered
           WHERE issue_id <> 'issue60'""",
    ):
        lab.write(lambda connection, sql=sql: connection.execute(text(sql), {"n": n}))  # type: ignore[misc]
    home = lab.home
    lab.close()
    lab = open_store(home)
    for _ in range(3):
        begun, cpu = time.perf_counter(), time.process_time()
        found = tracking.listing(lab)
        seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
        print(f"{found.total_comments:,} comments, {len(found.issues)} issues: {seconds:.2f} s ({cpu:.2f} CPU s)")
    lab.close()


def flag_rates(folder: Path, store: Callable[[], Store]) -> None:
    """Simulated weeks of 40 issues, usual sizes 1 to 60 a week, 400 runs a line."""
    random = np.random.default_rng(5)
    sizes = np.geomspace(1, 60, 40)
    print("| weeks scatter as | an issue called growing, none does | doubled issue found (large, small) |")
    print("|---|---|---|")
    for name, spread in (("Poisson", 1.0), ("variance 2 x mean", 2.0), ("variance 4 x mean", 4.0)):
        false, found = 0, np.zeros(2)
        for _ in range(400):
            mean = np.repeat(sizes[:, None], 9, 1)
            false += bool(flags.growing(_weeks(random, mean, spread)))
            mean[[33, 20], -1] = 2 * sizes[[33, 20]]
            growing = flags.growing(_weeks(random, mean, spread))
            found += ["33" in growing, "20" in growing]
        print(f"| {name} | {false / 400:.1%} of runs | {found[0] / 400:.0%}, {found[1] / 400:.0%} |")
    print(f"(the two doubled issues usually have {sizes[33]:.0f} and {sizes[20]:.0f} a week)")


def _weeks(random: np.random.Generator, mean: np.ndarray, spread: float) -> dict[str, list[int]]:
    counts = random.poisson(mean) if spread == 1 else random.negative_binomial(mean / (spread - 1), 1 / spread)
    return {str(number): row.tolist() for number, row in enumerate(counts)}


QUESTIONS = {"stability": stability, "emerging": emerging, "arriving": arriving, "page": page, "flags": flag_rates}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(__file__).resolve().parents[2] / "shared" / "data")
    parser.add_argument("questions", nargs="*", choices=[*QUESTIONS, []], default=list(QUESTIONS))
    given = parser.parse_args()
    for name in given.questions:
        print(f"\n{name}", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            homes = (Path(folder) / str(number) for number in range(1_000))
            QUESTIONS[name](given.data, lambda homes=homes: open_store(next(homes)))  # type: ignore[misc]


if __name__ == "__main__":
    main()
