"""`make month`: a month of rising noise, one that calms, one of a dying hydrophone.

A station first hears some healthy weeks and is retrained on them.  Then a month passes
three times: the sea grows louder and gustier, or wind and waves die down, or the
hydrophone does.  Every ten days it is retrained, as `kilokai retrain` does it; beside it
the first champion is left alone.
"""

from __future__ import annotations

import multiprocessing
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch

from acoio.simulate import OceanSettings
from acoio.simulate.hydrophone import Failing
from benchmarks.machine import processor
from benchmarks.month_station import (
    APART,
    DAYS_HEARD,
    EVENING_FILES,
    NOON_FILES,
    PROMISED_PER_HOUR,
    Figures,
    Station,
)
from daemon.retraining.course import Ended

RESULTS: Final = Path(__file__).parent / "MONTH.md"
HEALTHY_DAYS, DAYS, RETRAINED_EACH = 24, 30, 10
_AT_ONCE: Final = 2  # processes
RISING: Final = OceanSettings(rise_db=((15.0, 8.0), (10_000.0, 4.0)), gusts_db=0.3)
CALMING: Final = OceanSettings(rise_db=((150.0, 0.0), (600.0, -8.0), (10_000.0, -8.0)))
DYING: Final = OceanSettings(failing=Failing())
MONTHS: Final = {"rising": RISING, "calming": CALMING, "dying": DYING}
_TITLES: Final = {
    "rising": "Rising noise: 8 dB at 15 Hz and 4 dB at 10 kHz by the end, and gusts of 0.3 dB",
    "calming": "A sea that calms: wind and waves fall by 8 dB from 600 Hz up, ships stay",
    "dying": "A dying hydrophone: it hears less, hisses, hums and falls silent now and then",
}


@dataclass(frozen=True)
class Day:
    """A recorded evening: the retrained champion's figures, those of the first one, the end."""

    day: int
    champion: Figures
    alone: Figures
    ended: Ended | None


def main() -> None:
    """Let the months pass, and keep the page."""
    begin_s = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="kilokai-month-", dir=sys.argv[1]) as folder:
        first, months = passed(Path(folder))
    text = "\n".join(page(first, months, (time.monotonic() - begin_s) / 60))
    print(text)
    RESULTS.write_text(text + "\n")


def passed(folder: Path) -> tuple[Ended, dict[str, list[Day]]]:
    """Return how the first retraining ended, and the days of each month."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(_AT_ONCE, mp_context=spawn) as pool:
        days = range(-HEALTHY_DAYS, 0, APART)
        list(pool.map(_record_healthy, [folder] * len(days), days))
        first = pool.submit(healthy, folder).result()
        passing = {name: pool.submit(month, folder, name) for name in MONTHS}
        return first, {name: future.result() for name, future in passing.items()}


def healthy(folder: Path) -> Ended:
    """Let the days before be heard, and return how the first retraining ended."""
    torch.set_num_threads(1)
    station = _healthy_station(folder)
    for day in range(-HEALTHY_DAYS, 0, APART):
        print("healthy", day, *station.hear(day, [station.scorer]), flush=True)
    ended = station.retrain(seed=0)
    print("healthy", ended.outcome, *ended.reasons, flush=True)
    return ended


def month(folder: Path, name: str) -> list[Day]:
    """Let a month pass and return its days."""
    torch.set_num_threads(1)
    former = _healthy_station(folder)
    station = Station(folder / name, MONTHS[name], seed=200, first_day=0)
    shutil.copytree(former.store / "models", station.store / "models", symlinks=True)
    station.take_over(former)
    alone, days = former.scorer, []
    for day in range(APART, DAYS + 1, APART):
        scorers = [station.scorer, alone]
        station.record(day - 1)
        champion, left = station.hear(day - 1, scorers)
        ended = station.retrain(seed=day) if day % RETRAINED_EACH == 0 else None
        days.append(Day(day, champion, left, ended))
        print(name, days[-1], flush=True)
    return days


def page(first: Ended, months: Mapping[str, list[Day]], minutes: float) -> Iterator[str]:
    """Yield the lines of the page."""
    yield "# Measured by `make month`"
    yield ""
    yield f"{processor()}; {minutes:.0f} minutes of the clock, others were at work beside it."
    yield f"Every other day {5 * EVENING_FILES} minutes of the evening (18 h, no calls) and"
    yield f"{5 * NOON_FILES} of noon (30 calls an hour) are recorded. The first champion was made"
    yield f"from the shipped model on {HEALTHY_DAYS} healthy days ({first.outcome});"
    yield f"{PROMISED_PER_HOUR:g} false alarms an hour are promised. Each retraining has the"
    yield f"{DAYS_HEARD} days before it. Drift is of the evening, over the 99 % point of the"
    yield "model's own calibration: above 1 is drift."
    yield "*Alone* is the first champion without any retraining."
    for name, days in months.items():
        yield from ("", f"## {_TITLES[name]}", "")
        yield from _table(days)
        yield ""
        yield from (line for day in days if day.ended for line in _told(day.day, day.ended))
        yield from ("", _alarms("alone", [day.alone for day in days]))
        yield _alarms("with retraining", [day.champion for day in days])


def _table(days: list[Day]) -> Iterator[str]:
    yield (
        "| day | level | drift of levels: alone, champion | of scores: alone, champion "
        "| alarms an hour: alone, champion | retraining |"
    )
    yield "|---|---|---|---|---|---|"
    for day in days:
        one, other = day.alone, day.champion
        yield (
            f"| {day.day} | {one.louder_db:+.1f} dB | {one.level:.2f}, {other.level:.2f} "
            f"| {one.score:.2f}, {other.score:.2f} "
            f"| {one.alarms / one.hours:.1f}, {other.alarms / other.hours:.1f} "
            f"| {day.ended.outcome if day.ended else ''} |"
        )


def _told(day: int, ended: Ended) -> Iterator[str]:
    yield f"- day {day}: **{ended.outcome}**" + (":" if ended.reasons else "")
    yield from (f"  - {reason}" for reason in ended.reasons)


def _alarms(who: str, figures: list[Figures]) -> str:
    hours = sum(day.hours for day in figures)
    alarms, false = sum(day.alarms for day in figures), sum(day.false for day in figures)
    return (
        f"{alarms} alarms in {hours:.1f} h {who}: {alarms / hours:.1f} an hour; "
        f"{false} of them on no ship: {false / hours:.1f} an hour.  "
    )


def _record_healthy(folder: Path, day: int) -> None:
    _healthy_station(folder).record(day)


def _healthy_station(folder: Path) -> Station:
    return Station(folder / "healthy", OceanSettings(), seed=100, first_day=-HEALTHY_DAYS)


if __name__ == "__main__":
    main()
