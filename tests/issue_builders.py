"""Complaints of some kinds in varied words, for the tests of issues."""

from datetime import datetime, timedelta

from feedback_lab.issues import tracking
from feedback_lab.store import Store
from tests.builders import MONDAY, interaction, put, thumb

WHO = ("today", "again", "since monday", "for my mother", "on my phone", "twice", "in Berlin", "with the app")
COMPLAINTS = {
    "card": "my new card has not arrived in the mail {}",
    "rate": "the exchange rate for the foreign payment was wrong {}",
    "login": "I cannot log in because the password reset fails {}",
    "voice": "the voice assistant talks far too loud and too quickly {}",
    "german": "it answers in english although I wrote in german {}",
}


def complain(store: Store, kind: str, count: int, start: int = 0, at: datetime = MONDAY, days: float = 0) -> list[str]:
    """`count` people complain alike, `days` apart, from `at` on; their feedback ids."""
    names = [f"f-{kind}-{number}" for number in range(start, start + count)]
    records = []
    for number, name in enumerate(names, start):
        text = COMPLAINTS[kind].format(WHO[number % len(WHO)]) + f" {'!' * (number % 3)}"
        moment = at + timedelta(days=days * (number - start))
        records += [
            interaction(f"i-{name}", created_at=moment),
            thumb(name, False, on=f"i-{name}", comment=text, created_at=moment, rater_hash=f"u-{name}"),
        ]
    put(store, records)
    return names


def refreshed(store: Store) -> tracking.IssueList:
    """The issues after a refresh."""
    tracking.refresh(store)
    return tracking.listing(store)
