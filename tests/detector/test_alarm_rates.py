"""False alarms are counted as the daemon's events, and calls found with an interval."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acoio.errors import DataError
from detector.calibration.alarm_rates import (
    Stretch,
    TooLittleSoundError,
    alarm_peaks,
    call_groups,
    stretches,
    threshold_at_rate,
)
from detector.calibration.calibrate import calibrate
from detector.events import EventSettings, EventTracker
from detector.values import Score

from .sounds import score

WINDOW_S = 2.048  # as in sounds.score


def noise(hours: float, seed: int) -> Stretch:
    """Return scores each second, each like its neighbours as overlapping windows are."""
    raw = np.random.default_rng(seed).exponential(size=round(3600 * hours) + 2)
    values = raw[:-2] + raw[1:-1] + raw[2:]
    return Stretch(np.arange(len(values), dtype=float), values)


def as_scores(stretch: Stretch, threshold: float = np.inf) -> list[Score]:
    pairs = zip(stretch.begins_s, stretch.scores, strict=True)
    return [score(float(s), float(v), threshold=threshold) for s, v in pairs]


def events_in(stretch: Stretch, threshold: float, release: float) -> int:
    """Return how many events the daemon's own tracker makes of a stretch."""
    tracker = EventTracker(EventSettings("aco", "m", threshold, release, (1.0, 2.0, 3.0, 4.0, 5.0)))
    told = [*tracker.push(as_scores(stretch, threshold)), *tracker.flush()]
    return sum(event.status == "closed" for event in told)


@pytest.fixture(scope="module")
def typical() -> list[Stretch]:
    return [noise(6.0, seed) for seed in range(2)]


@given(
    steps=st.lists(st.sampled_from([0.5, 1.0, 2.0, 2.048, 2.049, 3.0]), min_size=1, max_size=40),
    data=st.data(),
)
@settings(max_examples=60)
def test_runs_of_windows_are_the_events_of_the_tracker(
    steps: list[float], data: st.DataObject
) -> None:
    values = data.draw(st.lists(st.integers(0, 4), min_size=len(steps), max_size=len(steps)))
    stretch = Stretch(np.cumsum(steps), np.array(values, float))
    assert len(alarm_peaks(stretch, 2.0, window_s=WINDOW_S)) == events_in(stretch, 2.0, 2.0)
    opened = alarm_peaks(stretch, 2.0, window_s=WINDOW_S) >= 4.0
    assert opened.sum() == events_in(stretch, 4.0, 2.0)


@pytest.mark.parametrize("rate", [1.0, 3.0, 10.0])
def test_on_its_own_sound_the_threshold_gives_exactly_the_promised_events(
    typical: list[Stretch], rate: float
) -> None:
    at = threshold_at_rate(typical, window_s=WINDOW_S, rate_per_hour=rate)
    assert at.alarms == int(rate * at.hours)
    assert sum(events_in(s, at.threshold, at.release) for s in typical) == at.alarms


def test_the_threshold_is_the_one_that_the_daemon_would_be_given(typical: list[Stretch]) -> None:
    at = threshold_at_rate(typical, window_s=WINDOW_S, rate_per_hour=5.0)
    daemon = calibrate([as_scores(stretch) for stretch in typical])
    assert at.threshold == pytest.approx(daemon.threshold(5.0))
    assert at.release == pytest.approx(daemon.release)
    assert at.hours == pytest.approx(daemon.hours)


def test_equal_peaks_never_make_more_alarms_than_promised() -> None:
    loud = np.zeros(3600 * 4)
    loud[::60] = 5.0  # one a minute, all alike, and twenty higher
    loud[30 :: 60 * 12] = np.arange(20) + 6.0
    stretch = Stretch(np.arange(len(loud), dtype=float), loud)
    few = threshold_at_rate([stretch], window_s=WINDOW_S, rate_per_hour=10.0)
    assert few.alarms == 20 and 5.0 < few.threshold < 6.0
    assert events_in(stretch, few.threshold, few.release) == 20


def test_scores_that_saturate_have_their_threshold_above_the_top() -> None:
    loud = np.zeros(3600 * 4)
    loud[::60] = 12.0
    stretch = Stretch(np.arange(len(loud), dtype=float), loud)
    at = threshold_at_rate([stretch], window_s=WINDOW_S, rate_per_hour=10.0)
    assert at.alarms == 0 and at.threshold == np.nextafter(12.0, np.inf)


def test_a_slow_score_is_released_lower_rather_than_refused() -> None:
    seconds = np.arange(3600.0 * 4)
    swell = np.sin(2 * np.pi * seconds / 120) + seconds / 1e4  # grows: all its tops lie at the end
    at = threshold_at_rate([Stretch(seconds, swell)], window_s=WINDOW_S, rate_per_hour=10.0)
    assert at.release < np.quantile(swell, 0.99)
    assert at.alarms == 40


def test_too_little_sound_is_refused_and_told(typical: list[Stretch]) -> None:
    with pytest.raises(TooLittleSoundError, match=r"found 12\.00 hours .*, wanted 100 for 0\.1 an"):
        threshold_at_rate(typical, window_s=WINDOW_S, rate_per_hour=0.1)
    flat = Stretch(np.arange(7200.0), np.zeros(7200))
    with pytest.raises(TooLittleSoundError, match=r"found 1 separate peaks .*, wanted over 20"):
        threshold_at_rate([flat], window_s=WINDOW_S, rate_per_hour=10.0)


def test_ten_alarms_worth_of_sound_is_enough() -> None:
    whole = noise(10.0, 1).scores.reshape(100, 360)
    tenths = [Stretch(np.arange(360.0), part) for part in whole]  # of an hour: may sum to 9.999…
    at = threshold_at_rate(tenths, window_s=1.0, rate_per_hour=1.0)
    assert at.hours == pytest.approx(10.0) and at.alarms == 10


def test_windows_are_cut_where_sound_is_missing() -> None:
    begins_s = np.array([0.1, 1.0, 2.15, 5.0, 6.1, 60.0])
    pieces = stretches(begins_s, np.arange(6.0), step_s=1.0)
    assert [piece.scores.tolist() for piece in pieces] == [[0, 1, 2], [3, 4], [5]]
    assert sum(piece.hours(2.0) for piece in pieces) * 3600 == pytest.approx(4.05 + 3.1 + 2)


def test_bad_stretches_and_groups_are_refused() -> None:
    with pytest.raises(DataError, match=r"found begins \(2,\) and scores \(3,\), wanted both"):
        Stretch(np.arange(2.0), np.arange(3.0))
    with pytest.raises(DataError, match=r"found a step of -1 s, wanted begins that rise"):
        Stretch(np.array([1.0, 0.0]), np.zeros(2))
    for empty_or_nan in (np.empty(0), np.array([np.nan])):
        with pytest.raises(DataError, match="found none or not finite"):
            Stretch(empty_or_nan, np.zeros(len(empty_or_nan)))
    with pytest.raises(DataError, match=r"found 0 stretches of 2 s windows"):
        threshold_at_rate([], window_s=2.0, rate_per_hour=1.0)
    with pytest.raises(DataError, match="groups: found no labels"):
        call_groups({})
