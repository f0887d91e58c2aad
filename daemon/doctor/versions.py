"""Checks of what is installed: versions, and whether they fit."""

from __future__ import annotations

import platform
import sqlite3
from collections.abc import Iterable, Iterator
from importlib import import_module, metadata
from pathlib import Path
from typing import Final

import zmq
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from daemon import __version__
from daemon.doctor.finding import Told

_DISTRIBUTION: Final = "kilokai"
_OURS: Final = ("acoio", "detector", "daemon")


def check_versions() -> Told:
    """Find the versions of what it rests on, and which do not fit."""
    found = ", ".join(f"{name} {version}" for name, version in versions().items())
    yield "ok", found, ""
    yield from _misfits()
    yield from _strangers()


def versions() -> dict[str, str]:
    """Return the versions that a bug report needs."""
    import torch

    return {
        "kilokai": __version__,
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "libzmq": zmq.zmq_version(),
        "sqlite": sqlite3.sqlite_version,
    }


def installed() -> dict[str, str]:
    """Return the versions of all that is installed beside it."""
    return {
        str(found.metadata["Name"]): found.version
        for found in metadata.distributions()
        if found.metadata["Name"]
    }


def needed() -> dict[str, str]:
    """Return the versions of what it rests on, and the machine's kind; no other's packages."""
    every = {str(canonicalize_name(name)): version for name, version in installed().items()}
    named = [canonicalize_name(Requirement(text).name) for text in _requirements()]
    machine = {"system": platform.system(), "machine": platform.machine()}
    return versions() | {name: every[name] for name in named if name in every} | machine


def misfits(wanted: Iterable[str], versions_of: dict[str, str]) -> Iterator[str]:
    """Yield each requirement that what is installed does not meet (pure)."""
    for text in wanted:
        need = Requirement(text)
        if need.marker and not need.marker.evaluate({"extra": ""}):
            continue
        found = versions_of.get(canonicalize_name(need.name))
        if found is None or not need.specifier.contains(found, prereleases=True):
            yield f"{need.name}: found {found or 'none'}, wanted {need.specifier}"


def _misfits() -> Told:
    again = f"pip install --force-reinstall {_DISTRIBUTION}"
    try:
        own = metadata.distribution(_DISTRIBUTION)
    except metadata.PackageNotFoundError:
        yield "warn", "runs from a folder, not installed", "install it with pip"
        return
    if own.version != __version__:
        yield "fail", f"found {__version__}, where {own.version} was installed", again
    every = {str(canonicalize_name(name)): version for name, version in installed().items()}
    for misfit in misfits(_requirements(), every):
        yield "fail", misfit, again


def _strangers() -> Told:
    """Find packages of ours that are another's: python-daemon installs a `daemon`, too."""
    homes = {name: Path(str(import_module(name).__file__)).parent.parent for name in _OURS}
    if len(set(homes.values())) > 1:
        where = ", ".join(f"{name} in {home}" for name, home in homes.items())
        yield "fail", f"our packages lie apart: {where}", "uninstall python-daemon, then reinstall"


def _requirements() -> list[str]:
    try:
        return metadata.requires(_DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        return []
