"""kilokai inspect."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from daemon.cli.options import Json
from daemon.inspection import inspect_file

EXAMPLE: Final = "Example: kilokai inspect 2018-10-28--00.00.HYD24BBpk"


def command(
    path: Annotated[Path, typer.Argument(help="A recording.", dir_okay=False)],
    as_json: Json = False,
) -> None:
    """Say what a file holds: records, span, bits, damage, gaps."""
    found = inspect_file(path)
    if as_json:
        typer.echo(json.dumps(found, indent=2))
    else:
        for line in _lines(found):
            typer.echo(line)


def _lines(found: dict[str, Any]) -> list[str]:
    bits = ", ".join(f"{count} of {width} bits" for width, count in found["bits"].items())
    lines = [
        f"{found['file']}: {found['seconds']:.3f} s of sound, {found['records']} records",
        f"  from {found['begin']} to {found['end']}",
        f"  layout {found['layout']}; {bits}",
    ]
    if not found["damages"] and not found["gaps"]:
        lines.append("  no damage, no gaps")
    if found["name_fault"]:
        lines.append(f"  {found['name_fault']}")
    lines += [
        f"  byte {damage['byte']}, {damage['length_bytes']} bytes: {damage['reason']}"
        for damage in found["damages"]
    ]
    lines += [
        f"  gap from {gap['begin']} to {gap['end']}, {gap['seconds']:.3f} s"
        for gap in found["gaps"]
    ]
    return lines
