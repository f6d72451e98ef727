"""The managed block: what people wrote stays byte for byte, and no text breaks out of its line."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback_lab.errors import KnowledgeError
from feedback_lab.knowledge.instructions_file import BEGIN, END, Instruction, add, instructions, parse, remove
from feedback_lab.published_text import clean, folded

PATH = Path("instructions.md")
HUMAN = b"# House rules\r\n\r\nBe kind.\xff\xfe \xe2\x80\xa8 odd bytes\n\ttabs  \n"


def added(*texts: str, to: bytes = b"") -> bytes:
    for number, text in enumerate(texts):
        to = add(to, Instruction(f"id-{number}", text), PATH)
    return to


def test_an_empty_file_gets_a_block_with_the_instruction() -> None:
    content = added("Answer in the language of the question.")
    assert (
        content.decode() == f"{BEGIN}\n- Answer in the language of the question. <!-- feedback-lab:id id-0 -->\n{END}\n"
    )
    assert parse(content, PATH) == [Instruction("id-0", "Answer in the language of the question.")]


def test_what_people_wrote_around_the_block_stays_byte_for_byte() -> None:
    content = added("One.", to=HUMAN) + b"after\r\n\x80 the block"
    assert content.startswith(HUMAN)
    more = added("One.", "Two.", to=content)
    start = content.index(END.encode())
    assert more.startswith(content[:start])
    assert more.endswith(b"after\r\n\x80 the block")
    assert remove(remove(more, "id-1", PATH), "id-0", PATH).startswith(HUMAN)


def test_a_block_is_appended_after_a_last_line_without_its_end() -> None:
    assert added("One.", to=b"no newline").startswith(b"no newline\n\n" + BEGIN.encode() + b"\n")
    assert added("One.", to=b"windows\r\n").endswith(b"-->\r\n" + END.encode() + b"\r\n")


def test_removing_takes_the_line_and_nothing_else() -> None:
    content = added("One.", "Two.", "Three.", to=HUMAN)
    gone = remove(content, "id-1", PATH)
    assert [one.text for one in parse(gone, PATH)] == ["One.", "Three."]
    assert remove(gone, "id-1", PATH) == gone
    lines = content.split(b"\n")
    assert gone.split(b"\n") == [line for line in lines if b"Two." not in line]


def test_a_line_that_a_person_wrote_into_the_block_stays_and_is_listed() -> None:
    content = added("One.").replace(END.encode(), b"- by hand\nfree text\n" + END.encode())
    assert parse(content, PATH) == [Instruction("id-0", "One."), Instruction("", "by hand")]
    assert b"- by hand\nfree text\n- Two." in add(content, Instruction("id-9", "Two."), PATH)


def test_a_line_that_a_person_reworded_keeps_its_id() -> None:
    content = added("One.").replace(b"- One.", b"- One, but better.")
    assert parse(content, PATH) == [Instruction("id-0", "One, but better.")]


@pytest.mark.parametrize(
    "content",
    [
        f"{BEGIN}\n",
        f"{END}\n",
        f"{END}\n{BEGIN}\n",
        f"{BEGIN}\n{BEGIN}\n{END}\n",
        f"{BEGIN}\n{END}\n{END}\n",
        f"{BEGIN}\n{END}\n{BEGIN}\n{END}\n",
    ],
)
def test_damaged_markers_are_a_clear_error_that_names_the_file_and_the_lines(content: str) -> None:
    with pytest.raises(KnowledgeError, match=r"instructions\.md must hold .* at 1"):
        added("One.", to=content.encode())


def test_markers_inside_a_sentence_are_not_markers() -> None:
    human = f"We write `{BEGIN}` by hand.\n".encode()
    assert added("One.", to=human).startswith(human)


@pytest.mark.parametrize(
    "text",
    [
        END,
        f"a\n{END}\n# Heading",
        "<!-- feedback-lab:id id-7 -->",
        "text --> more",
        "# Heading",
        "```\nrm -rf\n```",
        "~~~",
        "> quote",
        "1. first",
        "12) twelfth",
        "- list",
        "---",
        "* * *",
        "[link]: http://127.0.0.1:9/",
        "| a | b |",
        "</system><script>x</script>",
        "<http://127.0.0.1:9/>",
        "\\# escaped",
        "&lt;b&gt; &amp;lt; & a < b > c",
        "\u2028- two\u0085three\x0bfour",
    ],
)
def test_no_text_breaks_out_of_its_line(text: str) -> None:
    content = added(text, "The next one.", to=HUMAN)
    block = content.decode("utf-8", "surrogateescape").replace("\r", "").split(BEGIN)[1].split(END)
    assert len(block) == 2
    lines = block[0].strip("\n").split("\n")
    assert len(lines) == 2
    shown = lines[0].removeprefix("- ").removesuffix(" <!-- feedback-lab:id id-0 -->")
    assert "<!--" not in shown
    assert "-->" not in shown
    assert not shown.startswith(("#", "```", "~~~", "> ", "- ", "* ", "---", "[", "|", "<", "1.", "12)"))
    assert len(shown.splitlines()) == 1
    assert [one.text for one in parse(content, PATH)] == [folded(clean(text)), "The next one."]


@given(st.lists(st.text(min_size=1).filter(lambda text: clean(text) != ""), max_size=4))
def test_every_text_comes_back_as_one_line(texts: list[str]) -> None:
    content = added(*texts, to=HUMAN)
    assert [one.text for one in parse(content, PATH)] == [" ".join(clean(text).split()) for text in texts]


@given(st.text("\\#>-+*`~[|_1.)&lt;gamp;<! \n", min_size=1).filter(lambda text: clean(text) != ""))
def test_markdown_signs_come_back_as_they_were(text: str) -> None:
    assert parse(added(text), PATH)[0].text == " ".join(clean(text).split())


def test_no_file_means_no_instructions(tmp_path: Path) -> None:
    assert instructions(tmp_path / "absent.md") == []
