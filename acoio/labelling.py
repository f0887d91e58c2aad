"""A page to label sound by ear and eye: short pieces with picture, player and checkbox.

The page is one HTML file that needs nothing else, neither a server nor Python; in a
notebook it shows in a frame.  Its button saves the table that `read_labels` reads.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from importlib.resources import files
from pathlib import Path, PurePath
from typing import Any, Final

import matplotlib.dates as mdates
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LinearLocator

from acoio.facts import title as title_of
from acoio.labels import COLUMNS, Label, iso, read_labels, row_of, write_labels
from acoio.notebook import data_uri, png
from acoio.output import write_output
from acoio.picture import (
    LEVELS_DB,
    background_db,
    draw_levels,
    mark_gaps,
    mark_log_hz,
    mark_utc,
    on_log_rows,
)
from acoio.player import AUDIBLE_HZ, counts, encode_flac, loud
from acoio.sound import Sound
from acoio.spectrogram import spectrogram

__all__ = ["Label", "Labeller", "label_page", "labeller", "pieces", "read_labels", "write_labels"]

PIECE: Final = timedelta(seconds=2)
_LEAST: Final = 0.1  # of a piece: what is shorter at the end goes to the one before
_SIZE: Final = (3.0, 1.7)
_WHERE: Final = (0.13, 0.21, 0.77, 0.75)
_DPI: Final = 100
_COLUMNS_EACH: Final = 80


@dataclass(frozen=True, slots=True)
class Labeller:
    """The page; in a notebook it shows in a frame of its own."""

    page: str = field(repr=False)

    def _repr_html_(self) -> str:
        return (
            f'<iframe srcdoc="{html.escape(self.page)}" width="100%" height="620" '
            'style="border:1px solid #ccc"></iframe>'
        )


def labeller(sound: Sound, label: str = "call", *, piece: timedelta = PIECE) -> Labeller:
    """Return the page on which to label a sound, piece by piece.

    Pieces without any sound are left out.  Pictures are on one scale of frequency,
    players as loud as the loudest of the sound above 20 Hz allows.

    Raises
    ------
    ValueError
        If pieces are shorter than 50 ms, or the sound than an eighth of a piece.
    """
    if piece < timedelta(milliseconds=50):
        raise ValueError(f"piece: found {piece}, wanted 50 ms or more")
    samples, full_scale = loud(sound, min(AUDIBLE_HZ, sound.rate_hz / 8))
    levels = _Levels(sound, piece)
    rows = []
    for at, part in pieces(sound, piece):
        heard = encode_flac(samples[at : at + len(part.samples)], round(sound.rate_hz))
        media = {
            "picture": data_uri(png(levels.figure(part), dpi=_DPI), "image/png"),
            "audio": data_uri(heard, "audio/flac"),
        }
        rows.append(row_of(Label.of(part, label, checked=False)) | media)
    caption = (
        f"Pictures: {LEVELS_DB[0]:g} to {LEVELS_DB[1]:g} dB above the median. "
        f"Players: above {AUDIBLE_HZ:g} Hz, full scale is {counts(full_scale)}."
    )
    return Labeller(_page(sound, label, rows, caption))


def label_page(
    sound: Sound, path: str | Path, label: str = "call", *, piece: timedelta = PIECE
) -> Path:
    """Write the page on which to label a sound as one HTML file, and return its path.

    Two-second pieces of five minutes are about 20 MB.

    Raises
    ------
    ValueError
        As `labeller`.
    NotReadyError
        If it cannot be written.
    """
    path = Path(path)
    write_output(path, labeller(sound, label, piece=piece).page.encode())
    return path


def pieces(sound: Sound, duration: timedelta) -> Iterator[tuple[int, Sound]]:
    """Yield the pieces of a sound that have any sound, each with its first sample there.

    A tenth of a piece or less at the end goes with the one before.
    """
    n, length = len(sound.samples), sound.count(duration)
    edges = list(range(0, n, length))
    if len(edges) > 1 and n - edges[-1] < _LEAST * length:
        edges.pop()
    spans = sound.stretches()
    for first, last in zip(edges, [*edges[1:], n], strict=True):
        if any(begin < last and end > first for begin, end in spans):
            yield first, sound.piece(first, last)


class _Levels:
    """Levels of a whole sound above its background, drawn piece by piece."""

    def __init__(self, sound: Sound, piece: timedelta) -> None:
        frame = 2 ** round(np.log2(sound.rate_hz * min(0.17, piece.total_seconds() / 8)))
        hop = max(1, sound.count(piece) // _COLUMNS_EACH)
        spectrum = spectrogram(sound, frame_samples=frame, hop_samples=min(hop, frame))
        self._edges_hz, power = on_log_rows(spectrum.power, spectrum.hz)
        self._level_db = 10 * np.log10(power)
        self._level_db -= background_db(self._level_db)[:, None]
        self._days = np.asarray(mdates.date2num(spectrum.times))

    def figure(self, part: Sound) -> Figure:
        """Return the picture of a piece."""
        begin, end = mdates.date2num(part.begin), mdates.date2num(part.end)
        first, last = np.searchsorted(self._days, [begin, end])
        first, last = max(int(first) - 1, 0), min(int(last) + 1, len(self._days))
        figure = Figure(figsize=_SIZE, dpi=_DPI)
        axes = figure.add_axes(_WHERE)
        days = self._days[first:last]
        edges = np.concatenate([days[:1], (days[1:] + days[:-1]) / 2, days[-1:]])
        edges[0], edges[-1] = min(edges[0], begin), max(edges[-1], end)
        draw_levels(axes, edges, self._edges_hz, self._level_db[:, first:last], limits=LEVELS_DB)
        mark_log_hz(axes)
        mark_gaps(axes, part)
        axes.set_xlim(begin, end)
        mark_utc(axes, part.begin)
        axes.xaxis.set_major_locator(LinearLocator(3))
        axes.tick_params(labelsize=6)
        axes.set_xlabel(axes.get_xlabel(), fontsize=6)
        axes.set_ylabel("Hz", fontsize=6)
        return figure


def _page(sound: Sound, label: str, rows: Sequence[dict[str, Any]], caption: str) -> str:
    """Return the page with its pieces filled in."""
    begin = f"{sound.begin:%Y-%m-%d %H:%M:%S} UTC"
    title = f"{label}: {title_of(sound) or 'sound'} from {begin}"
    told = {
        "columns": COLUMNS,
        "key": f"acoio {label} {sound.file} {iso(sound.begin)} {len(rows)}",
        "name": f"{PurePath(sound.file).stem or 'sound'}-{label}.csv",
        "pieces": rows,
    }
    page = files("acoio").joinpath("labeller.html").read_text("utf-8")
    filled = {
        "__TITLE__": html.escape(title),
        "__CAPTION__": html.escape(caption),
        # No end tag may stand in a script, and JSON may write any character by number.
        "__PIECES__": json.dumps(told).replace("<", "\\u003c"),
    }
    return re.sub("__[A-Z]+__", lambda match: filled[match[0]], page)
