"""kilokai doctor."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated, Final

import typer

from daemon.cli.options import ConfigFile, Json, Sets
from daemon.cli.output import Force, deliver, is_standard_output, require_place
from daemon.errors import EXIT_DONE, EXIT_FAILED

EXAMPLE: Final = "Example: sudo -u kilokai kilokai doctor --config /etc/kilokai/kilokai.toml"


def command(
    config: ConfigFile = None,
    sets: Sets = None,
    as_json: Json = False,
    bundle: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.tar.gz",
            help="Also pack all that a bug report needs there; - is standard output.",
        ),
    ] = None,
    force: Force = False,
) -> None:
    """Look at everything a station rests on: exit 0 if nothing failed, else 1.

    Run it as the daemon's user.  A bundle holds no secrets.
    """
    from daemon.doctor.examination import as_json as plain_values
    from daemon.doctor.examination import examined
    from daemon.doctor.lines import finding_lines, verdict_line

    if bundle is not None:
        require_place(bundle, force=force)
    aside = bundle is not None and is_standard_output(bundle)  # the bundle alone belongs there
    found = []
    for finding in examined(config, sets or [], os.environ):
        found.append(finding)
        if not as_json:
            typer.echo("\n".join(finding_lines(finding)), err=aside)
    said = plain_values(found)
    typer.echo(json.dumps(said) if as_json else f"\n{verdict_line(found)}", err=aside)
    if bundle is not None:
        from daemon.doctor.bundle import pack

        packed = pack(config, sets or [], os.environ, said)
        where = deliver(bundle, packed, force=force, private=True)
        typer.echo(f"packed {where}: look through it before you send it", err=True)
    raise typer.Exit(EXIT_FAILED if said["worst"] == "fail" else EXIT_DONE)
