"""Drift is not seen where there is none, and is seen where there is some."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from detector.calibration.blocks import blocks_of, hours_utc
from detector.calibration.drift import (
    Drift,
    Reference,
    drift,
    level_distance,
    moved_bands,
    reference_of,
    score_distance,
)
from detector.calibration.tally import BINS, LOWEST_DB, Tally, tally
from detector.values import Score

from .drifting import BANDS, BEGIN, hour

_DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def reference() -> Reference:
    found = reference_of([hour(k) for k in range(20)], of_the_day=False)
    assert found is not None
    return found


def compared(reference: Reference, scores: list[Score]) -> Drift:
    found = drift(reference, reference.tally(scores))
    assert found is not None
    return found


def test_what_has_not_drifted_is_beyond_its_99_percent_point_about_once_in_a_hundred(
    reference: Reference,
) -> None:
    others = [compared(reference, hour(k)) for k in range(1000, 1120)]
    for found in ([d.score for d in others], [d.level for d in others]):
        assert sum(change.ratio > 1 for change in found) <= 4  # of 120; one in 100 is 4 or fewer
        mean = np.mean([change.statistic for change in found])
        assert mean == pytest.approx(found[0].expected, rel=0.25)


def test_windows_that_are_alike_for_minutes_spread_more_than_independent_ones(
    reference: Reference,
) -> None:
    mixed = [score for k in range(20) for score in hour(k)[::20]]
    alone = compared(reference, mixed)  # as many windows, of all hours
    assert alone.level.statistic < 0.4 * reference.level.expected


@pytest.mark.parametrize("louder_db", [-3.0, 3.0])
def test_3_db_in_all_bands_are_seen_and_told(reference: Reference, louder_db: float) -> None:
    found = compared(reference, hour(2000, louder_db=louder_db))
    assert found.level.ratio > 1.5
    assert found.score.ratio < 1
    assert found.moved_db == pytest.approx(np.full(BANDS, louder_db), abs=1.0)


def test_one_band_that_hums_is_seen(reference: Reference) -> None:
    hum = np.zeros(BANDS, np.float32)
    hum[4] = 20.0
    scores = [replace(s, background_db=s.background_db + hum) for s in hour(2001)]
    found = compared(reference, scores)
    assert found.level.ratio > 1.5
    edges_hz = [10.0 * k for k in range(BANDS + 1)]
    moved = found.as_json(edges_hz)["moved"]
    assert [(band["low_hz"], band["high_hz"]) for band in moved] == [(40.0, 50.0)]
    assert moved[0]["db"] == pytest.approx(20, abs=1)


def test_other_scores_are_seen_however_few_reach_the_threshold(reference: Reference) -> None:
    wider = [replace(s, score=1.5 * s.score) for s in hour(2002)]
    found = compared(reference, wider)
    assert found.score.ratio > 1
    assert found.level.ratio < 1


def test_too_little_sound_tells_nothing(reference: Reference) -> None:
    assert drift(reference, reference.tally(hour(1)[:2999])) is None
    assert drift(reference, reference.tally(hour(1)[:3000])) is not None


def test_a_calibration_of_two_blocks_gives_no_reference() -> None:
    assert reference_of([hour(0), hour(1)]) is None
    assert reference_of([[], []]) is None


def test_the_reference_comes_back_from_a_card(reference: Reference) -> None:
    again = Reference.from_json(json.loads(json.dumps(reference.as_json())))
    assert again.as_json() == reference.as_json()
    assert compared(again, hour(5)).as_json([0.0] * 13) == compared(reference, hour(5)).as_json(
        [0.0] * 13
    )


@pytest.mark.parametrize("wrong", [{"edges": [1.0]}, {"heard": {}}, {"score": {}}])
def test_a_damaged_reference_is_refused(reference: Reference, wrong: dict[str, object]) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        Reference.from_json({**reference.as_json(), **wrong})


def test_counts_of_pieces_add_up_to_those_of_the_whole_in_any_order(reference: Reference) -> None:
    scores = hour(3)
    pieces = [reference.tally(scores[a:b]) for a, b in ((0, 1), (1, 700), (700, 3600))]
    for order in ((0, 1, 2), (2, 0, 1)):
        added = pieces[order[0]] + pieces[order[1]] + pieces[order[2]]
        assert added.as_json() == reference.tally(scores).as_json()


def test_what_lies_beyond_the_bins_falls_into_the_outermost() -> None:
    levels = np.array([-1e3, LOWEST_DB, 1e3], np.float32)
    found = tally([replace(hour(0)[0], background_db=levels, score=0.5)], np.array([0.0, 1.0]))
    assert np.argmax(found.levels, axis=1).tolist() == [0, 0, BINS - 1]
    assert found.scores.tolist() == [0, 1, 0]
    assert Tally.from_json(found.as_json()).as_json() == found.as_json()


def test_distances_are_those_of_the_books() -> None:
    def counts(scores: list[int], level: int) -> Tally:
        levels = np.zeros((1, BINS), np.int64)
        levels[0, level] = sum(scores)
        return Tally(np.array(scores), levels)

    assert score_distance(counts([4, 0], 9), counts([0, 7], 9)) == pytest.approx(1.0)
    assert score_distance(counts([2, 2], 9), counts([5, 5], 9)) == 0.0
    assert level_distance(counts([4, 0], 9), counts([0, 7], 20)) == pytest.approx(11.0)


def test_runs_of_bands_are_told_by_their_way() -> None:
    moved_db = np.array([-4.0, -6.0, 0.0, 5.0, -3.0])
    runs = moved_bands(moved_db, [1.0, 2.0, 4.0, 8.0, 16.0, 32.0])
    assert runs == [
        {"low_hz": 1.0, "high_hz": 4.0, "db": -5.0},
        {"low_hz": 8.0, "high_hz": 16.0, "db": 5.0},
        {"low_hz": 16.0, "high_hz": 32.0, "db": -3.0},
    ]


def test_blocks_are_days_or_else_hours() -> None:
    simulated = [hour(k) for k in range(9)]  # each begins when the others do
    assert [len(block) for block in blocks_of(simulated)] == [3600] * 9
    evenings = [hour(k, begin=BEGIN + k // 2 * _DAY + k % 2 * _DAY / 24) for k in range(16)]
    assert [len(block) for block in blocks_of(evenings)] == [7200] * 8
    assert [len(block) for block in blocks_of(evenings[:4])] == [3600] * 4
    assert hours_utc(evenings) == (6, 7)


def test_hours_that_begin_a_second_early_or_late_make_no_block_of_a_window() -> None:
    """As recordings do: each hour is heard by itself, and begins when its first file does."""
    begins = [0.0, 3600.9, 3 * 3600.0, 4 * 3600.9, 5 * 3600.0]
    evening = [hour(k, begin=BEGIN + timedelta(seconds=s))[60:] for k, s in enumerate(begins)]
    lengths = [len(block) for block in blocks_of(evening)]
    assert len(lengths) == 5
    assert min(lengths) > 3500


@pytest.mark.parametrize("place", [0, 4, 8])
def test_a_day_of_minutes_goes_with_another_day(place: int) -> None:
    days = [hour(k, begin=BEGIN + k * _DAY) for k in range(9)]
    days[place] = days[place][:300]
    assert sorted(len(block) for block in blocks_of(days)) == [3600] * 7 + [3900]


def test_a_rest_of_an_hour_goes_with_the_hour_before() -> None:
    longer = hour(0) + hour(1, begin=BEGIN + _DAY / 24)[:100]
    assert [len(block) for block in blocks_of([longer])] == [3700]
