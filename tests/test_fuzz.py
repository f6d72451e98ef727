"""Five hundred broken files: every row is accounted for, and nothing but a sentence of our own is raised."""

from itertools import islice
from pathlib import Path

from feedback_lab.store import Store
from tests import mutations

COUNT = 500
TRIED = 10  # every tenth is also tried against a database
WHOLE = 50  # every fiftieth is imported twice and taken back


def test_no_mutated_file_breaks_the_readers_or_loses_a_row(tmp_path: Path, store: Store) -> None:
    path = tmp_path / "mutated"
    read = refused = 0
    for number, (name, content) in enumerate(islice(mutations.mutations(1, mutations.seeds()), COUNT)):
        path.write_bytes(content)
        try:
            verdict = mutations.judge(path, None if number % TRIED else store, whole=number % WHOLE == 0)
        except BaseException as error:
            error.add_note(f"The file was {name}.")
            raise
        read, refused = read + (not verdict.refused), refused + bool(verdict.refused)

    assert read + refused == COUNT
    assert min(read, refused) > COUNT / 5  # else the mutations are too tame, or too wild, to show anything


def test_the_same_seed_makes_the_same_files() -> None:
    first, again, other = (list(islice(mutations.mutations(seed, mutations.seeds()), 200)) for seed in (7, 7, 8))

    assert first == again
    assert first != other
