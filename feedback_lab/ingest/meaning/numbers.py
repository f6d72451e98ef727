"""Numbers and ratings in the ways that people write them: 4,5 and 1.234,5, stars, percentages, 4 of 5, words."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

from feedback_lab.ingest.meaning.unreadable import MAX_WORD, Unreadable, shown

STYLE = re.compile("[\ufe0e\ufe0f]")
STARS = re.compile("[★⭐🌟]{1,10}[☆✩]{0,10}|[☆✩]{1,10}")
COUNTED_STARS = re.compile(r"(\S+?)[\s-]*(?:★|⭐|🌟|stars?)", re.IGNORECASE)
GROUPED = re.compile(
    r"(?P<sign>[+-]?)(?:"
    r"(?P<points>\d{1,3}(?:\.\d{3})+)(?:,(?P<after_comma>\d+))?|"
    r"(?P<commas>\d{1,3}(?:,\d{3})+)(?:\.(?P<after_point>\d+))?|"
    r"(?P<spaces>\d{1,3}(?:[ \u00a0\u202f'’]\d{3})+)(?:[.,](?P<after>\d+))?|"
    r"(?P<whole>\d+),(?P<fraction>\d+))",
    re.ASCII,
)
OUT_OF = re.compile(r"(\S+)\s*(?:/|out\s+of|of)\s*(\S+?)(?:\s*stars?)?", re.IGNORECASE)
PERCENT = re.compile(r"(\S+)\s*%")
# Scales of words, the worst first: what each sample of words could be read on.
WORD_SCALES = tuple(
    tuple(tuple(words.split("|")) for words in scale.split(" < "))
    for scale in (
        "very dissatisfied|very unsatisfied|extremely dissatisfied < dissatisfied|unsatisfied|somewhat dissatisfied < "
        "neutral|neither|neither satisfied nor dissatisfied < satisfied|somewhat satisfied < "
        "very satisfied|extremely satisfied",
        "strongly disagree < disagree < neutral|undecided|neither agree nor disagree < agree < strongly agree",
        "very poor|poor|terrible < fair < good < very good < excellent",
        "very bad|terrible|awful < bad|poor < ok|okay|average|neutral|fair < good < very good|great|excellent",
        "poor < fair < good < excellent",
        "bad < could be improved|needs improvement < acceptable|good < excellent",
        "not at all helpful|not helpful < slightly helpful < somewhat helpful|moderately helpful < "
        "very helpful|helpful < extremely helpful",
        "very unlikely < unlikely < neutral < likely < very likely",
        "very unhelpful < unhelpful < neutral < helpful < very helpful",
        "😞|😡|😠 < 🙁|☹|😟 < 😐 < 🙂 < 😀|😃|😄|😊|😍",
    )
)

Scale = tuple[float, float]


class WordScale(NamedTuple):
    """What the words of a column could mean: each raw text with its number, the lowest first, on the scale."""

    values: Mapping[str, str]
    scale: Scale

    @property
    def steps(self) -> str:
        """The words with their numbers."""
        return ", ".join(f"{text} = {number}" for text, number in self.values.items())


@lru_cache(4096)
def number_of(text: str) -> float:
    """A finite number: also with a decimal comma where nothing else is possible, and stars counted ('★★★☆☆' -> 3).

    '1,234' may be either and is refused; so are '4/5' and '85 %', which name a scale: see `rating_of`.
    """
    word = STYLE.sub("", text.strip())
    if len(word) > MAX_WORD:
        raise _no_number(text)
    if STARS.fullmatch(word):
        return float(sum(sign in "★⭐🌟" for sign in word))
    counted = COUNTED_STARS.fullmatch(word)
    value = _number(counted[1] if counted else word)
    if value is None and GROUPED.fullmatch(word):
        raise Unreadable("bad_value", f"{shown(text)} may mean thousands or a fraction: write it without the comma")
    if value is None:
        raise _no_number(text)
    return value


def rating_of(text: str, scale: Scale | None = None) -> tuple[float, Scale | None]:
    """The number, and the scale that it is on: the one given, else the one that the text names, else None.

    '85 %' is on 0 to 100, '4/5' and '4 out of 5' on 1 to 5 (0 to 10, 0 to 100), '★★★★☆' on 1 to 5. Where a scale is
    given, a share must be of its upper end, and a percentage of 0 to 100 or 0 to 1. Raises Unreadable.
    """
    found = _own_scale(text) if len(text) <= 2 * MAX_WORD else None
    if found is None:
        return number_of(text), scale
    value, own, is_percentage = found
    if scale is None or scale == own:
        return value, own
    if is_percentage and scale == (0.0, 1.0):
        return value / 100, scale
    if not is_percentage and scale[1] == own[1]:
        return value, scale
    lo, hi = scale
    raise Unreadable("other_scale", f"{shown(text)} is not on the scale {lo:g} to {hi:g} that the other ratings are on")


def scale_of(text: str) -> Scale:
    """The lowest and highest rating of a scale written LO:HI. Raises Unreadable."""
    try:
        lo, hi = (float(part) for part in text.split(":"))
    except ValueError:
        lo, hi = 0.0, 0.0
    if not -math.inf < lo < hi < math.inf:
        raise Unreadable("bad_scale", f"{text[:40]!r} is no scale: write it like 1:5")
    return lo, hi


def scale_words(scale: Scale) -> str:
    """The scale as `scale_of` reads it: LO:HI."""
    return f"{scale[0]:g}:{scale[1]:g}"


def word_scale_of(texts: Iterable[str]) -> WordScale | None:
    """The smallest scale of words that holds all these texts, for a human to confirm; None where none does."""
    words = {text: " ".join(STYLE.sub("", text).lower().split()) for text in texts if text.strip()}
    if len(set(words.values())) < 2:
        return None
    fitting = []
    for steps in WORD_SCALES:
        place = {word: number for number, step in enumerate(steps, 1) for word in step}
        if all(word in place for word in words.values()):
            lowest_first = sorted(words.items(), key=lambda one: (place[one[1]], one[0]))
            fitting.append((len(steps), {text: str(place[word]) for text, word in lowest_first}))
    if not fitting:
        return None
    size, values = min(fitting, key=lambda found: found[0])
    return WordScale(values, (1.0, float(size)))


@lru_cache(4096)
def _own_scale(text: str) -> tuple[float, Scale, bool] | None:
    """The value and the scale that a text itself names, and whether it is a percentage; None where it names none."""
    word = STYLE.sub("", text.strip())
    if len(word) > MAX_WORD:
        return None
    if found := PERCENT.fullmatch(word):
        value = _number(found[1])
        return None if value is None else (value, (0.0, 100.0), True)
    if found := OUT_OF.fullmatch(word):
        value, top = _number(found[1]), _number(found[2])
        if value is None or top is None or top <= 1:
            return None
        return value, (0.0 if top >= 10 else 1.0, top), False
    if STARS.fullmatch(word) and len(word) == 5 and "★" in word and word[-1] in "☆✩":
        return number_of(text), (1.0, 5.0), False
    return None


def _number(text: str) -> float | None:
    if found := GROUPED.fullmatch(text):
        text = _plain(found)
    try:
        value = float(text) if "_" not in text else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _plain(found: re.Match[str]) -> str:
    """A number with commas or groups as Python writes it; what could be read in two ways stays what it is."""
    parts = found.groupdict(default="")
    sign = parts["sign"]
    if parts["whole"]:
        return f"{sign}{parts['whole']}.{parts['fraction']}"
    groups = parts["points"] or parts["commas"] or parts["spaces"]
    fraction = parts["after_comma"] or parts["after_point"] or parts["after"]
    digits = re.sub(r"\D", "", groups)
    if groups.startswith("0,") and len(groups) == 5:
        return f"{sign}0.{digits[1:]}"
    # 1,234 is a thousand or one and a bit, and 1.234 is what a program writes.
    two_ways = len(groups) == len(digits) + 1 and not fraction and not parts["spaces"]
    return found[0] if two_ways or digits.startswith("0") else f"{sign}{digits}.{fraction or 0}"


def _no_number(text: str) -> Unreadable:
    return Unreadable("bad_value", f"{shown(text)} is neither a number nor a thumb: map it with --value")
