"""All faults, by the chapters of the catalogue."""

from tests.faults import (
    arrival,
    bus,
    drop_changes,
    hostile,
    intruders,
    kills,
    ledgers,
    models,
    odd,
    power,
    process,
    resets,
    retrains,
    stalls,
    storage,
)

__all__ = [
    "arrival",
    "bus",
    "drop_changes",
    "hostile",
    "intruders",
    "kills",
    "ledgers",
    "models",
    "odd",
    "power",
    "process",
    "resets",
    "retrains",
    "stalls",
    "storage",
]
