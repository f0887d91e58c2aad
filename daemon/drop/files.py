"""The drop as bytes: files that may hang, vanish or change while we look; never written to."""

from __future__ import annotations

import errno
import hashlib
import os
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from acoio.errors import NotReadyError
from acoio.reader import Fetch, open_at_once
from daemon.deadline import Worker
from daemon.drop.listing import Seen, glance, scan
from daemon.errors import AwayError, ClosedError, UnreadableError, plain
from daemon.names import path_of

DEADLINE_S: Final = 30.0  # half of what the watchdog of systemd allows
_BLOCK_BYTES: Final = 4 << 20  # of a digest, each within the deadline
_ITS_OWN_FAULT: Final = {errno.EIO, errno.EBADMSG, errno.EUCLEAN, errno.EOVERFLOW, errno.EFBIG}
_AWAY: Final = {errno.ENOENT, errno.ELOOP, errno.ENOTDIR}
_CLOSED: Final = {errno.EACCES, errno.EPERM}
_T = TypeVar("_T")


class Drop:
    """A folder that is read by two threads, one for its listing and one for its files.

    `arm` prepares hints, before each listing; `meanwhile` is called while a file keeps
    us waiting, and says whether to go on; `came` with each piece of a file that came back:
    its name, and where the piece begins.
    """

    def __init__(
        self,
        path: Path,
        *,
        arm: Callable[[], object] = lambda: None,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self.path = path
        self._arm = arm
        self.meanwhile: Callable[[], bool] = lambda: True
        self.came: Callable[[str, int], object] = lambda _name, _byte: None
        self._lister = Worker("drop: listing", deadline_s=deadline_s)
        self._reader = Worker("drop: reading", deadline_s=deadline_s)
        self._listing: Future[list[Seen]] | None = None
        self.scan_cpu_s = 0.0  # of the last scan

    def scan(self) -> list[Seen] | None:
        """Begin a scan or look whether the one begun is done: its listing, or None.

        Raises
        ------
        NotReadyError
            If the folder cannot be listed, or has not answered in time.
        """
        if self._listing is None:
            self._listing = self._lister.begin(self._list)
        listing = self._listing
        try:
            done = self._lister.is_done(listing)
        except NotReadyError:
            self._listing = None
            raise
        if not done:
            return None
        self._listing = None
        return listing.result()

    def _list(self) -> list[Seen]:
        begin_s = time.thread_time()
        with suppress(OSError):  # hints are a help: without them scans must do
            self._arm()
        listing = scan(self.path)
        self.scan_cpu_s = time.thread_time() - begin_s
        return listing

    def glance(self, names: Iterable[str]) -> list[Seen]:
        """Return those of some files that are there.

        Raises
        ------
        NotReadyError
            If the drop has not answered in time.
        """
        wanted = tuple(names)
        return self.call(lambda: glance(self.path, wanted))

    def bytes_of(self, name: str) -> Fetch:
        """Return what gives the bytes of a file.

        It raises `UnreadableError` if the file does not give them, `NotReadyError` if
        it is not there, is closed to us, or has not answered in time, and `DataError` if
        it is no regular file.
        """
        return partial(self._read, name)

    def digest(self, name: str, size_bytes: int) -> str:
        """Return the SHA-256 of a file's first bytes, in hex digits.

        Raises
        ------
        UnreadableError, NotReadyError, DataError
            As `bytes_of`.
        """
        digest = hashlib.sha256()
        for block in self._blocks(name, size_bytes):
            digest.update(block)
        return digest.hexdigest()

    def sums(self, name: str, size_bytes: int, read_bytes: int) -> tuple[str, int]:
        """Return the SHA-256 of a file's first bytes and the CRC-32 of those that were read.

        Raises
        ------
        UnreadableError, NotReadyError, DataError
            As `bytes_of`.
        """
        digest, checksum, left = hashlib.sha256(), 0, read_bytes
        for block in self._blocks(name, size_bytes):
            digest.update(block)
            checksum = zlib.crc32(block[:left], checksum)
            left = max(left - len(block), 0)
        return digest.hexdigest(), checksum

    def _blocks(self, name: str, size_bytes: int) -> Iterator[bytes]:
        """Yield a file's first bytes, each block within the deadline."""
        for byte in range(0, max(size_bytes, 1), _BLOCK_BYTES):
            if not (block := self._read(name, byte, min(size_bytes - byte, _BLOCK_BYTES))):
                return
            yield block

    def _read(self, name: str, byte: int, size_bytes: int) -> bytes:
        piece = self.call(partial(_fetch, self.path / path_of(name), byte, size_bytes))
        self.came(name, byte)
        return piece

    def call(self, call: Callable[[], _T]) -> _T:
        """Return what a call gives that touches the drop.

        Raises
        ------
        NotReadyError
            If it has not come back in time.
        """
        return self._reader.call(call, meanwhile=self.meanwhile)


class Kept:
    """Gives bytes of a file as another does, and keeps what it gave last."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._byte, self._data = 0, b""

    def __call__(self, byte: int, size_bytes: int) -> bytes:
        """Return up to so many bytes of the file, from a byte on."""
        self._byte, self._data = byte, self._fetch(byte, size_bytes)
        return self._data

    def between(self, first: int, last: int) -> memoryview:
        """Return the bytes [first, last) of the file, as they were given."""
        return memoryview(self._data)[max(first - self._byte, 0) : max(last - self._byte, 0)]


def _fetch(path: Path, byte: int, size_bytes: int) -> bytes:
    try:
        with open(path, "rb", opener=_open_no_link) as file:
            file.seek(byte)
            return file.read(size_bytes)
    except OSError as error:
        where = f"{plain(path)}, byte {byte}" if byte else plain(path)
        raise _translated(error, where) from error


def _open_no_link(path: str, flags: int) -> int:
    return open_at_once(path, flags | os.O_NOFOLLOW)


def _translated(error: OSError, where: str) -> NotReadyError:
    kind: type[NotReadyError] = NotReadyError
    if error.errno in _ITS_OWN_FAULT:
        kind = UnreadableError
    elif error.errno in _CLOSED:
        kind = ClosedError
    elif error.errno in _AWAY:
        kind = AwayError
    return kind(f"{where}: {error.strerror}")
