"""kilokai train."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from acoio.errors import SetupError
from daemon.cli.options import require_folder
from daemon.options import check_timezone

if TYPE_CHECKING:
    from detector.calibration.apart import Judged
    from detector.training.choose import Choice
    from detector.training.sources import ChosenHours
    from detector.values import Span

EXAMPLE: Final = "Example: kilokai train model --hours 8 --seed 1"
_TIMEZONE: Final = "Pacific/Honolulu"
_EVENING: Final = "18-24"
_MONTHS: Final = "5,6,7,8,9,10,11"
_CALIBRATION_LEAST_H: Final = 24.0  # gaps and calls take of it, and ten must be left
_CALIBRATION_SHARE: Final = 2.5

_Seed = Annotated[
    int,
    typer.Option(
        min=0, max=2**31 - 1, help="The same seed and the same --jobs give the same model."
    ),
]
_Hours = Annotated[float, typer.Option(min=0.5, help="How much typical sound to learn from.")]
_Jobs = Annotated[int, typer.Option(min=1, help="Processes that simulate, then threads.")]
_Method = Annotated[
    Literal["ratio", "published"], typer.Option(help="What the discriminator tail learns.")
]
_Archive = Annotated[
    Path | None, typer.Option(help="Learn from files of records, not from a simulated ocean.")
]
_Calls = Annotated[
    Path | None,
    typer.Option(
        help="Known calls to leave out: a table of the labelling page, of which every checked "
        "label counts as a call."
    ),
]
_Store = Annotated[
    Path | None,
    typer.Option(
        help="The store of a daemon whose events were judged: confirmed ones are calls to leave "
        "out, rejected ones are none, whatever --calls says."
    ),
]
_CalibrationHours = Annotated[
    float | None,
    typer.Option(
        min=0.5,
        help="How much other typical sound of an archive to calibrate on; else 24, or, if more, "
        "two and a half times --hours.",
    ),
]
_Timezone = Annotated[
    str | None, typer.Option(help=f"The station's, an IANA name; else {_TIMEZONE}.")
]
_Evening = Annotated[
    str | None, typer.Option(help=f"Typical hours of local time; else {_EVENING}.")
]
_Months = Annotated[str | None, typer.Option(help=f"Quiet months of the year; else {_MONTHS}.")]


def command(
    out: Annotated[Path, typer.Argument(help="The folder of the new model.")],
    seed: _Seed = 1,
    hours: _Hours = 8.0,
    jobs: _Jobs = 1,
    method: _Method = "ratio",
    archive: _Archive = None,
    calls: _Calls = None,
    store: _Store = None,
    calibration_hours: _CalibrationHours = None,
    timezone: _Timezone = None,
    evening: _Evening = None,
    months: _Months = None,
) -> None:
    """Train a model on a simulated ocean, or on an archive's typical evenings.

    What was left half-way is gone on with.
    """
    of_archive = {
        "--calls": calls,
        "--store": store,
        "--calibration-hours": calibration_hours,
        "--timezone": timezone,
        "--evening": evening,
        "--months": months,
    }
    if archive is None:
        _refuse_without_archive(of_archive)
        from detector.training.recipe import train_ocean  # here, because it takes seconds to import

        lines = train_ocean(out, seed=seed, hours=hours, jobs=jobs, method=method)
    else:
        require_folder(archive, "--archive", wanted="one of recordings")
        choice = _choice(hours, calibration_hours, timezone, evening, months)
        known = _known(calls, store)
        from detector.training.recipe import train_archive

        source = _hours_of(archive, choice, known, seed)
        lines = train_archive(out, source, seed=seed, threads=jobs, method=method)
    for line in lines:
        typer.echo(line)


def _refuse_without_archive(options: Mapping[str, object]) -> None:
    """Raise `SetupError` with every option that a simulated ocean has no use for."""
    if given := [f"{name} {value}" for name, value in options.items() if value is not None]:
        raise SetupError(f"found {', '.join(given)} without --archive, wanted both")


def _choice(
    hours: float,
    calibration_hours: float | None,
    timezone: str | None,
    evening: str | None,
    months: str | None,
) -> Choice:
    """Return what to choose; refused at once where it could promise too little."""
    zone = _zone(_TIMEZONE if timezone is None else timezone)
    of_day = _evening(_EVENING if evening is None else evening)
    of_year = _months(_MONTHS if months is None else months)
    from detector.calibration.calibrate import (
        require_hours,  # after these: it takes a second to import
    )
    from detector.training.choose import Choice

    least_h, share = _CALIBRATION_LEAST_H, _CALIBRATION_SHARE
    choice = Choice(
        timezone=zone,
        evening=of_day,
        months=of_year,
        typical_hours=hours,
        various_hours=hours / 2,
        calibration_hours=calibration_hours or max(least_h, share * hours),
    )
    require_hours(choice.calibration_hours)
    return choice


def _hours_of(
    archive: Path, choice: Choice, known: tuple[list[Span], Judged], seed: int
) -> ChosenHours:
    from acoio import ACOio
    from daemon.show import with_bar
    from detector.config import FeatureSettings
    from detector.training.choose import choose
    from detector.training.sources import ChosenHours

    calls, judged = known
    coverage = ACOio(archive).coverage(each=lambda x: with_bar(x, "looking", len(x)))
    chosen = choose(coverage.files, choice, seed=seed)
    if chosen.left_out:
        typer.echo(f"left out {chosen.left_out} audio files: only files of records are heard")
    return ChosenHours(chosen, choice, FeatureSettings(), calls=calls, judged=judged)


def _known(calls: Path | None, store: Path | None) -> tuple[list[Span], Judged]:
    """Return every checked label and confirmed event, less rejected ones; and what was judged."""
    from acoio.labels import read_labels
    from daemon.events.find import judged_spans, without
    from detector.calibration.apart import Judged

    labels = read_labels(calls) if calls else ()
    known = [(label.begin, label.end) for label in labels if label.checked]
    if store is None:
        return known, Judged()
    confirmed, rejected = judged_spans(store, "confirmed"), judged_spans(store, "rejected")
    typer.echo(f"{store}: {len(confirmed)} events confirmed, {len(rejected)} rejected")
    judged = Judged.of(rejected, confirmed=len(confirmed))
    return [*without(known, rejected), *confirmed], judged


def _zone(name: str) -> str:
    try:
        return check_timezone(name)
    except ValueError as error:
        raise SetupError(f"--timezone: {error}, wanted an IANA name, as {_TIMEZONE}") from error


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
