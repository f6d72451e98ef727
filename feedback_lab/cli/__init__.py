"""The command line: `feedback-lab [--db URL] [--home DIR] COMMAND ... [--json]`.

Exit code 0 done, 1 a clear error, 2 wrong usage. An error is one line on stderr, and stdout stays empty.
"""

from __future__ import annotations

import functools
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from feedback_lab import __version__
from feedback_lab.cli import data, formats, importing, issues, keys, queue, reading, serving
from feedback_lab.cli.output import Caller, answering, caller, complain, say
from feedback_lab.cli.session import Session, as_caller_wishes
from feedback_lab.errors import LabError
from feedback_lab.jobs import Cancelled
from feedback_lab.serving import Lab
from feedback_lab.settings import Settings

app = typer.Typer(
    name="feedback-lab",
    help="Turn what people say about an AI product's answers into a better product.",
    no_args_is_help=False,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
for module in (serving, importing, formats, data, queue, issues, reading, keys):
    module.register(app)


def _version(wanted: bool) -> None:
    if wanted:
        say(f"feedback-lab {__version__}")
        raise typer.Exit


@app.callback()
def root(
    context: typer.Context,
    home: Annotated[Path | None, typer.Option(help="The folder that holds everything (see `doctor`).")] = None,
    db: Annotated[str | None, typer.Option(metavar="URL", help="Another database: duckdb:///PATH.")] = None,
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Say it.")] = False,
) -> None:
    """Turn what people say about an AI product's answers into a better product."""
    arguments, inside = context.obj
    context.obj = context.with_resource(Session(home, db, context.invoked_subcommand or "", arguments, inside))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and leave with its exit code; the entry point `feedback-lab`."""
    sys.exit(run(sys.argv[1:] if arguments is None else list(arguments)))


def run(arguments: Sequence[str]) -> int:
    """Run one command, here or, while a dashboard holds the database, there; its exit code."""
    try:
        return _run(arguments, None, debug=bool(os.environ.get("FEEDBACK_LAB_DEBUG")))
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - lives until the process ends
        return 0


def run_inside(arguments: Sequence[str], lab: Lab, settings: Settings, answered: Caller, *, debug: bool = False) -> int:
    """Run a command that another process handed over, with the lab that is open here; its exit code.

    It prints to `answered` only, looks for files from that caller's folder, and goes by that caller's settings.
    """
    with answering(answered):
        return _run(arguments, as_caller_wishes(lab, settings), debug=debug)


def _run(arguments: Sequence[str], inside: Lab | None, *, debug: bool) -> int:
    # Help goes to the process's own stdout, so only the process that was asked for it knows the option.
    more: dict[str, Any] = {"help_option_names": []} if inside else {}
    try:
        code = _commands()(
            list(arguments), standalone_mode=False, prog_name="feedback-lab", obj=(arguments, inside), **more
        )
    except typer.TyperException as error:  # wrong usage
        return complain(f"{error.format_message()} (feedback-lab --help lists the commands)", 2)
    except LabError as error:
        return complain(str(error), 1)
    except (typer.Abort, KeyboardInterrupt, Cancelled):
        return complain("Stopped.", 1)
    except BrokenPipeError:
        raise
    except Exception as error:
        return _complain_of_surprise(error, arguments, debug)
    return code if isinstance(code, int) else 0


def _complain_of_surprise(error: Exception, arguments: Sequence[str], debug: bool) -> int:
    if any("\ud800" <= letter <= "\udfff" for argument in arguments for letter in argument):
        return complain("An option or a name holds bytes that are no UTF-8: write it in UTF-8.", 1)
    if debug:
        for line in "".join(traceback.format_exception(error)).splitlines():
            complain(line, 1)
    return complain(
        f"Something unexpected went wrong ({type(error).__name__}: {error}): run it again with "
        "FEEDBACK_LAB_DEBUG=1 for the details, and please report it.",
        1,
    )


@functools.cache
def _commands() -> Callable[..., Any]:
    """The tree of commands, each of which finds the files that it is given from its caller's folder."""
    tree = typer.main.get_command(app)
    for command in _leaves(tree):
        command.callback = _from_callers_folder(command.callback)
    return tree


def _leaves(command: Any) -> Iterator[Any]:
    children = getattr(command, "commands", None)
    if children is None:
        yield command
    else:
        for child in children.values():
            yield from _leaves(child)


def _from_callers_folder(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(**given: Any) -> Any:
        if found := caller():
            given = {name: found.folder / value if isinstance(value, Path) else value for name, value in given.items()}
        return function(**given)

    return call
