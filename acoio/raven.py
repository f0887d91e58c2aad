"""Raven's selection tables ↔ annotations.

Source: tables as Raven Pro writes them, tab separated, one line for each view of a
selection: Selection, View, Channel, Begin Time (s), End Time (s), Low Freq (Hz),
High Freq (Hz), then what the user chose; over a list of files Begin Time runs on
over the list, and Begin File with File Offset (s) tell the place within a file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from acoio.annotations import Annotation, FileSpan, Timeline
from acoio.errors import DataError
from acoio.output import write_output
from acoio.sound import Sound
from acoio.tables import parse_number, read_text

_SELECTION, _VIEW, _CHANNEL = "Selection", "View", "Channel"
_BEGIN, _END, _LOW, _HIGH = "Begin Time (s)", "End Time (s)", "Low Freq (Hz)", "High Freq (Hz)"
_FILE, _OFFSET = "Begin File", "File Offset (s)"
_COLUMNS: Final = (_SELECTION, _VIEW, _CHANNEL, _BEGIN, _END, _LOW, _HIGH, _FILE, _OFFSET)
_LABELS: Final = ("Annotation", "Label", "Species", "Tags")
_SPECTROGRAM: Final = "Spectrogram 1"

_Row = Mapping[str, str]


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
    path = Path(path)
    timeline = files if isinstance(files, Timeline) else Timeline(files)
    rows = _rows(path)
    if label is None:
        label = next((name for name in _LABELS if rows and name in rows[0][1]), _LABELS[0])
    found = []
    for number, row in _one_view(rows):
        try:
            found.append(_annotation(row, timeline, label))
        except ValueError as error:
            raise DataError(f"{path}, line {number}: {error}") from error
    return tuple(found)


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
    if label in extra:
        raise DataError(
            f"annotation: found {label} in extra, wanted it for the labels: give write_raven "
            "label=, the column that they were read from"
        )
    if taken := {*extra} & {*_COLUMNS}:
        raise DataError(f"annotation: found {', '.join(sorted(taken))} in extra, wanted others")
    columns = [*_COLUMNS, label, *extra]
    lines = ["\t".join(columns)]
    for number, annotation in enumerate(annotations, start=1):
        row = _row(number, annotation, timeline) | {label: annotation.label}
        row |= dict(annotation.extra)
        lines.append("\t".join(row.get(name, "") for name in columns))
    return "\n".join(lines) + "\n"


def _rows(path: Path) -> list[tuple[int, _Row]]:
    """Return the lines of a table with their numbers, checked for what each needs."""
    text = read_text(path).replace("\r\n", "\n")
    head, *lines = (line.split("\t") for line in text.split("\n"))
    if missing := [name for name in (_BEGIN, _END) if name not in head]:
        raise DataError(f"{path}: found no column {', '.join(missing)}, wanted Raven's table")
    rows: list[tuple[int, _Row]] = []
    for number, cells in enumerate(lines, start=2):
        if cells == [""]:
            continue
        if len(cells) > len(head):
            raise DataError(f"{path}, line {number}: found {len(cells)} cells for {len(head)}")
        padded = cells + [""] * (len(head) - len(cells))
        rows.append((number, dict(zip(head, padded, strict=True))))
    return rows


def _one_view(rows: Sequence[tuple[int, _Row]]) -> list[tuple[int, _Row]]:
    """Keep one line of each selection: the first spectrogram's, or the first waveform's.

    Lines without a number, or of another view, are all kept.  The times tell apart
    selections of one number, as in tables that were put one below the other.
    """
    best: dict[tuple[str | None, ...], tuple[int, bool]] = {}
    for number, row in rows:
        key, drawn = _key(row), row.get(_VIEW, "").startswith("Spectrogram")
        if _has_views(row) and (key not in best or (drawn and not best[key][1])):
            best[key] = number, drawn
    return [
        (number, row) for number, row in rows if not _has_views(row) or best[_key(row)][0] == number
    ]


def _has_views(row: _Row) -> bool:
    return bool(row.get(_SELECTION)) and row.get(_VIEW, "").startswith(("Spectrogram", "Waveform"))


def _key(row: _Row) -> tuple[str | None, ...]:
    return tuple(row.get(name) for name in (_SELECTION, _CHANNEL, _BEGIN, _END, _FILE, _OFFSET))


def _annotation(row: _Row, timeline: Timeline, label: str) -> Annotation:
    begin_s, end_s = parse_number(row[_BEGIN]), parse_number(row[_END])
    if row.get(_FILE) and row.get(_OFFSET):
        at_s = timeline.start_s(timeline.index_of(row[_FILE])) + parse_number(row[_OFFSET])
        begin_s, end_s = at_s, at_s + (end_s - begin_s)
    begin, end = timeline.times_of(begin_s, end_s)
    known = {*_COLUMNS, label}
    return Annotation(
        begin=begin,
        end=end,
        low_hz=_number(row, _LOW),
        high_hz=_number(row, _HIGH),
        label=row.get(label, ""),
        channel=int(row.get(_CHANNEL) or 1),
        extra=tuple((name, cell) for name, cell in row.items() if cell and name not in known),
    )


def _number(row: _Row, name: str) -> float | None:
    return parse_number(row[name]) if row.get(name) else None


def _row(number: int, annotation: Annotation, timeline: Timeline) -> dict[str, str]:
    begin_s, end_s = timeline.stretch(annotation)
    k, offset_s = timeline.place(annotation.begin)
    band = (annotation.low_hz, annotation.high_hz)
    low_hz, high_hz = (0.0, timeline.files[k].rate_hz / 2) if None in band else band
    return {
        _SELECTION: str(number),
        _VIEW: _SPECTROGRAM,
        _CHANNEL: str(annotation.channel),
        _BEGIN: f"{begin_s:.9f}",
        _END: f"{end_s:.9f}",
        _LOW: repr(low_hz),
        _HIGH: repr(high_hz),
        _FILE: timeline.files[k].name,
        _OFFSET: f"{offset_s:.9f}",
    }
