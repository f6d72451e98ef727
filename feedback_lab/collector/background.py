"""What happens after new feedback was stored: the default rules run, and new comments find their issues.

It happens beside the requests, never for each of them: what comes while a run is on, and in the pause after it, is
looked at together by the next. The rules compute in another process (`workers`), so that no request waits for the
interpreter. Errors are logged, and the next feedback tries again; a run whose process was lost is made again by itself.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from feedback_lab.collector.writer import place_of
from feedback_lab.errors import LabError
from feedback_lab.serving import Lab
from feedback_lab.store import Store
from feedback_lab.workers import WorkerLost

log = logging.getLogger("feedback_lab.collector")

PAUSE_S = 5.0
REST = 9  # times as long as a run took, so that the rules never take more than a tenth of the time

# What came by the collector and may fire a rule; imports wait for a human who runs the rules.
LEFT_OVER = """
    SELECT 1 FROM feedback f
    WHERE f.batch_id IS NULL AND f.population = 'user' AND f.polarity = 'negative'
      AND f.feedback_id NOT IN (SELECT feedback_id FROM evaluation) LIMIT 1
"""


def left_over(store: Store) -> bool:
    """Whether a product's negative feedback waits for the rules."""
    return not store.damage and store.scalar(LEFT_OVER) is not None


def evaluate(lab: Lab) -> None:
    """Run the default rules over what they have not seen, and put new comments into the issues that there are."""
    # Behind it stands scikit-learn, which would cost the start of the server a second.
    from feedback_lab import review
    from feedback_lab.issues import tracking

    settings = lab.settings
    report = review.run_rules(lab.store, similarity=settings.similarity, budget=settings.daily_budget)
    assigned = tracking.assign_new(lab.store)
    log.info(
        "Rules looked at %d verdicts and opened %d tasks; %d comments placed", report.evaluated, report.opened, assigned
    )


class Evaluation:
    """Runs `work` in a thread of its own, soon after it was last asked for. Share one per process."""

    def __init__(self, work: Callable[[], object], pause_s: float = PAUSE_S) -> None:
        self._work, self._pause_s = work, pause_s
        self._wanted, self._closing = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    def ask(self) -> None:
        """There is something new to look at; returns at once."""
        if self._wanted.is_set():
            return
        self._wanted.set()
        with self._starting:
            if self._thread is None and not self._closing.is_set():
                self._thread = threading.Thread(target=self._run, name="collector-rules", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """End after the run that is on. What was asked for and not begun is left to the next start."""
        self._closing.set()
        self._wanted.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while True:
            self._wanted.wait()
            if self._closing.is_set():
                return
            self._wanted.clear()
            begun = time.monotonic()
            try:
                self._work()
            except WorkerLost as lost:
                log.warning("The rules were interrupted and run again in a moment: %s", lost)
                self._wanted.set()
            except LabError as error:
                log.error("The rules could not run: %s", type(error).__name__)
            except Exception as error:
                log.error("The rules could not run (%s)", place_of(error))
            self._closing.wait(max(self._pause_s, REST * (time.monotonic() - begun)))
