"""On what kind of file system a path lies (pure but for reading /proc)."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_MOUNTS: Final = Path("/proc/self/mountinfo")
_REMOTE: Final = frozenset(
    ("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "lustre", "gpfs", "beegfs")
)
_REMOTE_FUSE: Final = ("fuse.sshfs", "fuse.glusterfs", "fuse.s3fs", "fuse.rclone", "fuse.davfs")
_OCTAL: Final = re.compile(r"\\([0-7]{3})")
_GONE_AT_BOOT: Final = frozenset(("tmpfs", "ramfs"))


@dataclass(frozen=True, slots=True)
class Mount:
    """Where a file system is mounted, and its kind."""

    where: str
    kind: str

    @property
    def is_remote(self) -> bool:
        """Whether it is another machine's: no hints, no sure locks, no shared memory."""
        return self.kind in _REMOTE or self.kind in _REMOTE_FUSE

    @property
    def is_lost_at_boot(self) -> bool:
        """Whether it is memory."""
        return self.kind in _GONE_AT_BOOT


def mount_of(path: Path) -> Mount:
    """Return the mount that a path lies on; the path need not exist yet."""
    return holding(os.path.realpath(path), os.fsdecode(_MOUNTS.read_bytes()))


def holding(path: str, mountinfo: str) -> Mount:
    """Return which of the mounts of `/proc/self/mountinfo` holds a path.

    Source: proc(5): mount point is field 5, its blanks, line ends and backslashes in octal;
    the kind follows the lone hyphen.
    """
    best = Mount("/", "unknown")
    for line in mountinfo.rstrip("\n").split("\n"):
        before, _, after = line.partition(" - ")
        where = _OCTAL.sub(lambda found: chr(int(found[1], 8)), before.split(" ")[4])
        inside = path == where or path.startswith(where.rstrip("/") + "/")
        if inside and len(where) >= len(best.where):  # of equal ones the last lies on top
            best = Mount(where, after.split()[0])
    return best
