"""The log that the sample world fills: records with ids from the seed and times that stay inside the world."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from random import Random

from feedback_lab.records import Exposure, Feedback, Interaction, Kind, Polarity, polarity_of_rating
from feedback_lab.sample.draw import moment

WIDGET, EVENTS = "fernway-widget", "fernway-events"


@dataclass(frozen=True, slots=True)
class Words:
    """What a user writes with a vote or alone. `complaint` is the truth behind the comment, never logged."""

    comment: str | None = None
    complaint: str = ""
    suggestion: str | None = None


SILENT = Words()


@dataclass
class Log:
    """Collects records; `complaint_of` keeps the truth behind comments, by feedback id."""

    rng: Random
    last_day: date
    interactions: list[Interaction] = field(default_factory=list)
    feedback: list[Feedback] = field(default_factory=list)
    exposures: list[Exposure] = field(default_factory=list)
    complaint_of: dict[str, str] = field(default_factory=dict)

    def new_id(self, prefix: str) -> str:
        """A fresh id such as `i-3f09c27a51be`, from the seed."""
        return f"{prefix}-{self.rng.getrandbits(48):012x}"

    def record(self, interaction: Interaction, at: float) -> Interaction:
        """Log an interaction that happened `at` seconds after the world began."""
        sent = moment(self.last_day, at)
        stamped = replace(interaction, created_at=sent, received_at=self._received(sent))
        self.interactions.append(stamped)
        return stamped

    def expose(self, unit: str, entry_id: str, interaction_id: str, shown: bool, at: float) -> None:
        """Log that recall would have shown an entry, and whether the unit's arm let it."""
        found = moment(self.last_day, at)
        self.exposures.append(Exposure(self.new_id("x"), unit, entry_id, interaction_id, True, shown, found))

    def say(self, interaction: Interaction, kind: Kind, value: float | None = None, words: Words = SILENT) -> None:
        """Log what the user gave in one go. A vote is given within minutes; words, and a few votes, take longer."""
        wait = self.rng.lognormvariate(3.2 if words is SILENT else 4.2, 0.8)
        if self.rng.random() < 0.03:
            wait += self.rng.uniform(1, 20) * 3_600
        self._give(interaction, kind, value, words, wait)

    def change_of_mind(self, interaction: Interaction, value: float, words: Words) -> None:
        """Log a thumb that is taken back for its opposite `value` a minute or two later."""
        first = self.rng.uniform(3, 20)
        self._give(interaction, Kind.THUMB, -value, SILENT, first)
        self._give(interaction, Kind.THUMB, value, words, first + self.rng.uniform(10, 150))

    def signal(self, interaction: Interaction, name: str, wait: float) -> None:
        """Log an implicit signal `wait` seconds after the answer; it has neither value nor polarity."""
        self._add(interaction, name, self._after(interaction, wait), source=EVENTS)

    def _give(self, interaction: Interaction, kind: Kind, value: float | None, words: Words, wait: float) -> None:
        polarity, scale = None, None
        if value is not None:
            scale = (1.0, 5.0) if kind == Kind.RATING else (-1.0, 1.0)
            polarity = polarity_of_rating(value, *scale)
        given = self._add(interaction, kind, self._after(interaction, wait), value, polarity, words)
        if kind == Kind.RATING and scale:
            self.feedback[-1] = replace(given, scale_min=scale[0], scale_max=scale[1])
        if words.complaint:
            self.complaint_of[given.feedback_id] = words.complaint

    def _add(
        self,
        interaction: Interaction,
        kind: str,
        at: datetime,
        value: float | None = None,
        polarity: Polarity | None = None,
        words: Words = SILENT,
        source: str = WIDGET,
    ) -> Feedback:
        given = Feedback(
            feedback_id=self.new_id("f"),
            interaction_id=interaction.interaction_id,
            kind=kind,
            received_at=self._received(at),
            value=value,
            polarity=polarity,
            comment=words.comment,
            suggested_answer=words.suggestion,
            created_at=at,
            rater_hash=interaction.user_hash,
            source=source,
        )
        self.feedback.append(given)
        return given

    def _after(self, interaction: Interaction, wait: float) -> datetime:
        """`wait` seconds after the answer, or what fits before the world's last midnight, in the same order."""
        left = self._end() - interaction.received_at
        fits = min(wait, left.total_seconds() * (1 - 1 / (1 + wait / 60)) * 0.9)
        return interaction.received_at + timedelta(milliseconds=int(fits * 1_000))

    def _received(self, at: datetime) -> datetime:
        """Seconds after `at`; one in fifty was offline for a while."""
        wait = self.rng.uniform(0.05, 2.5) if self.rng.random() > 0.02 else self.rng.uniform(60, 5_400)
        wait = min(wait, (self._end() - at).total_seconds() * 0.1)
        return at + timedelta(milliseconds=int(wait * 1_000))

    def _end(self) -> datetime:
        return datetime(self.last_day.year, self.last_day.month, self.last_day.day) + timedelta(days=1)
