"""Ten thousand broken files through the readers, the preview and the import: is every row accounted for?

    python benchmarks/fuzz.py [--files 10000] [--seed SEED] [--keep FOLDER]

Seeds of every kind of file that is read (CSV, JSON, Parquet, Excel, archives, the exports of other tools) are bent
as files get bent: bytes flipped, cut, spliced, repeated, encoded anew, signs dropped, archives broken inside. Each
is read and previewed; every tenth is tried against a database, and every hundredth is imported twice and taken back.
Exits with 1 and keeps the file where a row is lost, or anything but one of our own sentences is raised.
"""

import argparse
import random
import sys
import tempfile
import time
import traceback
from collections import Counter
from itertools import islice
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from feedback_lab.store import Store, open_store
from tests.mutations import judge, mutations, seeds

TRIED = 10
WHOLE = 100


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=None, help="drawn and printed unless given")
    parser.add_argument("--keep", type=Path, default=Path("fuzz-failures"), help="where files that fail are kept")
    options = parser.parse_args()
    seed = random.randrange(2**32) if options.seed is None else options.seed
    originals = seeds()
    print(f"seed {seed}: {options.files:,} files from {len(originals)} seeds")
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(Path(folder) / "home")
        begun = time.monotonic()
        counts, slowest = run(seed, options.files, originals, store, Path(folder) / "mutated", options.keep)
        seconds = time.monotonic() - begun
        store.close()
    print(
        f"{counts['read']:,} files read with {counts['rows']:,} rows, {counts['refused']:,} refused in a sentence, "
        f"{counts['tried']:,} tried against a database, {counts['failed']:,} failed; {seconds:,.0f} s, "
        f"the slowest file {slowest:.1f} s"
    )
    return 1 if counts["failed"] else 0


def run(
    seed: int, files: int, originals: dict[str, bytes], store: Store, path: Path, keep: Path
) -> tuple[Counter[str], float]:
    """What became of the files, and the seconds of the slowest."""
    counts: Counter[str] = Counter()
    slowest = 0.0
    for number, (name, content) in enumerate(islice(mutations(seed, originals), files)):
        path.write_bytes(content)
        begun = time.monotonic()
        try:
            verdict = judge(path, None if number % TRIED else store, whole=number % WHOLE == 0)
        except Exception:
            counts["failed"] += 1
            keep.mkdir(exist_ok=True)
            (keep / name).write_bytes(content)
            print(f"FAILED {keep / name}\n{traceback.format_exc()}", flush=True)
        else:
            counts["refused" if verdict.refused else "read"] += 1
            counts["rows"] += verdict.rows
            counts["tried"] += number % TRIED == 0
        slowest = max(slowest, time.monotonic() - begun)
    return counts, slowest


if __name__ == "__main__":
    sys.exit(main())
