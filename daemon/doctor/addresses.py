"""Checks of where it listens and with which keys."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from acoio.errors import NotReadyError, SetupError
from daemon.bus.gate import open_curve
from daemon.bus.keys import SERVER_SECRET, clients
from daemon.doctor.finding import Told
from daemon.endpoints import IPC, TCP, is_same, split_listen
from daemon.errors import plain
from daemon.health.status_file import last_said
from daemon.ledger.database import LOCK_FILE
from daemon.locks import is_held
from daemon.options import Config

_OTHERS: Final = 0o077


def check_sockets(config: Config) -> Told:
    """Find whether each address is free, or held by this store's own daemon."""
    ours = _ours(config.store.path)
    for key, address in (
        ("bus.publish", config.bus.publish),
        ("bus.replay", config.bus.replay),
        ("metrics.listen", config.metrics.listen),
    ):
        if any(is_same(address, held) for held in ours):
            yield "ok", f"{key}: {address} is held by our daemon", ""
        elif address.startswith(IPC):
            yield from _path(key, Path(address.removeprefix(IPC)))
        else:
            yield from _port(key, address)


def _ours(store: Path) -> list[str]:
    """Return the addresses at which the running daemon listens, as its status file has them."""
    said, _ = last_said(store)
    if not is_held(store / LOCK_FILE):
        return []
    return [str(address) for address in (*said.get("bus", ()), said.get("metrics")) if address]


def _port(key: str, address: str) -> Told:
    host, port = split_listen(address.removeprefix(TCP))
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(("" if host == "*" else host, port))
        except OSError as error:
            in_use = error.errno == errno.EADDRINUSE
            do = f"ss -ltnp 'sport = :{port}' tells by whom" if in_use else f"set {key}"
            yield "fail", f"{key}: {address}: {error.strerror}", do
            return
    yield "ok", f"{key}: {address} is free", ""


def _path(key: str, path: Path) -> Told:
    if os.access(path.parent, os.W_OK | os.X_OK):
        yield "ok", f"{key}: {plain(path)} can be made", ""
    else:
        yield "fail", f"{key}: {plain(path.parent)} may not be written", f"set {key}"


def check_keys(config: Config) -> Told:
    """Find whether the keys are there, whole, and read by nobody else."""
    if config.bus.keys is None:
        yield "ok", "none: the bus stays on this machine", ""
    elif config.bus.credential and not os.environ.get("CREDENTIALS_DIRECTORY"):
        words = f"{config.bus.credential} is seen only by the unit it is handed to"
        yield "warn", words, "systemd-run --property=LoadCredential=... kilokai doctor"
    else:
        yield from _curve(config)
    if config.bus.keys is not None:
        yield from _clients(config.bus.keys)
    yield from _secrets(config)


def _curve(config: Config) -> Told:
    try:
        open_curve(config.bus.keys, config.bus.credential, os.environ)
    except (SetupError, NotReadyError) as error:
        yield "fail", str(error), "kilokai keys server, or chmod 600"
        return
    yield "ok", f"the station's key is whole, in {plain(config.bus.keys or '')}", ""


def _clients(folder: Path) -> Told:
    try:
        names, faults = clients(folder)
    except (SetupError, NotReadyError) as error:
        yield "fail", str(error), f"kilokai keys server --keys {plain(folder)}"
        return
    yield "ok", f"{len(names)} clients may listen", ""
    for fault in faults:
        yield "warn", fault, "kilokai keys revoke, then allow it anew"


def _secrets(config: Config) -> Told:
    """Find secret files that others can read: they ought to have mode 0600."""
    for path in secret_files(config):
        try:
            mode = path.stat().st_mode & 0o777
        except OSError as error:
            here = isinstance(error, PermissionError)
            do = "make it readable for the daemon alone" if here else "put it there, or set its key"
            yield "fail", f"{plain(path)}: {error.strerror}", do
            continue
        if mode & _OTHERS:
            yield (
                "fail",
                f"{plain(path)}: found mode {mode:04o}, so others can read it",
                (f"chmod 600 {plain(path)}"),
            )


def secret_files(config: Config) -> Iterator[Path]:
    """Yield the files of a configuration that hold what nobody else may know."""
    if config.bus.keys is not None and not config.bus.credential:
        yield config.bus.keys / SERVER_SECRET
    yield from filter(None, (config.metrics.key, config.metrics.password))
