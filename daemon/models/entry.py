"""A model of the registry as its files say, read without loading it; its hash is checked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acoio.errors import DataError
from daemon.models.verdict import FILE, Verdict
from detector.files import LARGEST_BYTES, read_regular
from detector.scoring.fingerprint import CARD, TENSORS, sha256_of_model


@dataclass(frozen=True, slots=True)
class Entry:
    """A model of the registry, as its files say; `fault` is what is wrong with them."""

    id: str
    folder: Path
    champion: bool
    card: Mapping[str, Any]
    verdict: Verdict | None
    fault: str = ""

    @property
    def rate_hz(self) -> float | None:
        """The sampling rate it scores, or None if its card does not say."""
        try:
            return float(self.card["features"]["rate_hz"])
        except (LookupError, TypeError, ValueError, OverflowError):
            return None


def entry_of(folder: Path, champion: str | None, *, registered: bool = True) -> Entry:
    """Return the entry of a model's folder, whatever it holds.

    One that is not registered has no verdict.
    """
    card, faults = _object(folder / CARD)
    verdict, more = _verdict(folder) if registered else (None, "")
    broken = "" if faults else _broken(folder, card)
    fault = "; ".join(filter(None, (faults, broken, more)))
    return Entry(folder.name, folder, folder.name == champion, card, verdict, fault)


def _verdict(folder: Path) -> tuple[Verdict | None, str]:
    """Return what was decided of a model, and what was wrong with that."""
    values, fault = _object(folder / FILE)
    try:
        return (None if fault else Verdict.from_json(values)), fault
    except DataError as error:
        return None, str(error)


def _broken(folder: Path, card: Mapping[str, Any]) -> str:
    """Return in words that a model's files are not what its card says, if so."""
    try:
        found = sha256_of_model(card, read_regular(folder / TENSORS, LARGEST_BYTES))
    except OSError as error:
        return f"{TENSORS}: {error.strerror}"
    except RecursionError as error:
        return f"{CARD}: {error}"
    wanted = card.get("sha256")
    return "" if found == wanted else f"found SHA-256 {found}, wanted {wanted}"


def _object(path: Path) -> tuple[dict[str, Any], str]:
    """Return the JSON object of a file, and what was wrong with it."""
    try:
        values = json.loads(read_regular(path))
    except OSError as error:
        return {}, f"{path.name}: {error.strerror}"
    except (ValueError, RecursionError) as error:
        return {}, f"{path.name}: no JSON: {error}"
    return (values, "") if isinstance(values, dict) else ({}, f"{path.name}: found no object")


def stamp_of(folder: Path) -> tuple[tuple[int, ...], ...]:
    """Return what is another whenever the files of a model are.

    Raises
    ------
    OSError
        If they change as we look.
    """
    stats = [file.lstat() for file in sorted(folder.glob("*"))]
    return tuple((s.st_ino, s.st_size, s.st_mtime_ns, s.st_ctime_ns) for s in stats)
