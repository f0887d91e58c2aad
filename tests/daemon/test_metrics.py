import urllib.request

import pytest
from prometheus_client.parser import text_string_to_metric_families

from acoio.errors import SetupError
from daemon.metrics import Metrics, serve_metrics
from daemon.progress import FileProgress
from tests.detector.sounds import score


def _page(address: str) -> str:
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=5) as page:
        return str(page.read().decode())


def test_every_series_is_there_from_the_start_and_has_a_base_unit() -> None:
    with serve_metrics(Metrics("ocean", 3.0), "127.0.0.1:0") as address:
        samples = {
            (sample.name, *sample.labels.values()): sample.value
            for family in text_string_to_metric_families(_page(address))
            for sample in family.samples
        }
    assert samples["kilokai_threshold",] == 3.0
    for wanted in (
        ("kilokai_scored_seconds_total",),
        ("kilokai_newest_scored_time_seconds",),
        ("kilokai_files_total", "done"),
        ("kilokai_files_total", "set_aside"),
        ("kilokai_events_total", "minor"),
        ("kilokai_events_total", "major"),
        ("kilokai_alerts_held_back_total",),
        ("kilokai_stage_seconds_sum", "commit"),
        ("kilokai_damaged_bytes_total",),
        ("kilokai_gap_seconds_total",),
        ("kilokai_backlog_files",),
        ("kilokai_bus_sequence",),
        ("kilokai_bus_refused_total", "unknown_key"),
        ("kilokai_bus_refused_total", "too_many_topics"),
    ):
        assert samples[wanted] == 0
    assert not any(name[0].endswith("_created") for name in samples)
    own = [name[0] for name in samples if not name[0].startswith("process_")]
    assert all(name.startswith("kilokai_") for name in own)


def test_two_daemons_can_live_in_one_process_but_not_on_one_port() -> None:
    with serve_metrics(Metrics("a", 1.0), "127.0.0.1:0") as address:
        with (
            pytest.raises(SetupError, match=rf"metrics\.listen: found {address}: Address already"),
            serve_metrics(Metrics("b", 1.0), address),
        ):
            pass
        assert 'model="a"' in _page(address)


def test_speed_is_sound_per_time_spent() -> None:
    metrics = Metrics("a", 1.0)
    with metrics.stage("read"):
        pass
    metrics.take_read(FileProgress("a", records=1000), FileProgress("a"), rate_hz=24_000.0)
    ratio = metrics.registry.get_sample_value("kilokai_times_real_time_ratio")
    spent_s = metrics.registry.get_sample_value("kilokai_stage_seconds_sum", {"stage": "read"})
    assert ratio is not None
    assert spent_s is not None
    assert ratio * spent_s == pytest.approx(170.6657, rel=1e-3)


@pytest.mark.parametrize("at_once", [1, 3, 60])
def test_scored_seconds_count_overlapping_windows_once_however_they_come(at_once: int) -> None:
    metrics = Metrics("a", 10.0)
    scores = [score(float(k), 0.0) for k in range(60)]
    for k in range(0, 60, at_once):
        metrics.take_scores(scores[k : k + at_once])
    total = metrics.registry.get_sample_value("kilokai_scored_seconds_total")
    assert total == pytest.approx(59 + 2.048)
    metrics.take_scores([score(-100.0, 0.0)])
    late = metrics.registry.get_sample_value("kilokai_scored_seconds_total")
    assert late == pytest.approx(59 + 2 * 2.048)
