"""What a file or a folder holds, as JSON values."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from acoio.archive import ACOio
from acoio.audio import is_audio
from acoio.audio_report import examine_audio
from acoio.catalogue import Found
from acoio.clock import NOMINAL_RATE_HZ, ClockRepair, record_us
from acoio.coverage import Coverage, FileCover
from acoio.dead import Channel
from acoio.errors import DataError, FilenameError
from acoio.filename import parse_filename
from acoio.header import RECORD_SAMPLES
from acoio.join import Joiner
from acoio.rate import ClockWatch
from acoio.reader import read_chunks
from acoio.record import Damage, Record
from acoio.sound import Gap
from detector.values import gap_json, iso

_JITTER = timedelta(milliseconds=1)


def inspect_file(path: Path) -> dict[str, Any]:
    """Return what a file holds; a wrong name is told, and taken for one of 24 kHz.

    Raises
    ------
    DataError
        If there is no record in it.
    NotReadyError
        If it cannot be read.
    """
    if is_audio(path):
        return _audio(path)
    rate_hz, name_fault = _rate(path)
    bits: Counter[int] = Counter()
    damages: list[Damage] = []
    gaps: list[Gap] = []
    first = last = None
    clock, joiner, channel = ClockRepair(rate_hz), Joiner(rate_hz), Channel()
    watch, clock_fault = ClockWatch(rate_hz), ""
    for chunk in read_chunks(path, rate_hz=rate_hz):
        faults = [watch.push(record, path.name) for record in chunk.records]
        clock_fault = clock_fault or next(filter(None, faults), "")
        records = list(clock.push(chunk.records))
        for piece in joiner.push(records):
            pieces = (piece,) if isinstance(piece, Gap) else channel.push(piece)
            gaps += [part for part in pieces if isinstance(part, Gap)]
        bits.update(record.bits for record in records)
        damages += chunk.damages
        if records:
            first, last = first or records[0], records[-1]
        elif chunk.tail:
            damages.append(chunk.tail)
    gaps = [] if clock_fault else _joined(gaps)
    if first is None or last is None:
        reason = damages[0].reason if damages else "empty file"
        named = f"{name_fault}; " if name_fault else ""
        raise DataError(f"{path}: {named}found no record: {reason}")
    return {
        "file": path.name,
        "rate_hz": rate_hz,
        "name_fault": name_fault,
        **_span(first, last, rate_hz),
        **_amount(bits, rate_hz),
        "damaged_bytes": sum(damage.length_bytes for damage in damages),
        "damages": [asdict(damage) for damage in damages],
        "gaps": [gap_json(gap) for gap in gaps],
        "clock_fault": clock_fault or None,
        "clock_off": watch.rate_ratio and watch.rate_ratio - 1.0,
    }


def _joined(gaps: Sequence[Gap]) -> list[Gap]:
    """Return gaps in order, those of one reason that follow each other as one."""
    joined: list[Gap] = []
    for gap in gaps:
        last = joined[-1] if joined else None
        if last and gap.reason == last.reason and gap.begin - last.end <= _JITTER:
            joined[-1] = replace(last, end=gap.end)
        else:
            joined.append(gap)
    return joined


def _audio(path: Path) -> dict[str, Any]:
    report = examine_audio(path)
    if not report.format:
        raise DataError(f"{path}: {report.fault}")
    return {
        **asdict(report),
        "begin": iso(report.begin) if report.begin else None,
        "end": iso(report.end) if report.end else None,
        "seconds": report.frames / report.true_rate_hz,
        "gaps": [_stretch(gap) for gap in report.gaps],
    }


def inspect_folder(
    path: Path, *, band: str, each: Callable[[Sequence[Found]], Iterable[Found]] = iter
) -> dict[str, Any]:
    """Return what a folder's recordings of a band hold; `each` may wrap the files.

    Raises
    ------
    DataError
        If there is no sound in any.
    NotReadyError
        If it cannot be read.
    """
    cover = ACOio(path, band=band).coverage(each=each)
    bits = _bits(cover.files)
    return {
        "folder": str(path),
        "band": band,
        **_stretch(cover),
        "span_seconds": (cover.end - cover.begin).total_seconds(),
        "records": bits.total(),
        "bits": _by_width(bits),
        "layouts": dict(Counter(x.layout for x in cover.files if x.records or not x.fault)),
        "size_bytes": sum(file.size_bytes for file in cover.files),
        "damaged_bytes": sum(file.damaged_bytes for file in cover.files),
        "days": _days(cover),
        "files": [_file(file, path) for file in cover.files],
        "gaps": [_stretch(gap) for gap in cover.gaps],
        "overlaps": [{**_stretch(x), "file": x.file, "kept": x.kept} for x in cover.overlaps],
        "corrections": [{**asdict(x), "begin": iso(x.begin)} for x in cover.corrections],
        "strays": [{**asdict(x), "begin": iso(x.begin)} for x in cover.strays],
        "ignored": [str(file.relative_to(path)) for file in cover.ignored],
        "others": [f"{folder.relative_to(path)}/" for folder in cover.others],
    }


class _Stretch(Protocol):
    @property
    def begin(self) -> datetime: ...
    @property
    def end(self) -> datetime: ...
    @property
    def seconds(self) -> float: ...


def _stretch(stretch: _Stretch) -> dict[str, Any]:
    return {
        "begin": iso(stretch.begin),
        "end": iso(stretch.end),
        "seconds": round(stretch.seconds, 6),
    }


def _file(file: FileCover, folder: Path) -> dict[str, Any]:
    return {
        "file": str(file.path.relative_to(folder)),
        "begin": iso(file.begin) if file.begin else None,
        "end": iso(file.end) if file.end else None,
        "seconds": file.seconds,
        "layout": file.layout,
        "bits": _by_width(Counter(dict(file.bits))),
        "damaged_bytes": file.damaged_bytes,
        "clock_error_s": file.clock_error_s,
        "fault": file.fault.removeprefix(f"{file.path}: "),
        "spare": file.spare,
    }


def _bits(files: Iterable[FileCover]) -> Counter[int]:
    bits: Counter[int] = Counter()
    for file in files:
        bits.update(dict(file.bits))
    return bits


def _by_width(bits: Counter[int]) -> dict[str, int]:
    return {str(width): bits[width] for width in sorted(bits)}


def _days(cover: Coverage) -> list[dict[str, Any]]:
    """Return the days from the first sound to the last, with the sound of each hour."""
    first, last = cover.begin.date(), (cover.end - timedelta.resolution).date()
    midnight = datetime(first.year, first.month, first.day, tzinfo=UTC)
    hours = [midnight + timedelta(hours=k) for k in range(24 * ((last - first).days + 1) + 1)]
    sound_s = cover.seconds_in(hours).reshape(-1, 24)
    files: defaultdict[date, list[FileCover]] = defaultdict(list)
    for file in cover.files:
        files[file.named.date()].append(file)
    gaps = Counter(gap.begin.date() for gap in cover.gaps)
    overlaps = Counter(overlap.begin.date() for overlap in cover.overlaps)
    days = (first + timedelta(days=k) for k in range(len(sound_s)))
    return [
        {
            "day": day.isoformat(),
            "seconds": round(float(hourly_s.sum()), 6),
            "hours": [round(float(x), 6) for x in hourly_s],
            "files": len(files[day]),
            "gaps": gaps[day],
            "overlaps": overlaps[day],
            "bits": _by_width(_bits(files[day])),
        }
        for day, hourly_s in zip(days, sound_s, strict=True)
    ]


def _rate(path: Path) -> tuple[float, str | None]:
    try:
        return parse_filename(path).rate_hz, None
    except FilenameError as error:
        return NOMINAL_RATE_HZ, str(error)


def _amount(bits: Counter[int], rate_hz: float) -> dict[str, Any]:
    return {
        "records": bits.total(),
        "samples": bits.total() * RECORD_SAMPLES,
        "seconds": bits.total() * record_us(rate_hz) / 1e6,
        "bits": {str(width): bits[width] for width in sorted(bits)},
    }


def _span(first: Record, last: Record, rate_hz: float) -> dict[str, Any]:
    end = timedelta(microseconds=round(record_us(rate_hz)))
    return {"layout": first.layout, "begin": iso(first.begin), "end": iso(last.begin + end)}
