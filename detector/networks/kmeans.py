"""k-means on torch: where the parts of a mixture start."""

from __future__ import annotations

import math
from typing import Final

import torch
from torch import Tensor

_MOST_STEPS: Final = 20  # where parts start; what is left to gain, EM gains
_STILL: Final = 1e-4  # of the mean variance, squared moves of all centres together: converged


def kmeans(z: Tensor, parts: int, *, seed: int) -> tuple[Tensor, Tensor]:
    """Return the cluster of each point and their centres: (n, Z) → (n,) of 0 to M - 1, (M, Z).

    A cluster may have no point.

    Source: Lloyd, "Least squares quantization in PCM", IEEE Transactions on Information
    Theory 28(2), 1982, from the start of `_spread`.
    """
    generator = torch.Generator(z.device).manual_seed(seed)
    centres = _spread(z, parts, generator)
    still = _STILL * float(z.var(dim=0, correction=0).mean())
    for _ in range(_MOST_STEPS):
        before, centres = centres, _centroids(z, _nearest(z, centres), centres)
        if float((centres - before).square().sum()) <= still:
            break
    return _nearest(z, centres), centres


def _nearest(z: Tensor, centres: Tensor) -> Tensor:
    return torch.addmm(-0.5 * centres.square().sum(dim=1), z, centres.T).argmax(dim=1)


def _centroids(z: Tensor, labels: Tensor, centres: Tensor) -> Tensor:
    """Return the mean of each cluster; one without points stays where it is."""
    member = z.new_zeros(len(z), len(centres)).scatter_(1, labels[:, None], 1)
    count = member.sum(dim=0)[:, None]
    return torch.where(count > 0, member.T @ z / count.clamp(min=1), centres)


def _spread(z: Tensor, parts: int, generator: torch.Generator) -> Tensor:
    """Return points far from one another, (n, Z) → (M, Z).

    Source: Arthur and Vassilvitskii, "k-means++: the advantages of careful seeding",
    SODA 2007, in its greedy form: of a few draws the best is kept.
    """
    tries, squares = 2 + int(math.log(parts)), (z * z).sum(dim=1, keepdim=True)
    every = torch.full((len(z),), torch.inf, dtype=z.dtype, device=z.device)
    weight = torch.ones_like(every)
    centres = []
    for _ in range(parts):
        drawn = z[_draw(weight, tries, generator)]
        apart = squares + torch.addmm((drawn * drawn).sum(dim=1), z, drawn.T, alpha=-2)
        left = torch.minimum(every[:, None], apart.clamp(min=0))  # (n, tries)
        best = int(left.sum(dim=0).argmin())
        weight = every = left[:, best]
        centres.append(drawn[best])
    return torch.stack(centres)


def _draw(weight: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """Return places drawn by their weight, which may all be zero; torch's own has a limit of n."""
    below = weight.cumsum(dim=0)
    uniform = torch.rand(count, generator=generator, dtype=weight.dtype, device=weight.device)
    return torch.searchsorted(below, uniform * below[-1], right=True).clamp(max=len(weight) - 1)
