"""Checks of the machine: the kernel's limits on hints, the clock, the GPU."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from acoio.clock import from_us
from acoio.errors import FilenameError, NotReadyError, SetupError
from daemon.doctor.finding import Told
from daemon.drop.listing import scan
from daemon.drop.order import parsed
from daemon.errors import plain
from daemon.ledger.stored import reading
from daemon.options import Config

_LIMITS: Final = Path("/proc/sys/fs/inotify")
_RAISE: Final = "sysctl fs.inotify.{}=..., and in /etc/sysctl.d"
_TIMEX_BYTES: Final = 256  # of struct timex, 208 on 64 bits
_TIME_ERROR: Final = 5  # adjtimex(2): the clock is not synchronised
_AHEAD: Final = timedelta(minutes=1)
_LONG_AGO: Final = timedelta(minutes=15)


def check_hints(config: Config) -> Told:
    """Find whether the kernel lets each folder of the drop be watched."""
    if config.drop.watch != "inotify":
        yield "ok", "not asked for: drop.watch is scan", ""
        return
    watches, instances = (_limit(name) for name in ("max_user_watches", "max_user_instances"))
    folders = sum(1 for _ in os.walk(config.drop.path))
    taken = _instances()
    if folders >= watches:
        words = f"max_user_watches is {watches}, and the drop has {folders} folders"
        yield "fail", words, _RAISE.format("max_user_watches")
    elif taken >= instances:
        words = f"max_user_instances is {instances}, and {taken} are in use"
        yield "fail", words, _RAISE.format("max_user_instances")
    else:
        yield "ok", f"{folders} of {watches} watches, {taken} of {instances} instances", ""


def _limit(name: str) -> int:
    return int((_LIMITS / name).read_text())


def _instances() -> int:
    """Return how many inotify instances this user's processes have."""
    count = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if process.stat().st_uid == os.geteuid():
                count += sum(_links(process / "fd"))
        except OSError:  # it ended, or is not ours to look into
            continue
    return count


def _links(folder: Path) -> Iterator[bool]:
    with os.scandir(folder) as entries:
        for entry in entries:
            yield Path(entry.path).readlink().name.startswith("anon_inode:inotify")


def check_clock(config: Config) -> Told:
    """Find whether the clock is set by others, and how far it is from the newest sound."""
    now = datetime.now(UTC)
    if is_synchronised():
        yield "ok", f"synchronised; {now:%Y-%m-%d %H:%M:%S} UTC", ""
    else:
        yield (
            "warn",
            f"not synchronised; {now:%Y-%m-%d %H:%M:%S} UTC",
            ("systemctl enable --now systemd-timesyncd, or chrony"),
        )
    newest, what = _newest_scored(config), "the newest sound scored"
    if newest is None:
        newest, what = _newest_named(config.drop.path), "the newest recording, by its name,"
    if newest is not None:
        yield from against(newest, now, what)


def against(newest: datetime, now: datetime, what: str) -> Told:
    """Find what the newest sound says of the clock (pure)."""
    sound = f"{what} is of {newest:%Y-%m-%d %H:%M:%S}"
    if newest > now + _AHEAD:
        yield "fail", f"{sound}, which is yet to come", "set this clock, or the recorder's"
    elif newest < now - _LONG_AGO:
        days = (now - newest) / timedelta(days=1)
        yield (
            "warn",
            f"{sound}, {days:.2f} days ago",
            ("see that files arrive; of an archive it is well"),
        )
    else:
        yield "ok", sound, ""


def is_synchronised() -> bool:
    """Say whether the kernel knows its clock to be set by a time server."""
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        state = libc.adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    except (OSError, AttributeError):
        return False
    return 0 <= int(state) < _TIME_ERROR


def _newest_scored(config: Config) -> datetime | None:
    try:
        with reading(config.store.path) as database:
            (end_us,) = database.execute("SELECT max(end_us) FROM (SELECT end_us FROM scores "
                                         "ORDER BY begin_us DESC LIMIT 1)").fetchone()  # fmt: skip
    except (SetupError, NotReadyError):  # no ledger: another check tells
        return None
    return None if end_us is None else from_us(end_us)


def _newest_named(drop: Path) -> datetime | None:
    """Return when the newest recording of the drop begins, if there is one."""
    begins = []
    with suppress(NotReadyError):  # another check tells that the drop cannot be listed
        for seen in scan(drop):
            with suppress(FilenameError):
                begins.append(parsed(seen.name).begin)
    return max(begins, default=None)


def check_gpu() -> Told:
    """Find a GPU; none is needed, and none is used for scoring."""
    import torch

    if not torch.cuda.is_available():
        yield "ok", "none, and none is needed", ""
        return
    yield "ok", f"{plain(torch.cuda.get_device_name(0))}; scoring does not need it", ""
