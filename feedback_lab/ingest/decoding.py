"""What a file is made of, before anybody reads a row: is it text, and in which encoding?

The whole file is looked at once, because one bad byte in row 900,000 decides how row 1 is read.
"""

import codecs
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from feedback_lab.errors import InputError

BLOCK = 1 << 20
BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8 with a byte order mark"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)
SIGNATURES = {
    b"PK\x03\x04": "a zip archive or an Excel workbook",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"%PDF": "a PDF",
    b"\x1f\x8b": "a gzip archive",
    b"PAR1": "a Parquet file",
    b"SQLite format": "an SQLite database",
    b"\x89PNG": "an image",
    b"\xff\xd8\xff": "an image",
}
CONTROL = bytes(set(range(32)) - set(b"\t\n\r\f\v\x1b"))
UNDEFINED_IN_CP1252 = bytes((0x81, 0x8D, 0x8F, 0x90, 0x9D))


@dataclass(frozen=True, slots=True)
class Decoding:
    """How a file is decoded: Python's codec and error handler, in words, and the SHA-256 of its bytes.

    `broken` says that single bytes are no UTF-8; they arrive as surrogate escapes, and their rows are rejected.
    """

    codec: str
    errors: str
    words: str
    sha256: str
    broken: bool = False


def decoding_of(path: Path) -> Decoding:
    """Look at the whole file once. Raises InputError where it is missing, no file, empty or not text.

    UTF-8 unless a byte order mark says otherwise. Where bytes are no UTF-8: a file that has more good than bad
    characters beyond ASCII stays UTF-8, and its bad rows are rejected; any other is read as Windows-1252.
    """
    head = _head(path)
    _refuse_binary(path, head)
    for mark, codec, words in BOMS:
        if head.startswith(mark):
            return Decoding(codec, "replace", words, _digest(path))
    digest = hashlib.sha256()
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    good = bad = 0
    undefined = False
    for block in _blocks(path):
        digest.update(block)
        text = decoder.decode(block)
        if not text.isascii():
            escaped = sum("\udc80" <= letter <= "\udcff" for letter in text) if not _is_utf8(text) else 0
            bad += escaped
            good += sum(letter > "\x7f" for letter in text) - escaped if bad else 1
            undefined = undefined or (escaped > 0 and any(byte in block for byte in UNDEFINED_IN_CP1252))
    bad += len(decoder.decode(b"", final=True))
    if not bad:
        return Decoding("utf-8", "strict", "UTF-8", digest.hexdigest())
    if good > bad:
        return Decoding("utf-8", "surrogateescape", "UTF-8 with broken bytes", digest.hexdigest(), broken=True)
    codec, words = ("latin-1", "Latin-1") if undefined else ("cp1252", "Windows-1252")
    return Decoding(codec, "strict", f"not UTF-8, read as {words}", digest.hexdigest())


def _head(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise InputError(f"{path} is a folder: name one file in it.")
        if not path.exists():
            raise InputError(f"There is no file {path}: check its name and folder.")
        if not path.is_file():
            raise InputError(f"{path} is not a regular file: save the rows into a file first.")
        with path.open("rb") as handle:
            head = handle.read(1 << 16)
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}): check its name and rights.") from None
    if not head.strip():
        raise InputError(f"{path} is empty: export the rows again, with a header line.")
    return head


def _refuse_binary(path: Path, head: bytes) -> None:
    for signature, what in SIGNATURES.items():
        if head.startswith(signature):
            raise InputError(f"{path} is {what}, not text: export it as CSV or JSON Lines.")
    if any(head.startswith(mark) for mark, _, _ in BOMS):
        return
    if len(head) - len(head.translate(None, CONTROL)) > max(4, len(head) / 20):
        raise InputError(f"{path} is not text (or UTF-16 without its mark): export it as CSV or JSON Lines in UTF-8.")


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as handle:
        while block := handle.read(BLOCK):
            yield block


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    for block in _blocks(path):
        digest.update(block)
    return digest.hexdigest()


def _is_utf8(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
