"""A sample of the damaged files; `python -m tests.acoio.fuzz` reads a million."""

from __future__ import annotations

from .fuzz import check, run, seeds


def test_feeds_that_are_not_damaged_are_read_whole() -> None:
    assert [check(feed, 512) for feed in seeds()] == [6, 2, 9, 3] * 4


def test_damaged_files_are_read_without_a_crash_a_hang_or_a_lost_byte() -> None:
    cases, records, _ = run(1500, seed=1)
    assert cases == 1500
    assert records > 1500
