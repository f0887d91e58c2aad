import shutil
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from prometheus_client import Metric, generate_latest
from structlog.testing import capture_logs

from daemon.bus.wire import Draft
from daemon.drop.arrivals import Task
from daemon.drop.listing import Seen
from daemon.metrics import Metrics
from daemon.progress import FileProgress, Outgoing
from daemon.retraining.state import State, write_state
from daemon.retraining.state_metrics import RetrainMetrics
from daemon.service.store_metrics import StoreRoom
from detector.values import Score, iso
from tests.daemon.bench import bench_on
from tests.daemon.scrapes import samples_of, value_of
from tests.detector.sounds import score

# Whatever the sound, the files and the peers are, these have no more values than are made at first.
_BOUNDED = {"outcome", "verdict", "severity", "kind", "reason", "stage", "span", "le"}
_ONE_AT_A_TIME = {"model", "version", "python", "torch", "zmq"}
_PROMTOOL = shutil.which("promtool")


def _page(metrics: Metrics) -> str:
    return generate_latest(metrics.registry).decode()


def _message(sequence: int, kind: str) -> Outgoing:
    return Outgoing(sequence, f"kilokai.v1.{kind}.aco", f"kilokai.v1.{kind}", "{}")


def _seen(name: str, size: int) -> Task:
    return Task("read", Seen(name, size, 1))


def test_every_series_is_there_from_the_start_and_has_a_base_unit() -> None:
    samples = samples_of(_page(Metrics("ocean", 3.0)))
    assert samples["kilokai_threshold",] == 3.0
    for wanted in (
        ("kilokai_scored_seconds_total",),
        ("kilokai_newest_scored_time_seconds",),
        ("kilokai_newest_arrival_time_seconds",),
        ("kilokai_files_total", "done"),
        ("kilokai_files_total", "set_aside"),
        ("kilokai_records_total", "damaged"),
        ("kilokai_events_total", "minor"),
        ("kilokai_events_total", "major"),
        ("kilokai_alerts_held_back_total",),
        ("kilokai_stage_seconds_sum", "publish"),
        ("kilokai_damaged_seconds_total",),
        ("kilokai_gap_seconds_total",),
        ("kilokai_backlog_files",),
        ("kilokai_bus_sequence",),
        ("kilokai_bus_messages_total", "heartbeat"),
        ("kilokai_bus_refused_total", "unknown_key"),
        ("kilokai_bus_refused_total", "too_many_topics"),
        ("kilokai_alarms_achieved_per_hour", "week"),
        ("kilokai_alarms_achieved_low_per_hour", "week"),
        ("kilokai_alarms_achieved_seconds", "day"),
        ("kilokai_model_load_failures_total", "golden"),
        ("kilokai_model_refused",),
        ("kilokai_retrain_outcome", "refused"),
        ("kilokai_retrain_running",),
        ("kilokai_drift_level_ratio",),
    ):
        assert samples[wanted] == 0
    assert not any(name[0].endswith("_created") for name in samples)
    own = [name[0] for name in samples if not name[0].startswith("process_")]
    assert all(name.startswith("kilokai_") for name in own)


def test_no_work_adds_a_series() -> None:
    metrics = Metrics("a", 1.0)
    before = samples_of(_page(metrics)).keys()
    metrics.take_read(FileProgress("a", records=9), FileProgress("a"), rate_hz=24_000.0, damaged=1)
    metrics.take_scores([score(0.0, 3.0)])
    metrics.take_messages([_message(1, "event"), _message(2, "gap")])
    metrics.take_events([{"status": "closed", "severity": "major"}])
    assert samples_of(_page(metrics)).keys() == before


def test_labels_are_few_and_a_model_that_no_longer_scores_is_gone() -> None:
    metrics = Metrics("a", 1.0)
    metrics.take_model("b")
    labels = {
        label for family in metrics.registry.collect() for s in family.samples for label in s.labels
    }
    assert labels - {"major", "minor", "patchlevel", "implementation"} <= _BOUNDED | _ONE_AT_A_TIME
    samples = samples_of(_page(metrics))
    assert samples["kilokai_model_info", "b"] == 1
    assert ("kilokai_model_info", "a") not in samples
    assert samples["kilokai_model_loaded_time_seconds",] == pytest.approx(time.time(), abs=60)


@pytest.mark.skipif(_PROMTOOL is None, reason="needs promtool, in Debian's package prometheus")
def test_promtool_has_nothing_to_say_of_the_page() -> None:
    done = subprocess.run(
        [str(_PROMTOOL), "check", "metrics"],
        input=_page(Metrics("a", 1.0)), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_what_cannot_be_collected_costs_only_itself_and_is_counted() -> None:
    class Broken:
        def collect(self) -> Iterator[Metric]:
            raise RuntimeError("no such thing")

    metrics = Metrics("a", 1.0)
    metrics.registry.register(Broken())
    with capture_logs() as said:
        _page(metrics)
        samples = samples_of(_page(metrics))
    assert samples["kilokai_threshold",] == 1.0
    assert samples["kilokai_collect_failures_total",] >= 1
    assert [line["reason"] for line in said] == ["RuntimeError('no such thing')"]


def test_speed_is_sound_per_time_spent() -> None:
    metrics = Metrics("a", 1.0)
    with metrics.stage("read"):
        pass
    metrics.take_read(FileProgress("a", records=1000), FileProgress("a"), rate_hz=24_000.0)
    ratio = value_of(metrics, "kilokai_times_real_time_ratio")
    spent_s = value_of(metrics, "kilokai_stage_seconds_sum", {"stage": "read"})
    assert ratio * spent_s == pytest.approx(170.6657, rel=1e-3)
    assert value_of(metrics, "kilokai_heard_seconds_total") == pytest.approx(170.6657, rel=1e-3)


@pytest.mark.parametrize("at_once", [1, 3, 60])
def test_scored_seconds_count_overlapping_windows_once_however_they_come(at_once: int) -> None:
    metrics = Metrics("a", 10.0)
    scores = [score(float(k), 0.0) for k in range(60)]
    for k in range(0, 60, at_once):
        metrics.take_scores(scores[k : k + at_once])
    total = value_of(metrics, "kilokai_scored_seconds_total")
    assert total == pytest.approx(59 + 2.048)
    metrics.take_scores([score(-100.0, 0.0)])
    late = value_of(metrics, "kilokai_scored_seconds_total")
    assert late == pytest.approx(59 + 2 * 2.048)


def test_scored_seconds_count_overlapping_windows_once_where_two_lanes_come_by_turns() -> None:
    metrics = Metrics("a", 10.0)
    for k in range(20):
        metrics.take_scores([score(float(k), 0.0)])
        metrics.take_scores([score(40.0 * k + j - 10_000, 0.0) for j in range(40)])
        if k == 10:  # and what a gap left out, heard in between
            metrics.take_scores([score(5000.0, 0.0), score(5001.0, 0.0)])
    total = value_of(metrics, "kilokai_scored_seconds_total")
    assert total == pytest.approx(19 + 2.048 + 799 + 2.048 + 1 + 2.048)


def test_damage_is_told_in_seconds_of_the_sound_that_was_lost() -> None:
    metrics = Metrics("a", 1.0)
    read = FileProgress(
        "a", bytes_read=12_000_000, samples_read=6_000_000, records=1465, damaged_bytes=480_000
    )  # 1.92 bytes a sample
    metrics.take_read(read, FileProgress("a"), rate_hz=24_000.0, damaged=3)
    assert value_of(metrics, "kilokai_damaged_seconds_total") == pytest.approx(
        480_000 / 1.92 / 24_000, rel=1e-4
    )
    assert value_of(metrics, "kilokai_records_total", {"outcome": "damaged"}) == 3


def test_only_what_is_new_or_grew_has_arrived() -> None:
    metrics = Metrics("a", 1.0)
    arrivals = []
    for tasks, whole in (
        ([_seen("a", 10)], True),
        ([_seen("a", 10)], True),
        ([_seen("a", 20)], False),
        ([_seen("a", 20), _seen("b", 5)], True),
        ([_seen("b", 5)], True),
        ([Task("close", Seen("b", 9, 1))], True),
    ):
        metrics.newest_arrival.set(0)
        metrics.take_waiting(tasks, all_of_them=whole)
        arrivals.append(value_of(metrics, "kilokai_newest_arrival_time_seconds") > 0)
    assert arrivals == [True, False, True, True, False, False]


def test_messages_are_counted_by_kind_and_timed_from_their_record_and_their_sound() -> None:
    metrics = Metrics("a", 1.0)
    metrics.take_messages([_message(7, "model")])  # of no record
    with metrics.step():
        metrics.take_messages([_message(8, "event"), _message(9, "event")])
    metrics.take_drafts([Draft("event", iso(datetime.now(UTC)), {}), Draft("model", "", {})])
    assert value_of(metrics, "kilokai_bus_sequence") == 9
    assert value_of(metrics, "kilokai_bus_messages_total", {"kind": "event"}) == 2
    assert value_of(metrics, "kilokai_record_to_message_seconds_count") == 2
    assert value_of(metrics, "kilokai_event_delay_seconds_count") == 1
    assert value_of(metrics, "kilokai_event_delay_seconds_sum") < 60


@pytest.mark.usefixtures("loud")
def test_a_restart_knows_until_when_sound_was_scored(full_drop: Path, tmp_path: Path) -> None:
    with bench_on(full_drop, tmp_path / "store") as bench:
        bench.work()
        newest = value_of(bench.metrics, "kilokai_newest_scored_time_seconds")
        assert value_of(bench.metrics, "kilokai_record_to_message_seconds_count") > 0
    with bench_on(full_drop, tmp_path / "store") as bench:
        bench.metrics.take_up(bench.ledger)
        bench.metrics.take_scores([score(0.0, 0.0)])  # of an earlier day
        assert value_of(bench.metrics, "kilokai_newest_scored_time_seconds") == newest > 0


def test_sound_that_is_dated_ahead_is_counted_and_is_not_the_newest() -> None:
    metrics, now = Metrics("a", 1.0), datetime.now(UTC)
    ahead = now + timedelta(days=1500)
    for found, begin in ((1.0, ahead), (77.0, now), (2.0, ahead + timedelta(seconds=1))):
        bands = np.zeros(4, np.float32)
        end = begin + timedelta(seconds=2)
        metrics.take_scores([Score(begin, end, found, 2.0, bands, bands, bands, "a", 0)])
    assert value_of(metrics, "kilokai_last_score") == 77.0
    newest = value_of(metrics, "kilokai_newest_scored_time_seconds")
    assert newest == pytest.approx(now.timestamp() + 2)


def test_the_stores_room_is_known_before_the_first_scrape(tmp_path: Path) -> None:
    metrics = Metrics("a", 1.0)
    StoreRoom(tmp_path, metrics)
    free = value_of(metrics, "kilokai_store_free_bytes")
    assert 0 < free <= value_of(metrics, "kilokai_store_size_bytes")


def test_how_the_last_retraining_ended_is_told_and_a_broken_file_is_none(tmp_path: Path) -> None:
    metrics = Metrics("a", 1.0)
    chore = RetrainMetrics(tmp_path, metrics)
    chore.do(0.0)
    assert value_of(metrics, "kilokai_retrain_last_end_time_seconds") == 0
    state = State().ended(
        "2026-11-22T10:00:00.000000Z", "refused", reasons=("too loud",), candidate="x"
    )
    write_state(tmp_path, state)
    chore.do(100.0)
    assert value_of(metrics, "kilokai_retrain_outcome", {"outcome": "refused"}) == 1
    assert value_of(metrics, "kilokai_retrain_outcome", {"outcome": "accepted"}) == 0
    assert value_of(metrics, "kilokai_retrain_refused_in_a_row") == 1
    assert value_of(metrics, "kilokai_retrain_too_little_in_a_row") == 0
    assert value_of(metrics, "kilokai_retrain_last_end_time_seconds") == 1795341600
    (tmp_path / "retrain.json").write_text("[")
    chore.do(200.0)
    assert value_of(metrics, "kilokai_retrain_outcome", {"outcome": "refused"}) == 0
