"""Which hours a retraining hears: typical evenings, other times, and the newest days.

An hour in which the daemon raised far more alarms than it promised is not typical: its
calls would be learnt for the sea.  But where the sea itself has changed, alarms rise in
every hour.  So alarms are measured against the quieter hours there are: an hour is busy
if it has more than 99.9 % of hours would have at the rate of the quieter quarter of
all evening hours, or at the promised rate if that is more.  Where even the quieter
quarter has over five times as many as promised, nothing here can tell a chorus from a
louder sea.  People can: alarms that were rejected do not count.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np
from scipy.stats import poisson

from acoio.coverage import Coverage, FileCover
from acoio.errors import SetupError
from daemon.options import Config
from daemon.retraining.known import Known
from daemon.retraining.recent import OutOfSeasonError, in_season, newest_of
from detector.calibration.alarm_rates import TooLittleSoundError
from detector.calibration.calibrate import RATES_PER_HOUR, hours_needed
from detector.scoring.score import Model
from detector.training.choose import (
    Choice,
    Chosen,
    Hour,
    choose,
    day_of,
    evening_hours,
    of_records,
)
from detector.training.sources import heard_h

VARIOUS_SHARE: Final = 0.5  # of the typical hours
_QUIETER: Final = 0.25  # of the evening hours say which rate of alarms is usual now
_MOST_TIMES: Final = 5.0  # as many alarms as promised may be usual
_CERTAIN: Final = 0.999
_GAP_S: Final = 1.0


@dataclass(frozen=True, eq=False)
class Hours:
    """What is heard: to learn from and calibrate on, and of the newest days all files.

    `typical` are the begins of the evening hours that were to be chosen from.  `notes` say in
    words what was left out.
    """

    chosen: Chosen
    choice: Choice
    typical: frozenset[datetime]
    newest: tuple[FileCover, ...]
    notes: tuple[str, ...]


def choice_of(config: Config) -> Choice:
    """Return what the configuration calls typical."""
    wanted = config.retrain
    return Choice(
        timezone=config.station.timezone,
        evening=wanted.evening,
        months=wanted.months,
        typical_hours=wanted.hours,
        various_hours=VARIOUS_SHARE * wanted.hours,
        calibration_hours=wanted.calibration_hours,
    )


def require_hours(config: Config, champion: Model) -> None:
    """Raise `SetupError` where no candidate that is like the champion could promise the rate."""
    found, rate = config.retrain.calibration_hours, config.detector.false_alarms_per_hour
    rarest, highest = RATES_PER_HOUR[0], RATES_PER_HOUR[-1]
    if not rarest <= rate <= highest:
        raise SetupError(
            f"detector.false_alarms_per_hour: found {rate:g}, wanted {rarest:g} to {highest:g}, "
            "which calibrations promise"
        )
    least = hours_needed(rate) / heard_h(1.0, champion.features)
    if found < least:
        raise SetupError(
            f"retrain.calibration_hours: found {found:g}, wanted {math.ceil(10 * least) / 10:g} or "
            f"more to promise detector.false_alarms_per_hour = {rate:g}: the first minute of an "
            "hour is not scored"
        )


def hours_of(
    coverage: Coverage, known: Known, choice: Choice, *, config: Config, seed: int
) -> Hours:
    """Return the hours to hear, spread over the days, drawn by a seed.

    Raises
    ------
    TooLittleSoundError
        If there is less than is wanted; it says what was left out, and why.
    OutOfSeasonError
        If so, and in the month of the newest sound no hour is typical.
    """
    files = of_records(coverage.files)
    whole = [file for file in files if is_whole(file) and file.path.name in known.well]
    evenings = evening_hours(whole, choice)
    promised = config.detector.false_alarms_per_hour
    busy = busy_hours(evenings, known.alarms, promised_per_hour=promised)
    notes = _notes(files, whole, known, hours=len(evenings), busy=len(busy))
    try:
        chosen = choose(whole, choice, seed=seed, busy=busy)
    except TooLittleSoundError as error:
        what_there_is = _evenings_told(evenings, choice)
        kind = TooLittleSoundError if in_season(coverage.end, config) else OutOfSeasonError
        raise kind("; ".join([str(error), what_there_is, *notes])) from error
    typical = frozenset(begin for begin, _ in evenings) - busy
    newest = newest_of(coverage, timedelta(days=config.retrain.reference_days))
    return Hours(chosen, choice, typical, newest, notes)


def is_whole(file: FileCover) -> bool:
    """Say whether a file gives sound without damage or a gap within."""
    if file.begin is None or file.end is None or file.damaged_bytes or file.fault:
        return False
    return abs((file.end - file.begin).total_seconds() - file.seconds) < _GAP_S


def busy_hours(
    hours: Sequence[tuple[datetime, Hour]],
    alarms: Sequence[datetime],
    *,
    promised_per_hour: float,
) -> frozenset[datetime]:
    """Return the begins of the hours that have far too many alarms; see above."""
    if not hours:
        return frozenset()
    ordered = sorted(alarms)
    heard_h = np.array([sum(file.seconds for file in hour) / 3600 for _, hour in hours])
    counts = np.array([_alarms_in(hour, ordered) for _, hour in hours])
    usual = float(np.quantile(counts / heard_h, _QUIETER))
    usual = min(max(usual, promised_per_hour), _MOST_TIMES * promised_per_hour)
    limits = np.asarray(poisson.ppf(_CERTAIN, usual * heard_h))
    return frozenset(
        begin for (begin, _), n, most in zip(hours, counts, limits, strict=True) if n > most
    )


def _alarms_in(hour: Hour, ordered: Sequence[datetime]) -> int:
    spans = [(file.begin, file.end) for file in hour if file.begin and file.end]
    return sum(bisect_left(ordered, end) - bisect_left(ordered, begin) for begin, end in spans)


def _evenings_told(evenings: Sequence[tuple[datetime, Hour]], choice: Choice) -> str:
    if not evenings:
        return "no recording lies within retrain.evening and retrain.months"
    days = len({day_of(begin, choice) for begin, _ in evenings})
    told = f"{len(evenings)} evening hours of {days} days in all"
    return f"{told}, of which some days are learnt from and others calibrated on"


def _notes(
    files: Sequence[FileCover], whole: Sequence[FileCover], known: Known, *, hours: int, busy: int
) -> tuple[str, ...]:
    unheard = sum(is_whole(file) and file.path.name not in known.well for file in files)
    broken = len(files) - len(whole) - unheard
    found = (
        (unheard, f"{unheard} of {len(files)} files that the daemon has not heard well"),
        (broken, f"{broken} files with damage, a gap, or no sound"),
        (busy, f"{busy} of {hours} evening hours with far more alarms than usual"),
    )
    return tuple(f"left out {text}" for count, text in found if count)
