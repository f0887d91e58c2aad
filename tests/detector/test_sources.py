"""Hours of an archive come as the windows that the daemon would make of them."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from acoio import ACOio
from acoio.errors import DataError
from acoio.simulate import OceanSettings, simulate_drop
from detector.choose import Choice, Chosen, choose
from detector.config import FeatureSettings
from detector.recordings import windows_of
from detector.sources import ChosenHours
from detector.values import Window

FEATURES = FeatureSettings(past_records=24)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    drop = tmp_path_factory.mktemp("drop")
    list(simulate_drop(drop, seed=3, minutes=10, settings=OceanSettings(calls_per_hour=0)))
    return drop


def hours(folder: Path, **spans: tuple[tuple[datetime, datetime], ...]) -> ChosenHours:
    files = ACOio(folder).coverage().files
    chosen = Chosen(typical=(files,), various=(files,), calibration=(files,))
    return ChosenHours(chosen, Choice(), FEATURES, **spans)


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
    assert about["choice"]["utc_offset_h"] == -10


def test_windows_are_the_same_each_time(folder: Path) -> None:
    source = hours(folder)
    first, second = all_of(source.typical()), all_of(source.typical())
    assert all(np.array_equal(a.excess_db, b.excess_db) for a, b in zip(first, second, strict=True))


def test_too_small_an_archive_is_refused(folder: Path) -> None:
    with pytest.raises(DataError, match="wanted 24 h"):
        choose(ACOio(folder).coverage().files, replace(Choice(), evening=(0, 24)), seed=1)
