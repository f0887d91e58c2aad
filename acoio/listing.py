"""What a folder holds: recordings and copies, in order of the times that their names bear.

The observatory's names begin with their minute, so that they need no parsing to be
in order.  Copies (WAV, FLAC, MP3) bear theirs in many ways: each is parsed once.
"""

from __future__ import annotations

import os
import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from acoio.audio_file import FORMATS
from acoio.errors import FilenameError
from acoio.filename import FileName, name_of_copy, parse_filename

TOP: Final = re.compile(r"HYDR\d+K", re.ASCII)

FIRST: Final = datetime(2000, 1, 1, tzinfo=UTC)
LAST: Final = datetime(2100, 1, 1, tzinfo=UTC)
"""Files are looked for from `FIRST` on and before `LAST`."""

_RECORDING: Final = ".HYD"
_MINUTE: Final = timedelta(minutes=1)
_LAST: Final = frozenset("".join(x[-1] + x[-1].upper() for x in FORMATS))  # letters of copies


@dataclass(frozen=True, slots=True)
class Kind:
    """Files whose names bear a time of steps of `step`; a stamp is that time as text."""

    copy: bool
    parse: Callable[[str], FileName]
    step: timedelta
    stamp: str


RECORDINGS: Final = Kind(False, parse_filename, _MINUTE, "%Y-%m-%d--%H.%M")
COPIES: Final = Kind(True, name_of_copy, timedelta.resolution, "%Y-%m-%d--%H.%M.%S.%f")


@dataclass(frozen=True, slots=True)
class Shelf:
    """Names of a kind in order of their stamps; a name of a recording begins with its own."""

    kind: Kind
    names: Sequence[str] = ()
    stamps: Sequence[str] = ()

    def before(self, when: datetime) -> int:
        """Return how many of the names bear a time before this."""
        stamp = f"{when - timedelta.resolution + self.kind.step:{self.kind.stamp}}"
        return bisect_left(self.stamps, stamp)

    def named(self, first: datetime, last: datetime) -> Sequence[str]:
        """Return the names in the minutes from `first` to `last`."""
        edges = (edge.replace(second=0, microsecond=0) for edge in (first, last + _MINUTE))
        return self.names[slice(*map(self.before, edges))]

    def parsed(self, names: Iterable[str]) -> Iterator[tuple[str, FileName]]:
        """Yield names and what they say; a table or a picture in between is passed over.

        So is what says a time at which no file is looked for, as of a clock that was reset.
        """
        for name in names:
            try:
                parsed = self.kind.parse(name)
            except FilenameError:
                continue
            if FIRST <= parsed.begin < LAST:
                yield name, parsed


@dataclass(frozen=True, slots=True)
class Listing:
    """The files of a folder, and the folders that days may lie in.

    `odd` are names of sound files that bear no time, `others` of folders that no day lies in.
    """

    shelves: tuple[Shelf, ...] = ()
    folders: Sequence[str] = ()
    odd: Sequence[str] = ()
    others: Sequence[str] = ()

    def ignored(self) -> Iterator[str]:
        """Yield the names of sound files that are passed over, since they say no time."""
        yield from self.odd
        for shelf in self.shelves:
            known = {name for name, _ in shelf.parsed(shelf.names)}
            yield from (x for x in shelf.names if x not in known and _RECORDING in x)


def listing_of(folder: str) -> Listing:
    """Return what a folder holds; a name that begins like a date is taken for a recording."""
    names: list[str] = []
    copies: list[str] = []
    odd: list[str] = []
    folders: list[str] = []
    others: list[str] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            name = entry.name
            if name[-1] in _LAST and _is_copy(name):
                copies.append(name)
            elif name[4:5] == "-":
                names.append(name)
            elif _RECORDING in name and not name.startswith("."):
                odd.append(name)
            elif (name.isdigit() or TOP.fullmatch(name)) and entry.is_dir():
                folders.append(name)
            elif not name.startswith(".") and entry.is_dir():
                others.append(name)
    names.sort()
    shelf = _shelf(copies)
    odd += set(copies) - set(shelf.names)
    shelves = Shelf(RECORDINGS, names, names), shelf
    return Listing(tuple(x for x in shelves if x.names), sorted(folders), sorted(odd), others)


def _is_copy(name: str) -> bool:
    return os.path.splitext(name)[1].lower() in FORMATS and not name.startswith(".")  # noqa: PTH122


def _shelf(copies: Iterable[str]) -> Shelf:
    found = Shelf(COPIES).parsed(copies)
    dated = sorted((f"{parsed.begin:{COPIES.stamp}}", name) for name, parsed in found)
    return Shelf(COPIES, [name for _, name in dated], [stamp for stamp, _ in dated])
