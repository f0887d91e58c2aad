"""Damaged files, guided by what code they reach: `python -m tests.acoio.fuzz_atheris`.

Run by hand, in an environment with atheris and what acoio needs (atheris is no part of
the project's): `pip install -c constraints.txt atheris numpy scipy soundfile`.  Options
are those of libFuzzer, such as `-max_total_time=600` or a file to read again.  An input
is a byte that says how many records are read at once, and the bytes of a file.  Half of
the time libFuzzer changes it, half of the time one of the damages of `fuzz`; either way
the reader is held to the same promises, within the same time and memory.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from itertools import count
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["acoio"]):
    from .fuzz import CASE_S, LIMITS, MUTATIONS, TRACED_EVERY, check, seeds, traced

_SLOWER = 5  # times, for the counting of what was reached
_LONGEST_BYTES = 1 << 16

_cases = count()


def one(data: bytes) -> None:
    """Read one input and hold it to what a reader promises."""
    if not data:
        return
    limit, file = LIMITS[data[0] % len(LIMITS)], data[1:]
    case_s = time.monotonic()
    (traced if next(_cases) % TRACED_EVERY == 0 else check)(file, limit)
    spent_s = time.monotonic() - case_s
    assert spent_s < _SLOWER * CASE_S, f"a case took {spent_s:.2f} s"


def mutated(data: bytes, most_bytes: int, seed: int) -> bytes:
    """Return an input changed as libFuzzer does, or by one of the damages of `fuzz`."""
    rng = random.Random(seed)
    file = bytearray(data[1:])
    if not file or rng.random() < 0.5:
        return bytes(atheris.Mutate(data, most_bytes))
    rng.choice(MUTATIONS)(file, rng)
    return (data[:1] + file)[:most_bytes]


def main() -> None:
    """Run until libFuzzer's options say stop, or something is found."""
    with tempfile.TemporaryDirectory(prefix="kilokai-fuzz-") as folder:
        for k, feed in enumerate(seeds()):
            Path(folder, f"{k:02d}").write_bytes(bytes([k]) + feed)
        options = [f"-max_len={_LONGEST_BYTES}", f"-timeout={int(_SLOWER * CASE_S)}"]
        options += ["-rss_limit_mb=0"]  # atheris itself grows; `traced` bounds the reader
        inputs = [] if any(Path(word).is_file() for word in sys.argv[1:]) else [folder]
        atheris.Setup([sys.argv[0], *options, *sys.argv[1:], *inputs], one, custom_mutator=mutated)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
