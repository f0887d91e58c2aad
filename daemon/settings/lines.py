"""In which line of a TOML text each table and key stands (pure); tomllib does not tell."""

from __future__ import annotations

import re
from typing import Final

_NAME: Final = r"[A-Za-z0-9_\-\.\s]+?"
_TABLE: Final = re.compile(rf"\s*\[({_NAME})\]")
_KEY: Final = re.compile(rf"\s*({_NAME})\s*=")


def lines_of(text: str) -> dict[str, int]:
    """Return the line, counted from 1, of each table and key that is written plainly.

    Quoted names and inline tables are not found, and what stands within a string of
    several lines may be taken for a key: this is for people, who look there.
    """
    found: dict[str, int] = {}
    table = ""
    for number, line in enumerate(text.split("\n"), 1):
        if match := _TABLE.match(line):
            table = match[1].strip()
            found.setdefault(table, number)
        elif match := _KEY.match(line):
            found.setdefault(f"{table}.{match[1].strip()}".lstrip("."), number)
    return found
