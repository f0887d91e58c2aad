"""Which file is which, by its bytes: delivered again, replaced, cut short, or a copy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from daemon.drop.advance import found
from daemon.drop.files import Drop
from daemon.drop.listing import Seen
from daemon.errors import AwayError
from daemon.progress import FINISHED, FileProgress

HEAD_BYTES: Final = 4096  # a record's header says its time and number, the rest is noise


class Identity:
    """Compares files of the drop with what is known of them."""

    def __init__(self, drop: Drop, files: Mapping[str, FileProgress]) -> None:
        self._drop = drop
        self._files = files
        self._by_head = {f.head: f.name for f in files.values() if _names(f)}

    def learn(self, file: FileProgress) -> None:
        """Keep in mind how a file begins."""
        if _names(file):
            self._by_head.setdefault(file.head, file.name)

    def begun(self, file: FileProgress, seen: Seen) -> FileProgress:
        """Return a file with its first bytes known, and the file that it may be a copy of.

        Raises
        ------
        NotReadyError, DataError
            As `Drop.bytes_of`.
        """
        if file.head_bytes == HEAD_BYTES or not seen.size:
            return file if self._begins_alike(file, seen) else FileProgress(file.name)
        n = min(seen.size, HEAD_BYTES)
        file = replace(file, head=self._drop.digest(file.name, n), head_bytes=n)
        twin = self._files.get(self._by_head.get(file.head, "")) if not file.records else None
        if twin is None or twin.name == file.name or n < HEAD_BYTES:
            return file
        copies = twin.state in ("pending", "done") and _known_bytes(twin) >= seen.size
        return replace(found(file, seen), twin=twin.name) if copies else file

    def compared(self, file: FileProgress, seen: Seen) -> tuple[FileProgress, str]:
        """Return how far a file that is not as it was left is read, and what became of it.

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
        if file.state == "duplicate" or not self._begins_alike(file, seen):
            return FileProgress(file.name), "replaced"
        if seen.size < file.size:
            return replace(found(file, seen), sha256=""), "cut"
        if file.state not in FINISHED:
            return found(file, seen), "same"
        if file.sha256 and self._drop.digest(file.name, file.size) != file.sha256:
            return FileProgress(file.name), "replaced"
        if seen.size > file.size:
            whole = replace(found(file, seen), state="pending", tail_bytes=0, sha256="")
            return replace(whole, reason=file.reason if file.damaged_bytes else ""), "same"
        return found(file, seen), "same"

    def _with_twin(self, file: FileProgress, seen: Seen) -> tuple[FileProgress, str]:
        apart = replace(file, twin=""), "apart"
        twin = self._files.get(file.twin)
        if twin is None or _known_bytes(twin) < seen.size:
            return apart
        own = self._drop.digest(file.name, seen.size)
        try:
            if self._digest_of(twin, seen.size) != own:
                return apart
        except AwayError:  # it went before anybody knew all of it
            return apart
        copy = replace(found(file, seen), state="duplicate", sha256=own, attempts=0)
        return replace(copy, reason=f"the same bytes as {twin.name}"), "duplicate"

    def _digest_of(self, twin: FileProgress, size: int) -> str:
        if twin.sha256 and twin.size == size:
            return twin.sha256
        return self._drop.digest(twin.name, size)

    def _begins_alike(self, file: FileProgress, seen: Seen) -> bool:
        """Say whether a file begins as it did; of one that is too short now nothing is known."""
        if not file.head or seen.size < file.head_bytes:
            return True
        return self._drop.digest(file.name, file.head_bytes) == file.head


def _known_bytes(file: FileProgress) -> int:
    return file.size if file.state == "done" else file.bytes_read


def _names(file: FileProgress) -> bool:
    return file.head_bytes == HEAD_BYTES and not file.twin and file.state != "set_aside"
