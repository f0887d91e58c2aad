"""Scores and events of files, without a daemon or a store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final

from acoio.audio_file import is_audio
from acoio.errors import DataError, FilenameError, NotReadyError
from acoio.filename import parse_filename
from acoio.reader import read_chunks
from acoio.wanted import is_folder, is_there
from daemon.drop.listing import is_recording, scan
from daemon.events.bouts import ENOUGH, with_bouts
from daemon.hearing.ears import Ear
from daemon.names import path_of
from detector.scoring.listen import Heard
from detector.values import event_json, gap_json, score_json

_OTHERS: Final = "files of other recorders cannot be scored yet"


@dataclass
class Findings:
    """What files gave: scores in order, the newest revision of each event, what failed."""

    scores: list[dict[str, Any]] = field(default_factory=list)
    events: dict[str, dict[str, Any]] = field(default_factory=dict)
    gaps: list[dict[str, Any]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def take(self, heard: Heard) -> None:
        """Add what was heard."""
        self.scores += [score_json(score) for score in heard.scores]
        self.gaps += [gap_json(gap) for gap in heard.gaps]
        found = with_bouts([event_json(event) for event in heard.events], self)
        self.events.update((event["id"], event) for event in found)

    def event(self, event_id: str) -> dict[str, Any] | None:
        """Return the newest revision of an event, or None."""
        return self.events.get(event_id)

    def events_before(self, begin: str) -> Iterator[dict[str, Any]]:
        """Yield the newest events that begin earlier, newest first, up to `ENOUGH`."""
        newest = islice(reversed(self.events.values()), ENOUGH)
        return (event for event in newest if event["begin"] < begin)

    def as_json(self) -> dict[str, Any]:
        """Return the public part."""
        return {"scores": self.scores, "events": list(self.events.values()), "gaps": self.gaps}


def recordings(paths: Iterable[Path], *, band: str) -> list[tuple[str, Path]]:
    """Return the files of paths and folders with the name each goes by, in order of time.

    In a folder, the other hydrophone's files (by `band`) are left out; a folder in it that is
    closed to us goes along, so that it is reported.

    Raises
    ------
    NotReadyError
        If a folder cannot be listed.
    """
    found: list[tuple[str, Path]] = []
    for path in paths:
        if is_folder(path):
            names = [seen.name for seen in scan(path) if seen.closed or _is_of(seen.name, band)]
            found += [(name, path / path_of(name)) for name in names]
        else:
            found.append((path.name, path))
    return sorted(found, key=lambda pair: (pair[1].name, pair[0]))


def _is_of(name: str, band: str) -> bool:
    if not is_recording(name):
        return False
    try:
        return parse_filename(name).band == band
    except FilenameError:
        return True  # so that it is told


def score_files(
    files: Iterable[tuple[str, Path]], ear: Ear, rate_hz: float, *, told: Callable[[str], None]
) -> Findings:
    """Return what an ear hears in files; one that cannot be read is told, and the rest goes on."""
    findings = Findings()
    for name, path in files:
        try:
            if not is_there(path):
                raise NotReadyError(f"{path}: no such file")
            if is_folder(path):
                raise NotReadyError(f"{path}: found a folder that is closed to us")
            if (named_hz := _rate_of(path)) != rate_hz:
                found = f"{path}: found {named_hz:g} Hz in the name"
                raise DataError(f"{found}, wanted the model's {rate_hz:g} Hz")
            _score_file(path, name, ear, rate_hz, findings)
        except (DataError, NotReadyError) as error:
            findings.faults.append(str(error))
            told(str(error))
    findings.take(ear.flush())
    return findings


def nothing_in(paths: Sequence[Path], *, band: str) -> str:
    """Return that there is no recording of a band in some folders, and what is there instead."""
    names = [seen.name for path in paths for seen in scan(path)]
    text = f"found no recording of band {band} in {', '.join(map(str, paths))}"
    if others := sum(map(is_recording, names)):
        text += f"; {others} of another band: see drop.band"
    if audio := sum(map(is_audio, names)):
        text += f"; {audio} of WAV, FLAC or MP3: {_OTHERS}"
    return text


def _rate_of(path: Path) -> float:
    try:
        return parse_filename(path).rate_hz
    except FilenameError:
        found = "found no recording of the observatory by its name"
        wanted = "wanted one, as YYYY-MM-DD--HH.MM.HYD24BBpk"
        raise DataError(f"{path}: {found}, {wanted}: {_OTHERS}, whatever their names") from None


def _score_file(path: Path, name: str, ear: Ear, rate_hz: float, findings: Findings) -> None:
    complaints: list[str] = []
    records = 0
    for chunk in read_chunks(path, rate_hz=rate_hz):
        complaints += [damage.reason for damage in chunk.damages]
        records += len(chunk.records)
        heard = ear.push(chunk.records, name)
        findings.take(heard)
        if heard.fault:
            raise DataError(f"{path}: {heard.fault}")
    if not records:
        raise DataError(f"{path}: found no record: {_first(complaints)}")


def _first(complaints: Sequence[str]) -> str:
    return complaints[0] if complaints else "empty file"
