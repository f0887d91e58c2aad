"""How a daemon and its store are, for an operator: looked up without a daemon's help.

`status` gives these fields, which stay as they are; times are ISO 8601 in UTC:

- `well`, `state` in a word (those of `daemon.health.troubles`), and `complaints`: why not, in words
- `daemon`: `running`, `held` (a process holds the store), `pid`, `station`, `drop`,
  `started`, `written` (its last sign of life), `stopped` (when its run ended, or null),
  `finished` (it ended by itself, as `run --until-idle` does, and all that was there was done),
  `metrics` and `bus` (addresses), `store_full`, `drop_trouble` (why the drop cannot be
  listed, or null), `unreadable` (the `count` of files and folders of the drop that may hold
  recordings and cannot be read, and the `first` ten with `name` and `reason`),
  `model_trouble` (why the champion does not score, or null), `bus_trouble` (why nobody can
  listen, or null), `went_on_at` (when work went on last, or there was honestly none to do)
- `heard`: `newest_scored` (the end of the newest sound scored), `lag_s` (how long ago that
  is), `heard_at` (when sound was heard last), `times_real_time`, `pace` (the same over a
  quarter of an hour; null before that, and for an archive), `unscored_s` (how much sound
  was heard since a window was scored last), `dead_channel` (`begin`, `end`, `seconds` and
  `reason` of a channel that is dead, or null), `clock_off` (by how much the sampling rate is off
  by the clock of the records; 1e-6 is 1 ppm)
- `backlog`: `files`, `seconds` of sound, `left_s` or null if nothing goes on
- `drift`: how far the last day of sound is from the model's calibration (docs/drift.md), or
  null while that is unknown
- `alarms`: `promised_per_hour`, and what a `day` and a `week` of sound had: `per_hour`, `low`,
  `high`, `alarms`, `hours`; null while there is too little
- `files`: how many by state, as `pending`, `done`, `set_aside`
- `set_aside`: each with `name` and `reason`
- `damaged_seconds`: sound that could not be read, by the bytes that a second takes
- `model`, `threshold`, `model_from` (registry or detector.model), `model_since` (when it became
  champion), each null if that is unknown
- `retrain`: how it went last, as `daemon.retraining.state.State`, or null
- `config`: `reloaded` (when), `restart_for` (keys), `faults`; null if none was asked for
- `events`: `all`, `today` (by their begin) and `by_severity` of today, which begins at
  `midnight` of the station's `timezone`, `last` (the newest five)
- `ledger`: `epoch`, `sequence`, `published`, `oldest` (that can be asked for again), `begun`,
  `because` (why it was begun anew, or ""), `bytes`, `aside` (damaged ones that were kept)
- `disk`: `free_bytes`, `total_bytes` of the store
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import takewhile
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from acoio.clock import NOMINAL_RATE_HZ, from_us, true_rate_hz
from acoio.errors import AcoError
from daemon.drop.backlog import bytes_a_second
from daemon.events.reviews import reviewed
from daemon.health.status_file import BEATS, Said, last_said
from daemon.health.troubles import WELL, troubles
from daemon.ledger.aside import moved_aside
from daemon.ledger.database import LEDGER_FILE, LOCK_FILE
from daemon.ledger.newest import newest_score
from daemon.ledger.soundness import wal_of
from daemon.ledger.stored import reading
from daemon.locks import is_held
from daemon.models.registry import Registry
from daemon.retraining.state import read_state
from detector.events import SEVERITIES
from detector.values import iso

_UTC: Final = "UTC"  # where no daemon has said which day it is
_LAST_EVENTS: Final = 5
_NO_BACKLOG: Final = {"files": 0, "seconds": 0.0, "left_s": 0.0}
_Json = dict[str, Any]


def status(store: Path) -> _Json:
    """Return how a store and its daemon are, in the fields above.

    Raises
    ------
    SetupError
        If there is no ledger that can be read.
    """
    now = datetime.now(UTC)
    said, age_s = last_said(store)
    with reading(store) as database:
        found = _of_ledger(database, said, now)
    found["daemon"] = _of_daemon(said, age_s, held=is_held(store / LOCK_FILE))
    found["drift"], found["alarms"] = said.get("drift"), said.get("alarms")
    found["model_since"] = _since(store, found["model"])
    state = read_state(store)
    found["retrain"], found["config"] = state and asdict(state), said.get("config")
    found["backlog"] = dict(said.get("backlog") or _NO_BACKLOG)
    found["ledger"]["bytes"] = _size(store / LEDGER_FILE) + _size(wal_of(store / LEDGER_FILE))
    found["ledger"]["aside"] = moved_aside(store)
    usage = shutil.disk_usage(store)
    found["disk"] = {"free_bytes": usage.free, "total_bytes": usage.total}
    wrong = troubles(found["daemon"], {**said, "model": found["model"]}, now)
    return {
        "well": not wrong,
        "state": next(iter(wrong), WELL),
        "complaints": list(wrong.values()),
        **found,
    }


def _since(store: Path, model: str | None) -> str | None:
    """Return when a model became the champion, if it is."""
    try:
        switches = Registry(store).history()
    except AcoError:
        return None
    of_it = list(takewhile(lambda switch: switch.model == model, reversed(switches)))
    return of_it[-1].time if of_it else None


def _of_daemon(said: Said, age_s: float, *, held: bool) -> _Json:
    keys = ("pid", "station", "drop", "started", "written", "stopped", "metrics", "bus")
    lately = bool(said) and age_s <= BEATS * said["heartbeat_s"]
    running = held and lately and not said.get("stopped")
    return {
        "running": running,
        "held": held,
        **{key: said.get(key) for key in keys},
        "finished": not held and bool(said.get("finished")),
        "store_full": running and bool(said.get("store_full")),
        "drop_trouble": said.get("drop_trouble") if running else None,
        "unreadable": said.get("unreadable"),
        "model_trouble": said.get("model_trouble") if running else None,
        "bus_trouble": said.get("bus_trouble") if running else None,
        "went_on_at": said.get("went_on_at"),
    }


def _of_ledger(database: sqlite3.Connection, said: Said, now: datetime) -> _Json:
    end_us, model, threshold = newest_score(database) or (None, None, None)
    newest = None if end_us is None else from_us(end_us)
    if said.get("model") and said.get("threshold") is not None:
        model, threshold = said["model"], said["threshold"]
    keys = ("heard_at", "times_real_time", "pace", "unscored_s", "dead_channel", "clock_off")
    heard = {
        "newest_scored": newest and iso(newest),
        "lag_s": newest and (now - newest).total_seconds(),
        **{key: said.get(key) for key in keys},
    }
    return {
        "heard": heard,
        **_of_files(database, float(said.get("rate_hz") or NOMINAL_RATE_HZ)),
        "model": model,
        "threshold": threshold,
        "model_from": said.get("model_from"),
        "events": _of_events(database, now, said.get("timezone") or _UTC),
        "ledger": _of_messages(database),
    }


def _of_files(database: sqlite3.Connection, rate_hz: float) -> _Json:
    states = database.execute("SELECT state, count(*) FROM files GROUP BY state")
    aside = database.execute(
        "SELECT name, reason FROM files WHERE state = 'set_aside' ORDER BY name"
    )
    sums = "SELECT total(bytes_read - damaged_bytes), total(samples_read) FROM files"
    sound_bytes, samples = database.execute(sums).fetchone()
    usual = bytes_a_second(sound_bytes, samples, rate_hz)
    return {
        "files": {"pending": 0, "done": 0, "set_aside": 0, **dict(states)},
        "set_aside": [{"name": name, "reason": reason} for name, reason in aside],
        "damaged_seconds": _damaged_seconds(database, usual, rate_hz),
    }


def _damaged_seconds(database: sqlite3.Connection, usual: float, rate_hz: float) -> float:
    """Return the sound that damaged bytes would have been, by what a second takes in their file.

    Of a file without sound nothing tells, and `usual` is taken.
    """
    damaged = "damaged_bytes + tail_bytes"
    sound_s = f"samples_read / {true_rate_hz(rate_hz)}"
    own = f"({damaged}) * {sound_s} / (bytes_read - damaged_bytes)"
    seconds = f"CASE WHEN samples_read > 0 THEN {own} ELSE ({damaged}) / {usual} END"
    (found,) = database.execute(f"SELECT total({seconds}) FROM files").fetchone()
    return float(found)


def _of_events(database: sqlite3.Connection, now: datetime, timezone: str) -> _Json:
    (count,) = database.execute("SELECT count(*) FROM events").fetchone()
    local = now.astimezone(ZoneInfo(timezone))
    midnight = iso(local.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC))
    severity = "json_extract(json, '$.severity')"
    today = f"SELECT {severity}, count(*) FROM events WHERE begin >= ? GROUP BY {severity}"
    found = dict(database.execute(today, (midnight,)).fetchall())
    last = "SELECT id, json FROM events ORDER BY begin DESC LIMIT ?"
    return {
        "all": count,
        "today": sum(found.values()),
        "by_severity": {severity: found.get(severity, 0) for severity in SEVERITIES},
        "timezone": timezone,
        "midnight": midnight,
        "last": [
            _judged(database, event_id, json.loads(text))
            for event_id, text in database.execute(last, (_LAST_EVENTS,)).fetchall()
        ][::-1],
    }


def _judged(database: sqlite3.Connection, event_id: str, event: _Json) -> _Json:
    """Return an event with what was said of it last, if anything was."""
    query = "SELECT json FROM verdicts WHERE event_id = ? ORDER BY at DESC, json DESC LIMIT 1"
    said = database.execute(query, (event_id,)).fetchone()
    return reviewed(event, json.loads(said[0])) if said else event


def _of_messages(database: sqlite3.Connection) -> _Json:
    meta = dict(database.execute("SELECT key, value FROM meta"))
    (oldest,) = database.execute("SELECT min(sequence) FROM outbox").fetchone()
    return {
        "epoch": meta["epoch"],
        "sequence": int(meta["sequence"]),
        "published": int(meta["published"]),
        "oldest": int(meta["sequence"]) + 1 if oldest is None else oldest,
        "begun": meta.get("begun"),
        "because": meta.get("because", ""),
    }


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
