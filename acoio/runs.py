"""Which blocks of a file follow each other, and which of them lie about their time."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from acoio.clock import JUMP_US, MEMORY_RECORDS
from acoio.header import RECORD_SAMPLES
from acoio.track import Marks

Run = tuple[int, int]
"""The first of some blocks that follow each other, and the one after the last."""

_Times = NDArray[np.int64]


def runs_within(
    marks: Marks, low_us: int, high_us: int, record_us: float
) -> tuple[list[Run], list[Run]]:
    """Return the runs of a file in [low_us, high_us), and the strays: other times, or no order.

    `record_us` is how long 4096 samples last.
    """
    times_us = marks.times_us
    near = (times_us >= low_us) & (times_us < high_us)
    runs = list(_runs(marks, near, record_us))
    lost = _out_of_order([run for run in runs if near[run[0]]], times_us)
    kept = [run for run in runs if near[run[0]] and run not in lost]
    return kept, [run for run in runs if run not in kept]


def _runs(marks: Marks, near: NDArray[np.bool_], record_us: float) -> Iterator[Run]:
    lasted_us = marks.count[:-1] * (record_us / RECORD_SAMPLES)
    off_us = np.abs(np.diff(marks.times_us) - lasted_us)
    breaks = np.flatnonzero((off_us > JUMP_US) | (near[1:] != near[:-1])) + 1
    yield from itertools.pairwise([0, *breaks.tolist(), len(marks)])


def _out_of_order(runs: Sequence[Run], times_us: _Times) -> set[Run]:
    """Return the short runs that claim a time past that of a longer one after them.

    And those that claim one before that of a longer one which they follow.
    """
    kept: list[Run] = []
    lost: set[Run] = set()
    for run in runs:
        while kept and times_us[run[0]] < times_us[kept[-1][0]] and run not in lost:
            shorter = min(kept[-1], run, key=_length)
            if _length(shorter) > MEMORY_RECORDS // 2:
                break
            lost.add(shorter)
            if shorter != run:
                kept.pop()
        if run not in lost:
            kept.append(run)
    return lost


def _length(run: Run) -> int:
    return run[1] - run[0]
