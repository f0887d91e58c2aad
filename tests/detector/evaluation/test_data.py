from pathlib import Path

import numpy as np
import pytest
import scipy.signal
import soundfile  # type: ignore[import-untyped]

from acoio.errors import DataError, SetupError
from acoio.simulate import OceanSettings, simulate_drop
from detector.evaluation import Piece, data, recorded, scored
from detector.evaluation.labels import read_labels
from detector.training.clips import Clip
from detector.training.mixing import SNRS_DB, Place
from detector.training.recordings import sounds
from tests.detector.sounds import SMALL, noise, sound
from tests.shared import ACO, needs_recordings, real_files

from .pieces import excess
from .test_labels import HEAD

HOURS = 0.1


def simulated(hours: float = HOURS, *, seed: int = 1, jobs: int = 1) -> data.Simulated:
    return data.Simulated(SMALL, hours, seed, jobs)


def clips(folder: Path, count: int = 2) -> list[Clip]:
    time_s = np.arange(8000) / 8000
    for k in range(count):
        tone = scipy.signal.chirp(time_s, 200 + 800 * k, 1, 1500 + 2000 * k)
        tone *= np.hanning(len(time_s))
        soundfile.write(folder / f"{k}.wav", np.stack([tone, tone], axis=1), 8000)
    named = [(f"{k}.wav", "low" if k == 0 else "high") for k in range(count)]
    return recorded.read_clips(folder, named, (15, 10_000))[0]


def drop(folder: Path) -> list[Path]:
    """Return five minutes of ocean without calls, as files."""
    still = OceanSettings(calls_per_hour=0, gear_per_hour=0, dc_steps_per_hour=0, ships_per_hour=0)
    return sorted(simulate_drop(folder / "drop", seed=3, minutes=5, settings=still))


def _scores(pieces: list[Piece]) -> np.ndarray:
    return np.concatenate([scored(piece, excess).scores for piece in pieces])


def test_typical_sound_has_no_calls_and_is_quiet_throughout() -> None:
    (piece,) = data.typical(simulated())
    one = scored(piece, excess)
    assert piece.calls == ()
    assert piece.quiet[0][0] < one.piece.quiet[0][1]
    assert one.hours() == pytest.approx(HOURS, abs=0.01)


@pytest.mark.timeout(300)  # spawns processes, which a busy machine makes wait
def test_sound_is_of_its_seed_and_not_of_how_many_processes_made_it() -> None:
    alone = _scores(list(data.typical(simulated())))
    np.testing.assert_array_equal(alone, _scores(list(data.typical(simulated(jobs=2)))))
    assert not np.array_equal(alone, _scores(list(data.typical(simulated(seed=2)))))


def test_calls_come_with_their_snr_and_in_blocks() -> None:
    (piece,) = data.with_calls(simulated(0.3))
    assert len(piece.calls) > 3
    assert {call.truth.snr_db for call in piece.calls} <= {-10, -5, 0, 5, 10}
    assert len({call.block for call in piece.calls}) < len(piece.calls)
    assert piece.quiet == ()


def test_clips_are_where_they_are_said_to_be(tmp_path: Path) -> None:
    (piece,) = data.with_clips(simulated(0.2), clips(tmp_path))
    assert {call.truth.snr_db for call in piece.calls} == set(SNRS_DB)
    one = scored(piece, lambda some: np.array([window.excess_db.max() for window in some]))
    assert len(one.calls()) == len(piece.calls) > 15

    def peak(snr_db: float) -> float:
        spans = [one.over(c.truth.begin, c.truth.end) for c in piece.calls
                 if c.truth.snr_db == snr_db]  # fmt: skip
        return float(np.mean([one.scores[span].max() for span in spans]))

    assert peak(10) > peak(-np.inf) + 3


def test_no_clip_is_mixed_in_where_the_background_is_silent(tmp_path: Path) -> None:
    samples = noise(1400, seed=3)
    samples[2_000_000:] = 0
    (clip, *_) = clips(tmp_path)
    places = [Place(at, 0, 0.0) for at in (1_000_000, 2_000_000 + 3 * 24_000, 3_000_000)]
    windows, calls = data.mix_into(sound(samples), [clip], places, SMALL)
    assert windows
    assert len(calls) == 1


def test_too_little_sound_to_score_is_a_wrong_setup() -> None:
    with pytest.raises(SetupError, match=r"found 0\.05, wanted 0\.1"):
        list(data.typical(simulated(0.05)))


def test_clips_that_cannot_be_used_are_named_and_none_at_all_is_an_error(tmp_path: Path) -> None:
    good = clips(tmp_path, 1)
    (tmp_path / "b.wav").write_bytes(b"no sound")
    named = [("0.wav", "x"), ("b.wav", "x"), ("c.wav", "x")]
    found, faults = recorded.read_clips(tmp_path, named, (15, 10_000))
    assert len(found) == len(good) == 1
    assert len(faults) == 2
    assert "b.wav" in faults[0]
    with pytest.raises(DataError, match=r"found no clip(.|\n)*c\.wav"):
        recorded.read_clips(tmp_path, named[1:], (15, 10_000))


def test_recordings_are_mixed_into_where_they_are_background(tmp_path: Path) -> None:
    files = drop(tmp_path)
    (tmp_path / "labels.csv").write_text(
        HEAD
        + "2024-03-01T06:01:00Z,2024-03-01T06:03:30Z,0,12000,background,\n"
        + "2024-03-01T06:04:00Z,2024-03-01T06:04:02Z,100,200,song,\n"
        + "2024-03-01T09:00:00Z,2024-03-01T09:01:00Z,0,12000,background,elsewhere\n"
    )
    labels = read_labels(tmp_path / "labels.csv")
    plain = scored(recorded.labelled(files, labels, SMALL), excess)
    assert len(plain.calls()) == 1
    found = recorded.backgrounds(files, labels, SMALL)
    assert len(found) == 1
    passes = recorded.with_clips(found, clips(tmp_path), SMALL, seed=1)
    pieces = [piece for each in passes for piece in each]
    calls = [call.truth for piece in pieces for call in piece.calls]
    assert len({(call.label, call.snr_db) for call in calls}) == 2 * len(SNRS_DB)
    begin, end = found[0][1]
    assert all(begin < call.begin < call.end < end for call in calls)
    assert len({piece.name for piece in pieces}) == 1


def test_a_recording_of_another_rate_or_of_nothing_is_refused(tmp_path: Path) -> None:
    (tmp_path / "2024-03-01--06.00.HYD24BBpk").write_bytes(b"\0" * 9000)
    with pytest.raises(DataError, match="found no record"):
        list(sounds([tmp_path / "2024-03-01--06.00.HYD24BBpk"], 24_000))
    with pytest.raises(DataError, match="found 96000 Hz, wanted the model's 24000"):
        list(sounds([tmp_path / "2024-03-01--06.00.HYD96BBpk"], 24_000))


class TestRealMinutes:
    pytestmark = needs_recordings

    def test_calls_outscore_their_background_by_excess_alone(self) -> None:
        from detector.config import FeatureSettings
        from detector.evaluation.measures import measure

        def loudness(windows: list) -> np.ndarray:  # type: ignore[type-arg]
            tops = [np.sort(w.excess_db, axis=1)[:, -6:].mean(axis=1) for w in windows]
            return np.array([np.maximum(top - 4, 0).sum() for top in tops])

        labels = read_labels(ACO / "labels.csv")
        piece = recorded.labelled(real_files(), labels, FeatureSettings())
        one = measure([scored(piece, loudness)], (), seed=1)  # type: ignore[arg-type]
        assert (one.groups[0].calls, one.calls_not_scored) == (29, 16)
        assert one.groups[0].auc is not None
        assert one.groups[0].auc.value > 0.8
