"""Commands that open the dashboard."""

from __future__ import annotations

from typing import Annotated

import typer

from feedback_lab import serving
from feedback_lab.cli.output import say
from feedback_lab.cli.session import session

Host = Annotated[str, typer.Option("--host", help="The address to listen on.")]
Port = Annotated[int, typer.Option("--port", min=1, max=65535, help="The port to listen on.")]
Insecure = Annotated[bool, typer.Option("--insecure", help="Allow other machines in, although there is no login.")]
NoBrowser = Annotated[bool, typer.Option("--no-browser", help="Do not open a browser window.")]
Fresh = Annotated[bool, typer.Option("--fresh", help="Make the sample world anew.")]


def register(app: typer.Typer) -> None:
    app.command("serve")(serve)
    app.command("demo")(demo)


def serve(
    context: typer.Context,
    host: Host = serving.DEFAULT_HOST,
    port: Port = serving.DEFAULT_PORT,
    insecure: Insecure = False,
    no_browser: NoBrowser = False,
) -> None:
    """Open the dashboard on your own data."""
    current = session(context)
    current.alone()
    raise typer.Exit(
        serving.serve(current.settings.home, current.given_db, host, port, insecure, browser=not no_browser)
    )


def demo(
    context: typer.Context,
    port: Port = serving.DEFAULT_PORT,
    no_browser: NoBrowser = False,
    fresh: Fresh = False,
) -> None:
    """Open the dashboard on a made-up product with 90 days of feedback, in a home of its own."""
    from feedback_lab import demo as sample_demo

    session(context).alone()
    home = session(context).settings.home / "demo"
    serving.refuse_used_port(serving.DEFAULT_HOST, port)
    made = sample_demo.prepare(home, fresh=fresh)
    if made:
        say(f"Sample world made in {home} ({made.interactions:,} interactions, {made.feedback:,} feedback items).")
    raise typer.Exit(serving.serve(home, None, serving.DEFAULT_HOST, port, False, browser=not no_browser))
