"""A Gaussian mixture with full covariances: the latent mixture tail of a gumiho network.

All is in log space: densities by Cholesky factors, sums by log-sum-exp.  The buffers
are float64; after `float()` densities are computed in float32, and fitted still in
float64.

Offline, `fit` runs EM on a whole set from a k-means start.  The law: the likelihood
never falls from one step to the next, but by rounding; also where the floor on the
variances bites, and where an empty part is reseeded.  Online, `update` moves the
mixture by one mini-batch.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn

from acoio.errors import DataError
from detector.networks.em import Fit, climb, start
from detector.networks.gaussians import Gaussians, expect, maximise

FLOOR: Final = 1e-4  # of a variance; latent vectors are of the order of 1
_FEWEST: Final = 10  # points for a part
_FARTHEST: Final = 1e100  # as good as infinite: squares of what lies beyond overflow
_FORGETTING: Final = 0.6  # exponent of the step size, from 0.5 (excluded) to 1


class Mixture(nn.Module):
    """M Gaussians in Z dimensions, all N(0, I) until they are fitted.

    Buffers: `log_weights` (M,), `means` (M, Z), lower Cholesky `factors` (M, Z, Z), and
    `seen`, how many points have formed them.  The first three are the running
    statistics of `update` too, in another form; so all that it needs is saved.
    """

    log_weights: Tensor
    means: Tensor
    factors: Tensor
    seen: Tensor

    def __init__(self, parts: int, latent: int, *, floor: float = FLOOR) -> None:
        super().__init__()
        self.floor = floor
        first = Gaussians.standard(parts, latent, torch.empty((), dtype=torch.float64))
        self.register_buffer("log_weights", first.log_weights)
        self.register_buffer("means", first.means)
        self.register_buffer("factors", first.factors)
        self.register_buffer("seen", torch.zeros((), dtype=torch.int64))

    @classmethod
    def of(cls, log_weights: Tensor, means: Tensor, factors: Tensor) -> Mixture:
        """Return the mixture of parameters, as they were saved; it has seen no points.

        Raises
        ------
        RuntimeError
            If their shapes do not fit one another.
        """
        mixture = cls(*means.shape)
        found = {"log_weights": log_weights, "means": means, "factors": factors}
        mixture.load_state_dict(found, strict=False)
        return mixture

    def forward(self, z: Tensor) -> Tensor:
        """Return the log density of points, (B, Z) → (B,) nats in their dtype."""
        mixture = Gaussians(self.log_weights, self.means, self.factors)
        inside = z.to(self.means.dtype)
        parts = [mixture.joint(chunk).logsumexp(dim=1) for chunk in mixture.chunks(inside)]
        return torch.cat(parts).to(z.dtype)

    def responsibilities(self, z: Tensor) -> Tensor:
        """Return which part a point is likely of, (B, Z) → (B, M), rows that add up to 1."""
        mixture = Gaussians(self.log_weights, self.means, self.factors)
        inside = z.to(self.means.dtype)
        parts = [mixture.joint(chunk).softmax(dim=1) for chunk in mixture.chunks(inside)]
        return torch.cat(parts).to(z.dtype)

    @torch.no_grad()
    def sample(self, count: int, generator: torch.Generator) -> Tensor:
        """Return points drawn from the mixture, (n, Z) in the dtype of its buffers."""
        device, latent = generator.device, self.means.shape[1]
        weights = self.log_weights.exp().to(device)
        chosen = torch.multinomial(weights, count, replacement=True, generator=generator)
        chosen = chosen.to(self.means.device)
        z = torch.randn(count, latent, generator=generator, device=device).to(self.means)
        for k, (mean, factor) in enumerate(zip(self.means, self.factors, strict=True)):
            z[chosen == k] = mean + z[chosen == k] @ factor.T
        return z

    @torch.no_grad()
    def fit(
        self, z: Tensor, *, seed: int | None, most_steps: int = 200, tolerance: float = 1e-3
    ) -> Fit:
        """Fit the mixture to points, (n, Z), by EM until a step gains less than the tolerance.

        From a k-means start with a seed; without one, from where the mixture is.  The
        tolerance is in mean nats a point.

        Raises
        ------
        DataError
            If there are fewer than ten points for each part, or values that are not finite.
        """
        parts = len(self.means)
        z = self._points(z, _FEWEST * parts, f" for {parts} parts")
        centre = z.mean(dim=0)  # fitted about their mean, points lose no digits to where they lie
        z = z - centre
        if seed is None:
            first = self._now().shifted(-centre)
        else:
            first = start(z, parts, seed=seed, floor=self.floor)
        reached, fit = climb(first, z, floor=self.floor, most_steps=most_steps, tolerance=tolerance)
        self._become(reached.shifted(centre), len(z))
        return fit

    @torch.no_grad()
    def update(self, z: Tensor, *, rate: float | None = None) -> float:
        """Move the mixture by one mini-batch, (B, Z); return its mean nats a point before.

        At a rate of 1 that is one step of EM, at 0 nothing; without a rate it falls
        with the points seen.  No part is reseeded: one that has no point now may have
        some later.

        Raises
        ------
        DataError
            If there are no points or values that are not finite.
        ValueError
            If a mixture that was never fitted is given no rate.

        Source: Cappé and Moulines, "On-line expectation-maximization algorithm for latent
        data models", JRSS B 71(3), 2009; of mini-batches of equal size, step t has the
        rate t ** -0.6.
        """
        z = self._points(z, 1)
        seen = int(self.seen)
        if rate is None:
            if not seen:
                raise ValueError("mixture: found one never fitted, wanted a fit or a rate")
            rate = (len(z) / (seen + len(z))) ** _FORGETTING
        now = self._now()
        found, total = expect(now, z)
        self._become(maximise(now.moments().blend(found, rate), self.floor), seen + len(z))
        return float(total.mean())

    def _points(self, z: Tensor, fewest: int, why: str = "") -> Tensor:
        if len(z) < fewest:
            raise DataError(f"mixture: found {len(z)} points, wanted {fewest}{why}")
        wrong = int((~(z.abs() < _FARTHEST)).any(dim=1).sum())
        if wrong:
            raise DataError(
                f"mixture: found {wrong} of {len(z)} points that are not finite, wanted none"
            )
        return z.detach().to(self.means.device, torch.float64)

    def _now(self) -> Gaussians:
        return Gaussians(self.log_weights.double(), self.means.double(), self.factors.double())

    def _become(self, mixture: Gaussians, seen: int) -> None:
        self.log_weights.copy_(mixture.log_weights)
        self.means.copy_(mixture.means)
        self.factors.copy_(mixture.factors)
        self.seen.fill_(seen)
