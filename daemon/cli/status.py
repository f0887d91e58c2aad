"""kilokai status."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Annotated, Final

import typer

from acoio.errors import SetupError
from daemon.cli.options import ConfigFile, Json, Sets, config_of
from daemon.errors import EXIT_DONE, EXIT_FAILED, plain
from daemon.health.status import status
from daemon.health.status_lines import status_lines

_COLUMNS: Final = 80  # at least, and where it is no terminal
EXAMPLE: Final = "Example: kilokai status --config /etc/kilokai/kilokai.toml"


def command(
    store: Annotated[Path | None, typer.Option(help="The store; else that of --config.")] = None,
    config: ConfigFile = None,
    sets: Sets = None,
    as_json: Json = False,
) -> None:
    """Say whether all is well, on one screen; needs no running daemon.

    Exit 0 if it is well, 1 if it is not, 78 if there is no store to look at or the set-up is
    wrong.  With --json, `state` says it in a word: well, stopped, down, starting, full, deaf,
    stuck, quiet, unscored, behind, model, config, and setup where the exit is 78.
    """
    try:
        found = status(store or config_of(config, sets, needs_drop=False).store.path)
    except SetupError as error:
        if as_json:
            complaints = [plain(line) for line in str(error).splitlines()]
            told = {"well": False, "state": "setup", "complaints": complaints}
            typer.echo(json.dumps(told))
        raise
    typer.echo(json.dumps(found) if as_json else "\n".join(status_lines(found, _columns())))
    raise typer.Exit(EXIT_DONE if found["well"] else EXIT_FAILED)


def _columns() -> int:
    return max(shutil.get_terminal_size((_COLUMNS, 1)).columns, _COLUMNS)
