"""Sound → the columns of a picture: never more than its pixels, in bounded memory.

Where the sound has gaps, columns are NaN; no frame reaches over one.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from acoio.sound import Sound
from acoio.spectrogram import Frames

_SAMPLES_AT_ONCE: Final = 1 << 20
_Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Envelope:
    """The range and the rms of each column, (C,) counts, between `edges` (C + 1,) in samples."""

    lowest: _Floats
    highest: _Floats
    rms: _Floats
    edges: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Power:
    """Power density of each column, (F, C) counts²/Hz at `hz` (F,), between `edges` (C + 1,)."""

    density: _Floats
    hz: _Floats
    edges: NDArray[np.int64]


def envelope(sound: Sound, columns: int) -> Envelope:
    """Return the lowest and the highest sample of each column, and its rms about zero."""
    edges = _edges(len(sound.samples), columns)
    lowest, highest, squares, counts = np.zeros((4, len(edges) - 1))
    lowest[:], highest[:] = np.inf, -np.inf
    for first, last in sound.stretches():
        for begin, end in _runs(edges, first, last):
            at = np.maximum(edges[begin:end], first)
            stop = min(int(edges[end]), last)
            block = sound.samples[at[0] : stop].astype(np.float64)
            cuts, within = at - at[0], slice(begin, end)
            lowest[within] = np.minimum(lowest[within], np.minimum.reduceat(block, cuts))
            highest[within] = np.maximum(highest[within], np.maximum.reduceat(block, cuts))
            squares[within] += np.add.reduceat(block**2, cuts)
            counts[within] += np.diff(np.append(at, stop))
    counts[counts == 0] = np.nan
    empty = np.isnan(counts)
    lowest[empty] = highest[empty] = np.nan
    return Envelope(lowest, highest, np.sqrt(squares / counts), edges)


def column_power(sound: Sound, columns: int, frame_samples: int) -> Power:
    """Return the mean power of the frames whose middle lies in each column.

    Frames are those of `acoio.spectrogram`, and overlap by half at least.  A column
    without any, within half a frame of a gap or an end, is as its neighbour.

    Raises
    ------
    ValueError
        If the sound is shorter than a frame.
    """
    edges = _edges(len(sound.samples), columns)
    width = int(edges[1] - edges[0])
    frames = Frames(sound, frame_samples, min(width, frame_samples // 2))
    density = np.zeros((len(edges) - 1, len(frames.hz) - 1))
    counts = np.zeros(len(edges) - 1)
    for first, block in frames.powers():
        whole = ~np.isnan(block[0])
        at = frames.centres[first : first + len(whole)][whole] // width
        np.add.at(density, at, block.T[whole])
        np.add.at(counts, at, 1)
    source = _nearest(counts > 0, edges, sound.stretches())
    counts[counts == 0] = np.nan
    density /= counts[:, None]
    return Power(density[source].T, frames.hz[1:], edges)


def _edges(samples: int, columns: int) -> NDArray[np.int64]:
    """Return where columns of one width begin and end; the last may be narrower."""
    width = -(-samples // columns)
    return np.append(np.arange(0, samples, width), samples)


def _runs(edges: NDArray[np.int64], first: int, last: int) -> list[tuple[int, int]]:
    """Return runs of columns, [begin, end), that cover a stretch in blocks of bounded size."""
    begin = int(np.searchsorted(edges, first, side="right")) - 1
    end = int(np.searchsorted(edges, last, side="left"))
    step = max(1, _SAMPLES_AT_ONCE // int(edges[1] - edges[0]))
    return list(itertools.pairwise([*range(begin, end, step), end]))


def _nearest(
    known: NDArray[np.bool_], edges: NDArray[np.int64], stretches: list[tuple[int, int]]
) -> NDArray[np.int64]:
    """Return which column each is drawn from: itself, or the nearest known one of its stretch."""
    source = np.arange(len(known))
    for first, last in stretches:
        inside = np.flatnonzero((edges[1:] > first) & (edges[:-1] < last))
        there = inside[known[inside]]
        if len(there):
            after = np.minimum(np.searchsorted(there, inside), len(there) - 1)
            before = np.maximum(after - 1, 0)
            nearer = inside - there[before] < np.abs(there[after] - inside)
            source[inside] = np.where(nearer, there[before], there[after])
    return source
