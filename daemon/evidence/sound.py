"""The sound of a stretch of time, from the files of the drop that hold it."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Any

from acoio.errors import DataError, NotReadyError
from acoio.header import RECORD_SAMPLES
from acoio.join import join
from acoio.load import read_span
from acoio.sound import Sound
from daemon.drop.order import time_order
from daemon.names import path_of

_NEIGHBOURS = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The file before the one an event begins in, with its samples, and those after it."""

    before: tuple[str, int] | None
    after: tuple[str, ...]


def neighbours(database: sqlite3.Connection, event: Mapping[str, Any]) -> Neighbours:
    """Return the files around that of an event, of those that gave sound within a day."""
    own = event["file"]
    day, _ = time_order(own)
    days = [f"{day + k * _NEIGHBOURS:%Y-%m-%d}" for k in (-1, 0, 1)]
    rows = database.execute(
        "SELECT name, samples_read FROM files WHERE samples_read > 0 AND state != 'set_aside' "
        "AND (instr(name, ?) OR instr(name, ?) OR instr(name, ?))",
        days,
    )
    samples = dict(rows.fetchall())
    order = sorted(samples, key=time_order)
    before = [name for name in order if time_order(name) < time_order(own)]
    after = [name for name in order if time_order(name) > time_order(own)]
    return Neighbours((before[-1], samples[before[-1]]) if before else None, tuple(after))


def sound_around(
    drop: Path,
    event: Mapping[str, Any],
    near: Neighbours,
    span: tuple[datetime, datetime],
    *,
    rate_hz: float,
) -> Sound:
    """Return the sound of a span that an event begins in, as far as there is any.

    Raises
    ------
    NotReadyError
        If the event's own file cannot be read.
    DataError
        If there is no sound where the event says.
    """
    begin, end = span
    ahead = _samples(datetime.fromisoformat(event["begin"]) - begin, rate_hz)
    whole = _samples(end - begin, rate_hz)
    first = event["sample"] - ahead
    pieces = [_read(drop, event["file"], max(first, 0), first + whole, rate_hz)]
    if first < 0 and near.before:
        name, samples = near.before
        pieces += _beside(drop, name, (samples + first, samples), rate_hz)
    for name in near.after:
        missing = _samples(end - pieces[0].end, rate_hz)
        if missing <= 0 or pieces[-1].end >= end or time_order(name)[0] >= end:
            break
        pieces += _beside(drop, name, (0, missing), rate_hz)
    inside = [piece for piece in pieces if piece.begin < end and piece.end > begin]
    if not inside:
        raise DataError(f"{event['file']}: found no sound at {begin} to {end}")
    return join(inside)[begin:end]


def _beside(drop: Path, name: str, span: tuple[int, int], rate_hz: float) -> Sequence[Sound]:
    """Return the sound of a file beside the event's own, or nothing: context may be short."""
    try:
        return [_read(drop, name, *span, rate_hz)]
    except (NotReadyError, DataError):
        return []


def _read(drop: Path, name: str, first: int, last: int, rate_hz: float) -> Sound:
    path = PurePosixPath(path_of(name))
    if path.is_absolute() or ".." in path.parts:
        raise DataError(f"file: found {name!r}, wanted a path within the drop")
    try:
        return read_span(drop / path, first, last, rate_hz=rate_hz)
    except IndexError as error:
        raise DataError(str(error)) from error


def _samples(span: timedelta, rate_hz: float) -> int:
    """Return how many samples a span of time has, and a record more: the true rate differs."""
    return round(span.total_seconds() * rate_hz) + RECORD_SAMPLES
