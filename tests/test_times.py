"""Moments as people and programs write them: one way to read them, or none."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback_lab.errors import InputError
from feedback_lab.ingest.meaning.times import day_comes_first, time_of, zone_of
from feedback_lab.ingest.meaning.unreadable import Unreadable


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2023-05-18", datetime(2023, 5, 18)),
        ("2023-05-18 10:30", datetime(2023, 5, 18, 10, 30)),
        ("2023-05-18T10:30:00Z", datetime(2023, 5, 18, 10, 30)),
        ("2023-05-18 10:30:00 UTC", datetime(2023, 5, 18, 10, 30)),
        ("2015-02-24 11:15:36 -0800", datetime(2015, 2, 24, 19, 15, 36)),
        ("2023-05-18T10:30:00.123456+02:00", datetime(2023, 5, 18, 8, 30, 0, 123456)),
        ("1684368000", datetime(2023, 5, 18)),
        ("1684368000.5", datetime(2023, 5, 18, 0, 0, 0, 500000)),
        ("1684368000123", datetime(2023, 5, 18, 0, 0, 0, 123000)),
        ("18/05/2023", datetime(2023, 5, 18)),
        ("05/18/2023 9:05 PM", datetime(2023, 5, 18, 21, 5)),
        ("5.6.2023 10:00", datetime(2023, 6, 5, 10)),
        ("07/07/2023", datetime(2023, 7, 7)),
        ("Tue, 24 Feb 2015 11:15:36 -0800", datetime(2015, 2, 24, 19, 15, 36)),
        ("18 May 2023", datetime(2023, 5, 18)),
        ("18-May-2023 10:30", datetime(2023, 5, 18, 10, 30)),
        ("May 18, 2023, 9:05 p.m.", datetime(2023, 5, 18, 21, 5)),
        ("Thursday, September 7th, 2023 at 12:05 AM", datetime(2023, 9, 7, 0, 5)),
        ("2023 May 18", datetime(2023, 5, 18)),
        ("Thu May 18 10:30:00 2023", datetime(2023, 5, 18, 10, 30)),
        ("Thu May 18 10:30:00 CEST 2023", datetime(2023, 5, 18, 8, 30)),
        ("Thu May 18 2023 10:30:00 GMT+0200 (Central European Summer Time)", datetime(2023, 5, 18, 8, 30)),
        ("2023-05-18T10:00:00 Europe/Berlin", datetime(2023, 5, 18, 8)),
        ("2023-05-18T10:00:00+02:00[Europe/Berlin]", datetime(2023, 5, 18, 8)),
        ("2023-01-18 10:00 CET", datetime(2023, 1, 18, 9)),
        ("2023-05-18 10:00 EST", datetime(2023, 5, 18, 15)),
        ("2023/5/8 9:05", datetime(2023, 5, 8, 9, 5)),
        ("2023-05-18, 9:05:12 pm", datetime(2023, 5, 18, 21, 5, 12)),
        ("20230518103000", datetime(2023, 5, 18, 10, 30)),
        ("05/18/23 10:30 AM", datetime(2023, 5, 18, 10, 30)),
        ("18.05.23", datetime(2023, 5, 18)),
        ("2023-05-18 10:30:00,123", datetime(2023, 5, 18, 10, 30, 0, 123_000)),
        ("2023-05-18T10:30:00.1234567Z", datetime(2023, 5, 18, 10, 30, 0, 123_456)),
    ],
)
def test_times_are_read_as_utc(text: str, expected: datetime) -> None:
    assert time_of(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "yesterday",
        "2023-13-01",
        "31/02/2023",
        "31 Apr 2023",
        "May 2023",
        "2023",
        "12:30",
        "0001-01-01T00:00+05:00",
        "2023-05-18 25:00",
        "2023-05-18 13:00 PM",
        "2023-05-18 10:00 Mars/Olympus",
        "2023-05-18 10:00 +99:00",
        "2023-05-18 10:00 XYZ",
        "∞",
        "9" * 5_000,
    ],
)
def test_a_time_that_cannot_be_read_is_said(text: str) -> None:
    with pytest.raises(Unreadable) as error:
        time_of(text)

    assert error.value.code == "bad_time"


def test_the_order_of_day_and_month_is_never_guessed() -> None:
    with pytest.raises(Unreadable) as error:
        time_of("05/06/2023")

    assert error.value.code == "ambiguous_time"
    assert time_of("05/06/2023", day_first=True) == datetime(2023, 6, 5)
    assert day_comes_first(["05/06/2023", "13/06/2023"]) is True
    assert day_comes_first(["05/06/2023", "06/13/2023"]) is False
    assert day_comes_first(["13/06/2023", "06/13/2023"]) is None
    assert day_comes_first(["05/06/2023"]) is None


@pytest.mark.parametrize("text", ["05/06/23", "18/05/23", "2023-05-18 10:00 IST", "Thu May 18 10:30:00 CST 2023"])
def test_what_could_be_two_moments_is_refused(text: str) -> None:
    with pytest.raises(Unreadable) as error:
        time_of(text)

    assert error.value.code == "ambiguous_time"


def test_a_year_of_two_digits_needs_to_be_told_from_the_day() -> None:
    assert time_of("18/05/23", day_first=True) == datetime(2023, 5, 18)
    assert time_of("05/06/99", day_first=False) == datetime(1999, 5, 6)
    assert day_comes_first(["18/05/23"]) is None
    assert day_comes_first(["05/18/23"]) is False


WAYS = [
    "%Y-%m-%d %H:%M:%S",
    "%Y/%m/%d %I:%M:%S %p",
    "%d.%m.%Y %H:%M:%S",
    "%d %B %Y %H:%M:%S",
    "%b %d, %Y %I:%M:%S %p",
    "%a, %d %b %Y %H:%M:%S",
    "%A, %d-%b-%Y %H:%M:%S",
]
WITHOUT_ZONE = ["%c", "%Y%m%d%H%M%S", "%Y%m%dT%H%M%S", "%Y-%m-%dT%H:%M:%S"]
ZONES = {"": 0.0, " +0000": 0, "Z": 0, " UTC": 0, " CET": 1, " GMT+0530": 5.5, " -08:00": -8}


@given(
    st.datetimes(datetime(1970, 1, 1), datetime(2099, 12, 31)),
    st.tuples(st.sampled_from(WAYS), st.sampled_from(list(ZONES)))
    | st.tuples(st.sampled_from(WITHOUT_ZONE), st.just("")),
)
def test_a_moment_is_the_same_in_every_way_that_it_can_be_written(moment: datetime, written: tuple[str, str]) -> None:
    moment = moment.replace(microsecond=0)
    way, zone = written

    assert time_of(moment.strftime(way) + zone) == moment - timedelta(hours=ZONES[zone])


def test_a_time_without_a_zone_is_in_the_zone_given() -> None:
    assert time_of("2023-07-01 12:00", ZoneInfo("Europe/Berlin")) == datetime(2023, 7, 1, 10)
    assert time_of("2023-07-01 12:00Z", ZoneInfo("Europe/Berlin")) == datetime(2023, 7, 1, 12)
    assert zone_of(None) is UTC
    for name in ("Mars/Olympus", "../etc/passwd", "Europe"):
        with pytest.raises(InputError, match="no time zone"):
            zone_of(name)


@given(st.datetimes(datetime(1980, 1, 1), datetime(2200, 1, 1)))
def test_an_iso_time_comes_back_as_it_went_in(moment: datetime) -> None:
    assert time_of(moment.isoformat()) == moment
    assert time_of(moment.isoformat(" ") + " +0000") == moment
