"""Calls mixed into background at chosen times and powers: pure functions on samples.

SNR is the power of the call re the background's, both in the call's own band: the
call's while it sounds, the background's over the same time, four seconds at least.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import scipy.signal
from numpy.typing import NDArray

from acoio.errors import DataError
from detector.training.clips import RATE_HZ, Clip, in_band

_Floats: TypeAlias = NDArray[np.float64]

NOTHING: Final = -np.inf
"""The SNR of a place where nothing is mixed in: how often something is found there by chance."""

SNRS_DB: Final = (NOTHING, -10.0, -5.0, 0.0, 5.0, 10.0)
GAPS_S: Final = (8.0, 20.0)  # between calls; backgrounds are medians of a minute
_HEARD_S: Final = 4.0  # of background at least, for its power
_MARGIN_S: Final = 1.0  # for the filter to settle
_SWELL_TOP_HZ: Final = 8.0
_COUNTS: Final = np.iinfo(np.int32)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a call goes: its first sample, which clip of a list, at what SNR (dB)."""

    at: int
    clip: int
    snr_db: float


def plan(
    rooms: Sequence[tuple[int, int]],
    lengths: Sequence[int],
    *,
    seed: int,
    snrs_db: Sequence[float] = SNRS_DB,
    gaps_s: tuple[float, float] = GAPS_S,
) -> list[list[Place]]:
    """Return where calls go in each room, samples [first, last), by a seed.

    Clips, of so many samples each, come in rotation, in an order of the seed; each
    meets one SNR after the other, and all are used before one comes again.  Before
    each call, and after the last, there is a gap, from the shortest to the longest.
    """
    if not lengths:
        raise DataError("mixing: found no clips, wanted one or more")
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(lengths)).tolist()
    used, places = 0, []
    for first, last in rooms:
        here: list[Place] = []
        at = first + _gap(rng, gaps_s)
        while at + lengths[order[used % len(order)]] + round(gaps_s[0] * RATE_HZ) <= last:
            turn, k = divmod(used, len(order))
            here.append(Place(at, order[k], snrs_db[(turn + k) % len(snrs_db)]))
            at += lengths[order[k]] + _gap(rng, gaps_s)
            used += 1
        places.append(here)
    return places


def where_it_sounds(
    background: NDArray[np.int32], clips: Sequence[Clip], places: Sequence[Place]
) -> list[Place]:
    """Return the places where the background sounds: elsewhere no SNR can be kept."""

    def sounds(place: Place) -> bool:
        begin, end = _heard(background, clips[place.clip], place)
        return bool(np.ptp(background[begin:end]) > 0)

    return [place for place in places if sounds(place)]


def mixed(
    background: NDArray[np.int32], clips: Sequence[Clip], places: Sequence[Place]
) -> NDArray[np.int32]:
    """Return the background with the calls in it, (n,) → (n,) counts.

    Raises
    ------
    DataError
        If a call lies outside of it, or a sum is beyond 32 bits: nothing is clipped.
    """
    sound = background.copy()
    for place in places:
        if place.snr_db == NOTHING:
            continue
        call = np.rint(placed(background, clips[place.clip], place)).astype(np.int64)
        span = slice(place.at, place.at + len(call))
        total = sound[span] + call
        if total.min() < _COUNTS.min or total.max() > _COUNTS.max:
            found = f"{total.min()} to {total.max()}"
            raise DataError(f"mixing at sample {place.at}: found {found}, wanted 32 bits")
        sound[span] = total
    return sound


def placed(background: NDArray[np.int32], clip: Clip, place: Place) -> _Floats:
    """Return the call as loud as its place wants it, (n,) counts."""
    first, last = place.at, place.at + len(clip.waveform)
    if first < 0 or last > len(background):
        found = f"samples {first} to {last}"
        raise DataError(f"mixing {clip.name}: found {found}, wanted 0 to {len(background)}")
    power = band_power(background, (clip.low_hz, clip.high_hz), _heard(background, clip, place))
    if not power > 0:
        found = f"no sound from {clip.low_hz:.0f} to {clip.high_hz:.0f} Hz at sample {first}"
        raise DataError(f"mixing {clip.name}: found {found}, wanted a background")
    return np.asarray(clip.waveform * np.sqrt(power * 10 ** (place.snr_db / 10)))


def band_power(
    background: NDArray[np.int32], band_hz: tuple[float, float], span: tuple[int, int]
) -> float:
    """Return the power of samples [first, last) in a band above the swell, counts²."""
    begin, end = _filtered(background, span)
    over = scipy.signal.butter(6, _SWELL_TOP_HZ, "highpass", fs=RATE_HZ, output="sos")
    near = background[begin:end].astype(np.float64)
    near = scipy.signal.sosfiltfilt(over, near - near.mean())[span[0] - begin : span[1] - begin]
    return float(np.mean(np.square(in_band(near, *band_hz))))


def _heard(background: NDArray[np.int32], clip: Clip, place: Place) -> tuple[int, int]:
    """Return of which samples the background's power is taken."""
    first, last = place.at, place.at + len(clip.waveform)
    more = max(round(_HEARD_S * RATE_HZ) - (last - first), 0) // 2
    return max(first - more, 0), min(last + more, len(background))


def _filtered(background: NDArray[np.int32], span: tuple[int, int]) -> tuple[int, int]:
    """Return a span with what the filter needs to settle."""
    margin = round(_MARGIN_S * RATE_HZ)
    return max(span[0] - margin, 0), min(span[1] + margin, len(background))


def _gap(rng: np.random.Generator, gaps_s: tuple[float, float]) -> int:
    return round(float(rng.uniform(*gaps_s)) * RATE_HZ)
