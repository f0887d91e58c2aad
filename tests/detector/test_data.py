"""The loading coroutine gives the batches that it gave before."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from acoio.errors import DataError
from detector.training.data import held_out, loader

WINDOWS = np.arange(1000, dtype=np.float32).repeat(6).reshape(1000, 2, 3)


def test_it_gives_as_many_windows_as_were_asked_for() -> None:
    batches = loader(WINDOWS.astype(np.float16), seed=1)
    for count in (5, 1, 64):
        batch = batches.send(count)
        assert batch.shape == (count, 2, 3)
        assert batch.dtype == torch.float32
        assert (batch == batch[:, :1, :1]).all()  # windows stay whole


@pytest.mark.parametrize("drawn", [0, 1, 7])
def test_one_that_goes_on_gives_what_an_unbroken_one_gives(drawn: int) -> None:
    whole, rest = loader(WINDOWS, seed=3), loader(WINDOWS, seed=3, drawn=drawn)
    for _ in range(drawn):
        whole.send(4)
    assert [whole.send(9).tolist() for _ in range(3)] == [rest.send(9).tolist() for _ in range(3)]


def test_seeds_draw_other_windows_and_all_of_them() -> None:
    first, second = (loader(WINDOWS, seed=seed).send(500) for seed in (1, 2))
    assert not torch.equal(first, second)
    seen = loader(WINDOWS, seed=1).send(20_000)[:, 0, 0].unique()
    assert len(seen) == len(WINDOWS)


def test_what_is_held_out_comes_after_what_is_learnt() -> None:
    learnt, checked = held_out(WINDOWS, 10, "typical")
    assert len(learnt) == 900
    assert learnt.max() < checked.min()


def test_too_few_windows_are_refused() -> None:
    with pytest.raises(DataError, match="various: found 1000 windows, wanted 1001"):
        held_out(WINDOWS, 1001, "various")
