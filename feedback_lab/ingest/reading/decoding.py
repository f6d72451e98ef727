"""What a file is made of, before anybody reads a row: is it text, and in which encoding?

The whole file is looked at once, because one bad byte in row 900,000 decides how row 1 is read.
"""

from __future__ import annotations

import codecs
import hashlib
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from charset_normalizer import from_bytes

from feedback_lab.errors import InputError
from feedback_lab.ingest.reading.batches import ESCAPED
from feedback_lab.ingest.reading.packed import HEAD, Content

BLOCK = 1 << 20
BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8 with a byte order mark"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)
SIGNATURES = {
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"%PDF": "a PDF",
    b"SQLite format": "an SQLite database",
    b"\x89PNG": "an image",
    b"\xff\xd8\xff": "an image",
    b"GIF8": "an image",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ": "an xz archive",
    b"\x28\xb5\x2f\xfd": "a zstandard archive",
    b"7z\xbc\xaf": "a 7z archive",
    b"Rar!": "a RAR archive",
    b"ARROW1": "an Arrow file",
    b"Obj\x01": "an Avro file",
    b"ORC": "an ORC file",
    b"<?xml": "an XML file",
    b"<!doctype html": "a web page",
    b"<html": "a web page",
}
NAMES = {
    "cp932": "Shift-JIS",
    "shift_jis_2004": "Shift-JIS",
    "euc_jis_2004": "EUC-JP",
    "cp949": "EUC-KR",
    "gb18030": "GB18030",
    "big5": "Big5",
    "koi8_r": "KOI8-R",
    "latin_1": "Latin-1",
    "latin-1": "Latin-1",
    "iso2022_jp": "ISO-2022-JP",
}
CONTROL = bytes(set(range(32)) - set(b"\t\n\r\f\v\x1b"))
UNDEFINED_IN_CP1252 = bytes((0x81, 0x8D, 0x8F, 0x90, 0x9D))
# What a guess may be: the encodings of real exports. More candidates make more wrong guesses, not more right ones.
GUESSES = (
    "cp1252 cp1250 cp1251 cp1253 cp1254 cp1255 cp1256 iso8859_2 iso8859_5 iso8859_7 koi8_r koi8_u cp866 "
    "cp932 euc_jis_2004 gb18030 big5 cp949"
).split()
CLUES = 1 << 15  # bytes of lines beyond ASCII that a guess is made from
FEW = 4  # bytes beyond ASCII that prove nothing
NEAR = 0.02  # two guesses whose disorder differs by less are as good as each other


@dataclass(frozen=True, slots=True)
class Decoding:
    """How a file is decoded: Python's codec and error handler, in words, and the SHA-256 of its (unpacked) bytes.

    `broken` says that single bytes cannot be decoded; they arrive as surrogate escapes, and their rows are rejected.
    """

    codec: str
    errors: str
    words: str
    sha256: str
    broken: bool = False


def _escape(error: UnicodeError) -> tuple[str, int]:
    """Bytes that a codec does not know as surrogate escapes; the built-in handler takes none below 0x80."""
    assert isinstance(error, UnicodeDecodeError)
    return "".join(chr(0xDC00 | byte | 0x80) for byte in error.object[error.start : error.end]), error.end


codecs.register_error("feedback-lab-escape", _escape)


def decoding_of(content: Content, encoding: str | None = None) -> Decoding:
    """Look at the whole file once. Raises InputError where it is not text, or `encoding` is none.

    `encoding` given by a human is used as it is. Otherwise a byte order mark decides, or the zeros of UTF-16 and
    UTF-32; then UTF-8, if more characters beyond ASCII are good than bad; then a guess from the bytes.
    """
    head = content.head()
    if encoding is not None:
        name = _known(encoding)
        return _decoding(content, name, f"read as {name_of(name)}, as said")
    refuse_binary(content.path, head)
    for mark, codec, words in BOMS:
        if head.startswith(mark):
            return _decoding(content, codec, words)
    if unmarked := _by_zeros(head):
        return _decoding(content, unmarked, f"{unmarked[:6].upper()} without its mark")
    _refuse_control(content.path, head)
    return _by_bytes(content)


def refuse_binary(path: Path, head: bytes) -> None:
    """Raise InputError where the first bytes are those of a known kind of file that holds no text."""
    start = head[:32].lower()
    for signature, what in SIGNATURES.items():
        if head.startswith(signature) or start.startswith(signature):
            raise InputError(f"{path} is {what}, not a table of text: export it as CSV or JSON Lines.")
    if head[257:262] == b"ustar":
        raise InputError(f"{path} is a tar archive: unpack it and use the data file in it.")
    if head[8:12] == b"DUCK":
        raise InputError(f"{path} is a DuckDB database: export its table as CSV or Parquet.")


def sha256_of(content: Content) -> str:
    """The digest of all bytes."""
    digest = hashlib.sha256()
    for block in _blocks(content):
        digest.update(block)
    return digest.hexdigest()


def name_of(codec: str) -> str:
    """The encoding as people call it: cp1252 -> Windows-1252."""
    if found := re.fullmatch(r"cp(125\d)", codec):
        return f"Windows-{found[1]}"
    if found := re.fullmatch(r"iso8859[_-](\d+)", codec):
        return f"ISO 8859-{found[1]}"
    return NAMES.get(codec, codec.upper().replace("_", "-"))


def _known(encoding: str) -> str:
    try:
        found = codecs.lookup(encoding.strip())
    except (LookupError, ValueError):
        found = None
    if found is None or not getattr(found, "_is_text_encoding", True) or found.name in ("idna", "punycode"):
        raise InputError(f"There is no encoding {encoding[:40]!r}: write it like utf-8, cp1252, shift_jis or gb18030.")
    return found.name


def _decoding(content: Content, codec: str, words: str) -> Decoding:
    """Read all bytes with the codec; where some cannot be decoded, say so."""
    digest = hashlib.sha256()
    decoder = codecs.getincrementaldecoder(codec)("feedback-lab-escape")
    broken = False
    for block in _blocks(content):
        digest.update(block)
        broken = ESCAPED.search(decoder.decode(block)) is not None or broken
    broken = ESCAPED.search(decoder.decode(b"", final=True)) is not None or broken
    said = f"{words}, with broken bytes" if broken else words
    return Decoding(codec, "feedback-lab-escape", said, digest.hexdigest(), broken)


def _by_zeros(head: bytes) -> str | None:
    """UTF-16 or UTF-32 that lacks its mark: ASCII's share of such a text has zeros in every second or fourth place."""
    places = [head[place::4].count(0) / max(1, len(head) // 4) for place in range(4)]
    candidates = {
        "utf-32-le": min(places[2:]) > 0.9,
        "utf-32-be": min(places[:2]) > 0.9,
        "utf-16-le": places[0] == places[2] == 0 and places[1] + places[3] > 0.02,
        "utf-16-be": places[1] == places[3] == 0 and places[0] + places[2] > 0.02,
    }
    for codec, fits in candidates.items():
        text = codecs.getincrementaldecoder(codec)("replace").decode(head) if fits else ""
        if "\n" in text or "\r" in text or len(head) == HEAD:
            odd = sum(letter == "\ufffd" or (letter < " " and letter not in "\t\r\n") for letter in text)
            if text and odd <= len(text) / 100:
                return codec
    return None


def _refuse_control(path: Path, head: bytes) -> None:
    if len(head) - len(head.translate(None, CONTROL)) > max(4, len(head) / 20):
        raise InputError(f"{path} is not text: export it as CSV or JSON Lines in UTF-8.")


def _by_bytes(content: Content) -> Decoding:
    digest = hashlib.sha256()
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    good = bad = 0
    clues = b""
    escapes = undefined = False
    for block in _blocks(content):
        digest.update(block)
        escapes = escapes or (b"\x1b" in block and b"\x1b$" in block)
        if block.isascii() and not decoder.getstate()[0]:
            continue
        text = decoder.decode(block)
        wrong = len(ESCAPED.findall(text)) if not _is_utf8(text) else 0
        bad += wrong
        good += len(text) - len(text.encode("ascii", "ignore")) - wrong
        undefined = undefined or (wrong > 0 and any(byte in block for byte in UNDEFINED_IN_CP1252))
        if len(clues) < CLUES:
            clues += b"".join(line for line in block.splitlines(keepends=True) if not line.isascii())
    bad += len(decoder.decode(b"", final=True))
    sha256 = digest.hexdigest()
    if not bad and not good and escapes:
        return _decoding(content, "iso2022_jp", "guessed as ISO-2022-JP")
    if not bad:
        return Decoding("utf-8", "strict", "UTF-8", sha256)
    if good > bad:
        return Decoding("utf-8", "surrogateescape", "UTF-8 with broken bytes", sha256, broken=True)
    codec, sure = _guess(clues[:CLUES], undefined)
    return _decoding(content, codec, f"not UTF-8, guessed as {name_of(codec)} ({sure:.0%} sure)")


def _guess(clues: bytes, undefined: bool) -> tuple[str, float]:
    """The codec that makes the most orderly text of the lines beyond ASCII, and how sure that is, 0 to 1.

    Few characters prove little, and a rival that reads them otherwise and as well halves what is left.
    """
    western = "latin_1" if undefined else "cp1252"
    letters = sum(byte > 0x7F for byte in clues)
    found = list(from_bytes(clues, cp_isolation=GUESSES, enable_fallback=False)) if letters >= FEW else []
    if not found:
        return western, 0.0
    best = found[0]
    near = [match for match in found if match.chaos <= best.chaos + NEAR and match.coherence >= best.coherence - 0.1]
    as_western = [match for match in near if "cp1252" in match.could_be_from_charset]
    best, codec = (as_western[0], western) if as_western else (best, best.encoding)
    sure = (1 - best.chaos) * letters / (letters + 10)
    return codec, sure / 2 if any(str(match) != str(best) for match in near) else sure


def _blocks(content: Content) -> Iterator[bytes]:
    with closing(content.open()) as handle:
        while block := handle.read(BLOCK):
            yield block


def _is_utf8(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
