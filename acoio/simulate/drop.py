"""A drop of genuine files, filled from a simulated ocean."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from acoio.clock import record_us
from acoio.errors import SetupError
from acoio.filename import FileName
from acoio.header import LAYOUTS
from acoio.output import write_output
from acoio.simulate.ocean import Ocean
from acoio.simulate.settings import OceanSettings
from acoio.simulate.truth import write_truth
from acoio.writer import encode_records, record_begins_us

DEMO_BEGIN: Final = datetime(2024, 3, 1, 6, 0, tzinfo=UTC)
TRUTH_NAME: Final = "truth.csv"
FILE_S: Final = 300.0

# Real files begin 0.37 to 0.66 s before the minute in their name (docs/format.md);
# with a record every 0.171 s, this much puts each of them 0.45 to 0.62 s before it.
_LEAD_US: Final = 620_000


def simulate_drop(
    folder: Path,
    *,
    seed: int,
    minutes: float,
    begin: datetime = DEMO_BEGIN,
    settings: OceanSettings | None = None,
    layout: str = "new",
) -> Iterator[Path]:
    """Yield each five-minute file as it is written, with `truth.csv` beside them.

    The records run on without a break from file to file at the true rate; the last
    file is shorter where `minutes` are no multiple of five.

    Raises
    ------
    SetupError
        If there is nothing to simulate.
    """
    if not minutes > 0:
        raise SetupError(f"minutes: found {minutes:g}, wanted more than 0")
    if layout not in LAYOUTS:
        raise SetupError(f"layout: found {layout!r}, wanted one of {', '.join(LAYOUTS)}")
    folder.mkdir(parents=True, exist_ok=True)
    ocean = Ocean(seed, begin - timedelta(microseconds=_LEAD_US), settings)
    write_truth(folder / TRUTH_NAME, ocean.truth(_first_record(minutes * 60.0) * record_us() / 1e6))
    records = _first_record(minutes * 60.0)
    k = 0
    while (first := _first_record(k * FILE_S)) < records:
        count = min(_first_record((k + 1) * FILE_S), records) - first
        path = folder / str(FileName(begin + timedelta(seconds=k * FILE_S)))
        write_output(path, _encoded(ocean, first, count, layout))
        yield path
        k += 1


def _first_record(second: float) -> int:
    """Return the record that is the first of a file `second` after the drop's begin."""
    return math.ceil(second * 1e6 / record_us())


def _encoded(ocean: Ocean, first: int, count: int, layout: str) -> bytes:
    return encode_records(
        ocean.piece(first, count),
        begins_us=record_begins_us(ocean.begin, first, count),
        first_number=first,
        layout=layout,
    )
