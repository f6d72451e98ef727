"""Text to words, in any script: what clustering, naming and recall count.

URLs and @mentions are dropped, digits fold to "0", English suffixes are cut off lightly, and scripts
that are written without spaces (Chinese, Japanese, Thai) become pairs of characters; katakana words stay whole.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping

DIGITS = "0"

# re's \w leaves combining marks out, which would cut Hindi, Arabic and Thai words into pieces.
_MARKS = "".join(re.escape(chr(c)) for c in range(0x300, 0x10000) if unicodedata.category(chr(c)) in ("Mn", "Mc"))
_NO_SPACES = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_LETTER = rf"[^\W\d_{_NO_SPACES}]"
_WORD = re.compile(
    rf"[a-z](?:\+\+|\#)(?!\w)"
    rf"|{_LETTER}[{_MARKS}]*(?:['_]?{_LETTER}[{_MARKS}]*)*"
    rf"|[{_NO_SPACES}]+"
    rf"|\d+(?:[.,]\d+)*"
)
_ASCII_WORD = re.compile(r"[a-z](?:(?:\+\+|\#)(?!\w)|[a-z]*(?:['_][a-z]+)*)|\d+(?:[.,]\d+)*")  # _WORD, for most texts
_NOISE = re.compile(r"(?:https?://|www\.)\S+|@\w+", re.IGNORECASE)
_WITHOUT_SPACES = re.compile(rf"[{_NO_SPACES}]")
# Japanese marks its words by the script: katakana are loan words, kanji carry meaning, hiragana are mostly grammar.
_SCRIPT_RUN = re.compile(
    "[\u30a0-\u30ff]+|[\u3040-\u309f]+|[\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+|.[^\u3005-\u9fff]*"
)
LONGEST_WORD = 40
RARE, COMMON = 2, 8  # texts that a misspelling, and the word that was meant, occur in
_PLAIN_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")

# Function words only. What carries the complaint stays a word: not, never, off, up, down, over, before, after,
# again, too, very, still, only, more, less, how, why, when, where, what, who, which.
_ENGLISH = """
a an the this that these those i me my myself we us our ours ourselves you your yours yourself yourselves he him his
himself she her hers herself it its itself they them their theirs themselves am is are was were be been being have has
had having do does did doing can could will would shall should may might must of to in into onto at by for from with
within about above below along among around as and or but nor if then than so such because since although though
whether either neither both each every any anyone anything anywhere all some someone something sometimes somewhere
many much other others another own also just even ever yet there here thus hence therefore however else rather quite
per via upon toward towards during despite except thereby whereas whereby already always often perhaps almost
i'm i've i'd i'll it's you're you've you'll you'd he's she's we're we've we'll they're they've they'll that's there's
let's what's im ive amp etc eg ie re lot
""".split()
_OTHER_LANGUAGES = {
    "de": """der die das den dem des ein eine einen einem einer eines und oder aber ich du er sie es wir ihr mich mir
        dich dir uns euch ihm ihn ihnen mein meine meinen meinem meiner dein deine sein seine ihre unser ist sind war
        waren bin bist wird werden wurde worden habe hat haben hatte kann können konnte muss soll will zu zum zur in im
        an am auf aus bei beim mit von vom für über um als wie wenn dass ob denn weil so auch noch schon nur sich man
        hier da dort dieser diese dieses diesem diesen jetzt dann immer mal sehr was wo wer""",
    "es": """el la los las un una unos unas y e o u pero yo tú él ella nosotros ellos ellas me te se lo le les nos mi
        mis tu tus su sus es son era eran fue ser está están estaba he ha han había hay de del al a en con por para que
        como si porque cuando donde muy más ya también este esta esto estos estas ese esa eso qué puede pueden puedo""",
    "fr": """le la les l un une des du de d et ou mais je j tu il elle on nous vous ils elles me m te t se s mon ma mes
        ton ta tes son sa ses notre votre leur leurs est sont était être suis ai as a ont avait avoir été ce cette ces
        cet c ça qui que qu quoi dans en sur sous avec pour par au aux y si comme quand où très plus aussi""",
    "it": """il lo la i gli le un uno una di del della dei delle da dal in nel nella con su per e o ma io tu lui lei noi
        voi loro mi ti si ci mio mia suo sua è sono era ho ha hanno essere che come se perché quando dove molto più
        anche questo questa questi quello al alla ai""",
    "pt": """o a os as um uma de do da dos das em na nos nas com por para e ou mas eu tu ele ela nós eles elas me te
        se meu minha seu sua é são era foi ser está estão tem têm que como quando onde muito mais também este esta isso
        ao à pelo pela""",
    "nl": """de het een en of maar ik jij je hij zij ze wij we jullie mij me hem haar ons mijn jouw zijn is was waren
        ben bent wordt worden heb heeft hebben had kan kunnen moet zal te van voor met op aan in uit bij om als dan dat
        die dit deze er ook nog al wel zo naar""",
}
_STOPS = {"en": frozenset(_ENGLISH)} | {name: frozenset(text.split()) for name, text in _OTHER_LANGUAGES.items()}
# Kept as words, but evidence of English.
_ENGLISH_TOO = "no not on off up down over before after again too very still only more how why when where who".split()
_LANGUAGES_OF: dict[str, tuple[str, ...]] = {}
for _name, _words in [*_STOPS.items(), ("en", _ENGLISH_TOO)]:
    for _word in _words:
        _LANGUAGES_OF[_word] = (*_LANGUAGES_OF.get(_word, ()), _name)

# A language can only outvote English where a text has one of these.
_FOREIGN = frozenset(word for word, names in _LANGUAGES_OF.items() if "en" not in names)
WORDS_KEPT = 200_000

Token = tuple[str, str, bool]


def pieces(text: str) -> list[str]:
    """The words of `text` as written, in lower case: letters, runs of an unspaced script, or numbers."""
    if "&" in text:
        text = html.unescape(text)
    is_plain = text.isascii()
    folded = text.lower() if is_plain else unicodedata.normalize("NFKC", text).lower().replace("’", "'")
    if "@" in folded or "://" in folded or "www." in folded:
        folded = _NOISE.sub(" ", folded)
    return (_ASCII_WORD if is_plain else _WORD).findall(folded)


def language_of(parts: Collection[str]) -> str:
    """The language whose function words occur most often among `parts`; "en" where nothing speaks against it."""
    if _FOREIGN.isdisjoint(parts):
        return "en"
    votes: Counter[str] = Counter()
    for part in parts:
        votes.update(_LANGUAGES_OF.get(part, ()))
    best, count = votes.most_common(1)[0]
    return best if count > votes["en"] else "en"


def stem(word: str) -> str:
    """`word` without common English endings: plural, -ing, -ed, -ly, a final e. Other scripts come back as they are."""
    if not word.isascii() or len(word) <= 3 or not word.isalpha():
        return word.removesuffix("'s")
    return _cut(word)


def _cut(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        word = word[:-3] + "y"
    elif word.endswith("sses"):
        word = word[:-2]
    elif word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    if word.endswith("ing") and len(word) > 5:
        word = _undouble(word[:-3])
    elif word.endswith("ed") and len(word) > 4 and not word.endswith("eed"):
        word = _undouble(word[:-2])
    elif word.endswith("ly") and len(word) > 5:
        word = word[:-2]
    if len(word) > 3 and word.endswith("e"):
        word = word[:-1]
    if len(word) > 3 and word.endswith("y"):
        word = word[:-1] + "i"
    return word


def _undouble(word: str) -> str:
    return word[:-1] if len(word) > 2 and word[-1] == word[-2] and word[-1] not in "lsz" else word


class _Words(dict[str, Token]):
    """What a word becomes in a text of one language, worked out once a word."""

    def __init__(self, language: str) -> None:
        super().__init__()
        self._is_english = language == "en"
        self._stops = _STOPS[language] | _STOPS["en"]

    def __missing__(self, part: str) -> Token:
        if len(self) >= WORDS_KEPT:
            self.clear()
        if part[0].isdigit():
            token = (DIGITS, part, True)
        else:
            word = part[:LONGEST_WORD]
            token = (stem(word) if self._is_english else word, word, word in self._stops)
        if len(part) <= LONGEST_WORD:
            self[part] = token
        return token


_WORDS = {language: _Words(language) for language in _STOPS}


def tokens(text: str, language: str | None = None) -> list[Token]:
    """Every word of `text` in order, as (stem, form as written in lower case, is it a function word).

    Words are cut at 40 characters. A run of an unspaced script gives its overlapping pairs of characters. The
    `language` is found out where it is not given.
    """
    parts = pieces(text)
    known = _WORDS[language or language_of(parts)]
    if text.isascii() and "&" not in text:
        return [known[part] for part in parts]
    found: list[Token] = []
    for part in parts:
        if _WITHOUT_SPACES.match(part):
            found.extend(_unspaced(part))
        else:
            found.append(known[part])
    return found


def _unspaced(part: str) -> Iterator[Token]:
    for run in _SCRIPT_RUN.findall(part):
        if "\u30a0" <= run[0] <= "\u30ff":
            yield run[:LONGEST_WORD], run[:LONGEST_WORD], False
        else:
            is_function = "\u3040" <= run[0] <= "\u309f"
            for start in range(max(1, len(run) - 1)):
                pair = run[start : start + 2]
                yield pair, pair, is_function


def words(text: str) -> list[str]:
    """The stems of all words of `text`, function words included, in order."""
    return [token[0] for token in tokens(text)]


def content_words(text: str) -> list[str]:
    """The stems of `text` without function words and numbers, in order."""
    return [stemmed for stemmed, _, is_function in tokens(text) if not is_function]


def without_links(text: str) -> str:
    """`text` without URLs and @mentions."""
    return _NOISE.sub(" ", text)


def misspellings(texts: Iterable[Collection[str]]) -> dict[str, str]:
    """Rare words of `texts` (their `pieces`) that are one edit away from a much commoner one, with that one.

    An edit is a letter too many, missing, wrong, or two neighbours swapped. Words of five ASCII letters and more.
    """
    counts: Counter[str] = Counter()
    for parts in texts:
        counts.update(set(parts))
    counts = Counter({word: n for word, n in counts.items() if 5 <= len(word) <= LONGEST_WORD and word.isascii()})
    shortened: dict[str, list[str]] = {}
    for word, count in counts.items():
        if count >= COMMON:
            for key in _one_letter_less(word):
                shortened.setdefault(key, []).append(word)
    found = {}
    for word in (word for word, count in counts.items() if count <= RARE and word.isalpha()):
        near = {other for key in _one_letter_less(word) for other in shortened.get(key, ())}
        fitting = [other for other in near if _one_edit_apart(word, other) and stem(other) != stem(word)]
        if fitting:
            found[word] = min(fitting, key=lambda other: (-counts[other], other))
    return found


def respelled(text: str, fixed: Mapping[str, str]) -> str:
    """`text` with the words of `fixed` replaced."""
    return _PLAIN_WORD.sub(lambda match: fixed.get(match[0].lower(), match[0]), text) if fixed else text


def _one_letter_less(word: str) -> set[str]:
    return {word, *(word[:i] + word[i + 1 :] for i in range(len(word)))}


def _one_edit_apart(a: str, b: str) -> bool:
    if len(a) == len(b):
        wrong = [i for i in range(len(a)) if a[i] != b[i]]
        if len(wrong) == 2:
            i, j = wrong
            return j == i + 1 and a[i] == b[j] and a[j] == b[i]
        return len(wrong) == 1
    short, long = sorted((a, b), key=len)
    return len(long) == len(short) + 1 and any(long[:i] + long[i + 1 :] == short for i in range(len(long)))
