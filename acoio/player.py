"""A sound to hear: a player in HTML, for notebooks and pages."""

from __future__ import annotations

import html as _html
import io
import math
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

import numpy as np
import scipy
import soundfile  # type: ignore[import-untyped]
from numpy.typing import NDArray

from acoio.facts import facts
from acoio.filters import highpass
from acoio.notebook import data_uri, png
from acoio.sound import Sound

AUDIBLE_HZ: Final = 20.0
"""The lower limit of hearing; what lies below is the swell, which would drown all else."""

SHOWN_S: Final = 60.0
"""How much of a long sound a notebook gets to hear without being asked: 2 MB."""

_LEAST_HZ: Final = 8000  # not every browser plays slower rates, or faster than this:
_MOST_HZ: Final = 96_000
_PEAK: Final = 0.9
_QUANTILE: Final = 0.9999  # one click must not silence the rest


@dataclass(frozen=True, slots=True, eq=False)
class Player:
    """A sound as FLAC (16 bits), and what was done to it; in a notebook it is a player."""

    flac: bytes = field(repr=False)
    caption: str

    def _repr_html_(self) -> str:
        source = data_uri(self.flac, "audio/flac")
        return (
            f'<figure style="margin:0.3em 0"><audio controls preload="metadata" src="{source}">'
            f"</audio><figcaption><small>{_html.escape(self.caption)}</small></figcaption></figure>"
        )


def listen(sound: Sound, *, speed: float = 1.0) -> Player:
    """Return a player of the sound above 20 Hz, made as loud as it gets, at `speed`.

    Eight times as fast, a fin whale's 20 Hz are heard as 160.

    Raises
    ------
    ValueError
        If the speed is not between 1/16 and 64.
    """
    if not 1 / 16 <= speed <= 64:
        raise ValueError(f"speed: found {speed:g}, wanted 1/16 to 64")
    low_hz = min(AUDIBLE_HZ, AUDIBLE_HZ / speed, sound.rate_hz / 8)
    heard, full_scale = loud(sound, low_hz)
    rate_hz = sound.rate_hz * speed
    up, down = math.ceil(_LEAST_HZ / rate_hz), math.ceil(rate_hz / _MOST_HZ)
    if (up, down) != (1, 1):
        heard = scipy.signal.resample_poly(heard, up, down)
    told = [f"above {low_hz:g} Hz", f"full scale is {counts(full_scale)}"]
    told += ["silent"] if not heard.any() else []
    told += [f"{speed:g} times as fast"] if speed != 1 else []
    return Player(encode_flac(heard, round(rate_hz * up / down)), ", ".join(told))


def html(sound: Sound) -> str:
    """Return a sound's picture, its player and a line of facts, as HTML.

    Of a sound of over a minute the player has the first one; `listen` gives all.
    """
    from acoio.view import view_figure

    kind = "logspectrogram" if len(sound.samples) > sound.rate_hz / 4 else "wave"
    picture = data_uri(png(view_figure(sound, kind), dpi=80), "image/png")
    told = _html.escape(facts(sound))
    heard = sound
    if (sound.end - sound.begin).total_seconds() > SHOWN_S:
        heard = sound[: timedelta(seconds=SHOWN_S)]
        told += f"<br>the player has the first {SHOWN_S:g} s; Listen() has all"
    return (
        f'<div><img alt="{kind}" src="{picture}"><br>{listen(heard)._repr_html_()}'
        f"<small>{told}</small></div>"
    )


def counts(value: float) -> str:
    """Return a number of counts in plain digits, with separators of thousands."""
    return f"{value:,.0f} counts" if value >= 100 else f"{value:.4g} counts"


def loud(sound: Sound, low_hz: float) -> tuple[NDArray[np.float32], float]:
    """Return samples above a frequency, (n,) within ±1, and how many counts 1 is."""
    heard = np.asarray(highpass(sound, low_hz).samples, np.float32)
    peak = float(np.quantile(np.abs(heard), _QUANTILE))
    full_scale = peak / _PEAK if peak > 0 else 1.0
    return np.clip(heard / np.float32(full_scale), -1, 1), full_scale


def encode_flac(samples: NDArray[Any], rate_hz: int) -> bytes:
    """Return samples within ±1 as FLAC of 16 bits."""
    file = io.BytesIO()
    soundfile.write(file, samples, rate_hz, format="FLAC", subtype="PCM_16")
    return file.getvalue()
