"""kilokai subscribe."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from acoio.errors import SetupError, unusable
from acoio.output import write_output
from daemon.bus.follow import Place
from daemon.bus.keys import SERVER_PUBLIC
from daemon.cli.options import ConfigFile, Json, Sets, config_of
from daemon.client import Subscriber
from daemon.errors import plain
from daemon.show import HEADING, event_line

EXAMPLE: Final = "Example: kilokai subscribe --json --since 0 --place place"


def command(
    config: ConfigFile = None,
    sets: Sets = None,
    since: Annotated[
        str | None,
        typer.Option(help="Begin after this number (0: all) or message id. Else from now on."),
    ] = None,
    place: Annotated[
        Path | None,
        typer.Option(help="A file that keeps how far it came; from there it goes on next time."),
    ] = None,
    publish: Annotated[str | None, typer.Option(help="A station's bus.publish elsewhere.")] = None,
    replay: Annotated[str | None, typer.Option(help="A station's bus.replay elsewhere.")] = None,
    server_key: Annotated[
        str | None, typer.Option(help="The station's public key, or the file of it.")
    ] = None,
    keys: Annotated[Path | None, typer.Option(help="Your secret key's file.")] = None,
    as_json: Json = False,
) -> None:
    """Print each revision of each event, one a line, until Ctrl-C."""
    if (publish is None) != (replay is None):
        lacking = "--publish" if publish is None else "--replay"
        raise SetupError(
            f"{lacking}: found nothing, wanted both --publish and --replay, or neither"
        )
    bus = config_of(config, sets, needs_drop=False).bus
    if server_key is None and keys is not None and bus.keys is not None:
        server_key = str(bus.keys / SERVER_PUBLIC)
    with _subscriber(
        publish or bus.publish,
        replay or bus.replay,
        since=_kept(place) or since,
        server_key=server_key,
        keys=keys,
    ) as subscriber:
        typer.echo(f"listening to {publish or bus.publish}; Ctrl-C ends", err=True)
        if not as_json:
            typer.echo(HEADING, err=True)
        subscriber.notice = lambda words: typer.echo(f"kilokai: {plain(words)}", err=True)
        try:
            _print(subscriber, place, as_json=as_json)
        except KeyboardInterrupt:
            raise typer.Exit from None


def _subscriber(
    publish: str, replay: str, *, since: str | None, server_key: str | None, keys: Path | None
) -> Subscriber:
    try:
        return Subscriber(publish, replay, since=since, server_key=server_key, keys=keys)
    except ValueError as error:
        raise SetupError(str(error)) from error


def _print(subscriber: Subscriber, place: Path | None, *, as_json: bool) -> None:
    for event in subscriber:
        typer.echo(json.dumps(event) if as_json else _line(event))
        if place is not None:
            write_output(place, f"{subscriber.place}\n".encode())


def _line(event: Mapping[str, Any]) -> str:
    try:
        return event_line(event)
    except (LookupError, TypeError, ValueError, AttributeError):
        return f"found no event by the schema: {plain(json.dumps(event))}"


def _kept(place: Path | None) -> str | None:
    """Return the id that a file keeps, or None; that none could be kept there is told at once."""
    if place is None:
        return None
    if not os.access(place.parent, os.W_OK | os.X_OK):
        raise SetupError(f"--place: {place.parent}: found no folder that may be written")
    if place.exists() and not place.is_file():  # reading a pipe would wait for ever
        raise SetupError(f"--place: {place}: found no regular file, wanted one or a free name")
    try:
        kept = place.read_text("ascii").strip()
        Place.at(kept)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise unusable(f"--place: {place}", error, "a message's id") from error
    except ValueError as error:
        raise SetupError(f"--place: {place}: {str(error).removeprefix('since: ')}") from error
    return kept
