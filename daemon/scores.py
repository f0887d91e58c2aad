"""The scores of all sound that a station heard, whether or not anything was found in it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acoio.clock import to_us
from daemon.ledger.evidence_tables import US_A_DAY
from daemon.ledger.stored import reading


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Windows in order of time, (n,): `begin` and `end` UTC, `score` and `threshold` in nats.

    `model` is the one that scored each; a window that two models scored is there twice.
    """

    begin: NDArray[np.datetime64]
    end: NDArray[np.datetime64]
    score: NDArray[np.float64]
    threshold: NDArray[np.float64]
    model: NDArray[Any]

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.score)


def load(store: Path, begin: datetime, end: datetime) -> Scores:
    """Return the scores of windows that begin in [begin, end), UTC if naive.

    Days that are over come from the files in `scores` of the store, the current one,
    and what came late, from the ledger; a daemon may be running.

    Raises
    ------
    SetupError
        If there is no ledger that can be read.
    """
    import pyarrow as pa  # here, because the daemon imports what is above without it

    from daemon.evidence.score_files import day_path, ledger_table, merged, read_day

    first, last = to_us(begin), to_us(end)
    with reading(store) as database:
        newest = ledger_table(database, first, last)
    days = range(first // US_A_DAY, math.ceil(last / US_A_DAY))
    paths = (store / day_path(day) for day in days)
    files = [read_day(path) for path in paths if path.exists()]
    table = merged(pa.concat_tables(files), newest) if files else newest
    begins = table["begin"].cast(pa.int64()).to_numpy()
    inside = (begins >= first) & (begins < last)
    columns = [_array(table[name])[inside] for name in table.column_names]
    return Scores(*columns)


def _array(column: Any) -> NDArray[Any]:
    """Return a column as an array; times without their zone, which numpy does not have."""
    import pyarrow as pa

    if pa.types.is_timestamp(column.type):
        return np.asarray(column.cast(pa.int64()).to_numpy().astype("datetime64[us]"))
    return np.asarray(column.to_numpy())
