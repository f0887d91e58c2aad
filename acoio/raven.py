"""Raven's selection tables ↔ annotations.

Source: tables as Raven Pro writes them, tab separated, one line for each view of a
selection: Selection, View, Channel, Begin Time (s), End Time (s), Low Freq (Hz),
High Freq (Hz), then what the user chose; over a list of files Begin Time runs on
over the list, and Begin File with File Offset (s) tell the place within a file.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from acoio.annotations import Annotation, FileSpan, Timeline
from acoio.errors import DataError
from acoio.output import write_output
from acoio.sound import Sound
from acoio.tables import Row, check_unsplit, count, number, read_table

_SELECTION, _VIEW, _CHANNEL = "Selection", "View", "Channel"
_BEGIN, _END, _LOW, _HIGH = "Begin Time (s)", "End Time (s)", "Low Freq (Hz)", "High Freq (Hz)"
_FILE, _OFFSET = "Begin File", "File Offset (s)"
_COLUMNS: Final = (_SELECTION, _VIEW, _CHANNEL, _BEGIN, _END, _LOW, _HIGH, _FILE, _OFFSET)
_LABELS: Final = ("Annotation", "Label", "Species", "Tags")
_SPECTROGRAM: Final = "Spectrogram 1"


def read_raven(
    path: str | Path, files: Iterable[FileSpan | Sound] | Timeline, *, label: str | None = None
) -> tuple[Annotation, ...]:
    """Return the selections of a table, in its order.

    `files` are those that were open in Raven, in their order; their names are
    compared without extensions (Raven reads the WAV of a file).  Where a line has
    Begin File and File Offset these are believed, so that a table over another list
    is read right; else Begin Time is, over the list.  Of the lines of one selection,
    which share number, channel and times, the first of a spectrogram is taken.  The
    label is in the column `label`, or the first there is of Annotation, Label, Species,
    Tags; columns that mean nothing here are kept in `extra` where they are not empty.

    Raises
    ------
    DataError
        If a column is missing, a cell cannot be read, or a time lies outside of the
        files; it says which line.
    NotReadyError
        If the table cannot be read.
    """
    timeline = files if isinstance(files, Timeline) else Timeline(files)
    labels = _LABELS if label is None else (label,)

    def made(row: Row) -> tuple[Row, Annotation]:
        column = next((name for name in labels if name in row), labels[0])
        return row, _annotation(row, timeline, column)

    found = read_table(
        Path(path), (_BEGIN, _END), made, known=_COLUMNS, optional=labels, apostrophes=False
    )
    return _one_view(found)


def write_raven(
    path: str | Path,
    annotations: Sequence[Annotation],
    files: Iterable[FileSpan | Sound] | Timeline,
    *,
    label: str = _LABELS[0],
) -> None:
    """Write a file of annotations: `raven_table`.

    Raises
    ------
    DataError
        As `raven_table`.
    NotReadyError
        If it cannot be written.
    """
    write_output(path, raven_table(annotations, files, label=label).encode())


def raven_table(
    annotations: Sequence[Annotation],
    files: Iterable[FileSpan | Sound] | Timeline,
    *,
    label: str = _LABELS[0],
) -> str:
    """Return annotations as a selection table over a list of files.

    A begin between two files is moved to the next one, an end to the one before.
    An annotation without a band gets all of it, 0 Hz to half the rate.

    Raises
    ------
    DataError
        If an annotation lies outside of the files, or wholly between two, or its
        `extra` has a column of Raven's own, or the label's: labels that were read
        from another column, with `label=`, are written back with the same.
    """
    timeline = files if isinstance(files, Timeline) else Timeline(files)
    extra = list(dict.fromkeys(name for a in annotations for name, _ in a.extra))
    folded = {name.strip().casefold(): name for name in extra}  # as `read_raven` compares them
    if taken := folded.get(label.casefold()):
        raise DataError(
            f"annotation: found {taken} in extra, wanted it for the labels: give write_raven "
            "label=, the column that they were read from"
        )
    if own := folded.keys() & {name.casefold() for name in _COLUMNS}:
        found = ", ".join(sorted(folded[name] for name in own))
        raise DataError(f"annotation: found {found} in extra, wanted others")
    columns = [*_COLUMNS, label, *extra]
    table = io.StringIO()
    lines = csv.DictWriter(table, columns, delimiter="\t", lineterminator="\n")
    lines.writeheader()
    for selection, annotation in enumerate(annotations, start=1):
        row = _row(selection, annotation, timeline) | {label: annotation.label}
        lines.writerow(row | dict(annotation.extra))
    return table.getvalue()


def _one_view(found: Sequence[tuple[Row, Annotation]]) -> tuple[Annotation, ...]:
    """Keep one line of each selection: the first spectrogram's, or the first waveform's.

    Lines without a number, or of another view, are all kept.  The times tell apart
    selections of one number, as in tables that were put one below the other.
    """
    best: dict[tuple[str | None, ...], tuple[int, bool]] = {}
    for k, (row, _) in enumerate(found):
        key, drawn = _key(row), row.get(_VIEW, "").startswith("Spectrogram")
        if _has_views(row) and (key not in best or (drawn and not best[key][1])):
            best[key] = k, drawn
    return tuple(
        annotation
        for k, (row, annotation) in enumerate(found)
        if not _has_views(row) or best[_key(row)][0] == k
    )


def _has_views(row: Row) -> bool:
    return bool(row.get(_SELECTION)) and row.get(_VIEW, "").startswith(("Spectrogram", "Waveform"))


def _key(row: Row) -> tuple[str | None, ...]:
    return tuple(row.get(name) for name in (_SELECTION, _CHANNEL, _BEGIN, _END, _FILE, _OFFSET))


def _annotation(row: Row, timeline: Timeline, label: str) -> Annotation:
    begin_s, end_s = number(row, _BEGIN), number(row, _END)
    if row.get(_FILE) and row.get(_OFFSET):
        at_s = timeline.start_s(timeline.index_of(row[_FILE])) + number(row, _OFFSET)
        begin_s, end_s = at_s, at_s + (end_s - begin_s)
    begin, end = timeline.times_of(begin_s, end_s)
    known = {*_COLUMNS, label}
    check_unsplit(row, label)
    return Annotation(
        begin=begin,
        end=end,
        low_hz=_hz(row, _LOW),
        high_hz=_hz(row, _HIGH),
        label=row.get(label, ""),
        channel=count(row, _CHANNEL) if row.get(_CHANNEL, "").strip() else 1,
        extra=tuple((name, cell) for name, cell in row.items() if cell and name not in known),
    )


def _hz(row: Row, name: str) -> float | None:
    return number(row, name) if row.get(name, "").strip() else None


def _row(selection: int, annotation: Annotation, timeline: Timeline) -> dict[str, str]:
    begin_s, end_s = timeline.stretch(annotation)
    k, offset_s = timeline.place(annotation.begin)
    band = (annotation.low_hz, annotation.high_hz)
    low_hz, high_hz = (0.0, timeline.files[k].rate_hz / 2) if None in band else band
    return {
        _SELECTION: str(selection),
        _VIEW: _SPECTROGRAM,
        _CHANNEL: str(annotation.channel),
        _BEGIN: f"{begin_s:.9f}",
        _END: f"{end_s:.9f}",
        _LOW: repr(low_hz),
        _HIGH: repr(high_hz),
        _FILE: timeline.files[k].name,
        _OFFSET: f"{offset_s:.9f}",
    }
