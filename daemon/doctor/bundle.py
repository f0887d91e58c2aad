"""All that a bug report needs in one file, without what nobody else may know."""

from __future__ import annotations

import io
import json
import tarfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from acoio.errors import NotReadyError
from daemon.config import PREFIX, Config, ConfigError, Loaded, read_config
from daemon.doctor.finding import in_time
from daemon.doctor.scrape import last_logs, scrape
from daemon.doctor.secrets import HIDDEN, Cleaner, known_secrets
from daemon.doctor.versions import installed
from daemon.errors import plain
from daemon.health.status import status
from daemon.health.status_file import last_said
from daemon.ledger.stored import reading
from daemon.models.registry import Registry
from daemon.retraining.state import STATE_FILE
from daemon.settings.effective import effective
from daemon.settings.keys import keys

_PIECE_S: Final = 20.0
_LAST_ASIDE: Final = 50
_TOLD_MODELS: Final = 5
_Get = Callable[[], Any]
_Pieces = Iterable[tuple[str, Any]]


class _Several(dict[str, Any]):
    """Several pieces that are found together, by their names."""


def pack(
    path: Path | None,
    sets: Sequence[str],
    environ: Mapping[str, str],
    examined: Mapping[str, Any],
) -> bytes:
    """Return the bundle, a tar.gz: each piece as it is found, cleaned of secrets."""
    loaded = _loaded(path, sets, environ)
    config = loaded.config if loaded else None
    cleaner = Cleaner(known_secrets(config, path, sets, environ))
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        _add(tar, "doctor.json", cleaner.value(examined))
        for name, get in _wanted(loaded, path, environ):
            for part, piece in _had(name, get):
                text = isinstance(piece, str)
                _add(tar, part, cleaner.text(piece) if text else cleaner.value(piece))
    return packed.getvalue()


def _had(name: str, get: _Get) -> _Pieces:
    """Return the pieces that can be had, by their names, or in words why there are none.

    Whatever is wrong with one, the others are still worth having.
    """
    try:
        found = in_time(get, name, _PIECE_S)
    except FileNotFoundError:
        return []
    except Exception as error:
        return [(name, {"error": f"{type(error).__name__}: {error}"})]
    return list(found.items()) if isinstance(found, _Several) else [(name, found)]


def _add(tar: tarfile.TarFile, name: str, piece: Any) -> None:
    text = piece if isinstance(piece, str) else json.dumps(piece, indent=2, default=str) + "\n"
    data = text.encode("utf-8", "backslashreplace")
    member = tarfile.TarInfo(f"kilokai-bundle/{name}")
    member.size, member.mtime, member.mode = len(data), int(time.time()), 0o644
    tar.addfile(member, io.BytesIO(data))


def _loaded(path: Path | None, sets: Sequence[str], environ: Mapping[str, str]) -> Loaded | None:
    try:
        return in_time(lambda: read_config(path, sets, environ), "config", _PIECE_S)
    except (ConfigError, NotReadyError):  # doctor.json tells why
        return None


def _wanted(
    loaded: Loaded | None, path: Path | None, environ: Mapping[str, str]
) -> Iterator[tuple[str, _Get]]:
    """Yield the name of each piece, and what gives it: a text, plain values, or several."""
    yield "versions.json", installed
    yield "environment.json", lambda: _environment(environ)
    if path is not None:
        yield "kilokai.toml", lambda: _text(path)
    yield "log.jsonl", last_logs
    if loaded is not None:
        yield "config.json", lambda: effective(loaded)
        yield from _of_store(loaded.config)


def _text(path: Path) -> str:
    return path.read_text("utf-8", "replace")


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what of the environment is ours; of what is no key, only the name."""
    known = {f"{PREFIX}{key.path.replace('.', '__')}".upper() for key in keys()}
    return {
        name: value if name.upper() in known else HIDDEN
        for name, value in sorted(environ.items())
        if name.startswith(PREFIX)
    }


def _of_store(config: Config) -> Iterator[tuple[str, _Get]]:
    store = config.store.path
    yield "metrics.txt", lambda: scrape(config, str(last_said(store)[0].get("metrics") or ""))
    yield "status.json", lambda: status(store)
    yield "ledger.json", lambda: _ledger(store)
    yield STATE_FILE, lambda: _text(store / STATE_FILE)
    yield "models.json", lambda: _models(store)


def _ledger(store: Path) -> dict[str, Any]:
    """Return a ledger's tables, how many rows each has, and why files were set aside last."""
    aside = "SELECT name, reason FROM files WHERE state = 'set_aside' ORDER BY rowid DESC LIMIT ?"
    with reading(store) as database:
        schema = dict(database.execute("SELECT name, sql FROM sqlite_master WHERE sql NOT NULL"))
        tables = [name for (name,) in database.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table'")]  # fmt: skip
        rows = {
            name: database.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in tables
        }
        last = [
            {"name": plain(name), "reason": plain(reason)}
            for name, reason in database.execute(aside, (_LAST_ASIDE,))
        ]
        meta = dict(database.execute("SELECT key, value FROM meta WHERE key NOT LIKE 'lane.%'"))
    return {"meta": meta, "rows": rows, "set_aside": last, "schema": schema}


def _models(store: Path) -> _Several:
    """Return card and verdict of the newest models, and how the champion changed."""
    registry = Registry(store)
    entries, switches = registry.entries(), registry.history()
    found = _Several()
    found["models.json"] = {
        "current": [entry.id for entry in entries if entry.champion],
        "faults": {entry.id: entry.fault for entry in entries if entry.fault},
        "history": [str(switch) for switch in switches],
    }
    for entry in entries[:_TOLD_MODELS]:
        found[f"models/{entry.id}/card.json"] = dict(entry.card)
        if entry.verdict:
            found[f"models/{entry.id}/verdict.json"] = entry.verdict.as_json()
    return found
