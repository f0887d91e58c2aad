"""What pictures of sound are made of: axes of UTC and Hz, levels in dB, boxes, gaps."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import matplotlib.dates as mdates
import numpy as np
import scipy.ndimage
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from acoio.notebook import DPI
from acoio.output import output
from acoio.sound import Sound
from acoio.spectrogram import Spectrogram

LOW_HZ: Final = 15.0
HIGH_HZ: Final = 10_000.0
LEVELS_DB: Final = (-3.0, 20.0)
ROWS: Final = 240
TICKS_HZ: Final = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)
_Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class Box:
    """A stretch of time and frequency to outline."""

    begin: datetime
    end: datetime
    low_hz: float
    high_hz: float


def draw_spectrogram(axes: Axes, spectrum: Spectrogram) -> None:
    """Draw levels above background on axes of UTC and log frequency, with a colour bar."""
    edges_hz, power = on_log_rows(spectrum.power, spectrum.hz)
    level_db = 10 * np.log10(power)
    level_db -= background_db(level_db)[:, None]
    times = mdates.date2num(spectrum.times)
    steps = np.diff(times) / 2
    edges = np.concatenate([[times[0] - steps[0]], times[:-1] + steps, [times[-1] + steps[-1]]])
    draw_levels(axes, edges, edges_hz, level_db, limits=LEVELS_DB, label="dB above median")
    mark_log_hz(axes)
    mark_utc(axes, spectrum.times[0])


def draw_levels(
    axes: Axes,
    days: _Floats,
    edges_hz: _Floats,
    level_db: _Floats,
    *,
    limits: tuple[float, float],
    label: str = "",
) -> None:
    """Draw levels, (R, C) dB between the edges of days (C + 1,) and Hz (R + 1,).

    `label` is what stands at the colour bar; without it there is none.
    """
    drawn = axes.pcolormesh(
        days,
        edges_hz,
        level_db,
        vmin=limits[0],
        vmax=limits[1],
        cmap="magma",
        shading="flat",
        rasterized=True,
    )
    axes.set_ylim(float(edges_hz[0]), float(edges_hz[-1]))
    axes.set_ylabel("frequency (Hz)")
    figure = axes.get_figure()
    assert isinstance(figure, Figure)
    if label:
        figure.colorbar(drawn, ax=axes, pad=0.01, label=label, extend="both")


def draw_boxes(axes: Axes, boxes: Sequence[Box], *, color: str) -> None:
    """Outline stretches of time and frequency."""
    for box in boxes:
        begin, end = mdates.date2num(box.begin), mdates.date2num(box.end)
        axes.add_patch(
            Rectangle(
                (begin, box.low_hz),
                end - begin,
                box.high_hz - box.low_hz,
                fill=False,
                edgecolor=color,
                linewidth=1.0,
            )
        )


def mark_utc(axes: Axes, begin: datetime, end: datetime | None = None) -> None:
    """Label a time axis in UTC, as finely as it needs, with its day or days."""
    axes.xaxis.set_major_locator(mdates.AutoDateLocator(minticks=4, maxticks=9))
    axes.xaxis.set_major_formatter(lambda day, _: _clock(day, axes))
    last = begin if end is None else end
    days = f"{begin:%Y-%m-%d}" + (f" to {last:%Y-%m-%d}" if last.date() > begin.date() else "")
    axes.set_xlabel(f"{days} UTC")


def mark_gaps(axes: Axes, sound: Sound) -> None:
    """Hatch the gaps of a sound, each at least a hair wide."""
    for gap in sound.gaps:
        axes.axvspan(
            mdates.date2num(gap.begin),
            mdates.date2num(gap.end),
            facecolor="0.88",
            edgecolor="0.55",
            hatch="////",
            linewidth=0.6,
            zorder=3,
        )


def mark_log_hz(axes: Axes) -> None:
    """Put frequency on a log axis, in plain Hz."""
    low_hz, high_hz = axes.get_ylim()
    axes.set_yscale("log")
    axes.set_yticks([hz for hz in TICKS_HZ if low_hz <= hz <= high_hz])
    axes.yaxis.set_major_formatter(lambda hz, _: f"{hz:g}")
    axes.yaxis.set_minor_formatter(lambda _hz, _: "")


def save(figure: Figure, path: Path) -> Path:
    """Write a picture and return its path.

    Raises
    ------
    NotReadyError
        If it cannot be written.
    """
    with output(path) as file:
        figure.savefig(file, dpi=DPI, format=path.suffix.removeprefix(".") or None)
    return path


def on_log_rows(power: _Floats, hz: _Floats) -> tuple[_Floats, _Floats]:
    """Return the edges of log rows, (R + 1,) Hz, and the mean power there, (F, C) → (R, C)."""
    high_hz = min(HIGH_HZ, float(hz[-1]))
    edges_hz = np.geomspace(lowest_hz(2 * high_hz), high_hz, ROWS + 1)
    return edges_hz, in_rows(power, hz, edges_hz)


def lowest_hz(rate_hz: float) -> float:
    """Return where pictures of a rate begin: over the swell, where there is anything over it."""
    return min(LOW_HZ, rate_hz / 32)


def in_rows(power: _Floats, hz: _Floats, edges_hz: _Floats) -> _Floats:
    """Return the mean power between edges, (F, C) → (R, C); a narrow row takes one bin."""
    bins = np.minimum(np.searchsorted(hz, edges_hz), len(hz) - 1)
    rows = [power[a : max(b, a + 1)].mean(axis=0) for a, b in itertools.pairwise(bins)]
    return np.stack(rows)


def background_db(level_db: _Floats, smooth_rows: float = 1) -> _Floats:
    """Return the background of each row, (R, C) dB → (R,) dB: the median over time.

    With `smooth_rows` the median over so many rows follows, so that a call which
    lasts, being narrower, is not taken for background.
    """
    known = level_db[:, ~np.isnan(level_db).any(axis=0)]
    if not known.shape[1]:
        return np.zeros(len(level_db))
    size = min(2 * int(smooth_rows / 2) + 1, len(level_db))
    return np.asarray(scipy.ndimage.median_filter(np.median(known, axis=1), size, mode="nearest"))


def _clock(day: float, axes: Axes) -> str:
    """Return the time of a tick, as finely as the axis needs, to the nearest."""
    low, high = axes.get_xlim()
    span_s = (high - low) * 86_400
    if span_s > 3 * 86_400:
        unit_s, form = 3600.0, "%m-%d %H h"
    elif span_s > 1800:
        unit_s, form = 60.0, "%H:%M"
    elif span_s > 6:
        unit_s, form = 1.0, "%H:%M:%S"
    else:
        digits = 1 if span_s > 0.6 else 3 if span_s > 6e-3 else 6
        unit_s, form = 10.0**-digits, "%H:%M:%S.%f"
    when = mdates.num2date(day) + timedelta(seconds=unit_s / 2)
    text = f"{when:{form}}"
    return text[: 9 + digits] if form.endswith("%f") else text
