"""What a column holds, judged from its cells: said where they leave one choice, open where they leave two."""

import pytest

from feedback_lab.ingest.meaning.profile import profile_of


@pytest.mark.parametrize(
    ("cells", "scale"),
    [
        (["1", "5", "3"], (1, 5)),
        (["4.5", "2", "3,5"], (1, 5)),
        (["4 stars", "5 stars"], (1, 5)),
        (["★★★★☆", "★★☆☆☆"], (1, 5)),
        (["0", "7", "10"], (0, 10)),
        (["7/10", "9/10"], (0, 10)),
        (["4 out of 5", "1 out of 5"], (1, 5)),
        (["85 %", "20%"], (0, 100)),
        (["0", "75", "100"], (0, 100)),
        (["0.25", "1", "0.9"], (0, 1)),
        (["1", "7", "9"], None),
        (["0", "3", "5"], None),
        (["20", "90"], None),
        (["-0.5", "0.5"], None),
        (["4/5", "7/10"], None),
        (["85 %", "4"], None),
        (["6/5", "2/5"], None),
        (["1", "1"], None),
    ],
)
def test_a_scale_is_said_only_where_the_cells_leave_one_choice(
    cells: list[str], scale: tuple[float, float] | None
) -> None:
    found = profile_of(cells)

    assert found.numbers
    assert found.scale == scale


def test_the_name_of_the_column_settles_what_the_numbers_leave_open() -> None:
    assert profile_of(["9", "7"], "nps").scale == (0, 10)


def test_thumbs_zeros_and_times_are_told_apart() -> None:
    assert profile_of(["👍", "👎🏽", ""]).thumbs
    assert profile_of(["ja", "nein"]).thumbs
    assert profile_of(["0", "1"]).zero_one
    assert not profile_of(["0 %", "1 %"]).zero_one
    assert profile_of(["18 May 2023", "2023-05-19"]).times
    assert not profile_of(["570301031407624196"]).times


def test_words_of_a_scale_are_offered_and_not_taken_for_thumbs() -> None:
    found = profile_of(["Good", "Fair", "Excellent", "Poor"])

    assert found.words is not None
    assert found.words.values["Excellent"] == "4"
    assert not found.thumbs
    assert profile_of(["a", "b"]).words is profile_of(["1", "2"]).words is None


def test_an_empty_column_is_nothing() -> None:
    assert profile_of(["", "  "]).filled == 0


@pytest.mark.parametrize("date", ["19.05.2023", "2023.05.19", "1.5.2023"])
def test_dates_with_dots_are_times_and_no_numbers(date: str) -> None:
    assert profile_of([date]).times
