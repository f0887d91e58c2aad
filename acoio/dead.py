"""Which records are those of a dead channel, by their samples alone.

A dead channel still gives records, with true numbers and times.  They have one of four forms:

- *still*: at most `STILL_STEPS` samples differ from the one before: zeros, a stuck value, a
  constant voltage, and a bit that changes now and then.
- *noise*: but for a drift, under `NOISE_COUNTS` rms, and each sample as good as independent of the
  one before, as a converter without a signal gives.  The sea is louder at low frequencies: in real
  minutes of the observatory neighbours correlate by 0.7 to 0.97.
- *clipped*: over `CLIPPED_SHARE` of the samples lie at the lowest or the highest value.  A tone
  must be 8 dB above full scale for that, noise 10 dB: a call that overloads is sound.
- *dying*: the end stands still for 21 ms or more, and what is before it is loud.

A sea that is so quiet that its waves just move the last bits is still, or noise, for a record or
some, but not for 22 s: of real minutes that are scaled down to three bits, 80 dB below what they
are, 85 of 100 records live by these forms.  So a record that is still or noise lives where one of
the `MEMORY_RECORDS` before it was as quiet and lived.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby
from typing import Final

import numpy as np
from numpy.typing import NDArray

from acoio.clock import MEMORY_RECORDS, from_us, record_us
from acoio.header import RECORD_SAMPLES
from acoio.sound import Gap, Sound

STILL_STEPS: Final = 8  # of 4095
NOISE_COUNTS: Final = 1.5  # rms; even noise over three bits has 2.3
MOST_RELATED: Final = 0.3  # correlation with the next sample; of independent ones 0.016 rms
CLIPPED_SHARE: Final = 0.75
_RAIL_SHARE: Final = 64  # at a rail: within so small a part of the range
_QUIET_COUNTS: Final = 32  # the range of a record; 1.5 counts rms have 11, and may drift
_LOUD_COUNTS: Final = 16  # that of 21 ms
_STILL_COUNTS: Final = 2
_PARTS: Final = 8  # of a record: 21 ms each
_Counts = NDArray[np.int32]

DEAD: Final = "dead channel: "
"""How the reason of a gap begins where records are there and their channel is dead."""

FORMS: Final = {
    "still": "the samples stand still",
    "noise": "nothing but the noise of the converter",
    "clipped": "the samples lie at full scale",
    "dying": "the sound breaks off within a record",
}
"""The forms of dead records, in words."""


def dead_forms(samples: _Counts) -> list[str]:
    """Return the form of each record that is dead by itself, "" of others, `(n * 4096,) → n`."""
    return [form for form, _ in _judged(samples)]


def _judged(samples: _Counts) -> list[tuple[str, bool]]:
    """Return the form of each record, and whether it is quiet, `(n * 4096,) → n`."""
    parts = samples.reshape(-1, _PARTS, RECORD_SAMPLES // _PARTS)
    lowest, highest = parts.min(axis=2).astype(np.int64), parts.max(axis=2).astype(np.int64)
    ranges = highest - lowest
    low, high = lowest.min(axis=1), highest.max(axis=1)
    wide = high - low > _RAIL_SHARE  # of two or three values some are the lowest or the highest
    clipped = wide & (_share_at(parts, low, high, every=8) > CLIPPED_SHARE / 2)
    faint = ranges.min(axis=1) <= _QUIET_COUNTS
    forms = [""] * len(parts)
    for k in np.flatnonzero(clipped | faint).tolist():
        forms[k] = _faint(parts[k].ravel()) or _dying(ranges[k])
        if clipped[k] and not forms[k]:
            one = slice(k, k + 1)
            share = _share_at(parts[one], low[one], high[one])[0]
            forms[k] = "clipped" if share > CLIPPED_SHARE else ""
    return list(zip(forms, (high - low <= _QUIET_COUNTS).tolist(), strict=True))


def _faint(samples: _Counts) -> str:
    """Return whether a record is still or noise."""
    if np.count_nonzero(samples[1:] != samples[:-1]) <= STILL_STEPS:
        return "still"
    rest = _without_drift(samples)
    power = float(rest @ rest)
    if power >= NOISE_COUNTS**2 * len(rest):
        return ""
    return "noise" if float(rest[1:] @ rest[:-1]) < MOST_RELATED * power else ""


def _without_drift(samples: _Counts) -> NDArray[np.float64]:
    """Return samples less the straight line that fits them best, `(n,) → (n,)`."""
    k = np.arange(len(samples)) - (len(samples) - 1) / 2
    rest = samples - samples.mean(dtype=np.float64)
    return np.asarray(rest - k * (float(k @ rest) / float(k @ k)))


def _dying(ranges: NDArray[np.int64]) -> str:
    """Return whether a record stands still from some part of it on; in one it breaks off."""
    alive = _PARTS - int(np.argmax(ranges[::-1] > _STILL_COUNTS))
    loud = ranges[: alive - 1] >= _LOUD_COUNTS
    return "dying" if 0 < alive < _PARTS and loud.all() and ranges[0] >= _LOUD_COUNTS else ""


def _share_at(
    parts: _Counts, low: NDArray[np.int64], high: NDArray[np.int64], *, every: int = 1
) -> NDArray[np.float64]:
    """Return which share of each record lies at its lowest or highest value, (n,)."""
    some = parts[:, :, ::every]
    margin = (high - low) // _RAIL_SHARE
    at = (some <= (low + margin)[:, None, None]) | (some >= (high - margin)[:, None, None])
    return np.asarray(at.mean(axis=(1, 2)))


class Channel:
    """Sound of whole records → its living parts, and gaps where the channel is dead.

    A stage with bounded memory: cutting its input anywhere gives the same records, and what
    it says of one depends on that and the `MEMORY_RECORDS` before it.
    """

    def __init__(self) -> None:
        self._quiet_ago = MEMORY_RECORDS  # records since one was quiet and lived

    def push(self, sound: Sound) -> Iterator[Sound | Gap]:
        """Yield the parts of a sound, in order."""
        forms = [self._form(*judged) for judged in _judged(sound.samples)]
        first = 0
        for is_dead, run in groupby(forms, key=bool):
            found = list(run)
            last = first + len(found)
            yield _gap(sound, first, last, found[-1]) if is_dead else _part(sound, first, last)
            first = last

    def _form(self, form: str, is_quiet: bool) -> str:
        in_a_quiet_sea = self._quiet_ago < MEMORY_RECORDS
        self._quiet_ago = 0 if is_quiet and not form else self._quiet_ago + 1
        return "" if in_a_quiet_sea and form in ("still", "noise") else form


def _gap(sound: Sound, first: int, last: int, form: str) -> Gap:
    begin_us = int(sound.marks_us[first])
    end_us = int(sound.marks_us[last - 1]) + round(record_us(sound.rate_hz))
    return Gap(from_us(begin_us), from_us(end_us), DEAD + FORMS[form])


def _part(sound: Sound, first: int, last: int) -> Sound:
    """Return the records [first, last) of a sound."""
    samples = sound.samples[first * RECORD_SAMPLES : last * RECORD_SAMPLES]
    sample = sound.sample + first * RECORD_SAMPLES
    return replace(sound, samples=samples, marks_us=sound.marks_us[first:last], sample=sample)
