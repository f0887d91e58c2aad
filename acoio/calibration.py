"""What a count is worth: levels in dB re 1 count, or re 1 µPa."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from acoio.errors import SetupError


@dataclass(frozen=True, slots=True)
class Calibration:
    """How many counts one `unit` of sound pressure gives, the same at every frequency.

    Raises
    ------
    SetupError
        If the counts are not a number above zero.
    """

    counts_per_unit: float
    unit: str = "µPa"

    def __post_init__(self) -> None:
        counts = self.counts_per_unit
        if not isinstance(counts, int | float | np.number) or not 0 < counts < math.inf:
            raise SetupError(f"calibration: found {counts!r} counts, wanted over 0")

    @classmethod
    def from_sensitivity(cls, sensitivity_db: float, counts_per_volt: float) -> Calibration:
        """Return the calibration of a hydrophone of this sensitivity level, dB re 1 V/µPa.

        Source: ISO 18405:2017 (free-field voltage sensitivity level).
        """
        return cls(10 ** (sensitivity_db / 20) * counts_per_volt)

    def level_db(self, mean_square: ArrayLike) -> NDArray[np.float64]:
        """Return the level of powers in counts², dB re 1 unit²; silence is −inf.

        Source: ISO 18405:2017, mean-square sound pressure level: ten times the decimal
        logarithm of the mean square over the reference squared.
        """
        with np.errstate(divide="ignore"):
            level_db = 10 * np.log10(np.asarray(mean_square, np.float64))
        return np.asarray(level_db - 20 * math.log10(self.counts_per_unit))


COUNTS: Final = Calibration(1.0, "count")
"""No calibration: levels are relative to one count."""
