"""What a cell means, in the words that people really write."""

from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback_lab.ingest.meaning.opinion import opinion_of
from feedback_lab.ingest.meaning.profile import profile_of
from feedback_lab.ingest.meaning.values import (
    DOWN,
    UP,
    Unreadable,
    kind_of,
    number_of,
    polarity_of,
    rating_of,
    role_of,
    thumb_of,
    time_of,
    turn_of,
    word_scale_of,
)
from feedback_lab.records import Polarity


@given(st.text(max_size=40))
def test_no_text_breaks_the_readers(text: str) -> None:
    for read in (time_of, number_of, rating_of, kind_of, polarity_of, role_of, turn_of, thumb_of):
        with suppress(Unreadable):
            read(text)
    word_scale_of([text, text + "x"])
    profile_of([text, text])


def test_thumbs_are_understood_in_words_signs_and_skin_tones() -> None:
    assert {thumb_of(text) for text in ("1", "+1", "true", "Yes", "Thumbs Up", "👍", "👍🏽", "like")} == {1.0}
    assert {thumb_of(text) for text in ("-1", "FALSE", "no", "thumbs_down", "👎🏿", "dislike")} == {-1.0}
    assert {thumb_of(text) for text in ("", "0", "3", "perhaps")} == {None}


def test_thumbs_are_understood_in_other_languages_and_never_both_ways() -> None:
    assert {thumb_of(text) for text in ("Ja", "oui", "SÍ", "sim", "да", "はい", "赞", "Good", "Daumen hoch", "✅")} == {
        1.0
    }
    assert {
        thumb_of(text) for text in ("Nein", "non", "não", "нет", "いいえ", "踩", "Bad", "Nicht hilfreich", "❌")
    } == {-1.0}
    assert not UP & DOWN


def test_a_word_that_means_yes_somewhere_still_names_a_signal() -> None:
    assert kind_of("useful") == ("useful", None)


def test_kinds_numbers_and_stars() -> None:
    assert kind_of("thumbs_down") == ("thumb", -1.0)
    assert kind_of("Rating") == ("rating", None)
    assert kind_of("regenerated") == ("regenerated", None)
    assert (number_of("4.5"), number_of("★★★☆☆"), number_of("⭐⭐")) == (4.5, 3.0, 2.0)
    for text in ("nan", "inf", "1_000", "many"):
        with pytest.raises(Unreadable):
            number_of(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("4,5", 4.5),
        ("-12,25", -12.25),
        ("0,125", 0.125),
        ("1.234,5", 1234.5),
        ("1,234.5", 1234.5),
        ("1,234,567", 1234567.0),
        ("1.234.567", 1234567.0),
        ("1 234,5", 1234.5),
        ("1'234.50", 1234.5),
        ("4 stars", 4.0),
        ("4-Star", 4.0),
        ("4,5 ★", 4.5),
        ("☆☆☆☆☆", 0.0),
    ],
)
def test_numbers_are_read_as_people_write_them(text: str, expected: float) -> None:
    assert number_of(text) == expected


@pytest.mark.parametrize("text", ["1,234", "12,345", "012,345", "1,2,3", "1.23,45,6", "85 %", "4/5", "½", "stars", "+"])
def test_a_number_that_could_be_two_is_refused(text: str) -> None:
    with pytest.raises(Unreadable) as error:
        number_of(text)

    assert error.value.code == "bad_value"


@pytest.mark.parametrize(
    ("text", "scale", "expected"),
    [
        ("4", None, (4.0, None)),
        ("4", (1, 5), (4.0, (1, 5))),
        ("85 %", None, (85.0, (0, 100))),
        ("85%", (0, 1), (0.85, (0, 1))),
        ("4/5", None, (4.0, (1, 5))),
        ("4 / 5 stars", (0, 5), (4.0, (0, 5))),
        ("4,5 out of 5", None, (4.5, (1, 5))),
        ("7 of 10", None, (7.0, (0, 10))),
        ("90/100", None, (90.0, (0, 100))),
        ("★★★★☆", None, (4.0, (1, 5))),
        ("★★★★", None, (4.0, None)),
    ],
)
def test_a_rating_brings_the_scale_that_it_names(
    text: str, scale: tuple[float, float] | None, expected: tuple[float, tuple[float, float] | None]
) -> None:
    assert rating_of(text, scale) == expected


@pytest.mark.parametrize(("text", "scale"), [("4/5", (0, 10)), ("85 %", (1, 5)), ("★★★★☆", (0, 10))])
def test_a_rating_on_another_scale_than_the_file_is_refused(text: str, scale: tuple[float, float]) -> None:
    with pytest.raises(Unreadable) as error:
        rating_of(text, scale)

    assert error.value.code == "other_scale"


@given(st.decimals(-99_999, 99_999, places=2))
def test_a_number_is_the_same_however_its_digits_are_divided(number: Decimal) -> None:
    english = f"{number:,.2f}"
    german = english.translate(str.maketrans(",.", ".,"))

    assert {number_of(text) for text in (str(number), english, german, english.replace(",", " "))} == {float(number)}


def test_words_are_offered_on_the_smallest_scale_that_holds_them() -> None:
    found = word_scale_of(["Good", "excellent", "Poor", "Fair"])
    satisfied = word_scale_of(["Very  satisfied", "neutral"])

    assert found is not None
    assert satisfied is not None
    assert (found.values["Good"], found.values["Poor"], found.scale) == ("3", "1", (1.0, 4.0))
    assert (satisfied.values, satisfied.scale) == ({"Very  satisfied": "5", "neutral": "3"}, (1.0, 5.0))
    assert word_scale_of(["Good", "Blue"]) is word_scale_of(["Good", "good"]) is word_scale_of([]) is None


def test_one_row_is_one_opinion_named_by_its_thumb_or_rating() -> None:
    fields = {"value": "down", "comment": "wrong", "suggested_answer": "42"}

    assert opinion_of(fields, {}, None, True) == ("thumb", -1.0, None, Polarity.NEGATIVE)
    assert opinion_of(fields | {"value": "4"}, {}, (1, 5), False) == ("rating", 4.0, (1, 5), Polarity.POSITIVE)
    assert opinion_of({"value": "2/5"}, {}, None, False) == ("rating", 2.0, (1, 5), Polarity.NEGATIVE)
    assert opinion_of({"value": "85 %"}, {}, (0, 1), False) == ("rating", 0.85, (0, 1), Polarity.POSITIVE)
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
        ({"value": "4/5"}, (0.0, 10.0), "other_scale"),
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
