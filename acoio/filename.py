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
_OURS: Final = re.compile(r"\d{4}-\d{2}-\d{2}--\d{2}\.\d{2}\.", re.ASCII)
_STAMP = "%Y-%m-%d--%H.%M"
_WANTED = "YYYY-MM-DD--HH.MM.HYD24BBpk or .HYDR24KBB (UTC; BB or HF; rate in kHz)"

# Names of copies and of other recorders: the observatory's, with or without seconds; year,
# month and day with a `T`, `-` or `_` before the time; and a year of two digits.
_DATE: Final = r"(?P<year>\d{4})(?P<dash>[_-]?)(?P<month>\d{2})(?P=dash)(?P<day>\d{2})"
_MINUTE: Final = r"(?P<hour>\d{2})(?P<colon>[.:_-]?)(?P<minute>\d{2})"
_PART: Final = r"(?:[.,](?P<part>\d{1,9})|_(?P<tail>\d{3}|\d{6}))?"  # of a second
_SECOND: Final = rf"(?P=colon)(?P<second>\d{{2}}){_PART}"
_ZONE: Final = (
    r"(?:[ _]?(?:Z|(?:UTC|GMT)?(?P<sign>[+−-])(?P<hours>(?<=UTC.|GMT.)\d|0\d|1[0-4])"
    r"(?::?(?P<minutes>00|15|30|45))?))?"
)
_STAMPS: Final = tuple(
    re.compile(rf"(?<!\d){text}{_ZONE}(?!\d)", re.ASCII | re.IGNORECASE)
    for text in (
        r"(?P<year>\d{4})-(?P<month>\d{2})-?(?P<day>\d{2})--"
        rf"(?P<hour>\d{{2}})[.:]?(?P<minute>\d{{2}})(?:\.(?P<second>\d{{2}}){_PART}(?!\d))?",
        rf"{_DATE}[T_ -]{_MINUTE}{_SECOND}",
        rf"{_DATE}T{_MINUTE}",
        rf"{_DATE.replace('{4}', '{2}').replace('[_-]', '-')}[-_]{_MINUTE}{_SECOND}",
    )
)
_WANTED_TIME: Final = "one as 2016-02-18--08.15 or 20160218T081507Z (UTC unless an offset follows)"


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

    `2016-02-18--08.15.wav`, `2016-02-18--08.15.07.flac`, `HYD_20160218T081507Z.wav`,
    `PAM_20160218_081507_250.wav`, `2016-02-18_08-15-07.wav` and `160218-081507.mp3` are
    understood.  A time is UTC, unless an offset follows: `20160217T221507-1000.wav`.
    Second 60 is the begin of the next minute.

    Raises
    ------
    FilenameError
        If it bears none, or one that is no date.
    """
    name = PurePath(path).name
    match = next((found for found in (x.search(name) for x in _STAMPS) if found), None)
    if match is None:
        raise FilenameError(f"file name: found no time in {name!r}, wanted {_WANTED_TIME}")
    try:
        return _instant(match.groupdict())
    except (ValueError, OverflowError) as error:
        raise FilenameError(f"file name: found {name!r}, which is no date: {error}") from None


def _instant(part: dict[str, str | None]) -> datetime:
    """Return the UTC time of the parts of a stamp.

    Raises
    ------
    ValueError
        If they are no date.
    """
    year, month, day, hour, minute, second, hours, minutes = (
        int(part.get(name) or 0)
        for name in ("year", "month", "day", "hour", "minute", "second", "hours", "minutes")
    )
    if second > 60:
        raise ValueError("second must be in 0..60")
    micros = int((part.get("part") or part.get("tail") or "0").ljust(6, "0")[:6])
    ahead = timedelta(hours=hours, minutes=minutes) * (-1 if part["sign"] in ("-", "−") else 1)
    century = 2000 * (len(part["year"] or "") == 2)
    at = datetime(century + year, month, day, hour, minute, tzinfo=UTC)
    return at + timedelta(seconds=second, microseconds=micros) - ahead


def is_of_observatory(path: str | PurePath) -> bool:
    """Return whether a name begins as the observatory's do, `2016-02-18--08.15.`: a copy does."""
    return _OURS.match(PurePath(path).name) is not None


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
