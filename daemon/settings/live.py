"""Which keys a running daemon takes up, and what becomes of a new configuration (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from daemon.options import Config

_LIVE: Final = (
    "alerts.most_per_hour",
    "bus.heartbeat_s",
    "drop.settle_s",
    "drop.rescan_s",
    "evidence.",
    "retrain.",
    "store.messages_days",
)
"""All keys of a table, or one key; of retraining, the daemon itself wants none, and each
retraining reads them anew.  What is no part of these is woven into what runs: a
port that is bound, a store that is held, a network and its threshold, which a score
depends on and which therefore change at a start, or with a model, and never in between."""


@dataclass(frozen=True, slots=True)
class Change:
    """What is in force from now on; `taken` and `refused` are the keys that differed.

    `refused` ones keep their values until a restart.
    """

    config: Config
    taken: tuple[str, ...]
    refused: tuple[str, ...]


def is_live(key: str) -> bool:
    """Say whether a running daemon takes a key up."""
    return any(key == live or (live.endswith(".") and key.startswith(live)) for live in _LIVE)


def change(old: Config, new: Config) -> Change:
    """Return what a running daemon makes of a new configuration."""
    before, after = old.model_dump(), new.model_dump()
    differ = [
        f"{table}.{key}"
        for table, values in after.items()
        for key, value in values.items()
        if value != before[table][key]
    ]
    taken = tuple(key for key in differ if is_live(key))
    return Change(_with(old, after, taken), taken, tuple(key for key in differ if not is_live(key)))


def _with(old: Config, values: dict[str, dict[str, Any]], taken: tuple[str, ...]) -> Config:
    """Return a configuration with those keys of other values."""
    tables: dict[str, dict[str, Any]] = {}
    for path in taken:
        table, _, key = path.partition(".")
        tables.setdefault(table, {})[key] = values[table][key]
    update = {name: getattr(old, name).model_copy(update=new) for name, new in tables.items()}
    return old.model_copy(update=update)
