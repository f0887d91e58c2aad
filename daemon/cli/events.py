"""kilokai events."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from daemon.cli.options import ConfigFile, Json, Sets, config_of
from daemon.show import HEADING, event_line
from daemon.stored import stored_events

app = typer.Typer(help="Look at the events in the store.", no_args_is_help=True)


@app.command("list", epilog="Example: kilokai events list --store /var/lib/kilokai --json")
def list_events(
    store: Annotated[Path | None, typer.Option(help="The store; else that of --config.")] = None,
    config: ConfigFile = None,
    sets: Sets = None,
    as_json: Json = False,
) -> None:
    """List every event's newest state, oldest first; a running daemon does not mind."""
    found = stored_events(store or config_of(config, sets, needs_drop=False).store.path)
    if as_json:
        typer.echo(json.dumps(found))
    else:
        typer.echo("\n".join([HEADING, *map(event_line, found)]))
