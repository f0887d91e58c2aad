"""How windows are made of sound: what a model is good for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from acoio.clock import MEMORY_RECORDS, record_us
from acoio.errors import SetupError
from acoio.header import RECORD_SAMPLES


@dataclass(frozen=True)
class FeatureSettings:
    """How windows are made of sound; a model is good for one setting only.

    `past_records` is the recent past that each band is levelled against: its
    median is the background, and the distance from there down to its
    `quiet_quantile` is the spread.  Looking only at the quiet half keeps calls
    out of both.
    """

    rate_hz: float = 24_000.0
    frame_samples: int = 4096
    hop_samples: int = 2048
    low_hz: float = 15.0
    high_hz: float = 10_000.0
    bands: int = 96
    window_records: int = 12
    step_s: float = 1.0
    past_records: int = 352
    background_quantile: float = 0.5
    quiet_quantile: float = 0.16

    def __post_init__(self) -> None:
        """Raise `SetupError` with every value that cannot be."""
        if faults := list(self._faults()):
            raise SetupError("features: " + "; ".join(faults))

    def _faults(self) -> Iterator[str]:
        if self.hop_samples < 1 or RECORD_SAMPLES % self.hop_samples:
            yield f"hop_samples: found {self.hop_samples}, wanted a divisor of {RECORD_SAMPLES}"
        longest = RECORD_SAMPLES + self.hop_samples - 1
        if not self.hop_samples <= self.frame_samples <= longest:
            yield f"frame_samples: found {self.frame_samples}, wanted a hop to {longest}"
        if not 0 < self.low_hz < self.high_hz <= self.rate_hz / 2:
            band = f"{self.low_hz} to {self.high_hz} Hz at {self.rate_hz} Hz"
            yield f"low_hz, high_hz: found {band}, wanted them rising, to half the rate"
        for name in ("bands", "window_records", "past_records", "step_s"):
            if not getattr(self, name) > 0:
                yield f"{name}: found {getattr(self, name)}, wanted more than 0"
        if not 0 <= self.quiet_quantile < self.background_quantile <= 1:
            yield "quantiles: wanted the quiet one below the background's, both in 0 to 1"

    @property
    def columns(self) -> int:
        """T, the spectra in a window."""
        return self.window_records * self._columns_per_record

    @property
    def _columns_per_record(self) -> int:
        return RECORD_SAMPLES // self.hop_samples

    @property
    def context_records(self) -> int:
        """How many records before a place decide what is said there.

        One for the overlap of frames, the past, the window, and what the clock
        repair must have heard to tell a gap from a glitch in all of these.
        """
        return MEMORY_RECORDS + 1 + self.past_records + self.window_records

    @property
    def context_s(self) -> float:
        """*C*: the seconds of sound that a score depends on."""
        return self.context_records * record_us(self.rate_hz) / 1e6

    @cached_property
    def band_bins(self) -> NDArray[np.intp]:
        """First bin of each band and, last, the bin after all of them, (F + 1,)."""
        width_hz = self.rate_hz / self.frame_samples
        first = max(int(np.ceil(self.low_hz / width_hz)), 1)
        last = int(self.high_hz / width_hz) + 1
        return _log_edges(first, last, self.bands)

    @cached_property
    def band_edges_hz(self) -> NDArray[np.float64]:
        """Edges of the bands, (F + 1,) Hz."""
        return (self.band_bins - 0.5) * self.rate_hz / self.frame_samples


def _log_edges(first: int, last: int, bands: int) -> NDArray[np.intp]:
    """Return `bands + 1` rising bins, as even in log frequency as whole bins allow."""
    if bands > last - first:
        raise SetupError(f"bands: found {bands}, wanted at most {last - first} (one bin each)")
    edges = [first]
    for left in range(bands, 0, -1):
        ideal = edges[-1] * (last / edges[-1]) ** (1 / left)
        edges.append(max(round(ideal), edges[-1] + 1))
    return np.asarray(edges, np.intp)
