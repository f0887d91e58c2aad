"""kilokai simulate."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Final, Literal

import typer

from acoio.errors import SetupError, unusable
from daemon.drop.listing import is_recording
from daemon.show import Bar

EXAMPLE: Final = "Example: kilokai simulate drop --minutes 60 --seed 1"
_FILE_MINUTES: Final = 5
_TRUTH: Final = "truth.csv"
_OURS: Final = f"recordings and {_TRUTH}"


def command(
    folder: Annotated[Path, typer.Argument(help="Where to write; made if it is not there.")],
    minutes: Annotated[float, typer.Option(min=0.1, help="How much sound.")] = 60.0,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same ocean.")] = 1,
    layout: Annotated[Literal["new", "old"], typer.Option(help="The header's layout.")] = "new",
) -> None:
    """Write five-minute files of a simulated ocean, and truth.csv; none is ever overwritten."""
    from acoio.simulate import simulate_drop

    try:
        folder.mkdir(parents=True, exist_ok=True)
        there = next((path for path in folder.iterdir() if _is_ours(path.name)), None)
    except OSError as error:
        raise unusable(str(folder), error) from error
    if there:
        raise SetupError(f"{there}: found that there, wanted a folder without {_OURS}")
    files = simulate_drop(folder, seed=seed, minutes=minutes, layout=layout)
    with Bar("simulating", math.ceil(minutes / _FILE_MINUTES)) as bar:
        for path in bar.over(files):
            with bar.hidden():
                typer.echo(path)


def _is_ours(name: str) -> bool:
    return is_recording(name) or name == _TRUTH
