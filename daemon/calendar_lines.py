"""What a folder holds, for a reader: a calendar of 80 columns, totals, then what is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from textwrap import wrap
from typing import Any, Final

_Found = Mapping[str, Any]

HEADING: Final = "day (UTC)   00    06    12    18       sound  files  gaps  overlaps  bits"
_EIGHTHS: Final = "·▁▂▃▄▅▆▇"
_FULL: Final = "█"
_HOUR_S: Final = 3600.0
_HAIR_S: Final = 1.0  # an hour that lacks less than this is drawn full
_MOST: Final = 50  # findings of a kind
_FEW: Final = 5  # names of files that are nothing but ignored
_COLUMNS: Final = 80


def folder_lines(found: _Found) -> list[str]:
    """Return the lines of `inspect_folder`'s findings, of up to 80 columns unless names are."""
    files = found["files"]
    return [
        HEADING,
        *_calendar(found["days"]),
        *_totals(found),
        *_section("gaps", [_stretch(gap) for gap in found["gaps"]]),
        *_section("overlaps", [f"{_stretch(x)}: {_pair(x)}" for x in found["overlaps"]]),
        *_section("clock corrections", [_correction(x) for x in found["corrections"]]),
        *_section("known clock errors, as they stand", _clock_errors(found["files"])),
        *_section("damage", [_damage(x) for x in found["files"] if x["damaged_bytes"]]),
        *_section("no sound", [f"{x['file']}: {x['fault']}" for x in files if x["fault"]]),
        *_section("copies beside their recordings", [x["file"] for x in files if x["spare"]]),
        *_section("ignored, since the name does not say when", found["ignored"], _FEW),
        *_section("not looked into, since the name is no date", found["others"], _FEW),
        *_section("clocks of another time", [_stray(x) for x in found["strays"]]),
    ]


def hour_bar(seconds: Sequence[float]) -> str:
    """Return a character for each hour's seconds of sound, from none to full."""
    return "".join(_mark(x) for x in seconds)


def _mark(seconds: float) -> str:
    if seconds >= _HOUR_S - _HAIR_S:
        return _FULL
    eighths = int(seconds / _HOUR_S * len(_EIGHTHS))
    return _EIGHTHS[max(eighths, 1 if seconds > 0 else 0)]


def _calendar(days: Sequence[_Found]) -> Iterator[str]:
    for empty, run in groupby(days, key=lambda day: not (day["seconds"] or day["files"])):
        group = list(run)
        if empty and len(group) > 2:
            yield f"{group[0]['day']}  to {group[-1]['day']}: {len(group)} days of nothing"
        else:
            yield from (_day(day) for day in group)


def _day(day: _Found) -> str:
    share = 100 * day["seconds"] / (24 * _HOUR_S)
    return (
        f"{day['day']}  {hour_bar(day['hours'])}  {_percent(share):>6} {day['files']:6d} "
        f"{day['gaps']:5d} {day['overlaps']:9d}  {_widths(day['bits'])}"
    ).rstrip()


def _percent(share: float) -> str:
    """Return a percentage that says 100 only of what lacks no second of a day."""
    return "100%" if share > 99.9988 else f"{min(share, 99.99):.2f}%"


def _widths(bits: Mapping[str, int]) -> str:
    widths = [int(width) for width in bits]
    if not widths:
        return ""
    return f"{widths[0]}" if len(widths) == 1 else f"{min(widths)}-{max(widths)}"


def _totals(found: _Found) -> Iterator[str]:
    share = _percent(100 * found["seconds"] / found["span_seconds"])
    bits = ", ".join(f"{count} of {width}" for width, count in found["bits"].items())
    layouts = ", ".join(f"{name} ({count})" for name, count in found["layouts"].items())
    yield ""
    yield f"{found['begin']} to {found['end']}, band {found['band']}"
    yield (
        f"{found['seconds'] / _HOUR_S:.3f} h of sound, {share} of this, in "
        f"{_counted(len(found['files']), 'file')} of {found['size_bytes'] / 1e6:.1f} MB"
    )
    yield from _wrapped(f"layouts by files: {layouts or 'none'}")
    yield from _wrapped(f"records by bits: {bits or 'no records'}")
    for kind in ("gaps", "overlaps"):
        seconds = sum(x["seconds"] for x in found[kind])
        yield f"{kind}: {len(found[kind])}" + (f", {seconds:.3f} s in all" if seconds else "")
    corrected = sum(x["records"] for x in found["corrections"])
    yield f"clock corrections: {_counted(corrected, 'record')}"
    yield f"damaged: {found['damaged_bytes']} bytes"


def _section(heading: str, lines: Sequence[str], most: int = _MOST) -> Iterator[str]:
    if lines:
        yield ""
        yield f"{heading}:"
        for line in lines[:most]:
            yield from _wrapped(f"  {line}")
        if len(lines) > most:
            yield f"  and {len(lines) - most} more; --json tells all"


def _wrapped(line: str) -> list[str]:
    """Return a line as lines of up to 80 columns, broken between words alone."""
    return wrap(
        line,
        _COLUMNS,
        subsequent_indent="    ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _counted(count: int, thing: str) -> str:
    return f"{count} {thing}" + "s" * (count != 1)


def _stretch(stretch: _Found) -> str:
    return f"{_short(stretch['begin'])} to {_short(stretch['end'])}  {stretch['seconds']:.3f} s"


def _pair(overlap: _Found) -> str:
    if overlap["file"] == overlap["kept"]:
        return f"{overlap['file']} with itself"
    return f"{overlap['file']} with {overlap['kept']}, which is kept"


def _correction(correction: _Found) -> str:
    return (
        f"{_short(correction['begin'])}  {_counted(correction['records'], 'record')} by up to "
        f"{correction['seconds']:+.3f} s, {correction['file']}"
    )


def _clock_errors(files: Iterable[_Found]) -> list[str]:
    lines = []
    for error_s, run in groupby(
        (file for file in files if file["begin"]), key=lambda file: file["clock_error_s"]
    ):
        group = list(run)
        if error_s:
            span = f"{_short(group[0]['begin'])} to {_short(group[-1]['end'])}"
            lines.append(f"{span}  {error_s:+g} s, {_counted(len(group), 'file')}")
    return lines


def _damage(file: _Found) -> str:
    return f"{file['file']}: {file['damaged_bytes']} bytes"


def _stray(stray: _Found) -> str:
    return (
        f"{stray['file']}: {_counted(stray['records'], 'record')} from {_short(stray['begin'])} on"
    )


def _short(when: str) -> str:
    return f"{datetime.fromisoformat(when):%Y-%m-%d %H:%M:%S.%f}"[:-3]
