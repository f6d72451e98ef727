"""The bytes of a file, unpacked on the way where it is a gzip or a zip: a stream, never a second file on the disk.

An archive is a stranger's: it is refused where it holds more than one data file, a link, a secret or another
archive, and reading stops where it unpacks to more than `MAX_UNPACKED` bytes or grows beyond `MAX_RATIO`.
"""

from __future__ import annotations

import gzip
import io
import lzma
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypeVar, cast

from feedback_lab.errors import InputError

MAX_UNPACKED = 20 << 30  # bytes
MAX_RATIO = 250  # unpacked bytes per packed byte, judged from `RATIO_FROM` unpacked bytes on
RATIO_FROM = 64 << 20
MAX_IN_MEMORY = 256 << 20  # bytes of a packed workbook or Parquet file, which cannot be read as a stream
MAX_MEMBERS = 1_000
HEAD = 1 << 16

GZIP, ZIP = b"\x1f\x8b", (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
WORKBOOK = "xl/workbook.xml"
NO_DATA = re.compile(r"(?i)(__macosx/.*|(.*/)?(\..*|thumbs\.db|(readme|licen[cs]e|notice|changelog)(\.\w+)?))")
# What the unpackers of the standard library raise on bytes that are no archive of theirs.
DAMAGE = (OSError, EOFError, ValueError, NotImplementedError, RuntimeError, zlib.error, lzma.LZMAError, struct.error)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Content:
    """What a file holds: its bytes, or those of the one file that is packed in it; `words` says which archive."""

    path: Path
    kind: str = "plain"
    member: str = ""
    words: str = ""

    def open(self) -> BinaryIO:
        """A fresh stream of the unpacked bytes. What cannot be unpacked raises InputError, also in mid-stream."""
        if self.kind == "plain":
            return self.path.open("rb")
        packed = self.path.stat().st_size
        return cast(BinaryIO, io.BufferedReader(_Unpacking(self._unpacker(), packed, self.path), 1 << 18))

    def seekable(self) -> BinaryIO:
        """The bytes as a stream that can be read in any order; a packed file is taken into memory."""
        if self.kind == "plain":
            return self.path.open("rb")
        with closing(self.open()) as stream:
            content = stream.read(MAX_IN_MEMORY + 1)
        if len(content) > MAX_IN_MEMORY:
            raise InputError(f"{self.path} unpacks to more than {MAX_IN_MEMORY >> 20} MB: use the unpacked file.")
        return io.BytesIO(content)

    def head(self) -> bytes:
        """The first bytes."""
        with closing(self.open()) as stream:
            return stream.read(HEAD)

    def _unpacker(self) -> BinaryIO:
        if self.kind == "gzip":
            return cast(BinaryIO, gzip.open(self.path, "rb"))

        def member() -> BinaryIO:
            with zipfile.ZipFile(self.path) as archive:
                return cast(BinaryIO, archive.open(self.member))

        return _or_damaged(self.path, member)


class _Unpacking(io.RawIOBase):
    """A stream of unpacked bytes that counts them, and says a broken archive in one sentence."""

    def __init__(self, stream: BinaryIO, packed: int, path: Path) -> None:
        self._stream, self._packed, self._path = stream, packed, path
        self._unpacked = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        block = _or_damaged(self._path, lambda: self._stream.read(len(buffer)))
        self._unpacked += len(block)
        too_dense = self._unpacked > max(RATIO_FROM, MAX_RATIO * self._packed)
        if too_dense or self._unpacked > MAX_UNPACKED:
            raise InputError(f"{self._path} unpacks to far more than it holds: unpack it and look at what is in it.")
        buffer[: len(block)] = block
        return len(block)

    def close(self) -> None:
        if not self.closed:
            self._stream.close()
        super().close()


def content_of(path: Path) -> Content:
    """Look at the file's first bytes. Raises InputError where it is missing, no file, empty, or a bad archive."""
    head = _head(path)
    if head.startswith(GZIP):
        return _checked(Content(path, "gzip", "", "in a gzip"))
    if not head.startswith(ZIP):
        return Content(path)
    names, member = _or_damaged(path, lambda: _member_of(path))
    if WORKBOOK in names:
        return Content(path)
    return _checked(Content(path, "zip", member, f"{member[-60:]!r} in a zip"))


def _checked(content: Content) -> Content:
    """The content, unless it is another archive, or cannot be unpacked at all."""
    head = content.head()
    packed_again = head.startswith(ZIP) and not _or_damaged(content.path, lambda: _is_workbook(content))
    if head.startswith(GZIP) or packed_again:
        raise InputError(f"{content.path} is an archive in an archive: unpack it and use the data file in it.")
    if not head.strip():
        raise InputError(f"{content.path} is an archive of an empty file: export the rows again, with a header line.")
    return content


def _is_workbook(content: Content) -> bool:
    with content.seekable() as stream, zipfile.ZipFile(stream) as archive:
        return WORKBOOK in archive.namelist()


def _member_of(path: Path) -> tuple[set[str], str]:
    """All names in the zip, and that of its one data file (empty for a workbook)."""
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
    names = {member.filename for member in members}
    if WORKBOOK in names:
        return names, ""
    if "mimetype" in names or "[Content_Types].xml" in names:
        raise InputError(f"{path} is an office document: save its table as CSV or .xlsx.")
    files = [member for member in members if not member.is_dir() and not NO_DATA.fullmatch(member.filename)]
    if len(members) > MAX_MEMBERS or len(files) != 1:
        said = ", ".join(repr(member.filename[:100]) for member in files[:5])
        more = f" and {len(files) - 5:,} more" if len(files) > 5 else ""
        holds = f"{len(files):,} files ({said}{more})" if files else "no file"
        raise InputError(f"{path} is a zip with {holds}, and one is needed: unpack it and use one file.")
    if stat.S_ISLNK(files[0].external_attr >> 16):
        raise InputError(f"{path} is a zip with a link instead of a file: pack the file itself.")
    if files[0].flag_bits & 1:
        raise InputError(f"{path} is a zip with a password: unpack it and use the file in it.")
    return names, files[0].filename


def _or_damaged(path: Path, work: Callable[[], T]) -> T:
    try:
        return work()
    except (zipfile.BadZipFile, *DAMAGE) as error:
        raise InputError(f"{path} is an archive that cannot be unpacked ({error}): make it again.") from None


def _head(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise InputError(f"{path} is a folder: name one file in it.")
        if not path.exists():
            raise InputError(f"There is no file {path}: check its name and folder.")
        if not path.is_file():
            raise InputError(f"{path} is not a regular file: save the rows into a file first.")
        with path.open("rb") as handle:
            head = handle.read(HEAD)
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}): check its name and rights.") from None
    if not head.strip():
        raise InputError(f"{path} is empty: export the rows again, with a header line.")
    return head
