"""Phrases that people wrote: runs of words that can stand alone."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping, Sequence
from typing import NamedTuple

from feedback_lab.issues.grouping.unspaced import end_of_form, joined, without_particle
from feedback_lab.tokens import Token, stem, without_links

Key = tuple[str, ...]

SPAN = 8  # words of a phrase, function words included
PHRASE_STEMS = 4  # and a negation
ENTIRE = 0.7  # closed: so much that a phrase may hold two thoughts
DENIED_WITHIN = 4  # words after a negation

_CLAUSE_END = re.compile(r"[.,;:!?…]+(?=\s|$)|[()\[\]{}\"“”<>|/\\\n。、，！？；：]+|\s[-–—]+\s")
_TAG = re.compile(
    r"</?(?:a|abbr|b|body|br|button|code|div|em|font|form|h[1-6]|head|hr|html|i|img|input|li|link|meta|ol|p|pre|s|script"
    r"|small|span|strong|style|sub|sup|table|tbody|td|th|thead|title|tr|u|ul)(?:\s[^<>]*)?/?>",
    re.IGNORECASE,
)
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
    morning day days week weeks month months year years minute minutes min mins ago few couple recent recently soon
    already different hi hello hey sorry honestly unfortunately
    hmm pls maybe dear probably obviously apparently completely totally absolutely
    ask asks asked asking relate relates related relating refer refers referring reference referencing pertain pertains
    regard regards concern concerns address addresses addressed addressing three four five six seven eight
    nine ten eleven twelve twenty thirty forty fifty hundred thousand am pm
    """.split()
)
_MEASURES = frozenset({stem(word) for word in "hour hr time".split()})  # "opening hours", but not "two hours"
# Words that name a complaint only where they are denied.
PRAISE = frozenset(
    stem(word) for word in "helpful useful accurate correct relevant informative excellent perfect fine better".split()
)
_HOLLOW = PRAISE | {stem(word) for word in "help true right work".split()}
# What a subject alone ("customer service") leaves out.
_JUDGING = frozenset(
    stem(word)
    for word in """
    terrible awful horrible worst poor rude slow broken wrong missing incorrect outdated expensive confusing useless
    vague unhelpful irrelevant damaged lost late delayed incomplete inaccurate problem error trouble stuck crash too
    """.split()
) | frozenset(
    """
    falsch falsche falscher kaputt langsam veraltet veraltete teuer verspätet verloren fehler unfreundlich unvollständig
    demasiado demasiada mala lento lenta roto caro incorrecto incorrecta equivocado equivocada tarde perdido perdida
    trop troppo lente cassé cassée chère faux fausse erreur perdu perdue
    """.split()
)
NEGATION = "not"
# Words that end a phrase only behind one of these, and begin none.
_ENDS_BEHIND = {"long": frozenset({"too"}), "happen": frozenset({"nothing"})}
# In English every word in "n't" is one too.
_NEGATIONS_BEFORE = frozenset(
    """
    no not never nobody nothing none unable cannot neither nor
    cant wont dont doesnt didnt isnt arent wasnt werent havent hasnt hadnt couldnt wouldnt aint
    """.split()
)
# These may also follow what they deny: "die App startet nicht".
_NEGATIONS_AROUND = frozenset(
    """
    nicht nie niemals niemand nichts kein keine keinen keinem keiner keines ohne
    nunca jamás nadie nada ningún ninguna ninguno sin ne pas jamais rien aucun aucune sans
    non mai nessuno nessuna niente senza não nenhum nenhuma ninguém sem niet geen nooit niemand niets zonder
    """.split()
)
_MAY_END = frozenset({stem(word) for word in "out back again us different anything through".split()})
_NO_BEGINNINGS = WEAK | _MEASURES | _ENDS_BEHIND.keys()
_MAY_BEGIN = frozenset({"without", "too"})
_RULES = frozenset("should must shall to".split())  # "should not wear a mask" complains of nothing
_RULE = "must not"
_AUXILIARIES = frozenset("do does did have has had can could will would".split())
_COPULAS = frozenset("is are was were am be been".split())
_IS_NOT = frozenset("isn't isnt aren't arent wasn't wasnt weren't werent ain't aint".split())
_DENYING_KANA = re.compile("ない|ません|なかった")
_PARTICLES = frozenset({"up", "out", "off", "back", "down"})
_STRANDED = frozenset({"in", "on"})  # "can't log in"
ALSO = frozenset("and or und oder y et ou e".split())
_WITHOUT_OBJECT = frozenset("to for with about from by at into as".split())
_SUBJECTS = frozenset("i we he she they it you".split())
# Where one thought ends and another begins.
_JOINTS = frozenset(
    """
    but because so if although though since unless than i we he she they it i'm i've
    aber weil dass ob wenn denn pero porque cuando mais quand perché quando mas porque maar omdat dat
    """.split()
)


class Phrase(NamedTuple):
    """A run of words of a clause."""

    key: Key  # its stems without function words, sorted; every negation is "not"
    form: str  # as it is shown, in lower case
    closed: float  # 0 (cut out of a longer thought) to 1 (a clause of its own)
    is_denied: bool  # by a negation that is not part of it


def complains(key: Key) -> bool:
    """Does a phrase deny or judge something?"""
    return NEGATION in key or not _JUDGING.isdisjoint(key)


def is_hollow(key: Key) -> bool:
    """Does a phrase judge without saying what is wrong ("not helpful")?"""
    judged = set(key) - WEAK - {NEGATION}
    return bool(judged) and judged <= _HOLLOW


def clauses(text: str) -> list[str]:
    """The clauses of `text`, without links, mentions and what others posted."""
    if "<" in text:
        text = _TAG.sub("\n", text)
    return [clause for clause in _CLAUSE_END.split(without_links(_QUOTED.sub(" ", text))) if clause]


def phrases(words: Sequence[Token], usual: Container[str] | None = None) -> Iterator[Phrase]:
    """Every phrase of a clause that can stand alone; of the stems `usual` only, where they are given."""
    negations = _negations(words)
    joints = {i for i in range(len(words)) if _is_joint(words, i)}
    for start, (stemmed, _, is_function) in enumerate(words):
        if is_function or (usual is not None and stemmed not in usual and start not in negations):
            continue
        if not _may_begin(words, start, negations):
            continue
        left = _edge(words, start - 1, -1)
        is_denied = _is_denied(words, start, negations)
        inside = start + 1 + _asks(words, start, negations)
        for key, past in _runs(words, start, negations, usual):
            closed = left * _edge(words, past, 1)
            if closed < ENTIRE and not joints.isdisjoint(range(inside, past)):
                continue
            negation_follows = past < len(words) and words[past][1] in _NEGATIONS_AROUND
            if not (negation_follows and NEGATION in key):  # "ne marche" wants its "pas"
                yield Phrase(key, _form(words, start, past, negations), closed, is_denied or negation_follows)


def _runs(
    words: Sequence[Token], start: int, negations: Container[int], usual: Container[str] | None
) -> Iterator[tuple[Key, int]]:
    """The phrases that begin at the word `start`: key, and where the next word stands."""
    key: set[str] = set()
    for end in range(start, min(start + SPAN, len(words))):
        stemmed, form, is_function = words[end]
        if is_function or form in _JOINTS or (form == "one" and words[end - 1][1] == "no"):
            continue
        if end not in negations and (stemmed in key or (usual is not None and stemmed not in usual)):
            return
        key.add(NEGATION if end in negations else _RULE if stemmed == NEGATION else stemmed)
        if len(key) > PHRASE_STEMS + (NEGATION in key):
            return
        if _may_end(words, end, negations):
            past = end_of_form(words, end)
            whole = key | _ending(words, end, past) if past > end + 1 else key
            if len(whole) > 1:
                yield tuple(sorted(whole)), past


def _negations(words: Sequence[Token]) -> set[int]:
    """Where `words` deny something."""
    found = {
        i
        for i, (_, form, _) in enumerate(words)
        if form in _NEGATIONS_BEFORE or form in _NEGATIONS_AROUND or form.endswith("n't")
    }
    return {i for i in found if words[i][1] != "shouldn't" and not (i and words[i - 1][1] in _RULES)}


def _is_denied(words: Sequence[Token], start: int, negations: Container[int]) -> bool:
    for i in range(start - 1, max(-1, start - 1 - DENIED_WITHIN), -1):
        if i in negations:
            return True
        if words[i][1] in _JOINTS:
            return False
    return False


def _ending(words: Sequence[Token], end: int, past: int) -> set[str]:
    """What the kana behind the word `end` add to a key: a negation, or themselves where they end the clause."""
    kana = joined([form for _, form, _ in words[end + 1 : past]])
    return {NEGATION} if _DENYING_KANA.search(kana) else {kana} if past == len(words) else set()


def _is_joint(words: Sequence[Token], i: int) -> bool:
    """Does another thought begin with the word `i`?"""
    form = words[i][1]
    return form in _JOINTS or (form in ALSO and (i + 1 == len(words) or words[i + 1][2]))


def _edge(words: Sequence[Token], i: int, step: int) -> float:
    """How well a phrase ends beside the word `i`, seen to the left (-1) or to the right (1)."""
    if not 0 <= i < len(words) or _is_joint(words, i):
        return 1.0
    stemmed, form, is_function = words[i]
    if not (is_function or stemmed in WEAK) or (form[0].isdigit() and 0 < i < len(words) - 1):
        return 0.1
    if form in ALSO:
        return 0.3
    return 0.7 if step < 0 or form in _AUXILIARIES or form in _COPULAS else 0.4


def _may_begin(words: Sequence[Token], start: int, negations: Container[int]) -> bool:
    stemmed, form, _ = words[start]
    before = words[start - 1][1] if start else ""
    if before in _PARTICLES or before == "ne":  # "off topic" does not begin with "topic"
        return False
    if start in negations and form == NEGATION and before not in _AUXILIARIES and before not in _COPULAS:
        weakened = start == 0 or words[start - 1][0] in WEAK  # "still not working", but not "this, not that"
        return weakened and before not in ALSO and start + 1 < len(words) and not words[start + 1][2]
    return start in negations or form in _MAY_BEGIN or (stemmed not in _NO_BEGINNINGS and form not in _PARTICLES)


def _may_end(words: Sequence[Token], end: int, negations: Container[int]) -> bool:
    stemmed, form, _ = words[end]
    before, form_before, is_function_before = words[end - 1]
    if stemmed in _ENDS_BEHIND:
        return form_before in _ENDS_BEHIND[stemmed]
    if stemmed in WEAK and stemmed not in _MAY_END:
        return False
    if stemmed in _MEASURES and (is_function_before or before in WEAK):
        return False
    particle_follows = end + 1 < len(words) and words[end + 1][0] in _PARTICLES
    dangles = stemmed in _PARTICLES and is_function_before  # "is off" wants its topic, "cut off" does not
    return not (particle_follows or dangles or (end in negations and form not in _NEGATIONS_AROUND))


def _asks(words: Sequence[Token], start: int, negations: Container[int]) -> bool:
    """Does a subject follow its verb: "why can't I pay"?"""
    is_verb = start in negations and words[start][1].endswith(("n't", "nt", "cannot"))
    return is_verb and start + 1 < len(words) and words[start + 1][1] in _SUBJECTS


def _form(words: Sequence[Token], start: int, past: int, negations: Container[int]) -> str:
    """The words of a phrase as they are shown: "does not work", "not available", "can't log in"."""
    if past < len(words) and words[past][1] in _STRANDED:
        after = words[past + 1][1] if past + 1 < len(words) else ""
        if not after or _is_joint(words, past + 1) or after in ALSO or after in _WITHOUT_OBJECT:
            past += 1
    elif past < len(words) and words[past][1][0].isdigit():  # "no GPT 4"
        past += 1
    forms = [form for _, form, _ in words[start:past]]
    if _asks(words, start, negations):
        del forms[1]
    elif start in negations and start and words[start - 1][1] == "why":
        forms.insert(0, "why")
    if forms[0] in _IS_NOT:
        forms[0] = NEGATION
    elif forms[0] == NEGATION and start and words[start - 1][1] in _AUXILIARIES:
        forms.insert(0, words[start - 1][1])
    return without_particle(joined(forms))


def commonest(forms: Mapping[str, int]) -> str:
    """The most frequent of `forms`, the first in the alphabet where tied."""
    return min(forms, key=lambda form: (-forms[form], form))
