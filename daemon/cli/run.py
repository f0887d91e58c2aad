"""kilokai run."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from daemon.cli.options import ConfigFile, Sets, config_of
from daemon.logs import set_up_logs

EXAMPLE: Final = "Example: kilokai run --config /etc/kilokai/kilokai.toml"


def command(
    config: ConfigFile = None,
    sets: Sets = None,
    until_idle: Annotated[
        bool, typer.Option("--until-idle", help="Exit once everything in the drop is done.")
    ] = False,
) -> None:
    """Watch the drop, score what arrives, publish what is unusual."""
    set_up_logs()
    settings = config_of(config, sets)
    from daemon.service import run  # here, because torch takes seconds to import

    raise typer.Exit(run(settings, until_idle=until_idle))
