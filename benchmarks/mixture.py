"""The mixture against scikit-learn's, on the same points, one thread each.

Both start from one k-means and stop at the same gain; the floor is as low as theirs.
"""

from __future__ import annotations

import statistics
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture
from threadpoolctl import threadpool_limits

from benchmarks.timing import Row
from detector.networks.mixture import Mixture

SHAPES = ((20_000, 32, 8), (50_000, 12, 10), (20_000, 64, 32))  # points, dimensions, parts
SEEDS = range(3)
FLOOR, TOLERANCE, MOST_STEPS = 1e-6, 1e-3, 200
_Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Run:
    """A fit: seconds in all, seconds a step, steps, mean nats a point."""

    all_s: float
    step_s: float
    steps: int
    nats: float


def rows() -> Iterator[Row]:
    """Yield the time of a fit and of its steps, and how likely it makes the points."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        for shape in SHAPES:
            z = points(*shape)
            yield _row(
                shape,
                [ours(z, shape[2], k) for k in SEEDS],
                [theirs(z, shape[2], k) for k in SEEDS],
            )
    torch.set_num_threads(threads)


def points(count: int, size: int, parts: int) -> _Floats:
    """Return points of a mixture whose parts overlap a little, (n, Z)."""
    generator = np.random.default_rng(count + size)
    centres = 0.5 * generator.normal(size=(parts, size))
    shapes = generator.normal(size=(parts, size, size)) / np.sqrt(size)
    z = 0.3 * generator.normal(size=(count, size))
    part = generator.integers(parts, size=count)
    for k in range(parts):
        here = part == k
        z[here] += centres[k] + generator.normal(size=(here.sum(), size)) @ shapes[k].T
    return z


def ours(z: _Floats, parts: int, seed: int) -> Run:
    """Return how our fit goes."""
    mixture, tensor = Mixture(parts, z.shape[1], floor=FLOOR), torch.from_numpy(z)

    def fit(steps: int) -> int:
        fitted = mixture.fit(tensor, seed=seed, most_steps=steps, tolerance=TOLERANCE)
        return fitted.steps + 1  # with the start: as many passes over the points as theirs

    return _run(fit, lambda: float(mixture(tensor).mean()))


def theirs(z: _Floats, parts: int, seed: int) -> Run:
    """Return how the fit of scikit-learn goes."""
    mixture = GaussianMixture(parts, random_state=seed, tol=TOLERANCE, reg_covar=FLOOR)

    def fit(steps: int) -> int:
        return int(mixture.set_params(max_iter=max(steps, 1)).fit(z).n_iter_)

    return _run(fit, lambda: float(mixture.score(z)))


def _run(fit: Callable[[int], int], score: Callable[[], float]) -> Run:
    """Time a fit, and one that is its start and first pass alone."""
    begin_s = time.perf_counter()
    first = fit(0)
    start_s = time.perf_counter() - begin_s
    begin_s = time.perf_counter()
    steps = fit(MOST_STEPS)
    all_s = time.perf_counter() - begin_s
    return Run(all_s, (all_s - start_s) / max(steps - first, 1), steps, score())


def _row(shape: tuple[int, int, int], ours: list[Run], theirs: list[Run]) -> Row:
    def middle(runs: list[Run], of: str) -> float:
        return float(statistics.median(getattr(run, of) for run in runs))

    count, size, parts = shape
    whole = middle(theirs, "all_s") / middle(ours, "all_s")
    step = middle(theirs, "step_s") / middle(ours, "step_s")
    nats = middle(ours, "nats"), middle(theirs, "nats")
    figure = (
        f"{middle(ours, 'all_s'):.2f} s, {whole:.1f} ×; {1e3 * middle(ours, 'step_s'):.0f} ms, "
        f"{step:.1f} ×; {nats[0]:.2f} and {nats[1]:.2f} nats"
    )
    what = f"mixture, {count} points, Z {size}, M {parts}: fit, step, against scikit-learn"
    return what, figure, "1 ×, 1 ×"


if __name__ == "__main__":
    for row in rows():
        print(*row, sep=" | ", flush=True)
