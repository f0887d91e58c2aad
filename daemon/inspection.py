"""What one file holds, as JSON values."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

from acoio.clock import NOMINAL_RATE_HZ, ClockRepair, record_us
from acoio.errors import DataError, FilenameError
from acoio.filename import parse_filename
from acoio.header import RECORD_SAMPLES
from acoio.reader import read_chunks
from acoio.record import Damage, Record
from acoio.sound import Gap, Joiner
from detector.values import iso


def inspect_file(path: Path) -> dict[str, Any]:
    """Return what a file holds; a wrong name is told, and taken for one of 24 kHz.

    Raises
    ------
    DataError
        If there is no record in it.
    NotReadyError
        If it cannot be read.
    """
    rate_hz, name_fault = _rate(path)
    bits: Counter[int] = Counter()
    damages: list[Damage] = []
    gaps: list[Gap] = []
    first = last = None
    clock, joiner = ClockRepair(rate_hz), Joiner(rate_hz)
    for chunk in read_chunks(path, rate_hz=rate_hz):
        records = list(clock.push(chunk.records))
        gaps += [piece for piece in joiner.push(records) if isinstance(piece, Gap)]
        bits.update(record.bits for record in records)
        damages += chunk.damages
        if records:
            first, last = first or records[0], records[-1]
        elif chunk.tail:
            damages.append(chunk.tail)
    if first is None or last is None:
        reason = damages[0].reason if damages else "empty file"
        raise DataError(f"{path}: found no record: {reason}")
    return {
        "file": path.name,
        "rate_hz": rate_hz,
        "name_fault": name_fault,
        **_span(first, last, rate_hz),
        **_amount(bits, rate_hz),
        "damaged_bytes": sum(damage.length_bytes for damage in damages),
        "damages": [asdict(damage) for damage in damages],
        "gaps": [{"begin": iso(g.begin), "end": iso(g.end), "seconds": g.seconds} for g in gaps],
    }


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
