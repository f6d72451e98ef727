"""How good, and how dear, is clustering? Prints one table line per run.

    python benchmarks/clustering.py [--data DIR] [--rows 6000] [--classes N] [--distinct] [--seeds 1] [--set NAME]...
        [--titles] [--model FOLDER] [--bertopic] [--refit] [--emerging [--labels 12]]

ARI and V-measure compare with the labels that people gave (unassigned counts as one group); feedbackqa and the reviews
(of both only what is negative) have no topic labels, so only their number of clusters and their titles can be judged.
`--titles` adds the retrieval F1 of keywords (a comment counts as found when it has the stems of one of an issue's first
three), also on 3,000 rows as in the notes, there with the number of issues that is chosen and with that of the notes,
and the first 20 titles. More rows than a set has are drawn with replacement;
`--distinct` adds words to each, so that no comment is read once for many. `--model` joins the
vectors of an embedding model. `--bertopic` runs ours by words alone and BERTopic with the same vectors beside it, as it
is and with its outliers reduced; it is not part of this project (`pip install bertopic`).
`--refit` grows the set by 10 % and asks how much of the old grouping is kept. `--emerging` holds labels of banking77
out, lets them arrive in a stream of mixed comments, and asks when each is proposed. Every run is a process of its
own, so that peak memory is its own too. Both engines get two threads; read CPU seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

SETS = ("banking77", "airline_negative", "feedbackqa", "chatgpt_appstore_reviews")
NEGATIVE = {"feedbackqa": ["Bad", "Could be Improved"], "chatgpt_appstore_reviews": [1, 2]}
HEADER = (
    f"{'set':36}{'n':>8}{'seed':>6}{'k':>5}{'subs':>6}{'unassigned':>12}{'ARI':>8}{'V':>8}{'CPU s':>8}{'peak MB':>9}"
)
STREAM_SHARE = 0.04  # of the stream that is the label held out
LOOK_EVERY = 25  # comments
TITLES_SHOWN = 20
NOTES_ROWS, NOTES_ISSUES = 3_000, {"banking77": 33, "airline_negative": 27, "feedbackqa": 39}


def read(options: argparse.Namespace, rows: int) -> tuple[list[str], list[str] | None]:
    """So many comments of a data set and, where they are topics, their labels; sampled as in the notes."""
    import numpy as np
    import pandas as pd

    folder, name = options.data, options.name

    table = pd.read_csv(folder / f"{name}.csv", usecols=["text", "label"])
    if name in NEGATIVE:
        table = table[table["label"].isin(NEGATIVE[name])]
    table = table.dropna()
    if options.classes:
        kinds = np.random.default_rng(options.one).permutation(sorted(table["label"].unique()))
        table = table[table["label"].isin(kinds[: options.classes])]
    if len(table) > rows:
        table = table.sample(rows, random_state=7)
    elif rows > len(table) and name not in NEGATIVE and not options.classes:
        table = table.sample(rows, random_state=7, replace=True)
    return table["text"].tolist(), None if name in NEGATIVE else table["label"].tolist()


def line(name: str, labels: Any, truth: list[str] | None, seed: int, subs: int, seconds: float) -> str:
    """One line of the table."""
    from sklearn.metrics import adjusted_rand_score, v_measure_score

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    quality = "       -       -"
    if truth is not None:
        quality = f"{adjusted_rand_score(truth, labels):8.3f}{v_measure_score(truth, labels):8.3f}"
    lost = float((labels < 0).mean())
    k = len(set(labels.tolist()) - {-1})
    return f"{name:36}{len(labels):8}{seed:6}{k:5}{subs:6}{lost:12.3f}{quality}{seconds:8.1f}{peak:9.0f}"


def run(options: argparse.Namespace) -> None:
    """Cluster one data set in this process and print its line, and BERTopic's where asked."""
    from feedback_lab.issues.grouping.clustering import cluster
    from feedback_lab.issues.grouping.naming import name_issues

    texts, truth = read(options, options.rows)
    if options.distinct:
        texts = [f"{text} {texts[-row].split(' ')[0]} {row}" for row, text in enumerate(texts)]
    vectors, dear = None, 0.0
    if options.model:
        from feedback_lab.vectors import find_model

        dear, vectors = timed(lambda: find_model(options.model).embed(texts))
    if options.bertopic:
        seconds, plain = timed(lambda: cluster(texts, seed=options.one))
        print(line(f"{options.name}, words", plain.labels, truth, options.one, 0, seconds), flush=True)
    seconds, found = timed(lambda: cluster(texts, seed=options.one, vectors=vectors))
    naming, names = timed(lambda: name_issues(texts, found.labels, found.scores))
    print(line(options.name, found.labels, truth, options.one, len(found.subs.issue_of), seconds + naming), flush=True)
    if vectors is not None:
        print(f"  the vectors cost {dear:.1f} CPU seconds more", flush=True)
    if options.titles:
        print(f"  retrieval F1 of the first three keywords: {retrieval_f1(texts, found.labels, names):.3f}")
        some, _ = read(options, NOTES_ROWS)
        for wanted in dict.fromkeys([None, NOTES_ISSUES.get(options.name)]):
            same = cluster(some, n_clusters=wanted, seed=options.one)
            at_notes = retrieval_f1(some, same.labels, name_issues(some, same.labels, same.scores))
            how = "chosen" if wanted is None else "in the notes"
            print(f"    of {len(some)} comments, with the {same.n_clusters} issues {how}: {at_notes:.3f}")
        for label, issue in list(names.items())[:TITLES_SHOWN]:
            count = int((found.labels == label).sum())
            print(f"  {count:6}  {issue.title}  |  {json.dumps(issue.representative[:100], ensure_ascii=False)}")
    if options.bertopic and vectors is not None:
        for name, labels, seconds in bertopic(texts, vectors, options.one):
            print(line(f"{options.name}, {name}", labels, truth, options.one, 0, seconds), flush=True)


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """CPU seconds that `work` takes, and what it returns."""
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


def bertopic(texts: list[str], vectors: Any, seed: int) -> Iterator[tuple[str, Any, float]]:
    """Labels and CPU seconds of BERTopic with its defaults, except that UMAP is seeded; then without outliers.

    It first sees some texts in vain, so that no compilation is counted.
    """
    import numpy as np
    from bertopic import BERTopic
    from umap import UMAP

    def fitted(some: int) -> tuple[Any, Any]:
        reducer = UMAP(n_neighbors=15, n_components=5, min_dist=0.0, metric="cosine", random_state=seed)
        model = BERTopic(umap_model=reducer)
        return model, np.array(model.fit_transform(texts[:some], vectors[:some])[0])

    fitted(500)
    seconds, (model, labels) = timed(lambda: fitted(len(texts)))
    yield "BERTopic", labels, seconds
    if (labels < 0).any():
        more, reduced = timed(lambda: model.reduce_outliers(texts, labels.tolist()))
        yield "BERTopic reduced", np.array(reduced), seconds + more


def retrieval_f1(texts: list[str], labels: Any, names: dict[int, Any]) -> float:
    """Mean over issues of the F1 of "has one of the issue's first three keywords" against "is in the issue"."""
    import numpy as np

    from feedback_lab.issues.grouping.features import with_pairs
    from feedback_lab.tokens import content_words, tokens

    def stems(keyword: str) -> set[str]:
        # A keyword is too short to tell its language: "AI" is an Italian article, "plus" a French adverb.
        english = [stemmed for stemmed, _, is_function in tokens(keyword, "en") if not is_function]
        return {" ".join(english), " ".join(content_words(keyword))} - {""}

    terms = [set(with_pairs(content_words(text))) for text in texts]
    scores = []
    for label, name in names.items():
        wanted = set().union(*map(stems, name.keywords[:3]))
        hit = np.array([not wanted.isdisjoint(one) for one in terms])
        inside = labels == label
        scores.append(2 * float((hit & inside).sum()) / max(1, int(hit.sum() + inside.sum())))
    return float(np.mean(scores))


def refit(options: argparse.Namespace) -> None:
    """What is left of a grouping when 10 % new comments come and the model learns on."""
    import numpy as np
    from sklearn.metrics import adjusted_rand_score

    from feedback_lab.issues.grouping.clustering import cluster

    texts, truth = read(options, options.rows)
    old = len(texts) * 10 // 11
    before = cluster(texts[:old], seed=options.one)
    labels = np.append(before.labels, np.full(len(texts) - old, -1))
    seconds, after = timed(lambda: before.refit(texts, labels, np.zeros(len(texts), bool)))
    kept = len(set(after.labels[:old].tolist()) & set(before.labels.tolist()) - {-1})
    shared = adjusted_rand_score(before.labels, after.labels[:old])
    quality = (
        "" if truth is None else f", ARI on the new rows {adjusted_rand_score(truth[old:], after.labels[old:]):.3f}"
    )
    known = len(set(before.labels.tolist()) - {-1})
    print(
        f"{options.name}: shared ARI {shared:.3f}, {kept} of {known} ids kept{quality}, {seconds:.1f} CPU s", flush=True
    )


def emerging_label(options: argparse.Namespace) -> None:
    """One label of banking77 held out: after how many of its comments is it proposed, and how pure is the proposal?"""
    import numpy as np
    import pandas as pd

    from feedback_lab.issues.grouping.clustering import cluster, emerging

    table = pd.read_csv(options.data / "banking77.csv", usecols=["text", "label"]).dropna()
    names = np.random.default_rng(1).permutation(sorted(table["label"].unique()))
    held = names[options.one]
    known = table[table["label"] != held].sample(5_000, random_state=3)
    model = cluster(known["text"].tolist())
    late = table[table["label"] == held]
    late = late.sample(min(60, len(late)), random_state=1)
    others = table[(table["label"] != held) & ~table.index.isin(known.index)]
    others = others.sample(int(len(late) * (1 / STREAM_SHARE - 1)), random_state=1)
    stream = pd.concat([late, others]).sample(frac=1, random_state=2)
    texts, is_held = stream["text"].tolist(), (stream["label"] == held).to_numpy()
    wrong = 0
    for end in range(LOOK_EVERY, len(texts) + 1, LOOK_EVERY):
        purities = [float(is_held[group].mean()) for group in emerging(texts[:end], model)]
        wrong = max(wrong, sum(purity <= 0.5 for purity in purities))
        if max(purities, default=0.0) > 0.5:
            came = int(is_held[:end].sum())
            print(f"{held:50}{came:>8}{max(purities):>10.2f}{wrong:>17}", flush=True)
            return
    print(f"{held:50}{'never':>8}{'-':>10}{wrong:>17}", flush=True)


def main() -> None:
    """Run every data set and seed, each in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(__file__).resolve().parents[2] / "shared" / "data")
    parser.add_argument("--rows", type=int, default=6_000)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--classes", type=int, help="only so many of a set's classes, other ones with each seed")
    parser.add_argument("--labels", type=int, default=12, help="how many labels --emerging holds out, one at a time")
    parser.add_argument("--model", help="an embedding model (folder or name) whose vectors are joined")
    for name in ("titles", "bertopic", "refit", "emerging", "distinct"):
        parser.add_argument(f"--{name}", action="store_true")
    parser.add_argument("--set", action="append", choices=SETS, dest="sets")
    parser.add_argument("--name", choices=SETS, help=argparse.SUPPRESS)
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one is not None:
        (emerging_label if options.emerging else refit if options.refit else run)(options)
        return
    if options.emerging:
        print(f"{'label held out':50}{'comments':>8}{'precision':>10}{'other proposals':>17}", flush=True)
        jobs = [("banking77", number) for number in range(options.labels)]
    else:
        print("" if options.refit else HEADER, flush=True)
        jobs = [(name, seed) for name in options.sets or SETS for seed in range(options.seeds)]
    threads = {f"{name}_NUM_THREADS": "2" for name in ("OPENBLAS", "OMP", "MKL", "NUMBA")}
    for name, number in jobs:
        command = [sys.executable, __file__, *sys.argv[1:], "--name", name, "--one", str(number)]
        subprocess.run(command, check=True, env=os.environ | threads)


if __name__ == "__main__":
    main()
