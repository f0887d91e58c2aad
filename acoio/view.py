"""A sound → the axes with its picture, in a script and in a notebook."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import matplotlib.dates as mdates
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from acoio.calibration import COUNTS, Calibration
from acoio.columns import column_power, envelope
from acoio.facts import title
from acoio.filters import highpass
from acoio.notebook import DPI, show_after_cell
from acoio.picture import (
    LEVELS_DB,
    ROWS,
    TICKS_HZ,
    background_db,
    draw_levels,
    in_rows,
    lowest_hz,
    mark_gaps,
    mark_log_hz,
    mark_utc,
    on_log_rows,
)
from acoio.sound import Sound
from acoio.spectra import cepstrum
from acoio.spectrogram import FRAME_SAMPLES

SWELL_HZ: Final = 10.0  # 93 to 99 % of the variance lies below 5 Hz
_FRAME_S: Final = 0.17
_LEAST_FRAME: Final = 256
_SIZE: Final = (9.0, 3.6)
_SMOOTH_OCTAVES: Final = 1 / 3
_RANGE_DB: Final = 35.0
_FLOOR: Final = 1e-12  # counts²/Hz: digital silence is no error
_Floats = NDArray[np.floating[Any]]


def view(
    sound: Sound,
    kind: str = "wave",
    axes: Axes | None = None,
    *,
    calibration: Calibration = COUNTS,
) -> Axes:
    """Return axes with the picture of a sound, time in UTC.

    `wave` is the wave above 10 Hz, without the swell that would hide it; `raw` the
    samples as they are; `spectrogram` the level on linear Hz, in dB re
    1 count²/Hz; `ltsa` the same on log Hz and `mel` on the mel scale;
    `logspectrogram` on log Hz, in dB above the background, which is
    the median over time and a third of an octave.  No picture has more columns than pixels: a
    column of a long sound shows the range of the wave, or the mean power.  Gaps are
    hatched.  `cepstrum` is that of
    frames of 4096 samples, over quefrency.

    With a `calibration` waves are in its unit, and levels re 1 of it, as 1 µPa²/Hz; what is
    above a background, and the cepstrum but for its first line, is the same with any.

    Without axes a figure is made, `view(sound).figure`, which belongs to nobody
    else; in a notebook it shows when the cell is done.

    Raises
    ------
    ValueError
        If the kind is unknown.
    """
    if kind not in KINDS:
        raise ValueError(f"kind: found {kind!r}, wanted one of {', '.join(KINDS)}")
    if axes is None:
        (axes,) = (figure := view_figure(sound, kind, calibration)).axes[:1]
        show_after_cell(figure)
        return axes
    KINDS[kind](sound, axes, calibration)
    mark_gaps(axes, sound)
    axes.set_xlim(mdates.date2num(sound.begin), mdates.date2num(sound.end))
    mark_utc(axes, sound.begin, sound.end)
    # A name is no formula: two dollars in it would be read as mathematics.
    axes.set_title(title(sound), fontsize="medium", loc="left", parse_math=False)
    return axes


def view_figure(sound: Sound, kind: str, calibration: Calibration = COUNTS) -> Figure:
    """Return a figure with the picture of a sound, which nothing else knows of."""
    figure = Figure(figsize=_SIZE, dpi=DPI, layout="constrained")
    view(sound, kind, figure.add_subplot(), calibration=calibration)
    return figure


def _wave(sound: Sound, axes: Axes, calibration: Calibration) -> None:
    if sound.rate_hz <= 4 * SWELL_HZ:
        _raw(sound, axes, calibration)
        return
    _envelope(highpass(sound, SWELL_HZ), axes, calibration)
    axes.set_ylabel(f"{_units(calibration)}, above {SWELL_HZ:g} Hz")


def _raw(sound: Sound, axes: Axes, calibration: Calibration) -> None:
    _envelope(sound, axes, calibration, rms=False)
    axes.set_ylabel(_units(calibration))


def _units(calibration: Calibration) -> str:
    return "counts" if calibration.unit == COUNTS.unit else calibration.unit


def _envelope(sound: Sound, axes: Axes, calibration: Calibration, *, rms: bool = True) -> None:
    columns = envelope(sound, _pixels(axes))
    each = calibration.counts_per_unit
    lowest, highest = columns.lowest / each, columns.highest / each
    days = _days(sound, columns.edges)
    middles = (days[1:] + days[:-1]) / 2
    axes.grid(alpha=0.3)
    if columns.edges[1] == 1:
        axes.plot(middles, lowest, linewidth=0.8)
        return
    light = "#9ecae1" if rms else "C0"
    axes.fill_between(middles, lowest, highest, color=light, label="range")
    if rms:
        axes.fill_between(
            middles, -columns.rms / each, columns.rms / each, color="C0", label="± rms"
        )
        axes.legend(
            loc="lower right",
            bbox_to_anchor=(1, 1),
            borderaxespad=0.3,
            fontsize="small",
            ncols=2,
            frameon=False,
        )


def _spectrogram(sound: Sound, axes: Axes, calibration: Calibration) -> None:
    power, hz, days = _power(sound, axes)
    edges_hz = np.linspace(0, sound.rate_hz / 2, min(ROWS, len(hz)) + 1)
    _draw_absolute(axes, days, edges_hz, in_rows(power, hz, edges_hz), calibration)


def _logspectrogram(sound: Sound, axes: Axes, _: Calibration) -> None:
    power, hz, days = _power(sound, axes)
    edges_hz, rows = on_log_rows(power, hz)
    level_db = 10 * np.log10(rows)
    octaves = float(np.log2(edges_hz[-1] / edges_hz[0]))
    level_db -= background_db(level_db, ROWS / octaves * _SMOOTH_OCTAVES)[:, None]
    draw_levels(axes, days, edges_hz, level_db, limits=LEVELS_DB, label="dB above background")
    mark_log_hz(axes)


def _ltsa(sound: Sound, axes: Axes, calibration: Calibration) -> None:
    power, hz, days = _power(sound, axes)
    edges_hz, rows = on_log_rows(power, hz)
    _draw_absolute(axes, days, edges_hz, rows, calibration)
    mark_log_hz(axes)


def _mel(sound: Sound, axes: Axes, calibration: Calibration) -> None:
    power, hz, days = _power(sound, axes)
    low, high = _to_mel(np.array([lowest_hz(sound.rate_hz), sound.rate_hz / 2])).tolist()
    edges_hz = _from_mel(np.linspace(low, high, ROWS + 1))
    _draw_absolute(axes, days, edges_hz, in_rows(power, hz, edges_hz), calibration)
    axes.set_yscale("function", functions=(_to_mel, _from_mel))
    axes.set_yticks([hz for hz in TICKS_HZ if 100 <= hz <= edges_hz[-1]])
    axes.set_ylabel("frequency (Hz, mel scale)")


def _cepstrum(sound: Sound, axes: Axes, _: Calibration) -> None:
    found = cepstrum(sound, hop_samples=FRAME_SAMPLES // 2)
    each = -(-len(found.times) // _pixels(axes))
    starts = np.arange(0, len(found.times), each)
    values = np.add.reduceat(found.values[1:], starts, axis=1)
    values /= np.diff(np.append(starts, len(found.times)))
    edges_ms = 1000 * np.append(found.lags_s[1:], 2 * found.lags_s[-1] - found.lags_s[-2])
    days = mdates.date2num([*(found.times[k] for k in starts), found.times[-1]])
    high = float(np.nanpercentile(np.abs(values[len(values) // 64 :]), 99.8))
    label = "cepstrum (Np)"
    draw_levels(axes, days, edges_ms, values, limits=(-high, high), label=label)
    axes.set_ylabel("quefrency (ms)")


def _draw_absolute(
    axes: Axes, days: _Floats, edges_hz: _Floats, rows: _Floats, calibration: Calibration
) -> None:
    level_db = calibration.level_db(rows)
    limits = _limits(level_db[edges_hz[1:] > lowest_hz(2 * float(edges_hz[-1]))])
    label = f"dB re 1 {calibration.unit}²/Hz"
    draw_levels(axes, days, edges_hz, level_db, limits=limits, label=label)


KINDS: Final[Mapping[str, Callable[[Sound, Axes, Calibration], None]]] = {
    "wave": _wave,
    "raw": _raw,
    "spectrogram": _spectrogram,
    "logspectrogram": _logspectrogram,
    "ltsa": _ltsa,
    "mel": _mel,
    "cepstrum": _cepstrum,
}
"""What `view` draws, by name."""


def _to_mel(hz: _Floats) -> _Floats:
    """Return frequencies in mel.  Source: O'Shaughnessy, *Speech Communication*, 1987."""
    return np.asarray(2595 * np.log10(1 + hz / 700))


def _from_mel(mel: _Floats) -> _Floats:
    return np.asarray(700 * (10 ** (mel / 2595) - 1))


def _power(sound: Sound, axes: Axes) -> tuple[_Floats, _Floats, _Floats]:
    """Return power (F, C) counts²/Hz, its bins (F,) Hz, and the columns' edges (C + 1,) days."""
    samples = len(sound.samples)
    seconds = samples / sound.rate_hz / _pixels(axes)
    frame_s = min(max(_FRAME_S, seconds / 8), 8 * _FRAME_S)
    frame = max(_LEAST_FRAME, 2 ** round(np.log2(sound.rate_hz * frame_s)))
    while frame > 2 and 4 * frame > samples:
        frame //= 2
    power = column_power(sound, _pixels(axes), frame)
    return np.maximum(power.density, _FLOOR), power.hz, _days(sound, power.edges)


def _limits(level_db: _Floats) -> tuple[float, float]:
    """Return levels in dB between which colours tell the most, from those above the swell."""
    known = level_db[~np.isnan(level_db)]
    if not len(known):
        return 0.0, 1.0
    high = float(np.percentile(known, 99.9))
    return high - _RANGE_DB, high


def _days(sound: Sound, at: NDArray[np.int64]) -> _Floats:
    """Return the times of samples as matplotlib's days."""
    return np.asarray(sound.times_us(at) / 86_400e6)


def _pixels(axes: Axes) -> int:
    """Return how many pixels wide axes are at most."""
    figure = axes.get_figure()
    assert isinstance(figure, Figure)
    return max(16, int(axes.get_position().width * figure.get_figwidth() * figure.dpi))
