"""The picture of an event: the spectrogram around it, with the event outlined."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from matplotlib.figure import Figure

from acoio.notebook import png
from acoio.picture import Box, draw_boxes
from acoio.sound import Sound
from acoio.view import view_figure

_OUTLINE: Final = "cyan"


def event_picture(sound: Sound, event: Mapping[str, Any], station: str) -> bytes:
    """Return a PNG of a sound on UTC and log Hz, in dB above its background, event outlined."""
    figure: Figure = view_figure(sound, "logspectrogram")
    axes = figure.axes[0]
    begin, end = (datetime.fromisoformat(event[name]) for name in ("begin", "end"))
    draw_boxes(axes, [Box(begin, end, event["low_hz"], event["high_hz"])], color=_OUTLINE)
    axes.set_title(event_title(event, station), fontsize="medium", loc="left", parse_math=False)
    return png(figure)


def event_title(event: Mapping[str, Any], station: str) -> str:
    """Return what stands above an event's picture, in two lines."""
    begin, end = (datetime.fromisoformat(event[name]) for name in ("begin", "end"))
    length_s = (end - begin).total_seconds()
    return (
        f"{station}  {begin:%Y-%m-%d %H:%M:%S} UTC, {length_s:.1f} s, "
        f"{event['low_hz']:.0f} to {event['high_hz']:.0f} Hz\n"
        f"score {event['score']:.1f} nats (threshold {event['threshold']:.1f}), "
        f"{event['severity']}, {event['level_db']:+.0f} dB at {event['peak_hz']:.0f} Hz"
    )


def write_picture(path: Path, sound: Sound, event: Mapping[str, Any], station: str) -> None:
    """Write the picture of an event to a file."""
    path.write_bytes(event_picture(sound, event, station))
