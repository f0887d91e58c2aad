import numpy as np
import pytest
from numpy.testing import assert_allclose

from acoio.errors import DataError
from acoio.simulate import Truth
from benchmarks.evaluation.areas import roc_auc
from detector.calibration.intervals import wilson
from detector.evaluation import Scored, heard, scored
from detector.evaluation.by_event import measure_events
from detector.evaluation.levels import Level
from detector.evaluation.measures import BY_CHANCE, measure
from detector.evaluation.tables import table
from detector.evaluation.values import Piece
from detector.training.mixing import NOTHING

from .pieces import ExcessScorer, at, call, excess, piece, sea, windows

LEVELS = (Level(0.1, why="too little"), Level(1.0, 20.0), Level(10.0, 40.0))
EVER = ((at(-1), at(10_000)),)


def _many(found: int, of: int, *, blocks: int | None = None) -> Scored:
    """Return a piece with calls of 3 s each ten seconds; the first ones are loud."""
    spans = [(100 + 10 * k, 103 + 10 * k) for k in range(of)]
    calls = [call(a, b, block=f"{k % (blocks or of)}") for k, (a, b) in enumerate(spans)]
    return scored(piece(sea(20 * of + 600, seed=1, loud=spans[:found]), calls, quiet=EVER), excess)


def test_a_call_is_found_if_its_highest_window_reaches_the_threshold() -> None:
    found = measure([_many(12, 16)], LEVELS, seed=1).groups[0].found
    assert found[0] is None
    assert found[1] is not None
    assert (found[1].found, found[1].of, found[1].value) == (12, 16, 0.75)
    assert found[2] is not None
    assert found[2].found == 0


def test_an_interval_is_never_narrower_than_wilsons_nor_blind_to_blocks() -> None:
    alone, exact = (measure([_many(30, 60)], LEVELS, seed=1), wilson(30, 60))
    tied = measure([_many(30, 60, blocks=60)], LEVELS, seed=1)
    shares = [m.groups[0].found[1] for m in (alone, tied)]
    assert all(s and s.low <= exact.low and s.high >= exact.high for s in shares)
    few = _many(30, 60)
    blocks = [call(100 + 10 * k, 103 + 10 * k, block=f"{k // 10}") for k in range(60)]
    clustered = Scored(piece([], blocks, quiet=EVER), few.begins_us, few.ends_us, few.scores)
    wide = measure([clustered], LEVELS, seed=1).groups[0].found[1]
    assert wide is not None
    assert wide.low < exact.low - 0.02


def test_a_threshold_that_is_uncertain_widens_the_interval() -> None:
    fixed, drawn = Level(1.0, 20.0), Level(1.0, 20.0, drawn=np.repeat([1.0, 50.0], 250))
    shares = [measure([_many(12, 16)], [x], seed=1).groups[0].found[0] for x in (fixed, drawn)]
    assert shares[0] is not None
    assert shares[1] is not None
    assert shares[1].low < shares[0].low
    assert shares[1].high > shares[0].high


def test_areas_are_those_of_windows_half_on_a_call_against_windows_on_none() -> None:
    one = scored(piece(sea(200, seed=2), [call(50, 53), call(90, 90.5)], quiet=EVER), excess)
    whole = table([one], one.calls())
    begins = np.arange(200.0)
    shared = np.minimum(begins + 2.048, 53) - np.maximum(begins, 50)
    assert_allclose(np.sort(whole.scores[whole.call == 0]), np.sort(one.scores[shared >= 1.024]))
    touched = [48, 49, 50, 51, 52, 88, 89, 90]
    assert_allclose(whole.scores[whole.call < 0], np.delete(one.scores, touched))
    auc = measure([one], LEVELS, seed=1).groups[0].auc
    assert auc is not None
    assert auc.value == pytest.approx(roc_auc(whole.scores, whole.call >= 0))


def test_typical_windows_lie_wholly_in_quiet() -> None:
    one = scored(piece(np.ones(100), [call(80, 82)], quiet=((at(10), at(20)),)), excess)
    assert np.count_nonzero(table([one], one.calls()).call < 0) == 8


def test_a_background_heard_again_is_no_new_block() -> None:
    again = [
        scored(piece(np.ones(300), [call(9 + k, 10 + k)], quiet=EVER, name="same"), excess)
        for k in range(3)
    ]
    measures = measure(again, LEVELS, seed=1)
    assert measures.typical_windows > 800
    assert measures.typical_blocks <= 6


def test_groups_are_all_then_kinds_then_snrs_and_what_chance_finds() -> None:
    kinds = [("song", 5.0), ("boing", -10.0), ("song", NOTHING), ("boing", 5.0)]
    calls = [call(10 * k + 5, 10 * k + 7, *kind) for k, kind in enumerate(kinds)]
    levels = sea(60, seed=3, loud=[(5, 7), (25, 27)])
    groups = measure([scored(piece(levels, calls, quiet=EVER), excess)], LEVELS, seed=1).groups
    names = ["all", "boing", "song", "-10 dB", "+5 dB", BY_CHANCE]
    assert [group.name for group in groups] == names
    assert [group.calls for group in groups] == [3, 2, 1, 1, 2, 1]
    by_chance = groups[-1].found[1]
    assert by_chance is not None
    assert by_chance.found == 1


def test_calls_that_were_never_scored_are_counted_apart_and_none_at_all_is_an_error() -> None:
    early, calls = call(-9, -8), [call(5, 6)]
    assert measure([scored(piece(sea(20, seed=1), [early, *calls]), excess)], LEVELS, seed=1)
    one = measure([scored(piece(sea(20, seed=1), [early, *calls]), excess)], LEVELS, seed=1)
    assert (one.calls_not_scored, one.groups[0].calls, one.groups[0].auc) == (1, 1, None)
    with pytest.raises(DataError, match="found no call"):
        measure([scored(piece(sea(20, seed=1), [early]), excess)], LEVELS, seed=1)


def test_events_are_matched_in_time_and_band_and_false_ones_have_a_rate() -> None:
    levels = sea(600, seed=4, loud=[(100, 103), (200, 203), (300, 303)])
    far = Truth(at(200), at(203), 5000, 6000, "boing", 5.0, "call")
    calls = (call(100, 103), call(400, 402), type(call(1, 2))(far, "b"))
    found = measure_events(
        [heard(Piece("p", [windows(levels)], calls, (), EVER), ExcessScorer())], threshold=10.0
    )
    assert found is not None
    every = found.groups[0]
    assert (every.found.of, every.found.found, every.noticed.found) == (3, 1, 2)
    assert (found.hits, found.other, found.untold) == (2, 0, 0)
    assert found.false is not None
    assert (found.false.count, found.false.low < 6 < found.false.high) == (1, True)


def test_events_where_nobody_said_what_sounds_are_not_false() -> None:
    levels = sea(600, seed=4, loud=[(100, 103), (300, 303), (500, 503)])
    quiet = ((at(290), at(350)),)
    told = Piece("p", [windows(levels)], (call(100, 103),), (), quiet, told=False)
    found = measure_events([heard(told, ExcessScorer())], threshold=10.0)
    assert found is not None
    assert found.false is not None
    assert (found.false.count, found.untold) == (1, 1)
    assert found.false.hours == pytest.approx(60 / 3600)


def test_a_plain_function_has_no_events() -> None:
    assert measure_events([scored(piece([1.0], [call(0, 1)]), excess)], threshold=1.0) is None
