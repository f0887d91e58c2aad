"""35 to 37, 40 to 43: full, unreadable, vanished and stalled file systems."""

from __future__ import annotations

import shutil
import time
from contextlib import suppress
from pathlib import Path

from tests.faults.lab import Lab
from tests.faults.life import Life, until
from tests.faults.registry import fault
from tests.faults.shell import sh
from tests.faults.strace import traced


def tmpfs(lab: Lab, at: Path, options: str) -> None:
    at.mkdir(exist_ok=True)
    sh("mount", "-t", "tmpfs", "-o", options, "tmpfs", at)
    lab.undo("umount", "-l", at)


def fill(at: Path) -> Path:
    """Fill a file system with one file, and return it."""
    ballast = at / "ballast"
    with suppress(OSError), ballast.open("wb", buffering=0) as file:
        while file.write(bytes(4096)):
            pass
    return ballast


def answers(lab: Lab, life: Life) -> None:
    """See that it lives: it beats on the bus and answers a scrape."""
    before = len(lab.recorder.beats)
    until(lambda: len(lab.recorder.beats) > before + 2, "heartbeats go on")
    assert not life.ended()
    life.page()


@fault(
    35, "the store's disk is full",
    how="the store on a tmpfs of 2 MB, filled while files come; freed after some seconds",
    wanted=(
        "nothing is published that is not kept; it lives, and goes on by itself once "
        "there is room"
    ),
    needs=("root",),
)  # fmt: skip
def disk_full(lab: Lab) -> str:
    tmpfs(lab, lab.store, "size=2m")
    with lab.life() as life:
        life.ready()
        lab.put(lab.files[:1])
        lab.all_done()
        ballast = fill(lab.store)
        lab.put(lab.files[1:])
        answers(lab, life)
        time.sleep(1.0)
        stuck = len(lab.pending())
        ballast.unlink()
        lab.all_done()
        assert not life.ended()
    return f"{stuck} files waited"


@fault(
    36, "the store has no inode left",
    how="the store on a tmpfs with too few inodes, at the start; then freed",
    wanted="it ends or waits with a clear line; the next start works", needs=("root",),
)  # fmt: skip
def no_inodes(lab: Lab) -> str:
    tmpfs(lab, lab.store, "size=20m,nr_inodes=8")
    ballast = []
    with suppress(OSError):
        for k in range(8):
            (lab.store / f"b{k}").touch()
            ballast.append(lab.store / f"b{k}")
    lab.put()
    with lab.life() as life:
        said = ("No space", "is full", "unable to open")
        until(lambda: any(text in life.said() for text in said), "it says so")
        for file in ballast:
            file.unlink()
        until(lambda: life.ended() or not lab.pending(), "it ends or goes on")
        if life.ended():
            code = life.wait()
            assert code == 1, (code, life.said())
            return f"ended with {code}"
    return "waited"


@fault(
    37, "the drop is full, or read-only",
    how="the drop on a tmpfs that is full before a file is whole; then mounted read-only",
    wanted=(
        "the part is scored as far as it goes, the whole file later; the daemon never "
        "writes there"
    ),
    needs=("root",),
)  # fmt: skip
def drop_full(lab: Lab) -> None:
    room = sum(len(data) for _, data in lab.files[:2]) + 3_000_000
    tmpfs(lab, lab.drop, f"size={room}")
    lab.put(lab.files[:2])
    name, data = lab.files[2]
    with lab.life() as life:
        life.ready()
        with suppress(OSError), (lab.drop / name).open("wb", buffering=0) as file:
            file.write(data)
        lab.changed()
        lab.all_done()
        sh("mount", "-o", "remount,size=64m", lab.drop)
        lab.put(lab.files[2:])
        sh("mount", "-o", "remount,ro", lab.drop)
        until(lambda: lab.rows()[name]["bytes_read"] == len(data), "the whole file is read")
        lab.all_done()


@fault(
    40, "a file whose bytes cannot be read",
    how="strace -P FILE: read gives EIO 40 times, or for ever; then no more",
    wanted="the others go on; this one is tried again, and read once it can be", needs=("strace",),
)  # fmt: skip
def read_error(lab: Lab) -> None:
    lab.in_order = False
    lab.put()
    name = lab.files[0][0]
    with lab.life(held=True) as life:
        with traced(life, "read,pread64", "error=EIO", paths=[lab.drop / name]):
            until(lambda: lab.pending() == [name], "the others are read")
            time.sleep(1.0)
            assert lab.pending() == [name], lab.rows()[name]
            assert not life.ended()
        lab.all_done()


@fault(
    41, "files and folders that may not be read",
    how="chmod 000 on a file and on a folder, to a daemon without CAP_DAC_*; then 644",
    wanted="the others go on; these are read once they may be", needs=("root",),
)  # fmt: skip
def forbidden(lab: Lab) -> None:
    lab.put(lab.files[:2])
    lab.put(lab.files[3:], into="closed")
    lab.put(lab.files[2:3])
    closed, file = lab.drop / "closed", lab.drop / lab.files[2][0]
    closed.chmod(0)
    file.chmod(0)
    with lab.life(plain=True) as life:
        life.ready()
        until(lambda: len(lab.rows()) >= 2, "the others are read")
        answers(lab, life)
        file.chmod(0o644)
        until(lambda: file.name not in lab.pending(), "the file is read")  # before what follows
        closed.chmod(0o755)
        lab.changed()
        lab.all_done()


@fault(
    42, "the drop missing, deleted, made again",
    how="no folder at the start; then made, filled, removed whole, and made again",
    wanted="it waits and says so once, and watches the new folder",
)  # fmt: skip
def no_drop(lab: Lab) -> str:
    lab.drop.rmdir()
    with lab.life() as life:
        life.ready()
        answers(lab, life)
        lab.put(lab.files[:2])
        lab.all_done()
        shutil.rmtree(lab.drop)
        until(lambda: life.said().count("not ready") >= 2, "it says that the drop is gone")
        answers(lab, life)
        lab.put(lab.files[2:])
        lab.all_done()
        said = life.said().count("not ready")
    assert said <= 4, said
    lab._before = lab.contents()
    return f"{said} lines of complaint"


@fault(
    42, "the drop unmounted and mounted again",
    how="a tmpfs over the drop comes, goes and comes again, with other files",
    wanted="the watch is armed anew; every file is read", needs=("root",),
)  # fmt: skip
def remounted(lab: Lab) -> None:
    lab.put(lab.files[:2])
    with lab.life() as life:
        life.ready()
        lab.all_done()
        tmpfs(lab, lab.drop, "size=64m")
        time.sleep(0.5)
        lab.put(lab.files[2:])
        lab.all_done()
        sh("umount", lab.drop)
        lab._before = lab.contents()
        answers(lab, life)
