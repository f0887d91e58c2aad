"""Which machine it was measured on."""

from __future__ import annotations

from pathlib import Path


def processor() -> str:
    """Return how many cores of what."""
    names = [x for x in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in x]
    return f"{len(names)} cores of {names[0].split(':')[1].strip()}" if names else "unknown cores"
