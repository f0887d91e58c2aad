"""Sound → sound: filters and sampling rates, in blocks of bounded memory.

Everything is computed in float64 and given as float32 counts.  Sound between two
gaps is treated by itself, and gaps stay zero, so that no gap clicks.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import scipy
from numpy.typing import NDArray

from acoio.clock import from_us
from acoio.extend import extended
from acoio.header import RECORD_SAMPLES
from acoio.origin import resampled
from acoio.wanted import a_number

if TYPE_CHECKING:
    from acoio.sound import Gap, Sound

_Floats = NDArray[np.float64]

BLOCK_SAMPLES: Final = 1 << 18
"""Samples in work at a time: 2 MiB of float64."""

ORDER: Final = 4
"""Order of the Butterworth filters; run forth and back, it acts as twice that."""

_NARROWEST: Final = 1e-7  # of the rate: edges nearer to 0, half of it or each other are not told
_FITTED_PERIODS: Final = 2.0  # of the lower edge: so much of each end tells how it goes on
_SETTLED: Final = 1e-9  # what is left of a filter's ringing where blocks meet
_HALF_TAPS: Final = 40  # of the resampling filter, in samples of the lower rate
_KAISER_BETA: Final = 10.0  # 100 dB of attenuation
_PASS: Final = 0.92  # middle of its slope, in parts of the lower Nyquist frequency
_LARGEST: Final = 10_000  # numerator and denominator of a ratio of rates


def lowpass(sound: Sound, hz: float = 3000.0) -> Sound:
    """Return the sound below a frequency, without delay: −6 dB at `hz`, float32.

    A Butterworth filter of order 4 that runs forth and back, `scipy.signal.sosfiltfilt`.
    What lies beyond an end is not known: within two periods of `hz` of one, the
    result is off by a tenth of its rms, so filter first, then slice.

    Raises
    ------
    ValueError
        If the frequency is not between zero and half the rate, by 1e-7 of the rate.
    """
    return _filtered(sound, "lowpass", hz)


def highpass(sound: Sound, hz: float = 30.0) -> Sound:
    """Return the sound above a frequency, as `lowpass`: so the swell is taken out."""
    return _filtered(sound, "highpass", hz)


def bandpass(sound: Sound, low_hz: float, high_hz: float) -> Sound:
    """Return the sound between two frequencies, order 4 at either, as `lowpass`."""
    if a_number(low_hz, "bandpass") >= a_number(high_hz, "bandpass"):
        raise ValueError(f"band: found {low_hz:g} to {high_hz:g} Hz, wanted low below high")
    return _filtered(sound, "bandpass", low_hz, high_hz)


def resample_fs(sound: Sound, rate_hz: float) -> Sound:
    """Return the sound at another nominal rate; what is over its Nyquist frequency is taken out.

    Flat to 0.84 of the lower Nyquist frequency (±0.001 dB), 100 dB down from it on
    (`scipy.signal.resample_poly` with a Kaiser window).  Times stay as they were, but
    for the edges of gaps: they move to the next of the new samples.  The ratio of the
    rates is taken as a fraction of numbers up to 10,000; the rate of the result is
    what came of it, within a millionth of `rate_hz`.

    Raises
    ------
    ValueError
        If the rate is not within a thousand times the old one, either way.
    """
    return _resampled(sound, _ratio(rate_hz / sound.rate_hz), None)


def resample(sound: Sound, size: int | float) -> Sound:
    """Return the sound as `size` samples (int) or that many times as many (float).

    As `resample_fs`, whose limits hold here too.
    """
    count = size if isinstance(size, int) else None
    return _resampled(sound, _ratio(size if count is None else size / len(sound.samples)), count)


def normdata(
    sound: Sound, dtype: type[np.int16] | type[np.int32] | type[np.float32] = np.int32
) -> NDArray[Any]:
    """Return the samples, `(n,)`, scaled to ±32767, ±2147483647 or ±1 by the type.

    Silence stays zero.
    """
    whole = dtype is not np.float32
    full = float(np.iinfo(dtype).max) if whole else 1.0  # type: ignore[type-var]
    peak = max(-float(sound.samples.min()), float(sound.samples.max()))
    scaled = np.zeros(len(sound.samples), dtype)
    for first, last in blocks(0, len(scaled) if peak else 0):
        block = sound.samples[first:last].astype(np.float64) * (full / peak)  # float32 rounds up
        scaled[first:last] = np.rint(block) if whole else block
    return scaled


def blocks(first: int, last: int, length: int = BLOCK_SAMPLES) -> Iterator[tuple[int, int]]:
    """Yield pieces of [first, last), each of `length` but the last."""
    for begin in range(first, last, length):
        yield begin, min(begin + length, last)


def _filtered(sound: Sound, kind: Literal["lowpass", "highpass", "bandpass"], *hz: float) -> Sound:
    hz = tuple(a_number(edge, kind) for edge in hz)
    nyquist_hz, least_hz = sound.rate_hz / 2, _NARROWEST * sound.rate_hz
    if not all(b - a >= least_hz for a, b in pairwise((0.0, *hz, nyquist_hz))):
        found = " to ".join(f"{edge:g}" for edge in hz)
        wanted = f"over 0 and under {nyquist_hz:g} Hz, {least_hz:g} Hz apart or more"
        raise ValueError(f"{kind}: found {found} Hz, wanted {wanted}")
    edges = hz if len(hz) > 1 else hz[0]
    sos = scipy.signal.butter(ORDER, edges, kind, output="sos", fs=sound.rate_hz)
    settle, fitted = _settle_samples(sos), math.ceil(_FITTED_PERIODS * sound.rate_hz / hz[0])
    filtered = np.zeros(len(sound.samples), np.float32)
    for first, last in sound.stretches():
        for begin, end in blocks(first, last, max(BLOCK_SAMPLES, 2 * settle)):
            left, right = max(begin - settle, first), min(end + settle, last)
            block = sound.samples[left:right].astype(np.float64)
            before, after = settle * (left == first), settle * (right == last)
            block = extended(block, before, after, fitted)
            block = scipy.signal.sosfiltfilt(sos, block, padlen=0)
            left -= before
            filtered[begin:end] = block[begin - left : end - left]
    return replace(sound, samples=filtered)


def _settle_samples(sos: _Floats) -> int:
    """Return after how many samples the slowest pole has died away."""
    _, poles, _ = scipy.signal.sos2zpk(sos)
    return math.ceil(math.log(_SETTLED) / math.log(float(np.abs(poles).max())))


def _ratio(wanted: float) -> Fraction:
    """Return a ratio of rates as a fraction of numbers up to 10,000."""
    if not 1e-3 <= wanted <= 1e3:
        raise ValueError(f"resampling: found {wanted:g} times the rate, wanted 0.001 to 1000")
    if wanted < 1:
        return 1 / _ratio(1 / wanted)
    return Fraction(wanted).limit_denominator(int(_LARGEST / wanted))


def _resampled(sound: Sound, ratio: Fraction, count: int | None) -> Sound:
    """Return the sound with samples at every 1/ratio of a sample, from the first on."""
    up, down = ratio.numerator, ratio.denominator
    n = -(-len(sound.samples) * up // down) if count is None else count
    samples = np.zeros(n, np.float32)
    for first, last in sound.stretches():
        begin, end = -(-first * up // down), min(-(-last * up // down), n)
        if last == len(sound.samples):
            end = n
        for a, b in blocks(begin, end, max(1, min(BLOCK_SAMPLES, BLOCK_SAMPLES * up // down))):
            samples[a:b] = _resampled_block(sound.samples[first:last], first, ratio, (a, b))
    at = np.arange(0, n, RECORD_SAMPLES) * (down / up)
    origin, *later = resampled(sound.origins, ratio, n)
    other = replace(
        sound,
        samples=samples,
        rate_hz=float(Fraction(sound.rate_hz) * ratio),
        marks_us=sound.times_us(at),
        gaps=(),
        sample=origin.sample,
        later=tuple(later),
    )
    return replace(other, gaps=tuple(_moved_gaps(sound, other, ratio)))


def _moved_gaps(old: Sound, new: Sound, ratio: Fraction) -> Iterator[Gap]:
    """Yield the gaps of a sound at the samples where its resampled sound has them."""
    n = len(new.samples)
    for gap in old.gaps:
        edges = old.index_of(gap.begin), old.index_of(gap.end)
        first, last = (min(math.ceil(k * ratio), n) for k in edges)
        if edges[1] == len(old.samples):
            last = n
        if first < last:
            begin_us, end_us = new.times_us(np.array([first, last])).tolist()
            yield replace(gap, begin=from_us(begin_us), end=from_us(end_us))


def _resampled_block(
    stretch: NDArray[Any], first: int, ratio: Fraction, span: tuple[int, int]
) -> _Floats:
    """Return new samples [a, b) from a stretch whose first sample is old sample `first`.

    Beyond its ends the stretch goes on as it ends, so that a swell does not jump.
    """
    up, down = ratio.numerator, ratio.denominator
    reach = _HALF_TAPS * max(up, down) // up + 2
    begin = (span[0] * down // up - reach) // down * down
    end = span[1] * down // up + reach
    inside = stretch[max(begin - first, 0) : max(end - first, 0)].astype(np.float64)
    left = max(first - begin, 0)
    block = np.pad(inside, (left, end - begin - left - len(inside)), "edge")
    taps: Any = _resampling_taps(max(up, down))  # scipy-stubs know of named windows only
    resampled = scipy.signal.resample_poly(block, up, down, window=taps, padtype="line")
    at = begin // down * up
    return np.asarray(resampled[span[0] - at : span[1] - at])


@lru_cache(maxsize=4)
def _resampling_taps(larger: int) -> _Floats:
    taps = 2 * _HALF_TAPS * larger + 1
    return np.asarray(scipy.signal.firwin(taps, _PASS / larger, window=("kaiser", _KAISER_BETA)))
