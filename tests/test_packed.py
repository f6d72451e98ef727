"""Archives: the one data file in it is read as a stream; everything else about them is refused in one sentence."""

import io
import stat
import zipfile
import zlib
from pathlib import Path

import pytest

from feedback_lab.errors import InputError
from feedback_lab.ingest.reading import packed
from tests.file_builders import gzipped, opened, values, zipped

TEXT = b"a,b\n1,x\n2,y\n"
ROWS = [{"a": "1", "b": "x"}, {"a": "2", "b": "y"}]


def test_a_gzip_and_a_zip_are_read_like_what_is_in_them(tmp_path: Path) -> None:
    plain = opened(tmp_path, TEXT)
    gzip = opened(tmp_path, gzipped(TEXT))
    archive = opened(tmp_path, zipped({"out/rows.csv": TEXT, "__MACOSX/._rows.csv": b"x", "README.md": b"hello"}))

    assert values(plain) == values(gzip) == values(archive) == ROWS
    assert (gzip.format, archive.format) == (
        "CSV (comma), UTF-8, in a gzip",
        "CSV (comma), UTF-8, 'out/rows.csv' in a zip",
    )
    assert plain.decoding.sha256 == gzip.decoding.sha256 == archive.decoding.sha256
    assert len(list(tmp_path.iterdir())) == 3


def linked() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        member = zipfile.ZipInfo("rows.csv")
        member.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(member, "/etc/passwd")
    return stream.getvalue()


def locked() -> bytes:
    content = bytearray(zipped({"rows.csv": TEXT}))
    content[content.index(b"PK\x01\x02") + 8] |= 1
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (zipped({"a.csv": TEXT, "b.csv": TEXT}), "2 files .'a.csv', 'b.csv'."),
        (zipped({f"{number}.csv": TEXT for number in range(1_500)}), "1,500 files .* and 1,495 more"),
        (zipped({}), "with no file"),
        (zipped({"readme.txt": b"x"}), "with no file"),
        (zipped({"in.zip": zipped({"a.csv": TEXT})}), "archive in an archive"),
        (zipped({"in.gz": gzipped(TEXT)}), "archive in an archive"),
        (gzipped(gzipped(TEXT)), "archive in an archive"),
        (gzipped(b""), "archive of an empty file"),
        (zipped({"a.csv": b" \n"}), "archive of an empty file"),
        (zipped({"[Content_Types].xml": b"x", "word/document.xml": b"x"}), "office document"),
        (linked(), "a link instead of a file"),
        (locked(), "password"),
        (gzipped(TEXT)[:-9], "cannot be unpacked"),
        (gzipped(TEXT) + b"more", "cannot be unpacked"),
        (zipped({"a.csv": TEXT})[:-9], "cannot be unpacked"),
        (zipped({"a.csv": TEXT}).replace(zlib.crc32(TEXT).to_bytes(4, "little"), b"\0\0\0\0"), "cannot be unpacked"),
        (b"BZh91AY&SY", "bzip2"),
    ],
)
def test_an_archive_that_is_not_one_data_file_gets_one_sentence(tmp_path: Path, content: bytes, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence) as error:
        opened(tmp_path, content)

    assert "\n" not in str(error.value)


def test_a_bomb_is_stopped_while_it_unpacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = b"a,b\n" + b"1,2\n" * 2_000_000
    monkeypatch.setattr(packed, "RATIO_FROM", 1 << 20)

    for content in (gzipped(bomb), zipped({"a.csv": bomb})):
        with pytest.raises(InputError, match="unpacks to far more"):
            opened(tmp_path, content)
    assert len(values(opened(tmp_path, b"a,b\n" + b"1,2\n" * 9))) == 9


def test_an_archive_larger_than_all_measure_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "MAX_UNPACKED", 5)

    with pytest.raises(InputError, match="unpacks to far more"):
        opened(tmp_path, gzipped(TEXT))
