"""What people and the daemon said of sound decides what may be learnt as typical."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from acoio.filename import FileName
from daemon.ledger.ledger import open_ledger
from daemon.progress import FileProgress, Step
from daemon.retraining.known import known_of
from detector.values import iso

BEGIN = datetime(2024, 6, 3, 4, tzinfo=UTC)


def event(minute: int, *, status: str = "closed") -> dict[str, Any]:
    begin = BEGIN + timedelta(minutes=minute)
    return {
        "id": f"{minute:016x}",
        "file": "2024-06-03--04.00.HYD24BBpk",
        "status": status,
        "begin": iso(begin),
        "end": iso(begin + timedelta(seconds=4)),
        "low_hz": 100.0,
        "high_hz": 300.0,
    }


def verdict(minute: int, said: str) -> tuple[str, str, str]:
    values = {"verdict": said, "at": iso(BEGIN), "call_type": "song", "note": "", "who": ""}
    return f"{minute:016x}", iso(BEGIN), json.dumps(values)


def test_confirmed_rejected_and_open_events_and_files_heard_well(tmp_path: Path) -> None:
    events = [event(1), event(2), event(3), event(4, status="open")]
    files = [
        FileProgress("2024/well", state="done"),
        FileProgress("damaged", state="done", damaged_bytes=5),
        FileProgress("aside", state="set_aside"),
        FileProgress("growing", state="pending"),
    ]
    with open_ledger(tmp_path) as ledger:
        said = (verdict(1, "confirmed"), verdict(2, "rejected"))
        ledger.commit(Step(files=tuple(files), events=tuple(events), verdicts=said), "old")
    known = known_of(tmp_path)
    (call,) = known.confirmed
    assert (call.label, call.low_hz, call.begin) == ("song", 100.0, BEGIN + timedelta(minutes=1))
    begin = BEGIN + timedelta(minutes=2)
    assert known.rejected == ((begin, begin + timedelta(seconds=4)),)
    assert known.alarms == tuple(BEGIN + timedelta(minutes=k) for k in (1, 3, 4))
    assert known.well == {"well"}
    confirmed, unfinished = known.calls
    assert confirmed == (call.begin, call.end)
    assert unfinished[0] == BEGIN + timedelta(minutes=4) < unfinished[1]


def test_an_open_event_ends_where_the_sound_was_not_heard_yet(tmp_path: Path) -> None:
    """As of a backlog that is worked off beside new sound, weeks later."""
    names = [str(FileName(BEGIN + timedelta(minutes=5 * k))) for k in range(9)]
    files = tuple(
        FileProgress(name, state="pending" if k == 3 else "done") for k, name in enumerate(names)
    )
    with open_ledger(tmp_path) as ledger:
        ledger.commit(Step(files=files, events=(event(4, status="open"),)), "old")
    ((begin, end),) = known_of(tmp_path).unfinished
    assert begin == BEGIN + timedelta(minutes=4)
    assert BEGIN + timedelta(minutes=15) <= end < BEGIN + timedelta(minutes=20)


def test_an_open_event_in_a_file_of_an_hour_is_left_out_to_its_end(tmp_path: Path) -> None:
    names = [str(FileName(BEGIN + timedelta(hours=k))) for k in range(3)]
    files = tuple(FileProgress(name, state="done") for name in names)
    with open_ledger(tmp_path) as ledger:
        ledger.commit(Step(files=files, events=(event(41, status="open"),)), "old")
    ((_, end),) = known_of(tmp_path).unfinished
    assert end >= BEGIN + timedelta(hours=3)


def test_what_was_said_of_another_hydrophone_is_left_out(tmp_path: Path) -> None:
    said = [(k, word) for k, word in enumerate(("confirmed", "rejected") * 2)]
    with open_ledger(tmp_path) as ledger:
        step = Step(
            events=tuple(event(k) for k, _ in said),
            verdicts=tuple(verdict(k, word) for k, word in said),
        )
        ledger.commit(step, "old")
    known = known_of(tmp_path)
    later = known.since(BEGIN + timedelta(minutes=2))
    assert (later.confirmed, later.rejected) == (known.confirmed[1:], known.rejected[1:])
    assert known.since(None) is known
