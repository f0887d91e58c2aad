"""Files of other recorders: their own rate and time, and true words where these are unknown."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import soundfile  # type: ignore[import-untyped]

from acoio.archive import ACOio
from acoio.audio_report import AudioReport
from acoio.errors import DataError
from acoio.join import join
from acoio.load import examine, read

from .feeds import feed, noise, write_feed

BEGIN = datetime(2024, 1, 15, 20, 0, tzinfo=UTC)
MINUTES = timedelta(minutes=5)
RATE_HZ = 8000


def _wav(folder: Path, name: str, seconds: float = 300.0, rate_hz: int = RATE_HZ) -> Path:
    rng = np.random.default_rng(len(name))
    samples = rng.integers(-999, 999, round(seconds * rate_hz)).astype(np.int16)
    soundfile.write(folder / name, samples, rate_hz)
    return folder / name


def test_another_recorder_samples_as_fast_as_it_says(tmp_path: Path) -> None:
    names = [f"20240115T12{minute:02d}00-0800.wav" for minute in (0, 5, 10)]
    pieces = [read(_wav(tmp_path, name)) for name in names]
    assert [piece.begin for piece in pieces] == [BEGIN + k * MINUTES for k in range(3)]
    assert [piece.end for piece in pieces] == [BEGIN + (k + 1) * MINUTES for k in range(3)]
    whole = join(pieces)
    assert (len(whole.samples), whole.gaps) == (3 * 300 * RATE_HZ, ())
    loaded = ACOio(tmp_path).load(BEGIN, 3 * MINUTES)
    assert np.array_equal(loaded.samples, whole.samples)
    assert (loaded.begin, loaded.end, loaded.gaps) == (BEGIN, BEGIN + 3 * MINUTES, ())
    cover = ACOio(tmp_path).coverage()
    assert (cover.seconds, cover.gaps, cover.overlaps) == (900.0, (), ())
    assert [file.seconds for file in cover.files] == [300.0] * 3


@pytest.mark.parametrize("extension", ["wav", "flac"])
def test_what_is_saved_of_it_keeps_its_rate(tmp_path: Path, extension: str) -> None:
    sound = read(_wav(tmp_path, "20240115T200000Z.wav"))[timedelta(seconds=1) :]
    sound.save(tmp_path / f"a.{extension}")
    again = read(tmp_path / f"a.{extension}")
    assert (again.begin, again.end) == (sound.begin, BEGIN + MINUTES)
    assert again.count(timedelta(seconds=100)) == 100 * RATE_HZ


def test_the_observatorys_recordings_and_copies_keep_the_measured_rate(tmp_path: Path) -> None:
    own = read(write_feed(tmp_path, feed(noise(40))))
    own.save(tmp_path / "copy.wav")
    named = _wav(tmp_path, "2024-01-15--20.00.wav", 40 * 4096 / 24_000, 24_000)
    lasts_s = 40 * 4096 / 24_000.127
    for sound in (own, read(tmp_path / "copy.wav"), read(named)):
        assert sound.duration.total_seconds() == pytest.approx(lasts_s, abs=2e-6)


def test_a_saved_copy_of_older_days_is_the_observatorys(tmp_path: Path) -> None:
    write_feed(tmp_path, feed(noise(40)))
    path = tmp_path / "copy.wav"
    read(next(tmp_path.glob("*pk"))).save(path)
    older = re.sub(rb',"ratio":[0-9.]+', lambda x: b" " * len(x[0]), path.read_bytes())
    path.write_bytes(older)
    assert read(path).true_rate_hz == pytest.approx(24_000.127)


def test_a_file_without_a_time_has_its_frames(tmp_path: Path) -> None:
    report = examine(_wav(tmp_path, "x.wav", 10))
    assert isinstance(report, AudioReport)
    assert (report.frames, report.begin) == (10 * RATE_HZ, None)
    assert "found no time in 'x.wav'" in report.fault


def test_a_file_with_two_hydrophones_has_its_frames(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "two.wav", np.random.default_rng(1).normal(size=(900, 2)), RATE_HZ)
    report = examine(tmp_path / "two.wav")
    assert isinstance(report, AudioReport)
    assert (report.frames, report.fault) == (900, "found 2 channels that differ, wanted one")


def test_a_file_of_four_hours_has_them_all(tmp_path: Path) -> None:
    report = examine(_wav(tmp_path, "20240115T120000Z.wav", 4 * 3600, 100))
    assert isinstance(report, AudioReport)
    assert report.begin is not None and report.end is not None
    assert (report.frames, report.end - report.begin) == (4 * 360_000, timedelta(hours=4))


def _local(folder: Path) -> None:
    """Write copies named ten hours before the time that their comments tell."""
    for k, name in enumerate(["20240115T100000.wav", "20240115T100500.wav"]):
        piece = read(_wav(folder, f"20240115T20{5 * k:02d}00Z.wav"))
        piece.save(folder / name)
        (folder / piece.file).unlink()


def test_files_that_are_named_in_local_time_are_told_as_that(tmp_path: Path) -> None:
    _local(tmp_path)
    with pytest.raises(
        DataError, match=r"sound in 2 of 2 files, all of other times.*2024-01-15 20"
    ):
        ACOio(tmp_path).coverage()
    with pytest.raises(DataError) as raised:
        ACOio(tmp_path).load(BEGIN)
    assert "20240115T100500.wav, 2024-01-15 20:05:00" in str(raised.value)
    assert "named for another time, 2024-01-15 10:05:00" in str(raised.value)
    assert "the last before" not in str(raised.value)


def test_what_lies_later_is_not_called_the_last_before(tmp_path: Path) -> None:
    # Its first record is a minute later than its name says: the recorder began late.
    late = read(_wav(tmp_path, "20240115T200100Z.wav", 60))
    late.save(tmp_path / "20240115T200000.wav")
    (tmp_path / late.file).unlink()
    with pytest.raises(
        DataError, match=r"nearest: the first after, .*T200000\.wav, 2024-01-15 20:01"
    ):
        ACOio(tmp_path).load(BEGIN + timedelta(seconds=20), timedelta(seconds=10))


def test_a_folder_of_files_without_times_is_not_empty(tmp_path: Path) -> None:
    _wav(tmp_path, "a.wav", 1)
    _wav(tmp_path, "b.wav", 1)
    wanted = "there are 2 sound files without a time since 2000 in the name, the first a.wav"
    with pytest.raises(DataError, match=wanted):
        ACOio(tmp_path).coverage()
    with pytest.raises(DataError, match=wanted):
        ACOio(tmp_path).load(BEGIN)


@pytest.mark.parametrize("name", ["19700101T000512Z.wav", "1970-01-01--00.05.HYD24BBpk"])
def test_a_file_of_a_clock_that_was_reset_is_told(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(DataError, match=f"1 sound file without a time since 2000.*{name}"):
        ACOio(tmp_path).coverage()
    _wav(tmp_path, "20240115T200000Z.wav", 1)
    assert ACOio(tmp_path).coverage().ignored == (tmp_path / name,)


def test_files_without_sound_are_told_with_their_reasons(tmp_path: Path) -> None:
    (tmp_path / "20240115T200000Z.wav").write_bytes(b"")
    with pytest.raises(DataError, match=r"no sound in 1 file \(.*Z\.wav: empty file\)"):
        ACOio(tmp_path).coverage()


@pytest.mark.parametrize(
    ("day", "name", "at"),
    [
        ("2024/01/15", "20240115T220000-1000.wav", datetime(2024, 1, 16, 8, tzinfo=UTC)),
        ("2024/01/16", "20240116T040000+1000.wav", datetime(2024, 1, 15, 18, tzinfo=UTC)),
    ],
)
def test_folders_of_local_days_are_searched(
    tmp_path: Path, day: str, name: str, at: datetime
) -> None:
    (tmp_path / day).mkdir(parents=True)
    _wav(tmp_path / day, name, 60)
    assert ACOio(tmp_path).load(at, timedelta(seconds=60)).gaps == ()
    with pytest.raises(DataError, match=f"nearest: the last before, .*{re.escape(name)}"):
        ACOio(tmp_path).load(at + timedelta(minutes=2), timedelta(seconds=60))
