"""Logs on standard error: JSON under systemd, readable on a terminal, never a reason to stop."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping, MutableMapping
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from typing import Any, Final, TextIO

import structlog

from daemon.errors import plain

_FIRST: Final = ("timestamp", "level", "event")  # of each line, for who reads them


Clear = Callable[[], AbstractContextManager[None]]
"""What makes room on a terminal while a line is written: `daemon.show.Bar.hidden`."""


class _Sink:
    """A stream that swallows what its reader does not take, and is tried again with the next."""

    def __init__(self, stream: TextIO | None, clear: Clear) -> None:
        self._stream = stream
        self._clear = clear

    def write(self, text: str) -> None:
        with suppress(OSError, ValueError), self._clear():  # closed pipe, full disk, closed file
            if self._stream is not None:
                self._stream.write(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            if self._stream is not None:
                self._stream.flush()


def set_up_logs(stream: TextIO | None = None, clear: Clear = nullcontext) -> None:
    """Send all logs, the libraries' warnings too, to standard error."""
    stream = stream or sys.stderr
    pretty = stream is not None and not stream.closed and stream.isatty()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _plain_values,
            structlog.dev.ConsoleRenderer() if pretty else structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.WriteLoggerFactory(file=_Sink(stream, clear)),  # type: ignore[arg-type]
        cache_logger_on_first_use=False,
    )
    logging.getLogger().handlers = [_Relay(logging.WARNING)]


class _Relay(logging.Handler):
    """Hands the libraries' warnings on to structlog."""

    def emit(self, record: logging.LogRecord) -> None:
        structlog.get_logger().warning(_message(record), library=record.name)


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # a library's slip, in a thread of its own: the values do not fit the text
        return record.msg if isinstance(record.msg, str) else type(record.msg).__name__


def _plain_values(_: Any, __: str, entry: MutableMapping[str, Any]) -> Mapping[str, Any]:
    first = {key: entry[key] for key in _FIRST if key in entry}
    return {key: _plain(value) for key, value in {**first, **entry}.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return plain(value) if isinstance(value, str | Path) else value
