"""Moments in the ways that people and programs write them, and never a guess where two are possible."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from feedback_lab.errors import InputError
from feedback_lab.ingest.meaning.unreadable import Unreadable, shown

MAX_LENGTH = 100  # characters
EPOCH = re.compile(r"(?:\d{9,10}|\d{12,13}|\d{15,16}|\d{18,19})(?:\.\d+)?", re.ASCII)
COMPACT = re.compile(r"(?:19|20)\d{12}", re.ASCII)
ISO_DATE = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?:[T,\s]+(.+))?", re.ASCII | re.DOTALL)
NUMERIC_DATE = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4}|\d\d)(?!\d)(?:[,\sT]+(.+))?", re.ASCII | re.DOTALL)
MONTHS = {name: number for number, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)}
MONTH = r"(?P<month>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.?"
DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th|\.)?"
WEEKDAY = r"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]{0,6}\.?,?\s+)?"
CLOCK = r"(?:[T,\s]+(?:at\s+)?(?P<clock>\d{1,2}:.+))?"
NAMED_DATES = [
    re.compile(pattern, re.IGNORECASE | re.ASCII | re.DOTALL)
    for pattern in (
        rf"{WEEKDAY}{DAY}[\s-]+(?:of\s+)?{MONTH}[,\s-]+(?P<year>\d{{4}}){CLOCK}",
        rf"{WEEKDAY}{MONTH}\s+{DAY},?\s+(?P<year>\d{{4}}){CLOCK}",
        rf"(?P<year>\d{{4}})[\s-]+{MONTH}[\s-]+{DAY}{CLOCK}",
        rf"{WEEKDAY}{MONTH}\s+{DAY}\s+(?P<clock>\d{{1,2}}:\S+)(?P<zone>(?:\s+\S+)?)\s+(?P<year>\d{{4}})",
    )
]
TIME_OF_DAY = re.compile(
    r"(?P<hour>\d{1,2})(?P<rest>:\d\d(?::\d\d(?:[.,]\d+)?)?)?\s*(?:(?P<half>[ap])\.?m\.?)?\s*(?P<zone>\S.*)?",
    re.IGNORECASE | re.ASCII | re.DOTALL,
)
OFFSET = re.compile(
    r"(?:utc|gmt)?([+-])(\d{1,2})(?::?(\d\d))?(?::\d\d)?(?:\s*\(.*\)|\[.*\])?", re.IGNORECASE | re.ASCII
)
# Names that mean one zone wherever they are written, in hours east. CST, IST and BST mean several.
HOURS_EAST = {
    "z": 0.0, "utc": 0, "gmt": 0, "ut": 0, "wet": 0, "west": 1, "cet": 1, "cest": 2, "met": 1, "mest": 2, "eet": 2,
    "eest": 3, "msk": 3, "jst": 9, "kst": 9, "hkt": 8, "sgt": 8, "awst": 8, "acst": 9.5, "acdt": 10.5, "aest": 10,
    "aedt": 11, "nzst": 12, "nzdt": 13, "est": -5, "edt": -4, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7,
    "akst": -9, "akdt": -8, "hst": -10, "brt": -3, "sast": 2,
}  # fmt: skip
SEVERAL_ZONES = frozenset(("cst", "ist", "bst"))


def zone_of(name: str | None) -> tzinfo:
    """The time zone of an IANA name, UTC for None. Raises InputError for a name that does not exist."""
    if not name:
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise InputError(f"There is no time zone {name!r}: write it like Europe/Berlin or UTC.") from None


def day_comes_first(texts: Iterable[str]) -> bool | None:
    """Whether dates like 13/02/2023 in these texts start with the day; None where they do not tell, or disagree."""
    told: set[bool] = set()
    for text in texts:
        found = NUMERIC_DATE.fullmatch(text.strip())
        if found:
            first, second = int(found[1]), int(found[3])
            # 23/05/18 may begin with the year, so that its first number tells nothing.
            if second > 12 >= first or (first > 12 >= second and len(found[4]) == 4):
                told.add(first > 12)
    return told.pop() if len(told) == 1 else None


def time_of(text: str, zone: tzinfo = UTC, day_first: bool | None = None) -> datetime:
    """The moment in UTC, without a zone. A time that names no zone is in `zone`.

    Reads ISO 8601 (also with a space, slashes, AM and PM, an offset or a zone's name behind it), Unix seconds to
    nanoseconds, 20230518103000, months by their English names, and dates like 18/05/2023, whose order must be clear:
    a day above 12, dots (day first), or `day_first`. Raises Unreadable.
    """
    text = text.strip()
    if len(text) > MAX_LENGTH:
        raise _no_time(text)
    try:
        moment = _epoch(text) if EPOCH.fullmatch(text) else _calendar(text, day_first)
        if moment.tzinfo is None:
            if zone is UTC:
                return moment
            moment = moment.replace(tzinfo=zone)
        return moment.astimezone(UTC).replace(tzinfo=None)
    except Unreadable:
        raise
    except (OverflowError, OSError, ValueError):
        raise _no_time(text) from None


def _epoch(text: str) -> datetime:
    whole, _, fraction = text.partition(".")
    digits = len(whole)
    unit = 1 if digits <= 10 else 1_000 if digits <= 13 else 1_000_000 if digits <= 16 else 1_000_000_000
    microseconds = int(whole) * 1_000_000 // unit
    if fraction:
        microseconds += int(float(f"0.{fraction}") * 1_000_000 / unit)
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)


def _calendar(text: str, day_first: bool | None) -> datetime:
    """The moment that a text names by its day. Raises ValueError where it names none."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    if COMPACT.fullmatch(text):
        return datetime.strptime(text, "%Y%m%d%H%M%S")
    if found := ISO_DATE.fullmatch(text):
        return _moment(int(found[1]), int(found[3]), int(found[4]), found[5])
    if found := NUMERIC_DATE.fullmatch(text):
        return _numeric(found, day_first)
    for pattern in NAMED_DATES:
        if found := pattern.fullmatch(text):
            parts = found.groupdict()
            clock = f"{parts['clock'] or ''} {parts.get('zone') or ''}".strip()
            return _moment(int(parts["year"]), MONTHS[parts["month"].lower()], int(parts["day"]), clock)
    raise _no_time(text)


def _numeric(found: re.Match[str], day_first: bool | None) -> datetime:
    first, second, year = int(found[1]), int(found[3]), int(found[4])
    short = len(found[4]) == 2
    if second > 12:
        day, month = second, first
    elif first > 12 and not short:
        day, month = first, second
    elif day_first is not None:
        day, month = (first, second) if day_first else (second, first)
    elif found[2] == "." or (first == second and not short):
        day, month = first, second
    else:
        message = f"{shown(found[0])} may be day/month or month/day: say which with --date-order"
        raise Unreadable("ambiguous_time", message)
    if short:
        year += 2000 if year < 70 else 1900
    return _moment(year, month, day, found[5])


def _moment(year: int, month: int, day: int, clock: str | None) -> datetime:
    """The moment of a day and a time of day like '9:05 PM +0200', midnight for none. Raises ValueError."""
    start = datetime(year, month, day)
    if not clock:
        return start
    found = TIME_OF_DAY.fullmatch(clock.strip())
    if not found or not (found["rest"] or found["half"]):
        raise ValueError(clock)
    hour, half = int(found["hour"]), (found["half"] or "").lower()
    if half:
        if not 1 <= hour <= 12:
            raise ValueError(clock)
        hour = hour % 12 + (12 if half == "p" else 0)
    time_of_day = datetime.fromisoformat(f"2000-01-01 {hour:02}{found['rest'] or ':00'}")
    moment = datetime.combine(start, time_of_day.time())
    return moment.replace(tzinfo=_zone_in(found["zone"])) if found["zone"] else moment


def _zone_in(text: str) -> tzinfo:
    """The zone that stands behind a time: an offset, a name like CET or Europe/Berlin. Raises Unreadable."""
    text = text.strip()
    if found := OFFSET.fullmatch(text):
        east = timedelta(hours=int(found[2]), minutes=int(found[3] or 0))
        return timezone(east if found[1] == "+" else -east)
    name = text.strip("[]()")
    if name.lower() in SEVERAL_ZONES:
        raise Unreadable("ambiguous_time", f"{name} is the name of several time zones: write the offset, like +05:30")
    if name.lower() in HOURS_EAST:
        return timezone(timedelta(hours=HOURS_EAST[name.lower()]))
    if "/" not in name:
        raise ValueError(text)
    try:
        return zone_of(name)
    except InputError as error:
        raise Unreadable("bad_time", str(error).rstrip(".")) from None


def _no_time(text: str) -> Unreadable:
    return Unreadable("bad_time", f"{shown(text)} is no time that can be read: write it like 2023-05-18 10:30:00")
