"""43: a network drive that stalls."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.faults.lab import Lab
from tests.faults.life import until
from tests.faults.needs import sftp_server
from tests.faults.registry import fault
from tests.faults.shell import quietly
from tests.faults.storage import answers


@contextmanager
def network_mount(source: Path, at: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Mount a folder over sftp with no network between; give the server's process."""
    at.mkdir(exist_ok=True)
    down_read, down_write = os.pipe()
    up_read, up_write = os.pipe()
    server = subprocess.Popen([str(sftp_server())], stdin=down_read, stdout=up_write)
    client = subprocess.Popen(
        ["sshfs", f":{source}", str(at), "-o", "passive,dir_cache=no,attr_timeout=0", "-f"],
        stdin=up_read, stdout=down_write,
    )  # fmt: skip
    for handle in (down_read, down_write, up_read, up_write):
        os.close(handle)
    try:
        until(lambda: os.path.ismount(at), "the network drive is mounted")
        yield server
    finally:
        server.send_signal(signal.SIGCONT)
        quietly("umount", "-l", at)
        for process in (server, client):
            process.kill()
            process.wait(90)


@fault(
    43, "a network drive that stalls",
    how="the drop over sshfs; SIGSTOP to its server for 4 s, then SIGCONT",
    wanted="metrics, heartbeats and replay go on answering; the files are read afterwards",
    needs=("sftp",), fast=False,
)  # fmt: skip
def stalled(lab: Lab) -> str:
    remote = lab.folder / "remote"
    remote.mkdir()
    with network_mount(remote, lab.drop) as server, lab.life() as life:
        life.ready()
        for name, data in lab.files[:2]:
            (remote / name).write_bytes(data)
        lab.all_done()
        server.send_signal(signal.SIGSTOP)
        for name, data in lab.files[2:]:
            (remote / name).write_bytes(data)
        begin_s = time.monotonic()
        try:
            answers(lab, life)
            answers(lab, life)
            time.sleep(max(0.0, begin_s + 4 - time.monotonic()))
            answers(lab, life)
        finally:
            server.send_signal(signal.SIGCONT)
        begin_s = time.monotonic()
        lab.all_done()
        spent_s = time.monotonic() - begin_s
        life.stop()
    lab.drop.rmdir()
    remote.rename(lab.drop)
    return f"answered all the while; all was read {spent_s:.1f} s after"
