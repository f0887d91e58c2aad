"""Measures keep their laws, and intervals hold the true value as often as they say."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import rankdata

from acoio.errors import DataError
from benchmarks.evaluation.areas import (
    Measure,
    average_precision,
    bootstrap,
    partial_auc,
    roc_auc,
)
from detector.calibration.intervals import wilson

MEASURES = [roc_auc, partial_auc, average_precision]


def drawn(
    typical: int, atypical: int, shift: float, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return Gaussian scores, the atypical ones shifted, in an order that tells nothing."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(typical + atypical) < atypical)
    return rng.normal(size=len(labels)) + shift * labels, labels


def test_the_auc_counts_pairs_and_half_of_the_ties() -> None:
    scores = np.array([0.0, 1.0, 1.0, 2.0, 3.0, 1.0])
    labels = np.array([False, False, True, False, True, True])
    pairs = list(product(scores[labels], scores[~labels]))
    counted = np.mean([(a > t) + 0.5 * (a == t) for a, t in pairs])
    assert roc_auc(scores, labels) == pytest.approx(counted)


@pytest.mark.parametrize("measure", MEASURES)
def test_a_rising_change_of_the_scores_changes_nothing(measure: Measure) -> None:
    scores, labels = drawn(200, 60, 1.0, 0)
    assert measure(np.exp(3 * scores) - 7, labels) == pytest.approx(measure(scores, labels))


def test_the_negated_score_has_the_rest_of_the_auc() -> None:
    scores, labels = drawn(200, 60, 1.0, 0)
    assert roc_auc(-scores, labels) == pytest.approx(1 - roc_auc(scores, labels))


@pytest.mark.parametrize("measure", MEASURES)
def test_a_perfect_order_gives_one(measure: Measure) -> None:
    labels = np.arange(50) >= 40
    assert measure(np.arange(50.0), labels) == 1.0


def test_scores_all_alike_say_nothing() -> None:
    labels = np.arange(50) >= 40
    assert roc_auc(np.zeros(50), labels) == pytest.approx(0.5)
    assert partial_auc(np.zeros(50), labels) == pytest.approx(0.5)
    assert average_precision(np.zeros(50), labels) == pytest.approx(0.2)


def test_the_partial_auc_is_the_standardised_area_at_its_left_end() -> None:
    scores, labels = drawn(1000, 500, 1.0, 1)
    falling = np.sort(scores[~labels])[::-1]
    # The mean over the first hundred of a thousand false alarms is the area up to 0.1.
    area = 0.1 * np.mean([(scores[labels] > threshold).mean() for threshold in falling[:100]])
    least = 0.1**2 / 2
    expected = 0.5 * (1 + (area - least) / (0.1 - least))
    assert partial_auc(scores, labels) == pytest.approx(expected)


def test_the_partial_auc_looks_at_false_alarms_up_to_its_share_only() -> None:
    labels = np.arange(110) >= 100
    scores = np.arange(110.0)
    jumbled = scores.copy()
    jumbled[:80] = jumbled[:80][::-1]  # typical windows that raise no alarm change places
    assert partial_auc(jumbled, labels) == partial_auc(scores, labels)
    with pytest.raises(DataError, match=r"partial AUC: found a share of 0, wanted over 0, to 1"):
        partial_auc(scores, labels, most_false=0.0)


@pytest.mark.parametrize("seed", [0, 1])
def test_the_same_seed_gives_the_same_interval(seed: int) -> None:
    scores, labels = drawn(80, 40, 1.0, 3)
    first = bootstrap(roc_auc, scores, labels, seed=seed, draws=100)
    assert first == bootstrap(roc_auc, scores, labels, seed=seed, draws=100)
    assert first != bootstrap(roc_auc, scores, labels, seed=seed + 1, draws=100)
    assert first.low < first.value < first.high
    assert first.value == roc_auc(scores, labels)


def by_ranks(scores: NDArray[np.float64], atypical: NDArray[np.bool_]) -> float:
    """Return the AUC by its other definition, which is quick to simulate with."""
    ranks = rankdata(scores)[atypical]
    return float((ranks.mean() - (len(ranks) + 1) / 2) / np.count_nonzero(~atypical))


def test_the_auc_is_the_rank_sum() -> None:
    scores, labels = drawn(200, 60, 1.0, 0)
    assert roc_auc(np.round(scores), labels) == pytest.approx(by_ranks(np.round(scores), labels))


def test_the_interval_holds_the_true_auc_as_often_as_it_says() -> None:
    true_auc = 0.7602499  # of Gaussians one deviation apart: Phi(1 / sqrt 2)
    held = 0
    for seed in range(200):
        scores, labels = drawn(60, 60, 1.0, seed)
        found = bootstrap(by_ranks, scores, labels, seed=seed, draws=200)
        held += found.low <= true_auc <= found.high
    assert 185 <= held <= 197


def test_windows_of_one_block_are_drawn_together() -> None:
    labels = np.arange(400) >= 200
    blocks = np.arange(400) // 20
    block_of_row = blocks.astype(float)

    def whole_blocks(scores: NDArray[np.float64], atypical: NDArray[np.bool_]) -> float:
        assert (np.unique(scores, return_counts=True)[1] % 20 == 0).all()
        assert atypical.sum() == 200
        return 0.5

    bootstrap(whole_blocks, block_of_row, labels, seed=0, blocks=blocks, draws=20)


def test_copies_of_windows_narrow_the_interval_unless_their_blocks_are_told() -> None:
    scores, labels = drawn(40, 40, 1.0, 5)
    repeated, of_repeated = np.repeat(scores, 10), np.repeat(labels, 10)
    blocks = np.repeat(np.arange(80), 10)
    widths = [
        found.high - found.low
        for found in (
            bootstrap(roc_auc, scores, labels, seed=0, draws=200),
            bootstrap(roc_auc, repeated, of_repeated, seed=0, draws=200),
            bootstrap(roc_auc, repeated, of_repeated, seed=0, draws=200, blocks=blocks),
        )
    ]
    assert widths[1] < 0.5 * widths[0]
    assert widths[2] == pytest.approx(widths[0])


def test_every_draw_has_both_classes_even_where_blocks_mix_them() -> None:
    labels = np.array([False, True] * 2 + [True] * 4)
    blocks = np.array([0, 0, 1, 1, 2, 2, 3, 3])
    found = bootstrap(roc_auc, np.arange(8.0), labels, seed=0, blocks=blocks, draws=50)
    assert 0 <= found.low <= found.high <= 1


def test_two_columns_of_scores_give_a_paired_difference() -> None:
    scores, labels = drawn(100, 100, 1.0, 2)
    near = np.random.default_rng(9).normal(scale=0.1, size=200)

    def difference(both: NDArray[np.float64], atypical: NDArray[np.bool_]) -> float:
        return roc_auc(both[:, 0], atypical) - roc_auc(both[:, 1], atypical)

    paired = bootstrap(
        difference, np.stack([scores, scores + near], axis=1), labels, seed=0, draws=200
    )
    alone = bootstrap(roc_auc, scores, labels, seed=0, draws=200)
    assert paired.high - paired.low < 0.5 * (alone.high - alone.low)


def test_wilsons_interval_is_the_published_one() -> None:
    found = wilson(81, 263)  # Newcombe, Statistics in Medicine 17, 1998, table I
    assert found.value == pytest.approx(81 / 263)
    assert (round(found.low, 4), round(found.high, 4)) == (0.2553, 0.3662)
    assert round(wilson(0, 20).high, 4) == 0.1611
    assert wilson(20, 20).low == pytest.approx(1 - wilson(0, 20).high)


@pytest.mark.parametrize(("found", "of"), [(0, 0), (-1, 5), (6, 5)])
def test_a_share_that_cannot_be_is_refused(found: int, of: int) -> None:
    with pytest.raises(DataError, match=rf"share: found {found} of {of}, wanted"):
        wilson(found, of)


@pytest.mark.parametrize("measure", MEASURES)
def test_what_cannot_be_measured_is_refused(measure: Measure) -> None:
    labels = np.array([False, True, True])
    with pytest.raises(DataError, match=r"scores: found 2, wanted 3"):
        measure(np.zeros(2), labels)
    with pytest.raises(DataError, match=r"found 1 that are not finite, wanted none"):
        measure(np.array([0.0, np.nan, 1.0]), labels)
    with pytest.raises(DataError, match=r"found 0 atypical of 3, wanted some of both"):
        measure(np.zeros(3), np.zeros(3, np.bool_))
    with pytest.raises(DataError, match=r"labels: found int64 \(3,\), wanted bool"):
        measure(np.zeros(3), labels.astype(np.int64))


def test_too_few_blocks_to_resample_are_refused() -> None:
    labels = np.arange(6) >= 3
    with pytest.raises(DataError, match=r"blocks: found 1 with atypical windows, wanted 2"):
        bootstrap(roc_auc, np.zeros(6), labels, seed=0, blocks=np.array([0, 1, 1, 2, 2, 2]))
    with pytest.raises(DataError, match=r"blocks: found \(2,\), wanted \(6,\)"):
        bootstrap(roc_auc, np.zeros(6), labels, seed=0, blocks=np.array([0, 1]))
    with pytest.raises(DataError, match=r"draws: found 0, wanted 1"):
        bootstrap(roc_auc, np.zeros(6), labels, seed=0, draws=0)
