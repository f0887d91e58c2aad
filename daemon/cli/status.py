"""kilokai status."""

from __future__ import annotations

import json
import shutil
from typing import Final

import typer

from acoio.errors import NotReadyError, SetupError
from daemon.cli.options import ConfigFile, Json, Sets, StorePath, store_of
from daemon.config import ConfigError
from daemon.errors import EXIT_DONE, EXIT_FAILED, plain
from daemon.health.status import status
from daemon.health.status_lines import status_lines

_COLUMNS: Final = 80  # at least, and where it is no terminal
EXAMPLE: Final = "Example: kilokai status --config /etc/kilokai/kilokai.toml"


def command(
    store: StorePath = None,
    config: ConfigFile = None,
    sets: Sets = None,
    as_json: Json = False,
) -> None:
    """Say whether all is well, on one screen; needs no running daemon.

    Exit 0 if it is well or a run until idle has finished, 1 if it is not, 78 if there is no
    store to look at or the set-up is wrong.  With --json, `state` says it in a word: well,
    stopped, down, starting, full, drop_unreachable, unreadable, stalled, no_input,
    dead_channel, unscored, lagging, clock, model, bus, config, unknown where the store cannot
    be read just now, and setup where the exit is 78.
    """
    try:
        found = status(store_of(store, config, sets))
    except SetupError as error:
        if isinstance(error, ConfigError):
            typer.echo("a daemon that runs goes on: kilokai status --store STORE", err=True)
        if as_json:
            complaints = [plain(line) for line in str(error).splitlines()]
            told = {"well": False, "state": "setup", "complaints": complaints}
            typer.echo(json.dumps(told))
        raise
    except NotReadyError as error:
        if as_json:
            told = {"well": False, "state": "unknown", "complaints": [plain(str(error))]}
            typer.echo(json.dumps(told))
        raise
    typer.echo(json.dumps(found) if as_json else "\n".join(status_lines(found, _columns())))
    raise typer.Exit(EXIT_DONE if found["well"] else EXIT_FAILED)


def _columns() -> int:
    return max(shutil.get_terminal_size((_COLUMNS, 1)).columns, _COLUMNS)
