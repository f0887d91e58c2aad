"""kilokai evaluate."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Final

import typer

from acoio.errors import DataError, SetupError
from daemon.cli.options import Json, Sets, config_of, require_model
from daemon.cli.output import Force, require_free
from daemon.errors import plain
from daemon.show import with_bar

EXAMPLE: Final = (
    "Example: kilokai evaluate ocean-v1 --simulated 3 --recordings /data/2018/10/28 "
    "--labels labels.csv --out evaluation"
)
_SIMULATED_HOURS: Final = 3.0
_Folder = Annotated[Path | None, typer.Option(help="A folder of calls by themselves: WAV, FLAC.")]


def command(
    model: Annotated[
        str | None, typer.Argument(help="A model's folder or name; else detector.model.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Where report and pictures go.")] = Path(
        "kilokai-evaluation"
    ),
    simulated: Annotated[
        float | None,
        typer.Option(
            min=0.1, help="Hours of simulated ocean with calls; 3 where no source is named."
        ),
    ] = None,
    typical: Annotated[
        float,
        typer.Option(
            min=0.2,
            help="Hours without calls, for false alarms: 1 an hour wants 10.2, 0.1 wants 102.",
        ),
    ] = 11.0,
    recordings: Annotated[
        Path | None, typer.Option(help="A folder of recordings, or one of them.")
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(
            help="What sounds in them, a CSV of begin_utc, end_utc, low_hz, high_hz, label; "
            "where nothing does, the label is background. Else labels.csv in their folder."
        ),
    ] = None,
    clips: _Folder = None,
    clip_labels: Annotated[
        Path | None,
        typer.Option(help="A CSV of file and label. Else labels.csv in the clips' folder."),
    ] = None,
    background: Annotated[
        float, typer.Option(min=0.1, help="Hours of simulated ocean that clips are mixed into.")
    ] = 2.0,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same sound.")] = 1,
    jobs: Annotated[int, typer.Option(min=1, help="Processes that simulate.")] = 1,
    force: Force = False,
    as_json: Json = False,
    sets: Sets = None,
) -> None:
    """Measure how well a model finds calls, on simulated, labelled and mixed sound."""
    require_free(out / "evaluation.json", force=force)
    settings = config_of(None, sets, needs_drop=False)
    labels = _beside(recordings, labels, "--recordings", "--labels")
    clip_labels = _beside(clips, clip_labels, "--clips", "--clip-labels")
    if simulated is None and recordings is None and clips is None:
        simulated = _SIMULATED_HOURS
    name = settings.detector.model if model is None else model
    require_model(name)
    import matplotlib  # here, because these take seconds to import
    import torch

    from daemon.evaluation import Wanted, evaluate
    from daemon.hearing.batch import recordings as found_in
    from detector import load_model
    from detector.evaluation.report import as_json as plain_values
    from detector.evaluation.report import terminal

    matplotlib.rcdefaults()  # whatever a matplotlibrc of this folder says
    torch.set_num_threads(settings.detector.threads)
    rate = settings.detector.false_alarms_per_hour
    files = found_in([recordings], band=settings.drop.band) if recordings else []
    if recordings and not files:
        raise DataError(f"found no recording in {plain(recordings)}")
    evaluation = evaluate(
        load_model(name, false_alarms_per_hour=rate),
        Wanted(
            out=out,
            seed=seed,
            jobs=jobs,
            simulated_hours=simulated,
            typical_hours=typical,
            background_hours=background,
            recordings=tuple(path for _, path in files),
            labels=labels,
            clips=clips,
            clip_labels=clip_labels,
        ),
        threshold=lambda per_hour: load_model(name, false_alarms_per_hour=per_hour).threshold,
        bar=with_bar,
    )
    if as_json:
        typer.echo(json.dumps(plain_values(evaluation)))
    else:
        typer.echo(terminal(evaluation))
        typer.echo(f"\nevaluation.json, evaluation.md and pictures are in {plain(out)}")


def _beside(folder: Path | None, table: Path | None, name: str, table_name: str) -> Path | None:
    """Return the table of labels: the one that is named, or labels.csv in the folder.

    Raises
    ------
    SetupError
        If there is no such file, or it is named without the folder.
    """
    if folder is None:
        if table is not None:
            raise SetupError(f"{table_name}: found {plain(table)} without {name}, wanted both")
        return None
    if not folder.exists():
        raise SetupError(f"{name}: {plain(folder)}: no such file or folder")
    found = table or (folder if folder.is_dir() else folder.parent) / "labels.csv"
    if not found.is_file():
        raise SetupError(f"{table_name}: {plain(found)}: no such file")
    return found
