"""Exit codes, and the plain text of a path for logs and messages."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from acoio.errors import NotReadyError

EXIT_DONE: Final = 0
EXIT_FAILED: Final = 1
EXIT_WRONG_SETUP: Final = 78  # EX_CONFIG of sysexits.h


class AwayError(NotReadyError):
    """A file that is gone or closed to us; of others that says nothing."""


class ClosedError(AwayError):
    """A file that we may not read."""


class UnreadableError(NotReadyError):
    """A file that does not give its bytes: not the world's fault, so not waited for for ever."""


def plain(path: str | Path) -> str:
    """Return a path as text that any log and any JSON can hold: what is no text, escaped."""
    try:
        text = os.fsencode(path).decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # a lone surrogate, of a JSON that was damaged: no file's name
        text = str(path)
    return "".join(mark if mark.isprintable() else _escaped(mark) for mark in text)


def _escaped(mark: str) -> str:
    return mark.encode("unicode_escape").decode()
