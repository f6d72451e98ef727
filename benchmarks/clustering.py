"""How good, and how dear, is clustering? Prints one table line per run, and the titles on request.

    python benchmarks/clustering.py [--data DIR] [--rows 6000] [--seeds 1] [--titles] [--set NAME]...

ARI and V-measure compare with the labels that people gave (unassigned counts as one group); feedbackqa has no
topic labels, so only its number of clusters and its titles can be judged. Every run is a process of its own, so
that peak memory is its own too. Read CPU seconds; one BLAS thread.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

SETS = ("banking77", "airline_negative", "feedbackqa")
HEADER = f"{'set':18}{'n':>8}{'seed':>6}{'k':>5}{'unassigned':>12}{'ARI':>8}{'V':>8}{'CPU s':>8}{'peak MB':>9}"


def read(folder: Path, name: str, rows: int) -> tuple[list[str], list[str] | None]:
    """The comments of a data set and, where they are topics, their labels; sampled as in the notes."""
    import pandas as pd

    table = pd.read_csv(folder / f"{name}.csv", usecols=["text", "label"])
    if name == "feedbackqa":
        table = table[table["label"].isin(["Bad", "Could be Improved"])]
    table = table.dropna()
    if len(table) > rows:
        table = table.sample(rows, random_state=7)
    elif rows > len(table) and name != "feedbackqa":
        table = table.sample(rows, random_state=7, replace=True)
    return table["text"].tolist(), None if name == "feedbackqa" else table["label"].tolist()


def run(folder: Path, name: str, rows: int, seed: int, titles: bool) -> None:
    """Cluster one data set in this process and print its line."""
    from sklearn.metrics import adjusted_rand_score, v_measure_score

    from feedback_lab.issues.clustering import cluster
    from feedback_lab.issues.naming import name_issues

    texts, truth = read(folder, name, rows)
    start = time.process_time()
    found = cluster(texts, seed=seed)
    names = name_issues(texts, found.labels, found.scores)
    seconds = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    quality = "       -       -"
    if truth is not None:
        quality = f"{adjusted_rand_score(truth, found.labels):8.3f}{v_measure_score(truth, found.labels):8.3f}"
    unassigned = float((found.labels < 0).mean())
    print(
        f"{name:18}{len(texts):8}{seed:6}{found.n_clusters:5}{unassigned:12.3f}{quality}{seconds:8.1f}{peak:9.0f}",
        flush=True,
    )
    if titles:
        for label, issue in names.items():
            count = int((found.labels == label).sum())
            print(f"  {count:6}  {issue.title}  |  {json.dumps(issue.representative[:100], ensure_ascii=False)}")


def main() -> None:
    """Run every data set and seed, each in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(__file__).resolve().parents[2] / "shared" / "data")
    parser.add_argument("--rows", type=int, default=6_000)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--titles", action="store_true", help="print the titles of the first seed")
    parser.add_argument("--set", action="append", choices=SETS, dest="sets")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    names = options.sets or list(SETS)
    if options.one is not None:
        run(options.data, names[0], options.rows, options.one, options.titles)
        return
    print(HEADER, flush=True)
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    for name in names:
        for seed in range(options.seeds):
            command = [sys.executable, __file__, "--data", str(options.data), "--rows", str(options.rows)]
            command += ["--set", name, "--one", str(seed), *(["--titles"] if options.titles and seed == 0 else [])]
            subprocess.run(command, check=True, env=environment)


if __name__ == "__main__":
    main()
