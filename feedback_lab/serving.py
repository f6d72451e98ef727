"""The running dashboard: the one open lab of a process, and the server that shows it.

Pages and HTTP routes of one process share the lab that `open_lab` returns, because the embedded database
lets only one process in. Streamlit is started by its own command line, so that the package imports without it.
"""

from __future__ import annotations

import os
import runpy
import signal
import socket
import sys
import threading
import time
import urllib.request
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from feedback_lab import backup, jobs, knowledge, server_note, store_engine, uploads
from feedback_lab.errors import DiskError, InputError, KnowledgeError, LabError, StoreBusyError
from feedback_lab.server_note import is_loopback
from feedback_lab.settings import Settings, load_settings
from feedback_lab.store import Store, open_store

DEFAULT_HOST, DEFAULT_PORT = "127.0.0.1", 8501
INSECURE = "FEEDBACK_LAB_INSECURE"
HOUSEKEEPING_EVERY_S = 3600.0
EXIT_BROKEN = 74  # what sysexits.h calls an input/output error: a supervisor starts the server again
GRACE_S, MOST_GRACE_S = 2.0, 20.0  # for answers under way after a fatal error, and for an orderly end


@dataclass(frozen=True, slots=True)
class Lab:
    """What every door needs: the settings, the open store, and the two published files.

    `unpublished` says what kept decisions from their files at start-up, None where all is written.
    """

    settings: Settings
    store: Store
    files: knowledge.Files
    unpublished: str | None = None


_lab: Lab | None = None
_opening = threading.Lock()
_broken = threading.Event()


def open_lab(home: Path | None = None, db: str | None = None) -> Lab:
    """The lab of this process, opened on the first call; later calls answer the same one, whatever they ask for.

    Opening ends a restore that was cut off, migrates the database where needed, and publishes what was
    decided but not yet written. Raises LabError where home or the database cannot be used.
    """
    global _lab
    with _opening:
        if _lab is None:
            settings = load_settings(home, db or os.environ.get("FEEDBACK_LAB_DB"))
            files = knowledge.Files(settings.knowledge_path, settings.instructions_path)
            backup.finish_restore(settings.home)
            store = open_store(settings.home, settings.db)
            try:
                unpublished = _publish(store, files)
            except BaseException:
                store.close()
                raise
            _lab = Lab(settings, store, files, unpublished)
        elif _lab.unpublished:
            _lab = replace(_lab, unpublished=_publish(_lab.store, _lab.files))
        return _lab


def _publish(store: Store, files: knowledge.Files) -> str | None:
    """Write what is still to be written; a file that cannot be read or written must not close every door."""
    try:
        if not store.damage:
            knowledge.publish(store, files)
    except (KnowledgeError, DiskError) as error:
        return str(error)
    return None


def close_lab() -> None:
    """Stop what still works in the background, then let the database go. Harmless where nothing is open."""
    global _lab
    for work in (jobs.COMMANDS, jobs.JOBS):
        work.close()
    with _opening:
        if _lab is not None:
            _lab.store.close()
            _lab = None


def app_folder() -> Path:
    """The folder with `app.py` and `pages/`: beside the package in a checkout, inside it when installed."""
    package = Path(__file__).resolve().parent
    for folder in (package / "_app", package.parent):
        if (folder / "app.py").is_file() and (folder / "pages").is_dir():
            return folder
    raise LabError(f"app.py and pages/ are missing beside {package}: install Feedback Lab again.")


def refuse_open_door(host: str | None, insecure: bool) -> None:
    """Raise InputError where others could reach the dashboard, which has no login yet, and nobody allowed it."""
    if not insecure and not (host and is_loopback(host)):
        raise InputError(
            f"The dashboard has no login yet, so it does not listen on {host or 'every address'}: leave --host away, "
            "or add --insecure where the network is trusted."
        )


def serve(
    home: Path | None = None,
    db: str | None = None,
    host: str = DEFAULT_HOST,
    port: int = DEFAULT_PORT,
    insecure: bool = False,
    browser: bool = True,
) -> int:
    """Run dashboard and HTTP API in this process until it is stopped; the exit code.

    Call it from the main thread. After a fatal error of the database it answers for a moment more, then ends with
    EXIT_BROKEN. Raises LabError where home, the database, the host or the port cannot be used.
    """
    refuse_open_door(host, insecure)
    refuse_used_port(host, port)
    lab = _open_alone(home, db)
    os.environ["FEEDBACK_LAB_HOME"] = str(lab.settings.home)
    if lab.settings.db:
        os.environ["FEEDBACK_LAB_DB"] = lab.settings.db
    os.environ[INSECURE] = "1" if insecure else ""
    url = _url(host, port)
    note = _leave_note(lab, url)  # at once, so that commands wait for the server while it starts
    try:
        print(f"Feedback Lab runs at {url} on {lab.settings.home}. Ctrl+C stops it.", flush=True)
        if browser:
            threading.Thread(target=_open_browser, args=(url,), daemon=True).start()
        code = _run_streamlit(host, port)
        return EXIT_BROKEN if _broken.is_set() else code
    finally:
        note.unlink(missing_ok=True)
        close_lab()


@contextmanager
def in_service(host: str | None, port: int) -> Iterator[Lab]:
    """The lab of this process while a server shows it on this address.

    Meanwhile `server.json` in home (mode 0600) says where it is (`server_note`), home is kept tidy, and a fatal error
    of the database ends the process. Raises LabError where the lab cannot be opened.
    """
    lab = open_lab()
    home = lab.settings.home
    lab.store.on_fatal = _leave
    with lab.store.read() as connection:
        store_engine.at_least(connection.connection.cursor(), store_engine.SERVER_MEMORY)
    uploads.remove_abandoned(home, 0)
    threading.Thread(target=_keep_house, args=(home,), daemon=True).start()
    note = _leave_note(lab, _url(host, port))
    try:
        yield lab
    finally:
        note.unlink(missing_ok=True)


def _leave_note(lab: Lab, url: str) -> Path:
    database_id = str(lab.store.scalar("SELECT database_id FROM ledger"))
    return server_note.write(lab.settings.home, url, lab.store.path, database_id)


def _keep_house(home: Path) -> None:
    while True:
        time.sleep(HOUSEKEEPING_EVERY_S)
        uploads.remove_abandoned(home)


def _open_alone(home: Path | None, db: str | None) -> Lab:
    try:
        return open_lab(home, db)
    except StoreBusyError:
        settings = load_settings(home, db)
        note = server_note.read(settings.home)
        if note is None or not is_alive(note.pid):
            raise
        raise StoreBusyError(
            f"The dashboard of {settings.home} runs already at {note.url} (PID {note.pid}): open it there, or stop it."
        ) from None


def is_alive(pid: int) -> bool:
    """Whether a process with this id runs."""
    if pid <= 0 or os.name == "nt":  # there, signal 0 would end the process
        return pid > 0
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _leave(reason: str) -> None:
    """End the server after a fatal error of the database: only a new process can write again."""
    if _broken.is_set():
        return
    _broken.set()
    print(f"Feedback Lab ends: {reason}", file=sys.stderr, flush=True)

    def end() -> None:
        time.sleep(GRACE_S)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(MOST_GRACE_S)
        os._exit(EXIT_BROKEN)

    threading.Thread(target=end, daemon=True).start()


def _run_streamlit(host: str, port: int) -> int:
    """Streamlit's own command line, in this process. Its stop by a signal comes back as an exit code."""
    options = {
        "server.address": host,
        "server.port": str(port),
        "server.headless": "true",
        "server.fileWatcherType": "none",
        "browser.gatherUsageStats": "false",
        "client.toolbarMode": "minimal",
        "client.showErrorDetails": "none",
        "client.showErrorLinks": "false",
        "logger.hideWelcomeMessage": "true",
    }
    arguments = [f"--{name}={value}" for name, value in options.items()]
    if is_loopback(host):  # a page elsewhere must not reach us under a name of its own (DNS rebinding)
        arguments += [f"--server.allowedHosts={name}" for name in ("localhost", "127.0.0.1", "[::1]")]
    # The server re-raises the signal after it has shut down; without this, SIGTERM would skip our clean-up, and Ctrl+C
    # would be called an abort.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    before, sys.argv = sys.argv, ["streamlit", "run", str(app_folder() / "app.py"), *arguments]
    try:
        runpy.run_module("streamlit", run_name="__main__", alter_sys=False)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    finally:
        sys.argv = before
    return 0


def refuse_used_port(host: str, port: int) -> None:
    """Raise InputError where the server could not listen on this address."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        # As the server itself binds: connections of a server that has just ended do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(sys.platform != "win32"))
        try:
            probe.bind((host, port))
        except OverflowError:
            raise InputError(f"{port} is not a port: choose one from 1 to 65535 with --port.") from None
        except OSError as error:
            raise InputError(
                f"Port {port} on {host} cannot be used ({error.strerror or error}): "
                "stop the program that holds it, or choose another with --port."
            ) from None


def _url(host: str | None, port: int) -> str:
    if not host or host in ("0.0.0.0", "::"):
        host = "localhost"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _open_browser(url: str) -> None:
    """Open the start page once the server answers; give up quietly after a minute."""
    for _ in range(120):
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2):
                webbrowser.open(url)
                return
        except OSError:
            time.sleep(0.5)
