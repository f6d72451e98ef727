"""`PUT /v1/uploads/{id}`: a large file from the Upload page, streamed to disk, never held in memory.

The ticket that the page gave to its browser opens this, once; see `feedback_lab.uploads`.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from fastapi import APIRouter, Request
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from feedback_lab import uploads
from feedback_lab.atomic_file import disk_errors
from feedback_lab.collector.access import public
from feedback_lab.collector.answers import ApiError, JsonAnswer
from feedback_lab.collector.deps import Deps
from feedback_lab.ui.headers import BROWSER_COOKIE

BUFFER_BYTES = 4_000_000


def router(deps: Deps, desk: uploads.Desk = uploads.DESK) -> APIRouter:
    """The route that takes large files."""
    routes = APIRouter(prefix="/v1/uploads", include_in_schema=False)

    @routes.put("/{upload_id}")
    @public
    async def put(request: Request, upload_id: str) -> Response:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not desk.redeem(upload_id, token, request.cookies.get(BROWSER_COOKIE, "")):
            raise ApiError(401, "no_ticket", "This upload was not asked for, or too long ago: choose the file again.")
        lab = await asyncio.to_thread(deps.lab_of)
        home, limit = lab.settings.home, lab.settings.upload_mb * 1_000_000
        size = _announced(request)
        uploads.room_for(home, size, limit)
        path = home / uploads.FOLDER / f"{upload_id}.csv"
        await _receive(request, path, size)
        desk.arrived(upload_id, path)
        return JsonAnswer({"id": upload_id, "bytes": size}, 201)

    return routes


def _announced(request: Request) -> int:
    """How many bytes are to come: without it, neither limit nor room could be judged before they are there."""
    try:
        size = int(request.headers["content-length"])
    except (KeyError, ValueError):
        raise ApiError(411, "no_length", "The length of the file is missing: send it with Content-Length.") from None
    if size <= 0:
        raise ApiError(422, "empty", "The file is empty: choose another.")
    return size


async def _receive(request: Request, path: Path, size: int) -> None:
    """Write the body to `path`: whole, or not at all."""
    young = path.with_suffix(".part")
    received, waiting = 0, bytearray()
    with disk_errors(path):
        await asyncio.to_thread(path.parent.mkdir, parents=True, exist_ok=True)
        try:
            with await asyncio.to_thread(young.open, "xb") as file:
                async for chunk in request.stream():
                    waiting += chunk
                    received += len(chunk)
                    if len(waiting) >= BUFFER_BYTES:
                        await asyncio.to_thread(file.write, bytes(waiting))
                        waiting.clear()
                await asyncio.to_thread(file.write, bytes(waiting))
            if received != size:
                raise ClientDisconnect
            young.rename(path)
        except ClientDisconnect:
            raise ApiError(400, "broken_off", "The upload broke off: send the file again.") from None
        finally:
            young.unlink(missing_ok=True)
