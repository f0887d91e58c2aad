"""A score depends on its window alone, and its bands add up to it."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from acoio.errors import DataError, SetupError
from detector.scoring.score import Scorer

from .models import model
from .sounds import SMALL, window


def levels(seed: int) -> NDArray[np.float32]:
    shape = (SMALL.bands, SMALL.columns)
    return np.random.default_rng(seed).normal(0, 4, shape).astype(np.float32)


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    return Scorer(model())


def test_a_window_has_the_same_score_in_any_company(scorer: Scorer) -> None:
    """To the last bit: at every place of a batch, alone, and among others."""
    windows = [window(levels(k)) for k in range(70)]
    alone = [scorer.score([w])[0] for w in windows]
    together = scorer.score(windows)
    backwards = scorer.score(windows[::-1])[::-1]
    for one, two, three in zip(alone, together, backwards, strict=True):
        assert one.score == two.score == three.score
        assert np.array_equal(one.contribution, two.contribution)


def test_the_contributions_of_the_bands_add_up_to_the_score(scorer: Scorer) -> None:
    for score in scorer.score([window(levels(k)) for k in range(5)]):
        assert score.score == pytest.approx(float(score.contribution.sum()), rel=1e-5)


def test_the_loudest_contribution_is_the_band_that_sounds(scorer: Scorer) -> None:
    quiet = 0.2 * levels(3)
    quiet[5, 3:] += 15
    score = scorer.score([window(quiet)])[0]
    assert int(np.argmax(score.contribution)) == 5
    assert int(np.argmax(score.level_db)) == 5
    assert score.score > scorer.score([window(0.2 * levels(3))])[0].score + 10


def test_nothing_gives_no_scores(scorer: Scorer) -> None:
    assert scorer.score([]) == []


def test_a_rarer_alarm_has_a_higher_threshold() -> None:
    assert Scorer(model(), false_alarms_per_hour=0.5).threshold == 9.0
    assert Scorer(model(), false_alarms_per_hour=1.0).threshold == pytest.approx(7.0)
    with pytest.raises(SetupError, match=r"found 0\.01, wanted 0\.5 to 2"):
        Scorer(model(), false_alarms_per_hour=0.01)


def test_a_score_that_is_no_number_is_refused_with_its_place(scorer: Scorer) -> None:
    broken = levels(1)
    broken[0, 0] = np.nan
    with pytest.raises(DataError, match=r"score: found nan at 2024-03-01 .* in a"):
        scorer.score([window(broken)])
