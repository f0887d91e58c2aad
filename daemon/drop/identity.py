"""Which file is which, by its bytes: delivered again, replaced, cut short, or a copy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from acoio.header import HEADER_BYTES
from acoio.holes import is_blank
from daemon.drop.advance import found
from daemon.drop.files import Drop
from daemon.drop.listing import Seen
from daemon.errors import AwayError
from daemon.ledger.files import Files
from daemon.progress import FINISHED, FileProgress

_LEADING: Final = ("pending", "done")
HEAD_BYTES: Final = 4096  # a record's header says its time and number, the rest is noise


class Identity:
    """Compares files of the drop with what is known of them."""

    def __init__(self, drop: Drop, files: Files) -> None:
        self._drop = drop
        self._files = files

    def begun(self, file: FileProgress, seen: Seen) -> tuple[FileProgress, ...]:
        """Return a file with its first bytes known, and the file that it may be a copy of.

        If that one is done and holds only its beginning, it follows as a copy of this one.

        Raises
        ------
        NotReadyError, DataError
            As `Drop.bytes_of`.
        """
        if file.head_bytes == HEAD_BYTES or not seen.size:
            return (file if self._begins_alike(file, seen) else FileProgress(file.name),)
        n = min(seen.size, HEAD_BYTES)
        file = replace(file, head=self._drop.digest(file.name, n), head_bytes=n)
        twin = None if file.records or n < HEAD_BYTES else self._files.alike(file)
        if twin is None:
            return (file,)
        if twin.state == "pending" or (twin.state == "done" and twin.size >= seen.size):
            return (replace(found(file, seen), twin=twin.name),)
        return file, *(self._shorter(file, twin) if twin.state == "done" else ())

    def is_blank(self, file: FileProgress) -> bool:
        """Return True if zeros stand where the first header should.

        Raises
        ------
        NotReadyError, DataError
            As `Drop.bytes_of`.
        """
        return is_blank(self._drop.bytes_of(file.name)(0, HEADER_BYTES))

    def closed(self, file: FileProgress, seen: Seen) -> FileProgress | None:
        """Return a file as done, known by all its bytes; None if they are not those that were read.

        Of one that was cut short, what is left passes for what was read.

        Raises
        ------
        NotReadyError, DataError
            As `Drop.bytes_of`.
        """
        sha256, checksum = self._drop.sums(file.name, seen.size, file.bytes_read)
        if checksum != file.checksum and seen.size >= file.bytes_read:
            return None
        n = min(seen.size, HEAD_BYTES)
        head = self._drop.digest(file.name, n)
        whole = replace(found(file, seen), head=head, head_bytes=n, sha256=sha256)
        return replace(whole, state="done", rereads=0)

    def compared(self, file: FileProgress, seen: Seen) -> tuple[tuple[FileProgress, ...], str]:
        """Return how far a file that is not as it was left is read, and the verdict on it.

        With it come others that this changes: a shorter file is a copy of a longer one.

        "same": delivered again or grown; "cut": it lost its end; "replaced": it holds
        something else and is new; "duplicate": its sound was read under another name;
        "apart": it only begins like another.

        Raises
        ------
        NotReadyError, DataError
            As `Drop.bytes_of`.
        """
        if file.twin:
            return self._with_twin(file, seen)
        known, verdict = self._changed(file, seen)
        return (known,), verdict

    def left(self, file: FileProgress) -> tuple[FileProgress, ...]:
        """Return as new ones the copies of a file that holds their sound no more.

        What of a copy was not read in that file before it went is read in the copy.
        """
        known_bytes = file.size if file.state == "done" else file.bytes_read
        return tuple(
            FileProgress(copy.name)
            for copy in self._files.copies_of(file.name)
            if copy.size > known_bytes
        )

    def _changed(self, file: FileProgress, seen: Seen) -> tuple[FileProgress, str]:
        if not self._begins_alike(file, seen):
            return FileProgress(file.name), "replaced"
        if seen.size < file.size:
            left = self._drop.digest(file.name, seen.size)
            return replace(found(file, seen), sha256=left), "cut"
        if file.state not in FINISHED:
            return found(file, seen), "same"
        if file.sha256 and self._drop.digest(file.name, file.size) != file.sha256:
            return FileProgress(file.name), "replaced"
        if seen.size > file.size:
            whole = replace(found(file, seen), state="pending", tail_bytes=0, sha256="")
            return replace(whole, reason=file.reason if file.damaged_bytes else ""), "same"
        return found(file, seen), "same"

    def _with_twin(self, file: FileProgress, seen: Seen) -> tuple[tuple[FileProgress, ...], str]:
        own = FileProgress(file.name, head=file.head, head_bytes=file.head_bytes)
        twin = self._files.get(file.twin)
        if twin is None or twin.state not in _LEADING:
            return (own,), "apart"
        try:
            if twin.size < seen.size:
                return (own, *self._shorter(own, twin)), "apart"
            digest = self._drop.digest(file.name, seen.size)
            if not self._is_copied(twin, seen.size, digest):
                return (own,), "apart"
        except AwayError:  # it went before anybody knew all of it
            return (own,), "apart"
        return (_copy(found(file, seen), twin, digest),), "duplicate"

    def _shorter(self, file: FileProgress, twin: FileProgress) -> Iterator[FileProgress]:
        """Yield what becomes of a file that holds the beginning of another, and of its copies."""
        digest = twin.sha256 or self._drop.digest(twin.name, twin.size)
        if self._drop.digest(file.name, twin.size) == digest:
            yield _copy(twin, file, digest)
            copies = self._files.copies_of(twin.name)
            yield from (replace(copy, twin=file.name) for copy in copies if copy.name != file.name)

    def _is_copied(self, twin: FileProgress, size: int, sha256: str) -> bool:
        """Return True if a copy of a size and SHA-256 holds what was read of its twin."""
        if twin.state == "done" and twin.size == size:
            return twin.sha256 == sha256
        return self._is_as_read(twin) and self._drop.digest(twin.name, size) == sha256

    def _is_as_read(self, file: FileProgress) -> bool:
        """Return True if a file still holds the bytes that were read of it."""
        if file.state == "done":
            return self._drop.digest(file.name, file.size) == file.sha256
        return self._drop.sums(file.name, file.bytes_read, file.bytes_read)[1] == file.checksum

    def _begins_alike(self, file: FileProgress, seen: Seen) -> bool:
        """Say whether a file begins as it did; of one that is too short now nothing is known."""
        if not file.head or seen.size < file.head_bytes:
            return True
        return self._drop.digest(file.name, file.head_bytes) == file.head


def _copy(file: FileProgress, twin: FileProgress, sha256: str) -> FileProgress:
    return FileProgress(
        file.name,
        size=file.size,
        inode=file.inode,
        mtime_ns=file.mtime_ns,
        ctime_ns=file.ctime_ns,
        head=file.head,
        head_bytes=file.head_bytes,
        state="duplicate",
        reason=f"the same bytes as {twin.name}",
        sha256=sha256,
        twin=twin.name,
    )
