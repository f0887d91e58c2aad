"""kilokai train."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from acoio.errors import SetupError

if TYPE_CHECKING:
    from detector.choose import Choice
    from detector.sources import ChosenHours

EXAMPLE: Final = "Example: kilokai train model --hours 8 --seed 1"


def command(
    out: Annotated[Path, typer.Argument(help="The folder of the new model.")],
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same model.")] = 1,
    hours: Annotated[
        float, typer.Option(min=0.5, help="How much typical sound to learn from.")
    ] = 8.0,
    jobs: Annotated[int, typer.Option(min=1, help="Processes that simulate, then threads.")] = 1,
    method: Annotated[
        Literal["ratio", "published"], typer.Option(help="What the discriminator tail learns.")
    ] = "ratio",
    archive: Annotated[
        Path | None, typer.Option(help="Learn from recordings, not from a simulated ocean.")
    ] = None,
    calls: Annotated[
        Path | None, typer.Option(help="Known calls to leave out: a table of the labelling page.")
    ] = None,
    utc_offset: Annotated[
        float, typer.Option(min=-12, max=14, help="The station's local time, hours from UTC.")
    ] = -10.0,
    evening: Annotated[str, typer.Option(help="Typical hours of local time.")] = "18-24",
    months: Annotated[str, typer.Option(help="Quiet months of the year.")] = "5,6,7,8,9,10,11",
) -> None:
    """Train a model on a simulated ocean, or on an archive's typical evenings.

    What was left half-way is gone on with.
    """
    from detector.choose import Choice
    from detector.recipe import train_archive, train_ocean

    if archive is None:
        lines = train_ocean(out, seed=seed, hours=hours, jobs=jobs, method=method)
    else:
        choice = Choice(
            utc_offset_h=utc_offset,
            evening=_evening(evening),
            months=_months(months),
            typical_hours=hours,
            various_hours=hours / 2,
            calibration_hours=hours,
        )
        source = _hours_of(archive, choice, calls, seed)
        lines = train_archive(out, source, seed=seed, threads=jobs, method=method)
    for line in lines:
        typer.echo(line)


def _hours_of(archive: Path, choice: Choice, calls: Path | None, seed: int) -> ChosenHours:
    from acoio import ACOio
    from daemon.show import with_bar
    from detector.choose import choose
    from detector.config import FeatureSettings
    from detector.sources import ChosenHours

    coverage = ACOio(archive).coverage(each=lambda x: with_bar(x, "looking", len(x)))
    known = _known(calls) if calls else ()
    return ChosenHours(
        choose(coverage.files, choice, seed=seed), choice, FeatureSettings(), calls=known
    )


def _known(path: Path) -> tuple[tuple[datetime, datetime], ...]:
    """Return the spans that somebody has confirmed as calls."""
    from acoio.labels import read_labels

    return tuple((label.begin, label.end) for label in read_labels(path) if label.checked)


def _evening(text: str) -> tuple[int, int]:
    first, dash, last = text.partition("-")
    if not (dash and first.isdigit() and last.isdigit() and int(first) < 24 and int(last) <= 24):
        raise SetupError(f"--evening: found {text!r}, wanted two hours of the day, as 18-24")
    return int(first), int(last)


def _months(text: str) -> tuple[int, ...]:
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdigit() and 1 <= int(part) <= 12 for part in parts):
        raise SetupError(f"--months: found {text!r}, wanted months from 1 to 12, as 5,6,7")
    return tuple(int(part) for part in parts)
