"""A file that was set aside is tried again, if somebody asks for it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import structlog

from acoio.errors import DataError
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


def to_retry(data: Mapping[str, Any], known: Mapping[str, FileProgress]) -> list[str]:
    """Return the files that are to be read as new ones: of those asked for, all set aside.

    What is not set aside, or not any more, is left: to ask twice does no harm.

    Raises
    ------
    DataError
        If that is no such request.
    """
    match data:
        case {"all": True}:
            wanted: Collection[str] = known.keys()
        case {"names": list(names)} if all(isinstance(name, str) for name in names):
            wanted = names
        case _:
            raise DataError('retry: wanted {"names": [text, ...]} or {"all": true}')
    return [name for name in wanted if name in known and known[name].state == "set_aside"]
