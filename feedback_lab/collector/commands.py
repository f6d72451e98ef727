"""The server's half of the hand-over: run a command of the command line with the lab that is open here.

Only the owner's token opens this, and only from this machine: whoever holds it may read and write home anyway.
The answer is a stream of JSON lines, see `cli.handover`. A caller that goes away cancels what can be cancelled.
"""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO, cast

from fastapi import APIRouter, Request
from starlette.responses import Response, StreamingResponse

from feedback_lab import cli, server_note
from feedback_lab.cli.output import Caller, Terminal
from feedback_lab.collector.access import require
from feedback_lab.collector.answers import ApiError, JsonAnswer
from feedback_lab.collector.deps import Deps
from feedback_lab.jobs import COMMANDS, Job, JobHandle
from feedback_lab.keys import Scope
from feedback_lab.serving import Lab
from feedback_lab.settings import Settings

MOST_BODY_BYTES = 1_000_000
LOOK_EVERY_S = 1.0  # whether the caller of a silent command is still there


@dataclass(frozen=True, slots=True)
class Command:
    """A command line with what belongs to it: see `cli.handover.hand_over`."""

    id: str
    arguments: list[str]
    folder: Path
    settings: Settings
    terminal: Terminal
    debug: bool


def router(deps: Deps) -> APIRouter:
    """`POST /v1/commands` runs one, `DELETE /v1/commands/{id}` asks it to stop."""
    routes = APIRouter(prefix="/v1/commands", include_in_schema=False)
    running: dict[str, Job[int]] = {}

    @routes.post("")
    @require(Scope.OWNER)
    async def run(request: Request) -> Response:
        _refuse_strangers(request)
        command = _parsed(await _body(request))
        lab = await asyncio.to_thread(deps.lab_of)
        events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        loop = asyncio.get_running_loop()

        def tell(event: dict[str, Any]) -> None:
            loop.call_soon_threadsafe(events.put_nowait, event)

        job = COMMANDS.start("command line", lambda handle: _run(command, lab, handle, tell))
        running[command.id] = job

        async def answer() -> AsyncIterator[bytes]:
            try:
                async for line in _lines(request, events):
                    yield line
            finally:  # also when the caller has gone
                running.pop(command.id, None)
                COMMANDS.drop(job.id)

        return StreamingResponse(answer(), media_type="application/x-ndjson", headers={"Cache-Control": "no-store"})

    @routes.delete("/{command_id}")
    @require(Scope.OWNER)
    async def stop(request: Request, command_id: str) -> Response:
        _refuse_strangers(request)
        job = running.get(command_id)
        return JsonAnswer({"stopping": bool(job and job.cancel())})

    return routes


async def _lines(request: Request, events: asyncio.Queue[dict[str, Any]]) -> AsyncIterator[bytes]:
    """What a command says, until it ends or its caller has gone."""
    while True:
        try:
            event = await asyncio.wait_for(events.get(), LOOK_EVERY_S)
        except TimeoutError:
            if await request.is_disconnected():
                return
            continue
        yield json.dumps(event).encode() + b"\n"
        if "exit" in event:
            return


def _run(command: Command, lab: Lab, handle: JobHandle, tell: Callable[[dict[str, Any]], None]) -> int:
    code = 1
    try:
        out, err = (cast(TextIO, _Stream(name, tell)) for name in ("out", "err"))
        caller = Caller(out, err, command.terminal, command.folder, handle)
        code = cli.run_inside(command.arguments, lab, command.settings, caller, debug=command.debug)
    finally:
        tell({"exit": code})
    return code


class _Stream(io.TextIOBase):
    """A text stream whose every write is sent at once."""

    def __init__(self, name: str, tell: Callable[[dict[str, Any]], None]) -> None:
        self._name, self._tell = name, tell

    def write(self, text: str, /) -> int:
        if text:
            self._tell({self._name: text})
        return len(text)

    def writable(self) -> bool:
        return True


def _refuse_strangers(request: Request) -> None:
    own = (request.scope.get("server") or (None,))[0]
    peer = request.client.host if request.client else None
    if not server_note.is_this_machine(peer, own, request.headers.keys()):
        raise ApiError(403, "not_this_machine", "Commands are taken from this machine only.")


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BODY_BYTES:
            raise ApiError(413, "too_large", f"A command line may hold {MOST_BODY_BYTES:,} bytes.")
    return bytes(body)


def _parsed(body: bytes) -> Command:
    try:
        found = json.loads(body)
        arguments, terminal = found["arguments"], found["terminal"]
        if not isinstance(arguments, list) or not all(isinstance(word, str) for word in arguments):
            raise TypeError("arguments")
        return Command(
            id=str(found["id"]),
            arguments=arguments,
            folder=Path(found["folder"]),
            settings=Settings(**found["settings"]),
            terminal=Terminal(int(terminal["width"]), terminal["colours"], bool(terminal["shows_progress"])),
            debug=bool(found["debug"]),
        )
    except (ValueError, KeyError, TypeError):
        raise ApiError(
            422,
            "bad_command",
            "The command line could not be read: is the command line of the same version as the running dashboard?",
        ) from None
