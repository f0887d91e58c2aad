"""A machine with a systemd of its own: a container over this machine's root, changed in memory."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

_BOOT_S: Final = 60.0
_POLL_S: Final = 0.05
_REBOOT: Final = 133  # what systemd-nspawn exits with when the machine wants to boot again
_T = TypeVar("_T")


def lacking() -> str:
    """Return why no machine can be booted here, or nothing."""
    if os.geteuid() != 0:
        return "wants root"
    tools = ("systemd-nspawn", "nsenter", "mount", "dbus-daemon")
    missing = [tool for tool in tools if not shutil.which(tool)]
    if missing:
        return f"no {', '.join(missing)} (apt-get install systemd-container dbus)"
    if "overlay" not in Path("/proc/filesystems").read_text():
        return "no overlay file system"
    return ""


def until(fact: Callable[[], _T], *, seconds: float, what: str) -> _T:
    """Return what a fact gives once that is true of it."""
    end_s = time.monotonic() + seconds
    while True:
        if found := fact():
            return found
        assert time.monotonic() < end_s, f"{what}: not so within {seconds:.0f} s"
        time.sleep(_POLL_S)


class Machine:
    """Boots, runs commands, boots again; `root` is its root as seen from here."""

    def __init__(self, folder: Path, binds: dict[Path, Path]) -> None:
        self.root = folder / "root"
        self._log = folder / "console"
        self._binds = [f"--bind-ro={here}:{there}" for here, there in binds.items()]
        self._process: subprocess.Popen[bytes] | None = None

    def boot(self) -> float:
        """Boot, and return how long that took in seconds."""
        begun_s = time.monotonic()
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                ["systemd-nspawn", "--quiet", f"--directory={self.root}", "--register=no",
                 "--keep-unit", "--private-network", "--machine=kilokai-station", *self._binds,
                 "--boot", "systemd.unit=multi-user.target"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        until(self._is_up, seconds=_BOOT_S, what="boot")
        return time.monotonic() - begun_s

    def _is_up(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self._log.read_text(errors="replace")[-2000:]
        if self._first() is None:
            return False
        done = self.run("systemctl", "is-system-running", check=False)
        return done.strip() in ("running", "degraded")

    def _first(self) -> str | None:
        """Return the number of the machine's first process, as it is here."""
        assert self._process is not None
        own = self._process.pid
        children = Path(f"/proc/{own}/task/{own}/children").read_text().split()
        return children[0] if children else None

    def run(self, *command: object, check: bool = True, wait_s: float = 120.0) -> str:
        """Run a command there, and return what it prints."""
        first = self._first()
        assert first is not None, "the machine is down"
        done = subprocess.run(
            ["nsenter", "--target", first, "--all", *map(str, command)],
            capture_output=True, text=True, timeout=wait_s, check=False, env=_ENVIRONMENT,
        )  # fmt: skip
        said = f"{' '.join(map(str, command))}: exit code {done.returncode}\n{done.stderr}"
        assert not check or done.returncode == 0, said
        return done.stdout

    def start(self, *command: object) -> subprocess.Popen[str]:
        """Start a command there, whose output can be read."""
        return subprocess.Popen(
            ["nsenter", "--target", str(self._first()), "--all", *map(str, command)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=_ENVIRONMENT,
        )  # fmt: skip

    def reboot(self) -> float:
        """Boot again, and return how long that took in seconds."""
        assert self._process is not None
        self.run("systemctl", "reboot", check=False)
        assert self._process.wait(_BOOT_S) == _REBOOT
        return self.boot()

    def off(self) -> None:
        """Shut down, by force if it must be."""
        if self._process is None or self._process.poll() is not None:
            return
        if self._first() is not None:
            self.run("systemctl", "poweroff", check=False)
        try:
            self._process.wait(_BOOT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


_ENVIRONMENT: Final = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG": "C.UTF-8",
    "SYSTEMD_COLORS": "0",
    "SYSTEMD_PAGER": "",
}


@contextmanager
def machine(folder: Path, binds: dict[Path, Path]) -> Iterator[Machine]:
    """Give a machine that is off, in an empty folder; nothing of this one is changed by it."""
    _run("mount", "-t", "tmpfs", "tmpfs", folder)
    try:
        for name in ("upper", "work", "root"):
            (folder / name).mkdir()
        layers = f"lowerdir=/,upperdir={folder}/upper,workdir={folder}/work"
        _run("mount", "-t", "overlay", "overlay", "-o", layers, folder / "root")
        try:
            _strip(folder / "root")
            new = Machine(folder, binds)
            try:
                yield new
            finally:
                new.off()
        finally:
            _run("umount", folder / "root")
    finally:
        _run("umount", folder)


def _strip(root: Path) -> None:
    """Take away what this machine does besides: its own services, its name, an earlier station."""
    (root / "etc/machine-id").write_text(f"{uuid.uuid4().hex}\n")
    for wants in (root / "etc/systemd/system").glob("*.wants"):
        shutil.rmtree(wants)
    for path in ("etc/kilokai", "var/lib/kilokai", "opt/kilokai", "var/log/journal"):
        shutil.rmtree(root / path, ignore_errors=True)


def _run(*command: object) -> None:
    done: Sequence[str] = [str(part) for part in command]
    subprocess.run(done, check=True)
