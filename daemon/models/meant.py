"""Which model a text of the command line means."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from acoio.errors import SetupError
from daemon.errors import plain
from daemon.models.entry import Entry, entry_of
from daemon.models.registry import Registry
from daemon.models.verdict import Verdict
from daemon.options import Config
from detector.values import iso

_LEAST_PREFIX: Final = 4


def configured(config: Config) -> str:
    """Return what the model of the configuration is called, for who reads it."""
    return f"detector.model ({plain(config.detector.model)})"


def shown(registry: Registry, text: str, config: Config) -> Entry:
    """Return the model that a text means, also one that is not registered, to look at it.

    It is `current`, an id, the beginning of one, a model's folder, or a pretrained name.
    Without a champion `current` is the model of the configuration.

    Raises
    ------
    SetupError
        If there is none, it is damaged, or the text may mean several.
    """
    from detector.files import PRETRAINED, model_folder
    from detector.scoring.checkpoint import is_model

    if text == "current" and registry.champion() is None:
        text = config.detector.model
    if text == PRETRAINED or is_model(Path(text)):
        return entry_of(model_folder(text), None, registered=False)
    return _one(registry, text)


def candidate(registry: Registry, text: str, config: Config) -> Entry:
    """Return the model that a text means, to promote it.

    A folder or a pretrained name is registered first.

    Raises
    ------
    SetupError
        If there is none, it is damaged, or for another rate than the station's.
    """
    from daemon.models.chosen import station_rate_hz
    from detector.files import PRETRAINED, model_folder
    from detector.scoring.checkpoint import is_model, read_model

    folder, wanted_hz = model_folder(text), station_rate_hz(config)
    if folder.resolve().parent == registry.path.resolve():
        text, outside = folder.name, False  # its golden scores were made when it came in
    else:
        outside = text == PRETRAINED or is_model(folder)
    entry = entry_of(folder, None, registered=False) if outside else _one(registry, text)
    if wanted_hz is not None and entry.rate_hz not in (None, wanted_hz):
        raise SetupError(
            f"{plain(entry.folder)}: found a model for {entry.rate_hz:g} Hz, wanted "
            f"{wanted_hz:g} Hz as {configured(config)}"
        )
    if not outside:
        return entry
    known = entry_of(registry.folder(read_model(folder).id), None)
    verdict = known.verdict or _by_hand(registry.champion(), unread=known.folder.is_dir())
    model = registry.register(folder, verdict)
    return entry_of(registry.folder(model), None)


def _one(registry: Registry, text: str) -> Entry:
    """Return the model that a text means: `current`, an id, or the beginning of one.

    Raises
    ------
    SetupError
        If there is none, or more than one.
    """
    entries = registry.entries()
    wanted = registry.current() if text == "current" else text
    found = [entry for entry in entries if entry.id == wanted]
    if not found and wanted and len(wanted) >= _LEAST_PREFIX:
        found = [
            entry
            for entry in entries
            if entry.id.startswith(wanted) or entry.id.rpartition("-")[2].startswith(wanted)
        ]
    if len(found) != 1:
        from detector.files import PRETRAINED

        names = [entry.id for entry in found or entries] + [PRETRAINED] * (not found)
        known = ", ".join(names)
        nor = " (it is no model's folder either)" if Path(text).is_dir() else ""
        raise SetupError(f"{plain(registry.path)}: found {known}, wanted one model {text!r}{nor}")
    return found[0]


def _by_hand(champion: str | None, *, unread: bool) -> Verdict:
    """Return the verdict of a model that is taken in; `unread`: it was judged, who knows how."""
    why = "what the gate said of it could not be read" if unread else "no gate judged it"
    reasons, now = (f"taken in by hand: {why}",), iso(datetime.now(UTC))
    return Verdict(accepted=not unread, reasons=reasons, champion=champion or "", decided=now)
