"""A thread for calls that may never come back, and a deadline for whoever waits."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from queue import SimpleQueue
from threading import Thread
from typing import Any, Final, TypeVar

from acoio.errors import NotReadyError

_SLICE_S: Final = 0.05
_T = TypeVar("_T")


class Worker:
    """Makes one call at a time in a thread of its own.

    A network mount that hangs holds that thread, maybe for ever; it does not hold
    us, and it does not hold the process at its end.
    """

    def __init__(self, what: str, *, deadline_s: float) -> None:
        self._what = what
        self._deadline_s = deadline_s
        self._calls: SimpleQueue[tuple[Future[Any], Callable[[], Any]]] = SimpleQueue()
        self._latest: Future[Any] | None = None
        self._begun_s = 0.0
        self._thread = Thread(target=self._run, name=what, daemon=True)

    def begin(self, call: Callable[[], _T]) -> Future[_T]:
        """Hand over a call.

        Raises
        ------
        NotReadyError
            If the one before has not come back yet.
        """
        if self._latest is not None and not self._latest.done():
            raise self._no_answer()
        if self._thread.ident is None:
            self._thread.start()
        future: Future[_T] = Future()
        self._latest, self._begun_s = future, time.monotonic()
        self._calls.put((future, call))
        return future

    def is_done(self, future: Future[Any], *, wait_s: float = 0.0) -> bool:
        """Say whether a call has come back, after waiting for it so long at most.

        Raises
        ------
        NotReadyError
            If the deadline is past.
        """
        if wait([future], wait_s).done:
            return True
        if time.monotonic() - self._begun_s > self._deadline_s:
            raise self._no_answer()
        return False

    def call(self, call: Callable[[], _T], *, meanwhile: Callable[[], bool]) -> _T:
        """Return what a call gives; `meanwhile` is called again and again, until it says no.

        Raises
        ------
        NotReadyError
            If the deadline is past, or nobody waits any longer.
        """
        future = self.begin(call)
        while not self.is_done(future, wait_s=_SLICE_S):
            if not meanwhile():
                raise NotReadyError(f"{self._what}: left while waiting")
        return future.result()

    def _no_answer(self) -> NotReadyError:
        since_s = time.monotonic() - self._begun_s
        return NotReadyError(f"{self._what}: no answer for {since_s:.0f} s")

    def _run(self) -> None:
        while True:
            future, call = self._calls.get()
            try:
                future.set_result(call())
            except BaseException as error:  # whoever waits for it, raises it
                future.set_exception(error)
