"""Which days are the last ones: the sound says so, not the clock."""

from __future__ import annotations

from collections.abc import Generator
from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from acoio import ACOio
from acoio.catalogue import Catalogue, Found
from acoio.coverage import Coverage, FileCover
from daemon.ahead import credible_until
from daemon.options import Config
from detector.calibration.alarm_rates import TooLittleSoundError
from detector.training.choose import of_records

_FEWEST_FILES: Final = 24  # of five minutes two hours: fewer say nothing of when it is now


class OutOfSeasonError(TooLittleSoundError):
    """There is too little typical sound, and the newest sound lies in no quiet month."""


def changed(config: Config) -> datetime | None:
    """Return when the hydrophone or its gain was last changed, if it ever was."""
    day = config.retrain.since
    return datetime.combine(day, time(), ZoneInfo(config.station.timezone)) if day else None


def in_season(when: datetime, config: Config) -> bool:
    """Say whether a time lies in one of the quiet months, by the station's clock."""
    return when.astimezone(ZoneInfo(config.station.timezone)).month in config.retrain.months


def last_days(archive: ACOio, config: Config) -> Generator[str, None, Coverage]:
    """Yield which files are left out, and return what there is of the last days.

    They end with the newest file that has some others in the days before it, and is not dated
    ahead of the clock where others are not.  What is named later is left out: it is dated
    wrong, or too little to learn from.  Nothing is older than the hydrophone as it is.

    Raises
    ------
    TooLittleSoundError
        If there is no recording at all, or too little since then.
    OutOfSeasonError
        If there is too little, and that is of no quiet month.
    """
    span, since = timedelta(days=config.retrain.days), changed(config)
    catalogue = Catalogue(archive.basedir, band=archive.band)
    newest = catalogue.extent()[1]
    if newest is None:
        raise TooLittleSoundError(
            f"{archive.basedir}: found no recording of band {archive.band}, wanted "
            f"{config.retrain.days} days"
        )
    last = _newest_of_some(catalogue, span) or newest  # there is little in all: it will be said
    until = last.name.begin
    named = catalogue.named(until, newest.name.begin)
    if astray := [file for file in named if file.name.begin > until]:
        yield f"left out {len(astray)} files after {last.path.name}, up to {newest.path.name}"
    if since is not None and since > until:
        kind = TooLittleSoundError if in_season(until, config) else OutOfSeasonError
        raise kind(
            f"{archive.basedir}: found under two hours of recordings since {since:%Y-%m-%d} "
            "(retrain.since), wanted some evenings"
        )
    begin = until - span if since is None else max(until - span, since)
    return archive.coverage(
        begin, each=lambda files: (file for file in files if begin <= file.name.begin <= until)
    )


def _newest_of_some(catalogue: Catalogue, span: timedelta) -> Found | None:
    last = catalogue.nearest(credible_until())[0] or catalogue.extent()[1]
    while last and len(catalogue.named(last.name.begin - span, last.name.begin)) < _FEWEST_FILES:
        last = catalogue.nearest(last.name.begin)[0]
    return last


def newest_of(coverage: Coverage, span: timedelta) -> tuple[FileCover, ...]:
    """Return the files of records with sound in the last part of what there is."""
    since = coverage.end - span
    files = of_records(coverage.files)
    return tuple(f for f in files if f.seconds > 0 and f.end is not None and f.end > since)
