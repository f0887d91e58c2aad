"""Standard output and error of a command: full, closed, or a pipe that nobody reads."""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_OUT: Final = 1
_ERR: Final = 2


class OutputError(Exception):
    """Standard output took no more; `is_closed` if its reader went, which is no fault."""

    def __init__(self, error: OSError) -> None:
        super().__init__(f"standard output: {error.strerror}")
        self.is_closed = error.errno == errno.EPIPE


@contextmanager
def standard_streams() -> Iterator[None]:
    """Let standard output raise `OutputError` where it is not written, and error drop it.

    Raises
    ------
    OutputError
        Also for what is still to be written at the end.
    """
    _open_closed()
    sys.stdout = _text(_Output(_OUT, "w", closefd=False), sys.stdout)
    sys.stderr = _text(_Error(_ERR, "w", closefd=False), sys.stderr)
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except OutputError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), _OUT)  # what is left of it goes nowhere
        raise


def _open_closed() -> None:
    """Give closed descriptors to nobody: the next file opened would become standard output."""
    for number in range(_ERR + 1):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDONLY)  # the lowest that is free; writing to it fails


def _text(raw: io.FileIO, former: TextIO | None) -> TextIO:
    encoding = getattr(former, "encoding", None) or "utf-8"
    errors = getattr(former, "errors", None) or "backslashreplace"
    buffer = io.BufferedWriter(raw)
    return io.TextIOWrapper(buffer, encoding, errors, line_buffering=raw.isatty())


class _Output(io.FileIO):
    def write(self, data: ReadableBuffer, /) -> Any:
        try:
            return super().write(data)
        except OSError as error:
            raise OutputError(error) from error


class _Error(io.FileIO):
    def write(self, data: ReadableBuffer, /) -> Any:
        try:
            return super().write(data)
        except OSError:
            return memoryview(data).nbytes
