"""The main job on real sound: files in, events out over TCP, metrics, a line for each."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from daemon.client import Subscriber
from daemon.demo.child import daemon_process
from daemon.ledger.stored import stored_events, stored_files
from tests.daemon.conftest import until
from tests.shared import needs_recordings, real_files

pytestmark = needs_recordings


def test_real_minutes_give_events_over_tcp_metrics_and_lines_in_the_store(tmp_path: Path) -> None:
    drop, store, config = tmp_path / "drop", tmp_path / "store", tmp_path / "kilokai.toml"
    drop.mkdir()
    config.write_text(
        f"[drop]\npath = {json.dumps(str(drop))}\nsettle_s = 0.5\nrescan_s = 0.5\n"
        f"[store]\npath = {json.dumps(str(store))}\n"
    )
    with daemon_process(config, log=tmp_path / "log") as child:
        child.wait_ready()
        with Subscriber(child.publish, child.replay, timeout=0.2) as subscriber:
            received = list(subscriber)
            for path in real_files():
                shutil.copy(path, tmp_path / path.name)
                (tmp_path / path.name).rename(drop / path.name)
            until(lambda: [f["state"] for f in stored_files(store)] == ["done", "done"])
            received += list(subscriber)
        page = child.page()
        assert child.stop() == 0
    closed = {e["id"]: e for e in received if e["status"] == "closed"}
    kept = {e["id"]: e for e in stored_events(store) if e["status"] == "closed"}
    assert len(closed) > 3
    assert closed == kept
    assert {e["status"] for e in received} == {"open", "closed"}
    assert {e["file"] for e in received} == {path.name for path in real_files()}
    scored = next(x for x in page.splitlines() if x.startswith("kilokai_scored_seconds_total"))
    assert float(scored.split()[1]) > 400
