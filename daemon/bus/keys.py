"""Keys of the bus: pairs, their files, and which clients are allowed.

A file is a CurveZMQ certificate as czmq and pyzmq write it: text with a line
``public-key = "..."`` and, where it is secret, one ``secret-key = "..."``, each
of 40 characters of Z85 (https://rfc.zeromq.org/spec/32/).  A station's folder
holds `server.secret`, `server.pub` and `clients/NAME.pub`: who has a file there
may listen, and no longer once it is gone.
"""

from __future__ import annotations

import os
import re
import stat
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import zmq
from zmq.utils import z85

from acoio.errors import NotReadyError, SetupError, unusable

SERVER_SECRET: Final = "server.secret"
SERVER_PUBLIC: Final = "server.pub"
CLIENTS: Final = "clients"
_KEY_CHARACTERS: Final = 40
_LARGEST_BYTES: Final = 4096
_NAME: Final = re.compile(r"[a-z0-9-]{1,32}")
_FIELD: Final = re.compile(r'^\s*(public|secret)-key\s*=\s*"([^"]*)"\s*$', re.MULTILINE)
_GROUP_AND_OTHERS: Final = 0o077
_OTHERS: Final = 0o007  # systemd lets its unit's user in by an ACL, which shows as the group's


@dataclass(frozen=True, slots=True)
class Pair:
    """A public key and its secret one, as Z85; what prints it prints no secret."""

    public: str
    secret: str = field(repr=False)


def new_pair() -> Pair:
    """Return a pair that nobody has, whose public key no command takes for an option."""
    public, secret = zmq.curve_keypair()
    while public.startswith(b"-"):
        public, secret = zmq.curve_keypair()
    return Pair(public.decode(), secret.decode())


def make_server(folder: Path) -> Pair:
    """Make the station's pair and the folder of its clients, and return the pair.

    Raises
    ------
    SetupError
        If there is one already, or it cannot be written.
    """
    try:
        (folder / CLIENTS).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unusable(str(folder), error) from error
    return _written(new_pair(), folder / SERVER_SECRET, folder / SERVER_PUBLIC)


def make_client(folder: Path, name: str) -> Pair:
    """Make `NAME.secret` and `NAME.pub` in a folder, and return the pair.

    Raises
    ------
    SetupError
        If the name is none, either file is there, or it cannot be written.
    """
    return _written(new_pair(), folder / f"{_named(name)}.secret", folder / f"{name}.pub")


def allow(folder: Path, name: str, public: str) -> None:
    """Let a client with this public key listen.

    Raises
    ------
    SetupError
        If the name or the key is none, the name has a key already, or another name has this one.
    """
    path, text = folder / CLIENTS / f"{_named(name)}.pub", _text(_checked(public, "a key"))
    for other, its in clients(folder)[0].items():
        if its == public and other != name:  # to revoke one name would leave it listening
            raise SetupError(f"{name}: found the key that {other} has, wanted one of its own")
    _write(path, text, 0o644)


def revoke(folder: Path, name: str) -> None:
    """Let a client no longer listen.

    Raises
    ------
    SetupError
        If there is none of this name.
    """
    path = folder / CLIENTS / f"{_named(name)}.pub"
    try:
        path.unlink()
    except OSError as error:
        raise unusable(str(path), error, "a client that is allowed") from error


def clients(folder: Path) -> tuple[dict[str, str], list[str]]:
    """Return the public keys of the clients that may listen, by name, and the other files' faults.

    Raises
    ------
    SetupError
        If the folder cannot be read.
    """
    try:
        paths = sorted(path for path in (folder / CLIENTS).iterdir() if is_client(path.name))
    except OSError as error:
        raise unusable(str(folder / CLIENTS), error, "clients' keys") from error
    found: dict[str, str] = {}
    faults = []
    for path in paths:
        try:
            found[_named(path.stem)] = read_public(path)
        except (SetupError, NotReadyError) as error:
            faults.append(str(error))
    return found, faults


def is_client(name: str) -> bool:
    """Say whether a file in the folder of clients is one's key, by its name."""
    return name.endswith(".pub") and not name.startswith(".")


def read_public(place: str | Path) -> str:
    """Return the public key of a file, or the one that `place` itself is.

    Raises
    ------
    SetupError
        If there is none, or the file is a secret one.
    """
    if isinstance(place, str) and _is_key(place):
        return place
    fields, _ = _fields(Path(place))
    if "secret" in fields:
        raise SetupError(f"{place}: found a secret key, wanted a public one; keep it to yourself")
    return _checked(fields.get("public", ""), str(place))


def read_secret(path: Path, *, credential: bool = False) -> Pair:
    """Return the pair of a secret file that nobody else can read.

    Raises
    ------
    SetupError
        If there is none, it is a public one, or others can read it.
    """
    fields, mode = _fields(path)
    if fields.keys() == {"public"}:
        raise SetupError(f"{path}: this is a public key, wanted the secret one")
    if mode & (_OTHERS if credential else _GROUP_AND_OTHERS):
        found = f"found mode {mode:04o}"
        raise SetupError(f"{path}: {found}, so others can read it, wanted 0600 (chmod 600 {path})")
    secret = _checked(fields.get("secret", ""), str(path))
    return Pair(zmq.curve_public(secret.encode()).decode(), secret)


def _named(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise SetupError(f"client: found {name!r}, wanted 1 to 32 of a-z, 0-9 and -")
    return name


def _is_key(text: str) -> bool:
    try:
        return len(text) == _KEY_CHARACTERS and len(z85.decode(text.encode("ascii"))) == 32
    except (ValueError, KeyError, struct.error):  # what z85 raises for what is none
        return False


def _checked(key: str, where: str) -> str:
    if not _is_key(key):  # and what was found is not told: it may be a secret with a typing error
        raise SetupError(
            f"{where}: found no key, wanted one of {_KEY_CHARACTERS} characters of Z85"
        )
    return key


def _text(public: str, secret: str | None = None) -> str:
    lines = ["metadata", "curve", f'    public-key = "{public}"']
    return "\n".join([*lines, *([f'    secret-key = "{secret}"'] if secret else [])]) + "\n"


def _written(pair: Pair, secret: Path, public: Path) -> Pair:
    if public.exists():
        raise SetupError(f"{public}: there is a key already, and none is ever overwritten")
    _write(secret, _text(pair.public, pair.secret), 0o600)
    _write(public, _text(pair.public), 0o644)
    return pair


def _write(path: Path, text: str, mode: int) -> None:
    """Write a new file whole or not at all: under another name first, then by a link."""
    unready = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        handle = os.open(unready, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
        try:
            with os.fdopen(handle, "w") as file:
                file.write(text)
                file.flush()
                os.fsync(handle)
            path.hardlink_to(unready)
        finally:
            unready.unlink()
    except FileExistsError as error:
        raise SetupError(f"{path}: there is a key already, and none is ever overwritten") from error
    except OSError as error:
        raise unusable(str(path), error, "to write a key") from error


def _fields(path: Path) -> tuple[dict[str, str], int]:
    """Return the keys of a file, and its mode."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as file:
            mode = os.fstat(handle).st_mode
            data = file.read(_LARGEST_BYTES) if stat.S_ISREG(mode) else b""
    except OSError as error:
        raise unusable(str(path), error, "a key") from error
    return dict(_FIELD.findall(data.decode("utf-8", "replace"))), stat.S_IMODE(mode)
