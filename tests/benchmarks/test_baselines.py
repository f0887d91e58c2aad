"""Every baseline hears what is loud and new, repeats itself, and refuses what it cannot read."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from acoio.errors import DataError
from benchmarks.baselines import (
    Baseline,
    GeneralisedPowerLaw,
    GmmPca,
    Ink,
    IsolationForest,
    KnnPca,
    LevelLargest,
    LevelOver,
    LevelTop,
    LofPca,
    Loudness,
    OneClassSvm,
    PcaError,
    Peakedness,
    PlainAutoEncoder,
    PlainVae,
    families,
    settings,
)
from benchmarks.baselines.base import _CHUNK
from benchmarks.evaluation.areas import roc_auc

BANDS, SPECTRA = 12, 8

EACH: list[Baseline] = [
    Ink(),
    Loudness(),
    Peakedness(),
    LevelLargest(),
    LevelTop(0.05),
    LevelOver(3.0),
    GeneralisedPowerLaw(),
    PcaError(4),
    GmmPca(4, 3),
    IsolationForest(4, trees=50),
    IsolationForest(None, trees=50),
    OneClassSvm(4, width=0.1),
    KnnPca(4, 5),
    KnnPca(4, 5, local=True),
    KnnPca(4, 5, unit_energy=True),
    LofPca(4, 5),
    LofPca(4, 5, unit_energy=True),
    PlainAutoEncoder(4, steps=30),
    PlainVae(4, steps=30),
]
BY_LEVEL = [baseline for baseline in EACH if not settings(baseline).get("unit_energy")]
FITTED = [
    baseline
    for baseline in EACH
    if baseline.reads == "normalised" and not isinstance(baseline, Ink)
]


def named(baseline: Baseline) -> str:
    return " ".join(map(str, settings(baseline).values()))


def sea(windows: int, seed: int) -> NDArray[np.float32]:
    """Return levels of noise in dB, (n, F, T), with a swell that all bands share."""
    rng = np.random.default_rng(seed)
    power = rng.gamma(4.0, 0.25, (windows, BANDS, SPECTRA))
    swell = rng.normal(0, 1, (windows, 1, 1)) * np.linspace(2, 0, BANDS)[:, None]
    return np.asarray(10 * np.log10(power) + swell, np.float32)


def tone(windows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return windows with 25 dB more in three bands of three spectra."""
    loud = windows.copy()
    loud[:, 6:9, 2:5] += 25
    return loud


@pytest.fixture(scope="module")
def typical() -> NDArray[np.float32]:
    return sea(300, 0)


@pytest.mark.parametrize("baseline", BY_LEVEL, ids=named)
def test_a_loud_tone_over_noise_is_unusual(
    baseline: Baseline, typical: NDArray[np.float32]
) -> None:
    heard = np.concatenate([sea(100, 1), tone(sea(50, 2))])
    scores = baseline.fit(typical, seed=0).score(heard)
    assert scores.shape == (150,) and scores.dtype == np.float64
    assert roc_auc(scores, np.arange(150) >= 100) > 0.9


@pytest.mark.parametrize("baseline", EACH, ids=named)
def test_a_seed_gives_the_same_scores_again(
    baseline: Baseline, typical: NDArray[np.float32]
) -> None:
    heard = sea(20, 1)
    first, second = (baseline.fit(typical.copy(), seed=7).score(heard) for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("baseline", EACH, ids=named)
def test_a_windows_score_does_not_depend_on_the_others(
    baseline: Baseline, typical: NDArray[np.float32]
) -> None:
    fitted, heard = baseline.fit(typical, seed=0), sea(_CHUNK + 3, 1)
    whole = fitted.score(heard)
    parts = np.concatenate([fitted.score(heard[:5]), fitted.score(heard[5:])])
    np.testing.assert_allclose(whole, parts, rtol=1e-4)
    assert fitted.score(heard[:0]).shape == (0,)


@pytest.mark.parametrize("baseline", EACH, ids=named)
def test_windows_that_cannot_be_read_are_refused(
    baseline: Baseline, typical: NDArray[np.float32]
) -> None:
    fitted, broken = baseline.fit(typical, seed=0), typical.copy()
    broken[3, 0, 0] = np.nan
    with pytest.raises(DataError, match=r"found a value that is not finite in 3, wanted none"):
        fitted.score(broken)
    with pytest.raises(DataError, match=r"found a value that is not finite in 3, wanted none"):
        baseline.fit(broken, seed=0)
    with pytest.raises(DataError, match=r"windows: found \(12, 8\), wanted \(n, "):
        fitted.score(typical[0])


@pytest.mark.parametrize("baseline", FITTED, ids=named)
def test_other_windows_than_those_fitted_are_refused(
    baseline: Baseline, typical: NDArray[np.float32]
) -> None:
    with pytest.raises(DataError, match=r"windows: found \(300, 12, 7\), wanted \(n, 12, 8\)"):
        baseline.fit(typical, seed=0).score(typical[:, :, :7])


@pytest.mark.parametrize("baseline", FITTED, ids=named)
def test_too_few_windows_to_fit_are_refused(
    baseline: Baseline, typical: NDArray[np.float32]
) -> None:
    with pytest.raises(DataError, match=r"found \d+ windows.*, wanted"):
        baseline.fit(typical[:1], seed=0)


def test_neighbours_and_parts_need_their_windows(typical: NDArray[np.float32]) -> None:
    for baseline in (KnnPca(4, 30), LofPca(4, 30)):
        with pytest.raises(DataError, match="neighbours: found 30 windows, wanted more than 30"):
            baseline.fit(typical[:30], seed=0)
    with pytest.raises(DataError, match="mixture: found 30 windows, wanted 32 for 16 parts"):
        GmmPca(4, 16).fit(typical[:30], seed=0)


def test_pca_draws_what_it_has_directions_for(typical: NDArray[np.float32]) -> None:
    rng = np.random.default_rng(0)
    patterns = rng.normal(size=(3, BANDS, SPECTRA))
    seen = np.einsum("nk,kft->nft", rng.normal(size=(100, 3)), patterns).astype(np.float32)
    fitted = PcaError(3).fit(seen, seed=0)
    assert fitted.score(seen).max() < 1e-6
    added = np.zeros_like(seen)
    added[:, 0, 0] = 10.0
    # Of a new bin of 10, three directions of 96 can draw little.
    assert 30 < float(fitted.score(seen + added).mean()) <= 50.001


def test_unit_energy_makes_a_score_free_of_level(typical: NDArray[np.float32]) -> None:
    heard = sea(30, 1)
    for baseline in (KnnPca(4, 5, unit_energy=True), LofPca(4, 5, unit_energy=True)):
        fitted = baseline.fit(typical, seed=0)
        np.testing.assert_allclose(fitted.score(3 * heard), fitted.score(heard), rtol=1e-4)
    plain = KnnPca(4, 5).fit(typical, seed=0)
    assert not np.allclose(plain.score(3 * heard), plain.score(heard), rtol=0.1)
    silent = np.zeros((1, BANDS, SPECTRA), np.float32)
    assert np.isfinite(KnnPca(4, 5, unit_energy=True).fit(typical, seed=0).score(silent)).all()


@pytest.mark.parametrize("family", [KnnPca, LofPca])
def test_unit_energy_tells_another_pattern_at_any_level(
    family: type[KnnPca] | type[LofPca],
) -> None:
    rng = np.random.default_rng(0)
    usual, other = rng.normal(size=(2, BANDS, SPECTRA))

    def heard(pattern: NDArray[np.float64], seed: int) -> NDArray[np.float32]:
        rng = np.random.default_rng(seed)
        noise = rng.normal(0, 0.3, (100, BANDS, SPECTRA))
        level = rng.uniform(1, 20, (100, 1, 1))
        return np.asarray(level * (pattern + noise), np.float32)

    both = np.concatenate([heard(usual, 1), heard(usual + 0.7 * other, 2)])
    aucs = [
        roc_auc(
            family(4, 5, unit_energy=unit).fit(heard(usual, 0), seed=0).score(both),
            np.arange(200) >= 100,
        )
        for unit in (True, False)
    ]
    assert aucs[0] > 0.95 > aucs[1]


def test_neighbours_are_those_that_every_distance_finds() -> None:
    rng = np.random.default_rng(0)
    typical, heard = (rng.normal(size=(n, 2, 2)).astype(np.float32) for n in (60, 9))
    # Four directions of four bins keep all distances.
    apart = np.linalg.norm((heard[:, None] - typical[None]).reshape(9, 60, 4), axis=2)
    nearest = np.sort(apart, axis=1)[:, :3].mean(axis=1)
    found = KnnPca(4, 3).fit(typical, seed=0).score(heard)
    np.testing.assert_allclose(found, nearest, rtol=1e-4)
    own = np.linalg.norm((typical[:, None] - typical[None]).reshape(60, 60, 4), axis=2)
    usual = np.sort(own, axis=1)[:, 1:4].mean(axis=1)[np.argsort(apart, axis=1)[:, :3]]
    local = KnnPca(4, 3, local=True).fit(typical, seed=0).score(heard)
    np.testing.assert_allclose(local, nearest / usual.mean(axis=1), rtol=1e-4)


def test_families_have_settings_that_a_table_can_tell_apart() -> None:
    told = [
        json.dumps(settings(baseline)) for variants in families().values() for baseline in variants
    ]
    assert len(set(told)) == len(told)
    for name, variants in families().items():
        assert {baseline.name for baseline in variants} == {name}
        assert {baseline.reads for baseline in variants} <= {"excess_db", "normalised"}
    assert all(set(settings(r)) >= {"name", "reads"} for r in EACH)


@pytest.mark.parametrize("baseline", [PlainAutoEncoder(4), PlainVae(4, 0.3)], ids=named)
def test_an_autoencoder_draws_what_it_has_seen_and_not_what_is_new(baseline: Baseline) -> None:
    rng = np.random.default_rng(0)
    patterns = rng.normal(size=(2, 3, BANDS, SPECTRA))
    seen, new = (
        np.einsum("nk,kft->nft", rng.normal(size=(400, 3)), drawn).astype(np.float32)
        for drawn in patterns
    )
    scores = baseline.fit(seen[:300], seed=0).score(np.concatenate([seen[300:], new]))
    assert roc_auc(scores, np.arange(500) >= 100) > 0.9


def test_the_fit_of_an_autoencoder_leaves_the_random_numbers_of_others_alone(
    typical: NDArray[np.float32],
) -> None:
    before = torch.random.get_rng_state()
    PlainVae(4, steps=2).fit(typical, seed=0)
    assert torch.equal(torch.random.get_rng_state(), before)
