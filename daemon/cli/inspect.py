"""kilokai inspect."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from acoio.catalogue import Found
from acoio.wanted import is_folder
from daemon.calendar_lines import folder_lines
from daemon.cli.options import Json
from daemon.inspection import inspect_file, inspect_folder
from daemon.show import with_bar

_LISTED: Final = 20  # gaps and damages in lines; --json has all
EXAMPLE: Final = "Example: kilokai inspect 2018-10-28--00.00.HYD24BBpk, kilokai inspect archive"


def command(
    path: Annotated[Path, typer.Argument(help="A recording, an audio file, or a folder of them.")],
    band: Annotated[
        str, typer.Option(help="Of a folder: BB, or HF for the second hydrophone.")
    ] = "BB",
    as_json: Json = False,
) -> None:
    """Say what a file holds, or a folder: sound, gaps, overlaps, clocks, bits, damage."""
    whole = is_folder(path)
    found = inspect_folder(path, band=band, each=_with_bar) if whole else inspect_file(path)
    if as_json:
        typer.echo(json.dumps(found, indent=2))
    else:
        for line in folder_lines(found) if whole else _lines(found):
            typer.echo(line)


def _with_bar(files: Sequence[Found]) -> Iterable[Found]:
    return with_bar(files, "reading headers", len(files))


def _lines(found: dict[str, Any]) -> list[str]:
    return _audio_lines(found) if "format" in found else _recording_lines(found)


def _audio_lines(found: dict[str, Any]) -> list[str]:
    lines = [
        f"{found['file']}: {found['seconds']:.3f} s of sound, {found['frames']} frames",
        f"  {found['format']} {found['subtype']}, {found['channels']} channel"
        f"{'s' * (found['channels'] != 1)} at {found['rate_hz']:g} Hz",
    ]
    if found["begin"]:
        where = "the comment that save wrote" if found["begin_from"] == "comment" else "the name"
        lines.append(f"  from {found['begin']} to {found['end']}, by {where}")
    if found["fault"]:
        lines.append(f"  {'fault' if found['frames'] else 'no sound'}: {found['fault']}")
    if found["promised"] != found["frames"]:
        promised = f"{found['promised']} frames" if found["promised"] else "no number of frames"
        lines.append(f"  the header promises {promised}")
    known = found["begin_from"] == "comment"  # nothing else says where gaps are
    return lines + (_gap_lines(found) or ["  no gaps"] * known)


def _gap_lines(found: dict[str, Any]) -> list[str]:
    lines = [
        f"  gap from {gap['begin']} to {gap['end']}, {gap['seconds']:.3f} s{_reason(gap)}"
        for gap in found["gaps"][:_LISTED]
    ]
    return lines + _more(found["gaps"], "gaps")


def _reason(gap: dict[str, Any]) -> str:
    return f": {gap['reason']}" if gap.get("reason") else ""


def _more(listed: list[Any], what: str) -> list[str]:
    left = len(listed) - _LISTED
    return [f"  and {left} more {what}: see --json"] if left > 0 else []


def _recording_lines(found: dict[str, Any]) -> list[str]:
    bits = ", ".join(f"{count} of {width} bits" for width, count in found["bits"].items())
    lines = [
        f"{found['file']}: {found['seconds']:.3f} s of sound, {found['records']} records",
        f"  from {found['begin']} to {found['end']}",
        f"  layout {found['layout']}; {bits}",
    ]
    if found["clock_fault"]:
        lines.append(f"  {found['clock_fault']}")
    elif not found["damages"] and not found["gaps"]:
        lines.append("  no damage, no gaps")
    if found["clock_off"] is not None:
        lines.append(f"  sampling rate off by {1e6 * found['clock_off']:+.0f} ppm by the clock")
    if found["name_fault"]:
        lines.append(f"  {found['name_fault']}")
    lines += [
        f"  byte {damage['byte']}, {damage['length_bytes']} bytes: {damage['reason']}"
        for damage in found["damages"][:_LISTED]
    ]
    return lines + _more(found["damages"], "damages") + _gap_lines(found)
