"""What is typical: whole files that the daemon heard, on evenings without too many alarms."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from acoio.coverage import Coverage, FileCover
from daemon.config import load_config
from daemon.retraining.hours import (
    Hours,
    busy_hours,
    choice_of,
    hours_of,
    is_whole,
)
from daemon.retraining.known import Known
from daemon.retraining.recent import OutOfSeasonError
from detector.calibration.alarm_rates import TooLittleSoundError
from detector.training.choose import evening_hours

BEGIN = datetime(2024, 6, 1, 10, tzinfo=UTC)  # midnight in Honolulu
DAYS = 10
CONFIG = load_config(
    None, ["drop.path=/drop", "retrain.hours=12", "retrain.calibration_hours=12"], {}
)


def file(begin: datetime) -> FileCover:
    path = Path(f"{begin:%Y-%m-%d--%H.%M}.HYD24BBpk")
    return FileCover(path, begin, 24e3, begin, begin + timedelta(minutes=5), 300.0)


FILES = tuple(file(BEGIN + k * timedelta(minutes=5)) for k in range(288 * DAYS))
WELL = frozenset(x.path.name for x in FILES)
EVENINGS = evening_hours(FILES, choice_of(CONFIG))


def cover(files: tuple[FileCover, ...] = FILES) -> Coverage:
    return Coverage(BEGIN, BEGIN + timedelta(days=DAYS), files, (), (), (), ())


def hours(known: Known, files: tuple[FileCover, ...] = FILES) -> Hours:
    return hours_of(cover(files), known, choice_of(CONFIG), config=CONFIG, seed=1)


def alarms(begins: list[datetime], each: int) -> tuple[datetime, ...]:
    return tuple(begin + k * timedelta(minutes=2) for begin in begins for k in range(each))


def busy(raised: tuple[datetime, ...]) -> int:
    return len(busy_hours(EVENINGS, raised, promised_per_hour=1.0))


def test_evenings_of_many_days_are_chosen_and_the_newest_days_are_kept() -> None:
    found = hours(Known(well=WELL))
    assert found.notes == ()
    assert len({begin.date() for begin in found.typical}) == DAYS
    newest = [x.named for x in found.newest]
    assert (newest[0], len(newest)) == (BEGIN + timedelta(days=3), 7 * 288)


def test_files_with_damage_or_a_gap_or_unknown_to_the_daemon_are_not_chosen() -> None:
    gap, damaged, silent, unheard = FILES[220:224]
    broken = {
        gap: replace(gap, seconds=250.0),
        damaged: replace(damaged, damaged_bytes=1),
        silent: replace(silent, fault="no records", begin=None),
    }
    assert not any(is_whole(x) for x in broken.values())
    files = tuple(broken.get(x, x) for x in FILES)
    found = hours(Known(well=WELL - {unheard.path.name}), files)
    chosen = {x.path for hour in (*found.chosen.typical, *found.chosen.calibration) for x in hour}
    assert not chosen & {x.path for x in (gap, damaged, silent, unheard)}
    assert found.notes == (
        "left out 1 of 2880 files that the daemon has not heard well",
        "left out 3 files with damage, a gap, or no sound",
    )


def test_too_little_says_what_was_left_out() -> None:
    with pytest.raises(TooLittleSoundError, match=r"0\.0 h .* wanted 12 h; no .* left out 2880"):
        hours(Known())
    with pytest.raises(TooLittleSoundError, match="6 evening hours of 1 days in all"):
        hours(Known(well=WELL), FILES[:288])


@pytest.mark.parametrize(
    ("end", "month", "kind"),
    [
        (datetime(2024, 6, 11, 10, tzinfo=UTC), 6, TooLittleSoundError),
        (datetime(2024, 6, 11, 10, tzinfo=UTC), 7, OutOfSeasonError),
        (datetime(2024, 7, 1, 9, tzinfo=UTC), 6, TooLittleSoundError),  # 23:00 in Honolulu
        (datetime(2024, 7, 1, 11, tzinfo=UTC), 6, OutOfSeasonError),
    ],
)
def test_a_season_is_of_the_newest_sound_by_local_time(
    end: datetime, month: int, kind: type[Exception]
) -> None:
    retrain = CONFIG.retrain.model_copy(update={"months": (month,)})
    config = CONFIG.model_copy(update={"retrain": retrain})
    with pytest.raises(TooLittleSoundError) as raised:
        hours_of(replace(cover(), end=end), Known(), choice_of(config), config=config, seed=1)
    assert raised.type is kind


def test_hours_of_song_are_not_typical_but_may_be_various() -> None:
    song = [begin for begin, _ in EVENINGS[:12]]
    found = hours(Known(well=WELL, alarms=alarms(song, 20)))
    assert not found.typical & set(song)
    assert found.notes == ("left out 12 of 60 evening hours with far more alarms than usual",)


def test_one_alarm_an_hour_and_some_by_chance_are_usual() -> None:
    begins = [begin for begin, _ in EVENINGS]
    assert busy(alarms(begins, 1)) == 0
    assert busy(alarms(begins[:1], 5)) == 0
    assert busy(alarms(begins[:1], 6)) == 1


def test_alarms_that_rose_in_every_hour_are_followed_up_to_five_times_the_promise() -> None:
    begins = [begin for begin, _ in EVENINGS]
    assert busy(alarms(begins, 5)) == 0
    assert busy(alarms(begins, 10)) == 0  # chance allows 13 at five an hour
    assert busy(alarms(begins, 20)) == len(begins)  # a chorus on every evening is not learnt


def test_events_that_people_rejected_do_not_make_an_hour_busy() -> None:
    raised = alarms([EVENINGS[0][0]], 20)
    assert busy(raised) == 1
    assert busy(raised[:3]) == 0  # as `Known.alarms` has none of the rejected ones
