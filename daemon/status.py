"""How a daemon and its store are, for an operator: looked up without a daemon's help.

`status` gives these fields, which stay as they are; times are ISO 8601 in UTC:

- `well` and `complaints`: why not, in words
- `daemon`: `running`, `held` (a process holds the store), `pid`, `station`, `drop`,
  `started`, `written` (its last sign of life), `stopped` (when its run ended, or null),
  `metrics` and `bus` (addresses), `store_full`, `drop_trouble` (why the drop cannot be
  listed, or null)
- `heard`: `newest_scored` (the end of the newest sound scored), `lag_s` (how long ago that
  is), `heard_at` (when sound was heard last), `times_real_time`
- `backlog`: `files`, `seconds` of sound, `left_s` or null if nothing goes on
- `drift`: how far the last day of sound is from the model's calibration (docs/drift.md), or
  null while that is unknown
- `alarms`: `promised_per_hour`, and what a `day` and a `week` of sound had: `per_hour`, `low`,
  `high`, `alarms`, `hours`; null while there is too little
- `files`: how many by state, as `pending`, `done`, `set_aside`
- `set_aside`: each with `name` and `reason`
- `damaged_seconds`: sound that could not be read, by the bytes that a second takes
- `model`, `threshold`
- `events`: `all`, `today` (by their begin), `last` (the newest five)
- `ledger`: `epoch`, `sequence`, `published`, `oldest` (that can be asked for again), `begun`,
  `because` (why it was begun anew, or ""), `bytes`, `aside` (damaged ones that were kept)
- `disk`: `free_bytes`, `total_bytes` of the store
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from acoio.clock import NOMINAL_RATE_HZ, from_us
from daemon.aside import moved_aside
from daemon.backlog import bytes_a_second
from daemon.database import LEDGER_FILE, LOCK_FILE
from daemon.locks import is_held
from daemon.reviews import reviewed
from daemon.soundness import wal_of
from daemon.status_file import BEATS, Said, last_said
from daemon.stored import reading
from detector.values import iso

QUIET_S: Final = 900.0  # three files of five minutes did not come, or are not heard
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
    found["backlog"] = dict(said.get("backlog") or _NO_BACKLOG)
    found["ledger"]["bytes"] = _size(store / LEDGER_FILE) + _size(wal_of(store / LEDGER_FILE))
    found["ledger"]["aside"] = moved_aside(store)
    usage = shutil.disk_usage(store)
    found["disk"] = {"free_bytes": usage.free, "total_bytes": usage.total}
    found["complaints"] = complaints(found, now)
    return {"well": not found["complaints"], **found}


def complaints(found: Mapping[str, Any], now: datetime) -> list[str]:
    """Return what is not well, in words (pure)."""
    daemon, backlog = found["daemon"], found["backlog"]
    if not daemon["running"]:
        return [_why_not_running(daemon)]
    wrong = ["the store is full: work waits for room"] if daemon["store_full"] else []
    if daemon["drop_trouble"]:
        wrong.append(f"the drop cannot be listed: {daemon['drop_trouble']}")
    since = datetime.fromisoformat(found["heard"]["heard_at"] or daemon["started"])
    quiet_s = (now - since).total_seconds()
    if quiet_s > QUIET_S:
        waiting = f"{backlog['files']} files wait" if backlog["files"] else "no new files"
        wrong.append(f"nothing heard for {quiet_s / 60:.0f} minutes: {waiting}")
    return wrong


def _why_not_running(daemon: Mapping[str, Any]) -> str:
    if daemon["stopped"]:
        return f"not running: stopped at {daemon['stopped']}"
    if daemon["held"]:
        return f"starting or stuck: last sign of life {daemon['written'] or 'none'}"
    if daemon["written"]:
        return f"not running: last sign of life {daemon['written']}"
    return "not running: it never did"


def _of_daemon(said: Said, age_s: float, *, held: bool) -> _Json:
    keys = ("pid", "station", "drop", "started", "written", "stopped", "metrics", "bus")
    lately = bool(said) and age_s <= BEATS * said["heartbeat_s"]
    running = held and lately and not said.get("stopped")
    return {
        "running": running,
        "held": held,
        **{key: said.get(key) for key in keys},
        "store_full": running and bool(said.get("store_full")),
        "drop_trouble": said.get("drop_trouble") if running else None,
    }


def _of_ledger(database: sqlite3.Connection, said: Said, now: datetime) -> _Json:
    query = "SELECT end_us, model, threshold FROM scores ORDER BY begin_us DESC LIMIT 1"
    end_us, model, threshold = database.execute(query).fetchone() or (None, None, None)
    newest = None if end_us is None else from_us(end_us)
    heard = {
        "newest_scored": newest and iso(newest),
        "lag_s": newest and (now - newest).total_seconds(),
        "heard_at": said.get("heard_at"),
        "times_real_time": said.get("times_real_time"),
    }
    return {
        "heard": heard,
        **_of_files(database, float(said.get("rate_hz") or NOMINAL_RATE_HZ)),
        "model": said.get("model") or model,
        "threshold": said.get("threshold") or threshold,
        "events": _of_events(database, now),
        "ledger": _of_messages(database),
    }


def _of_files(database: sqlite3.Connection, rate_hz: float) -> _Json:
    states = database.execute("SELECT state, count(*) FROM files GROUP BY state")
    aside = database.execute(
        "SELECT name, reason FROM files WHERE state = 'set_aside' ORDER BY name"
    )
    sums = "SELECT total(damaged_bytes + tail_bytes), total(bytes_read), total(samples_read)"
    damaged, read, samples = database.execute(f"{sums} FROM files").fetchone()
    return {
        "files": {"pending": 0, "done": 0, "set_aside": 0, **dict(states)},
        "set_aside": [{"name": name, "reason": reason} for name, reason in aside],
        "damaged_seconds": damaged / bytes_a_second(read, samples, rate_hz),
    }


def _of_events(database: sqlite3.Connection, now: datetime) -> _Json:
    (count,) = database.execute("SELECT count(*) FROM events").fetchone()
    midnight = iso(now.replace(hour=0, minute=0, second=0, microsecond=0))
    today = "SELECT count(*) FROM events WHERE begin >= ?"
    last = "SELECT id, json FROM events ORDER BY begin DESC LIMIT ?"
    return {
        "all": count,
        "today": database.execute(today, (midnight,)).fetchone()[0],
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
