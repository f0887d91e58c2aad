"""The process beside the daemon: jobs on standard input, what became of each on the output."""

from __future__ import annotations

import errno
import json
import os
import sqlite3
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from shutil import disk_usage
from typing import Any, Final

import numpy as np

from acoio.audio import read_audio
from acoio.errors import AcoError, NotReadyError
from acoio.sound import Sound
from daemon.durable import sync_folder
from daemon.evidence.paths import evidence_path, wanted_span
from daemon.evidence.sound import neighbours, sound_around
from daemon.ledger.stored import reading
from daemon.names import path_of

HALVES: Final = "making"
"""The folder of a store for what is not whole yet; what lies there at a start is nobody's."""

_NICENESS: Final = 10
_LITTLE_BYTES: Final = 1 << 20  # with less, what fails does so for want of room
_FULL: Final = (errno.ENOSPC, errno.EDQUOT)
_Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """Where everything lies, and whose sound it is."""

    store: Path
    drop: Path
    station: str
    rate_hz: float
    context_s: float


def main() -> None:
    """Do the jobs of standard input, and print a line of JSON for each."""
    os.nice(_NICENESS)
    warnings.simplefilter("ignore")  # gaps and overlaps of sound are the daemon's to tell
    given = json.load(sys.stdin)
    jobs = given.pop("jobs")
    store, drop = Path(given.pop("store")), Path(given.pop("drop"))
    with suppress(BrokenPipeError):  # nobody waits for it any more
        for result in results(jobs, Place(store, drop, **given)):
            os.write(sys.stdout.fileno(), json.dumps(result).encode() + b"\n")


def results(jobs: list[dict[str, Any]], place: Place) -> Iterator[dict[str, Any]]:
    """Yield what became of each job; once the disk is full, no more are tried."""
    full = False
    for job in jobs:
        if full:
            yield {"outcome": "full", "reason": "the disk is full"}
            continue
        try:
            with reading(place.store) as database:
                yield {"outcome": "made", **_done(job, place, database)}
        except (AcoError, OSError, ValueError, sqlite3.Error) as error:
            outcome = _outcome(job, place, error)
            full = outcome == "full"
            yield {"outcome": outcome, "reason": str(error)}


def _done(job: _Json, place: Place, database: sqlite3.Connection) -> dict[str, Any]:
    if job["kind"] == "day":
        from daemon.evidence.score_files import (  # here, because only days need pyarrow
            day_path,
            day_table,
            write_table,
        )

        table, rows = day_table(place.store, database, job["day"])
        put(place.store, day_path(job["day"]), lambda half: write_table(table, half))
        return {"rows": rows}
    event = job["event"]
    span = wanted_span(event, place.context_s)
    near = neighbours(database, event)
    sound = sound_around(place.drop, event, near, span, rate_hz=place.rate_hz)
    where = evidence_path(event["id"], event["begin"], job["kind"])

    def write(half: Path) -> None:
        if job["kind"] == "clip":
            _save(half, sound)
        else:
            _draw(half, sound, event, place.station)

    return {"size_bytes": put(place.store, where, write)}


def _save(half: Path, sound: Sound) -> None:
    """Write a clip and read it back: on a full disk, blocks of it may be missing."""
    sound.save(half)
    if not np.array_equal(read_audio(half).samples, sound.samples):
        raise NotReadyError(f"{half}: found other samples than were written")


def _draw(half: Path, sound: Sound, event: _Json, station: str) -> None:
    from daemon.evidence.picture import write_picture  # here: matplotlib takes a second

    write_picture(half, sound, event, station)


def put(store: Path, where: PurePosixPath, write: Callable[[Path], None]) -> int:
    """Write a file of a store so that it is there whole or not at all; return its size in bytes.

    Raises
    ------
    NotReadyError, OSError
        If it cannot be written: nothing is left of it.
    """
    making, path = store / HALVES, store / where
    making.mkdir(exist_ok=True)
    half = making / path.name
    try:
        write(half)
        with half.open("rb") as file:
            os.fsync(file.fileno())
        size = half.stat().st_size
        path.parent.mkdir(parents=True, exist_ok=True)
        half.replace(path)
        for parent in where.parents:  # the last one is the store itself
            sync_folder(store / parent)
        return size
    finally:
        half.unlink(missing_ok=True)


def _outcome(job: _Json, place: Place, error: Exception) -> str:
    """Say whether it may be tried again: the disk was full, the sound is gone, or it failed."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno in _FULL:
            return "full"
        cause = cause.__cause__
    if job["kind"] != "day" and isinstance(error, NotReadyError):
        name = PurePosixPath(path_of(job["event"]["file"]))
        if place.drop.is_dir() and not (place.drop / name).exists():
            return "gone"
    return "full" if disk_usage(place.store).free < _LITTLE_BYTES else "failed"


if __name__ == "__main__":
    main()
