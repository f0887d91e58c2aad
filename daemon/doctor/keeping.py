"""Checks of what is kept: the ledger, who holds it, and how retraining goes."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

from daemon.doctor.finding import Told
from daemon.errors import plain
from daemon.health.status import status
from daemon.ledger.aside import moved_aside
from daemon.ledger.database import LEDGER_FILE, LOCK_FILE
from daemon.ledger.schema import SCHEMA_VERSION
from daemon.ledger.soundness import complaint
from daemon.ledger.stored import reading
from daemon.locks import is_held
from daemon.options import Config
from daemon.owner import user_name
from daemon.retraining.state import State, read_state
from daemon.service.requests import FOLDER, REFUSED
from detector.files import read_regular

_TIMER: Final = "kilokai-retrain.timer"
_RUNS: Final = Path("/run/systemd/system")  # there if systemd runs this machine
_ASK_S: Final = 5.0


def check_ledger(config: Config) -> Told:
    """Find whether the ledger is sound, of today's schema, and all that was asked was done."""
    store = config.store.path
    path = store / LEDGER_FILE
    if not path.exists():
        yield "ok", "none yet: the first start makes it", ""
        return
    if not os.access(store, os.W_OK):  # SQLite makes a file beside it even to read
        owner = user_name(path.stat().st_uid)
        yield "warn", f"only {owner} can examine it", f"sudo -u {owner} kilokai doctor"
        return
    if reason := complaint(path, known=True):
        yield (
            "fail",
            f"{plain(path)}: {reason}",
            ("restart: it is kept aside, and a new one made of the drop"),
        )
        return
    with reading(store) as database:
        meta = dict(database.execute("SELECT key, value FROM meta"))
    schema = f"schema {meta['schema']}"
    if meta["schema"] != str(SCHEMA_VERSION):
        schema += f", which the next start brings to {SCHEMA_VERSION}"
    yield "ok", f"sound; {schema}; message {meta['sequence']} of epoch {meta['epoch']}", ""
    if aside := moved_aside(store):
        yield "warn", f"{len(aside)} damaged ones are kept: {aside[-1]}", "look, then remove them"
    if refused := len(list((store / FOLDER).glob(f"*{REFUSED}"))):
        words = f"{refused} requests were refused (the log says why)"
        yield "warn", words, f"remove {plain(store / FOLDER)}/*{REFUSED}"


def check_daemon(config: Config) -> Told:
    """Find whether a daemon holds the store, and whether it is well."""
    store = config.store.path
    if not is_held(store / LOCK_FILE):
        yield "ok", "none runs on this store", ""
        return
    owner = _text(store / LOCK_FILE).strip() or "unknown"
    wrong = status(store)["complaints"]
    for complaint_ in wrong:
        yield "warn", f"process {owner}: {complaint_}", "kilokai status"
    if not wrong:
        yield "ok", f"process {owner} holds the store, and is well", ""


def check_retraining(config: Config) -> Told:
    """Find how the last retraining ended, and whether the next one is timed."""
    state = read_state(config.store.path)
    if state is None:
        yield "ok", "there was none yet", ""
    elif state.state == "running":
        yield "ok", f"runs since {state.begin}", ""
    elif state.outcome in ("accepted", "out_of_season"):
        yield "ok", f"{state.outcome.replace('_', ' ')} at {state.end}", ""
    elif state.outcome == "too_little":
        words = f"too little at {state.end}, {state.too_little_in_a_row} in a row{_why(state)}"
        yield "warn", words, "as in a station's first weeks; else see why"
    else:
        words = f"{state.outcome} at {state.end}, {state.refused_in_a_row} in a row{_why(state)}"
        yield "warn", words, "kilokai models list; the champion goes on"
    yield from _timer()


def _why(state: State) -> str:
    return f": {plain(state.reasons[0])}" if state.reasons else ""


def _timer() -> Told:
    if shutil.which("systemctl") is None or not _RUNS.is_dir():
        yield "ok", "no systemd here to time it", ""
        return
    asked = subprocess.run(
        ["systemctl", "is-active", _TIMER],
        capture_output=True,
        text=True,
        timeout=_ASK_S,
        check=False,
    )
    if asked.stdout.strip() == "active":
        yield "ok", f"{_TIMER} is active", ""
    else:
        yield (
            "warn",
            f"{_TIMER} is {asked.stdout.strip() or 'unknown'}",
            (f"systemctl enable --now {_TIMER}"),
        )


def _text(path: Path) -> str:
    try:
        return read_regular(path).decode("utf-8", "replace")
    except OSError:
        return ""
