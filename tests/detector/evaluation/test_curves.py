import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acoio.errors import DataError
from benchmarks.evaluation import areas
from detector.evaluation.curves import Ranking, measured_areas


@given(
    pairs=st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=4, max_size=60),
)
@settings(max_examples=80)
def test_areas_are_those_of_the_metrics(pairs: list[tuple[int, bool]]) -> None:
    pairs += [(3, True), (2, False)]
    scores = np.array([score for score, _ in pairs], float)
    atypical = np.array([kind for _, kind in pairs])
    auc, partial, precision = Ranking(scores, atypical).curve().areas()
    assert auc == pytest.approx(areas.roc_auc(scores, atypical))
    assert partial == pytest.approx(areas.partial_auc(scores, atypical))
    assert precision == pytest.approx(areas.average_precision(scores, atypical))


def test_a_weight_of_two_is_the_window_twice() -> None:
    rng = np.random.default_rng(0)
    scores, atypical = rng.normal(size=50), rng.random(50) < 0.4
    weights = rng.integers(0, 4, 50).astype(float)
    twice = np.repeat(np.arange(50), weights.astype(int))
    weighted = Ranking(scores, atypical).curve(weights).areas()
    assert weighted == pytest.approx(Ranking(scores[twice], atypical[twice]).curve().areas())


def test_the_interval_is_like_that_of_the_metrics() -> None:
    rng = np.random.default_rng(1)
    atypical = np.repeat([False, True], [600, 200])
    blocks = np.arange(800) // 10
    scores = rng.normal(size=800) + atypical + np.repeat(rng.normal(size=80), 10)
    ours = measured_areas(scores, atypical, blocks, seed=1)[0]
    theirs = areas.bootstrap(areas.roc_auc, scores, atypical, blocks=blocks, seed=2, draws=300)
    assert ours.value == pytest.approx(theirs.value)
    assert ours.low == pytest.approx(theirs.low, abs=0.02)
    assert ours.high == pytest.approx(theirs.high, abs=0.02)
    assert measured_areas(scores, atypical, blocks, seed=1)[0] == ours


def test_few_blocks_give_a_value_and_no_interval() -> None:
    atypical = np.repeat([False, True], 50)
    areas = measured_areas(np.arange(100.0), atypical, np.arange(100) // 25, seed=1)
    assert [(area.value, area.low) for area in areas] == [(1.0, None)] * 3


@pytest.mark.parametrize("scores", [[1.0, np.nan], [1.0, 2.0, 3.0], [1.0]])
def test_scores_that_are_no_numbers_or_too_few_are_refused(scores: list[float]) -> None:
    with pytest.raises(DataError, match="ranking"):
        Ranking(np.array(scores), np.array([True, False]))


def test_one_class_is_refused() -> None:
    with pytest.raises(DataError, match="found 0 atypical of 2"):
        Ranking(np.ones(2), np.zeros(2, bool))
