"""A sample of the damaged files; `python -m tests.acoio.fuzz` reads a million."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import count

from acoio.reader import fetch_chunk
from acoio.record import Damage

from .feeds import RATE_HZ
from .fuzz import MUTATIONS, check, run, seeds

_Found = tuple[list[tuple[int, int, bytes]], list[tuple[int, int]], Damage | None]


def test_feeds_that_are_not_damaged_are_read_whole() -> None:
    assert [check(feed, 512) for feed in seeds()] == [6, 2, 9, 3] * 4


def test_damaged_files_are_read_without_a_crash_a_hang_or_a_lost_byte() -> None:
    cases, records, _ = run(1500, seed=1)
    assert cases == 1500
    assert records > 1500


def _read(data: bytes, ends: Sequence[int], limit: int) -> _Found:
    """Return the records, the damaged spans and the tail of a file that grows by these ends."""
    records: list[tuple[int, int, bytes]] = []
    damaged: list[tuple[int, int]] = []
    byte, tail = 0, None
    for end in [*ends, len(data)]:
        there = data[:end]
        for _ in count():
            chunk = fetch_chunk(
                lambda at, size, there=there: there[at : at + size],  # type: ignore[misc]
                byte,
                rate_hz=RATE_HZ,
                limit=limit,
                age="whole" if end == len(data) else "growing",
            )
            records += [(r.byte, r.number, r.samples.tobytes()) for r in chunk.records]
            for damage in chunk.damages:
                first = damaged.pop()[0] if damaged and damaged[-1][1] == damage.byte else None
                damaged.append((damage.byte if first is None else first, _end(damage)))
            if chunk.next_byte == byte:
                break
            byte = chunk.next_byte
        tail = chunk.tail
    return records, damaged, tail


def _end(damage: Damage) -> int:
    return damage.byte + damage.length_bytes


def test_a_damaged_file_that_grows_gives_what_it_gives_whole() -> None:
    feeds = seeds()[::2]
    for seed in range(400):
        rng = random.Random(seed)
        data = bytearray(rng.choice(feeds))
        for _ in range(rng.randrange(1, 4)):
            rng.choice(MUTATIONS)(data, rng)
        ends = sorted(rng.randrange(len(data)) for _ in range(rng.randrange(1, 8)))
        grown = _read(bytes(data), ends, rng.choice([1, 3, 256]))
        assert grown == _read(bytes(data), [], 256), f"seed {seed}, ends {ends}"
