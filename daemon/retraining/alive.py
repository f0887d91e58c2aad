"""Whether a hydrophone still hears: what tells a louder sea from a dying instrument.

Noise that rises is followed, a hydrophone that dies is refused, and this is the rule:

- Weather changes the noise of wind and waves, above some 200 Hz.  Below that it is ships far
  away, which are always there, so these bands hardly fall; an instrument that hears less
  makes them.  A band has *fallen* if its mean level lies 3 dB below that of the sound that a
  model was calibrated on, and below its quietest twentieth; over half of the octaves there
  must have.  (A chorus of whales ends, but covers one or two of nearly four.)  Source: Wenz,
  J. Acoust. Soc. Am. 34, 1962; the figures by `tests/benchmarks/test_month.py`.
- Over a third of all bands may not have *collapsed*: lie 12 dB below what was the quietest
  hundredth of that sound.  A calm is some 10 dB quieter than a common wind.
- A louder sea is a sea: its levels fall with frequency by about as much as they did.  The
  noise of an amplifier or a converter is flat: the levels' standard deviation over the
  bands has fallen to under half of what it was.
- The sea is never silent: records of a dead channel, as `acoio.dead` finds them.
- Sound keeps coming: more of the time is missing than before.

Before is each of three: the candidate's calibration, the champion's, and the station's `first`.
What is compared are the same hours of the day.  Each holds of the newest days as a whole,
and all but the last one of the newest day alone, so that a death of yesterday is seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from detector.calibration.tally import LOWEST_DB, Floats, Tally

LOW_HZ: Final = 200.0
FALLEN_DB: Final = 3.0
MOST_FALLEN: Final = 1 / 2
COLLAPSED_DB: Final = 12.0
MOST_COLLAPSED: Final = 1 / 3
LEAST_RANGE: Final = 0.5
MOST_SILENT: Final = 0.02
MOST_MISSING_MORE: Final = 0.25
_QUIET, _QUIETEST = 0.05, 0.01


@dataclass(frozen=True, slots=True)
class Health:
    """How sound compares with the sound before: shares of bands, of a range, and of time.

    `fallen` is of the low octaves, `collapsed` of all bands.  `range` is the standard deviation of
    the levels over the bands re what it was; `moved_db` how much louder a band is, in the
    median.
    """

    fallen: float
    collapsed: float
    range: float
    silent: float
    moved_db: float


def health_of(before: Tally, now: Tally, edges_hz: Floats, *, silent: float = 0.0) -> Health:
    """Return how the levels of windows compare with those of a calibration.

    `edges_hz` (F + 1,) are those of the bands, `silent` is the share of the sound that was dead:
    where all of it was, there is nothing else to compare.
    """
    if not now.windows:
        return Health(fallen=0.0, collapsed=0.0, range=1.0, silent=silent, moved_db=0.0)
    was_db, is_db = before.mean_db, now.mean_db
    low, octaves = edges_hz[1:] <= LOW_HZ, np.diff(np.log2(edges_hz))
    fallen = is_db < np.minimum(was_db - FALLEN_DB, quantile_db(before, _QUIET))
    collapsed = is_db < quantile_db(before, _QUIETEST) - COLLAPSED_DB
    range_db = float(np.std(was_db))
    return Health(
        fallen=float(fallen[low] @ octaves[low] / octaves[low].sum()) if low.any() else 0.0,
        collapsed=float(collapsed.mean()),
        range=float(np.std(is_db)) / range_db if range_db > 0 else 1.0,
        silent=silent,
        moved_db=float(np.median(is_db - was_db)),
    )


def ailments(found: Health, when: str) -> Iterator[str]:
    """Yield in words what says that the hydrophone, or what is behind it, is failing."""
    if found.fallen > MOST_FALLEN:
        yield (
            f"levels {when}: found {found.fallen:.0%} of the octaves up to {LOW_HZ:g} Hz, which do "
            f"not depend on the weather, {FALLEN_DB:g} dB or more below the calibration, wanted "
            f"at most {MOST_FALLEN:.0%}: the hydrophone hears less"
        )
    if found.collapsed > MOST_COLLAPSED:
        yield (
            f"levels {when}: found {found.collapsed:.0%} of the bands {COLLAPSED_DB:g} dB below "
            f"the quietest of the calibration, wanted at most {MOST_COLLAPSED:.0%}: "
            "the hydrophone hears less"
        )
    if found.range < LEAST_RANGE:
        yield (
            f"spectrum {when}: found levels that differ between bands by {found.range:.0%} of "
            f"what they did, wanted {LEAST_RANGE:.0%}: flat noise is not the sea's"
        )
    if found.silent > MOST_SILENT:
        yield (
            f"silence {when}: found {found.silent:.1%} of the sound that of a dead channel, wanted "
            f"at most {MOST_SILENT:.0%}"
        )


def missing_sound(before: float, now: float) -> Iterator[str]:
    """Yield in words that a larger share of the time has no sound than before, if so."""
    if now > before + MOST_MISSING_MORE:
        yield (
            f"sound: found {now:.0%} of the newest days missing, wanted at most "
            f"{before + MOST_MISSING_MORE:.0%}, since it was {before:.0%} before"
        )


def quantile_db(heard: Tally, share: float) -> Floats:
    """Return the level that each band is below for a share of the windows, (F,) dB."""
    risen = np.cumsum(heard.levels, axis=1) / max(heard.windows, 1)
    return np.asarray(LOWEST_DB + np.argmax(risen >= share, axis=1), np.float64)


def summed(tallies: Sequence[Tally]) -> Tally:
    """Return the counts of one or more together."""
    return sum(tallies[1:], tallies[0])
