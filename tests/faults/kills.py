"""38, 39, 44: killed at any instant, refused by the disk."""

from __future__ import annotations

import random
import re
import shutil
import time
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

from daemon.ledger.database import LEDGER_FILE
from tests.faults.lab import Lab, pieces
from tests.faults.life import until
from tests.faults.registry import fault
from tests.faults.strace import traced

SEED: Final = 44
_LONGEST_S: Final = 0.7
KILLS: Final = 200
_CALLS: Final = "openat,read,pwrite64,write,fdatasync,fsync,ftruncate,unlink,rename"
_CALL: Final = re.compile(r"^(\d+) +(\w+)\(", re.MULTILINE)


def ledger_files(lab: Lab) -> list[Path]:
    """Return the files that SQLite keeps a ledger in."""
    return [lab.store / f"{LEDGER_FILE}{end}" for end in ("", "-wal", "-shm", "-journal")]


def fed_and_killed(lab: Lab, lives: int, end: object) -> None:
    """Let so many lives be ended at random instants while the sea comes in small pieces.

    Files come by rename, and every third grows from one life to the next.
    """
    rng = random.Random(SEED)
    files = pieces(lab.sea, max(lives // 2, 4), minutes=1)
    lab.sound = lab.files = files
    waiting = list(files)
    for k in range(lives):
        share = len(files) * (k + 1) // lives
        while len(files) - len(waiting) < share:
            name, data = waiting.pop(0)
            if len(waiting) % 3:
                lab.put([(name, data)])
            else:
                with (lab.drop / name).open("wb", buffering=0) as out:
                    for at in range(0, len(data), 20_000):
                        out.write(data[at : at + 20_000])
        with lab.life() as life:
            if k % 2:  # half of the instants after the start, half after it is ready
                life.ready()
            if k % 4 == 3:  # it gets on before it is tried too often, on a slow machine as well
                until(partial(_got_on, lab, _read(lab)), "it reads on")
            time.sleep(rng.uniform(0.0, _LONGEST_S))
            end(life)  # type: ignore[operator]


def _read(lab: Lab) -> int:
    return sum(row["records"] for row in lab.rows().values())


def _got_on(lab: Lab, before: int) -> bool:
    return _read(lab) > before or not lab.pending()


@fault(
    44, "kill −9 at random instants",
    how=(
        f"{KILLS} SIGKILLs within 0.7 s of the start or of its being ready, while files "
        f"come and grow; seed {SEED}"
    ),
    wanted="events, ids, numbers and scores of an unbroken run", fast=False,
)  # fmt: skip
def killed(lab: Lab) -> str:
    fed_and_killed(lab, KILLS, lambda life: life.kill())
    return f"{KILLS} kills; {known_by_then(lab)}"


@fault(
    44, "kill −9 at random instants, some", how=f"8 SIGKILLs as above; seed {SEED}",
    wanted="as above",
)  # fmt: skip
def killed_some(lab: Lab) -> str:
    fed_and_killed(lab, 8, lambda life: life.kill())
    return f"8 kills; {known_by_then(lab)}"


def known_by_then(lab: Lab) -> str:
    return f"{len(lab.scores())} scores and {len(lab.rows())} files known by then"


def points_of(lab: Lab, calls: str, paths: Sequence[Path]) -> list[tuple[str, int]]:
    """Return each call on some paths that a run to the end makes: its name, and the how manieth.

    strace counts each kind of call of each thread by itself.
    """
    out = lab.folder / "calls"
    with lab.life("--until-idle", held=True) as life, traced(life, calls, paths=paths, out=out):
        assert life.wait() == 0
    found = Counter(_CALL.findall(out.read_text()))
    most: Counter[str] = Counter()
    for (_, call), count in found.items():
        most[call] = max(most[call], count)
    return [(call, k) for call in sorted(most) for k in range(1, most[call] + 1)]


def one_file(lab: Lab) -> list[Path]:
    """Deliver one file to a store that has heard the two before it; return what a run touches."""
    first, second, third, _ = lab.files
    lab.put([first, second])
    assert lab.run() == 0
    lab.put([third])
    lab.sound = [first, second, third]
    return [*ledger_files(lab), lab.drop / third[0]]


def at_each_call(lab: Lab, calls: str, injection: str, *, every: int) -> str:
    """Inject at each `every`-th call of one file's transaction, each time from the same start."""
    paths = one_file(lab)
    before = lab.folder / "before"
    shutil.rmtree(before, ignore_errors=True)
    shutil.copytree(lab.store, before)
    points = points_of(lab, calls, paths)
    assert len(points) > 5, points
    ended = 0
    for call, k in points[::every]:
        where = f"{injection} at {call} {k}"
        shutil.rmtree(lab.store)
        shutil.copytree(before, lab.store)
        words = f"{injection}:when={k}"
        with (
            lab.life("--until-idle", held=True) as life,
            traced(life, call, words, paths=paths),
        ):
            ended += life.wait() != 0
        _recovered(lab, where)
    lab.new_epoch = True  # a store that is put back begins one
    lab.fresh_recorder()
    return f"{len(points[::every])} of {len(points)} calls; {ended} times it ended by that"


def _recovered(lab: Lab, where: str) -> None:
    """See that the next life has the file, its scores and numbers without a hole."""
    with lab.life() as life:
        until(lambda: life.ended() or not lab.pending(), f"after {where}")
        assert not life.ended(), f"after {where}: {life.said()[-500:]}"
    found, wanted = lab.scores(), lab.reference.of(lab.sound or ())["scores"]
    assert found == wanted, f"{where}: found {len(found)} scores, wanted {len(wanted)}"
    lab.whole_outbox()


@fault(
    44, "kill −9 at each system call of one file's transaction",
    how=f"strace signal=SIGKILL:when=N for each N; {_CALLS} on the ledger and the file "
    "(locks and seeks change nothing)",
    wanted="as an unbroken run, from every point", needs=("strace",), fast=False,
)  # fmt: skip
def killed_at_calls(lab: Lab) -> str:
    return at_each_call(lab, _CALLS, "signal=SIGKILL", every=1)


@fault(
    44, "kill −9 at some system calls of one file's transaction",
    how="as above, at every 40th call", wanted="as above", needs=("strace",),
)  # fmt: skip
def killed_at_some_calls(lab: Lab) -> str:
    return at_each_call(lab, _CALLS, "signal=SIGKILL", every=40)


@fault(
    38, "fsync fails",
    how="strace: EIO from each fdatasync and fsync of one file's transaction in turn",
    wanted="it ends with an error, tries no second fsync, and the next start has it all",
    needs=("strace",), fast=False,
)  # fmt: skip
def fsync_error(lab: Lab) -> str:
    said = at_each_call(lab, "fdatasync,fsync", "error=EIO", every=1)
    tried, ended = int(said.split()[0]), int(said.split("; ")[1].split()[0])
    assert ended >= tried - 2, said  # the last ones are at the close, where all is kept
    return said


@fault(
    38, "fsync fails once", how="strace: EIO from the second fdatasync of a run",
    wanted="as above", needs=("strace",),
)  # fmt: skip
def fsync_error_once(lab: Lab) -> str:
    lab.put()
    with lab.life("--until-idle", held=True) as life:
        with traced(life, "fdatasync,fsync", "error=EIO:when=5"):
            code = life.wait()
        assert code not in {0, -6, -9, -11}, code
    return f"ended with {code}"


@fault(
    39, "writes that fail or are interrupted",
    how="strace: ENOSPC, EINTR and EIO at every third write of one file's transaction",
    wanted="a whole step or none; the next try or start has it all", needs=("strace",), fast=False,
)  # fmt: skip
def write_errors(lab: Lab) -> str:
    said = []
    for injection in ("error=ENOSPC", "error=EINTR", "error=EIO"):
        lab.again()
        said.append(f"{injection}: {at_each_call(lab, 'pwrite64', injection, every=3)}")
    return "; ".join(said)


@fault(
    39, "some writes that fail", how="as above, ENOSPC at every 50th", wanted="as above",
    needs=("strace",),
)  # fmt: skip
def some_write_errors(lab: Lab) -> str:
    return at_each_call(lab, "pwrite64", "error=ENOSPC", every=50)
