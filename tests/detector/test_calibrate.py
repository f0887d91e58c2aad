"""A threshold keeps its promised rate, counted in events, or is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from acoio.clock import to_us
from acoio.errors import DataError, SetupError
from detector.calibration.alarm_rates import event_peaks
from detector.calibration.apart import Judged
from detector.calibration.calibrate import Calibration, calibrate, require_hours
from detector.events import EventSettings, EventTracker
from detector.values import Score

from .sounds import BEGIN, score


def stretch(hours: float, seed: int) -> list[Score]:
    """Return scores of noise, each like its neighbours as overlapping windows are."""
    raw = np.random.default_rng(seed).exponential(size=round(3600 * hours) + 2)
    smooth = raw[:-2] + raw[1:-1] + raw[2:]
    return [score(float(k), float(v)) for k, v in enumerate(smooth)]


@pytest.fixture(scope="module")
def typical() -> list[list[Score]]:
    return [stretch(6.0, seed) for seed in range(4)]


@pytest.fixture(scope="module")
def calibration(typical: list[list[Score]]) -> Calibration:
    return calibrate(typical)


def events_in(scores: list[Score], threshold: float, release: float) -> int:
    settings = EventSettings("aco", "m", threshold, release, (1.0, 2.0, 3.0, 4.0, 5.0))
    retold = [replace(s, threshold=threshold) for s in scores]
    tracker = EventTracker(settings)
    return sum(e.status == "closed" for e in [*tracker.push(retold), *tracker.flush()])


@pytest.mark.parametrize("rate", [0.5, 1.0, 5.0, 10.0])
def test_on_its_own_sound_the_threshold_gives_exactly_the_promised_events(
    typical: list[list[Score]], calibration: Calibration, rate: float
) -> None:
    threshold = calibration.threshold(rate)
    assert sum(events_in(s, threshold, calibration.release) for s in typical) == int(24 * rate)


def test_on_other_sound_the_rate_lies_within_its_interval(calibration: Calibration) -> None:
    point = next(p for p in calibration.points if p.false_alarms_per_hour == 5.0)
    others = [stretch(6.0, seed) for seed in range(10, 14)]
    found = sum(events_in(s, point.threshold, calibration.release) for s in others) / 24
    assert point.low < found < point.high


def peaks_of(scores: list[Score], release: float) -> NDArray[np.float64]:
    times_us = np.array([(to_us(s.begin), to_us(s.end)) for s in scores])
    return event_peaks(times_us[:, 0], times_us[:, 1], np.array([s.score for s in scores]), release)


def test_runs_of_windows_are_the_events_of_the_tracker(typical: list[list[Score]]) -> None:
    scores = typical[0]
    assert len(peaks_of(scores, 6.0)) == events_in(scores, 6.0, 6.0)


def test_a_threshold_lies_midway_between_the_last_alarm_and_the_first_that_is_none(
    typical: list[list[Score]], calibration: Calibration
) -> None:
    peaks = np.sort(np.concatenate([peaks_of(s, calibration.release) for s in typical]))[::-1]
    assert len(set(peaks.tolist())) == len(peaks)
    for point in calibration.points:
        n = int(point.false_alarms_per_hour * calibration.hours)
        assert point.threshold == float(peaks[n - 1] + peaks[n]) / 2


def test_equal_peaks_never_make_more_alarms_than_promised() -> None:
    tied = [score(float(k), 8.0 if k % 500 == 0 else 0.1 * (k % 7)) for k in range(36_000)]
    tied[100::3000] = [score(100.0 + 3000 * k, 9.0 + k) for k in range(12)]
    told = calibrate([tied])
    assert told.release < 8.0
    for point in told.points:
        alarms = events_in(tied, point.threshold, told.release)
        assert alarms <= point.false_alarms_per_hour * told.hours
        assert point.low <= alarms / told.hours <= point.high
    assert events_in(tied, told.threshold(2.0), told.release) == 12


def test_scores_that_saturate_raise_no_alarm() -> None:
    told = calibrate([[score(float(k), 12.0 * (k % 90 == 0)) for k in range(36_000)]])
    assert {point.low for point in told.points} == {0.0}
    assert all(point.threshold > 12.0 for point in told.points)


def test_hours_that_cannot_promise_a_rate_are_refused_before_they_are_heard() -> None:
    require_hours(10.0)
    require_hours(5.0, rate_per_hour=2.0)
    with pytest.raises(SetupError, match=r"found 8, wanted at least 10 to promise 1 false alarms"):
        require_hours(8.0)
    with pytest.raises(SetupError, match=r"found 40, wanted at least 50 to promise 0.3 false"):
        require_hours(40.0, rate_per_hour=0.3)  # between the points of 0.2 and of 0.5


def test_a_rarer_alarm_has_a_higher_threshold(calibration: Calibration) -> None:
    thresholds = [calibration.threshold(rate) for rate in (0.5, 0.7, 1.0, 3.0, 10.0)]
    assert thresholds == sorted(thresholds, reverse=True)


def test_a_rate_that_the_sound_cannot_promise_is_refused(calibration: Calibration) -> None:
    with pytest.raises(
        SetupError, match=r"found 0\.1, wanted 0\.5 to .* calibrated on 24\.0 hours"
    ):
        calibration.threshold(0.1)


def test_too_little_sound_is_refused() -> None:
    with pytest.raises(DataError, match=r"calibration: found 0\.10 hours, wanted at least"):
        calibrate([stretch(0.1, 1)])


@pytest.mark.parametrize("nothing", [[], [[]]])
def test_no_sound_is_refused(nothing: list[list[Score]]) -> None:
    with pytest.raises(DataError, match=r"calibration: found 0\.00 hours"):
        calibrate(nothing)


def test_sound_without_separate_peaks_is_refused() -> None:
    flat = [score(float(k), 1.0) for k in range(8000)]
    with pytest.raises(DataError, match="found 1 separate peaks"):
        calibrate([flat])


def test_a_calibration_survives_its_card(calibration: Calibration) -> None:
    for kept in (calibration, replace(calibration, apart=3)):
        assert Calibration.from_json(kept.as_json()) == kept


def with_calls(
    typical: list[list[Score]], *, seconds: int = 3, each_s: int = 900
) -> list[list[Score]]:
    """Return the same sound with a call every so often, far above it."""
    return [
        [
            replace(s, score=200.0 + k + 0.1 * n) if k % each_s < seconds else s
            for k, s in enumerate(part)
        ]
        for n, part in enumerate(typical)
    ]


@pytest.mark.parametrize(
    ("seconds", "each_s"), [(3, 900), (6, 700), (10, 300), (60, 3600), (150, 3600), (6, 120)]
)
def test_calls_that_nobody_judged_do_not_lift_the_threshold(
    typical: list[list[Score]], calibration: Calibration, seconds: int, each_s: int
) -> None:
    told = calibrate(with_calls(typical, seconds=seconds, each_s=each_s))
    assert told.apart == 4 * (6 * 3600 // each_s + (6 * 3600 % each_s > 0))
    for rate in (1.0, 5.0):
        assert told.threshold(rate) == pytest.approx(calibration.threshold(rate), rel=0.03)
    assert calibration.apart == 0


def test_what_people_rejected_counts_however_high(typical: list[list[Score]]) -> None:
    loud = with_calls(typical)
    rejected = [(s.begin, s.end) for part in loud for s in part if s.score >= 200.0]
    told = calibrate(loud, Judged(rejected))
    assert told.apart == 0
    assert told.threshold(1.0) > 200.0
    assert sum(events_in(s, told.threshold(1.0), told.release) for s in loud) == 24


@pytest.mark.parametrize("share", [0.25, 0.5, 0.9])
def test_of_those_that_nobody_judged_as_many_count_as_are_likely_nothing(
    typical: list[list[Score]], share: float
) -> None:
    told = calibrate(with_calls(typical), Judged((), share))
    assert told.apart == 96 - int(96 * share)
    loud = with_calls(typical)
    raised = sum(events_in(s, told.threshold(1.0), told.release) for s in loud)
    assert share * raised == pytest.approx(24, abs=1)


def test_a_few_verdicts_say_little_of_the_others_and_many_say_much() -> None:
    span = (BEGIN, BEGIN)
    assert Judged.of([], confirmed=0).likely_nothing == 0.0
    assert Judged.of([span] * 2, confirmed=0).likely_nothing < 0.4
    assert 0.9 < Judged.of([span] * 80, confirmed=1).likely_nothing < 0.99
    assert Judged.of([span], confirmed=9).likely_nothing < 0.1


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"release": 9.5}, "found thresholds .* and a release of 9.5, wanted none above"),
        ({"release": float("nan")}, "found rates"),
        ({"points": [[1.0, 5.0], [2.0, 6.0]]}, "wanted none above the one before"),
        ({"points": [[1.0, float("inf")], [2.0, 5.0]]}, "found rates"),
        ({"points": [[2.0, 6.0], [1.0, 5.0]]}, "rates that rise from 0"),
        ({"points": [[0.0, 6.0], [1.0, 5.0]]}, "rates that rise from 0"),
        ({"points": []}, "found no points"),
    ],
)
def test_a_card_that_no_calibration_made_is_refused(change: dict[str, Any], says: str) -> None:
    card = {"hours": 24.0, "release": 2.0, "points": [[1.0, 9.0], [2.0, 5.0]], **change}
    names = ("false_alarms_per_hour", "threshold")
    points = [dict(zip(names, point, strict=True), low=0.0, high=3.0) for point in card["points"]]
    with pytest.raises(SetupError, match=says):
        Calibration.from_json({**card, "points": points})
