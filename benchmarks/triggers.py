"""How many tasks each rule would open, at several similarity thresholds, and how well they hold together.

Run: python benchmarks/triggers.py [--data ../shared/data]. Real data: feedbackqa.csv, where a pattern's
`questions` (distinct ones in a task, median) can be read; and the sample world, where the share of a
task's feedback on its commonest planted topic (`purity`) can be computed, and how many topics were found.
"""

import argparse
import csv
import time
from collections import Counter
from datetime import date, datetime, timedelta
from pathlib import Path
from statistics import median

from feedback_lab.patterns import Candidate, Verdict, scan
from feedback_lab.records import Polarity
from feedback_lab.sample import make_world
from feedback_lab.triggers import RULES

BAD = {"Bad", "Could be Improved"}


def feedbackqa(folder: Path) -> list[Verdict]:
    with (folder / "feedbackqa.csv").open(newline="", encoding="utf-8") as handle:
        return [
            Verdict(
                feedback_id=f"f{number}",
                interaction_id=f"i{number}",
                rater=f"r{number}",
                polarity=Polarity.NEGATIVE if row["label"] in BAD else Polarity.POSITIVE,
                happened_at=datetime(2026, 1, 1) + timedelta(microseconds=number),
                group="input",
                text=row["question"],
            )
            for number, row in enumerate(csv.DictReader(handle))
        ]


def sample_world() -> tuple[list[Verdict], dict[str, str]]:
    world = make_world(date(2026, 10, 31))
    asked = {one.interaction_id: one for one in world.interactions}
    latest: dict[tuple[str, str], Verdict] = {}
    for said in sorted(world.feedback, key=lambda one: (one.created_at, one.feedback_id)):
        interaction = asked[said.interaction_id]
        if said.polarity is None:
            continue
        rater = said.rater_hash or interaction.session_id or ""
        latest[said.interaction_id, rater] = Verdict(
            said.feedback_id,
            said.interaction_id,
            rater,
            said.polarity,
            said.created_at or said.received_at,
            "input",
            interaction.input or "",
        )
    verdicts = sorted(latest.values(), key=lambda verdict: (verdict.happened_at, verdict.feedback_id))
    return verdicts, dict(world.planted.topic_of)


def found(name: str, rule: str, verdicts: list[Verdict], similarity: float) -> tuple[list[Candidate], str]:
    started = time.process_time()
    candidates = scan(RULES[rule], verdicts, {verdict.feedback_id for verdict in verdicts}, [], similarity)
    seconds = time.process_time() - started
    sizes = [len(candidate.members) for candidate in candidates] or [0]
    row = f"| {name} | {rule} | {similarity:.2f} | {len(candidates):,} | {median(sizes):.0f} | {seconds:.1f}"
    return candidates, row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path(__file__).resolve().parents[2] / "shared" / "data")
    arguments = parser.parse_args()
    print("| data | rule | similarity | tasks | feedback a task (median) | CPU s | questions a task | purity, topics |")
    print("|---|---|---|---|---|---|---|---|")
    verdicts = feedbackqa(arguments.data)
    for rule in ("seed", "above_base"):
        for similarity in (0.3, 0.4, 0.5, 0.6, 0.7):
            candidates, row = found("feedbackqa", rule, verdicts, similarity)
            questions = [len({verdict.text for verdict in one.members.values()}) for one in candidates] or [0]
            print(f"{row} | {median(questions):.0f} | |")
    world, topics = sample_world()
    for rule in ("seed", "above_base"):
        for similarity in (0.3, 0.4, 0.5, 0.6, 0.7):
            candidates, row = found("sample world", rule, world, similarity)
            seen = [
                Counter(topics[c.interaction_id] for c in one.members.values()).most_common(1)[0] for one in candidates
            ]
            whole = sum(len(one.members) for one in candidates) or 1
            purity = sum(count for _, count in seen) / whole
            print(f"{row} | | {purity:.0%}, {len({topic for topic, _ in seen})} of 14 |")


if __name__ == "__main__":
    main()
