"""Words of scripts that are written without spaces, put together again from the pieces that are counted."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from feedback_lab.tokens import Token

_PARTICLE_AT_END = re.compile(
    "(?<=[\u3041-\u3096])[のをがには]$|(?<=[\u30a0-\u30ff\u3005-\u3007\u4e00-\u9fff])(?:[のをがにはでともへや]|から|まで|より|について)$"
)


def is_unspaced(form: str) -> bool:
    """Does a word begin with a character of such a script?"""
    return "\u2e80" <= form[0] <= "\u9fff" or "\u0e00" <= form[0] <= "\u0eff"


def joined(forms: Sequence[str]) -> str:
    """Words with spaces; overlapping pairs of an unspaced script put together again."""
    text = forms[0]
    for before, form in pairwise(forms):
        if not (is_unspaced(before) and is_unspaced(form)):
            text += f" {form}"
        else:
            text += form[1:] if len(before) == len(form) == 2 and before[1] == form[0] else form
    return text


def without_particle(text: str) -> str:
    """`text` without a Japanese particle at its end, which wants a word behind it."""
    return _PARTICLE_AT_END.sub("", text)


def end_of_form(words: Sequence[Token], end: int) -> int:
    """Past the kana that inflect a kanji, which belong to the word that is shown."""
    end += 1
    while end < len(words) and is_unspaced(words[end - 1][1]) and words[end][2] and is_unspaced(words[end][1]):
        end += 1
    return end


def whole_word(words: Sequence[Token], i: int) -> str:
    """The word of an unspaced script that the piece `words[i]` is cut out of, as it is inflected: 引 of 引っ越し."""
    start, past = i, i + 1
    while start and _overlap(words[start - 1], words[start]):
        start -= 1
    while past < len(words) and _overlap(words[past - 1], words[past]):
        past += 1
    past = end_of_form(words, past - 1)
    while past < len(words) and words[past - 1][1].endswith("っ"):
        past = end_of_form(words, past)
    return without_particle(joined([form for _, form, _ in words[start:past]]))


def _overlap(before: Token, after: Token) -> bool:
    return len(before[1]) == len(after[1]) == 2 and before[1][1] == after[1][0] and not (before[2] or after[2])
