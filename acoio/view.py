"""Pictures of sound: time in UTC, frequency in Hz, level in dB with its reference."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import matplotlib.dates as mdates
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from acoio.spectrogram import Spectrogram

LOW_HZ: Final = 15.0
HIGH_HZ: Final = 10_000.0
_LEVELS_DB: Final = (-3.0, 20.0)
_ROWS: Final = 200


@dataclass(frozen=True, slots=True)
class Box:
    """A stretch of time and frequency to outline."""

    begin: datetime
    end: datetime
    low_hz: float
    high_hz: float


def draw_spectrogram(axes: Axes, spectrum: Spectrogram) -> None:
    """Draw levels above background on axes of UTC and log frequency, with a colour bar."""
    rows_hz, levels = _on_log_rows(spectrum)
    drawn = axes.pcolormesh(
        mdates.date2num(spectrum.times),
        rows_hz,
        levels,
        vmin=_LEVELS_DB[0],
        vmax=_LEVELS_DB[1],
        cmap="magma",
        shading="nearest",
        rasterized=True,
    )
    axes.set_yscale("log")
    axes.set_ylim(LOW_HZ, min(HIGH_HZ, float(spectrum.hz[-1])))
    axes.set_yticks([20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000])
    axes.yaxis.set_major_formatter(lambda hz, _: f"{hz:g}")
    axes.yaxis.set_minor_formatter(lambda _hz, _: "")
    axes.set_ylabel("frequency (Hz)")
    mark_utc(axes, spectrum.times[0])
    figure = axes.get_figure()
    assert isinstance(figure, Figure)
    figure.colorbar(drawn, ax=axes, pad=0.01, label="dB above median", extend="both")


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


def mark_utc(axes: Axes, day: datetime) -> None:
    """Label a time axis in UTC."""
    locator = mdates.AutoDateLocator(minticks=4, maxticks=9)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(mdates.DateFormatter("%H:%M:%S"))
    axes.set_xlabel(f"{day:%Y-%m-%d} UTC")


def save(figure: Figure, path: Path) -> Path:
    """Write a picture and return its path."""
    figure.savefig(path, dpi=110)
    return path


def _on_log_rows(
    spectrum: Spectrogram,
) -> tuple[
    np.ndarray[tuple[int], np.dtype[np.float64]], np.ndarray[tuple[int, int], np.dtype[np.float32]]
]:
    """Return log-spaced rows (R,) Hz and the levels above background there, (R, T) dB."""
    high_hz = min(HIGH_HZ, float(spectrum.hz[-1]))
    edges = np.geomspace(LOW_HZ, high_hz, _ROWS + 1)
    bins = np.searchsorted(spectrum.hz, edges)
    rows = [spectrum.power[a : max(b, a + 1)].mean(axis=0) for a, b in itertools.pairwise(bins)]
    centres = np.sqrt(edges[1:] * edges[:-1])
    merged = Spectrogram(np.stack(rows), centres, spectrum.times)
    return centres, merged.above_background_db()
