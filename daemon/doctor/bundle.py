"""All that a bug report needs in one file, and nothing that is not known to be harmless."""

from __future__ import annotations

import io
import json
import sqlite3
import tarfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final
from zoneinfo import available_timezones

from acoio.errors import NotReadyError
from daemon.config import PREFIX, Config, ConfigError, Loaded, read_config
from daemon.doctor.finding import in_time
from daemon.doctor.harmless import log_lines, value
from daemon.doctor.metric_lines import metric_lines
from daemon.doctor.scrape import last_logs, scrape
from daemon.doctor.versions import needed
from daemon.health.status import status
from daemon.health.status_file import last_said
from daemon.ledger.schema import prepare
from daemon.ledger.stored import reading
from daemon.models.registry import Registry
from daemon.retraining.state import STATE_FILE
from daemon.settings.effective import effective
from daemon.settings.keys import keys

_PIECE_S: Final = 20.0
_TOLD_MODELS: Final = 5
_ORIGINS: Final = ("default", "--set")
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
    """Return the bundle, a tar.gz: of each piece what is known to be harmless."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        _add(tar, "doctor.json", value(examined))
        for name, get in _wanted(_loaded(path, sets, environ), environ):
            for part, piece in _had(name, get):
                _add(tar, part, piece)
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
        return [(name, {"error": type(error).__name__})]
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


def _wanted(loaded: Loaded | None, environ: Mapping[str, str]) -> Iterator[tuple[str, _Get]]:
    """Yield the name of each piece, and what gives it: lines, plain values, or several."""
    yield "versions.json", needed
    yield "environment.json", lambda: _environment(environ)
    yield "log.jsonl", lambda: _lines(log_lines(last_logs().splitlines()))
    if loaded is not None:
        yield "config.json", lambda: _config(loaded)
        yield from _of_store(loaded.config)


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _config(loaded: Loaded) -> dict[str, dict[str, Any]]:
    """Return what is in force: numbers and words that stand in our code, and where it is from."""
    return {
        table: {
            name: {"value": _setting(found["value"]), "from": _origin(found["from"])}
            for name, found in settings.items()
        }
        for table, settings in effective(loaded).items()
    }


def _setting(found: Any) -> Any:
    return found if isinstance(found, str) and found in available_timezones() else value(found)


def _origin(origin: str) -> str:
    if origin in _ORIGINS:
        return origin
    return "environment" if origin.startswith(PREFIX) else "file"


def _environment(environ: Mapping[str, str]) -> dict[str, Any]:
    """Return which keys the environment gives, and how many names are like ours but no keys."""
    known = {f"{PREFIX}{key.path.replace('.', '__')}".upper() for key in keys()}
    ours = {name.upper() for name in environ if name.startswith(PREFIX)}
    return {"keys": sorted(ours & known), "others": len(ours - known)}


def _of_store(config: Config) -> Iterator[tuple[str, _Get]]:
    store = config.store.path
    address = str(last_said(store)[0].get("metrics") or "")
    yield "metrics.txt", lambda: _lines(metric_lines(scrape(config, address)))
    yield "status.json", lambda: value(status(store))
    yield "ledger.json", lambda: _ledger(store)
    yield STATE_FILE, lambda: value(json.loads((store / STATE_FILE).read_bytes()))
    yield "models.json", lambda: _models(store)


def _ledger(store: Path) -> dict[str, Any]:
    """Return a ledger's schema, its newest message, and how many rows each table has."""
    with reading(store) as database:
        rows = {
            name: database.execute(f"SELECT count(*) FROM {name}").fetchone()[0]
            for name in sorted(_tables(database) & _own_tables())
        }
        states = database.execute("SELECT state, count(*) FROM files GROUP BY state")
        meta = dict(database.execute("SELECT key, value FROM meta"))
        numbers = {key: int(meta[key]) for key in ("schema", "sequence")}
        return {**numbers, "rows": rows, "files": value(dict(states))}


def _tables(database: sqlite3.Connection) -> set[str]:
    found = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    return {name for (name,) in found}


def _own_tables() -> set[str]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as database:
        prepare(database)
        return _tables(database)


def _models(store: Path) -> _Several:
    """Return card and verdict of the newest models, and how often the champion changed."""
    registry = Registry(store)
    entries = registry.entries()
    found = _Several()
    found["models.json"] = {
        "models": len(entries),
        "champion": next((k for k, entry in enumerate(entries) if entry.champion), None),
        "faults": [k for k, entry in enumerate(entries) if entry.fault],
        "switches": len(registry.history()),
    }
    for k, entry in enumerate(entries[:_TOLD_MODELS]):
        found[f"models/{k}/card.json"] = value(dict(entry.card))
        if entry.verdict:
            found[f"models/{k}/verdict.json"] = value(entry.verdict.as_json())
    return found
