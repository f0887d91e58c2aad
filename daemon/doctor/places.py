"""Checks of the drop and the store: may they be used, on what do they lie, is there room."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

from acoio.errors import NotReadyError
from daemon.doctor.finding import Told
from daemon.doctor.month import month_bytes
from daemon.doctor.mounts import mount_of
from daemon.drop.listing import Seen, is_recording, scan
from daemon.errors import plain
from daemon.names import path_of
from daemon.options import Config
from daemon.owner import user_name

_GB: Final = 1e9
_SCAN_INSTEAD: Final = 'set drop.watch = "scan"'
_MODELS: Final = "models"
_ENOUGH: Final = 10_000  # names; a folder with more is readable, too


def check_drop(config: Config) -> Told:
    """Find whether the drop can be read; it need not be writable."""
    path = config.drop.path
    if not path.is_dir():
        yield "fail", f"{plain(path)}: found no such folder", "make it, mount it or set drop.path"
        return
    if not os.access(path, os.R_OK | os.X_OK):
        yield "fail", f"{plain(path)}: {_me()} may not read it", f"chmod o+rx {plain(path)}"
        return
    yield "ok", f"{plain(path)}: {_recordings(path)}", ""
    yield from _closed(path)
    yield from _apart(path, config.store.path)
    mount = mount_of(path)
    if mount.is_remote and config.drop.watch == "inotify":
        yield (
            "warn",
            f"{plain(path)} is on {mount.kind}, where the kernel hints nothing",
            (_SCAN_INSTEAD),
        )


def _closed(path: Path) -> Told:
    """Find what of the drop may hold recordings and may not be read by us."""
    try:
        found = [seen.name for seen in scan(path) if _is_closed(path, seen)]
    except NotReadyError as error:
        yield "fail", str(error), "let it be listed"
        return
    if found:
        words = f"{len(found)} files and folders may not be read by {_me()}, such as {found[0]}"
        yield "fail", words, f"chmod -R o+rX {plain(path)}"


def _is_closed(drop: Path, seen: Seen) -> bool:
    if seen.closed or not is_recording(seen.name):
        return bool(seen.closed)
    return seen.regular and not os.access(drop / path_of(seen.name), os.R_OK)


def _apart(drop: Path, store: Path) -> Told:
    """Find whether links lead from the store into the drop: the names alone are checked before."""
    lies = os.path.realpath(store)
    if Path(lies).is_relative_to(os.path.realpath(drop)):
        yield "fail", f"{plain(store)} is {plain(lies)}, within the drop", "set store.path"


def _recordings(path: Path) -> str:
    """Return how many recordings the folder itself holds; those in folders are not looked for."""
    count = folders = 0
    with os.scandir(path) as entries:
        for looked, entry in enumerate(entries):
            count += is_recording(entry.name)
            folders += entry.is_dir(follow_symlinks=False)
            if looked >= _ENOUGH:
                return f"over {_ENOUGH} files"
    return f"{count} recordings and {folders} folders"


def check_store(config: Config) -> Told:
    """Find whether the store can be written, by whom, and on what it lies."""
    path = config.store.path
    there = path
    while not there.exists() and there != there.parent:
        there = there.parent
    if not os.access(there, os.W_OK | os.X_OK):
        owner = user_name(there.stat().st_uid)
        make = f"make {plain(path)}, and chown it to {_me()}"
        do = f"sudo -u {owner} kilokai doctor" if there == path else make
        yield "fail", f"{plain(there)}: {_me()} may not write there, it is {owner}'s", do
        return
    if there != path:
        yield "ok", f"{plain(path)} is not there yet: the first start makes it", ""
    else:
        yield "ok", f"{plain(path)} can be written by {_me()}", ""
        yield from _strange_owner(path)
    mount = mount_of(path)
    if mount.is_remote:
        words = f"{plain(path)} is on {mount.kind}: SQLite's log (WAL) wants a disk of this machine"
        yield "warn", words, "move store.path to a local disk"
    elif mount.is_lost_at_boot:
        yield (
            "warn",
            f"{plain(path)} is in memory ({mount.kind}), gone at a restart",
            ("move store.path to a disk"),
        )


def _strange_owner(path: Path) -> Told:
    """Find files of another user, such as root leaves who copies a model in."""
    owner = path.stat().st_uid
    strange = sorted(
        plain(found.relative_to(path))
        for found in (*path.iterdir(), *(path / _MODELS).rglob("*"))
        if found.lstat().st_uid != owner
    )
    if strange:
        words = f"{len(strange)} files are not {user_name(owner)}'s, such as {strange[0]}"
        yield "warn", words, f"chown -hR {user_name(owner)}: {plain(path)}"
    if os.geteuid() not in (owner, 0):
        yield (
            "warn",
            f"it belongs to {user_name(owner)}, and this runs as {_me()}",
            (f"sudo -u {user_name(owner)} kilokai doctor"),
        )


def check_disk(config: Config) -> Told:
    """Find whether there is room for a month."""
    there = config.store.path
    while not there.exists():
        there = there.parent
    free = shutil.disk_usage(there).free
    wanted, why = month_bytes(config)
    least = config.evidence.min_free_gb * _GB
    has = f"{free / _GB:.1f} GB free, a month takes {wanted / _GB:.1f} GB ({why})"
    if free < least:
        words = f"{free / _GB:.1f} GB free, evidence.min_free_gb is {least / _GB:g}: no evidence"
        yield "fail", words, "make room, or lower evidence.keep_gb"
    elif free < least + wanted:
        yield (
            "warn",
            f"{has}, and {least / _GB:g} GB stay free",
            ("make room, or lower evidence.keep_gb"),
        )
    else:
        yield "ok", has, ""


def _me() -> str:
    return user_name(os.geteuid())
