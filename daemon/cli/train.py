"""kilokai train."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

EXAMPLE: Final = "Example: kilokai train model --hours 8 --seed 1"


def command(
    out: Annotated[Path, typer.Argument(help="The folder of the new model.")],
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same model.")] = 1,
    hours: Annotated[float, typer.Option(min=0.5, help="How much sound to learn from.")] = 8.0,
    jobs: Annotated[int, typer.Option(min=1, help="Processes that simulate.")] = 1,
) -> None:
    """Train a model on a simulated ocean."""
    from detector.recipe import train_ocean  # here, because torch takes seconds to import

    for line in train_ocean(out, seed=seed, hours=hours, jobs=jobs):
        typer.echo(line)
