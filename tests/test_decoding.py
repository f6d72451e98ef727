"""Which encoding a file is in: found from its bytes and said with how sure that is, or told by a human."""

from pathlib import Path

import pytest

from feedback_lab.errors import InputError
from feedback_lab.ingest.reading.readers import open_rows
from tests.file_builders import codes, opened, values, written

JAPANESE = "名前,コメント\n太郎,とても役に立ちました。ありがとう\n花子,答えが間違っています\n"
RUSSIAN = "имя,комментарий\nИван,Ответ неправильный\nМария,Очень хорошо\n"
TEXTS = {
    "shift_jis": JAPANESE,
    "euc_jp": JAPANESE,
    "iso2022_jp": JAPANESE,
    "gb18030": "姓名,评论\n张三,回答很好谢谢\n李四,答案是错误的请改正\n",
    "big5": "姓名,評論\n張三,回答很好謝謝\n李四,答案是錯誤的請改正\n王五,客服沒有回覆我的問題\n",
    "euc_kr": "이름,의견\n철수,답변이 틀렸습니다 감사합니다\n",
    "koi8_r": RUSSIAN,
    "cp1251": RUSSIAN,
    "cp866": RUSSIAN,
    "cp1252": "name,comment\nAndré,Très bien merci\nJürgen,für alle größer – “schön”\n",
    "cp1250": "jméno,komentář\nJiří,odpověď je špatná příště lépe\n",
    "cp1253": "όνομα,σχόλιο\nΓιώργος,η απάντηση είναι λάθος\n",
    "cp1256": "الاسم,التعليق\nمحمد,الجواب خاطئ شكرا\n",
}


@pytest.mark.parametrize("codec", TEXTS)
def test_an_encoding_is_guessed_and_the_guess_is_said(tmp_path: Path, codec: str) -> None:
    source = opened(tmp_path, TEXTS[codec].encode(codec))

    lines = TEXTS[codec].splitlines()
    assert source.header == lines[0].split(",")
    assert "guessed as" in source.format
    assert next(iter(source)).values[source.header[0]] == lines[1].split(",")[0]


@pytest.mark.parametrize("text", ["a,b\n1,2\n", JAPANESE])
@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_a_wide_encoding_without_its_mark_is_recognised(tmp_path: Path, codec: str, text: str) -> None:
    source = opened(tmp_path, text.encode(codec))

    assert f"{codec[:6].upper()} without its mark" in source.format
    assert values(source) == values(opened(tmp_path, text))


def test_a_human_who_knows_the_encoding_is_obeyed(tmp_path: Path) -> None:
    content = b"a,b\n1,\x8e\n"

    source = opened(tmp_path, content, encoding="mac_roman")

    assert [row.values["b"] for row in source] == ["é"]
    assert "read as MAC-ROMAN, as said" in source.format


def test_an_encoding_that_does_not_exist_gets_one_sentence(tmp_path: Path) -> None:
    for name in ("klingon", "base64", "", "\0"):
        with pytest.raises(InputError, match="There is no encoding"):
            opened(tmp_path, "a,b\n1,2\n", encoding=name)


@pytest.mark.parametrize("codec", ["shift_jis", "utf-16"])
def test_bytes_that_an_encoding_does_not_know_cost_their_row_alone(tmp_path: Path, codec: str) -> None:
    broken = "\ud800".encode("utf-16-le", "surrogatepass") if codec == "utf-16" else b"\x81\xff"
    content = "a,b\n1,ok\n2,".encode(codec) + broken + "\n3,ok\n".encode(codec)[2 if codec == "utf-16" else 0 :]

    rows = list(opened(tmp_path, content, encoding=codec))

    assert codes(rows) == [(2, None), (3, "not_utf8"), (4, None)]


def test_a_byte_that_windows_1252_lacks_makes_it_latin_1(tmp_path: Path) -> None:
    source = opened(tmp_path, b"a,b\n1,\xe9\n2,\x81\n")

    assert "Latin-1" in source.format
    assert [row.values["b"] for row in source] == ["é", "\x81"]


def test_the_digest_is_that_of_the_bytes(tmp_path: Path) -> None:
    one, other = written(tmp_path, "a,b\n1,2\n", "one"), written(tmp_path, "a,b\n1,3\n", "other")

    assert open_rows(one).decoding.sha256 != open_rows(other).decoding.sha256
    assert open_rows(one).decoding.sha256 == open_rows(one).decoding.sha256
