"""Which knowledge entries belong to a question: lexical similarity with questions first, answers second."""

from collections.abc import Sequence
from dataclasses import dataclass

from feedback_lab.embedding import LexicalModel, similarities
from feedback_lab.records import Entry, EntryStatus

ANSWER_WEIGHT = 0.25


@dataclass(frozen=True, slots=True)
class Hit:
    """One recalled entry; `score` is 0 (no word in common) to 1 (the same words)."""

    entry: Entry
    score: float


class Recaller:
    """The active ones of `entries`, learnt once and asked often, by several threads too."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._active = [entry for entry in entries if entry.status == EntryStatus.ACTIVE]
        if self._active:
            questions, answers = ([getattr(e, name) for e in self._active] for name in ("question", "answer"))
            self._model = LexicalModel().fit(questions + answers)
            self._questions, self._answers = self._model.transform(questions), self._model.transform(answers)

    def recall(self, query: str, k: int = 5) -> list[Hit]:
        """The `k` active entries most similar to `query`, best first, without a threshold.

        The score is 0.75 x cosine with the question + 0.25 x cosine with the answer. Where scores are equal,
        the entry that was created first comes first. Fewer than `k` come back only where fewer are active.
        """
        if not self._active or k < 1:
            return []
        asked = self._model.transform([query])
        _, to_questions = next(similarities(asked, self._questions))
        _, to_answers = next(similarities(asked, self._answers))
        # Rounded, so that equal texts tie whatever the order of summation was.
        scores = ((1 - ANSWER_WEIGHT) * to_questions[0] + ANSWER_WEIGHT * to_answers[0]).round(6)
        best = sorted(range(len(self._active)), key=lambda number: (-scores[number], number))[:k]
        return [Hit(self._active[number], min(1.0, float(scores[number]))) for number in best]


def recall(entries: Sequence[Entry], query: str, k: int = 5) -> list[Hit]:
    """What a Recaller of `entries` answers, for one question."""
    return Recaller(entries).recall(query, k)
