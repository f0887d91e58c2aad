"""Which files of a folder can hold an instant, by their names, without listing everything.

The archive keeps days in `YYYY/MM/DD` and those of the current month in `MM/DD`,
both perhaps under `HYDR024K`; a flat folder holds files as they are.  A folder
below the top (a year, a month, a day) is as good a place to start.  The year is the
name's.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from acoio.errors import NotReadyError
from acoio.filename import FileName
from acoio.listing import FIRST, LAST, TOP, Listing, Shelf, listing_of
from acoio.wanted import is_folder

_DAY: Final = timedelta(days=1)
_MOST_FOLDERS: Final = 64  # listings kept: a month and its neighbours


@dataclass(frozen=True, slots=True, order=True)
class Found:
    """A file and what its name says.

    `copy` says that it is WAV, FLAC or MP3: its rate is in the file, not in the name.
    """

    name: FileName
    path: Path
    copy: bool = False


class Catalogue:
    """The recordings below a folder, and their copies, by the times in their names.

    A folder is listed once, and again when it changes (its modification time).

    Raises
    ------
    NotReadyError
        If there is no such folder, or one cannot be listed.
    """

    def __init__(self, basedir: Path, *, band: str = "BB") -> None:
        if not is_folder(basedir):
            raise NotReadyError(f"{basedir}: found no folder, wanted one of recordings")
        self._basedir = basedir
        self._band = band
        self._listed: OrderedDict[str, tuple[int, Listing]] = OrderedDict()

    def named(self, first: datetime, last: datetime) -> list[Found]:
        """Return the files whose names lie in the minutes from `first` to `last`, in order."""
        first, last = max(first, FIRST), min(last, LAST)
        folders = dict.fromkeys(self._folders(first, last))
        shelves = [(x, shelf) for x in folders for shelf in self._listing(x).shelves]
        if all(shelf.kind.copy for _, shelf in shelves):
            # Other recorders' folders may be of local days, their names bear an offset then.
            near = dict.fromkeys(self._folders(first - _DAY, last + _DAY)).keys() - folders
            shelves += [(x, shelf) for x in near for shelf in self._listing(x).shelves]
        named = (self._of_band(x, shelf, shelf.named(first, last)) for x, shelf in shelves)
        return sorted(file for files in named for file in files)

    def nearest(self, when: datetime) -> tuple[Found | None, Found | None]:
        """Return the files with the last name before a time and the first from it on."""
        dated = sorted(self._dated())
        k = bisect_left(dated, (f"{when:%Y/%m/%d}", ""))
        day = len(self._tops())  # folders of a day, which may be a local one
        earlier = [folder for _, folder in reversed(dated[: k + 2 * day])]
        later = [folder for _, folder in dated[max(k - day, 0) :]]
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
        return self.nearest(FIRST)[1], self.nearest(LAST)[0]

    def ignored(self) -> list[Path]:
        """Return the files that look like sound by their names, but do not say when."""
        return sorted(
            Path(folder, name) for folder in self._all() for name in self._listing(folder).ignored()
        )

    def others(self) -> list[Path]:
        """Return the folders that are not looked into, since their names are no date."""
        return sorted(
            Path(folder, name) for folder in self._all() for name in self._listing(folder).others
        )

    def forget(self) -> None:
        """List every folder again when it is next asked for."""
        self._listed.clear()

    def _tops(self) -> list[str]:
        """Return the folders that days may lie in: this one, and `HYDR024K` within."""
        base = str(self._basedir)
        inner = [name for name in self._listing(base).folders if TOP.fullmatch(name)]
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

    def _all(self) -> Iterable[str]:
        """Return every folder that files are looked for in, and those above it."""
        days = [folder for _, folder in self._dated()]
        above = (part for day in days for part in (day[:-3], day[:-6]))
        return dict.fromkeys([*days, *above, *self._undated()])

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
        nearest = max if back else min
        for folder in folders:
            shelves = self._listing(folder).shelves
            firsts = (self._first_on(folder, shelf, when, back=back) for shelf in shelves)
            if found := [first for first in firsts if first]:
                return nearest(found)
        return None

    def _first_on(self, folder: str, shelf: Shelf, when: datetime, *, back: bool) -> Found | None:
        k = shelf.before(when)
        nearer = reversed(shelf.names[:k]) if back else iter(shelf.names[k:])
        return next(self._of_band(folder, shelf, nearer), None)

    def _of_band(self, folder: str, shelf: Shelf, names: Iterable[str]) -> Iterator[Found]:
        for name, parsed in shelf.parsed(names):
            if parsed.band == self._band:
                yield Found(parsed, Path(folder, name), shelf.kind.copy)

    def _listing(self, folder: str) -> Listing:
        try:
            changed_ns = Path(folder).stat().st_mtime_ns
            known_ns, listing = self._listed.get(folder, (None, Listing()))
            if known_ns != changed_ns:
                listing = listing_of(folder)
        except (FileNotFoundError, NotADirectoryError):
            return Listing()
        except OSError as error:
            raise NotReadyError(f"{folder}: {error.strerror}") from error
        self._listed[folder] = changed_ns, listing
        self._listed.move_to_end(folder)
        if len(self._listed) > _MOST_FOLDERS:
            self._listed.popitem(last=False)
        return listing
