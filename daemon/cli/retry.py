"""kilokai retry."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from acoio.errors import DataError
from daemon.cli.options import ConfigFile, Sets, StorePath, store_of
from daemon.errors import plain
from daemon.ledger.stored import stored_files
from daemon.progress import FileProgress
from daemon.service.requests import submit
from daemon.service.retry import may_be_read_again

EXAMPLE: Final = "Example: kilokai retry --all --store /var/lib/kilokai"


def command(
    names: Annotated[
        list[str] | None, typer.Argument(help="Files, as `kilokai status` names them.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every file that was set aside.")] = False,
    store: StorePath = None,
    config: ConfigFile = None,
    sets: Sets = None,
) -> None:
    """Have files read again that were set aside or are damaged: now, or when a daemon starts."""
    if bool(names) == every:
        raise typer.BadParameter("wanted names of files, or --all")
    place = store_of(store, config, sets)
    lacking = [
        file for row in stored_files(place) if may_be_read_again(file := FileProgress(**row))
    ]
    aside = [file.name for file in lacking if file.state == "set_aside"]
    wanted = aside if every else list(dict.fromkeys(names or ()))
    if unknown := sorted({*wanted} - {file.name for file in lacking}):
        raise DataError(
            "\n".join(f"{plain(name)}: found no such file set aside or damaged" for name in unknown)
        )
    if not wanted:
        typer.echo("no file is set aside")
        return
    submit(place, "retry", {"all": True} if every else {"names": wanted})
    typer.echo(f"asked for {len(wanted)} file{'s' * (len(wanted) != 1)} to be read again")
