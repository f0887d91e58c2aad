"""Findings as an operator reads them (pure): 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import Final

from daemon.doctor.finding import MARKS, Finding
from daemon.errors import plain

_COLUMNS: Final = 80
_HANG: Final = " " * 15
_ARROW: Final = "-> "


def finding_lines(found: Finding) -> Iterator[str]:
    """Yield the lines of a finding: mark, check, what is so; what to do stands below."""
    head = f"{found.mark:<5}{found.check:<10}"
    yield from textwrap.wrap(
        head + plain(found.says), _COLUMNS, subsequent_indent=_HANG, drop_whitespace=True
    )
    if found.do and found.mark != "ok":
        first, rest = _HANG + _ARROW, _HANG + " " * len(_ARROW)
        yield from textwrap.wrap(
            plain(found.do), _COLUMNS, initial_indent=first, subsequent_indent=rest
        )


def verdict_line(found: Sequence[Finding]) -> str:
    """Return how many of each there were."""
    counts = {mark: sum(finding.mark == mark for finding in found) for mark in MARKS}
    return ", ".join(f"{count} {mark}" for mark, count in counts.items())
