"""The command and its groups; errors become one clear line and an exit code."""

from __future__ import annotations

import os
import sys
from inspect import cleandoc
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from acoio.errors import AcoError, SetupError
from daemon import __version__
from daemon.cli import (
    config,
    demo,
    doctor,
    evaluate,
    events,
    inspect,
    keys,
    models,
    retrain,
    retry,
    run,
    score,
    simulate,
    status,
    subscribe,
    train,
)
from daemon.cli.streams import OutputError, standard_streams
from daemon.errors import EXIT_FAILED, EXIT_WRONG_SETUP, plain
from daemon.helper import SAFE_PATH


class _Group(TyperGroup):
    """Says what was wrong, without a traceback: that is for bugs."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except AcoError as error:
            for line in str(error).splitlines():
                typer.echo(f"kilokai: {plain(line)}", err=True)
            wrong_setup = isinstance(error, SetupError)
            raise typer.Exit(EXIT_WRONG_SETUP if wrong_setup else EXIT_FAILED) from None

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a command whose help breaks lines at the terminal's width alone."""
        found = super().get_command(ctx, cmd_name)
        for command in (found, *getattr(found, "commands", {}).values()) if found else ():
            paragraphs = cleandoc(command.help or "").split("\n\n")
            command.help = "\n\n".join(" ".join(part.split()) for part in paragraphs)
        return found


app = typer.Typer(
    name="kilokai",
    cls=_Group,
    help="Watch the sea: score hydrophone sound as it arrives, and tell of what is unusual.",
    epilog="Example: kilokai demo --minutes 30",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"kilokai {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Take the options that stand before a command."""


for _part in (
    run,
    status,
    doctor,
    retry,
    demo,
    simulate,
    inspect,
    score,
    subscribe,
    train,
    evaluate,
    retrain,
):
    app.command(_part.__name__.rpartition(".")[2], epilog=_part.EXAMPLE)(_part.command)
app.add_typer(config.app, name="config")
app.add_typer(events.app, name="events")
app.add_typer(keys.app, name="keys")
app.add_typer(models.app, name="models")


def main() -> None:
    """Run the command."""
    os.environ[SAFE_PATH] = "1"  # what multiprocessing spawns imports nothing from where we are
    try:
        with standard_streams():
            app(prog_name="kilokai")
    except OutputError as error:
        if not error.is_closed:
            typer.echo(f"kilokai: {error}", err=True)
        sys.exit(EXIT_FAILED)
