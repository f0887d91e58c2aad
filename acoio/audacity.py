"""Audacity's label tracks ↔ annotations.

Source: the Audacity manual, *Importing and exporting labels*: begin, end and text
with tabs between, in seconds; in the extended form a line with a backslash follows
that holds the low and high frequency in Hz.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from acoio.annotations import Annotation, FileSpan, Timeline
from acoio.errors import DataError
from acoio.output import write_output
from acoio.sound import Sound
from acoio.tables import parse_number, read_lines

_BAND: Final = "\\"


def read_audacity(
    path: str | Path, files: Iterable[FileSpan | Sound] | Timeline
) -> tuple[Annotation, ...]:
    """Return the labels of a track over a file, or over files that were joined.

    A label without a line of frequencies has no band; nor has one that Audacity
    marks as unknown, by frequencies below zero.

    Raises
    ------
    DataError
        If a line cannot be read or lies outside of the files; it says which.
    NotReadyError
        If the track cannot be read.
    """
    path = Path(path)
    timeline = files if isinstance(files, Timeline) else Timeline(files)
    found: list[Annotation] = []
    for number, line in enumerate(read_lines(path), start=1):
        cells = line.split("\t", 2)
        try:
            if cells[0] == _BAND and found:
                found[-1] = _in_band(found[-1], cells)
            elif line.strip():
                found.append(_annotation(cells, timeline))
        except ValueError as error:
            raise DataError(f"{path}, line {number}: {error}") from error
    return tuple(found)


def write_audacity(
    path: str | Path,
    annotations: Sequence[Annotation],
    files: Iterable[FileSpan | Sound] | Timeline,
) -> None:
    """Write a file of annotations: `audacity_track`.

    Raises
    ------
    DataError
        As `audacity_track`.
    NotReadyError
        If it cannot be written.
    """
    write_output(path, audacity_track(annotations, files).encode())


def audacity_track(
    annotations: Sequence[Annotation], files: Iterable[FileSpan | Sound] | Timeline
) -> str:
    """Return annotations as a label track over a file, or over files joined end to end.

    A begin between two files is moved to the next one, an end to the one before.
    Channels and other columns have no place in a label track.

    Raises
    ------
    DataError
        If an annotation lies outside of the files, or wholly between two.
    """
    timeline = files if isinstance(files, Timeline) else Timeline(files)
    lines: list[str] = []
    for annotation in annotations:
        begin_s, end_s = timeline.stretch(annotation)
        lines.append(f"{begin_s:.9f}\t{end_s:.9f}\t{annotation.label}")
        if annotation.low_hz is not None:
            lines.append(f"{_BAND}\t{annotation.low_hz!r}\t{annotation.high_hz!r}")
    return "".join(line + "\n" for line in lines)


def _annotation(cells: Sequence[str], timeline: Timeline) -> Annotation:
    if len(cells) < 2:
        raise DataError(f"found {cells[0]!r}, wanted begin, end and text with tabs between")
    begin, end = timeline.times_of(parse_number(cells[0]), parse_number(cells[1]))
    return Annotation(begin, end, label=cells[2] if len(cells) > 2 else "")


def _in_band(annotation: Annotation, cells: Sequence[str]) -> Annotation:
    if len(cells) < 3:
        raise DataError("found less than two frequencies, wanted low and high with tabs between")
    low_hz, high_hz = parse_number(cells[1]), parse_number(cells[2])
    if low_hz < 0 or high_hz < 0:
        return annotation
    return replace(annotation, low_hz=low_hz, high_hz=high_hz)
