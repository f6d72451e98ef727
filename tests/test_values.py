"""What a cell means, in the words that people really write."""

from contextlib import suppress
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback_lab.errors import InputError
from feedback_lab.ingest.opinion import opinion_of
from feedback_lab.ingest.values import (
    Unreadable,
    day_comes_first,
    kind_of,
    number_of,
    polarity_of,
    role_of,
    thumb_of,
    time_of,
    turn_of,
    zone_of,
)
from feedback_lab.records import Polarity


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
    ],
)
def test_times_are_read_as_utc(text: str, expected: datetime) -> None:
    assert time_of(text) == expected


@pytest.mark.parametrize(
    "text", ["yesterday", "2023-13-01", "31/02/2023", "2023", "12:30", "0001-01-01T00:00+05:00", "∞"]
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


@given(st.text(max_size=40))
def test_no_text_breaks_the_readers(text: str) -> None:
    for read in (time_of, number_of, kind_of, polarity_of, role_of, turn_of):
        with suppress(Unreadable):
            read(text)  # type: ignore[operator]


def test_thumbs_are_understood_in_words_signs_and_skin_tones() -> None:
    assert {thumb_of(text) for text in ("1", "+1", "true", "Yes", "Thumbs Up", "👍", "👍🏽", "like")} == {1.0}
    assert {thumb_of(text) for text in ("-1", "FALSE", "no", "thumbs_down", "👎🏿", "dislike")} == {-1.0}
    assert {thumb_of(text) for text in ("", "0", "3", "perhaps")} == {None}


def test_kinds_numbers_and_stars() -> None:
    assert kind_of("thumbs_down") == ("thumb", -1.0)
    assert kind_of("Rating") == ("rating", None)
    assert kind_of("regenerated") == ("regenerated", None)
    assert (number_of("4.5"), number_of("★★★☆☆"), number_of("⭐⭐")) == (4.5, 3.0, 2.0)
    for text in ("nan", "inf", "1_000", "many"):
        with pytest.raises(Unreadable):
            number_of(text)


def test_one_row_is_one_opinion_named_by_its_thumb_or_rating() -> None:
    fields = {"value": "down", "comment": "wrong", "suggested_answer": "42"}

    assert opinion_of(fields, {}, None, True) == ("thumb", -1.0, None, Polarity.NEGATIVE)
    assert opinion_of(fields | {"value": "4"}, {}, (1, 5), False) == ("rating", 4.0, (1, 5), Polarity.POSITIVE)
    assert opinion_of({"comment": "wrong", "suggested_answer": "42"}, {}, None, True) == (
        "correction",
        None,
        None,
        None,
    )
    assert opinion_of({"comment": "wrong"}, {}, None, True) == ("comment", None, None, None)
    assert opinion_of({"comment": "x", "polarity": "neg"}, {}, None, True) == ("comment", None, None, Polarity.NEGATIVE)
    assert opinion_of({"kind": "regenerated"}, {}, None, True) == ("regenerated", None, None, None)


def test_constants_alone_are_no_opinion() -> None:
    assert opinion_of({"polarity": "negative"}, {"polarity": "negative"}, None, True) is None
    assert opinion_of({"kind": "comment"}, {}, None, True) is None


@pytest.mark.parametrize(
    ("fields", "scale", "code"),
    [
        ({"value": "6"}, (1.0, 5.0), "out_of_scale"),
        ({"value": "3"}, None, "no_scale"),
        ({"value": "1"}, None, "no_scale"),
        ({"value": "perhaps"}, None, "bad_value"),
        ({"kind": "thumb"}, None, "no_value"),
        ({"kind": "thumbs_up", "value": "-1"}, None, "bad_value"),
        ({"polarity": "Bad"}, None, "bad_polarity"),
        ({"kind": "!!"}, None, "bad_kind"),
    ],
)
def test_an_opinion_that_cannot_be_read_is_said(
    fields: dict[str, str], scale: tuple[float, float] | None, code: str
) -> None:
    with pytest.raises(Unreadable) as error:
        opinion_of(fields, {}, scale, False)

    assert error.value.code == code
