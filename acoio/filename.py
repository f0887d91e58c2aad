"""File name ↔ begin, sampling rate and band.

Source: the observatory's names, `YYYY-MM-DD--HH.MM.HYD24BBpk`, in UTC.  The
header does not hold the sampling rate; the extension does, in kHz.  Older files
are `YYYY-MM-DD--HH.MM.HYDR24KBB` and hold unpacked samples.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import PurePath
from typing import Final

from acoio.errors import FilenameError

_NAME = re.compile(
    r"(?P<begin>\d{4}-\d{2}-\d{2}--\d{2}\.\d{2})\."
    r"HYD((?P<khz>\d{2,3})(?P<band>BB|HF)pk|R(?P<older_khz>\d{2,3})K(?P<older_band>BB|HF))",
    re.ASCII,
)
HIGHEST_HZ: Final = 500_000.0
"""Recorders of the sea go to 384 kHz."""

_HF: Final = re.compile(r"\.HYD(\d{2,3}HFpk|R\d{2,3}KHF)(?![0-9A-Za-z])", re.ASCII)
_STAMP = "%Y-%m-%d--%H.%M"
_WANTED = "YYYY-MM-DD--HH.MM.HYD24BBpk or .HYDR24KBB (UTC; BB or HF; rate in kHz)"

# Names of copies in other formats: the observatory's, with or without seconds, and the
# two that recorders and their tools write most: 20181028T133000.250Z, 181028-133000.
_DAY, _CLOCK = r"(\d{2})-?(\d{2})", r"(\d{2})[.:]?(\d{2})"
_STAMPS: Final = (
    re.compile(rf"(?<!\d)(\d{{4}})-{_DAY}--{_CLOCK}(?:\.(\d{{2}})(\.\d{{1,6}})?)?(?!\d)", re.ASCII),
    re.compile(rf"(?<!\d)(\d{{4}}){_DAY}[-_T]{_CLOCK}(\d{{2}})(\.\d{{1,6}})?(?!\d)", re.ASCII),
    re.compile(rf"(?<!\d)(\d{{2}}){_DAY}[-_]{_CLOCK}(\d{{2}})(\.\d{{1,6}})?(?!\d)", re.ASCII),
)


@dataclass(frozen=True, slots=True, order=True)
class FileName:
    """What a file's name says: the UTC minute, the rate (Hz), the band, and the packing."""

    begin: datetime
    rate_hz: float = 24_000.0
    band: str = "BB"
    packed: bool = True

    def __str__(self) -> str:
        khz = f"{self.rate_hz / 1000:.0f}"
        kind = f"{khz}{self.band}pk" if self.packed else f"R{khz}K{self.band}"
        return f"{self.begin.astimezone(UTC):{_STAMP}}.HYD{kind}"


def parse_filename(path: str | PurePath) -> FileName:
    """Return the `FileName` of a path's last part.

    Raises
    ------
    FilenameError
        If the name is not of the observatory's form.
    """
    name = PurePath(path).name
    match = _NAME.fullmatch(name)
    if match is None:
        raise FilenameError(f"file name: found {name!r}, wanted {_WANTED}")
    try:
        begin = datetime.strptime(match["begin"], _STAMP).replace(tzinfo=UTC)
    except ValueError as error:
        raise FilenameError(f"file name: found {name!r}, which is no date: {error}") from None
    rate_hz = 1000.0 * int(match["khz"] or match["older_khz"])
    if not 0 < rate_hz <= HIGHEST_HZ:
        raise FilenameError(f"file name: found {name!r}, wanted a rate above 0 and up to 500 kHz")
    packed = match["khz"] is not None
    return FileName(begin, rate_hz, match["band"] or match["older_band"], packed)


def rate_of(path: str | PurePath) -> float:
    """Return the rate that the name of a recording says, in Hz.

    Raises
    ------
    FilenameError
        If it is no name of the observatory, nor the file audio.
    """
    try:
        return parse_filename(path).rate_hz
    except FilenameError as error:
        raise FilenameError(f"{error}; or .wav, .flac or .mp3") from None


def begin_of_name(path: str | PurePath) -> datetime:
    """Return the UTC time that a name of any kind of file bears.

    `2016-02-18--08.15.wav`, `2016-02-18--08.15.07.flac`, `HYD_20160218T081507Z.wav`
    and `160218-081507.mp3` are understood.

    Raises
    ------
    FilenameError
        If it bears none, or one that is no date.
    """
    name = PurePath(path).name
    for pattern in _STAMPS:
        if match := pattern.search(name):
            year, *rest = (int(part or 0) for part in match.groups()[:6])
            seconds = timedelta(seconds=float(match[7] or 0))
            try:
                minute = datetime(year + 2000 * (year < 100), *rest, tzinfo=UTC)  # type: ignore[arg-type, misc]
            except ValueError as error:
                text = f"file name: found {name!r}, which is no date: {error}"
                raise FilenameError(text) from None
            return minute + seconds
    raise FilenameError(
        f"file name: found no time in {name!r}, wanted one as YYYY-MM-DD--HH.MM (UTC)"
    )


def name_of_copy(path: str | PurePath) -> FileName:
    """Return the time and the band that the name of a copy in another format says.

    It is of the band BB unless it has the kind of an HF recording in it, as
    `2016-02-18--08.15.HYD24HFpk.wav` has.  Of the rate it says nothing: the file does.

    Raises
    ------
    FilenameError
        As `begin_of_name`.
    """
    band = "HF" if _HF.search(PurePath(path).name) else "BB"
    return FileName(begin_of_name(path), band=band)
