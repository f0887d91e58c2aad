"""The mathematics of a Gaussian mixture with full covariances: values and functions.

Letters: n points, M parts, Z dimensions.  A mixture's parameters and its sufficient
statistics are two forms of the same thing: `Gaussians.moments` and `maximise` lead
from one to the other.

Source: Dempster, Laird and Rubin 1977 (EM); Bishop, "Pattern Recognition and Machine
Learning", section 9.2.2.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from math import log, pi
from typing import Final

import torch
from torch import Tensor

_CELLS: Final = 2**17  # numbers in the largest temporary, which so stays in the cache
_KEPT: Final = 1e-100  # of what a part was: one without any point stays where it is


@dataclass(frozen=True, eq=False)
class Moments:
    """Sufficient statistics, means over the points: share (M,), first (M, Z), second (M, Z, Z).

    They are taken `about` the means that the parts had, (M, Z), so what a part finds has
    all its digits, however far it lies from zero and from the others.
    """

    about: Tensor
    share: Tensor
    first: Tensor
    second: Tensor

    def blend(self, new: Moments, rate: float) -> Moments:
        """Return these moments moved towards others about the same, at 1 nearly all the way."""
        kept = max(1 - rate, _KEPT)
        return Moments(
            self.about,
            kept * self.share + rate * new.share,
            kept * self.first + rate * new.first,
            kept * self.second + rate * new.second,
        )


@dataclass(frozen=True, eq=False)
class Gaussians:
    """Parts with log_weights (M,), means (M, Z) and lower Cholesky factors (M, Z, Z)."""

    log_weights: Tensor
    means: Tensor
    factors: Tensor

    @classmethod
    def standard(cls, parts: int, size: int, like: Tensor) -> Gaussians:
        """Return parts that are all N(0, I), with the dtype and device of a tensor."""
        weights = like.new_full((parts,), 1 / parts)
        unit = torch.eye(size, dtype=like.dtype, device=like.device)
        return cls(weights.log(), like.new_zeros(parts, size), unit.repeat(parts, 1, 1))

    def chunks(self, z: Tensor) -> tuple[Tensor, ...]:
        """Return the points in pieces whose temporaries, (n, M, Z), are small."""
        pieces: tuple[Tensor, ...] = z.split(max(_CELLS // self.means.numel(), 64))
        return pieces

    def joint(self, z: Tensor) -> Tensor:
        """Return the log density of each point and part together, (n, Z) → (n, M) nats."""
        matrix, bias, offset = self._whitening
        white = torch.addmm(bias, z, matrix).unflatten(1, self.means.shape)  # (n, M, Z)
        joint: Tensor = offset - 0.5 * (white * white).sum(dim=2)
        return joint

    @cached_property
    def _whitening(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return what whitens for all parts at once: (Z, M Z), (M Z,), and offsets (M,)."""
        size = self.means.shape[1]
        unit = torch.eye(size, dtype=self.means.dtype, device=self.means.device)
        inverse = torch.linalg.solve_triangular(self.factors, unit, upper=False)  # (M, Z, Z)
        bias = -(inverse @ self.means.unsqueeze(2)).flatten()
        volume = self.factors.diagonal(dim1=1, dim2=2).log().sum(dim=1) + 0.5 * size * log(2 * pi)
        return inverse.flatten(0, 1).T.contiguous(), bias, self.log_weights - volume

    def moments(self) -> Moments:
        """Return the moments that these parameters maximise."""
        share = self.log_weights.exp().clamp(min=_KEPT)
        second = share[:, None, None] * (self.factors @ self.factors.mT)
        return Moments(self.means, share, torch.zeros_like(self.means), second)

    def shifted(self, by: Tensor) -> Gaussians:
        """Return the mixture moved by a vector (Z,)."""
        return Gaussians(self.log_weights, self.means + by, self.factors)


def expect(mixture: Gaussians, z: Tensor) -> tuple[Moments, Tensor]:
    """Return the moments that points give to parts, and their log density: (n, Z) → …, (n,)."""
    totals: list[Tensor] = []

    def shared() -> Iterator[tuple[Tensor, Tensor]]:
        for chunk in mixture.chunks(z):
            joint = mixture.joint(chunk)
            totals.append(joint.logsumexp(dim=1))
            yield chunk, (joint - totals[-1][:, None]).exp()

    moments = gather(shared(), mixture.means)
    return moments, torch.cat(totals)


def gather(pieces: Iterable[tuple[Tensor, Tensor]], about: Tensor) -> Moments:
    """Return the moments of pieces of points (n, Z) and their shares (n, M)."""
    parts, size = about.shape
    count, share, first = 0, about.new_zeros(parts), about.new_zeros(parts * size)
    second = about.new_zeros(size, parts * size)
    for z, shares in pieces:
        off = (shares[:, :, None] * (z[:, None, :] - about)).flatten(1)  # (n, M Z)
        count += len(z)
        share += shares.sum(dim=0)
        first += off.sum(dim=0)
        second.addmm_(z.T, off)
    first = first.view(parts, size) / count
    second = second.unflatten(1, (parts, size)).transpose(0, 1) / count
    return Moments(about, share / count, first, second - about[:, :, None] * first[:, None, :])


def maximise(moments: Moments, floor: float) -> Gaussians:
    """Return the likeliest parameters among those with no variance below the floor."""
    share = moments.share
    off = moments.first / share[:, None]
    covariances = moments.second / share[:, None, None] - off[:, :, None] * off[:, None, :]
    log_weights = share.log() - share.sum().log()
    return Gaussians(log_weights, moments.about + off, floored_factors(covariances, floor))


def floored_factors(covariances: Tensor, floor: float) -> Tensor:
    """Return Cholesky factors of covariances (M, Z, Z), eigenvalues raised to the floor.

    That is the maximiser under the constraint, so EM with it still climbs; a floor
    that is added to the diagonal is not, and it does not.

    Source: Ingrassia and Rocci, "Constrained monotone EM algorithms for finite mixture
    of multivariate Gaussians", Computational Statistics & Data Analysis 51(11), 2007.
    """
    unit = torch.eye(covariances.shape[1], dtype=covariances.dtype, device=covariances.device)
    low = torch.linalg.cholesky_ex(covariances - floor * unit).info != 0
    factors: Tensor
    factors, info = torch.linalg.cholesky_ex(covariances)
    low = low | (info != 0)
    if bool(low.any()):
        values, vectors = torch.linalg.eigh(covariances[low])
        roots = vectors * values.clamp(min=floor).sqrt()[:, None, :]
        upper = torch.linalg.qr(roots.mT, mode="r").R  # a Cholesky that rounding cannot stop
        factors[low] = (upper * upper.diagonal(dim1=1, dim2=2).sign()[:, :, None]).mT
    return factors
