"""However sound arrives, its scores are those of sound that came in order, to the last bit."""

import os
import time
from pathlib import Path

from tests.daemon.hearing.orders import (
    Daemon,
    in_order,
    left_in,
    orders,
    put,
    recording,
    wrong,
)

ORDERS = 40
"""So many here, in some six seconds of a processor; `make orders` plays thousands."""


def test_scores_are_the_same_however_sound_arrives(tmp_path: Path) -> None:
    bad = {seed: faults for seed, faults in orders(0, ORDERS, tmp_path) if faults}
    assert not bad


def test_new_sound_is_read_next_though_two_files_are_dated_ahead(tmp_path: Path) -> None:
    files = {name: b"".join(records) for name, records in recording(40)}
    names, drop, store = list(files), tmp_path / "drop", tmp_path / "store"
    backlog, new, ahead = names[:36], names[36:38], names[38:]
    for name in (*backlog, *ahead):
        put(drop / name, files[name])
    written_s = time.time() - 60
    for name in backlog:
        os.utime(drop / name, (written_s, written_s))
    with Daemon(drop, store) as daemon:
        while ahead[-1] not in daemon.ledger.files:
            daemon.step()
        for name in new:
            put(drop / name, files[name])
            daemon.look()
            while name not in daemon.ledger.files:
                daemon.step()
        assert not daemon.ledger.files.keys() & set(backlog)
        daemon.work()
        daemon.pipeline.finish()
    assert not wrong(left_in(daemon, store), in_order(tmp_path / "in order", files))
