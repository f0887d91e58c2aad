"""Which hours of an archive a model learns from: typical evenings, and various others.

Evenings are by the station's local time: fewer ships are near and the gear is left
alone.  Off Hawaii humpbacks sing from December to April, so the quiet months are the
others.  A day is that on which its evening began, also after midnight.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

import numpy as np

from acoio.audio_file import FORMATS
from acoio.coverage import FileCover
from detector.calibration.alarm_rates import TooLittleSoundError

Hour: TypeAlias = tuple[FileCover, ...]
"""The files that begin within an hour of local time, in order."""

_MONTHS: Final = (5, 6, 7, 8, 9, 10, 11)


@dataclass(frozen=True)
class Choice:
    """What is typical, by local time, and how much of each kind is wanted, in hours.

    `timezone` is an IANA name; `evening` are the first hour of the clock and the one
    after the last.
    """

    timezone: str = "Pacific/Honolulu"
    evening: tuple[int, int] = (18, 24)
    months: tuple[int, ...] = _MONTHS
    typical_hours: float = 24.0
    various_hours: float = 12.0
    calibration_hours: float = 24.0


@dataclass(frozen=True, eq=False)
class Chosen:
    """Hours to learn from, typical and various, and to calibrate on.

    No day of the last is a day of the others.  `left_out` counts the audio files: only
    files of records are heard as the daemon hears them.
    """

    typical: tuple[Hour, ...]
    various: tuple[Hour, ...]
    calibration: tuple[Hour, ...]
    left_out: int = 0


def choose(
    files: Sequence[FileCover], choice: Choice, *, seed: int, busy: Collection[datetime] = ()
) -> Chosen:
    """Return hours spread evenly over the days there are, drawn by a seed.

    Evening hours that begin at a `busy` time (of `evening_hours`) are not typical but
    various.

    Raises
    ------
    TooLittleSoundError
        If there is less sound of a kind than is wanted.
    """
    evenings: dict[datetime, list[Hour]] = defaultdict(list)
    others: dict[datetime, list[Hour]] = defaultdict(list)
    records = of_records(files)
    for begin, hour in _hours(records, choice):
        quiet = is_typical_hour(begin, choice) and begin not in busy
        (evenings if quiet else others)[day_of(begin, choice)].append(hour)
    rng = np.random.default_rng(seed)
    learnt, calibrated = _parted(sorted(evenings), choice, rng)
    free = sorted(others.keys() - set(calibrated))
    left_out = len(files) - len(records)
    note = f"; left out {left_out} audio files" if left_out else ""

    def hours(days: Sequence[Sequence[Hour]], wanted_h: float, name: str) -> tuple[Hour, ...]:
        return _spread(days, wanted_h, name + note, rng)

    typical = [evenings[day] for day in learnt]
    apart = [evenings[day] for day in calibrated]
    return Chosen(
        typical=hours(typical, choice.typical_hours, "typical evenings"),
        various=hours([others[day] for day in free], choice.various_hours, "other times"),
        calibration=hours(apart, choice.calibration_hours, "typical evenings to calibrate on"),
        left_out=left_out,
    )


def evening_hours(files: Iterable[FileCover], choice: Choice) -> list[tuple[datetime, Hour]]:
    """Return the hours that are typical by the clock alone, in order, each with its begin."""
    hours = _hours(of_records(files), choice)
    return [(begin, hour) for begin, hour in hours if is_typical_hour(begin, choice)]


def of_records(files: Iterable[FileCover]) -> list[FileCover]:
    """Return the files that are heard as the daemon hears them: those of records."""
    return [file for file in files if file.path.suffix.lower() not in FORMATS]


def _hours(files: Iterable[FileCover], choice: Choice) -> list[tuple[datetime, Hour]]:
    """Return hours by their local begin, in order of time, and the files that begin there.

    Where the clock is set back, an hour of its comes twice; it is then one of two hours.
    """
    local = ZoneInfo(choice.timezone)
    hours: dict[datetime, list[FileCover]] = defaultdict(list)
    for file in files:
        if file.begin is not None and file.seconds > 0:
            hours[hour_of(file.begin, local)].append(file)
    return [(begin, tuple(hours[begin])) for begin in sorted(hours, key=_utc)]


def hour_of(when: datetime, zone: ZoneInfo) -> datetime:
    """Return the begin of the hour of local time that a time lies in."""
    return when.astimezone(zone).replace(minute=0, second=0, microsecond=0, fold=0)


def _utc(when: datetime) -> datetime:
    return when.astimezone(UTC)


def is_typical_hour(begin: datetime, choice: Choice) -> bool:
    """Say whether an hour that begins then, by local time, is typical by the clock alone."""
    return _in_evening(begin, choice) and day_of(begin, choice).month in choice.months


def day_of(begin: datetime, choice: Choice) -> datetime:
    """Return the day on which the evening began that an hour belongs to, or its own."""
    first, last = choice.evening
    over_midnight = last < first and begin.hour < last
    return begin.replace(hour=0) - timedelta(days=over_midnight)


def _in_evening(begin: datetime, choice: Choice) -> bool:
    first, last = choice.evening
    if first <= last:
        return first <= begin.hour < last
    return begin.hour >= first or begin.hour < last


def _parted(
    days: Sequence[datetime], choice: Choice, rng: np.random.Generator
) -> tuple[list[datetime], list[datetime]]:
    """Return days to learn from and days to calibrate on, in the ratio of their hours."""
    wanted = choice.typical_hours + choice.calibration_hours
    drawn = [days[k] for k in rng.permutation(len(days))]
    count = round(len(days) * choice.typical_hours / wanted) if wanted else 0
    return sorted(drawn[:count]), sorted(drawn[count:])


def _spread(
    days: Sequence[Sequence[Hour]], wanted_h: float, name: str, rng: np.random.Generator
) -> tuple[Hour, ...]:
    """Return hours of as many days as there are, one of each in turn, until it is enough."""
    orders = [rng.permutation(len(day)).tolist() for day in days]
    rounds = max((len(order) for order in orders), default=0)
    chosen: list[Hour] = []
    heard_h = 0.0
    for turn in range(rounds):
        for day, order in zip(days, orders, strict=True):
            if heard_h < wanted_h and turn < len(order):
                chosen.append(day[order[turn]])
                heard_h += sum(file.seconds for file in chosen[-1]) / 3600
    if heard_h < wanted_h:
        raise TooLittleSoundError(f"{name}: found {heard_h:.1f} h of sound, wanted {wanted_h:g} h")
    return tuple(sorted(chosen, key=lambda hour: hour[0].named))
