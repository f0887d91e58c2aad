"""What a fault needs of the machine, and why it is not there."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Final

_SFTP_SERVERS: Final = (Path("/usr/lib/openssh/sftp-server"), Path("/usr/libexec/sftp-server"))


def missing(needs: Sequence[str]) -> str:
    """Return why faults with these needs cannot be injected here, or nothing."""
    return "; ".join(reason for need in needs if (reason := _lack(need)))


@cache
def _lack(need: str) -> str:
    if need in _CHECKS:
        return _CHECKS[need]()
    return "" if shutil.which(need) else f"no {need} on this machine"


def _root() -> str:
    return "" if os.geteuid() == 0 else "wants root"


def _namespaces() -> str:
    return _root() or _works("unshare", "-n", "true")


def _times() -> str:
    return _root() or _works("unshare", "-T", "--fork", "true")


def _loop() -> str:
    return _root() or _works("losetup", "--find") or _lack("mkfs.ext4") or _lack("xfs_io")


def _sftp() -> str:
    if not sftp_server():
        return "no sftp-server on this machine"
    if not Path("/dev/fuse").exists():
        return "no FUSE on this machine"
    return _root() or ("" if shutil.which("sshfs") else "no sshfs on this machine")


def sftp_server() -> Path | None:
    """Return where OpenSSH's sftp-server is, or None."""
    return next((path for path in _SFTP_SERVERS if path.is_file()), None)


def _works(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{' '.join(command)}: {error}"
    return "" if done.returncode == 0 else f"{' '.join(command)} is refused here"


_CHECKS: Final[dict[str, Callable[[], str]]] = {
    "root": _root,
    "namespaces": _namespaces,
    "time namespaces": _times,
    "loop": _loop,
    "sftp": _sftp,
}
