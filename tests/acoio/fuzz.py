"""Damaged files by the hundred thousand: `python -m tests.acoio.fuzz --cases N --seed S`.

Each case is a small feed of real-looking records of some layout, widths and packing,
damaged by some of: bytes overwritten, bits flipped, header fields set to the values
that hurt most, pieces cut out, repeated, swapped or inserted, the end cut off.  It
is read whole by the reader, from its bytes, in one chunk or in small ones, and its
headers are walked as the index does.  Nothing but `DataError` and `NotReadyError`
may be raised, every byte must be accounted for, and time and memory are bounded.
"""

from __future__ import annotations

import argparse
import random
import resource
import struct
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator

import numpy as np

from acoio.errors import DataError, NotReadyError
from acoio.header import BYTES_PER_BIT, HEADER_BYTES, LAYOUTS, MAX_RECORD_BYTES, RECORD_SAMPLES
from acoio.reader import Chunk, chunk_of
from acoio.writer import encode_records

from .feeds import RATE_HZ, begins_us, noise

CASE_S = 2.0
"""A case takes 1 ms; this is what a loaded machine may make of it."""

MEMORY_FACTOR, MEMORY_BYTES = 40, 4_000_000
"""Peak memory of a read: a sample of 1 bit becomes 32, and every record some objects."""

TRACED_EVERY = 500  # tracing memory is slow, so it is done now and then
GROWTH_BYTES = 64_000_000  # what the process may grow by after the first thousand cases
MEASURE_AFTER = 1000

LIMITS = (1, 3, 512)  # records read at once

Mutation = Callable[[bytearray, random.Random], None]
_WORDS = (0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x46464952, 946_684_800, 4_102_444_799)
_BYTES = (0, 1, 8, 16, 17, 31, 32, 33, 127, 128, 255)


def seeds() -> list[bytes]:
    """Return the sound files that are damaged: every layout, packed and unpacked."""
    made = []
    for layout in LAYOUTS:
        for widths in ((3, 5, 4, 2, 6, 3), (13, 12), (1,) * 9):
            samples = np.concatenate(
                [noise(1, seed=k, deviation=2.0 ** (bits - 4)) for k, bits in enumerate(widths)]
            )
            times = begins_us(len(widths))
            made.append(encode_records(samples, begins_us=times, first_number=7, layout=layout))
        times = begins_us(3)
        plain = bytearray(
            encode_records(noise(3), begins_us=times, first_number=0, layout=layout, bits=32)
        )
        plain[HEADER_BYTES - 1 :: HEADER_BYTES + 4 * RECORD_SAMPLES] = b"\x18\x18\x18"
        made.append(bytes(plain))
    return made


def _overwrite(data: bytearray, rng: random.Random) -> None:
    at, length = rng.randrange(len(data)), rng.randrange(1, 64)
    data[at : at + length] = rng.randbytes(len(data[at : at + length]))


def _flip(data: bytearray, rng: random.Random) -> None:
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def _field(data: bytearray, rng: random.Random) -> None:
    at = _some_header(data, rng)
    if at + HEADER_BYTES <= len(data):
        struct.pack_into("<I", data, at + 4 * rng.randrange(8), rng.choice(_WORDS))


def _width(data: bytearray, rng: random.Random) -> None:
    at = _some_header(data, rng) + HEADER_BYTES - 1
    if at < len(data):
        data[at] = rng.choice(_BYTES)


def _cut(data: bytearray, rng: random.Random) -> None:
    at = rng.randrange(len(data))
    del data[at : at + rng.choice((1, 4, 36, 512, 4096, rng.randrange(1, 9000)))]


def _end(data: bytearray, rng: random.Random) -> None:
    del data[rng.randrange(len(data)) :]


def _repeat(data: bytearray, rng: random.Random) -> None:
    at, to = _some_header(data, rng), _some_header(data, rng)
    length = rng.choice((36, 36, 548, 1572, rng.randrange(1, 3000)))
    data[to:to] = data[at : at + length] * rng.choice((1, 1, 2, 20))


def _insert(data: bytearray, rng: random.Random) -> None:
    at, length = rng.randrange(len(data)), rng.randrange(1, 600)
    data[at:at] = rng.choice((bytes(length), b"\xff" * length, rng.randbytes(length)))


MUTATIONS: tuple[Mutation, ...] = (
    *(_overwrite, _flip, _field, _field, _width, _width),
    *(_cut, _end, _repeat, _insert),
)


def _some_header(data: bytearray, rng: random.Random) -> int:
    """Return where a header lies, by following some of them from the first."""
    at = 0
    for _ in range(rng.randrange(9)):
        after = at + HEADER_BYTES + BYTES_PER_BIT * (data[at + 35] if at + 35 < len(data) else 1)
        if after + HEADER_BYTES > len(data):
            break
        at = after
    return at


def damaged(feeds: list[bytes], rng: random.Random) -> bytes:
    """Return a feed with one to five damages."""
    data = bytearray(rng.choice(feeds))
    for _ in range(rng.choice((1, 1, 2, 3, 5))):
        if data:
            rng.choice(MUTATIONS)(data, rng)
    return bytes(data)


def read_whole(data: bytes, limit: int) -> Iterator[Chunk]:
    """Yield the chunks of a file's bytes, each from where the last one ended."""
    at = 0
    while True:
        chunk = chunk_of(data, start=at, rate_hz=RATE_HZ, limit=limit)
        yield chunk
        if chunk.next_byte == at:
            return
        at = chunk.next_byte


def check(data: bytes, limit: int) -> int:
    """Read a case and hold it to what a reader promises; return how many records it gave."""
    accounted = records = 0
    try:
        for chunk in read_whole(data, limit):
            records += len(chunk.records)
            for record in chunk.records:
                accounted += HEADER_BYTES + BYTES_PER_BIT * record.bits
                assert record.samples.shape == (RECORD_SAMPLES,)
            accounted += sum(damage.length_bytes for damage in chunk.damages)
            tail = chunk.tail
        accounted += tail.length_bytes if tail else 0
    except (DataError, NotReadyError):
        return records
    assert accounted == len(data), f"{accounted} bytes accounted for, of {len(data)}"
    assert not tail or tail.length_bytes < MAX_RECORD_BYTES, f"{tail.length_bytes} bytes of tail"
    return records


def run(cases: int, seed: int, *, limit_s: float = float("inf")) -> tuple[int, int, float]:
    """Return how many cases were read, how many records they gave, and the slowest in s."""
    feeds, rng = seeds(), random.Random(seed)
    begun_s, slowest_s, records, resident = time.monotonic(), 0.0, 0, 0
    for k in range(cases):
        data, limit = damaged(feeds, rng), rng.choice(LIMITS)
        case_s = time.monotonic()
        try:
            records += traced(data, limit) if k % TRACED_EVERY == 0 else check(data, limit)
        except BaseException:
            sys.stderr.write(f"case {k} of seed {seed}, limit {limit}: {data.hex()}\n")
            raise
        slowest_s = max(slowest_s, time.monotonic() - case_s)
        assert slowest_s < CASE_S, f"case {k} took {slowest_s:.2f} s"
        if k == MEASURE_AFTER:
            resident = _resident_bytes()
        if case_s - begun_s > limit_s:
            break
    if resident:
        assert _resident_bytes() - resident < GROWTH_BYTES
    return k + 1, records, slowest_s


def traced(data: bytes, limit: int) -> int:
    """Check a case, and the memory that it takes."""
    tracemalloc.start()
    records = check(data, limit)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < MEMORY_BYTES + MEMORY_FACTOR * len(data), f"{peak} bytes for {len(data)}"
    return records


def _resident_bytes() -> int:
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main() -> None:
    """Run the cases that the command line asks for, and say what was read."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after these")
    asked = parser.parse_args()
    begun_s = time.monotonic()
    cases, records, slowest_s = run(asked.cases, asked.seed, limit_s=asked.seconds)
    spent_s = time.monotonic() - begun_s
    sys.stdout.write(
        f"{cases} cases in {spent_s:.0f} s ({1e3 * spent_s / cases:.2f} ms each, slowest "
        f"{1e3 * slowest_s:.0f} ms), {records} records, peak {_resident_bytes() / 1e6:.0f} MB\n"
    )


if __name__ == "__main__":
    main()
