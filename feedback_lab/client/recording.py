"""One interaction while it happens: what was asked, what was answered, how long it took, what went wrong."""

from __future__ import annotations

import functools
import inspect
import json
import os
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import aclosing, closing
from contextvars import ContextVar
from datetime import UTC, datetime
from types import AsyncGeneratorType, GeneratorType
from typing import Any, ParamSpec, TypeVar, cast

P = ParamSpec("P")
R = TypeVar("R")
MAX_ERROR = 500  # characters
last_id: ContextVar[str] = ContextVar("feedback_lab_last_id", default="")


def new_id() -> str:
    """A UUIDv7 (RFC 9562, section 5.7), made when the record is, so that sending it again stores nothing twice."""
    milliseconds, chance = time.time_ns() // 1_000_000, int.from_bytes(os.urandom(10), "big")
    value = (milliseconds & (1 << 48) - 1) << 80 | 7 << 76 | (chance >> 68) << 64 | 2 << 62 | chance & (1 << 62) - 1
    return str(uuid.UUID(int=value))


def text_of(value: object) -> str | None:
    """Text as it is, anything else as JSON."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, default=str)


def question_in(*args: object, **kwargs: object) -> object:
    """What a call asks: the last message of the role user in a list of messages, else the first text."""
    given = [*args, *kwargs.values()]
    for messages in given:
        if isinstance(messages, list):
            for message in reversed(messages):
                if isinstance(message, Mapping) and message.get("role") == "user":
                    return message.get("content")
    return next((value for value in given if isinstance(value, str)), None)


class Recording:
    """A context around the making of an answer; recorded when it ends. The product's own errors pass through.

    Set `output`, or `add` the pieces of a stream. `metadata` takes what else is worth keeping; latency_ms,
    first_piece_ms, error (of an exception) and stopped (a stream that nobody read to its end) are added to it.
    """

    def __init__(
        self,
        put: Callable[[str, dict[str, Any]], None],
        input: object,
        fields: Mapping[str, Any],
        text: Callable[[Any], object] = text_of,
    ) -> None:
        self.interaction_id = fields.get("interaction_id") or new_id()
        self.input, self.output = input, cast(object, None)
        metadata = fields.get("metadata")
        self.metadata: dict[str, Any] = dict(metadata) if isinstance(metadata, Mapping) else {}
        self._put, self._fields, self._text = put, fields, text
        self._pieces: list[str] = []
        self._created_at, self._started = datetime.now(UTC), time.perf_counter()
        last_id.set(self.interaction_id)

    def add(self, piece: object) -> None:
        """One piece of a streamed answer."""
        if not self._pieces:
            self.metadata["first_piece_ms"] = self._elapsed_ms()
        self._pieces.append(self._readable(piece) or "")

    def __enter__(self) -> Recording:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> None:
        self.metadata["latency_ms"] = self._elapsed_ms()
        if isinstance(error, GeneratorExit):
            self.metadata["stopped"] = True
        elif error is not None:
            self.metadata["error"] = f"{type(error).__name__}: {_words_of(error)}"[:MAX_ERROR]
        output = "".join(self._pieces) if self._pieces else self._readable(self.output)
        record = {"interaction_id": self.interaction_id, "created_at": self._created_at, "input": self.input}
        self._put("interactions", {**self._fields, **record, "output": output, "metadata": self.metadata})

    def stream(self, pieces: Iterator[Any]) -> Iterator[Any]:
        """The same pieces, recorded on their way."""
        with self, closing(cast(Any, pieces)):
            for piece in pieces:
                self.add(piece)
                yield piece

    async def stream_async(self, pieces: AsyncIterator[Any]) -> AsyncIterator[Any]:
        """The same pieces, recorded on their way."""
        with self:
            async with aclosing(cast(Any, pieces)):
                async for piece in pieces:
                    self.add(piece)
                    yield piece

    def answered(self, result: Any) -> Any:
        """The result of a call, recorded now, or while it is read where it is a generator."""
        if isinstance(result, GeneratorType):
            return self.stream(result)
        if isinstance(result, AsyncGeneratorType):
            return self.stream_async(result)
        self.output = result
        self.__exit__(None, None, None)
        return result

    def _elapsed_ms(self) -> float:
        return round((time.perf_counter() - self._started) * 1_000, 3)

    def _readable(self, value: object) -> str | None:
        """The text of a result or piece; None where the product's own way to find it fails."""
        try:
            return text_of(self._text(value)) if value is not None else None
        except Exception as error:
            self.metadata["output_error"] = f"{type(error).__name__}: {_words_of(error)}"[:MAX_ERROR]
            return None


def _words_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return "?"


def recorded(function: Callable[P, R], begin: Callable[..., Recording]) -> Callable[P, R]:
    """`function` with every call recorded; of the same sort, because frameworks ask whether it is a coroutine."""
    sorts: list[tuple[Callable[[object], bool], Callable[..., Any]]] = [
        (inspect.isasyncgenfunction, _async_generator),
        (inspect.iscoroutinefunction, _coroutine),
        (inspect.isgeneratorfunction, _generator),
    ]
    wrap = next((wrap for is_sort, wrap in sorts if is_sort(function)), _plain)
    return cast(Callable[P, R], functools.wraps(function)(wrap(function, begin)))


def _plain(function: Callable[..., Any], begin: Callable[..., Recording]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        recording = begin(*args, **kwargs)
        try:
            result = function(*args, **kwargs)
        except BaseException as error:
            recording.__exit__(type(error), error, None)
            raise
        return recording.answered(result)

    return call


def _coroutine(function: Callable[..., Any], begin: Callable[..., Recording]) -> Callable[..., Any]:
    async def call(*args: Any, **kwargs: Any) -> Any:
        recording = begin(*args, **kwargs)
        try:
            result = await function(*args, **kwargs)
        except BaseException as error:
            recording.__exit__(type(error), error, None)
            raise
        return recording.answered(result)

    return call


def _generator(function: Callable[..., Any], begin: Callable[..., Recording]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        yield from begin(*args, **kwargs).stream(function(*args, **kwargs))

    return call


def _async_generator(function: Callable[..., Any], begin: Callable[..., Recording]) -> Callable[..., Any]:
    async def call(*args: Any, **kwargs: Any) -> Any:
        pieces = begin(*args, **kwargs).stream_async(function(*args, **kwargs))
        async with aclosing(cast(Any, pieces)):
            async for piece in pieces:
                yield piece

    return call
