"""kilokai demo."""

from __future__ import annotations

import signal
from pathlib import Path
from types import FrameType
from typing import Annotated, Final

import typer

EXAMPLE: Final = "Example: kilokai demo --minutes 30"


def command(
    minutes: Annotated[float, typer.Option(min=5, max=1440, help="How much sound.")] = 60.0,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same ocean.")] = 1,
    out: Annotated[Path, typer.Option(help="Where the results go.")] = Path("kilokai-demo"),
) -> None:
    """Run a real daemon on a simulated ocean, and compare what it finds with the truth."""
    from daemon.demo.run import run_demo

    signal.signal(signal.SIGTERM, _leave)  # so that nothing is left running or lying about
    raise typer.Exit(run_demo(out, minutes=minutes, seed=seed, say=typer.echo))


def _leave(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)
