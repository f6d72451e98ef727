"""Which similarity lets "fix first" find what was planted: the topic that a release made 25 points worse.

Run: python benchmarks/touches.py. An issue touches a question that resembles one of its members' questions. Too low a
threshold touches nearly everything and dilutes the gain, too high a one misses rephrased questions. Prints for three
sample worlds and some thresholds at which place the first issue about that topic stands, with its gain and interval.
"""

import tempfile
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

from feedback_lab.ingest.load import import_records
from feedback_lab.insights.opportunities import opportunities
from feedback_lab.issues import tracking
from feedback_lab.sample import make_world
from feedback_lab.store import open_store

LAST_DAY = date(2026, 10, 31)
MEMBERS = "SELECT m.issue_id, f.interaction_id FROM issue_member m JOIN feedback f ON f.feedback_id = m.feedback_id"


def main_topic(topics: Counter[str]) -> str:
    return topics.most_common(1)[0][0]


def main() -> None:
    print("| world | similarity | place of the planted topic's first issue | gain, points | touched |")
    print("|---|---|---|---|---|")
    for seed in (7, 8, 9):
        world = make_world(LAST_DAY, seed)
        with tempfile.TemporaryDirectory() as home:
            store = open_store(Path(home))
            import_records(store, world.interactions, world.feedback, source="sample", complete=True)
            tracking.refresh(store)
            planted = world.planted.worse_release.topic
            topics: dict[str, Counter[str]] = {}
            for row in store.rows(MEMBERS):
                topics.setdefault(row["issue_id"], Counter())[world.planted.topic_of[row["interaction_id"]]] += 1
            for similarity in (0.5, 0.6, 0.7, 0.8):
                found = opportunities(store, LAST_DAY - timedelta(days=29), LAST_DAY, similarity=similarity)
                place = next((n for n, one in enumerate(found, 1) if main_topic(topics[one.issue_id]) == planted), None)
                if place is None:
                    print(f"| {seed} | {similarity} | not among {len(found)} | | |")
                    continue
                best = found[place - 1]
                points = f"{best.gain * 100:+.1f} ({best.low * 100:+.1f} to {best.high * 100:+.1f})"
                print(f"| {seed} | {similarity} | {place} of {len(found)}, {best.title} | {points} | {best.touched} |")
            store.close()


if __name__ == "__main__":
    main()
