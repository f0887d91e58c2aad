"""Listen at an address that another process may be about to leave."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable
from typing import Final, TypeVar

import zmq

from acoio.errors import unusable

_WAIT_S: Final = 2.0  # a daemon that is being replaced is gone by then
_PAUSE_S: Final = 0.05

_T = TypeVar("_T")


def listening(key: str, address: str, bind: Callable[[], _T]) -> _T:
    """Return what `bind` returns, tried again for a moment while the address is in use.

    `key` is the setting that names the address; `bind` is libzmq's or a socket's.

    Raises
    ------
    NotReadyError
        If it is still in use, or this machine does not have that address now.
    SetupError
        If nobody could listen there.
    """
    until_s = time.monotonic() + _WAIT_S
    while True:
        try:
            return bind()
        except zmq.ZMQError as error:  # it is no OSError, but has the number of one
            fault = OSError(error.errno, os.strerror(error.errno or 0))
        except OSError as error:
            fault = error
        if fault.errno != errno.EADDRINUSE or time.monotonic() >= until_s:
            raise unusable(f"{key}: found {address}", fault) from fault
        time.sleep(_PAUSE_S)
