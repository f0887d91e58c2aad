"""Small archives for tests: genuine files of a minute each, in any of the trees."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from acoio.audio import save
from acoio.clock import record_us
from acoio.filename import FileName
from acoio.header import OLD, RECORD_SAMPLES
from acoio.sound import Sound
from acoio.writer import encode_records, record_begins_us

from .feeds import RATE_HZ, noise

MIDNIGHT = datetime(2024, 3, 1, tzinfo=UTC)
MINUTES = [MIDNIGHT + timedelta(minutes=k) for k in (-2, -1, 0, 1)]
BEGIN = MINUTES[0] - timedelta(seconds=0.62)
RECORDS = math.ceil(len(MINUTES) * 60e6 / record_us())
TREES = ["{:%Y/%m/%d}", "HYDR024K/{:%Y/%m/%d}", "HYDR024K/{:%m/%d}", "{:%m/%d}", "{:%d}", "."]

_NOISE = noise(RECORDS, deviation=50.0)


def whole() -> Sound:
    """Return all of the sound, without a break: records from `BEGIN` on."""
    return Sound(_NOISE, RATE_HZ, record_begins_us(BEGIN, 0, RECORDS))


def file_records(k: int) -> tuple[int, int]:
    """Return the first record of a minute's file and the one after its last."""
    return math.ceil(k * 60e6 / record_us()), math.ceil((k + 1) * 60e6 / record_us())


def content(
    first: int,
    last: int,
    *,
    glitch: Sequence[int] = (),
    lies: Mapping[int, int] | None = None,
    without: Sequence[int] = (),
) -> bytes:
    """Return the bytes of records; `timecount` of those in `glitch` jumped by 0.3 s.

    `tSec` of those in `lies` is off by so many seconds; those in `without` are missing.
    """
    data = bytearray(
        encode_records(
            _NOISE[first * RECORD_SAMPLES : last * RECORD_SAMPLES],
            begins_us=record_begins_us(BEGIN, first, last - first),
            first_number=first,
            bits=10,
        )
    )
    size = 36 + 512 * 10
    for k in glitch:
        header: NDArray[np.void] = np.frombuffer(data, OLD, 1, (k - first) * size)
        header["timecount"] = (header["timecount"] + 3_000_000) % 10_000_000
    for k, seconds in (lies or {}).items():
        told: NDArray[np.void] = np.frombuffer(data, OLD, 1, (k - first) * size)
        told["tSec"] = told["tSec"].astype(np.int64) + seconds
    kept = (k - first for k in range(first, last) if k not in without)
    return b"".join(data[k * size : (k + 1) * size] for k in kept)


def put(base: Path, tree: str, named: datetime, data: bytes, **name: object) -> Path:
    """Write a file in its place in a tree."""
    folder = base / tree.format(named)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / str(FileName(named, **name))  # type: ignore[arg-type]
    path.write_bytes(data)
    return path


def archive(base: Path, tree: str = "{:%Y/%m/%d}", *, without: Sequence[int] = ()) -> list[Path]:
    """Write the files of all minutes but some."""
    return [
        put(base, tree, minute, content(*file_records(k)))
        for k, minute in enumerate(MINUTES)
        if k not in without
    ]


def minute_sound(k: int) -> Sound:
    """Return the sound of a minute's file."""
    first, last = file_records(k)
    sound = whole().piece(first * RECORD_SAMPLES, last * RECORD_SAMPLES)
    return replace(sound, sample=0)


def put_copy(base: Path, tree: str, named: datetime, sound: Sound, name: str) -> Path:
    """Save a sound in its place in a tree; `name` is a format of the time, as `{:%H%M}.wav`."""
    folder = base / tree.format(named)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name.format(named)
    save(sound, path)
    return path


def copies(
    base: Path,
    name: str = "{:%Y-%m-%d--%H.%M}.wav",
    tree: str = "{:%Y/%m/%d}",
    *,
    without: Sequence[int] = (),
) -> list[Path]:
    """Save the files of all minutes but some as audio."""
    return [
        put_copy(base, tree, minute, minute_sound(k), name)
        for k, minute in enumerate(MINUTES)
        if k not in without
    ]


def cut(sound: Sound, begin: datetime, duration: timedelta) -> Sound:
    """Return a piece of a sound."""
    return sound[begin : begin + duration]
