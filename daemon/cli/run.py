"""kilokai run."""

from __future__ import annotations

import math
import os
import signal
from contextlib import nullcontext
from functools import partial
from typing import Annotated, Final

import structlog
import typer

from acoio.errors import DataError
from daemon.cli.options import ConfigFile, Sets, config_of
from daemon.config import strays
from daemon.drop.listing import scan
from daemon.drop.pace import Replay, parse_span
from daemon.service.logs import set_up_logs
from daemon.service.signals import Again, signals
from daemon.show import Bar

_log = structlog.get_logger()

EXAMPLE: Final = (
    "Example: kilokai run --config /etc/kilokai/kilokai.toml\n\n"
    "Example: kilokai run --set drop.path=/archive --set store.path=again "
    "--replay 2018-10-28T10:00/2018-10-28T11:00 --speed 60"
)


def command(
    config: ConfigFile = None,
    sets: Sets = None,
    until_idle: Annotated[
        bool,
        typer.Option(
            "--until-idle",
            help="Exit once everything in the drop is done: 0, or 1 if files could not be read or "
            "are set aside.",
        ),
    ] = False,
    span: Annotated[
        str | None,
        typer.Option(
            "--replay",
            metavar="BEGIN/END",
            help="Only recordings that begin then (UTC); the first minute is not scored.",
        ),
    ] = None,
    speed: Annotated[
        float | None, typer.Option(help="Times real time of a replay; else as fast as it goes.")
    ] = None,
) -> None:
    """Watch the drop, score what arrives, publish what is unusual.

    With --replay the drop is an archive, and the recordings of a span come as if they
    arrived now; it ends once they are done.  Use another store than the live one's.

    SIGHUP reads the configuration again: what can be taken up is, the rest is named.
    """
    replay = _replay(span, speed)
    bar = Bar("scoring", total=0.0)
    set_up_logs(clear=bar.hidden)
    with signals(signal.SIGHUP) as asked:  # from here on none ends us, and none is missed
        settings = config_of(config, sets)
        for name, meant in strays(os.environ).items():
            _log.warning("a name of the environment is no key", name=name, meant=meant)
        if replay and not any(replay.holds(seen) for seen in scan(settings.drop.path)):
            raise DataError(f"--replay: found no recording of {span} in {settings.drop.path}")
        from daemon.service.run import run  # here, because torch takes seconds to import

        idle = until_idle or replay is not None
        again = Again(partial(config_of, config, sets), asked)
        show = bar.reach if idle else None
        with bar if idle else nullcontext():
            code = run(settings, until_idle=idle, replay=replay, again=again, show=show)
        raise typer.Exit(code)


def _replay(span: str | None, speed: float | None) -> Replay | None:
    if speed is not None and (span is None or not 0 < speed < math.inf):
        raise typer.BadParameter("--speed: wanted a number above 0, beside --replay")
    try:
        return None if span is None else Replay(parse_span(span), speed=speed)
    except ValueError as error:
        raise typer.BadParameter(f"--replay: {error}") from error
