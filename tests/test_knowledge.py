"""From decisions to the files: what is written, what a hand edit does, and what happens when both meet."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback_lab import knowledge, review
from feedback_lab.errors import DiskError, KnowledgeError
from feedback_lab.knowledge import (
    Files,
    add_entries,
    entries,
    entries_file,
    instructions_file,
    publish,
    read_file,
    versions,
)
from feedback_lab.knowledge.changes import BY_HAND
from feedback_lab.published_text import clean
from feedback_lab.records import CorrectionType, Entry, EntryStatus, Outcome
from feedback_lab.store import Store
from tests.builders import MONDAY, pattern
from tests.knowledge_builders import decided_entry, decided_instruction, entry, files_in, undone, waiting

PATH = Path("knowledge.jsonl")
RETIRED = EntryStatus.RETIRED
PLAYGROUND = "May children go to the playground?"


@pytest.fixture
def files(store: Store) -> Files:
    return files_in(store.home)


def lines_of(files: Files) -> list[dict[str, Any]]:
    return [json.loads(line) for line in files.knowledge.read_bytes().splitlines()]


def edit(files: Files, number: int = 0, **changes: Any) -> None:
    """A person changes values of one line, as an editor would save it."""
    lines = lines_of(files)
    lines[number] |= changes
    files.knowledge.write_text("".join(json.dumps(line) + "\n" for line in lines))


def history(store: Store, entry_id: str) -> list[tuple[int, str, str, str]]:
    return [(one.version, one.answer, one.status, one.decided_by) for one in versions(store, entry_id)]


# The file

texts: st.SearchStrategy[str] = st.text(st.characters(), min_size=1).filter(lambda text: clean(text) != "")


@given(
    st.lists(
        st.builds(
            Entry,
            entry_id=st.text(st.characters(), min_size=1),
            question=texts,
            answer=texts,
            status=st.sampled_from(EntryStatus),
            version=st.integers(1, 2**31 - 1),
            scope=st.text(st.characters()),
            sources=st.lists(st.text(st.characters())).map(tuple),
            decided_by=st.text(st.characters()),
            decided_at=st.text(st.characters()),
        ),
        unique_by=lambda one: one.entry_id,
    )
)
def test_a_file_that_we_wrote_reads_back_equal_with_one_line_an_entry(written: list[Entry]) -> None:
    content = entries_file.dump(written)
    assert [one for _, one in entries_file.parse(content, PATH)] == written
    assert len(content.decode().splitlines()) == len(written)


def test_keys_stand_in_their_order_and_text_is_readable() -> None:
    line = entries_file.dump([entry(question="Où? 子供 👩\u200d👧", answer="a\u2028b\x85c\ud800")]).decode()
    assert list(json.loads(line)) == list(entries_file.KEYS)
    assert "Où? 子供 👩\u200d👧" in line
    assert "a\\u2028b\\u0085c\\ud800" in line


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"{", "not one whole JSON object"),
        (b"[1]", "not a JSON object"),
        (b"\xff\xfe", "not UTF-8"),
        (b"<<<<<<< HEAD", "not one whole JSON object"),
        (b"[" * 100_000, "not one whole JSON object"),
        (b'{"question": "q"}', "no answer"),
        (b'{"question": "\xe2\x80\x8b", "answer": "a"}', "no question"),
        (b'{"question": "q", "answer": "a", "note": 1}', "unknown key 'note'"),
        (b'{"question": "q", "answer": "a", "version": 0}', "version"),
        (b'{"question": "q", "answer": "a", "version": true}', "version"),
        (b'{"question": "q", "answer": "a", "version": 99999999999}', "version"),
        (b'{"question": "q", "answer": "a", "version": ' + b"9" * 5000 + b"}", "not one whole JSON object"),
        (b'{"question": "q", "answer": "a", "status": "gone"}', "status"),
        (b'{"question": "q", "answer": "a", "status": []}', "status"),
        (b'{"question": "q", "answer": "a", "sources": "f1"}', "sources"),
        (b'{"question": "q", "answer": "a", "entry_id": 7}', "entry_id"),
        (b'{"question": "q", "answer": "a", "entry_id": "k1"}', "same entry_id as line 1"),
    ],
)
def test_a_line_that_is_no_entry_is_refused_with_file_and_line(line: bytes, said: str) -> None:
    content = entries_file.dump([entry("k1")]) + b"\n" + line + b"\n"
    with pytest.raises(KnowledgeError, match=rf"Line 3 of knowledge\.jsonl .*{said}"):
        entries_file.parse(content, PATH)


def test_what_editors_add_is_read_over() -> None:
    content = b"\xef\xbb\xbf" + entries_file.dump([entry("k1"), entry("k2")]).replace(b"\n", b"\r\n") + b"\n \n"
    assert [one.entry_id for _, one in entries_file.parse(content.rstrip(), PATH)] == ["k1", "k2"]


# Publishing


def test_a_decided_correction_becomes_one_line_and_one_version(store: Store, files: Files) -> None:
    payload = decided_entry(store, "May children come?", "Yes,\nsince June.")
    published = publish(store, files)

    (line,) = read_file(files.knowledge)
    assert line == Entry(
        payload["id"],
        "May children come?",
        "Yes,\nsince June.",
        EntryStatus.ACTIVE,
        1,
        "",
        ("f1", "f2"),
        "ada",
        payload["decided_at"],
    )
    assert versions(store, payload["id"]) == [line]
    assert published.entries == [payload["id"]]
    assert waiting(store) == 0
    assert store.scalar("SELECT count(*) FROM audit WHERE action = 'publish'") == 1


def test_publishing_again_changes_nothing(store: Store, files: Files) -> None:
    decided_entry(store)
    decided_instruction(store, "Be brief.")
    publish(store, files)
    before = files.knowledge.read_bytes(), files.instructions.read_bytes(), files.knowledge.stat().st_mtime_ns
    audit = store.scalar("SELECT count(*) FROM audit")

    assert publish(store, files) == knowledge.Published()
    assert (files.knowledge.read_bytes(), files.instructions.read_bytes(), files.knowledge.stat().st_mtime_ns) == before
    assert store.scalar("SELECT count(*) FROM audit") == audit


def test_entries_stand_in_the_order_of_their_decisions(store: Store, files: Files) -> None:
    for number in range(5):
        decided_entry(store, f"Question {number}?")
    publish(store, files)
    assert [one.question for one in read_file(files.knowledge)] == [f"Question {number}?" for number in range(5)]


def test_published_text_has_no_invisible_characters_and_cannot_break_the_file(store: Store, files: Files) -> None:
    decided_entry(store, "What\u202e is\u200b this?", 'one\u2028two"}\n{"entry_id": "x"\U000e0041')
    publish(store, files)
    (line,) = read_file(files.knowledge)
    assert (line.question, line.answer) == ("What is this?", 'one\ntwo"}\n{"entry_id": "x"')


def test_a_correction_of_invisible_characters_only_is_not_written(store: Store, files: Files) -> None:
    decided_entry(store, "Is it open?", "\u200b\u202e")
    publish(store, files)
    assert not files.knowledge.exists()
    assert waiting(store) == 0


def test_an_exact_duplicate_is_not_written_twice(store: Store, files: Files) -> None:
    first = decided_entry(store, "Is the café open?", "Yes, till six.")
    again = decided_entry(store, " Is  the cafe\u0301 open?\n", "Yes,\ttill six.", by="ben")
    other = decided_entry(store, "Is the café open?", "No.")
    published = publish(store, files)

    assert [one.entry_id for one in read_file(files.knowledge)] == [first["id"], other["id"]]
    assert published.duplicates == {again["id"]: first["id"]}
    (row,) = store.rows("SELECT detail FROM audit WHERE object = :id", id=again["id"])
    assert first["id"] in json.dumps(row["detail"])


def test_the_text_of_a_retired_entry_may_be_published_again(store: Store, files: Files) -> None:
    first = decided_entry(store)
    undone(store, first)
    decided_entry(store)
    publish(store, files)
    assert [one.status for one in read_file(files.knowledge)] == [RETIRED, EntryStatus.ACTIVE]


def test_undoing_a_first_version_retires_the_entry_and_its_line_stays(store: Store, files: Files) -> None:
    made = decided_entry(store)
    publish(store, files)
    undone(store, made, by="ben")
    publish(store, files)

    (line,) = read_file(files.knowledge)
    assert (line.status, line.version, line.decided_by, line.answer) == (RETIRED, 2, "ben", "Yes.")
    assert history(store, made["id"]) == [(1, "Yes.", "active", "ada"), (2, "Yes.", "retired", "ben")]


def test_undoing_a_dropped_duplicate_leaves_the_other_entry_alone(store: Store, files: Files) -> None:
    first = decided_entry(store)
    again = decided_entry(store, by="ben")
    rule, same_rule = decided_instruction(store, "Be brief."), decided_instruction(store, "Be  brief.")
    undone(store, again)
    undone(store, same_rule)
    publish(store, files)

    assert [(one.entry_id, one.status) for one in read_file(files.knowledge)] == [(first["id"], EntryStatus.ACTIVE)]
    assert [one.instruction_id for one in knowledge.instructions(files)] == [rule["id"]]
    assert waiting(store) == 0


def test_undoing_the_first_of_two_same_decisions_leaves_the_second_standing(store: Store, files: Files) -> None:
    first, second = decided_entry(store), decided_entry(store, by="ben")
    rule, same_rule = decided_instruction(store, "Be brief."), decided_instruction(store, "Be  brief.", by="ben")
    publish(store, files)
    undone(store, first)
    undone(store, rule)
    publish(store, files)

    assert [(one.entry_id, one.status, one.decided_by) for one in read_file(files.knowledge)] == [
        (first["id"], RETIRED, "ada"),
        (second["id"], EntryStatus.ACTIVE, "ben"),
    ]
    assert [one.instruction_id for one in knowledge.instructions(files)] == [same_rule["id"]]
    undone(store, second, by="ben")
    publish(store, files)
    assert {one.status for one in read_file(files.knowledge)} == {RETIRED}


def test_a_decision_on_a_known_entry_makes_its_next_version_and_its_undo_brings_the_text_back(
    store: Store, files: Files
) -> None:
    first = decided_entry(store, answer="Till five.")
    other = decided_entry(store, "Another?", "Other.")
    second = decided_entry(store, answer="Till six.", entry_id=first["id"], by="ben")
    publish(store, files)
    assert [(one.entry_id, one.version, one.answer) for one in read_file(files.knowledge)] == [
        (first["id"], 2, "Till six."),
        (other["id"], 1, "Other."),
    ]
    undone(store, second, by="ben")
    publish(store, files)
    assert read_file(files.knowledge)[0].answer == "Till five."
    assert [one[0] for one in history(store, first["id"])] == [1, 2, 3]


def test_instructions_are_written_once_and_retired_by_undo(store: Store, files: Files) -> None:
    files.instructions.write_bytes(b"# Ours\n")
    first = decided_instruction(store, "Answer briefly.\n<!-- feedback-lab:end -->")
    publish(store, files)
    assert files.instructions.read_bytes().startswith(b"# Ours\n")
    (line,) = knowledge.instructions(files)
    assert (line.instruction_id, line.text) == (first["id"], "Answer briefly. <!-- feedback-lab:end -->")
    undone(store, first)
    publish(store, files)
    assert knowledge.instructions(files) == []
    assert files.instructions.read_bytes().startswith(b"# Ours\n")


def test_damaged_markers_stop_the_instruction_and_keep_the_file(store: Store, files: Files) -> None:
    files.instructions.write_text(instructions_file.BEGIN)
    decided_instruction(store, "Be brief.")
    with pytest.raises(KnowledgeError, match="instructions"):
        publish(store, files)
    assert files.instructions.read_text() == instructions_file.BEGIN
    assert waiting(store) == 1
    files.instructions.unlink()
    publish(store, files)
    assert [one.text for one in knowledge.instructions(files)] == ["Be brief."]


# Hand edits


def test_a_hand_edit_is_taken_in_as_a_new_version(store: Store, files: Files) -> None:
    made = decided_entry(store)
    publish(store, files)
    edit(files, answer="Yes, till\u202e six.")

    (line,) = entries(store, files)
    assert (line.version, line.answer, line.decided_by) == (2, "Yes, till six.", BY_HAND)
    assert read_file(files.knowledge) == [line]
    assert history(store, made["id"]) == [(1, "Yes.", "active", "ada"), (2, "Yes, till six.", "active", BY_HAND)]
    assert entries(store, files) == [line]


def test_a_hand_edit_that_raises_the_version_itself_is_not_laid_at_the_reviewers_door(
    store: Store, files: Files
) -> None:
    made = decided_entry(store)
    publish(store, files)
    edit(files, answer="No.", version=2)
    entries(store, files)
    assert history(store, made["id"])[-1] == (2, "No.", "active", BY_HAND)


def test_a_line_that_is_gone_is_retired_and_stays_gone(store: Store, files: Files) -> None:
    gone, kept = decided_entry(store, "One?"), decided_entry(store, "Two?")
    publish(store, files)
    files.knowledge.write_bytes(files.knowledge.read_bytes().split(b"\n", 1)[1])

    for _ in range(2):
        assert [one.entry_id for one in entries(store, files)] == [kept["id"]]
    assert history(store, gone["id"])[1:] == [(2, "Yes.", "retired", BY_HAND)]


def test_the_last_line_gone_is_retired_too(store: Store, files: Files) -> None:
    gone = decided_entry(store)
    publish(store, files)
    files.knowledge.write_bytes(b"")
    assert entries(store, files) == []
    assert history(store, gone["id"])[-1][2] == "retired"


def test_a_file_that_is_missing_is_written_anew_instead_of_retiring_everything(store: Store, files: Files) -> None:
    decided_entry(store, "One?"), decided_entry(store, "Two?")
    publish(store, files)
    before = files.knowledge.read_bytes()
    files.knowledge.unlink()
    decided_entry(store, "Three?")
    publish(store, files)
    assert files.knowledge.read_bytes().startswith(before)
    assert [one.question for one in read_file(files.knowledge)] == ["One?", "Two?", "Three?"]
    assert store.scalar("SELECT count(*) FROM entry_version") == 3


def test_a_line_without_an_id_gets_one_and_keeps_its_place(store: Store, files: Files) -> None:
    decided_entry(store)
    publish(store, files)
    own = b'{"answer": "By bus.", "question": "How do I get there?"}\n'
    files.knowledge.write_bytes(own + files.knowledge.read_bytes())

    first, _ = entries(store, files)
    assert (first.question, first.version, first.decided_by) == ("How do I get there?", 1, BY_HAND)
    assert first.entry_id
    assert lines_of(files)[0]["entry_id"] == first.entry_id
    assert entries(store, files)[0] == first
    assert versions(store, first.entry_id) == [first]


def test_lines_of_another_database_are_taken_as_they_stand(store: Store, files: Files) -> None:
    files.knowledge.write_bytes(entries_file.dump([entry("k1", version=4), entry("k2", "Other?", status=RETIRED)]))
    before = files.knowledge.read_bytes()
    assert [one.version for one in entries(store, files)] == [4, 1]
    assert files.knowledge.read_bytes() == before
    assert history(store, "k1") == [(4, "Yes.", "active", "ada")]


def test_a_higher_version_that_a_colleague_made_elsewhere_is_taken_as_it_stands(store: Store, files: Files) -> None:
    made = decided_entry(store)
    publish(store, files)
    edit(files, answer="Till six.", version=3, decided_by="ben", decided_at="2026-11-20T08:00:00Z")
    before = files.knowledge.read_bytes()
    assert [one.decided_by for one in entries(store, files)] == ["ben"]
    assert files.knowledge.read_bytes() == before
    assert history(store, made["id"])[1:] == [(3, "Till six.", "active", "ben")]


def test_other_spelling_of_the_same_line_is_no_edit(store: Store, files: Files) -> None:
    decided_entry(store, "Où?")
    publish(store, files)
    edit(files)
    files.knowledge.write_bytes(files.knowledge.read_bytes().replace(b"\n", b"\r\n"))
    before = files.knowledge.read_bytes()
    assert [one.version for one in entries(store, files)] == [1]
    assert files.knowledge.read_bytes() == before


def test_hand_edits_and_decisions_on_other_lines_go_together(store: Store, files: Files) -> None:
    decided_entry(store, "One?")
    publish(store, files)
    edit(files, answer="By hand.")
    decided_entry(store, "Two?")
    published = publish(store, files)
    assert [(one.version, one.answer) for one in read_file(files.knowledge)] == [(2, "By hand."), (1, "Yes.")]
    assert published.edited == 1


def test_an_entry_changed_on_both_sides_is_a_conflict_and_the_file_is_kept(store: Store, files: Files) -> None:
    decided_entry(store, "Zero?")
    made = decided_entry(store)
    publish(store, files)
    before = lines_of(files)[1]
    edit(files, 1, answer="By hand.")
    undone(store, made)
    content = files.knowledge.read_bytes()

    for _ in range(2):
        with pytest.raises(KnowledgeError, match=r"Line 2 of .*knowledge\.jsonl .*changed by hand while a decision"):
            publish(store, files)
        assert files.knowledge.read_bytes() == content
        assert waiting(store) == 1
    edit(files, 1, **before)
    publish(store, files)
    assert read_file(files.knowledge)[1].status == RETIRED


def test_a_line_removed_by_hand_while_a_decision_changes_it_is_a_conflict(store: Store, files: Files) -> None:
    made = decided_entry(store)
    publish(store, files)
    decided_entry(store, answer="New.", entry_id=made["id"])
    files.knowledge.write_bytes(b"")
    with pytest.raises(KnowledgeError, match="gone from"):
        publish(store, files)
    assert waiting(store) == 1


def test_a_line_removed_by_hand_and_by_undo_is_agreed(store: Store, files: Files) -> None:
    made = decided_entry(store)
    publish(store, files)
    undone(store, made)
    files.knowledge.write_bytes(b"")
    publish(store, files)
    assert read_file(files.knowledge) == []
    assert history(store, made["id"])[-1] == (2, "Yes.", "retired", "ada")


def test_an_unreadable_line_stops_publishing_and_keeps_file_and_decision(store: Store, files: Files) -> None:
    files.knowledge.write_bytes(b"{broken\n")
    decided_entry(store)
    with pytest.raises(KnowledgeError, match="Line 1 of"):
        publish(store, files)
    assert files.knowledge.read_bytes() == b"{broken\n"
    assert waiting(store) == 1
    files.knowledge.write_bytes(b"")
    assert len(publish(store, files).entries) == 1


def test_a_file_saved_at_the_very_moment_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "knowledge.jsonl"
    path.write_bytes(b"somebody's\n")
    with pytest.raises(KnowledgeError, match="try again"):
        entries_file.save(path, b"what we read\n", b"ours\n")
    assert path.read_bytes() == b"somebody's\n"


def test_a_linked_file_stays_a_link_and_keeps_its_mode(store: Store, files: Files, tmp_path: Path) -> None:
    real = tmp_path / "repository" / "facts.jsonl"
    real.parent.mkdir()
    real.touch(mode=0o640)
    real.chmod(0o640)
    files.knowledge.symlink_to(real)
    decided_entry(store)
    publish(store, files)
    assert files.knowledge.is_symlink()
    assert len(read_file(real)) == 1
    assert real.stat().st_mode & 0o777 == 0o640


def test_a_folder_that_does_not_exist_is_a_clear_error(store: Store) -> None:
    files = Files(store.home / "absent" / "knowledge.jsonl", store.home / "instructions.md")
    decided_entry(store)
    with pytest.raises(DiskError, match="absent"):
        publish(store, files)
    assert waiting(store) == 1


def test_a_damaged_store_still_shows_the_file(store: Store, files: Files) -> None:
    decided_entry(store)
    publish(store, files)
    store.damage = "two commits short"
    edit(files, answer="By hand.")
    assert [one.answer for one in entries(store, files)] == ["By hand."]
    assert lines_of(files)[0]["version"] == 1


# Entries made elsewhere, and the whole way from the queue


def test_added_entries_stand_once_with_their_history(store: Store, files: Files) -> None:
    new = [entry("k1", decided_by="", decided_at=""), entry("k2", "Other?"), entry("k2", "Other?")]
    assert add_entries(store, files, new, by="sample world") == 2
    assert add_entries(store, files, new, by="sample world") == 0
    assert [one.decided_by for one in entries(store, files)] == ["sample world", "ada"]
    assert store.scalar("SELECT count(*) FROM entry_version") == 2


def test_deciding_writes_the_file_and_undo_retires_the_entry(store: Store, files: Files) -> None:
    pattern(store, PLAYGROUND, 7)
    today = MONDAY + timedelta(days=1)
    review.run_rules(store, ("seed",), similarity=0.3, budget=40, now=today)
    (task,) = review.claim(store, "ada", now=today)
    answer = review.Answer(Outcome.EDIT, text="Yes, since June.", correction_type=CorrectionType.KNOWLEDGE)
    done = knowledge.decide(store, files, task.task_id, "ada", task.lease_token or "", answer, now=today)

    (line,) = entries(store, files)
    assert (line.entry_id, line.question, line.answer) == (done.target_id, PLAYGROUND, "Yes, since June.")
    assert len(line.sources) == 7
    edit(files, answer="Yes, since July.")
    knowledge.undo(store, files, "ada", now=today)
    (line,) = entries(store, files)
    assert (line.status, line.version, line.answer) == (RETIRED, 3, "Yes, since July.")


def test_a_decision_whose_file_cannot_be_written_stands_and_says_so(store: Store, files: Files) -> None:
    pattern(store, PLAYGROUND, 7)
    today = MONDAY + timedelta(days=1)
    review.run_rules(store, ("seed",), similarity=0.3, budget=40, now=today)
    (task,) = review.claim(store, "ada", now=today)
    files.knowledge.write_bytes(b"{broken\n")
    answer = review.Answer(Outcome.EDIT, text="Yes.")
    with pytest.raises(KnowledgeError, match=r"decision stands .* Line 1 of"):
        knowledge.decide(store, files, task.task_id, "ada", task.lease_token or "", answer, now=today)
    files.knowledge.unlink()
    assert [one.answer for one in entries(store, files)] == ["Yes."]
