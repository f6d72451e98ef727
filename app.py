"""Launcher: dashboard and HTTP API in one process. `feedback-lab serve` starts it, or `streamlit run app.py`.

The line `app = st.App(...)` must stand as it is: Streamlit looks for it in the text of this file, and without
it would run the file as a page, with no API and no security headers.
"""

import gc
import importlib
import os
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager, suppress
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware
from streamlit import config

from feedback_lab import serving, workers
from feedback_lab.collector import Collector, Mounted
from feedback_lab.errors import LabError
from feedback_lab.settings import load_settings
from feedback_lab.ui import background
from feedback_lab.ui.headers import SecurityHeaders
from feedback_lab.ui.own_pages import OwnPages

ENTRY_POINT = Path(serving.__file__).resolve().parent / "ui" / "main.py"


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[None]:
    """Open the lab before the first request and close it after the last; pages and /api share it."""
    # The writer asks for the interpreter after each call of the engine: with the default, a busy server would let it
    # wait 5 ms each time, and so every sender.
    sys.setswitchinterval(0.0005)
    gc.freeze()  # see warm_up
    warming = threading.Thread(target=warm_up, name="warm-up")
    warming.start()
    with ExitStack() as ending:
        # Done from the last to the first; what is frozen would be reported as leaked at the end.
        for step in (gc.unfreeze, serving.close_lab, background.close, collector.close, workers.end, warming.join):
            ending.callback(step)
        try:
            ending.enter_context(serving.in_service(st.get_option("server.address"), st.get_option("server.port")))
            workers.begin()
            collector.begin()
        except LabError as error:
            print(error, file=sys.stderr)  # the pages and /api/v1/health say it too
        yield


def warm_up() -> None:
    """Load what later requests would have to wait for, spare the search for garbage all that is loaded, then begin to
    count what the pages open with.

    Some 200,000 objects of the libraries stay for ever. To look through them again and again would stop every thread
    for 100 ms and more: at the end of each page, and several times a second when many requests wait.
    """
    pages = importlib.import_module("feedback_lab.ui.warming")  # with scikit-learn and Plotly behind it
    gc.collect()
    gc.freeze()
    with suppress(LabError):  # whoever asks next hears it
        pages.prepare(serving.open_lab().store)


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
    middleware=[
        Middleware(SecurityHeaders),
        Middleware(OwnPages, hosts=host_names()),
        Middleware(Mounted, api=collector.api),
    ],
)
