"""What publishing strips, what it keeps, what reviewers see of it, and what a spreadsheet gets."""

import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback_lab.published_text import cell, clean, reveal

FAMILY = "👩\u200d👩\u200d👧\u200d👦"


@pytest.mark.parametrize(
    "kept",
    [
        FAMILY,
        "❤\ufe0f and ❤\ufe0f\u200d🔥",
        "👩🏽\u200d🚀 🏳\ufe0f\u200d🌈 🇵🇹",
        "1\ufe0f\u20e3 then #\ufe0f\u20e3",
        "می\u200cخواهم",
        "क्\u200dष",
        "ශ්\u200dරී",
        "ক্\u200cষ",
        "日本語のコメント, עברית, العربية, हिन्दी, Z̸͔͝a̶͇͐",
        "a\tb\nc",
        "٠\u0600",
    ],
)
def test_what_a_word_or_an_emoji_needs_stays(kept: str) -> None:
    assert clean(kept) == kept
    assert reveal(kept) == kept


@pytest.mark.parametrize(
    ("written", "published"),
    [
        ("\u202eright-to-left\u202c and zero\u200bwidth\u200bspace", "right-to-left and zerowidthspace"),
        ("pass\u200dword\u200c", "password"),
        ("a\u2066b\u2069 \u200e\u200f\u061c", "ab"),
        ("tag\U000e0041\U000e0042\U000e007f!", "tag!"),
        ("🏴\U000e0067\U000e0062\U000e007f", "🏴"),
        ("plain\ufe0f \ufe00\U000e0100text", "plain text"),
        ("👩\u200d and \u200d👧", "👩 and 👧"),
        ("می\u200c\u200cخواهم", "میخواهم"),
        ("bell\x07 nul\x00 escape\x1b[2J", "bell nul escape[2J"),
        ("\ufeffmark, soft\u00adhyphen, filler\u3164", "mark, softhyphen, filler"),
        ("one\r\ntwo\rthree\u2028four\u2029five\x85six", "one\ntwo\nthree\nfour\nfive\nsix"),
        ("half \ud800 pair", "half \ufffd pair"),
        ("  edges \n", "edges"),
    ],
)
def test_what_no_one_can_see_is_stripped(written: str, published: str) -> None:
    assert clean(written) == published


def test_a_reviewer_sees_the_number_of_what_would_be_stripped() -> None:
    assert reveal("\u202eabc\u200b \U000e0041 \ud800") == "⟨U+202E⟩abc⟨U+200B⟩ ⟨U+E0041⟩ ⟨U+D800⟩"
    assert reveal("a\r\nb\u2028c") == "a\nb⟨U+2028⟩c"


@given(st.text(st.characters()))
def test_cleaning_twice_is_cleaning_once_and_leaves_only_joiners_invisible(text: str) -> None:
    once = clean(text)
    assert clean(once) == once
    once.encode()
    hidden = {c for c in once if unicodedata.category(c) in ("Cc", "Cs") or re.match("[\u200b\u202a-\u202e\u2060]", c)}
    assert hidden <= {"\n", "\t"}


HOSTILE = [
    chr(point) for point in (*range(0x200B, 0x2070), *range(0xFE00, 0xFE10), 0x1F469, 0x1F467, 0x6CC, 0x915, 0x94D)
]


@given(st.text(st.sampled_from(HOSTILE)))
def test_cleaning_is_idempotent_on_joiners_letters_and_emoji_in_any_order(text: str) -> None:
    assert clean(clean(text)) == clean(text)


def test_a_long_run_of_anything_is_cleaned_and_protected() -> None:
    for unit in ("\u200d", "👩\u200d", "क\u200d", "1\ufe0f", "'", " ", "\u202e"):
        text = unit * 50_000
        assert len(clean(text)) <= len(text)
        assert cell(text).endswith(text)


@pytest.mark.parametrize(
    "start", ["=", "+", "-", "@", "\t", "\r", "＝", "＋", " =", '"=', "\ufeff=", "\u200b=", "%", "\n"]
)
def test_a_cell_that_could_start_a_formula_is_kept_text(start: str) -> None:
    assert cell(f"{start}1+1") == f"'{start}1+1"


@pytest.mark.parametrize("text", ["", "hello", "a=b", "3 - 2", "'tis fine", "日本語", "(1)"])
def test_a_harmless_cell_is_left_alone(text: str) -> None:
    assert cell(text) == text


@given(st.text(st.sampled_from("'=+-@ \t\r\na\"\u200b")))
def test_every_cell_gives_its_original_back(text: str) -> None:
    shown = cell(text)
    protected = shown.startswith("'") and cell(shown[1:]) == shown
    assert (shown[1:] if protected else shown) == text


def test_the_hostile_lines_lose_only_what_is_invisible() -> None:
    path = Path(__file__).resolve().parents[2] / "shared" / "checks" / "hostile_text.txt"
    if not path.is_file():
        pytest.skip(f"{path} is absent")
    for line in path.read_text(encoding="utf-8").splitlines():
        visible = re.sub("[\u200b\u202a-\u202e]", "", line).strip()
        assert clean(line) == visible
