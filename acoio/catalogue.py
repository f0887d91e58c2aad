"""Which files of a folder can hold an instant, by their names, without listing everything.

The archive keeps days in `YYYY/MM/DD` and those of the current month in `MM/DD`,
both perhaps under `HYDR024K`; a flat folder holds files as they are.  A folder
below the top (a year, a month, a day) is as good a place to start.  Names begin
with their minute, so that their order is that of time; the year is the name's.
"""

from __future__ import annotations

import os
import re
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Generic, TypeVar

from acoio.errors import FilenameError, NotReadyError
from acoio.filename import FileName, parse_filename

_V = TypeVar("_V")

_STAMP: Final = "%Y-%m-%d--%H.%M"
_TOP: Final = re.compile(r"HYDR\d+K", re.ASCII)
_DAY: Final = timedelta(days=1)
_MOST_FOLDERS: Final = 64  # listings kept: a month and its neighbours
_FIRST: Final = datetime(2000, 1, 1, tzinfo=UTC)
_LAST: Final = datetime(2100, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, order=True)
class Found:
    """A file and what its name says."""

    name: FileName
    path: Path


@dataclass(frozen=True, slots=True)
class _Listing:
    names: Sequence[str] = ()
    folders: Sequence[str] = ()


class Remembered(Generic[_V]):
    """What was made of a file, until the file changes; the oldest is forgotten first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[Path, tuple[tuple[int, int], _V]] = OrderedDict()

    def get(self, path: Path, make: Callable[[Path], _V]) -> _V:
        """Return what is remembered of a file as it is now, or make it.

        Raises
        ------
        NotReadyError
            If there is no such file, and what `make` raises.
        """
        try:
            found = path.stat()
        except OSError as error:
            raise NotReadyError(f"{path}: {error.strerror}") from error
        state = found.st_size, found.st_mtime_ns
        kept = self._kept.get(path)
        if kept is None or kept[0] != state:
            kept = state, make(path)
        self._kept[path] = kept
        self._kept.move_to_end(path)
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return kept[1]


class Catalogue:
    """The recordings below a folder by the minute in their names.

    A folder is listed once, and again when it changes (its modification time).

    Raises
    ------
    NotReadyError
        If there is no such folder, or one cannot be listed.
    """

    def __init__(self, basedir: Path, *, band: str = "BB") -> None:
        if not basedir.is_dir():
            raise NotReadyError(f"{basedir}: found no folder, wanted one of recordings")
        self._basedir = basedir
        self._band = band
        self._listed: OrderedDict[str, tuple[int, _Listing]] = OrderedDict()

    def named(self, first: datetime, last: datetime) -> list[Found]:
        """Return the files whose names lie in the minutes from `first` to `last`, in order."""
        first, last = max(first, _FIRST), min(last, _LAST)
        low, high = f"{first:{_STAMP}}", f"{last + timedelta(minutes=1):{_STAMP}}"
        found: list[Found] = []
        for folder in dict.fromkeys(self._folders(first, last)):
            names = self._listing(folder).names
            found += self._recordings(
                folder, names[bisect_left(names, low) : bisect_left(names, high)]
            )
        return sorted(found)

    def nearest(self, when: datetime) -> tuple[Found | None, Found | None]:
        """Return the files with the last name before a time and the first from it on."""
        dated = sorted(self._dated())
        k = bisect_left(dated, (f"{when:%Y/%m/%d}", ""))
        earlier = [folder for _, folder in reversed(dated[: k + len(self._tops())])]
        later = [folder for _, folder in dated[max(k - 1, 0) :]]
        before = [self._first_of(earlier, when, back=True)]
        after = [self._first_of(later, when, back=False)]
        for folder in self._undated():
            before.append(self._first_of([folder], when, back=True))
            after.append(self._first_of([folder], when, back=False))
        return (
            max((file for file in before if file), default=None),
            min((file for file in after if file), default=None),
        )

    def extent(self) -> tuple[Found | None, Found | None]:
        """Return the files with the first and the last name."""
        return self.nearest(_FIRST)[1], self.nearest(_LAST)[0]

    def forget(self) -> None:
        """List every folder again when it is next asked for."""
        self._listed.clear()

    def _tops(self) -> list[str]:
        """Return the folders that days may lie in: this one, and `HYDR024K` within."""
        base = str(self._basedir)
        inner = [name for name in self._listing(base).folders if _TOP.fullmatch(name)]
        return [base, *(f"{base}/{name}" for name in inner)]

    def _folders(self, first: datetime, last: datetime) -> Iterator[str]:
        """Yield the folders that can hold files named from `first` to `last`."""
        days = (last.date() - first.date()).days
        for top in self._tops():
            yield top
            if not self._listing(top).folders:
                continue
            for day in (first + k * _DAY for k in range(days + 1)):
                yield f"{top}/{day:%Y/%m/%d}"
                yield f"{top}/{day:%m/%d}"
                yield f"{top}/{day:%d}"

    def _dated(self) -> Iterator[tuple[str, str]]:
        """Yield `YYYY/MM/DD` and the folder of each day that has one, unlisted."""
        for top in self._tops():
            for year in self._digits(top, 4):
                for month in self._digits(f"{top}/{year}", 2):
                    for day in self._digits(f"{top}/{year}/{month}", 2):
                        below = f"{year}/{month}/{day}"
                        yield below, f"{top}/{below}"

    def _undated(self) -> Iterator[str]:
        for top in self._tops():
            yield top
            for outer in self._digits(top, 2):
                yield f"{top}/{outer}"
                for day in self._digits(f"{top}/{outer}", 2):
                    yield f"{top}/{outer}/{day}"

    def _digits(self, folder: str, count: int) -> list[str]:
        return [name for name in self._listing(folder).folders if len(name) == count]

    def _first_of(self, folders: Iterable[str], when: datetime, *, back: bool) -> Found | None:
        """Return the first file in these folders named from a time on, or the last before it."""
        stamp = f"{when - timedelta.resolution + timedelta(minutes=1):{_STAMP}}"
        for folder in folders:
            names = self._listing(folder).names
            k = bisect_left(names, stamp)
            nearer = reversed(names[:k]) if back else iter(names[k:])
            found = next(self._recordings(folder, nearer), None)
            if found:
                return found
        return None

    def _recordings(self, folder: str, names: Iterable[str]) -> Iterator[Found]:
        for name in names:
            try:
                parsed = parse_filename(name)
            except FilenameError:
                continue  # a table or a picture that somebody put there
            if parsed.band == self._band:
                yield Found(parsed, Path(folder, name))

    def _listing(self, folder: str) -> _Listing:
        try:
            changed_ns = Path(folder).stat().st_mtime_ns
            known_ns, listing = self._listed.get(folder, (None, _Listing()))
            if known_ns != changed_ns:
                listing = _listing_of(folder)
        except (FileNotFoundError, NotADirectoryError):
            return _Listing()
        except OSError as error:
            raise NotReadyError(f"{folder}: {error.strerror}") from error
        self._listed[folder] = changed_ns, listing
        self._listed.move_to_end(folder)
        if len(self._listed) > _MOST_FOLDERS:
            self._listed.popitem(last=False)
        return listing


def _listing_of(folder: str) -> _Listing:
    """Return what a folder holds; a name that begins like a date is taken for a file."""
    names: list[str] = []
    folders: list[str] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            name = entry.name
            if name[4:5] == "-":
                names.append(name)
            elif (name.isdigit() or _TOP.fullmatch(name)) and entry.is_dir():
                folders.append(name)
    return _Listing(sorted(names), sorted(folders))
