"""A part of the sample world as the flat CSV that an analyst would have: one row per answer with feedback."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from datetime import datetime
from itertools import groupby
from pathlib import Path

from feedback_lab.records import Feedback, Interaction, Kind, Polarity
from feedback_lab.sample.world import World

COLUMNS = (
    "timestamp",
    "conversation_id",
    "message_no",
    "user_id",
    "question",
    "answer",
    "model",
    "prompt_version",
    "channel",
    "rating",
    "comment",
    "correction",
)
THUMBS = {Polarity.POSITIVE: "👍", Polarity.NEGATIVE: "👎"}
GIVEN = (Kind.THUMB, Kind.RATING, Kind.CORRECTION, Kind.COMMENT, Kind.EDIT)
# Where in the file the flaws stand, as shares of its rows: cells that nobody can read, and rows twice.
UNREADABLE = ((0.18, "timestamp", "32.10.2026 25:61"), (0.47, "rating", "7"), (0.73, "timestamp", "yesterday evening"))
TWICE = (0.31, 0.86)


def write_sample_csv(world: World, path: Path, rows: int = 1_000) -> None:
    """Write the last `rows` answers of `world` that have explicit feedback, as UTF-8, with a few flaws.

    `rating` is 👍 or 👎 (stars were turned into thumbs: 4 and 5 up, 1 and 2 down, 3 left empty). Three rows
    hold a cell that cannot be read, and two rows stand in the file twice.
    """
    known = {each.interaction_id: each for each in world.interactions}
    given = sorted((each for each in world.feedback if each.kind in GIVEN), key=lambda each: each.interaction_id)
    flat = [
        _row(known[interaction_id], list(group))
        for interaction_id, group in groupby(given, lambda each: each.interaction_id)
    ]
    flat = [row for row in flat if row["rating"] or row["comment"] or row["correction"]]
    flat.sort(key=lambda row: (row["timestamp"], row["conversation_id"], row["message_no"]))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(_flawed(flat[-rows:]))


def _row(interaction: Interaction, given: list[Feedback]) -> dict[str, str]:
    """One answer with the last vote on it and all that was written to it, in the order of time."""
    given = sorted(given, key=lambda each: (each.created_at or datetime.min, each.feedback_id))
    votes = [each.polarity for each in given if each.polarity]
    comments = [each.comment for each in given if each.comment]
    corrections = [each.suggested_answer for each in given if each.suggested_answer]
    return {
        "timestamp": f"{interaction.created_at:%Y-%m-%d %H:%M:%S}",
        "conversation_id": interaction.session_id or "",
        "message_no": str(interaction.turn),
        "user_id": interaction.user_hash or "",
        "question": interaction.input or "",
        "answer": interaction.output or "",
        "model": interaction.model or "",
        "prompt_version": interaction.prompt_version or "",
        "channel": interaction.tags["channel"],
        "rating": THUMBS.get(votes[-1], "") if votes else "",
        "comment": comments[-1] if comments else "",
        "correction": corrections[-1] if corrections else "",
    }


def _flawed(rows: list[dict[str, str]]) -> list[Mapping[str, str]]:
    """`rows` with the flaws that a real export has, always at the same places."""
    made: list[Mapping[str, str]] = list(rows)
    for share, column, cell in UNREADABLE:
        made[int(share * len(rows))] = {**rows[int(share * len(rows))], column: cell}
    for share in sorted(TWICE, reverse=True):
        place = int(share * len(rows))
        made.insert(place + 1, made[place])
    return made
