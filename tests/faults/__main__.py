"""`python -m tests.faults [NUMBER|NAME ...]`: injects every fault that can be injected here.

After all of them it writes what happened into docs/reliability.md; it ends with 1 if any
failed.  With numbers or parts of names, as `14,kill`, it tries these and writes nothing.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

from tests.faults.bench import Bench
from tests.faults.needs import missing
from tests.faults.registry import FAULTS, Fault
from tests.faults.report import Outcome, write_report


def main(only: Sequence[str]) -> int:
    """Try faults, and return the exit code."""
    begin_s = time.monotonic()
    chosen = [f for f in FAULTS if not only or any(_is(f, word) for word in only)]
    chosen.sort(key=lambda fault: fault.number)
    with Bench() as bench:
        outcomes = [_told(tried(bench, fault)) for fault in chosen]
    failed = sum(outcome.state == "failed" for outcome in outcomes)
    spent_s = time.monotonic() - begin_s
    _say(f"{len(chosen)} tried in {spent_s:.0f} s, {failed} failed")
    if not only:
        write_report(outcomes, spent_s)
    return int(failed > 0)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _is(fault: Fault, word: str) -> bool:
    if word == "fast":
        return fault.fast
    return word == str(fault.number) or (not word.isdecimal() and word in fault.slug)


def tried(bench: Bench, fault: Fault) -> Outcome:
    """Inject one fault, unless the machine lacks what it needs."""
    begin_s = time.monotonic()
    if reason := missing(fault.needs):
        return Outcome(fault, "not possible here", reason, 0.0)
    try:
        said, state = bench.run(fault), "passed"
    except Exception as error:  # whatever it was, the next fault is tried and the table written
        said, state = f"{type(error).__name__}: {error}", "failed"
    return Outcome(fault, state, said, time.monotonic() - begin_s)


def _told(outcome: Outcome) -> Outcome:
    _say(f"{outcome.fault.slug:28} {outcome.state:8} {outcome.seconds:6.1f} s  {outcome.said}")
    return outcome


if __name__ == "__main__":
    raise SystemExit(main([word for text in sys.argv[1:] for word in text.split(",") if word]))
