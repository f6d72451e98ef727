"""What a tool's score means as an opinion, where the tool says less than a thumb or a rating needs.

A number is a thumb or a rating only by a scale that the tool declares, that the human gives, or that the numbers
of the same name leave no choice about; a label only where it is plainly good or bad, or the human says so. What
stays open is kept as a signal of its own name, which no rate counts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from feedback_lab.ingest.formats.cells import Record, first, text
from feedback_lab.ingest.meaning.numbers import scale_words
from feedback_lab.ingest.meaning.profile import named_for_ratings, profile_of
from feedback_lab.ingest.meaning.values import DOWN, UP, Unreadable, number_of, thumb_of, word_of
from feedback_lab.records import Population

GOOD = frozenset(
    "thumbs_up up like good great excellent correct right accurate helpful relevant pass passed accept accepted "
    "acceptable approved positive success successful satisfied resolved factual non_toxic 🙂 😀 😃 😊".split()
)
BAD = frozenset(
    "thumbs_down down dislike bad poor terrible incorrect wrong inaccurate unhelpful irrelevant fail failed reject "
    "rejected unacceptable negative failure unsuccessful dissatisfied unresolved unrelated hallucinated toxic 😞 "
    "🙁 😡".split()
)
# Whose an annotation is, in the words of OpenInference and Phoenix.
ANNOTATORS = {"HUMAN": Population.USER, "LLM": Population.JUDGE, "CODE": Population.JUDGE}
MIDDLE = frozenset(("neutral", "mixed", "partially_correct", "so_so", "😐"))
# Where yes, true or a high number says that something is wrong, or how much there is of it, they are no praise.
OF_A_FAULT = re.compile(
    "toxic|halluc|harm|bias|error|unsafe|profan|pii|jailbreak|inject|refus|frustrat|complain|irrelev|latency|duration"
    "|cost|token|length|count|risk|violat|leak|negativ|bug|issue|problem|fail|wrong|incorrect|bad|flag"
)


@dataclass(slots=True)
class Scores:
    """What is known of the scores of one file, by name; `learn` while its first rows are looked at.

    `scale` and `words` are what the human gave: the scale of the numbers that fit it, the meaning of labels.
    """

    scale: tuple[float, float] | None = None
    words: Mapping[str, str] = field(default_factory=dict)
    numbers: dict[str, set[float]] = field(default_factory=dict)
    signals: dict[str, set[str]] = field(default_factory=dict)
    learns: bool = True

    def opinion(self, name: str, value: Any, *, population: str, declared: tuple[float, float] | None = None) -> Record:
        """The fields `value`, `scale`, `kind` (or `polarity`) for a score of this name; empty for an empty value."""
        given = text(value)
        if not given or given.lower() == "nan":
            return {}
        if given in self.words:
            given = self.words[given]
            if thumb_of(given) is not None:
                return {"kind": "thumb", "value": given}
        if isinstance(value, bool) or given.lower() in ("true", "false"):
            return self._truth(name, given.lower() == "true")
        try:
            return self._number(name, number_of(given), population, declared)
        except Unreadable:
            return self._label(name, given)

    def labelled(self, name: str, label: str, score: Any, population: str) -> Record:
        """The opinion of a label and a score that say the same: the label's where it is plain, else the score's."""
        found = self.opinion(name, label, population=population) if label else {}
        if text(score) and found.get("kind") not in ("thumb", "rating"):
            return {"label": label, **self.opinion(name, score, population=population)}
        return {**found, "label": label, "score": score}

    def said(self) -> list[str]:
        """One sentence for each name whose meaning was taken from its numbers, or stays open."""
        lines = []
        for name, numbers in sorted(self.numbers.items()):
            low, high = min(numbers), max(numbers)
            held = f"{name!r} holds {low:g}" + (f" to {high:g}" if low < high else "")
            lines.append(f"{held}, {self._reading(name)}.")
        for name, labels in sorted(self.signals.items()):
            shown = ", ".join(repr(label) for label in sorted(labels)[:5])
            lines.append(
                f"{name!r} ({shown}) is not plainly good or bad, so it is kept as the signal {signal(name)} and counts "
                "in no rate; --value value:LABEL=up (or down) says what a label means."
            )
        return lines

    def meanings(self) -> dict[str, str]:
        """What the numbers of each name are read as, in words."""
        return {name: self._reading(name) for name in self.numbers}

    def _reading(self, name: str) -> str:
        meaning = self._meaning(name)
        if OF_A_FAULT.search(name.lower()):
            return f"which is no praise by its name, so it is kept as the signal {signal(name)} and counts in no rate"
        if isinstance(meaning, tuple):
            return f"read as ratings on the scale {scale_words(meaning)}; say --scale LO:HI where it is another"
        return "read as thumbs" if meaning else "a scale that is not known: --scale LO:HI reads it as ratings"

    def _truth(self, name: str, holds: bool) -> Record:
        if OF_A_FAULT.search(name.lower()):
            return self._kept(name, str(holds).lower())
        return {"kind": "thumb", "value": "up" if holds else "down"}

    def _number(self, name: str, number: float, population: str, declared: tuple[float, float] | None) -> Record:
        if declared is not None and declared[0] < declared[1]:
            return {"kind": "rating", "value": number, "scale": scale_words(declared)}
        if self.learns:
            self.numbers.setdefault(name, set()).add(number)
        if OF_A_FAULT.search(name.lower()):
            return {"kind": signal(name), "value": number}
        meaning = self._meaning(name)
        if meaning == "thumb" and number == 0 and -1.0 in self.numbers.get(name, ()):
            return {"kind": "rating", "value": 0.0, "scale": "-1:1"}
        if meaning == "thumb" and number in (-1, 0, 1):
            return {"kind": "thumb", "value": "up" if number > 0 else "down"}
        if isinstance(meaning, tuple):
            return {"kind": "rating", "value": number, "scale": scale_words(meaning)}
        if population == Population.JUDGE:
            return {"kind": signal(name), "value": number}
        return {"kind": "rating", "value": number}  # without a scale: rejected with the sentence that asks for it

    def _meaning(self, name: str) -> tuple[float, float] | str | None:
        seen = self.numbers.get(name, set())
        if not seen:
            return self.scale
        if self.scale is not None and all(self.scale[0] <= number <= self.scale[1] for number in seen):
            return self.scale
        if seen <= {-1.0, 0.0, 1.0}:
            return None if seen == {1.0} and named_for_ratings(name) else "thumb"
        if all(0 <= number <= 1 for number in seen):
            return 0.0, 1.0
        return profile_of([f"{number:g}" for number in seen], name.lower()).scale

    def _label(self, name: str, label: str) -> Record:
        word = _label_word(label)
        fault = OF_A_FAULT.search(name.lower())
        if word in GOOD or (word in UP and not fault):
            return {"kind": "thumb", "value": "up"}
        if word in BAD or (word in DOWN and not fault):
            return {"kind": "thumb", "value": "down"}
        if word in MIDDLE:
            return {"kind": "rating", "value": 0.0, "scale": "-1:1"}
        return self._kept(name, label)

    def _kept(self, name: str, label: str) -> Record:
        if self.learns:
            self.signals.setdefault(name, set()).add(label)
        return {"kind": signal(name), "label": label}


def is_plain(label: str) -> bool:
    """Whether a label is plainly good, bad or in the middle, whatever it stands for."""
    return _label_word(label) in GOOD | BAD | MIDDLE


def _label_word(label: str) -> str:
    return re.sub(r"_+", "_", word_of(label).replace("-", "_"))


def rater(population: str, name: str, *ids: Any) -> str:
    """Who gave a score: the first id that is given; for a judge its metric, so that two metrics stay two verdicts."""
    return f"judge:{name}" if population == Population.JUDGE else first(*ids)


def signal(name: str) -> str:
    """The kind under which a score is kept that is no opinion: `score:tone`."""
    return "score:" + (re.sub(r"[^a-z0-9_.-]+", "_", name.lower()).strip("_")[:50] or "unnamed")
