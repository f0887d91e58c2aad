"""Hours of an archive come as the windows that the daemon would make of them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest

from acoio import ACOio
from acoio.coverage import FileCover
from acoio.errors import DataError, SetupError
from acoio.simulate import OceanSettings, simulate_drop
from detector.calibration.calibrate import calibrate, require_hours
from detector.config import FeatureSettings
from detector.training.choose import Choice, Chosen, choose
from detector.training.clips import Clip
from detector.training.ocean import TYPICAL, VARIOUS, stretches
from detector.training.recordings import windows_of
from detector.training.sources import ChosenHours, SimulatedOcean, unbroken
from detector.values import Span, Window

from .sounds import BEGIN, score, window

FEATURES = FeatureSettings(past_records=24)
NOTHING = np.zeros((1, 1), np.float32)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    drop = tmp_path_factory.mktemp("drop")
    list(simulate_drop(drop, seed=3, minutes=10, settings=OceanSettings(calls_per_hour=0)))
    return drop


def hours(folder: Path, *, calls: Sequence[Span] = (), clips: Sequence[Clip] = ()) -> ChosenHours:
    files = ACOio(folder).coverage().files
    chosen = Chosen(typical=(files,), various=(files,), calibration=(files,))
    return ChosenHours(chosen, Choice(), FEATURES, calls=calls, clips=clips)


def all_of(stretches: object) -> list[Window]:
    return [window for stretch in stretches for window in stretch]  # type: ignore[attr-defined]


def test_windows_go_on_over_the_border_of_files(folder: Path) -> None:
    paths = sorted(folder.glob("*.HYD*"))
    windows = all_of(windows_of(paths, FEATURES))
    seconds = [(b.begin - a.begin).total_seconds() for a, b in itertools.pairwise(windows)]
    assert len(windows) > 580
    assert max(seconds) < 1.5
    assert {window.file for window in windows} == {path.name for path in paths}


def test_windows_in_a_known_call_are_not_typical(folder: Path) -> None:
    every = all_of(hours(folder).typical())
    begin = every[100].begin
    known = (begin, begin + timedelta(seconds=5))
    kept = all_of(hours(folder, calls=(known,)).typical())
    lost = {w.begin for w in every} - {w.begin for w in kept}
    assert 5 <= len(lost) <= 8
    assert all(begin - timedelta(seconds=3) < when < known[1] for when in lost)
    assert len(all_of(hours(folder, calls=(known,)).various())) == len(every)
    assert len(all_of(hours(folder, calls=(known,)).calibration())) == len(kept)


def test_the_card_names_the_files(folder: Path) -> None:
    about = hours(folder).about
    assert about["files"]["typical"] == sorted(path.name for path in folder.glob("*.HYD*"))
    assert about["choice"]["timezone"] == "Pacific/Honolulu"


def test_the_card_tells_spans_and_counts(folder: Path) -> None:
    about = hours(folder).about
    span = about["spans"]["various"]
    assert span["begin"].endswith("Z") and span["begin"] < span["end"]
    assert span["hours"] == pytest.approx(1 / 6, abs=0.01)
    assert (about["known_calls"], about["audio_files_left_out"]) == (0, 0)


def test_stretches_are_cut_where_a_call_was(folder: Path) -> None:
    whole = list(hours(folder).typical())
    assert len(whole) == 1
    call = (whole[0][100].begin, whole[0][100].end)
    source = hours(folder, calls=(call,))
    assert [len(list(kind())) for kind in (source.typical, source.calibration)] == [2, 2]
    assert len(list(source.various())) == 1


def test_stretches_are_cut_at_gaps_and_where_the_clock_goes_back() -> None:
    begins_s = [0.1, 1.0, 2.15, 5.0, 6.1, 60.0, 3.0, 4.0]
    told = unbroken((window(NOTHING, second) for second in begins_s), 1.0)
    assert [len(stretch) for stretch in told] == [3, 2, 1, 2]


def test_silence_within_hours_is_no_sound_to_calibrate_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def ends_of_an_hour(files: list[Path], features: FeatureSettings) -> Iterator[list[Window]]:
        first = 3600 * int(files[0].name)
        for begin_s in (first, first + 3300):
            yield [window(NOTHING, float(begin_s + k)) for k in range(300)]

    monkeypatch.setattr("detector.training.sources.windows_of", ends_of_an_hour)
    each = [(FileCover(Path(str(hour)), BEGIN, 24e3, BEGIN, BEGIN, 600.0),) for hour in range(24)]
    chosen = Chosen(typical=(), various=(), calibration=tuple(each))
    values = iter(np.random.default_rng(1).normal(size=24 * 600))
    scores = [
        [replace(score(0, float(next(values))), begin=w.begin, end=w.end) for w in stretch]
        for stretch in ChosenHours(chosen, Choice(), FEATURES).calibration()
    ]
    # The first ends as the second hour begins; each stretch lasts as long as its last window.
    assert calibrate(scores).hours == pytest.approx(4.0, abs=0.03)


def test_an_ocean_whose_parts_would_share_sound_is_refused() -> None:
    with pytest.raises(SetupError, match="found 401, wanted at most 400"):
        ocean(401)
    parts = [ocean(400)._part(k, h, VARIOUS) for k, h in ((1, 400), (2, 300), (3, 1000), (4, 200))]
    seeds = [stretch.seed for part in parts for stretch in part]
    assert len(set(seeds)) == len(seeds) == 1900


def test_the_ocean_of_the_pretrained_model_stays_what_it_was() -> None:
    told = ocean(8)._calibration()
    assert told == stretches(13, 20.0, TYPICAL, FeatureSettings())
    assert ocean(8).calibration_hours == pytest.approx(19.66, abs=0.02)


@pytest.mark.parametrize("hours", [0.5, 2, 4, 4.5, 8, 100])
def test_any_ocean_can_promise_one_false_alarm_an_hour(hours: float) -> None:
    require_hours(ocean(hours).calibration_hours)


def ocean(hours: float) -> SimulatedOcean:
    return SimulatedOcean(1, hours, FeatureSettings(), Mock(ProcessPoolExecutor))


def test_windows_are_the_same_each_time(folder: Path) -> None:
    source = hours(folder)
    first, second = all_of(source.typical()), all_of(source.typical())
    assert all(np.array_equal(a.excess_db, b.excess_db) for a, b in zip(first, second, strict=True))


def test_too_small_an_archive_is_refused(folder: Path) -> None:
    with pytest.raises(DataError, match="wanted 24 h"):
        choose(ACOio(folder).coverage().files, replace(Choice(), evening=(0, 24)), seed=1)
