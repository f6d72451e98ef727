"""What a product imports to send its answers and what people say about them, and to recall corrections.

    client = Client("http://127.0.0.1:8501", "fl_...")

    @client.recorded(model="heron-1")
    def answer(question: str) -> str: ...

    client.feedback(client.last_id(), "down", comment="The link is dead.")

Sending is the business of one background thread: a call puts a record into a bounded buffer, never waits for the
network and never raises. Standard library only, and nothing else of the package: this folder may be copied into a
product that wants no further dependency, which is why its modules name each other relatively.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import time
import urllib.parse
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, ParamSpec, TypeVar

from .recording import Recording, last_id, new_id, question_in, recorded, text_of
from .sending import Sender, Stats
from .web import Answer, Web

__all__ = ["Client", "Recording", "Stats"]

P = ParamSpec("P")
R = TypeVar("R")
RECALL_REST = 5.0  # seconds without asking again after a recall failed
log = logging.getLogger("feedback_lab.client")


class Client:
    """Sends interactions and feedback to a collector in the background, and recalls corrections.

    `key` has the scope ingest, `recall_key` (only for `recall`) the scope read; all three may come from
    FEEDBACK_LAB_URL, FEEDBACK_LAB_KEY and FEEDBACK_LAB_RECALL_KEY. Without address and key the client is switched
    off, and says so in the log.

    At most `capacity` interactions and as many feedback records wait, and 64 million characters; beyond that the
    oldest are dropped and counted, with one warning. In seconds: `flush_interval` between deliveries, `timeout` of
    one request, `exit_timeout` for what still waits when the process ends. Share one client per process.
    """

    def __init__(
        self,
        url: str | None = None,
        key: str | None = None,
        *,
        recall_key: str | None = None,
        capacity: int = 10_000,
        batch_size: int = 200,
        flush_interval: float = 1.0,
        timeout: float = 10.0,
        exit_timeout: float = 3.0,
    ) -> None:
        url = (url or os.environ.get("FEEDBACK_LAB_URL") or "").rstrip("/")
        key = key or os.environ.get("FEEDBACK_LAB_KEY") or ""
        self._on = bool(key) and url.startswith(("http://", "https://"))
        if not self._on:
            log.warning("Feedback Lab is switched off: it needs a key, and a url that starts with http.")
        self._recall_web = Web(url, recall_key or os.environ.get("FEEDBACK_LAB_RECALL_KEY") or key)
        self._sender = Sender(Web(url, key), capacity, batch_size, flush_interval, timeout, exit_timeout)
        self._recall_from = 0.0

    def interaction(
        self, input: object = None, output: object = None, *, interaction_id: str | None = None, **fields: Any
    ) -> str:
        """Record one request to the model and its answer; the id under which feedback is given.

        `fields`: session_id, turn, model, prompt_version, knowledge_version, user, tags, metadata, created_at.
        """
        name = interaction_id or new_id()
        last_id.set(name)
        self._put("interactions", {"interaction_id": name, "input": input, "output": output, **fields})
        return name

    def feedback(
        self,
        interaction_id: str,
        value: object = None,
        *,
        comment: str | None = None,
        suggested_answer: str | None = None,
        scale: tuple[float, float] | None = None,
        feedback_id: str | None = None,
        **fields: Any,
    ) -> str:
        """Record what somebody said about an interaction; the feedback's id.

        `value` is "up" or "down" (or True or False), or a number on `scale`. `fields`: kind, polarity, user,
        population (user, reviewer, test, judge), source, metadata, created_at.
        """
        name = feedback_id or new_id()
        said = {"value": value, "scale": scale, "comment": comment, "suggested_answer": suggested_answer}
        self._put("feedback", {"feedback_id": name, "interaction_id": interaction_id, **said, **fields})
        return name

    def on_feedback(
        self,
        state: Mapping[str, Any],
        widget: str,
        interaction_id: str,
        scale: tuple[int, int] | None = None,
        **fields: Any,
    ) -> None:
        """What `st.feedback` calls: `on_change=client.on_feedback, args=(st.session_state, its_key, interaction_id)`.

        For "stars" and "faces" give `scale` (1, 5). A thumb that is taken back sends nothing.
        """
        chosen = state.get(widget)
        if isinstance(chosen, int):
            value = bool(chosen) if scale is None else scale[0] + chosen
            self.feedback(interaction_id, value, scale=scale, **{"source": "streamlit", **fields})

    def recording(self, input: object = None, **fields: Any) -> Recording:
        """A context that records the interaction made inside it; `fields` are those of `interaction`."""
        return Recording(self._put, input, fields)

    def recorded(
        self,
        *,
        input: Callable[..., object] = question_in,
        output: Callable[[Any], object] = text_of,
        **fields: Any,
    ) -> Callable[[Callable[P, R]], Callable[P, R]]:
        """A decorator that records every call of a plain or async function, or of a generator that streams.

        `input` finds the question in the arguments (else: the last message of the role user, or the first text),
        `output` the text in the result, or in each piece of a stream.
        """

        def begin(*args: Any, **kwargs: Any) -> Recording:
            recording = Recording(self._put, None, fields, output)
            try:
                recording.input = input(*args, **kwargs)
            except Exception as error:
                recording.metadata["input_error"] = repr(error)
            return recording

        return lambda function: recorded(function, begin)

    def last_id(self) -> str:
        """The id of the interaction that this thread or task recorded last; empty before the first."""
        return last_id.get()

    def recall(self, query: str, k: int = 3, timeout: float = 1.0) -> list[dict[str, Any]]:
        """The `k` published corrections most like `query`, best first.

        An empty list on any trouble, after `timeout` seconds at the latest, and then for five seconds without
        asking, so that a collector that hangs costs the product next to nothing.
        """
        if not self._on or time.monotonic() < self._recall_from:
            return []
        try:
            hits = self._ask(f"recall?{urllib.parse.urlencode({'query': query, 'k': k})}", timeout)
            self._sender.recovered("recall")
            return hits
        except Exception as error:
            self._recall_from = time.monotonic() + RECALL_REST
            self._sender.complain("recall", "Feedback Lab at %s recalls nothing: %r", error)
            return []

    def _ask(self, path: str, timeout: float) -> list[dict[str, Any]]:
        """The answer's hits. In a thread of its own, because no timeout of a socket covers names and slow drips."""
        answers: list[Answer] = []
        web = self._recall_web
        asking = threading.Thread(target=lambda: answers.append(web.ask(path, None, timeout)), daemon=True)
        asking.start()
        asking.join(timeout)
        answer = answers[0] if answers else Answer(0)
        if not answer.good:
            raise LookupError(str(answer))
        hits: list[dict[str, Any]] = json.loads(answer.words)["hits"]
        return hits

    @property
    def stats(self) -> Stats:
        """How many records wait, were sent, dropped and rejected."""
        return self._sender.stats()

    def flush(self, timeout: float = 5.0) -> bool:
        """Send what waits, now; True when nothing waits any more, False when `timeout` seconds have passed."""
        return self._sender.flush(timeout)

    def close(self, timeout: float = 3.0) -> None:
        """Flush and end. What could not be delivered in time is dropped, counted and logged."""
        self._sender.close(timeout)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _put(self, route: str, record: dict[str, Any]) -> None:
        """The one way into the buffer; whatever goes wrong stays in here."""
        if not self._on:
            return
        try:
            record.setdefault("created_at", datetime.now(UTC))
            for name in ("input", "output"):
                if name in record:
                    record[name] = text_of(record[name])
            self._sender.put(route, {name: value for name, value in record.items() if value is not None})
        except Exception as error:
            self._sender.lose(error)
