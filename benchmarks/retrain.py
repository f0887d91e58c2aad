"""A real retraining on simulated days at full size; writes `RETRAIN.md`.

The sea has few calls in the evening and many at noon, ships and noises of the gear; a
real daemon hears all of it first.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from acoio.simulate import OceanSettings, simulate_drop
from benchmarks.machine import processor

RESULTS: Final = Path(__file__).parent / "RETRAIN.md"
DAYS: Final = 12
EVENING_H, NOON_H = 6, 2
HOURS: Final = 24.0  # of the 72 of evening, some of which are busy
_EVENING: Final = datetime(2024, 6, 3, 4, tzinfo=UTC)  # 18 h in Honolulu on 2 June
_NOON: Final = _EVENING - timedelta(hours=6)
_QUIET: Final = OceanSettings(calls_per_hour=1.0)
_BUSY: Final = OceanSettings(calls_per_hour=30.0)
_TARGET_MIN, _TARGET_GB = 15.0, 2.0


def main() -> None:
    """Simulate what is not there yet, let a daemon hear it, retrain, and keep the page."""
    folder = Path(sys.argv[1])
    simulate(folder / "drop")
    config = folder / "kilokai.toml"
    config.write_text(
        f'[drop]\npath = "{folder / "drop"}"\n[store]\npath = "{folder / "store"}"\n'
        "[evidence]\nclips = false\npictures = false\n"
        f"[retrain]\nhours = {HOURS}\ncalibration_hours = {HOURS}\n"
    )
    _run("run", "--config", config, "--until-idle")
    lines = list(report(*_run("retrain", "--config", config, "--json")))
    print("\n".join(lines))
    RESULTS.write_text("\n".join(lines) + "\n")


def simulate(drop: Path) -> None:
    """Write evenings and noons of some days, unless they are there."""
    for day in range(DAYS):
        for begin, hours, ocean in ((_NOON, NOON_H, _BUSY), (_EVENING, EVENING_H, _QUIET)):
            mark = drop.parent / f"{begin:%H}-{day}"
            if not mark.exists():
                when = begin + timedelta(days=day)
                seed = 100 * begin.hour + day
                for path in simulate_drop(
                    drop, seed=seed, minutes=60 * hours, begin=when, settings=ocean
                ):
                    print(path, flush=True)
                mark.touch()


def report(ended: dict[str, Any], cpu_s: float, wall_s: float, peak_gb: float) -> Iterator[str]:
    """Yield the lines of the page."""
    yield "# Measured by `make retrain-trial`"
    yield ""
    yield f"{processor()}; others were at work beside it. {DAYS} simulated days of which"
    yield f"{EVENING_H} hours of each evening and {NOON_H} of each noon were recorded and heard by"
    yield f"a real daemon; `kilokai retrain`, one thread: {HOURS:g} h to learn from, half as many"
    yield f"of other times with simulated calls, {HOURS:g} h to calibrate on, and the newest week."
    yield ""
    yield "| what | measured | target |"
    yield "|---|---|---|"
    yield f"| CPU time | {cpu_s / 60:.1f} min | {_TARGET_MIN:g} min on two cores |"
    yield f"| time of the clock, on a busy machine | {wall_s / 60:.1f} min |  |"
    yield f"| memory at its peak | {peak_gb:.2f} GB | {_TARGET_GB:g} GB |"
    yield f"| it ended | {ended['outcome']} |  |"
    yield from _gate(ended["figures"] or {})
    yield from (["", *ended["reasons"]] if ended["reasons"] else [])


def _gate(figures: dict[str, Any]) -> Iterator[str]:
    """Yield what a candidate came to, if there was one."""
    if "injected" not in figures:
        return
    injected, alarms = figures["injected"]["all"], figures["alarms"]
    told = ", ".join(f"{name} {nats:.2f}" for name, nats in figures["thresholds"].items())
    yield f"| thresholds, nats | {told} |  |"
    yield (
        f"| injected calls found | {injected['candidate']} of {injected['calls']}, by the "
        f"champion at the promise {injected['champion']}, as it scores {injected['before'][0]} |  |"
    )
    yield (
        f"| alarms in {sum(alarms['hours']):.0f} h of the newest days | "
        f"{sum(alarms['candidate']):.0f}, by the champion {sum(alarms['champion']):.0f} |  |"
    )


def _run(*words: object) -> tuple[dict[str, Any], float, float, float]:
    """Run the command and return its JSON, CPU seconds, seconds, and peak memory in GB."""
    before, begin_s = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    command: Sequence[str] = [sys.executable, "-P", "-m", "daemon.cli", *map(str, words)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    last = (done.stdout.splitlines() or ["{}"])[-1]
    said = json.loads(last) if last.startswith("{") else {}
    return said, cpu_s, time.monotonic() - begin_s, after.ru_maxrss * 1024 / 1e9


if __name__ == "__main__":
    main()
