"""The body of a request: read up to a limit, unpacked up to a limit, and parsed without guessing."""

from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import Callable
from typing import Any, TypeVar

from fastapi import Request

from feedback_lab.collector.answers import ApiError
from feedback_lab.collector.limits import Limits

T = TypeVar("T")

LARGE = 100_000  # bytes that take milliseconds to read
MAX_DIGITS = 400  # of a number: more cost time quadratically, and mean nothing


async def read(request: Request, limits: Limits) -> bytes:
    """The body, unpacked where it is gzip. Raises ApiError: 413 where it is too large, 415 for another encoding."""
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip"):
        raise ApiError(415, "bad_encoding", "The body may be sent as it is, or with Content-Encoding: gzip.")
    declared = request.headers.get("content-length", "0")
    if not declared.isdecimal() or int(declared[:20]) > limits.body_bytes:
        raise _too_large(limits.body_bytes)
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > limits.body_bytes:
            raise _too_large(limits.body_bytes)
        parts.append(part)
    body = b"".join(parts)
    if encoding == "identity":
        return body
    return await aside(len(body), unpack, body, limits.unpacked_bytes)


async def aside(size: int, work: Callable[..., T], *given: Any) -> T:
    """What `work` answers for a body of `size` bytes; a large one in a thread, to answer others meanwhile."""
    return await asyncio.to_thread(work, *given) if size > LARGE else work(*given)


def unpack(body: bytes, most: int) -> bytes:
    """The content of a gzip body, never more than `most` bytes in memory. Raises ApiError (413, 422)."""
    reader = zlib.decompressobj(wbits=31)
    try:
        content = reader.decompress(body, most + 1)
    except zlib.error:
        raise ApiError(422, "bad_gzip", "The body is no gzip.") from None
    if len(content) > most or reader.unconsumed_tail:
        raise _too_large(most)
    if not reader.eof or reader.unused_data:
        raise ApiError(422, "bad_gzip", "The body is cut off, or holds more than one gzip member.")
    return content


def require_json(request: Request) -> None:
    """Raise ApiError (415) where the body does not say that it is JSON: a form of another site cannot say so."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise ApiError(415, "bad_content_type", "Send JSON with Content-Type: application/json.")


def strict_json(body: bytes, depth: int = 50) -> Any:
    """The JSON value of a body. Raises ApiError (422) for what is no JSON, says a name twice, or nests too deep."""
    try:
        text = body.decode("utf-8")
        value = _DECODER.decode(text.removeprefix("\ufeff"))
    except UnicodeDecodeError:
        raise ApiError(422, "bad_json", "The body is not UTF-8.") from None
    except RecursionError:
        raise ApiError(422, "bad_json", f"The body nests deeper than {depth} levels.") from None
    except ValueError as error:
        reason = str(error) if isinstance(error, _Unclear) else _place(error)
        raise ApiError(422, "bad_json", reason) from None
    # What opens fewer objects and lists cannot nest deeper; nearly every body is told apart by that.
    if body.count(b"{") + body.count(b"[") > depth and _deeper(value, depth):
        raise ApiError(422, "bad_json", f"The body nests deeper than {depth} levels.")
    return value


class _Unclear(ValueError):
    """JSON that readers understand differently."""


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Unclear("An object holds the same name twice.")
    return found


def _integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise _Unclear("A number is too long.")
    return int(digits)


def _real(digits: str) -> float:
    value = float(digits) if len(digits) <= MAX_DIGITS else float("inf")
    if value in (float("inf"), float("-inf")):
        raise _Unclear("A number is too large.")
    return value


def _constant(word: str) -> Any:
    raise _Unclear(f"{word} is no JSON.")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_pairs, parse_int=_integer, parse_float=_real, parse_constant=_constant, strict=True
)


def _place(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"The body is no JSON (line {error.lineno}, column {error.colno})."
    return "The body is no JSON."


def _deeper(value: Any, depth: int) -> bool:
    level = [value]
    for _ in range(depth):
        level = [
            inner
            for one in level
            if isinstance(one, dict | list)
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
        if not level:
            return False
    return True


def _too_large(most: int) -> ApiError:
    return ApiError(413, "too_large", f"The body is larger than {most:,} bytes: send it in several requests.")
