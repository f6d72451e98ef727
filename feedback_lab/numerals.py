"""Counts and rates as people read them, in one way for pages, commands and the reasons of rules. Pure functions."""


def count(number: int, one: str, many: str | None = None) -> str:
    """`1 comment`, `3,412 comments`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def percent(rate: float | None) -> str:
    """A rate from 0 to 1 as `71.4 %`; a dash where it is unknown."""
    return "–" if rate is None else f"{100 * rate:.1f} %"


def interval(low: float | None, high: float | None) -> str:
    """`69.8–72.9 %`; empty where there is no interval."""
    return "" if low is None or high is None else f"{100 * low:.1f}–{100 * high:.1f} %"


def more_or_fewer(number: int) -> str:
    """A difference of counts with its sign: `+1,285`, `-18`, and plain `0`."""
    return f"{number:+,}" if number else "0"
