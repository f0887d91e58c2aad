"""A file that was set aside or is damaged is read again, if somebody asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog

from acoio.errors import DataError
from daemon.ledger.files import Files
from daemon.ledger.ledger import Ledger
from daemon.progress import FileProgress
from daemon.service.requests import Handler

_log = structlog.get_logger()


def retry_of(ledger: Ledger) -> Handler:
    """Return what does a request `{"names": [...]}` or `{"all": true}`."""

    def retry(data: Mapping[str, Any]) -> None:
        names = to_retry(data, ledger.files)
        ledger.forget(names)
        for name in names:
            _log.info("file tried again: somebody asked for it", file=name)

    return retry


def to_retry(data: Mapping[str, Any], known: Files) -> list[str]:
    """Return the files that are to be read as new ones: all set aside, or of those named.

    What is named may also be done with damage.  What is neither, or not any more, is left:
    to ask twice does no harm.

    Raises
    ------
    DataError
        If that is no such request.
    """
    match data:
        case {"all": True}:
            return [file.name for file in known.unfinished if file.state == "set_aside"]
        case {"names": list(names)} if all(isinstance(name, str) for name in names):
            return [name for name in names if name in known and may_be_read_again(known[name])]
        case _:
            raise DataError('retry: wanted {"names": [text, ...]} or {"all": true}')


def may_be_read_again(file: FileProgress) -> bool:
    """Return True if a file lacks sound: it was set aside, or is done with damage."""
    damaged = file.damaged_bytes + file.tail_bytes > 0
    return file.state == "set_aside" or (file.state == "done" and damaged)
