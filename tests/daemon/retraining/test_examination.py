"""The newest evenings are examined, and compared with sound of this station alone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

import numpy as np
import pytest

from acoio import ACOio
from acoio.coverage import Coverage, FileCover
from acoio.sound import Gap
from daemon.retraining.examination import Evenings, _missing, hear_evenings, reasons_of
from detector.calibration.drift import Reference, reference_of
from detector.calibration.tally import Tally
from detector.training.choose import Choice
from tests.daemon.retraining import bench
from tests.detector.drifting import BANDS, hour
from tests.detector.sounds import SMALL

EDGES_HZ: Final = np.linspace(20.0, 1000.0, BANDS + 1)


def _reference(louder_db: float = 0.0) -> Reference:
    found = reference_of([hour(k, louder_db=louder_db) for k in range(4)])
    assert found
    return found


def _evening(day: int, louder_db: float) -> dict[date, Tally]:
    return {date(2024, 6, day): _reference().tally(hour(30 + day, louder_db=louder_db))}


def _reasons(before: Mapping[str, Reference | None], heard: Mapping[date, Tally]) -> str:
    evenings = Evenings(heard, (0.0, 0.0), EDGES_HZ)
    return "\n".join(reasons_of(evenings.compared(before), evenings.missing))


def test_evenings_as_before_are_no_reason_and_a_fall_on_the_newest_alone_is() -> None:
    champion = {"champion": _reference()}
    assert _reasons(champion, {**_evening(1, 0), **_evening(2, 0)}) == ""
    told = _reasons(champion, {**_evening(1, 0), **_evening(2, -5)})
    assert "in the newest day, re the champion's" in told
    assert "newest days" not in told


def test_what_all_later_models_learnt_is_told_by_the_first() -> None:
    evenings = {**_evening(1, -20), **_evening(2, -20)}
    dying = {"champion": _reference(-20.0)}
    assert _reasons(dying, evenings) == ""
    told = _reasons({**dying, "station's first model": _reference()}, evenings)
    assert "station's first model" in told


def test_where_no_model_is_of_this_station_nothing_is_said() -> None:
    assert _reasons({"champion": None}, _evening(1, -40)) == ""


def test_ten_minutes_are_wanted_to_say_anything() -> None:
    few = {date(2024, 6, 1): _reference().tally(hour(1, louder_db=-40)[:500])}
    assert _reasons({"champion": _reference()}, few) == ""


def test_the_newest_day_is_the_newest_with_enough_of_an_evening() -> None:
    just_begun = {date(2024, 6, 3): _reference().tally(hour(3)[:300])}
    told = _reasons({"champion": _reference()}, {**_evening(1, 0), **_evening(2, -5), **just_begun})
    assert "newest day, re" in told


@pytest.mark.parametrize("months", [(6,), (12,)])
def test_an_evening_over_midnight_is_one_and_in_any_month(
    tmp_path: Path, months: tuple[int, ...]
) -> None:
    midnight = bench.EVENING + timedelta(hours=6)
    for k in range(-3, 3):
        bench.write_file(tmp_path, midnight + k * timedelta(minutes=5))
    coverage = ACOio(tmp_path).coverage()
    choice, newest = Choice(evening=(23, 1), months=months), timedelta(days=2)
    found = bench.last(hear_evenings(coverage, choice, features=SMALL, newest=newest))
    assert set(found.heard) == {date(2024, 6, 2)}
    assert found.heard[date(2024, 6, 2)].windows > 6 * 230


def test_before_the_first_sound_nothing_is_missing() -> None:
    """A young station, or a drop that keeps two weeks, beside `retrain.days` of thirty."""
    end, day = datetime(2024, 7, 1, tzinfo=UTC), timedelta(days=1)
    first, broken = end - 14 * day, end - 4 * day  # and nothing since then
    file = FileCover(Path("a"), first, 24e3, first, broken, 10 * 86_400.0)
    gaps = (Gap(end - 30 * day, first), Gap(broken, end))
    coverage = Coverage(end - 30 * day, end, (file,), gaps, (), (), ())
    assert _missing(coverage, 7 * day) == pytest.approx((0.0, 4 / 7))


def test_missing_sound_is_a_reason_whatever_the_levels() -> None:
    assert "newest days missing" in reasons_of({}, (0.0, 0.5))[0]


@pytest.mark.parametrize("rms", [800.0, 200.0])
def test_only_the_evening_is_heard_and_at_its_level(tmp_path: Path, rms: float) -> None:
    bench.write_days(tmp_path, rms=800.0)
    for k in range(bench.FILES):
        begin = bench.EVENING + timedelta(days=bench.DAYS - 1, minutes=5 * k)
        bench.write_file(tmp_path, begin, rms=rms)
    coverage = ACOio(tmp_path).coverage()
    newest = timedelta(days=2)
    found = bench.last(hear_evenings(coverage, Choice(), features=SMALL, newest=newest))
    first, last = (found.heard[day] for day in sorted(found.heard))
    assert sorted(found.heard) == [date(2024, 6, 4), date(2024, 6, 5)]
    fallen_db = float(np.median(last.mean_db - first.mean_db))
    assert fallen_db == pytest.approx(20 * np.log10(rms / 800.0), abs=0.3)
