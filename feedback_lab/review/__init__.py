"""The queue: rules open tasks, reviewers claim them, decide, skip, undo.

A claim is one conditional update that returns holder, expiry and a token; a decision carries the token.
"""

from feedback_lab.review.case import Case, RelatedFeedback, case
from feedback_lab.review.deciding import Answer, Decided, Undone, decide, undo
from feedback_lab.review.opening import RunReport, run_rules
from feedback_lab.review.tasks import UNDECIDED, Task, claim, decided_since, find, release, skip, tasks

__all__ = [
    "UNDECIDED",
    "Answer",
    "Case",
    "Decided",
    "RelatedFeedback",
    "RunReport",
    "Task",
    "Undone",
    "case",
    "claim",
    "decide",
    "decided_since",
    "find",
    "release",
    "run_rules",
    "skip",
    "tasks",
    "undo",
]
