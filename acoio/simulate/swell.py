"""The swell below 5 Hz that carries the sound, and rare DC steps.

The swell is a sum of fixed lines, so it is a closed form of time: every sample can
be had by itself, with no interpolation and so with nothing above its last line.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from acoio.header import RECORD_SAMPLES
from acoio.simulate.streams import RATE_HZ, Stream, keyed

LINES: Final = 64

THUMP_S: Final = 0.2
THUMP_BAND_HZ: Final = (5.0, 1000.0)
"""How long and where the edge of a step is heard: its spectrum falls by 6 dB an octave."""

# (Hz, dB re any level).  Source: measured on the real minutes of 2016-02-18.
SWELL_LEVELS: Final = (
    (0.05, 44.0), (0.1, 45.0), (0.25, 53.0), (0.5, 49.0), (0.75, 47.0),
    (1.0, 45.0), (1.5, 39.0), (2.0, 32.0), (2.5, 24.0), (3.0, 18.0),
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Swell:
    """Lines of the swell: frequency (Hz), amplitude (counts) and phase, each (LINES,)."""

    hz: NDArray[np.float64]
    amplitude: NDArray[np.float64]
    phase: NDArray[np.float64]
    within: NDArray[np.float32]
    """cos and −sin of each line's phase from a record's begin on, (2 LINES, 4096)."""

    def at(self, first_record: int, records: int) -> NDArray[np.float32]:
        """Return the swell in counts, `→ (records * 4096,)`.

        Source: cos(a + b) = cos a cos b − sin a sin b, a at the record's begin and
        b within it.
        """
        begin_s = np.arange(first_record, first_record + records) * (RECORD_SAMPLES / RATE_HZ)
        phase = 2.0 * np.pi * np.outer(begin_s, self.hz) + self.phase
        lines = np.hstack([self.amplitude * np.cos(phase), self.amplitude * np.sin(phase)])
        return (lines.astype(np.float32) @ self.within).reshape(-1)


def swell(seed: int, rms: float) -> Swell:
    """Return the swell of a seed with an rms in counts."""
    rng = keyed(seed, Stream.SWELL)
    table = np.array(SWELL_LEVELS)
    edges = np.geomspace(table[0, 0], table[-1, 0], LINES + 1)
    hz = edges[:-1] + (edges[1:] - edges[:-1]) * rng.random(LINES)
    level_db = np.interp(np.log(hz), np.log(table[:, 0]), table[:, 1])
    power = 10.0 ** (level_db / 10.0) * np.diff(edges)
    amplitude = rms * np.sqrt(2.0 * power / power.sum())
    turns = 2.0 * np.pi * np.outer(hz, np.arange(RECORD_SAMPLES) / RATE_HZ)
    within = np.vstack([np.cos(turns), -np.sin(turns)]).astype(np.float32)
    return Swell(hz, amplitude, 2.0 * np.pi * rng.random(LINES), within)


@dataclass(frozen=True, slots=True)
class Step:
    """An offset of `counts` from sample `begin` up to sample `end`."""

    begin: int
    end: int
    counts: float

    def add_to(self, block: NDArray[np.float32], first: int) -> None:
        """Add the offset to a block that begins at sample `first`."""
        block[max(self.begin - first, 0) : max(self.end - first, 0)] += np.float32(self.counts)
