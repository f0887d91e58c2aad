"""`python -m tests.faults [ONLY]`: injects every fault that can be injected here.

Writes docs/reliability.md after a whole run; ends with 1 if any fault failed.
"""

from __future__ import annotations

import sys
import time
import traceback

from tests.faults.bench import Bench
from tests.faults.needs import missing
from tests.faults.registry import FAULTS, Fault


def main(only: list[str]) -> int:
    chosen = [f for f in FAULTS if not only or any(_is(f, word) for word in only)]
    failed = 0
    with Bench() as bench:
        for fault in chosen:
            failed += not tried(bench, fault)
    print(f"{len(chosen)} tried, {failed} failed")
    return int(failed > 0)


def _is(fault: Fault, word: str) -> bool:
    return word == str(fault.number) or (not word.isdigit() and word in fault.slug)


def tried(bench: Bench, fault: Fault) -> bool:
    begin_s = time.monotonic()
    if reason := missing(fault.needs):
        print(f"{fault.slug:28} not here: {reason}")
        return True
    try:
        said, ok = bench.run(fault), True
    except Exception as error:
        said, ok = str(error) or repr(error), False
        said += f"  [{traceback.extract_tb(error.__traceback__)[-1].lineno}]"
        if not isinstance(error, AssertionError) or "-v" in sys.argv:
            traceback.print_exc()
    print(
        f"{fault.slug:28} {'ok    ' if ok else 'FAILED'} {time.monotonic() - begin_s:5.1f} s  {said}",
        flush=True,
    )
    return ok


if __name__ == "__main__":
    raise SystemExit(main([w for a in sys.argv[1:] for w in a.split(",") if w and w[0] != "-"]))
