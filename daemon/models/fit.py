"""Whether a model of a registry may become its champion."""

from __future__ import annotations

from pathlib import Path

from daemon.models.entry import entry_of
from detector.errors import ModelError
from detector.scoring.fingerprint import CARD


def require_fit(folder: Path, champion: Path | None) -> None:
    """Raise `SetupError` unless a model scores as when it came, at the champion's rate."""
    from daemon.models.golden import load_registered

    rate_hz = load_registered(folder).features.rate_hz
    wanted_hz = entry_of(champion, None).rate_hz if champion else None
    if champion and wanted_hz is not None and rate_hz != wanted_hz:
        message = f"{folder}: found a model for {rate_hz:g} Hz, wanted {wanted_hz:g} Hz"
        raise ModelError(f"{message}, as that of {champion.name}", reason="rate")


def require_there(folder: Path) -> None:
    """Raise `SetupError` if a model is gone: somebody pruned since it was looked at."""
    if not (folder / CARD).is_file():
        raise ModelError(f"{folder}: found no model any more", reason="missing")
