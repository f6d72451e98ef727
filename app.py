"""Launcher: dashboard and HTTP API in one process. `feedback-lab serve` starts it, or `streamlit run app.py`.

The line `app = st.App(...)` must stand as it is: Streamlit looks for it in the text of this file, and without
it would run the file as a page, with no API and no security headers.
"""

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware
from starlette.routing import Mount
from streamlit import config

from feedback_lab import serving
from feedback_lab.collector import Collector
from feedback_lab.errors import LabError
from feedback_lab.settings import load_settings
from feedback_lab.ui.headers import SecurityHeaders
from feedback_lab.ui.own_pages import OwnPages

ENTRY_POINT = Path(serving.__file__).resolve().parent / "ui" / "main.py"


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[None]:
    """Open the lab before the first request and close it after the last; pages and /api share it."""
    # The writer asks for the interpreter after each call of the engine: with the default, a busy server would let it
    # wait 5 ms each time, and so every sender.
    sys.setswitchinterval(0.0005)
    try:
        serving.open_lab()
        collector.begin()
    except LabError as error:
        print(error, file=sys.stderr)  # the pages and /api/v1/health say it too
    try:
        yield
    finally:
        collector.close()
        serving.close_lab()


def host_names() -> list[str]:
    """The names under which the server may be asked for; none where it may be any."""
    names = list(st.get_option("server.allowedHosts"))
    if names:
        names += load_settings().allowed_hosts
        config.set_option("server.allowedHosts", names)  # Streamlit compares too, before it opens a page's WebSocket
    return names


try:
    serving.refuse_open_door(st.get_option("server.address"), os.environ.get(serving.INSECURE) == "1")
except LabError as error:
    sys.exit(str(error))

collector = Collector(serving.open_lab)
app = st.App(
    ENTRY_POINT,
    lifespan=lifespan,
    routes=[Mount("/api", app=collector.api)],
    middleware=[Middleware(SecurityHeaders), Middleware(OwnPages, hosts=host_names())],
)
