"""Arguments that are easily given as something else: what was found, and what was wanted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from acoio.errors import DataError, NotReadyError


def a_duration(found: Any, what: str, wanted: str = "a timedelta") -> timedelta:
    """Return a duration.

    Raises
    ------
    TypeError
        If it is none: a number does not say of what.
    """
    if isinstance(found, timedelta):
        return found
    hint = f": timedelta(seconds={found})" if _is_number(found) else ""
    raise TypeError(f"{what}: found {found!r}, wanted {wanted}{hint}")


def an_instant(found: Any, what: str, wanted: str = "a datetime") -> datetime:
    """Return a time.

    Raises
    ------
    TypeError
        If it is none.
    """
    if isinstance(found, datetime):
        return found
    raise TypeError(f"{what}: found {found!r}, wanted {wanted}")


def a_number(found: Any, what: str) -> float:
    """Return a number.

    Raises
    ------
    TypeError
        If it is none.
    """
    if _is_number(found):
        return float(found)
    raise TypeError(f"{what}: found {found!r}, wanted a number")


def is_folder(path: Path) -> bool:
    """Return whether a path is a folder.

    Raises
    ------
    NotReadyError
        If it cannot be looked at: closed to us, or a name too long.
    """
    return _looked(path, Path.is_dir)


def is_there(path: Path) -> bool:
    """Return whether there is anything at a path; raises as `is_folder`."""
    return _looked(path, Path.exists)


def a_path(path: Path, found: str | Path) -> Path:
    """Return the path that was made of what was found, unless that is no file but a time as text.

    Raises
    ------
    DataError
        If it is a time.
    """
    if not is_there(path):
        try:
            when = datetime.fromisoformat(str(found))
        except ValueError:
            return path
        found = f"load: found the text {str(found)!r}"
        raise DataError(f"{found}, wanted a datetime or a path: {when!r}")
    return path


def _looked(path: Path, look: Callable[[Path], bool]) -> bool:
    try:
        return look(path)
    except OSError as error:
        raise NotReadyError(f"{path}: {error.strerror}") from error


def _is_number(found: Any) -> bool:
    return hasattr(found, "__float__") and not isinstance(found, bool)
