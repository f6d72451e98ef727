"""Phrases that people wrote: runs of words that can stand alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from feedback_lab.tokens import Token, stem, without_links

Phrase = tuple[tuple[str, ...], str, bool, bool]

SPAN = 8  # words of a phrase, function words included
PHRASE_STEMS = 4
DENIED_WITHIN = 3  # words after a negation

_CLAUSE_END = re.compile(r"[.,;:!?…]+(?=\s|$)|[()\[\]{}\"“”<>|/\\\n。、，！？；：]+|\s[-–—]+\s")
_QUOTED = re.compile(r"\bRT @\w+.*|[\"“]@\w+[^\"”]*[\"”]?", re.DOTALL)
# Words that carry meaning inside a phrase but say nothing alone, and must not stand at its end.
WEAK = frozenset(
    stem(word)
    for word in """
    no not never none nothing very too more most less only still again on over under before after how why when where
    what who which between against through while until same get got gets getting give gives gave given giving go
    goes going went gone make makes made making take took taking put know want wanted wants need needs needed see
    say says said saying tell told telling like really way thing things back one two first last next good bad great
    well now new use used using please thanks thank able else instead keep keeps kept let lets come comes came guy
    guys look talk talks talking mention mentions mentioned don't doesn't didn't can't cannot isn't wasn't won't
    aren't haven't hasn't wouldn't couldn't without out dont cant didnt doesnt isnt try tried trying find found
    actual actually seem seems think sure im i'm coming start started anything does doing done feel felt enough lot
    bit sort kind type mean means looking looks basically directly provide provides provided providing contain
    contains discuss discusses discussed state states stated specific specifically today yesterday tomorrow tonight
    morning day days week weeks month months year years hour hours minute minutes ago few couple recent recently soon
    long time times already different happen happened happens hi hello hey sorry honestly unfortunately hmm pls maybe
    dear probably obviously apparently completely totally absolutely
    ask asks asked asking relate relates related relating refer refers referring reference referencing pertain pertains
    regard regards concern concerns address addresses addressed addressing
    """.split()
)
# Words that name a complaint only where they are denied.
PRAISE = frozenset(
    stem(word) for word in "helpful useful accurate correct relevant informative excellent perfect fine better".split()
)
NEGATION = "not"
# Counted as one word in phrases, with and without an apostrophe.
_NEGATIONS = frozenset(
    stem(word)
    for word in """
    no not never cannot can't cant won't wont don't dont doesn't doesnt didn't didnt isn't isnt wasn't wasnt
    aren't arent
    """.split()
)
_MAY_BEGIN = frozenset({"without", *_NEGATIONS})
_MAY_END = frozenset({stem(word) for word in "out back again us different anything".split()})
_AUXILIARIES = frozenset("do does did is are was were am has have had can could will would should".split())
_PARTICLES = frozenset({"up", "out", "off", "back", "down"})


def clauses(text: str) -> list[str]:
    """The clauses of `text`, without links, mentions and what others posted."""
    return [clause for clause in _CLAUSE_END.split(without_links(_QUOTED.sub(" ", text))) if clause]


def phrases(words: Sequence[Token]) -> Iterator[Phrase]:
    """Every phrase of a clause: key, form in lower case, whether it is the whole clause, and whether it is denied.

    The key holds the stems without function words; every negation is "not". Denied is what shortly follows one.
    """
    content = [i for i, (_, _, is_function) in enumerate(words) if not is_function]
    for start in content:
        first = words[start][0]
        if first in _PARTICLES or (first in WEAK and first not in _MAY_BEGIN):
            continue
        if start > 0 and words[start - 1][0] in _PARTICLES:  # "off topic" does not begin with "topic"
            continue
        if words[start][1] == NEGATION and start > 0 and words[start - 1][1] in ("and", "but", "or"):
            continue  # "this and not that"
        key: tuple[str, ...] = ()
        denied = any(before in _NEGATIONS for before, _, _ in words[max(0, start - DENIED_WITHIN) : start])
        for end in content:
            if not start <= end < start + SPAN:
                continue
            stemmed = words[end][0]
            key = (*key, NEGATION if stemmed in _NEGATIONS else stemmed)
            if len(key) > PHRASE_STEMS:
                break
            if len(key) > 1 and len(set(key)) == len(key) and _may_end(words, end):
                opening = start - int(start > 0 and words[start][1] == NEGATION and words[start - 1][1] in _AUXILIARIES)
                form = joined([form for _, form, _ in words[opening : _end_of_form(words, end)]])
                yield key, form, start == content[0] and end == content[-1], denied


def _may_end(words: Sequence[Token], end: int) -> bool:
    stemmed = words[end][0]
    particle_follows = end + 1 < len(words) and words[end + 1][0] in _PARTICLES
    dangles = stemmed in _PARTICLES and words[end - 1][2]  # "is off" wants its topic, "cut off" does not
    return (stemmed not in WEAK or stemmed in _MAY_END) and not particle_follows and not dangles


def _end_of_form(words: Sequence[Token], end: int) -> int:
    """Past the kana that inflect a kanji, which belong to the word that is shown."""
    end += 1
    while end < len(words) and _is_unspaced(words[end - 1][1]) and words[end][2] and _is_unspaced(words[end][1]):
        end += 1
    return end


def _is_unspaced(form: str) -> bool:
    return "\u2e80" <= form[0] <= "\u9fff" or "\u0e00" <= form[0] <= "\u0eff"


def joined(forms: Sequence[str]) -> str:
    """Words with spaces; overlapping pairs of an unspaced script put together again."""
    text = forms[0]
    for before, form in pairwise(forms):
        if not (_is_unspaced(before) and _is_unspaced(form)):
            text += f" {form}"
        else:
            text += form[1:] if len(before) == len(form) == 2 and before[1] == form[0] else form
    return text


def commonest(forms: Mapping[str, int]) -> str:
    """The most frequent of `forms`, the first in the alphabet where tied."""
    return min(forms, key=lambda form: (-forms[form], form))
