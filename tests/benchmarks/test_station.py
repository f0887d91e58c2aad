"""The feed that the daemon is measured on, and that its messages come within seconds."""

from pathlib import Path

import pytest

from acoio.load import read
from acoio.reader import read_chunks
from acoio.simulate import OceanSettings, simulate_drop
from benchmarks.feed import Feed, records
from benchmarks.live import record_to_message_s


@pytest.fixture(scope="module")
def feed(tmp_path_factory: pytest.TempPathFactory) -> Feed:
    song = OceanSettings(calls_per_hour=360.0, snr_db=(10.0,))
    return Feed(
        list(simulate_drop(tmp_path_factory.mktemp("song"), seed=2, minutes=4, settings=song))
    )


def test_files_of_a_feed_follow_each_other_without_a_gap(feed: Feed, tmp_path: Path) -> None:
    for k in (0, 1, 287, 288):
        name, content = feed.file(k)
        (tmp_path / name).write_bytes(content)
    begins = [read(path).begin for path in sorted(tmp_path.iterdir())]
    ends = [read(path).end for path in sorted(tmp_path.iterdir())]
    assert abs((begins[1] - ends[0]).total_seconds()) < 1e-4
    assert abs((begins[3] - ends[2]).total_seconds()) < 1e-4
    assert (begins[3] - begins[0]).total_seconds() == pytest.approx(86_400, abs=0.2)


def test_records_are_cut_where_they_begin(feed: Feed, tmp_path: Path) -> None:
    name, content = feed.file(0)
    (tmp_path / name).write_bytes(content)
    wanted = [
        r.byte for chunk in read_chunks(tmp_path / name, rate_hz=24_000) for r in chunk.records
    ]
    cut = list(records(content))
    assert b"".join(cut) == content
    assert wanted == [sum(map(len, cut[:k])) for k in range(len(cut))]


def test_a_message_comes_within_seconds_of_the_record_that_opens_its_event(
    feed: Feed, tmp_path: Path
) -> None:
    spent = record_to_message_s(feed, tmp_path, files=1, speed=60.0)
    assert len(spent) >= 3
    assert min(spent) > 0.0
    assert max(spent) < 3.0
