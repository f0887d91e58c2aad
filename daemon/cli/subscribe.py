"""kilokai subscribe."""

from __future__ import annotations

import json
from typing import Annotated, Final

import typer

from daemon.cli.options import ConfigFile, Json, Sets, config_of
from daemon.client import Subscriber
from daemon.show import event_line

EXAMPLE: Final = "Example: kilokai subscribe --json --since 0"


def command(
    config: ConfigFile = None,
    sets: Sets = None,
    since: Annotated[
        int | None, typer.Option(min=0, help="Begin after this number, 0: all. Else from now on.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Print each event as it begins and as it ends, one a line, until Ctrl-C."""
    bus = config_of(config, sets, needs_drop=False).bus
    typer.echo(f"listening to {bus.publish}; Ctrl-C ends", err=True)
    with Subscriber(bus.publish, bus.replay, since=since) as events:
        try:
            for event in events:
                typer.echo(json.dumps(event) if as_json else event_line(event))
        except KeyboardInterrupt:
            raise typer.Exit from None
