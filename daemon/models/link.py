"""The link to the champion, and what an id is: the words that a registry goes by."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from acoio.errors import SetupError, unusable
from daemon.errors import plain

CURRENT: Final = "current"
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*-[0-9a-f]{8}")
_LONGEST_ID: Final = 120


def is_id(text: object) -> bool:
    """Say whether a value may be a model's id, NAME-HASH."""
    return isinstance(text, str) and len(text) <= _LONGEST_ID and bool(_ID.fullmatch(text))


def linked(link: Path) -> str | None:
    """Return the id that a link names, or None if there is no link.

    Raises
    ------
    SetupError
        If it names none, or something else stands in its place.
    NotReadyError
        If it cannot be read now.
    """
    try:
        target = str(link.readlink())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise unusable(plain(link), error, "a link to a model") from error
    if not is_id(target):
        raise SetupError(f"{plain(link)}: found {target!r:.80}, wanted a model's id, NAME-HASH")
    return target


def require_no_folder(link: Path) -> None:
    """Raise `SetupError` if a folder stands where a link must: nothing could replace it."""
    if link.is_dir() and not link.is_symlink():
        raise SetupError(f"{plain(link)}: found a folder, wanted a link: move it elsewhere")
