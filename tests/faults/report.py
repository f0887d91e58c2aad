"""What happened at each fault, as the table in docs/reliability.md."""

from __future__ import annotations

import os
import platform
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import zmq

from tests.faults.registry import ELSEWHERE, Fault

PAGE: Final = Path(__file__).parents[2] / "docs" / "reliability.md"
_HEADING: Final = "## What was tried"  # all above it is written by people
_LONGEST: Final = 300
_FAULTS: Final = 66


@dataclass(frozen=True)
class Outcome:
    """How a fault ended: "passed", "failed" or "not possible here", and what it counted."""

    fault: Fault
    state: str
    said: str
    seconds: float


def write_report(outcomes: Sequence[Outcome], seconds: float) -> None:
    """Put what happened below what people wrote."""
    kept = PAGE.read_text("utf-8").partition(_HEADING)[0] if PAGE.exists() else ""
    PAGE.write_text(
        kept
        + "\n".join([_HEADING, "", *_summary(outcomes, seconds), "", *_table(outcomes)])
        + "\n",
        "utf-8",
    )


def _summary(outcomes: Sequence[Outcome], seconds: float) -> list[str]:
    tried = {o.fault.number for o in outcomes if o.state != "not possible here"}
    failed = [o.fault.slug for o in outcomes if o.state == "failed"]
    kinds = f"{len(tried)} of the {_FAULTS} faults of the catalogue, in {len(outcomes)} ways"
    return [
        f"By `make faults`, in {seconds / 60:.0f} minutes, on {machine()}: {kinds}.",
        f"Failed: {', '.join(failed)}." if failed else "None failed.",
    ]


def machine() -> str:
    """Return what it ran on, in words."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((x.partition(": ")[2] for x in lines if x.startswith("model name")), "unknown")
    return (
        f"{os.cpu_count()} cores of {model} (shared), Linux {platform.release().split('-')[0]}, "
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, "
        f"libzmq {zmq.zmq_version()}"
    )


def _table(outcomes: Sequence[Outcome]) -> list[str]:
    rows = [(o.fault.number, _row(o)) for o in outcomes]
    rows += [
        (number, f"| {number} | {name} | | | {why} | |")
        for number, (name, why) in ELSEWHERE.items()
    ]
    return [
        "| | fault | how it is injected | what must happen | what happened | s |",
        "|---|---|---|---|---|---|",
        *(row for _, row in sorted(rows)),
    ]


def _row(outcome: Outcome) -> str:
    fault = outcome.fault
    happened = f"{outcome.state}: {outcome.said}" if outcome.said else outcome.state
    cells = [str(fault.number), fault.name, fault.how, fault.wanted, happened]
    return f"| {' | '.join(map(_cell, cells))} | {outcome.seconds:.0f} |"


def _cell(text: str) -> str:
    line = " ".join(text.split()).replace("|", "\\|")
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]} …"
