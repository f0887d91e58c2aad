"""65: retraining that is killed, finds too little, meets another one, beside a daemon at work."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any, Final

from daemon.locks import locked
from daemon.models.registry import Registry
from daemon.retraining.state import KILLED, LOCK_FILE, read_state
from tests.daemon.retraining import bench
from tests.faults.lab import Lab
from tests.faults.registry import fault

_LINES: Final = (bench.LISTENING, bench.TRAINING_ON, bench.MEASURING)
_SOON_S: Final = 60.0


def _retrained(lab: Lab) -> tuple[int, str, str]:
    season = ("--set", "retrain.months=[2]")  # 29 February in Honolulu
    words = ("retrain", "--config", str(lab.settings), "--json", *season)
    command = [sys.executable, "-P", "-m", "daemon.cli", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_SOON_S)
    return done.returncode, done.stdout, done.stderr


@fault(
    65, "a retraining finds too little sound, and another one at work",
    how="`kilokai retrain` on a daemon's store of a few minutes, while it scores; then with the "
    "lock held",
    wanted="told in words, exit 0; 1 while another one runs; the daemon goes on and nothing of "
    "its ledger changes",
    fast=False,
)  # fmt: skip
def starved_retraining(lab: Lab) -> str:
    with lab.life() as life:
        life.ready()
        lab.put(lab.files[:2])
        code, out, _ = _retrained(lab)
        said: dict[str, Any] = json.loads(out.splitlines()[-1])
        assert (code, said["outcome"]) == (0, "too_little"), said
        with locked(lab.store / LOCK_FILE):
            code, _, err = _retrained(lab)
        assert code == 1 and "retrains already" in err
        lab.put(lab.files[2:])
        lab.all_done()
    return str(said["reasons"][0])


@fault(
    65, "a retraining is killed",
    how=f"SIGKILL after {', '.join(map(str, _LINES))} lines of progress: it listens, trains, "
    "measures; on one store, beside a daemon on another",
    wanted="the registry as it was, told as failed; the daemon scores on",
    fast=False,
)  # fmt: skip
def killed_retraining(lab: Lab) -> str:
    drop, store, old = (lab.folder / name for name in ("evenings", "retrained", "old"))
    drop.mkdir()
    bench.write_days(drop)
    bench.make_champion(old, drop)
    bench.hear(store, drop)
    with lab.life() as life:
        life.ready()
        for k, lines in enumerate(_LINES):
            lab.put(lab.files[k : k + 1])
            bench.killed_after(lines, drop, store, old)
            state = read_state(store)
            assert state is not None and state.reasons == (KILLED,)
            assert state.refused_in_a_row == k + 1
            assert Registry(store).current() is None and not Registry(store).entries()
        lab.put(lab.files[len(_LINES) :])
        lab.all_done()
    return f"killed {len(_LINES)} times"
