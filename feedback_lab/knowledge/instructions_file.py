"""The instructions file: Markdown with one managed block; what is outside the block belongs to people.

    <!-- feedback-lab:begin -->
    - Answer in the language of the question. <!-- feedback-lab:id 0199... -->
    <!-- feedback-lab:end -->

An instruction is one list line with its id. Lines are only ever added before the end marker or taken away
whole (retiring removes the line; the decision and the audit keep its history), so every other byte stays
as it was. Text is written so that Markdown cannot take it for a marker, a tag, a heading or a code fence.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from feedback_lab.errors import KnowledgeError
from feedback_lab.knowledge.entries_file import read_bytes
from feedback_lab.published_text import clean, folded

BEGIN = "<!-- feedback-lab:begin -->"
END = "<!-- feedback-lab:end -->"
_ITEM = re.compile(r"[-*+] (?P<text>.*?)(?: <!-- feedback-lab:id (?P<id>[\w.-]+) -->)?[ \t\r]*")
# What Markdown would take for a block of its own at the head of a list line: heading, quote, list, fence, rule.
_BLOCK_START = re.compile(r"\\|#{1,6}(?: |$)|>|[-+*] |```|~~~|\[|\||(?:[-*_] ?){3,}$")
_NUMBER_START = re.compile(r"([0-9]{1,9})(?=[.)])")


@dataclass(frozen=True, slots=True)
class Instruction:
    """One line of the managed block. `instruction_id` is "" for a line that a person wrote there."""

    instruction_id: str
    text: str


def instructions(path: Path) -> list[Instruction]:
    """The instructions in the managed block of the file at `path`, in its order; none without file. Read-only."""
    return parse(read_bytes(path) or b"", path)


def parse(content: bytes, path: Path) -> list[Instruction]:
    """The instructions in `content`. Raises KnowledgeError where the markers are damaged."""
    lines = _lines(content)
    block = _block(lines, path)
    found = [_ITEM.fullmatch(line.rstrip("\n")) for line in lines[block]] if block else []
    return [Instruction(item["id"] or "", _unescaped(item["text"])) for item in found if item]


def add(content: bytes, instruction: Instruction, path: Path) -> bytes:
    """`content` with one more line at the end of the managed block; a file without a block gets one at its end."""
    lines = _lines(content)
    block = _block(lines, path)
    end = "\r\n" if lines and lines[0].endswith("\r\n") else "\n"
    line = f"- {_escaped(clean(instruction.text))} <!-- feedback-lab:id {instruction.instruction_id} -->{end}"
    if block:
        lines.insert(block.stop, line)
    else:
        if lines and not lines[-1].endswith("\n"):
            lines[-1] += end
        lines += [*([end] if lines else []), BEGIN + end, line, END + end]
    return _bytes(lines)


def remove(content: bytes, instruction_id: str, path: Path) -> bytes:
    """`content` without the line of `instruction_id`; unchanged where it is not in the managed block."""
    lines = _lines(content)
    block = _block(lines, path)
    for number in range(block.start, block.stop) if block else ():
        item = _ITEM.fullmatch(lines[number].rstrip("\n"))
        if item and item["id"] == instruction_id:
            del lines[number]
            break
    return _bytes(lines)


def duplicate_of(instruction: Instruction, others: Iterable[Instruction]) -> str | None:
    """The id of another instruction with the same words (after NFC and folding of white space)."""
    wanted = folded(clean(instruction.text))
    return next((o.instruction_id for o in others if o.instruction_id and folded(o.text) == wanted), None)


def _lines(content: bytes) -> list[str]:
    # Bytes that are no UTF-8 go through unharmed; only "\n" ends a line here, as in every editor's count.
    return [line for line in re.split(r"(?<=\n)", content.decode("utf-8", "surrogateescape")) if line]


def _bytes(lines: list[str]) -> bytes:
    return "".join(lines).encode("utf-8", "surrogateescape")


def _block(lines: list[str], path: Path) -> slice | None:
    """Which lines stand between the markers; None where there are no markers at all."""
    begins = [number for number, line in enumerate(lines) if line.strip().removeprefix("\ufeff") == BEGIN]
    ends = [number for number, line in enumerate(lines) if line.strip() == END]
    if not begins and not ends:
        return None
    if len(begins) == len(ends) == 1 and begins[0] < ends[0]:
        return slice(begins[0] + 1, ends[0])
    where = ", ".join(str(number + 1) for number in sorted(begins + ends))
    raise KnowledgeError(
        f"{path} must hold the line {BEGIN} once and the line {END} once after it, but has such lines at {where}: "
        "correct them. Nothing was changed."
    )


def _escaped(text: str) -> str:
    line = re.sub(r"&(?=(?:lt|gt|amp);)", "&amp;", " ".join(text.split()))
    line = re.sub(r"<(?=[A-Za-z/!?])", "&lt;", line).replace("-->", "--&gt;")
    if _BLOCK_START.match(line):
        return f"\\{line}"
    return _NUMBER_START.sub(r"\1\\", line, count=1) if _NUMBER_START.match(line) else line


def _unescaped(line: str) -> str:
    line = re.sub(r"^([0-9]{1,9})\\(?=[.)])", r"\1", line.strip())
    if line.startswith("\\") and _BLOCK_START.match(line[1:]):
        line = line[1:]
    return line.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
