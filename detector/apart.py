"""Which peaks stand apart from typical sound: these set no threshold.

Hours that are taken for typical have calls and noises that nobody has judged.  Counted as
false alarms they lift the threshold over everything that is like them, and the model goes
deaf.  But typical sound has a tail that is known: over a high release the excesses of its
peaks are all but exponential, so the highest of n lies ln n times their scale above the
release.  A peak three times as high is no peak of that sound.  Source: the theorem of
Pickands, Annals of Statistics 3, 1975, with shape 0; with a heavy tail of shape 0.3 the
highest of 500 still lies below.

The scale is told by the median, and again without what stands apart, so that it holds
with nearly half of the peaks astray; with more of them none stands apart, and all count.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

TIMES_THE_HIGHEST: Final = 3.0


def stand_apart(peaks: NDArray[np.float64], release: float) -> NDArray[np.bool_]:
    """Return which peaks over a release stand apart from the others, (n,) → (n,)."""
    excess = peaks - release
    apart = np.zeros(len(peaks), np.bool_)
    while not apart.all():
        typical = excess[~apart]
        highest = float(np.median(typical)) / np.log(2) * np.log(len(typical))
        found = excess > TIMES_THE_HIGHEST * highest
        if highest <= 0 or (found == apart).all():
            break
        apart = found
    return apart
