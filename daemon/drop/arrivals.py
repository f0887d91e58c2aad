"""What to do next with the files of the drop (pure): read, close, compare or set aside.

The listing of the folder is the truth.  A file is read on whenever it holds
more than was read; it is closed once it has not grown for a while, sooner if a
newer file has sound; one that is not as it was left is compared with what was
read of it; what can never be read is set aside.  None of these decisions is for
ever: a closed file that grows is read on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from acoio.errors import FilenameError
from acoio.header import HEADER_BYTES
from daemon.drop.listing import Seen, is_recording, parted
from daemon.drop.order import parsed
from daemon.ledger.files import Files
from daemon.progress import FINISHED, FileProgress

LARGEST_BYTES: Final = 1 << 30  # a five-minute file has 11 MB; an hour at 32 bits has 0.35 GiB
_SUCCEEDED: Final = 0.1  # of the settling time is enough once a newer file has sound
_NEAR: Final = timedelta(hours=1)  # what begins later has nothing to do with what grows
_STILL_S: Final = 1.0  # a recorder pauses less between two writes, and so does rsync
_Facts = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Task:
    """One thing to do with one file; the zeros of a `young` one may be bytes still to come."""

    do: Literal["read", "close", "compare", "rehear", "set_aside", "vanish"]
    seen: Seen
    reason: str = ""
    young: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do, oldest sound first, and what there is no more to do about.

    `order` are all files with a fitting name that can be read, in the order of their
    time, `waiting` those that may still grow, `held` those not begun while the one before
    them grows or is compared, `ignored` names that belong to no recording, `closed` why
    each folder that may hold recordings is not read.
    """

    tasks: tuple[Task, ...] = ()
    waiting: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    closed: Mapping[str, str] = field(default_factory=dict)


def progress_of(seen: Seen, known: Mapping[str, FileProgress]) -> FileProgress:
    """Return how far a file was read; one set aside that has changed since is a new one."""
    file = known.get(seen.name, FileProgress(seen.name))
    if file.state == "set_aside" and _differs(seen, file):
        return FileProgress(seen.name, rereads=file.rereads)
    return replace(file, state="pending") if file.state == "vanished" else file


class Arrivals:
    """Decides by the listing, the ledger and how long each file has not changed.

    `look` is told the time (monotonic, seconds); nothing else is remembered.
    """

    def __init__(self, *, settle_s: float, rate_hz: float, band: str) -> None:
        self._settle_s = settle_s
        self._rate_hz = rate_hz
        self._band = band
        self._changes: dict[str, tuple[_Facts, float, bool]] = {}
        self._exhausted: dict[str, tuple[_Facts, int, bool]] = {}

    def settle_after(self, settle_s: float) -> None:
        """Take a file that does not change for so long for complete."""
        self._settle_s = settle_s

    def exhausted(self, task: Task, known: Mapping[str, FileProgress]) -> None:
        """Learn that a file as it is listed here holds no further whole record.

        Of one that may be a copy nobody knows, as it was not looked into.
        """
        file = progress_of(task.seen, known)
        if not file.twin:
            self._exhausted[file.name] = _facts(task.seen), file.bytes_read, task.young

    def look(self, listing: Iterable[Seen], known: Files, now_s: float) -> Plan:
        """Return what to do about a listing."""
        listing = list(listing)
        recordings, ignored = parted(listing)
        named, tasks = self._named(recordings, known)
        sounding = next((begin for begin, seen in reversed(named) if _sounds(known, seen)), None)
        waiting, held, grows, last = [], [], False, datetime.min.replace(tzinfo=UTC)
        for begin, seen in named:
            if _is_over(seen, known.get(seen.name)):
                grows = False
                continue
            file = progress_of(seen, known)
            newer = sounding is not None and begin < sounding
            task = self._judge(seen, file, now_s, newer=newer)
            if task and task.do == "read" and grows and not file.records and begin - last < _NEAR:
                held.append(seen.name)
            elif task:
                tasks.append(task)
            open_ended = file.state == "pending" or _is_another(seen, file)
            if open_ended and not task:
                waiting.append(seen.name)
            compared = task is not None and task.do == "compare"
            grows, last = compared or (open_ended and self._grows(seen, now_s)), begin
        self._forget({*waiting, *held, *(task.seen.name for task in tasks)})
        order = tuple(seen.name for _, seen in named if not _hopeless(seen))
        tasks += [Task("vanish", Seen(name, 0, 0)) for name in _vanished(recordings, known)]
        closed = {seen.name: seen.closed for seen in listing if seen.closed}
        return Plan(tuple(tasks), tuple(waiting), tuple(held), ignored, order, closed)

    def glance(self, seen: Seen, known: Mapping[str, FileProgress], now_s: float) -> Task | None:
        """Return a task if one file, looked at by itself, can be read on."""
        begin = self._begin(seen)[0] if is_recording(seen.name) else None
        if begin is None:
            return None
        task = self._judge(seen, progress_of(seen, known), now_s, newer=False)
        return task if task and task.do == "read" else None

    def _named(
        self, recordings: Sequence[Seen], known: Mapping[str, FileProgress]
    ) -> tuple[list[tuple[datetime, Seen]], list[Task]]:
        """Return files by the begin in their name, and those whose name will not do."""
        named, aside = [], []
        for seen in recordings:
            begin, reason = self._begin(seen)
            if begin:
                named.append((begin, seen))
            elif seen.name not in known:
                aside.append(Task("set_aside", seen, reason))
        return sorted(named, key=lambda pair: (pair[0], pair[1].name)), aside

    def _begin(self, seen: Seen) -> tuple[datetime | None, str]:
        try:
            name = parsed(seen.name)
        except FilenameError as error:
            return None, str(error)
        if name.rate_hz != self._rate_hz:
            return None, f"rate: found {name.rate_hz:g} Hz, wanted {self._rate_hz:g} Hz"
        if name.band != self._band:
            return None, f"band: found {name.band}, wanted {self._band} (drop.band)"
        return name.begin, ""

    def _judge(self, seen: Seen, file: FileProgress, now_s: float, *, newer: bool) -> Task | None:
        if file.state == "set_aside":
            return None
        if reason := _hopeless(seen):
            return Task("set_aside", seen, reason)
        if _is_another(seen, file):
            return None if self._grows(seen, now_s) else Task("compare", seen)
        young = self._is_young(seen, now_s)
        if self._has_more(seen, file, young=young):
            return Task("read", seen, young=young)
        if file.rehear:
            return Task("rehear", seen)
        if file.state == "pending" and self._settled(seen, file, now_s, newer=newer):
            return _ended(seen, file)
        return None

    def _has_more(self, seen: Seen, file: FileProgress, *, young: bool) -> bool:
        if file.state in FINISHED or file.twin:
            return False
        looked = _facts(seen), file.bytes_read, young
        more = seen.size > file.bytes_read + HEADER_BYTES
        return more and self._exhausted.get(seen.name) != looked

    def _is_young(self, seen: Seen, now_s: float) -> bool:
        """Return True if a file shows bytes that may not be there yet, whatever time it bears."""
        return self._kept_s(seen, now_s, seen.still_s) < self._settle_s

    def _settled(self, seen: Seen, file: FileProgress, now_s: float, *, newer: bool) -> bool:
        """Return True if a file is complete: one that has more than was read is given longer."""
        if seen.size > file.bytes_read and not file.twin and self._is_young(seen, now_s):
            return False
        wanted_s = self._settle_s * (_SUCCEEDED if newer else 1)
        return self._unchanged_s(seen, now_s) >= wanted_s

    def _grows(self, seen: Seen, now_s: float) -> bool:
        """Say whether a file is being written to: what follows it is then heard after it."""
        return self._unchanged_s(seen, now_s) < min(self._settle_s * _SUCCEEDED, _STILL_S)

    def _unchanged_s(self, seen: Seen, now_s: float) -> float:
        """Return how long a file has not changed, by our looks or by its own time."""
        return self._kept_s(seen, now_s, seen.age_s)

    def _kept_s(self, seen: Seen, now_s: float, own_s: float) -> float:
        """Return how long a file has not changed by our looks, or longer by a time of its own.

        Of one that changed between two looks, by these alone: the clock may step meanwhile.
        """
        facts, since_s, changed = self._changes.get(seen.name, (None, now_s, False))
        if facts != _facts(seen):
            since_s, changed = now_s, facts is not None
            self._changes[seen.name] = (_facts(seen), now_s, changed)
        return now_s - since_s if changed else max(now_s - since_s, own_s)

    def _forget(self, names: set[str]) -> None:
        for name in self._changes.keys() - names:
            del self._changes[name]
        for name in self._exhausted.keys() - names:
            del self._exhausted[name]


def _sounds(known: Mapping[str, FileProgress], seen: Seen) -> bool:
    return seen.name in known and known[seen.name].records > 0


def _hopeless(seen: Seen) -> str:
    """Return why a file cannot be read at all, or nothing."""
    if not seen.regular:
        return "found no regular file"
    if seen.size > LARGEST_BYTES:
        return f"size: found {seen.size} bytes, wanted at most {LARGEST_BYTES}"
    return ""


def _ended(seen: Seen, file: FileProgress) -> Task:
    """Return what is left to do with a file that grows no more."""
    if file.twin:
        return Task("compare", seen)
    reason = "" if file.records else _soundless(seen, file)
    return Task("close" if file.bytes_read else "set_aside", seen, reason)


def _is_over(seen: Seen, file: FileProgress | None) -> bool:
    """Say whether there is nothing to do about a file, as about nearly all of them."""
    return (
        file is not None and file.state == "done" and not file.rehear and not _differs(seen, file)
    )


def _is_another(seen: Seen, file: FileProgress) -> bool:
    """Say whether a file may not be the one that was read, by all that a listing tells."""
    if file.state in FINISHED:
        return _differs(seen, file)
    return file.bytes_read > 0 and (seen.inode != file.inode or seen.size < file.size)


def _differs(seen: Seen, file: FileProgress) -> bool:
    return _facts(seen) != (file.size, file.inode, file.mtime_ns, file.ctime_ns)


def _facts(seen: Seen) -> _Facts:
    """Return all that a listing shows of what a file holds."""
    return seen.size, seen.inode, seen.mtime_ns, seen.ctime_ns


def _vanished(listing: Iterable[Seen], known: Files) -> list[str]:
    """Return the files that something was left to do about and that are no longer there."""
    pending = {file.name for file in known.unfinished if file.state not in FINISHED}
    return sorted(pending.difference(seen.name for seen in listing))


def _soundless(seen: Seen, file: FileProgress) -> str:
    if seen.size == 0:
        return "empty file: found 0 bytes, wanted records"
    return file.reason or f"no record: found {seen.size} bytes, wanted a header and its samples"
