"""A small grammar for the sample world's sentences: choices, slots, facts, and how people really type."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from random import Random

_CHOICE = re.compile(r"\[([^\[\]]*)\]")
_SLOT = re.compile(r"\{(\w+)\}")
_FACT = re.compile(r"«([^«»~]*)~([^«»~]*)»")
_SPACES = re.compile(r" +(?=[ ?.,!])")
_MINE = re.compile(r"\b(my|our)\b")
_NEIGHBOURS = {"a": "s", "e": "r", "i": "o", "n": "m", "o": "p", "r": "t", "s": "d", "t": "r", "u": "i", "l": "k"}


class Writer:
    """Expands templates with one source of randomness.

    `[a|b|]` is a choice (it may nest), `{slot}` a word list's value, `«right~wrong»` a fact that the assistant
    may get wrong. `chosen` remembers slots, so that a question and its answer speak of the same country.
    """

    def __init__(
        self,
        rng: Random,
        slots: Mapping[str, Sequence[str]],
        linked: Mapping[str, tuple[str, Mapping[str, str]]],
    ) -> None:
        self._rng = rng
        self._slots = slots
        self._linked = linked

    def expand(self, template: str, chosen: dict[str, str], *, wrong: bool = False, replies: bool = False) -> str:
        """One text from `template`; the first fact it used is kept in `chosen` as `right` and `wrong`.

        Where the assistant `replies`, "my sister" in a slot becomes "your sister".
        """
        template = self.choose(template)
        fact = _FACT.search(template)
        if fact:
            chosen["right"], chosen["wrong"] = fact[1], fact[2]
            template = _FACT.sub(r"\2" if wrong else r"\1", template)
        text = _SLOT.sub(lambda match: _addressed(self._slot(match[1], chosen), replies), template)
        return _SPACES.sub("", text).strip()

    def choose(self, template: str) -> str:
        """`template` with its choices made."""
        while "[" in template:
            template = _CHOICE.sub(lambda match: self._rng.choice(match[1].split("|")), template)
        return template

    def choose_fitting(self, templates: Sequence[str], known: Collection[str]) -> str:
        """One of `templates`, choices made, that needs no slot beyond the `known` ones, if one is found soon."""
        for _ in range(8):
            template = self.choose(self._rng.choice(templates))
            if all(name in known or name in self._linked for name in _SLOT.findall(template)):
                break
        return template

    def _slot(self, name: str, chosen: dict[str, str]) -> str:
        if name in self._linked:
            parent, values = self._linked[name]
            return values[self._slot(parent, chosen)]
        if name not in chosen:
            chosen[name] = self._rng.choice(self._slots[name])
        return chosen[name]

    def typed(self, text: str, carelessness: float) -> str:
        """`text` as a person types it who is careless to the degree of 0..1: case, full stops, slips."""
        rng = self._rng
        if rng.random() < carelessness:
            text = text.lower()
        if rng.random() < carelessness:
            text = text.rstrip(".?! ")
        if rng.random() < carelessness * 0.7:
            text = text.replace("'", "").replace("€", "")
        while rng.random() < carelessness * 0.55 and len(text) > 12:
            text = self._slip(text)
        return text or "?"

    def _slip(self, text: str) -> str:
        rng = self._rng
        at = rng.randrange(2, len(text) - 2)
        if not text[at].isalpha() or not text[at + 1].isalpha():
            return text
        return rng.choice(
            (
                text[:at] + text[at + 1] + text[at] + text[at + 2 :],
                text[:at] + text[at + 1 :],
                text[:at] + text[at] + text[at:],
                text[:at] + _NEIGHBOURS.get(text[at], text[at]) + text[at + 1 :],
            )
        )


def _addressed(words: str, replies: bool) -> str:
    return _MINE.sub("your", words) if replies else words
