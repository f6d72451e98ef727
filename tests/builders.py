"""Small records with sensible defaults, and a way to put them into a store."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from feedback_lab import schema
from feedback_lab.records import Feedback, Interaction, Kind, Polarity
from feedback_lab.store import Store, insert_rows

MONDAY = datetime(2026, 11, 2, 9, 0)


def interaction(name: str, question: str | None = "How do I reset my password?", **more: Any) -> Interaction:
    return Interaction(
        **{"interaction_id": name, "received_at": MONDAY, "created_at": MONDAY, "input": question} | more
    )


def thumb(name: str, up: bool, *, on: str | None = None, **more: Any) -> Feedback:
    """A thumb on the interaction `on` (its own name without a letter: f1 is on i1)."""
    given: dict[str, Any] = {
        "feedback_id": name,
        "interaction_id": on or name.replace("f", "i", 1),
        "kind": Kind.THUMB,
        "value": 1.0 if up else -1.0,
        "polarity": Polarity.POSITIVE if up else Polarity.NEGATIVE,
        "received_at": MONDAY,
        "created_at": MONDAY,
    }
    return Feedback(**given | more)


def said(name: str, kind: str, *, on: str | None = None, **more: Any) -> Feedback:
    """Feedback without a polarity of its own: a comment, a correction, an edit, or an implicit signal."""
    given = {"feedback_id": name, "interaction_id": on or name.replace("f", "i", 1), "kind": kind}
    return Feedback(**given | {"received_at": MONDAY, "created_at": MONDAY} | more)


def put(store: Store, records: Iterable[Interaction | Feedback]) -> None:
    """Write records as they are, past every check."""
    together = list(records)
    interactions = [asdict(record) for record in together if isinstance(record, Interaction)]
    feedback = [asdict(record) for record in together if isinstance(record, Feedback)]
    store.write(
        lambda connection: (
            insert_rows(connection, schema.interaction, interactions),
            insert_rows(connection, schema.feedback, feedback),
        )
    )


def pattern(store: Store, question: str, negative: int, positive: int = 0, start: int = 0, **more: Any) -> list[str]:
    """`negative` people and then `positive` people vote on the same question, a minute apart; the feedback ids."""
    names = []
    for place in range(negative + positive):
        number = start + place
        moment = MONDAY + timedelta(minutes=number)
        names.append(f"f{number}")
        put(
            store,
            [
                interaction(f"i{number}", question, created_at=moment, received_at=moment),
                thumb(f"f{number}", place >= negative, rater_hash=f"r{number}", created_at=moment, **more),
            ],
        )
    return names
