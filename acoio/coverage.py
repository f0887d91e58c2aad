"""What an archive holds: files, gaps, overlaps, clock corrections, bits; by headers alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from acoio.catalogue import Found
from acoio.chain import Chain, Correction, Overlap, Stray, Stretch, gaps_between
from acoio.clock import JUMP_US, from_us, to_us
from acoio.clock_errors import ClockErrors
from acoio.errors import DataError, NotReadyError
from acoio.sound import Gap
from acoio.tracks import Tracks

_FEW: Final = 3  # files whose faults are told where none gives sound


@dataclass(frozen=True, slots=True)
class FileCover:
    """What a file holds.

    `named` is the time in its name; `begin` and `end` are those of its sound, None
    if it gives none; `seconds` how much of that is no other file's; `layout`
    that of its headers, or "WAV", "FLAC" or "MP3"; `bits` how many records there are of
    each width (a copy has no records); `clock_error_s` what the table of known clock
    errors says of its time; `fault` why there is no sound, or "".  A copy is `spare` if
    it is well, but recordings or other copies hold all of its time.
    """

    path: Path
    named: datetime
    rate_hz: float
    begin: datetime | None = None
    end: datetime | None = None
    seconds: float = 0.0
    layout: str = ""
    bits: tuple[tuple[int, int], ...] = ()
    size_bytes: int = 0
    damaged_bytes: int = 0
    clock_error_s: float = 0.0
    fault: str = ""
    spare: bool = False

    @property
    def records(self) -> int:
        """How many whole records there are."""
        return sum(count for _, count in self.bits)


@dataclass(frozen=True, slots=True)
class Coverage:
    """What there is of sound in [begin, end); everything is in order of time.

    `ignored` are files that look like sound by their names, but do not say when; `others`
    folders that were not looked into, since their names are no date.
    """

    begin: datetime
    end: datetime
    files: tuple[FileCover, ...]
    gaps: tuple[Gap, ...]
    overlaps: tuple[Overlap, ...]
    corrections: tuple[Correction, ...]
    strays: tuple[Stray, ...]
    ignored: tuple[Path, ...] = ()
    others: tuple[Path, ...] = ()

    @property
    def seconds(self) -> float:
        """How much sound there is, in seconds."""
        return (self.end - self.begin).total_seconds() - sum(gap.seconds for gap in self.gaps)

    def seconds_in(self, edges: Sequence[datetime]) -> NDArray[np.float64]:
        """Return how much sound lies between neighbouring times, (n + 1,) → (n,) s."""
        at_us = np.clip([to_us(edge) for edge in edges], to_us(self.begin), to_us(self.end))
        known_us, silence_us = [to_us(self.begin)], [0]
        for gap in self.gaps:
            known_us += [to_us(gap.begin), to_us(gap.end)]
            silence_us += [silence_us[-1], silence_us[-1] + known_us[-1] - known_us[-2]]
        known_us, silence_us = [*known_us, to_us(self.end)], [*silence_us, silence_us[-1]]
        origin_us = known_us[0]
        before_us = np.interp(at_us - origin_us, np.array(known_us) - origin_us, silence_us)
        return np.asarray(np.diff(at_us - before_us) / 1e6)


def survey(
    files: Iterable[Found],
    tracks: Tracks,
    chain: Chain,
    *,
    span: tuple[datetime | None, datetime | None] = (None, None),
    clock_errors: ClockErrors,
) -> Coverage:
    """Return what files hold within a span; None stands for where their sound begins or ends.

    `clock_errors` are told of, no more.

    Raises
    ------
    DataError
        If an open span holds no sound at all.
    """
    covers: list[FileCover] = []
    noted: list[Overlap | Correction | Stray] = []
    stretches: list[tuple[int, int]] = []
    for found in files:
        cover, pieces = _cover(found, tracks, chain, clock_errors)
        covers.append(cover)
        noted += [piece for piece in pieces if not isinstance(piece, Stretch)]
        stretches += [(x.begin_us, x.end_us) for x in pieces if isinstance(x, Stretch)]
    stretches = _joined(stretches)
    if not stretches and None in span:
        raise DataError(f"coverage: found {_nothing(covers, noted)}, and no span was given")
    begin_us, end_us = _edges(span, stretches)
    begin, end = from_us(begin_us), from_us(end_us)
    return Coverage(
        begin=begin,
        end=end,
        files=tuple(x for x in sorted(covers, key=_named) if _within(x, span)),
        gaps=tuple(gaps_between(stretches, begin_us, end_us)),
        overlaps=tuple(
            sorted(
                (x for x in noted if isinstance(x, Overlap) and x.begin < end and begin < x.end),
                key=lambda x: x.begin,
            )
        ),
        corrections=tuple(x for x in noted if isinstance(x, Correction) and begin <= x.begin < end),
        strays=tuple(x for x in noted if isinstance(x, Stray)),
    )


def _named(file: FileCover) -> datetime:
    return file.named


def _cover(
    found: Found, tracks: Tracks, chain: Chain, clock_errors: ClockErrors
) -> tuple[FileCover, list[Stretch | Overlap | Correction | Stray]]:
    rate_hz = chain.rate_hz
    try:
        track = tracks.track(found)
    except NotReadyError as error:
        return FileCover(found.path, found.name.begin, rate_hz, fault=str(error)), []
    pieces = list(chain.push(found, track))
    mine = [piece for piece in pieces if isinstance(piece, Stretch)]
    spare = found.copy and not mine and not track.fault and _overlaps(pieces)
    begin = from_us(min(int(piece.marks_us[0]) for piece in mine)) if mine else None
    return FileCover(
        path=found.path,
        named=found.name.begin,
        rate_hz=rate_hz,
        begin=begin,
        end=from_us(max(piece.last_us(rate_hz) for piece in mine)) if mine else None,
        seconds=sum(piece.end_us - piece.begin_us for piece in mine) / 1e6,
        layout=track.layout,
        bits=track.bits,
        size_bytes=track.size_bytes,
        damaged_bytes=track.damaged_bytes,
        clock_error_s=clock_errors.file_error_s(begin) if begin and not found.copy else 0.0,
        fault="" if mine or spare else track.fault or _fault(pieces),
        spare=spare,
    ), pieces


def _fault(pieces: Sequence[object]) -> str:
    return "other files hold all of its time" if _overlaps(pieces) else "a clock of another time"


def _overlaps(pieces: Sequence[object]) -> bool:
    return any(isinstance(piece, Overlap) for piece in pieces)


def _joined(stretches: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return stretches in order; one that follows another is made one with it."""
    joined: list[tuple[int, int]] = []
    for begin_us, end_us in sorted(stretches):
        if joined and begin_us - joined[-1][1] <= JUMP_US:
            joined[-1] = joined[-1][0], max(joined[-1][1], end_us)
        else:
            joined.append((begin_us, end_us))
    return joined


def _nothing(covers: Sequence[FileCover], noted: Iterable[object]) -> str:
    """Return what was found instead of sound at the times in the names of files."""
    strays = {x.file: x for x in noted if isinstance(x, Stray)}
    for file in covers:
        if stray := strays.get(file.path.name):
            return (
                f"sound in {len(strays)} of {len(covers)} files, all of other times than in their "
                f"names (are these local?): {stray.file} has it from {stray.begin} on"
            )
    told = (f"{x.path.name}: {x.fault.removeprefix(f'{x.path}: ')}" for x in covers)
    few = "; ".join(islice(told, _FEW))
    return f"no sound in {len(covers)} file{'s' * (len(covers) > 1)} ({few})"


def _edges(
    span: tuple[datetime | None, datetime | None], stretches: Sequence[tuple[int, int]]
) -> tuple[int, int]:
    begin, end = span
    return (
        stretches[0][0] if begin is None else to_us(begin),
        stretches[-1][1] if end is None else to_us(end),
    )


def _within(file: FileCover, span: tuple[datetime | None, datetime | None]) -> bool:
    first, last = file.begin or file.named, file.end or file.named
    begin, end = (None if edge is None else from_us(to_us(edge)) for edge in span)
    return (begin is None or begin <= last) and (end is None or first < end)
