"""Sound − noise: spectral subtraction."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
import scipy
from numpy.typing import NDArray

from acoio.filters import blocks

if TYPE_CHECKING:
    from acoio.sound import Sound

_HOP_S: Final = 0.02  # frames of 80 ms overlap by three quarters
_TINY: Final = 1e-30


def subtract(sound: Sound, noise: Sound, *, over: float = 5.0, floor: float = 0.02) -> Sound:
    """Return the sound less the mean power of a sample of noise, float32.

    In frames of 80 ms, `over` times the noise's power is taken from each bin, of
    which at least `floor` times the noise's power, or all it had, stays; the phase is
    kept.  Take the swell out of both first (`highpass`): frames of a swell leak.

    Raises
    ------
    ValueError
        If the rates differ, or the noise is shorter than a frame.

    Notes
    -----
    Source: M. Berouti, R. Schwartz, J. Makhoul, "Enhancement of speech corrupted by
    acoustic noise", ICASSP 1979, after S. F. Boll, "Suppression of acoustic noise in
    speech using spectral subtraction", IEEE Trans. ASSP 27, 1979.
    """
    if noise.rate_hz != sound.rate_hz:
        raise ValueError(f"noise: found {noise.rate_hz:g} Hz, wanted {sound.rate_hz:g} Hz as here")
    hop = max(1, round(_HOP_S * sound.rate_hz))
    transform = scipy.signal.ShortTimeFFT.from_window("hann", sound.rate_hz, 4 * hop, 3 * hop)
    noise_power = _mean_power(noise, transform)
    samples = np.zeros(len(sound.samples), np.float32)
    for first, last in sound.stretches():
        for begin, end in blocks(first, last, 512 * hop):
            left, right = max(begin - 8 * hop, first), min(end + 8 * hop, last)
            block = sound.samples[left:right].astype(np.float64)
            block = _without(block, noise_power, transform, over, floor)
            samples[begin:end] = block[begin - left : end - left]
    return replace(sound, samples=samples)


def _mean_power(noise: Sound, transform: scipy.signal.ShortTimeFFT) -> NDArray[np.float64]:
    """Return the mean power of the noise's whole frames, (F, 1)."""
    total, count = np.zeros((transform.f_pts, 1)), 0
    for first, last in noise.stretches():
        for begin, end in blocks(first, last, 512 * transform.hop):
            block = noise.samples[begin:end].astype(np.float64)
            if len(block) >= transform.m_num:
                inner = transform.lower_border_end[1], transform.upper_border_begin(len(block))[1]
                power = transform.spectrogram(block, p0=inner[0], p1=inner[1])
                total += power.sum(axis=1, keepdims=True)
                count += power.shape[1]
    if not count:
        raise ValueError(f"noise: found {noise.duration}, wanted over a frame of 80 ms")
    return total / count


def _without(
    block: NDArray[np.float64],
    noise_power: NDArray[np.float64],
    transform: scipy.signal.ShortTimeFFT,
    over: float,
    floor: float,
) -> NDArray[np.float64]:
    short = max(0, transform.m_num - len(block))  # scipy wants half a frame at least
    spectrum = transform.stft(np.pad(block, (0, short)))
    power = np.abs(spectrum) ** 2
    kept = np.maximum(power - over * noise_power, np.minimum(floor * noise_power, power))
    spectrum *= np.sqrt(kept / np.maximum(power, _TINY))
    return np.asarray(transform.istft(spectrum)[: len(block)])
