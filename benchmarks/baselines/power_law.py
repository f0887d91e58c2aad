"""The generalised power-law detector, the field's classical baseline.

Source: Helble, Ierley, D'Spain, Roch and Hildebrand, "A generalized power-law
detection algorithm for humpback whale vocalizations", JASA 131(4), 2012,
equations 6 to 11.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final, Literal, Self, TypeAlias

import numpy as np

from acoio.errors import DataError, SetupError
from benchmarks.baselines.base import Floats, Input, Windows, check_windows, in_chunks, some

Interval: TypeAlias = Literal["typical", "window"]

_MOST_FITTED: Final = 2000  # windows: 67 minutes of sound for the mean that the paper has of 75 s
_DB_PER_AMPLITUDE: Final = 20.0
_TINY: Final = np.finfo(np.float64).tiny


@dataclass(frozen=True)
class GeneralisedPowerLaw:
    """Energy that stands out in its spectrum and in its band's course of time.

    With u = |X|^gamma - mu, mu the conditional mean of a band: A is |u| over its
    norm along frequency, B is |u| over its norm along time, and a spectrum
    scores the sum over bands of A^(2 nu_frequency) B^(2 nu_time).  The defaults
    are the published gamma = 1, nu_1 = 1, nu_2 = 2.  A window scores the largest
    mean over `frames` spectra on end: 4 are the published shortest call of 0.35 s.

    What is approximated: |X| is the amplitude of a band, the root of its mean
    power over several bins, above the background of the last minute, so a tone
    is thinned in broad bands and noise there fluctuates less than in the paper.
    The paper has mu and the norm along time from 75 s around; a window is 2 s, so
    `interval` takes them from typical sound (then B has no upper bound of 1), or,
    by the letter, from the window alone, where a tone that fills it is lost.
    """

    gamma: float = 1.0
    nu_frequency: float = 1.0
    nu_time: float = 2.0
    frames: int = 4
    interval: Interval = "typical"
    reads: ClassVar[Input] = "excess_db"
    name: ClassVar[str] = "generalised power law"

    def __post_init__(self) -> None:
        """Raise `SetupError` if a setting cannot be."""
        if not (self.gamma > 0 and min(self.nu_frequency, self.nu_time) >= 0 and self.frames > 0):
            raise SetupError(f"power law: found {self}, wanted gamma and frames above 0, nu from 0")

    def fit(self, typical: Windows, *, seed: int) -> FittedPowerLaw:
        """Return the detector with the conditional mean and the norm of each band.

        Raises
        ------
        DataError
            If there are no windows, or these are shorter than `frames` or 2 spectra.
        """
        check_windows(typical)
        if not len(typical) or typical.shape[2] < max(self.frames, 2):
            wanted = f"one or more windows of {max(self.frames, 2)} spectra or more"
            raise DataError(f"power law: found {typical.shape}, wanted {wanted}")
        course = np.moveaxis(some(typical, _MOST_FITTED, seed=seed), 1, 0)
        mean, spread = np.empty(len(course)), np.empty(len(course))
        for k, band in enumerate(course):
            level = self.level(band.reshape(-1))
            mean[k] = conditional_mean(level)
            spread[k] = np.sqrt(np.square(level - mean[k]).mean())
        return FittedPowerLaw(self, mean, spread, typical.shape[1:])

    def level(self, excess_db: Windows) -> Floats:
        """Return |X|^gamma of levels in dB, of the same shape."""
        decades = excess_db.astype(np.float64) * (self.gamma / _DB_PER_AMPLITUDE)
        return np.asarray(np.power(10.0, decades))

    @classmethod
    def variants(cls) -> tuple[Self, ...]:
        """Return the published exponents and some around them, each of both intervals.

        The last are those of `detector.networks.losses.power_law`, and so are 16 frames at most.
        """
        exponents = (
            (1.0, 1.0, 2.0),
            (1.0, 1.0, 1.0),
            (1.0, 0.5, 2.0),
            (2.0, 1.0, 1.0),
            (1.0, 2.0, 0.5),
        )
        intervals: tuple[Interval, ...] = ("typical", "window")
        return tuple(
            cls(*powers, frames, interval)
            for powers in exponents
            for frames in (1, 4, 16)
            for interval in intervals
        )


@dataclass(frozen=True, eq=False)
class FittedPowerLaw:
    """The detector with each band's conditional `mean` (F,) and rms about it, `spread` (F,)."""

    settings: GeneralisedPowerLaw
    mean: Floats
    spread: Floats
    shape: tuple[int, ...]

    def score(self, x: Windows) -> Floats:
        """Return how unusual windows are, dB (n, F, T) → (n,)."""
        check_windows(x, self.shape)
        return in_chunks(self._score, x)

    def _score(self, x: Windows) -> Floats:
        s, level = self.settings, self.settings.level(x)
        own = s.interval == "window"
        mean = conditional_mean(level) if own else self.mean
        above = np.abs(level - mean[..., None])  # (n, F, T)
        along = np.sqrt(np.square(above).sum(axis=2)) if own else self.spread
        in_spectrum = above / _norm(np.sqrt(np.square(above).sum(axis=1, keepdims=True)))
        in_time = above / _norm(along[..., None])
        power = in_spectrum ** (2 * s.nu_frequency) * in_time ** (2 * s.nu_time)
        return _largest_mean(power.sum(axis=1), s.frames)


def conditional_mean(level: Floats) -> Floats:
    """Return the mean of the half of the values that lies closest together, (..., J) → (...).

    A call in fewer than half of the spectra leaves it as it is.

    Source: Helble et al. 2012, equations 9 to 11.
    """
    ordered = np.sort(level, axis=-1)
    half = max(level.shape[-1] // 2, 1)
    span = ordered[..., half - 1 :] - ordered[..., : level.shape[-1] - half + 1]
    first = span.argmin(axis=-1)[..., None]
    closest = np.take_along_axis(ordered, first + np.arange(half), axis=-1)
    return np.asarray(closest.mean(axis=-1))


def _norm(norm: Floats) -> Floats:
    """Return norms fit to divide by: what has none scores 0."""
    return np.maximum(norm, _TINY)


def _largest_mean(statistic: Floats, frames: int) -> Floats:
    """Return the largest mean of so many values on end, (n, T) → (n,)."""
    runs = np.lib.stride_tricks.sliding_window_view(statistic, frames, axis=1)
    return np.asarray(runs.mean(axis=2).max(axis=1))
