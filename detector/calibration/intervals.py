"""A measured value with the interval that holds the true one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from scipy.stats import binomtest

from acoio.errors import DataError

CONFIDENCE: Final = 0.95


@dataclass(frozen=True, slots=True)
class Estimate:
    """A measured value and the interval that holds the true one with `confidence`."""

    value: float
    low: float
    high: float
    confidence: float = CONFIDENCE


def wilson(found: int, of: int) -> Estimate:
    """Return the share `found` of `of` independent trials with Wilson's score interval.

    Source: Wilson, Journal of the American Statistical Association 22, 1927.

    Raises
    ------
    DataError
        If there are no trials, or more were found than there are.
    """
    if not 0 <= found <= of or of < 1:
        raise DataError(f"share: found {found} of {of}, wanted 0 to all of one or more")
    interval = binomtest(found, of).proportion_ci(CONFIDENCE, method="wilson")
    return Estimate(found / of, float(interval.low), float(interval.high))
