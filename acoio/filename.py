"""File name ↔ begin, sampling rate and band.

Source: the observatory's names, `YYYY-MM-DD--HH.MM.HYD24BBpk`, in UTC.  The
header does not hold the sampling rate; the extension does, in kHz.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePath

from acoio.errors import FilenameError

_NAME = re.compile(
    r"(?P<begin>\d{4}-\d{2}-\d{2}--\d{2}\.\d{2})\.HYD(?P<khz>\d{2,3})(?P<band>BB|HF)pk",
    re.ASCII,
)
_STAMP = "%Y-%m-%d--%H.%M"
_WANTED = "YYYY-MM-DD--HH.MM.HYD24BBpk (UTC; BB or HF; rate in kHz)"


@dataclass(frozen=True, slots=True, order=True)
class FileName:
    """What a file's name says: the UTC minute, the rate (Hz) and the band."""

    begin: datetime
    rate_hz: float = 24_000.0
    band: str = "BB"

    def __str__(self) -> str:
        return f"{self.begin.astimezone(UTC):{_STAMP}}.HYD{self.rate_hz / 1000:.0f}{self.band}pk"


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
    rate_hz = 1000.0 * int(match["khz"])
    if rate_hz == 0:
        raise FilenameError(f"file name: found {name!r}, wanted a sampling rate above 0 kHz")
    return FileName(begin, rate_hz, match["band"])
