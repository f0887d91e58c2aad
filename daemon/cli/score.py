"""kilokai score."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Final

import typer

from acoio.errors import DataError, NotReadyError
from daemon.cli.options import Json, Sets, config_of, require_model
from daemon.errors import EXIT_FAILED, plain
from daemon.show import HEADING, Bar, event_line

EXAMPLE: Final = "Example: kilokai score /data/2018/10/28 --json"


def command(
    paths: Annotated[list[Path], typer.Argument(help="Recordings, or folders of them.")],
    as_json: Json = False,
    sets: Sets = None,
) -> None:
    """Score files without a daemon or a store, and print scores and events."""
    settings = config_of(None, sets, needs_drop=False)
    require_model(settings.detector.model)
    if not any(path.exists() for path in paths):
        raise NotReadyError(f"{plain(paths[0])}: no such file or folder")
    import torch  # here, because it takes seconds to import

    from daemon.hearing.batch import nothing_in, recordings, score_files
    from detector import load_model
    from detector.scoring.listen import Listener

    torch.set_num_threads(settings.detector.threads)
    scorer = load_model(
        settings.detector.model,
        false_alarms_per_hour=settings.detector.false_alarms_per_hour,
    )
    files = recordings(paths, band=settings.drop.band)
    if not files:
        raise DataError(nothing_in(paths, band=settings.drop.band))
    with Bar("scoring", len(files)) as bar:

        def tell(fault: str) -> None:
            with bar.hidden():
                typer.echo(f"kilokai: {plain(fault)}", err=True)

        listener = Listener(scorer, station=settings.station.name)
        found = score_files(bar.over(files), listener, scorer.features.rate_hz, told=tell)
    if as_json:
        typer.echo(json.dumps(found.as_json()))
    else:
        if found.events:
            lines = (event_line(event) for event in found.events.values())
            typer.echo("\n".join([HEADING, *lines]))
        if found.scores or not found.faults:
            typer.echo(f"{len(found.scores)} windows scored, {len(found.events)} events")
            typer.echo("(none in the first minute after each gap; --json prints the scores)")
    raise typer.Exit(EXIT_FAILED if found.faults else 0)
