"""How long a call takes."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

Row = tuple[str, str, str]  # what was measured, the figure, the target


def median_ms(work: Callable[[], object], repeats: int = 7) -> float:
    """Return the median milliseconds of a call, after one that warms up."""
    work()
    spent = []
    for _ in range(repeats):
        begin_s = time.perf_counter()
        work()
        spent.append(1e3 * (time.perf_counter() - begin_s))
    return statistics.median(spent)
