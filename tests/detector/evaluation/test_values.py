from dataclasses import replace

import numpy as np
import pytest

from acoio.errors import DataError
from detector.evaluation import heard, scored, scored_by
from detector.evaluation.values import Piece

from .pieces import ExcessScorer, at, call, excess, piece, sea, windows


def test_several_functions_score_the_same_windows_and_none_is_kept() -> None:
    batches = iter([windows([1, 2]), [], windows([3], first=2)])
    both = scored_by(Piece("p", batches), {"a": excess, "b": lambda some: -excess(some)})
    np.testing.assert_allclose(both["a"].scores, [1, 2, 3])
    np.testing.assert_array_equal(both["b"].scores, -both["a"].scores)
    assert both["a"].piece.windows == ()


def test_batches_do_not_matter() -> None:
    levels = sea(50, seed=1)
    whole = heard(piece(levels), ExcessScorer())
    cut = [windows(levels[:7]), windows(levels[7:30], 7), windows(levels[30:], 30)]
    parts = heard(Piece("p", cut), ExcessScorer())
    np.testing.assert_array_equal(whole.scores, parts.scores)
    assert whole.events == parts.events


def test_windows_over_a_span_are_those_that_share_time_with_it() -> None:
    one = scored(piece(np.arange(10.0)), excess)
    assert one.over(at(3.5), at(3.6)) == slice(2, 4)
    assert one.over(at(2.048), at(2.049)) == slice(1, 3)
    assert one.over(at(-5), at(0)) == slice(0, 0)
    assert one.over(at(50), at(60)) == slice(10, 10)


def test_a_call_before_the_first_window_after_the_last_or_in_a_gap_cannot_be_found() -> None:
    calls = [call(second, second + 1) for second in (-0.5, 0, 4, 7.5, 12, 15, 22, 30)]
    broken = Piece("p", [windows([1] * 6), windows([1] * 10, first=10)], tuple(calls))
    found = scored(broken, excess).calls()
    assert [c.truth.begin for c in found] == [at(0), at(4), at(12), at(15)]


def test_hours_count_the_time_that_windows_cover_once() -> None:
    broken = Piece("p", [windows([1] * 6), windows([1] * 10, first=20)])
    assert scored(broken, excess).hours() * 3600 == pytest.approx(5 + 2.048 + 9 + 2.048)


@pytest.mark.parametrize(
    "wrong", [lambda some: np.ones(len(some) + 1), lambda some: np.full(len(some), np.inf)]
)
def test_a_function_that_gives_no_number_for_a_window_is_refused(wrong: object) -> None:
    with pytest.raises(DataError, match="wanted 3, one a window"):
        scored(piece([1, 2, 3]), wrong)  # type: ignore[arg-type]


def test_a_piece_without_windows_is_refused() -> None:
    with pytest.raises(DataError, match="p: found no window"):
        scored(replace(piece([]), windows=[[]]), excess)
