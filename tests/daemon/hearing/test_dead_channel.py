"""A channel that is dead: no event of silence, a gap with its reason, and well again by itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from acoio.header import HEADER_BYTES
from acoio.unpack import pack
from daemon.health.troubles import ailments
from daemon.hearing.batch import score_files
from daemon.ledger.stored import stored_events
from detector.scoring.listen import Listener
from tests.daemon.bench import Bench, bench_on, found_in
from tests.daemon.fakes import LoudnessScorer
from tests.daemon.sea import Sea

_RECORD_S = 0.1706657
_RNG = np.random.default_rng(2)
_ZEROS = np.zeros(4096, np.int32)
_DEAD: dict[str, Callable[[], Any]] = {
    "zeros": lambda: _ZEROS,
    "one count": lambda: _RNG.integers(-1, 2, 4096),
    "converter": lambda: 70_000 + np.rint(_RNG.normal(0, 1.0, 4096)).astype(np.int32),
    "full scale": lambda: np.where(_RNG.random(4096) < 0.5, -(2**23), 2**23 - 1),
}


def _dead(record: bytes, form: str) -> bytes:
    samples = np.asarray(_DEAD[form](), np.int32)
    bits = 1 if form == "zeros" else 2 if form == "one count" else 24
    return record[: HEADER_BYTES - 1] + bytes([bits]) + pack(samples, bits).tobytes()


def _dying(sea: Sea, first: int, last: int, form: str) -> Sea:
    """Return a sea whose records [first, last) are those of a dead channel."""
    records = list(sea.records)
    records[first:last] = [_dead(record, form) for record in records[first:last]]
    return Sea(sea.begin, tuple(records))


def _write(drop: Path, sea: Sea) -> list[tuple[str, Path]]:
    for name, data in sea.cut():
        (drop / name).write_bytes(data)
    return sorted((path.name, path) for path in drop.iterdir())


def _gaps(bench: Bench) -> list[dict[str, Any]]:
    messages = [json.loads(message.text) for message in bench.sent]
    return [m["data"] for m in messages if m["type"].endswith("gap")]


def _troubles(bench: Bench) -> dict[str, str]:
    dead = bench.metrics.dead
    said = {"seconds": dead.seconds, "reason": dead.reason, "begin": "then"} if dead else None
    return ailments({"dead_channel": said}, datetime.now(UTC))


@pytest.mark.parametrize("form", _DEAD)
def test_a_channel_that_dies_within_a_file_is_a_gap_and_no_event(
    sea: Sea, drop: Path, tmp_path: Path, form: str
) -> None:
    first, last = 1000, 2000
    files = _write(drop, _dying(sea, first, last, form))
    with bench_on(drop, tmp_path / "store") as bench:
        bench.work()
        bench.pipeline.finish()
        (gap,) = _gaps(bench)
        assert _troubles(bench) == {}
    scores, events = found_in(tmp_path / "store")
    begin = sea.begin.timestamp() + first * _RECORD_S
    end = sea.begin.timestamp() + last * _RECORD_S
    assert gap["reason"].startswith("dead channel: ")
    assert gap["seconds"] == pytest.approx((last - first) * _RECORD_S, abs=0.01)
    for found in (*scores, *events):
        span = [datetime.fromisoformat(str(found[edge])).timestamp() for edge in ("begin", "end")]
        assert span[1] <= begin + 0.7 or span[0] >= end + 50
    listener = Listener(LoudnessScorer(), station="aco")  # type: ignore[arg-type]
    batch = score_files(files, listener, 24_000.0, told=print)
    assert [score["begin"] for score in batch.scores] == [score["begin"] for score in scores]
    assert set(batch.events) == {event["id"] for event in events}
    assert batch.gaps == [gap]


def test_after_two_minutes_it_is_not_well_and_after_one_of_sound_it_is(
    sea: Sea, drop: Path, tmp_path: Path
) -> None:
    records = _dying(sea, 1000, 2000, "zeros").records
    (name, _), *_ = sea.cut(10)
    seen: list[tuple[int, bool]] = []
    with bench_on(drop, tmp_path / "store") as bench:
        bench.arrivals.settle_after(1e9)
        for count in range(900, len(records), 100):
            (drop / name).write_bytes(b"".join(records[: count + 1]))
            bench.work()
            seen.append((count, "dead_channel" in _troubles(bench)))
        assert stored_events(tmp_path / "store")
    ill = [count for count, dead in seen if dead]
    assert ill == list(range(1800, 2400, 100))  # 120 s after it died, and 62 s after it came back


def test_a_restart_amid_a_dead_channel_forgets_nothing(
    sea: Sea, drop: Path, tmp_path: Path
) -> None:
    _write(drop, _dying(sea, 300, 2300, "one count"))
    left, gaps, longest = 0, [], 0.0
    while not left:
        with bench_on(drop, tmp_path / "store") as bench:
            bench.metrics.take_up(bench.ledger)
            longest = max(longest, bench.metrics.dead.seconds if bench.metrics.dead else 0.0)
            left = bench.work(1)
            gaps += _gaps(bench)
    assert longest > 300
    assert [gap["seconds"] for gap in gaps] == [pytest.approx(2000 * _RECORD_S, abs=0.01)]
