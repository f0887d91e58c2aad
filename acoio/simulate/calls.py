"""Whale-like calls as pure functions of two generators.

The voice (pitch, contour, harmonics) is what a bout keeps; the shape (length, small
changes of pitch) is drawn anew for each call.  Ranges are those at which the
calls are heard off Hawaii: humpback song 80 Hz to 4 kHz, minke boings of 2 to 4 s
near 1.4 kHz with some 115 pulses a second (Rankin & Barlow 2005), sei and fin
downsweeps 90 to 20 Hz of about 1 s (Rankin & Barlow 2007), sperm whale clicks of
several pulses, 2 to 9 kHz.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from acoio.simulate.sounding import Maker, Waveform
from acoio.simulate.streams import RATE_HZ

_Curve = NDArray[np.float64]
_SONG_TOP_HZ: Final = 4000.0


def humpback_unit(voice: Generator, shape: Generator) -> Waveform:
    """Return one unit of song: a gliding tone with harmonics, some of it growled."""
    base_hz = _log_uniform(voice, 80.0, 900.0) * 2.0 ** shape.normal(0.0, 0.03)
    length_s = np.clip(_log_uniform(voice, 0.5, 3.5) * 2.0 ** shape.normal(0.0, 0.15), 0.4, 4.0)
    u = _unit_time(float(length_s))
    glide = voice.normal(0.0, 0.4) + shape.normal(0.0, 0.06)  # octaves from begin to end
    bend = voice.normal(0.0, 0.4) + shape.normal(0.0, 0.06)
    wobble = abs(voice.normal(0.0, 0.03)) * np.sin(
        2 * np.pi * voice.uniform(1.0, 7.0) * length_s * u + shape.uniform(0.0, 6.28)
    )
    hz = base_hz * 2.0 ** (glide * (u - 0.5) + bend * (u - u * u - 0.17) + wobble)
    hz = np.clip(hz, 70.0, 1800.0)
    slope_db = voice.uniform(6.0, 20.0)  # per octave of harmonic
    sound = _harmonics(hz, slope_db, odd_only=voice.random() < 0.15)
    growl_hz, depth = voice.uniform(12.0, 45.0), voice.choice([0.0, 0.0, 0.5, 0.9])
    growl = 1.0 + depth * np.cos(2 * np.pi * growl_hz * length_s * u)
    return _float32(sound * growl * _rise_and_fall(u, voice.uniform(0.15, 0.7)))


def minke_boing(voice: Generator, shape: Generator) -> Waveform:
    """Return a boing: a pulsed tone near 1.4 kHz that starts hard and dies away."""
    length_s = voice.uniform(2.0, 3.6) * 2.0 ** shape.normal(0.0, 0.08)
    u = _unit_time(length_s)
    onset = np.exp(-u * length_s / voice.uniform(0.05, 0.15))
    carrier_hz = voice.uniform(1340.0, 1460.0) + shape.normal(0.0, 5.0)
    hz = carrier_hz * (1.0 + 0.03 * voice.normal() * onset - 0.01 * u)
    pulses_hz = (voice.uniform(90.0, 118.0) + shape.normal(0.0, 0.5)) * (1.0 - 0.06 * u)
    pulses = np.exp(voice.uniform(0.2, 1.6) * (np.cos(_phase(pulses_hz)) - 1.0))
    overtone = voice.uniform(0.01, 0.06) * np.cos(2 * _phase(hz))
    decay = np.exp(-u * voice.uniform(0.8, 2.5)) * (1.0 + 1.5 * onset)
    return _float32((np.cos(_phase(hz)) + overtone) * pulses * decay * _edges(u, length_s, 0.03))


def downsweep(voice: Generator, shape: Generator) -> Waveform:
    """Return a sei- or fin-like downsweep, about 90 to 20 Hz in about a second."""
    length_s = np.clip(voice.uniform(0.8, 1.6) * 2.0 ** shape.normal(0.0, 0.1), 0.6, 2.0)
    high_hz = voice.uniform(60.0, 100.0) * 2.0 ** shape.normal(0.0, 0.04)
    low_hz = voice.uniform(18.0, 32.0) * 2.0 ** shape.normal(0.0, 0.04)
    u = _unit_time(float(length_s))
    bow = voice.uniform(0.6, 1.5)
    hz = high_hz * (low_hz / high_hz) ** (u**bow)
    sound = np.cos(_phase(hz)) + voice.uniform(0.0, 0.15) * np.cos(2 * _phase(hz))
    return _float32(sound * _rise_and_fall(u, voice.uniform(0.2, 0.6)))


def sperm_clicks(voice: Generator, shape: Generator) -> Waveform:
    """Return a train of clicks, each of a few pulses that echo within the head."""
    interval_s = voice.uniform(0.35, 0.9)
    count = int(shape.integers(6, 16))
    gaps_s = interval_s * 2.0 ** (shape.normal(0.0, 0.05, count) + shape.normal(0.0, 0.15))
    head_s, centre_hz = voice.uniform(0.003, 0.007), voice.uniform(3500.0, 6500.0)
    sound = np.zeros(round((gaps_s[1:].sum() + 0.05) * RATE_HZ))
    for begin_s in np.cumsum(gaps_s) - gaps_s[0]:
        click = _click(centre_hz * 2.0 ** shape.normal(0.0, 0.06), head_s, shape)
        first = round(begin_s * RATE_HZ)
        sound[first : first + len(click)] += click * 2.0 ** shape.normal(0.0, 0.4)
    return _float32(sound)


CALLS: Final[Mapping[str, Maker]] = MappingProxyType(
    {
        "humpback_unit": humpback_unit,
        "minke_boing": minke_boing,
        "downsweep": downsweep,
        "sperm_clicks": sperm_clicks,
    }
)
"""Every kind of call by its label."""


def _click(centre_hz: float, head_s: float, shape: Generator) -> _Curve:
    """Return one click: pulses of about half a millisecond, each weaker than the last."""
    time_s = np.arange(round(0.04 * RATE_HZ)) / RATE_HZ
    width_s, decay = shape.uniform(0.00012, 0.00025), shape.uniform(0.3, 0.55)
    click = np.zeros_like(time_s)
    for k in range(4):
        late_s = time_s - 0.001 - k * head_s
        pulse = np.exp(-0.5 * (late_s / width_s) ** 2)
        click += decay**k * pulse * np.cos(2 * np.pi * centre_hz * late_s)
    return click


def _harmonics(hz: _Curve, slope_db: float, *, odd_only: bool) -> _Curve:
    count = max(1, min(14, int(_SONG_TOP_HZ / hz.max())))
    phase = _phase(hz)
    sound = np.zeros_like(phase)
    for k in range(1, count + 1, 2 if odd_only else 1):
        sound += 10.0 ** (-slope_db * np.log2(k) / 20.0) * np.cos(k * phase + 0.7 * k * k)
    return sound


def _phase(hz: _Curve) -> _Curve:
    return np.asarray(2.0 * np.pi / RATE_HZ * np.cumsum(hz))


def _unit_time(length_s: float) -> _Curve:
    """Return 0 to 1 over a length, one value a sample."""
    return np.linspace(0.0, 1.0, max(2, round(length_s * RATE_HZ)))


def _rise_and_fall(u: _Curve, peak: float) -> _Curve:
    """Return an envelope that is 0 at both ends and 1 at `peak`."""
    warped = np.where(u < peak, 0.5 * u / peak, 0.5 + 0.5 * (u - peak) / (1.0 - peak))
    return np.asarray(np.sin(np.pi * warped) ** 0.8)


def _edges(u: _Curve, length_s: float, edge_s: float) -> _Curve:
    """Return an envelope of 1 with soft ends of `edge_s`."""
    near = np.minimum(u, 1.0 - u) * length_s / edge_s
    return np.asarray(np.sin(0.5 * np.pi * np.minimum(near, 1.0)) ** 2)


def _log_uniform(rng: Generator, low: float, high: float) -> float:
    return float(low * (high / low) ** rng.random())


def _float32(sound: _Curve) -> Waveform:
    return sound.astype(np.float32)
