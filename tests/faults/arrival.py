"""1 to 10: how files come."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

from tests.faults.lab import Lab, pieces
from tests.faults.life import until
from tests.faults.registry import fault
from tests.faults.shell import sh

_SLOW_WRITER = "import sys, time\ndata = open(sys.argv[1], 'rb').read()\n\
with open(sys.argv[2], 'wb', buffering=0) as out:\n\
    out.write(data[:len(data) * 14 // 100 + 5])\n    print('x', flush=True)\n    time.sleep(600)\n"


def outside(lab: Lab, name: str = "outside") -> Path:
    """Return a folder beside the drop with the sea's files in it."""
    folder = lab.folder / name
    folder.mkdir(exist_ok=True)
    for file, data in lab.files:
        (folder / file).write_bytes(data)
    return folder


@fault(
    1, "names that rsync gives while it sends",
    how="rsync, rsync --delay-updates, and files named .part, .tmp, .name.XXXXXX lying about",
    wanted="only final names are ever read", needs=("rsync",),
)  # fmt: skip
def rsync(lab: Lab) -> None:
    source = outside(lab)
    (name, data), *_ = lab.files
    for other in (f"{name}.part", f"{name}.tmp", f".{name}.a1B2c3", f".~tmp~/{name}"):
        (lab.drop / other).parent.mkdir(exist_ok=True)
        (lab.drop / other).write_bytes(data)
    with lab.life() as life:
        life.ready()
        first, second, *rest = (str(source / file) for file, _ in lab.files)
        sh("rsync", "-a", "--bwlimit=16m", first, f"{lab.drop}/")
        sh("rsync", "-a", "--delay-updates", second, f"{lab.drop}/")
        sh("rsync", "-a", "--inplace", *rest, f"{lab.drop}/")
        lab.changed()
        lab.all_done()
        assert set(lab.rows()) == {file for file, _ in lab.files}, lab.rows().keys()


@fault(
    2, "a copy that is seen while it grows (cp, scp)",
    how="a writer that writes 64 kB every 5 ms, and waits in the middle until it is heard",
    wanted="whole records are scored as they come, each once",
)  # fmt: skip
def growing(lab: Lab) -> None:
    with lab.life() as life:
        life.ready()
        for name, data in lab.files:
            with (lab.drop / name).open("wb", buffering=0) as out:
                for at in range(0, len(data), 1 << 16):
                    out.write(data[at : at + (1 << 16)])
                    time.sleep(0.005)
                    if at < len(data) // 2 <= at + (1 << 16):
                        until(partial(_is_begun, lab, name), f"{name} is read before it is whole")
        lab.changed()
        lab.all_done()


def _is_begun(lab: Lab, name: str) -> bool:
    return bool(lab.rows().get(name, {}).get("records", 0))


def killed_writer(lab: Lab, name: str, data: bytes) -> None:
    """Let a process write 14 % of a file, kill it by SIGKILL, and wait for the daemon's close."""
    source = lab.folder / "source"
    source.write_bytes(data)
    command = [sys.executable, "-c", _SLOW_WRITER, str(source), str(lab.drop / name)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
        assert writer.stdout
        writer.stdout.read(1)
        writer.kill()
    lab.changed()
    lab.all_done()


@fault(
    3, "a writer killed in the middle of a file",
    how="SIGKILL to the writer at 14 % of the last file",
    wanted="scored to its last whole record, closed, with the reason",
)  # fmt: skip
def writer_killed(lab: Lab) -> str:
    *before, (name, data) = lab.files
    lab.put(before)
    with lab.life() as life:
        life.ready()
        killed_writer(lab, name, data)
    row = lab.rows()[name]
    assert row["state"] == "done", row
    assert row["tail_bytes"] > 0, row
    assert "short last record" in row["reason"], row
    lab.sound = [*before, (name, data[: row["bytes_read"]])]
    return f"{row['records']} records read, {row['tail_bytes']} bytes left over"


@fault(
    4, "delivered again under the same name after such a break",
    how="as 3; then the whole file under the same name, by rename",
    wanted="the rest is read on; what was said before is not said again",
)  # fmt: skip
def retried(lab: Lab) -> None:
    *before, (name, data) = lab.files
    lab.put(before)
    with lab.life() as life:
        life.ready()
        killed_writer(lab, name, data)
        lab.put([(name, data)])
        until(lambda: lab.rows()[name]["bytes_read"] == len(data), "the whole file is read")


@fault(
    5, "the same file delivered twice",
    how="every file again by rename, of the same bytes, and again by cp onto itself",
    wanted="no score, no event, no message a second time",
)  # fmt: skip
def twice(lab: Lab) -> None:
    lab.put()
    with lab.life() as life:
        life.ready()
        lab.all_done()
        lab.put()
        source = outside(lab)
        for name, _ in lab.files:
            shutil.copyfile(source / name, lab.drop / name)
        lab.changed()
        time.sleep(0.7)  # three scans: nothing may happen


@fault(
    6, "the same content under another name",
    how="two files copied to other folders and to a later minute's name",
    wanted="told as duplicates by content: nothing scored or said again",
)  # fmt: skip
def other_name(lab: Lab) -> str:
    lab.put()
    (name, data), (_, second), *_ = lab.files
    with lab.life() as life:
        life.ready()
        lab.all_done()
        lab.put([(name, data)], into="again")
        lab.put([("2024-03-01--06.30.HYD24BBpk", second)])
        lab.all_done()
    copies = {n: row for n, row in lab.rows().items() if n not in dict(lab.files)}
    assert {row["state"] for row in copies.values()} == {"duplicate"}, copies
    return "; ".join(str(row["reason"]) for row in copies.values())


@fault(
    7, "another content under the same name",
    how="a finished file replaced by one of the same size with other sound",
    wanted="told in the ledger; events of the first stay, the daemon goes on",
)  # fmt: skip
def replaced(lab: Lab) -> str:
    *_, (name, data) = lab.files
    lab.put()
    with lab.life() as life:
        life.ready()
        lab.all_done()
        scores = lab.scores()
        changed = bytearray(data)
        changed[len(data) // 2 :] = data[len(data) // 2 - 1 :: -1][: len(data) - len(data) // 2]
        lab.put([(name, bytes(changed))])
        until(
            lambda: "replaced" in lab.rows()[name]["reason"] or lab.rows()[name]["damaged_bytes"],
            "the ledger tells that the file was replaced",
        )
        lab.all_done()
    row = lab.rows()[name]
    if row["state"] == "set_aside":
        lab.aside[name] = "replaced"
    assert lab.scores()[: len(scores)] == scores or row["state"] == "done"
    lab.sound = None
    return f"{row['state']}: {row['reason']}"


def _found(lab: Lab, name: str) -> None:
    until(lambda: name in lab.rows(), "the file is found")


@fault(
    8, "files that come with no close (mv, link)",
    how="mv from another folder, os.link",
    wanted="found within one scan",
)  # fmt: skip
def moved_and_linked(lab: Lab) -> None:
    source = outside(lab)
    with lab.life() as life:
        life.ready()
        for k, (name, _) in enumerate(lab.files):
            if k % 2:
                (lab.drop / name).hardlink_to(source / name)
            else:
                (source / name).rename(lab.drop / name)
            _found(lab, name)
        lab.changed()
        lab.all_done()


@fault(
    9, "a folder made with a file in it at once",
    how="mkdir -p YYYY/MM/DD and the file, with no pause between",
    wanted="found, whatever inotify saw of it",
)  # fmt: skip
def folder_and_file(lab: Lab) -> None:
    lab.in_order = False  # a folder that is listed while others are made may show the later ones
    with lab.life() as life:
        life.ready()
        for k, (name, data) in enumerate(lab.files):
            folder = lab.drop / f"2024/03/{k + 1:02d}"
            folder.mkdir(parents=True)
            (folder / name).write_bytes(data)
        lab.changed()
        lab.all_done()


@fault(
    10, "a folder of 288 files moved in",
    how="the sea in 288 files, os.rename of their folder into the drop",
    wanted="all of them, in order of time",
    fast=False,
)  # fmt: skip
def whole_day(lab: Lab) -> str:
    lab.files = lab.sound = pieces(lab.sea, 288, minutes=1)
    source = outside(lab)
    with lab.life() as life:
        life.ready()
        source.rename(lab.drop / "01")
        lab.changed()
        lab.all_done()
    return f"{len(lab.rows())} files"
