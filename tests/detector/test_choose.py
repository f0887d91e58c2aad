"""Typical evenings are chosen by local time, spread over days, and never calibrated on."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from acoio.coverage import FileCover
from acoio.errors import DataError
from detector.calibration.alarm_rates import TooLittleSoundError
from detector.training.choose import Choice, Chosen, Hour, choose, evening_hours

HAWAII_H = 10
CHOICE = Choice(typical_hours=12, various_hours=6, calibration_hours=12)


def file(begin: datetime, seconds: float = 300.0, suffix: str = ".HYD24BBpk") -> FileCover:
    end = begin + timedelta(seconds=seconds)
    path = Path(f"{begin:%Y-%m-%d--%H.%M}{suffix}")
    return FileCover(path, begin, 24e3, begin, end, seconds)


def archive(first: datetime, days: int) -> list[FileCover]:
    return [file(first + k * timedelta(minutes=5)) for k in range(288 * days)]


FILES = archive(datetime(2018, 6, 1, 10, tzinfo=UTC), 12)


def local(cover: FileCover) -> datetime:
    return cover.named - timedelta(hours=HAWAII_H)


def days(hours: tuple[Hour, ...]) -> Counter[object]:
    return Counter(local(hour[0]).date() for hour in hours)


def test_typical_hours_are_evenings_by_local_time_and_various_ones_are_not() -> None:
    chosen = choose(FILES, CHOICE, seed=1)
    assert all(local(x).hour >= 18 for hour in chosen.typical for x in hour)
    assert all(local(x).hour < 18 for hour in chosen.various for x in hour)


def test_an_evening_may_go_on_after_midnight() -> None:
    chosen = choose(FILES, replace(CHOICE, evening=(22, 2)), seed=1)
    assert {local(hour[0]).hour for hour in chosen.typical} <= {22, 23, 0, 1}


def test_no_day_is_both_learnt_and_calibrated_on() -> None:
    chosen = choose(FILES, CHOICE, seed=1)
    assert not days(chosen.typical).keys() & days(chosen.calibration).keys()


@pytest.mark.parametrize("seed", range(5))
def test_no_evening_over_midnight_is_both_learnt_and_calibrated_on(seed: int) -> None:
    chosen = choose(FILES, replace(CHOICE, evening=(22, 2)), seed=seed)
    learnt, calibrated = (
        {(local(hour[0]) - timedelta(hours=2)).date() for hour in hours}
        for hours in (chosen.typical, chosen.calibration)
    )
    assert not learnt & calibrated


@pytest.mark.parametrize("seed", range(5))
def test_no_various_hour_is_of_a_day_that_is_calibrated_on(seed: int) -> None:
    chosen = choose(FILES, CHOICE, seed=seed)
    assert not days(chosen.various).keys() & days(chosen.calibration).keys()


def test_an_evening_is_of_the_month_in_which_it_began() -> None:
    turn = archive(datetime(2018, 4, 30, 10, tzinfo=UTC), 3)  # until midnight of 2 to 3 May
    few = Choice(evening=(22, 2), typical_hours=3, various_hours=1, calibration_hours=2)
    chosen = choose(turn, few, seed=1)
    begins = {local(h[0]).replace(minute=0) for h in (*chosen.typical, *chosen.calibration)}
    assert min(begins).day == 1 and min(begins).hour == 22


def test_audio_files_are_left_out_and_told_of() -> None:
    audio = [
        file(x.named, suffix=suffix)
        for suffix in (".wav", ".flac", ".mp3", ".WAV")
        for x in FILES[:288]
    ]
    chosen = choose([*FILES, *audio], CHOICE, seed=1)
    assert chosen.left_out == 4 * 288
    assert chosen.typical == choose(FILES, CHOICE, seed=1).typical
    with pytest.raises(DataError, match=r"evenings; left out 1152 audio files: found 0\.0 h"):
        choose(audio, CHOICE, seed=1)


def test_hours_are_spread_over_the_days() -> None:
    chosen = choose(FILES, CHOICE, seed=1)
    counts = days(chosen.typical)
    assert len(counts) == 6
    assert max(counts.values()) - min(counts.values()) <= 1


def test_there_is_as_much_as_was_asked_for_and_no_hour_twice() -> None:
    chosen = choose(FILES, CHOICE, seed=1)
    for hours, wanted in ((chosen.typical, 12), (chosen.various, 6), (chosen.calibration, 12)):
        paths = [x.path for hour in hours for x in hour]
        assert len(set(paths)) == len(paths)
        assert sum(x.seconds for hour in hours for x in hour) / 3600 == wanted
        assert [hour[0].named for hour in hours] == sorted(hour[0].named for hour in hours)


def test_months_that_are_not_quiet_are_various() -> None:
    winter = archive(datetime(2018, 2, 1, 10, tzinfo=UTC), 4)
    with pytest.raises(DataError, match=r"typical evenings: found 0\.0 h .* wanted 12 h"):
        choose(winter, CHOICE, seed=1)
    chosen = choose([*winter, *FILES], CHOICE, seed=1)
    assert {local(x).month for hour in chosen.typical for x in hour} == {6}
    assert {local(x).month for hour in chosen.various for x in hour} == {2, 6}


def test_files_without_sound_do_not_count() -> None:
    broken = [replace(x, begin=None, seconds=0.0) for x in FILES]
    with pytest.raises(DataError, match=r"found 0\.0 h"):
        choose(broken, CHOICE, seed=1)


def test_a_seed_chooses_the_same_and_another_one_others() -> None:
    def names(chosen: Chosen) -> list[Path]:
        return [x.path for hour in chosen.typical for x in hour]

    assert names(choose(FILES, CHOICE, seed=1)) == names(choose(FILES, CHOICE, seed=1))
    assert names(choose(FILES, CHOICE, seed=1)) != names(choose(FILES, CHOICE, seed=2))


def test_an_evening_follows_the_clock_where_it_is_set_forward() -> None:
    """Berlin: UTC+1 until 30 March 2024, UTC+2 from the 31st on."""
    berlin = Choice(timezone="Europe/Berlin", evening=(18, 24), months=(3, 4))
    turn = archive(datetime(2024, 3, 30, tzinfo=UTC), 2)
    begins = [hour[0].named.hour for _, hour in evening_hours(turn, berlin)]
    assert begins == [17, 18, 19, 20, 21, 22, 16, 17, 18, 19, 20, 21]


def test_an_hour_that_comes_twice_is_heard_whole() -> None:
    berlin = Choice(timezone="Europe/Berlin", evening=(0, 24), months=(10,))
    turn = archive(datetime(2024, 10, 26, 22, tzinfo=UTC), 1)  # the 27th has 25 hours
    hours = evening_hours(turn, berlin)
    assert [len(hour) for _, hour in hours[:5]] == [12, 12, 24, 12, 12]
    assert sum(len(hour) for _, hour in hours) == 288


def test_busy_evenings_are_various_and_not_typical() -> None:
    busy = {begin for begin, _ in evening_hours(FILES, CHOICE) if begin.hour in (20, 21, 22)}
    chosen = choose(FILES, replace(CHOICE, various_hours=60), seed=1, busy=busy)
    typical = {local(hour[0]).hour for hour in (*chosen.typical, *chosen.calibration)}
    assert typical == {18, 19, 23}
    assert {local(hour[0]).hour for hour in chosen.various} & {20, 21, 22}
    with pytest.raises(TooLittleSoundError, match=r"typical evenings: found 0\.0 h"):
        choose(FILES, CHOICE, seed=1, busy={begin for begin, _ in evening_hours(FILES, CHOICE)})
