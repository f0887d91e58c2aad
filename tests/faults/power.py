"""45: the power is cut."""

from __future__ import annotations

from typing import Final

from tests.faults.kills import SEED, fed_and_killed, known_by_then
from tests.faults.lab import Lab
from tests.faults.registry import fault
from tests.faults.shell import sh

CUTS: Final = 30


def _power_cuts(lab: Lab, count: int) -> str:
    """Cut the power of the store's file system so many times, with the daemon on it."""
    image = lab.folder / "disk"
    with image.open("wb") as file:
        file.truncate(64 << 20)
    sh("mkfs.ext4", "-q", image)
    device = sh("losetup", "--find", "--show", image).strip()
    lab.undo("losetup", "-d", device)
    mount = lab.folder / "mnt"
    mount.mkdir()
    lab.undo("umount", "-l", mount)
    lab.store = mount / "store"
    lab.configure()
    sh("mount", device, mount)

    def cut(life: object) -> None:
        sh("xfs_io", "-x", "-c", "shutdown", mount)
        life.kill()  # type: ignore[attr-defined]
        sh("umount", mount)
        sh("mount", device, mount)

    fed_and_killed(lab, count, cut)
    return f"{count} cuts; {known_by_then(lab)}"


@fault(
    45, "the power is cut",
    how=(
        f"{CUTS} times: the store on a loop ext4, xfs_io -x -c shutdown, SIGKILL, umount, "
        f"mount; seed {SEED}"
    ),
    wanted="as an unbroken run: what was published is kept", needs=("loop",), fast=False,
)  # fmt: skip
def power_cut(lab: Lab) -> str:
    return _power_cuts(lab, CUTS)


@fault(
    45, "the power is cut, some times", how="as above, twice", wanted="as above", needs=("loop",),
)  # fmt: skip
def power_cut_some(lab: Lab) -> str:
    return _power_cuts(lab, 2)
