"""Samples beyond the ends of a sound, so that a filter does not ring there."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_Floats = NDArray[np.float64]


def extended(samples: _Floats, before: int, after: int, fitted: int) -> _Floats:
    """Return samples with so many more at either end, `(n,) → (before + n + after,)`.

    Beyond an end the straight line that is fitted to the `fitted` samples there goes
    on, and what these are off from it is reflected, over and over.  About the last
    sample alone, as scipy's `odd`, the noise of that one would be a step, which
    a filter that takes out the swell lets through.
    """
    begin = _before(samples[:fitted], before)
    end = _before(samples[: -fitted - 1 : -1], after)[::-1]
    return np.concatenate([begin, samples, end])


def _before(samples: _Floats, count: int) -> _Floats:
    """Return so many samples before the first."""
    if not count:
        return samples[:0]
    k = np.arange(-count, len(samples))
    line: NDArray[Any] = _line(samples, k)
    off = np.pad(samples - line[count:], (count, 0), "reflect")
    return np.asarray((off + line)[:count])


def _line(samples: _Floats, k: NDArray[np.int_]) -> _Floats:
    """Return the straight line of the least squares at samples k, `(n,), (k,) → (k,)`."""
    at = np.arange(len(samples)) - (len(samples) - 1) / 2
    spread = float(at @ at)
    slope = float(at @ samples) / spread if spread else 0.0
    return np.asarray(samples.mean() + slope * (k - (len(samples) - 1) / 2))
