"""A picture of each file: its spectrogram, the events found there and the scores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import matplotlib.dates as mdates
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from acoio.load import read
from acoio.picture import Box, draw_boxes, draw_spectrogram, mark_utc, save
from acoio.simulate import Truth
from acoio.sound import Sound
from acoio.spectrogram import spectrogram

_Json = Mapping[str, Any]
_COLORS: Final = {"ship": "silver", "gear": "orange", "call": "lime", "event": "cyan"}


def draw_run(
    folder: Path,
    files: Sequence[Path],
    events: Sequence[_Json],
    truth: Sequence[Truth],
    scores: Sequence[_Json],
) -> Iterator[Path]:
    """Draw each file with its events, the truth where it is known, and the scores.

    `events` and `scores` are JSON values.  Yields the pictures' paths.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for path in files:
        yield draw_file(folder, path, events, truth, scores)


def draw_file(
    folder: Path,
    path: Path,
    events: Sequence[_Json],
    truth: Sequence[Truth],
    scores: Sequence[_Json],
) -> Path:
    """Draw one file and return the picture's path."""
    sound = read(path)
    figure = Figure(figsize=(13, 6), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
    draw_spectrogram(upper, spectrogram(sound))
    upper.set_xlabel("")
    for kind, color in _COLORS.items():
        if kind == "event":
            boxes = [_box(event) for event in events]
        else:
            boxes = [Box(t.begin, t.end, t.low_hz, t.high_hz) for t in truth if t.kind == kind]
        draw_boxes(upper, [box for box in boxes if _within(box, sound)], color=color)
    upper.set_title(path.name, loc="left")
    shown = _COLORS if truth else {"event": _COLORS["event"]}
    handles = [Line2D([], [], color=color, label=kind) for kind, color in shown.items()]
    upper.legend(handles=handles, ncols=len(handles), loc="lower right", bbox_to_anchor=(1, 1))
    _draw_scores(lower, scores, sound)
    return save(figure, folder / f"{path.stem}.png")


def _draw_scores(axes: Axes, scores: Sequence[_Json], sound: Sound) -> None:
    times = [datetime.fromisoformat(score["begin"]) for score in scores]
    inside = [k for k, when in enumerate(times) if sound.begin <= when < sound.end]
    if inside:
        axes.step(mdates.date2num([times[k] for k in inside]), [scores[k]["score"] for k in inside])
        threshold = scores[inside[0]]["threshold"]
        axes.axhline(threshold, color="tab:red", linewidth=0.8, label="threshold")
        axes.legend(loc="upper right", frameon=False)
    axes.set_yscale("symlog", linthresh=10)
    axes.set_ylabel("score (nats)")
    axes.margins(y=0.15)
    axes.set_xlim(mdates.date2num(sound.begin), mdates.date2num(sound.end))
    mark_utc(axes, sound.begin)


def _box(event: _Json) -> Box:
    begin, end = (datetime.fromisoformat(event[name]) for name in ("begin", "end"))
    return Box(begin, end, event["low_hz"], event["high_hz"])


def _within(box: Box, sound: Sound) -> bool:
    return box.begin < sound.end and box.end > sound.begin
