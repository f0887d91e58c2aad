"""What commands write where they are told: a file, standard output, and never over something."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from acoio.errors import SetupError
from acoio.output import is_taken, write_output
from daemon.errors import plain

Force = Annotated[bool, typer.Option("--force", help="Replace a file that is there.")]

_STANDARD_OUTPUT: Final = ("-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1")


def is_standard_output(path: Path) -> bool:
    """Return whether it is `-` or another name of standard output."""
    return str(path) in _STANDARD_OUTPUT


def require_place(path: Path, *, force: bool) -> None:
    """Refuse what cannot be written, or is there already, before the work that makes it.

    Raises
    ------
    SetupError
        If there is no folder for it, and as `require_free`.
    """
    if not is_standard_output(path) and not path.parent.is_dir():
        raise SetupError(f"{plain(path)}: No such file or directory, wanted a folder to write in")
    require_free(path, force=force)


def require_free(path: Path, *, force: bool) -> None:
    """Refuse to replace what nobody asked to be replaced.

    Raises
    ------
    SetupError
        If there is something.
    """
    if not force and not is_standard_output(path) and is_taken(path):
        raise SetupError(f"{plain(path)}: found a file there, wanted none; --force replaces it")


def deliver(path: Path, data: bytes, *, force: bool, private: bool = False) -> str:
    """Write a file, or to standard output; return where it is, as words.

    Raises
    ------
    SetupError, NotReadyError
        As `acoio.output`.
    """
    if is_standard_output(path):
        typer.echo(data, nl=False)
        return "standard output"
    require_place(path, force=force)
    write_output(path, data, overwrite=force, private=private)
    return plain(path)
