"""What a stranger's text becomes before it is published, shown to a reviewer, or put into a spreadsheet.

Characters that no one can see may carry orders to a model or turn a line around, so published text is
rid of them. Three kinds of invisible character are part of honest writing and stay: joiners between letters
of the Arabic and Indic scripts, the parts of an emoji sequence, and Mongolian variation selectors.
"""

import re
import unicodedata
from collections.abc import Iterable

# Scripts whose words need the zero-width joiner and non-joiner: Arabic and its neighbours, Devanagari to
# Sinhala, Myanmar, Khmer, Mongolian, the Arabic forms, and the Brahmi family beyond the basic plane.
_JOINING_BLOCKS = (
    (0x0600, 0x0DFF),
    (0x1000, 0x109F),
    (0x1780, 0x18AF),
    (0xA840, 0xA8FF),
    (0xA980, 0xA9DF),
    (0xAA60, 0xAA7F),
    (0xABC0, 0xABFF),
    (0xFB50, 0xFDFF),
    (0xFE70, 0xFEFC),
    (0x11000, 0x11FFF),
)
_MONGOLIAN_SELECTORS = (0x180B, 0x180C, 0x180D, 0x180F)


def _char_class(points: Iterable[int]) -> str:
    """The inside of a regular expression's character class that holds exactly `points`, given in order."""
    runs: list[list[int]] = []
    for point in points:
        if runs and point == runs[-1][1] + 1:
            runs[-1][1] = point
        else:
            runs.append([point, point])
    return "".join(f"\\U{low:08x}-\\U{high:08x}" for low, high in runs)


_LETTER = "[{}]".format(
    _char_class(
        point
        for low, high in _JOINING_BLOCKS
        for point in range(low, high + 1)
        if unicodedata.category(chr(point))[0] in "LM" and point not in _MONGOLIAN_SELECTORS
    )
)
_PICTURE = (
    r"[\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u23ff\u24c2\u25a0-\u27bf\u2900-\u297f\u2b00-\u2bff"
    r"\u3030\u303d\u3297\u3299\U0001f000-\U0001faff]"
)
_EMOJI = rf"{_PICTURE}[\ufe0f\U0001f3fb-\U0001f3ff]?"
_NEEDED = (
    rf"{_EMOJI}(?:\u200d{_EMOJI})*"
    r"|[0-9#*]\ufe0f\u20e3"
    rf"|(?<={_LETTER})[\u200c\u200d](?={_LETTER})"
    r"|(?<=[\u1820-\u18aa])[\u180b-\u180d\u180f]"
)
# Everything without a shape of its own: control and format characters (the signs that Arabic and Syriac put
# under numbers are visible, and stay), fillers, variation selectors, the tag block, noncharacters.
_HIDDEN = (
    r"\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    r"\u202a-\u202e\u2060-\u206f\u3164\ufdd0-\ufdef\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff"
    r"\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
) + _char_class(plane << 16 | end for plane in range(1, 17) for end in (0xFFFE, 0xFFFF))
_SURROGATE = r"\ud800-\udfff"
_LINE_END = r"\r\n|[\r\x0b\x0c\x85\u2028\u2029]"

_TO_CLEAN = re.compile(rf"(?P<needed>{_NEEDED})|(?P<line>{_LINE_END})|(?P<lost>[{_SURROGATE}])|[{_HIDDEN}]")
_TO_REVEAL = re.compile(rf"(?P<needed>{_NEEDED})|\r\n|[\r\x0b\x0c\x85\u2028\u2029{_SURROGATE}{_HIDDEN}]")
_FORMULA = re.compile(rf"'*[\s\"{_HIDDEN}]*[=+\-@\uff1d\uff0b\uff0d\uff20|%]|'*[\t\r\n]")


def clean(text: str) -> str:
    """`text` as it may be published: without invisible characters, every line ending a line feed, edges trimmed.

    Unpaired surrogates, which no file can hold, become U+FFFD. Cleaning twice changes nothing more.
    """
    if text.isascii() and text.isprintable():  # nearly all text, and nothing in it to look for
        return text.strip()
    return _TO_CLEAN.sub(_published, text).strip()


def reveal(text: str) -> str:
    """`text` with every character that publishing would remove written as its number, such as ⟨U+202E⟩."""
    return _TO_REVEAL.sub(_shown, text)


def cell(text: str) -> str:
    """`text` as a spreadsheet cell that stays text: an apostrophe goes before what would start a formula.

    An apostrophe is also put before text that already looks so protected, so taking one away gives every
    original back. Writers quote every cell, so that another delimiter cannot start a cell inside this one.
    """
    if text[:1].isalnum() and text.isascii():  # nearly all text, and no formula
        return text
    return f"'{text}" if _FORMULA.match(text) else text


def text_in_cell(written: str) -> str:
    """The text that `cell` wrote so: without the apostrophe that it put before a formula."""
    return written[1:] if written.startswith("'") and _FORMULA.match(written[1:]) else written


def folded(text: str) -> str:
    """`text` as duplicates are compared: NFC, every run of white space as one space."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def _published(match: re.Match[str]) -> str:
    if match["needed"] is not None:
        return match["needed"]
    if match["line"] is not None:
        return "\n"
    return "�" if match["lost"] is not None else ""


def _shown(match: re.Match[str]) -> str:
    if match["needed"] is not None:
        return match["needed"]
    if match[0] == "\r\n":
        return "\n"
    return f"⟨U+{ord(match[0]):04X}⟩"
