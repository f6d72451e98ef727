"""Numbers, times and changes as people read them. Pure functions, one way for all pages."""

import re
from datetime import datetime

from feedback_lab.numerals import count, interval, more_or_fewer, percent
from feedback_lab.records import utc_now

__all__ = [
    "ago",
    "change",
    "count",
    "day",
    "first_line",
    "interval",
    "more_or_fewer",
    "percent",
    "points",
    "signed",
    "without_options",
]

# from the last ": ", "; " or ", " before an option to the end
_OPTION = re.compile(r"(?:[:;,] |(?<=\?) )(?:(?![:;,?] ).)*?--[a-z].*\Z", re.DOTALL)


def points(change: float | None) -> str | None:
    """A difference of two rates in points with its sign, `-2.1 pts`; None where there is no difference to show."""
    return None if change is None else f"{signed(100 * change)} pts"


def signed(number: float) -> str:
    """One decimal with its sign; plain `0.0` for what rounds to nothing."""
    shown = f"{number:+.1f}"
    return "0.0" if shown in ("+0.0", "-0.0") else shown


def change(now: int, before: int) -> str | None:
    """The change of a count as `+8 %`; None where there was nothing before."""
    return None if before == 0 else f"{100 * (now - before) / before:+.0f} %"


def ago(moment: datetime | None, now: datetime | None = None) -> str:
    """How long ago a UTC moment was: `3 h ago`, `2 days ago`; `undated` for None."""
    if moment is None:
        return "undated"
    seconds = ((now or utc_now()) - moment).total_seconds()
    for size, name in ((86_400, "day"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            number = int(seconds // size)
            return f"{number} {name}{'s' if name == 'day' and number != 1 else ''} ago"
    return "just now" if seconds >= 0 else f"on {moment:%Y-%m-%d}"


def day(moment: datetime | None) -> str:
    return "undated" if moment is None else f"{moment:%Y-%m-%d}"


def without_options(sentence: str) -> str:
    """A sentence that ends with an option of the command line, without that ending: pages have widgets instead."""
    return _OPTION.sub("", sentence)


def first_line(text: str, limit: int = 90) -> str:
    """The first line of a long text, cut at a word where it can be, with an ellipsis where something is left out."""
    line = " ".join(text.strip().split("\n", 1)[0].split())
    if len(line) <= limit:
        return line if line == text.strip() or not text.strip() else line + " …"
    cut = line[:limit].rsplit(" ", 1)[0]
    return (cut if len(cut) > limit // 2 else line[:limit]) + "…"
