"""The command line: `feedback-lab [--db URL] [--home DIR] COMMAND ... [--json]`.

Exit code 0 done, 1 a clear error, 2 wrong usage. An error is one line on stderr, and stdout stays empty.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from feedback_lab import __version__
from feedback_lab.cli import data, queue, reading, serving
from feedback_lab.cli.output import one_line
from feedback_lab.cli.session import Session
from feedback_lab.errors import LabError

app = typer.Typer(
    name="feedback-lab",
    help="Turn what people say about an AI product's answers into a better product.",
    no_args_is_help=False,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
for module in (serving, data, queue, reading):
    module.register(app)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"feedback-lab {__version__}")
        raise typer.Exit


@app.callback()
def root(
    context: typer.Context,
    home: Annotated[Path | None, typer.Option(help="The folder that holds everything (see `doctor`).")] = None,
    db: Annotated[str | None, typer.Option(metavar="URL", help="Another database: duckdb:///PATH.")] = None,
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Say it.")] = False,
) -> None:
    """Turn what people say about an AI product's answers into a better product."""
    context.obj = context.with_resource(Session(home, db))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and leave with its exit code; the entry point `feedback-lab`."""
    sys.exit(run(sys.argv[1:] if arguments is None else list(arguments)))


def run(arguments: Sequence[str]) -> int:
    """Run one command; its exit code."""
    try:
        code = app(list(arguments), standalone_mode=False, prog_name="feedback-lab")
    except typer.TyperException as error:  # wrong usage
        return _complain(f"{error.format_message()} (feedback-lab --help lists the commands)", 2)
    except LabError as error:
        return _complain(str(error), 1)
    except (typer.Abort, KeyboardInterrupt):
        return _complain("Stopped.", 1)
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - lives until the process ends
        return 0
    except Exception as error:
        if any("\ud800" <= letter <= "\udfff" for argument in arguments for letter in argument):
            return _complain("An option or a name holds bytes that are no UTF-8: write it in UTF-8.", 1)
        if os.environ.get("FEEDBACK_LAB_DEBUG"):
            raise
        return _complain(
            f"Something unexpected went wrong ({type(error).__name__}: {error}): run it again with "
            "FEEDBACK_LAB_DEBUG=1 for the details, and please report it.",
            1,
        )
    return code if isinstance(code, int) else 0


def _complain(message: str, code: int) -> int:
    print(one_line(message), file=sys.stderr)
    return code
